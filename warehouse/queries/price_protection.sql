-- number: 10
-- question: Which contain most-favoured-customer or price-protection clauses?
-- also: best price promise, MFN, MFC, most favoured nation; price guarantee, price matching; lowest price for the customer
WITH signs AS (
    SELECT contract_id, 'flag' AS basis, rule_id AS key, severity, reason AS words, page_number, quote
    FROM standing_flags
    WHERE rule_id = 'R10'
    UNION ALL
    SELECT contract_id, 'clause', clause_type, NULL, heading, page_number, text
    FROM clauses
    WHERE clause_type IN ('most_favored_nation', 'price_restrictions')
)
SELECT c.contract_id, c.title, c.counterparty, s.basis, s.key, s.severity, s.words, s.page_number, s.quote,
    c.total_value, c.currency
FROM signs s
JOIN contracts c ON c.contract_id = s.contract_id
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, s.basis DESC, s.key, s.page_number
