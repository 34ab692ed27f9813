-- number: 37
-- question: Which have an exclusivity, a non-compete or another restriction on dealing?
-- also: exclusive dealing, non-compete, no-solicit, right of first refusal; restricted in whom we may sell to; bound not to compete; locked out of a market, tied to a competitor
SELECT c.contract_id, c.title, c.counterparty, l.clause_type, l.heading, l.text, l.page_number, c.total_value, c.currency
FROM clauses l
JOIN contracts c ON c.contract_id = l.contract_id
WHERE l.clause_type IN ('exclusivity', 'non_compete', 'competitive_restriction_exception', 'no_solicit_of_customers', 'rofr_rofo_rofn')
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, l.char_start
