-- Open flags, the most pressing first: severity times amount times uncertainty.
WITH decided AS (
    SELECT target_id, nullif(arg_max(decision, decided_at), 'withdrawn') AS decision
    FROM reviews
    WHERE target = 'flag'
    GROUP BY target_id
),
weighed AS (
    SELECT
        f.*,
        coalesce(d.decision, f.status) AS decision,
        CASE f.severity WHEN 'critical' THEN 8 WHEN 'high' THEN 4 WHEN 'medium' THEN 2 ELSE 1 END AS weight
    FROM flags f
    LEFT JOIN decided d ON d.target_id = f.flag_id
)
SELECT
    -- A tenfold amount adds one step, so that currencies need no exchange rate to be ranked together.
    round(
        w.weight
        * (1 + log10(1 + greatest(coalesce(c.total_value, 0), 0)::DOUBLE) / 2)
        * (2 - coalesce(w.confidence, 0)),
        2
    ) AS priority,
    w.severity,
    c.title,
    c.counterparty,
    w.rule_id,
    w.reason,
    w.found,
    w.standard,
    w.refs,
    c.total_value,
    c.currency,
    d.file_name,
    w.page_number,
    w.quote,
    w.evidence,
    w.confidence,
    w.decision AS status,
    w.clause_type,
    w.flag_id,
    w.contract_id,
    w.document_id,
    w.run_id,
    d.ingested_at
FROM weighed w
LEFT JOIN contracts c ON c.contract_id = w.contract_id
LEFT JOIN documents d ON d.contract_id = w.contract_id AND d.document_id = w.document_id
ANTI JOIN excepted_flags e ON e.flag_id = w.flag_id
WHERE w.decision NOT IN ('confirmed', 'overridden', 'rejected', 'not_applicable')
ORDER BY priority DESC, w.severity, w.contract_id, w.rule_id, w.flag_id
