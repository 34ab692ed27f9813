-- number: 8
-- question: Which have customer acceptance beyond a formality?
-- also: acceptance testing, sign-off of deliverables by the customer; acceptance criteria, substantive acceptance; revenue waits for approval
-- A trial, or acceptance at the customer's judgement or without a date on which it counts as given. A clause with a
-- test that can be shown to be met is a formality, and is not listed.
WITH judged AS (
    SELECT contract_id, rule_id, severity, reason, page_number, quote
    FROM standing_flags
    WHERE rule_id IN ('R26', 'R27')
),
signs AS (
    SELECT contract_id, 'flag' AS basis, rule_id AS key, severity, reason AS words, page_number, quote
    FROM judged
    UNION ALL
    SELECT contract_id, 'asc606', topic, NULL, proposal, page_number, quote
    FROM standing_topics
    SEMI JOIN judged USING (contract_id)
    WHERE topic = 'ACCEPTANCE'
)
SELECT c.contract_id, c.title, c.counterparty, s.basis, s.key, s.severity, s.words, s.page_number, s.quote,
    c.total_value, c.currency
FROM signs s
JOIN contracts c ON c.contract_id = s.contract_id
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, s.basis DESC, s.key, s.page_number
