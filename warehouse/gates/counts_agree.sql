-- checks: What was found in the inbox = landed + duplicates + quarantined + unchanged, and the run's counts are those of its rows.
WITH run AS (SELECT * FROM runs_history WHERE run_id = $run_id),
counted AS (
    SELECT
        count(*) AS documents,
        count(*) FILTER (WHERE status = 'landed') AS landed,
        count(*) FILTER (WHERE status = 'duplicate') AS duplicates,
        count(*) FILTER (WHERE status = 'quarantined') AS quarantined
    FROM documents_history
    WHERE run_id = $run_id
),
counts AS (
    SELECT 'found in the inbox' AS what, r.found::BIGINT AS said, c.documents + r.unchanged AS counted
    FROM run r, counted c
    UNION ALL
    SELECT 'documents', r.documents, c.landed + c.duplicates + c.quarantined FROM run r, counted c
    UNION ALL
    SELECT 'duplicates', r.duplicates, c.duplicates FROM run r, counted c
    UNION ALL
    SELECT 'quarantined', r.quarantined, c.quarantined FROM run r, counted c
    UNION ALL
    SELECT 'contracts', r.contracts, (SELECT count(*) FROM contracts_history WHERE run_id = $run_id) FROM run r
    UNION ALL
    SELECT 'flags', r.flags,
        (SELECT count(*) FROM flags_history WHERE run_id = $run_id)
        + (SELECT count(*) FROM family_flags_history WHERE run_id = $run_id)
    FROM run r
)
SELECT 'runs' AS "table", what || ': ' || said || ' said, ' || counted || ' counted' AS "row"
FROM counts
WHERE said <> counted
