-- checks: No document, contract, term or flag is there twice.
WITH fresh AS (SELECT contract_id, document_id FROM contracts_history WHERE run_id = $run_id)
SELECT 'documents' AS "table", document_id AS "row"
FROM documents_history
WHERE run_id = $run_id
GROUP BY document_id
HAVING count(*) > 1
UNION ALL
SELECT 'contracts', contract_id
FROM contracts SEMI JOIN fresh USING (contract_id)
GROUP BY contract_id
HAVING count(*) > 1
UNION ALL
SELECT 'terms', term_id FROM terms_history WHERE run_id = $run_id GROUP BY term_id HAVING count(*) > 1
UNION ALL
SELECT 'flags', flag_id FROM flags_history WHERE run_id = $run_id GROUP BY flag_id HAVING count(*) > 1
