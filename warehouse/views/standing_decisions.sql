-- The last decision on each target; those that were taken back are left out.
SELECT *
FROM (
    FROM reviews
    QUALIFY row_number() OVER (PARTITION BY contract_id, target, target_id ORDER BY decided_at DESC) = 1
)
WHERE decision <> 'withdrawn'
