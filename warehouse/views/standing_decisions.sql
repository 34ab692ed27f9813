-- The last decision on each target; those that were taken back are left out.
SELECT d.*
FROM (SELECT unnest(arg_max(r, decided_at)) FROM reviews r GROUP BY target, target_id) d
WHERE d.decision <> 'withdrawn'
