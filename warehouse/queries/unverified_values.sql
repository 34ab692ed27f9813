-- number: 32
-- question: Which values rest on evidence that is not verified and still wait for a person?
-- also: not proven, no proof; without verified evidence, open, to be confirmed by a person; uncertain values; can't be proven by a quote
SELECT c.contract_id, c.title, c.counterparty, t.term, t.value, t.unit, t.page_number, t.quote, t.match_score,
    t.confidence, t.term_id
FROM terms t
JOIN contracts c ON c.contract_id = t.contract_id
ANTI JOIN (
    SELECT target_id, arg_max(decision, decided_at) AS decision
    FROM reviews
    WHERE target = 'term'
    GROUP BY target_id
    HAVING arg_max(decision, decided_at) IN ('confirmed', 'overridden', 'rejected', 'not_applicable')
) r ON r.target_id = t.term_id
WHERE t.absence IS NULL AND t.evidence = 'unverified'
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, t.term, t.term_id
