-- Every departure from the playbook with what was found, our position, the reason, its references and its page.
-- Documents are joined by their contract too: the files are sorted by it, so that little is read for one contract.
WITH titles AS (
    SELECT coalesce(map_from_entries(list({'k': key, 'v': title}) FILTER (WHERE key IS NOT NULL)), MAP {}) AS of_key
    FROM evidence_refs
),
decided AS (
    SELECT target_id, nullif(arg_max(decision, decided_at), 'withdrawn') AS decision
    FROM reviews
    WHERE target = 'flag'
    GROUP BY target_id
)
SELECT
    f.severity,
    f.clause_type,
    f.rule_id,
    c.title,
    c.counterparty,
    f.standard,
    f.found,
    f.reason,
    f.refs,
    nullif(array_to_string(list_transform(f.refs, lambda k: coalesce(t.of_key[k], k)), '; '), '') AS reference_titles,
    d.file_name,
    f.page_number,
    f.x0,
    f.y0,
    f.x1,
    f.y1,
    f.quote,
    f.evidence,
    f.confidence,
    coalesce(v.decision, f.status) AS status,
    c.total_value,
    c.currency,
    f.flag_id,
    f.contract_id,
    f.document_id,
    f.run_id
FROM flags f
CROSS JOIN titles t
LEFT JOIN decided v ON v.target_id = f.flag_id
LEFT JOIN contracts c ON c.contract_id = f.contract_id
LEFT JOIN documents d ON d.contract_id = f.contract_id AND d.document_id = f.document_id
ORDER BY
    CASE f.severity WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3 ELSE 4 END,
    c.total_value DESC NULLS LAST,
    f.contract_id,
    f.rule_id,
    f.flag_id
