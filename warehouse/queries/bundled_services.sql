-- number: 13
-- question: Which bundle professional services with a subscription without separate prices?
-- also: implementation, consulting, training and software sold together for one price; no standalone selling price; bundle; distinct performance obligations; lumped together with the subscription fee
WITH bundled AS (
    SELECT contract_id, rule_id, severity, reason, page_number, quote FROM standing_flags WHERE rule_id = 'R33'
),
signs AS (
    SELECT contract_id, 'flag' AS basis, rule_id AS key, severity, reason AS words, page_number, quote
    FROM bundled
    UNION ALL
    SELECT contract_id, 'asc606', topic, NULL, proposal, page_number, quote
    FROM standing_topics
    SEMI JOIN bundled USING (contract_id)
    WHERE topic IN ('ALLOCATE', 'DISTINCT')
)
SELECT c.contract_id, c.title, c.counterparty, s.basis, s.key, s.severity, s.words, s.page_number, s.quote,
    c.total_value, c.currency
FROM signs s
JOIN contracts c ON c.contract_id = s.contract_id
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, s.basis DESC, s.key, s.page_number
