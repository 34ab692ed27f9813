-- number: 30
-- question: How often do reviewers agree, by field, model, capture class and month?
-- also: accuracy of the extraction according to people; human and agent, machine agree; how good, how reliable is it; share of values that people confirmed, per model
SELECT t.term AS field, t.extractor, t.model, c.capture_class, date_trunc('month', r.decided_at)::DATE AS "month",
    count(*) AS decisions, round(avg((r.decision = 'confirmed')::INTEGER), 3) AS agreed
FROM reviews r
JOIN terms t ON r.target = 'term' AND t.term_id = r.target_id
JOIN contracts c ON c.contract_id = t.contract_id
WHERE r.decision IN ('confirmed', 'overridden', 'rejected')
    AND r.batch IS NULL  -- who confirms many at once has not looked at each
GROUP BY ALL
ORDER BY "month" DESC, agreed, field
