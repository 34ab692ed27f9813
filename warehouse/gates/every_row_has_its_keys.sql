-- checks: Every row has the ids and names without which nobody finds it.
SELECT 'documents' AS "table", coalesce(document_id, source_uri) AS "row"
FROM documents_history
WHERE run_id = $run_id
    AND (document_id IS NULL OR contract_id IS NULL OR source_uri IS NULL OR sha256 IS NULL OR status IS NULL)
UNION ALL
SELECT 'contracts', coalesce(contract_id, document_id)
FROM contracts_history
WHERE run_id = $run_id AND (contract_id IS NULL OR document_id IS NULL OR version IS NULL OR status IS NULL)
UNION ALL
SELECT 'terms', term_id
FROM terms_history
WHERE run_id = $run_id AND (term_id IS NULL OR contract_id IS NULL OR term IS NULL OR extractor IS NULL)
UNION ALL
SELECT 'flags', flag_id
FROM flags_history
WHERE run_id = $run_id
    AND (flag_id IS NULL OR contract_id IS NULL OR rule_id IS NULL OR severity IS NULL OR reason IS NULL)
