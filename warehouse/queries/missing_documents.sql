-- number: 27
-- question: Which contracts refer to a document that we do not hold?
SELECT c.contract_id, c.title, c.counterparty, f.found, f.reason, f.page_number, f.quote, f.status
FROM standing_flags f
JOIN contracts c ON c.contract_id = f.contract_id
WHERE f.rule_id = 'M04'
ORDER BY c.title, c.contract_id, f.page_number, f.flag_id
