-- number: 12
-- question: Which hold a licence that the customer may take away besides the service?
-- also: SaaS or hosted software together with an on-premise licence; take possession of, install or run the software themselves; client runs it on their own servers
WITH signs AS (
    SELECT contract_id, 'flag' AS basis, rule_id AS key, severity, reason AS words, page_number, quote
    FROM flags
    WHERE rule_id IN ('R35')
    UNION ALL
    SELECT contract_id, 'clause' AS basis, clause_type AS key, NULL AS severity, heading AS words, page_number, text AS quote
    FROM clauses
    WHERE clause_type IN ('license_grant', 'source_code_escrow', 'irrevocable_or_perpetual_license')
    UNION ALL
    SELECT contract_id, 'asc606' AS basis, topic AS key, NULL AS severity, proposal AS words, page_number, quote
    FROM asc606
    WHERE upper(topic) IN ('LICENCE')
)
SELECT c.contract_id, c.title, c.counterparty, s.basis, s.key, s.severity, s.words, s.page_number, s.quote, c.total_value, c.currency
FROM signs s
JOIN contracts c ON c.contract_id = s.contract_id
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, s.basis DESC, s.key, s.page_number
