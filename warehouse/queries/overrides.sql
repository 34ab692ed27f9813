-- number: 29
-- question: Which values did reviewers override, by field and reason?
-- also: corrections by people, corrected values; reviewers overruled or changed the machine; why was it corrected
SELECT r.target, coalesce(t.term, f.rule_id, a.topic) AS field, r.reason_code, count(*) AS overrides,
    max(r.decided_at) AS last_decided_at
FROM reviews r
LEFT JOIN terms t ON r.target = 'term' AND t.term_id = r.target_id
LEFT JOIN flags f ON r.target = 'flag' AND f.flag_id = r.target_id
LEFT JOIN asc606 a ON r.target = 'asc606' AND a.asc606_id = r.target_id
WHERE r.decision IN ('overridden', 'rejected')
GROUP BY ALL
ORDER BY overrides DESC, field
