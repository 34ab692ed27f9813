-- number: 40
-- question: Which rules fired most, and how often were they wrong?
-- also: which rules fire the most; false alarms, false positives per rule; rule statistics, noisy rules; rules that trigger for nothing
WITH decided AS (
    SELECT target_id, arg_max(decision, decided_at) AS decision
    FROM reviews
    WHERE target = 'flag'
    GROUP BY target_id
    HAVING arg_max(decision, decided_at) IN ('confirmed', 'overridden', 'rejected', 'not_applicable')
)
SELECT f.rule_id, count(*) AS flags, count(DISTINCT f.contract_id) AS contracts, count(d.decision) AS decided,
    count(*) FILTER (d.decision = 'rejected') AS wrong,
    round(count(*) FILTER (d.decision = 'rejected') / nullif(count(d.decision), 0), 3) AS wrong_share
FROM flags f
LEFT JOIN decided d ON d.target_id = f.flag_id
GROUP BY f.rule_id
ORDER BY flags DESC, f.rule_id
