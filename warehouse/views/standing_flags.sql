-- The flags that no person has found wrong or not applicable, and whose rule is not overridden for their contract;
-- `status` is the last decision.
SELECT f.* REPLACE (coalesce(v.decision, f.status) AS status)
FROM flags f
LEFT JOIN (
    SELECT target_id, nullif(arg_max(decision, decided_at), 'withdrawn') AS decision FROM reviews WHERE target = 'flag' GROUP BY target_id
) v ON v.target_id = f.flag_id
ANTI JOIN excepted_flags e ON e.flag_id = f.flag_id
WHERE coalesce(v.decision, f.status) NOT IN ('rejected', 'not_applicable')
