-- The topics of ASC 606 that no person has found wrong or not applicable; `status` is the last decision.
SELECT a.* REPLACE (coalesce(v.decision, a.status) AS status)
FROM asc606 a
LEFT JOIN (
    SELECT target_id, nullif(arg_max(decision, decided_at), 'withdrawn') AS decision FROM reviews WHERE target = 'asc606' GROUP BY target_id
) v ON v.target_id = a.asc606_id
WHERE coalesce(v.decision, a.status) NOT IN ('rejected', 'not_applicable')
