-- number: 25
-- question: Where may our own order terms and the other side's paper conflict?
-- also: battle of the forms; purchase order against supplier or vendor terms; contradiction, order of precedence
-- Purchases only: what the vendor's paper says of orders and of the terms on them, and our order terms being rejected.
WITH signs AS (
    SELECT contract_id, 'flag' AS basis, rule_id AS key, severity, reason AS words, page_number, quote
    FROM standing_flags
    WHERE rule_id = 'R41' OR (rule_id = 'R50' AND found LIKE 'our order terms%')
    UNION ALL
    SELECT contract_id, 'clause', clause_type, NULL, heading, page_number, text
    FROM clauses
    WHERE clause_type = 'order_of_precedence'
        AND regexp_matches(text, '\b(?:orders?|acknowledge?ments?|invoices?|preprinted)\b|注文|発注', 'i')
)
SELECT c.contract_id, c.title, c.counterparty, s.basis, s.key, s.severity, s.words, s.page_number, s.quote,
    c.total_value, c.currency
FROM signs s
JOIN contracts c ON c.contract_id = s.contract_id
WHERE c.our_role = 'buyer'
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, s.basis DESC, s.key, s.page_number
