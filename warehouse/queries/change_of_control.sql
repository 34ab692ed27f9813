-- number: 36
-- question: Which have change-of-control or assignment-consent clauses?
-- also: what if we are acquired, sold, merged; assign, transfer the contract; consent to assignment needed
SELECT c.contract_id, c.title, c.counterparty, l.clause_type, l.heading, l.text, l.page_number, c.total_value, c.currency
FROM clauses l
JOIN contracts c ON c.contract_id = l.contract_id
WHERE l.clause_type IN ('change_of_control', 'anti_assignment')
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, l.char_start
