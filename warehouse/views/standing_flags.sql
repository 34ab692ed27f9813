-- The flags that no person has found wrong or not applicable; `status` is the last decision.
SELECT f.* REPLACE (coalesce(v.decision, f.status) AS status)
FROM flags f
LEFT JOIN (
    SELECT target_id, arg_max(decision, decided_at) AS decision FROM reviews WHERE target = 'flag' GROUP BY target_id
) v ON v.target_id = f.flag_id
WHERE coalesce(v.decision, f.status) NOT IN ('rejected', 'not_applicable')
