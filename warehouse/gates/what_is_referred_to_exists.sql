-- checks: Documents, pages, contracts and references that rows name are held.
WITH landed AS (SELECT document_id, contract_id, page_count FROM documents_history WHERE run_id = $run_id),
cited AS (
    SELECT 'terms' AS "table", term_id AS "row", document_id, page_number FROM terms_history WHERE run_id = $run_id
    UNION ALL
    SELECT 'flags', flag_id, document_id, page_number FROM flags_history WHERE run_id = $run_id
    UNION ALL
    SELECT 'asc606', asc606_id, document_id, page_number FROM asc606_history WHERE run_id = $run_id
)
SELECT c."table", c."row"
FROM cited c LEFT JOIN landed l ON l.document_id = c.document_id
WHERE c.document_id IS NOT NULL AND (l.document_id IS NULL OR c.page_number > l.page_count)
UNION ALL
SELECT 'flags', f.flag_id
FROM (SELECT flag_id, unnest(refs) AS key FROM flags_history WHERE run_id = $run_id) f
ANTI JOIN evidence_refs r ON r.key = f.key
UNION ALL
SELECT 'family_members', m.contract_id
FROM (SELECT contract_id, parent_contract_id FROM family_members_history WHERE run_id = $run_id) m
ANTI JOIN contracts c ON c.contract_id = m.parent_contract_id
WHERE m.parent_contract_id IS NOT NULL
