-- checks: A term has a value with its state of evidence, or says that it was not found; never both, never neither.
SELECT 'terms' AS "table", term_id AS "row"
FROM terms_history
WHERE run_id = $run_id
    AND (
        (value IS NULL) = (absence IS NULL)
        OR (value IS NOT NULL AND evidence IS NULL)
        OR (evidence = 'verified' AND (quote IS NULL OR page_number IS NULL))
    )
