-- Every term with what people say of it: `reviewed_value` is a person's where one decided, and stays so over later runs.
-- A close takes the rows that are `for_close`: confirmed or overridden, and not in conflict with what was read since.
SELECT
    t.contract_id,
    c.title,
    c.counterparty,
    t.term,
    CASE
        WHEN d.decision = 'overridden' THEN d.new_value
        WHEN d.decision = 'confirmed' THEN d.old_value
        WHEN d.decision IN ('rejected', 'not_applicable') THEN NULL
        ELSE t.value
    END AS reviewed_value,
    t.unit,
    coalesce(d.decision, 'proposed') AS status,
    coalesce(d.decision IN ('confirmed', 'overridden'), false)
        AND (t.value IS NOT DISTINCT FROM d.old_value OR t.value IS NOT DISTINCT FROM d.new_value) AS for_close,
    coalesce(d.decision IN ('confirmed', 'overridden', 'rejected', 'not_applicable'), false)
        AND t.value IS DISTINCT FROM d.old_value AND t.value IS DISTINCT FROM d.new_value AS is_in_conflict,
    t.value AS read_value,
    t.absence,
    d.reason_code,
    d.comment,
    d.reviewer,
    d.approver,
    d.decided_at,
    t.quote,
    f.file_name,
    t.page_number,
    t.evidence,
    t.confidence,
    t.term_id,
    t.document_id,
    t.run_id
FROM terms t
LEFT JOIN standing_decisions d ON d.contract_id = t.contract_id AND d.target = 'term' AND d.target_id = t.term_id
LEFT JOIN contracts c ON c.contract_id = t.contract_id
LEFT JOIN documents f ON f.contract_id = t.contract_id AND f.document_id = t.document_id
