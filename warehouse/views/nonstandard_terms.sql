-- Every departure from the playbook with what was found, our position, the reason, its references and its page.
WITH meant AS (
    SELECT flag_id, string_agg(coalesce(e.title, r.key), '; ' ORDER BY r.ordinal) AS reference_titles
    FROM (SELECT flag_id, unnest(refs) AS key, generate_subscripts(refs, 1) AS ordinal FROM flags) r
    LEFT JOIN evidence_refs e ON e.key = r.key
    GROUP BY flag_id
),
decided AS (
    SELECT target_id, arg_max(decision, decided_at) AS decision
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
    m.reference_titles,
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
LEFT JOIN meant m ON m.flag_id = f.flag_id
LEFT JOIN decided v ON v.target_id = f.flag_id
LEFT JOIN contracts c ON c.contract_id = f.contract_id
LEFT JOIN documents d ON d.document_id = f.document_id
ORDER BY
    CASE f.severity WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3 ELSE 4 END,
    c.total_value DESC NULLS LAST,
    f.contract_id,
    f.rule_id,
    f.flag_id
