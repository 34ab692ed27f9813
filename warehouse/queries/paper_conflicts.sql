-- number: 25
-- question: Where may our own order terms and the other side's paper conflict?
-- also: battle of the forms; purchase order against supplier or vendor terms; contradiction, order of precedence
WITH signs AS (
    SELECT contract_id, 'flag' AS basis, rule_id AS key, severity, reason AS words, page_number, quote
    FROM flags
    WHERE rule_id IN ('R41', 'R50')
    UNION ALL
    SELECT contract_id, 'clause' AS basis, clause_type AS key, NULL AS severity, heading AS words, page_number, text AS quote
    FROM clauses
    WHERE clause_type IN ('order_of_precedence')
)
SELECT c.contract_id, c.title, c.counterparty, s.basis, s.key, s.severity, s.words, s.page_number, s.quote, c.total_value, c.currency
FROM signs s
JOIN contracts c ON c.contract_id = s.contract_id
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, s.basis DESC, s.key, s.page_number
