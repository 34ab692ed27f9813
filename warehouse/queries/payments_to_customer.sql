-- number: 16
-- question: Which grant payments or credits to the customer?
-- also: consideration payable to a customer; we pay the client; marketing money, rebate in cash, signing bonus; slotting fee
WITH signs AS (
    SELECT contract_id, 'flag' AS basis, rule_id AS key, severity, reason AS words, page_number, quote
    FROM standing_flags
    WHERE rule_id = 'R15'
    UNION ALL
    SELECT contract_id, 'asc606', topic, NULL, proposal, page_number, quote
    FROM standing_topics
    WHERE topic IN ('PAYABLE TO CUSTOMER', 'NONCASH')
)
SELECT c.contract_id, c.title, c.counterparty, s.basis, s.key, s.severity, s.words, s.page_number, s.quote,
    c.total_value, c.currency
FROM signs s
JOIN contracts c ON c.contract_id = s.contract_id
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, s.basis DESC, s.key, s.page_number
