-- checks: Every flag has a reason and a reference, and one with a quotation names the page that holds its words.
WITH raised AS (SELECT * FROM flags_history WHERE run_id = $run_id),
read AS (
    SELECT document_id, page_number,
        regexp_replace(lower(text || ' ' || coalesce(marked_text, '')), '[^\p{L}\p{N}]+', '', 'g') AS letters
    FROM pages_history
    WHERE run_id = $run_id
)
SELECT 'flags' AS "table", f.flag_id AS "row"
FROM raised f
WHERE len(trim(f.reason)) = 0 OR coalesce(len(f.refs), 0) = 0
UNION ALL
SELECT 'flags', f.flag_id
FROM raised f
LEFT JOIN read a ON a.document_id = f.document_id AND a.page_number = f.page_number
LEFT JOIN read b ON b.document_id = f.document_id AND b.page_number = f.page_number + 1
WHERE f.evidence = 'verified'
    AND NOT contains(
        coalesce(a.letters, '') || coalesce(b.letters, ''),
        regexp_replace(lower(coalesce(f.quote, '?')), '[^\p{L}\p{N}]+', '', 'g')
    )
