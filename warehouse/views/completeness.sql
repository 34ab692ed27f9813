-- What each run found in its inbox and what became of it; `missing` must be zero.
SELECT
    business_date,
    run_id,
    inbox,
    found,
    unchanged,
    documents - duplicates - quarantined AS landed,
    duplicates,
    quarantined,
    found - unchanged - documents AS missing
FROM runs
WHERE found IS NOT NULL
ORDER BY number DESC
