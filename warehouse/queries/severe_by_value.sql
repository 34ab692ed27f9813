-- number: 2
-- question: Which have a critical or high non-standard term, ordered by total value?
-- also: serious deviations from the playbook; worst problems of the biggest deals; most severe flags sorted by contract value; critical findings; money at stake
SELECT c.contract_id, c.title, c.counterparty, c.total_value, c.currency,
    count(*) FILTER (f.severity = 'critical') AS critical,
    count(*) FILTER (f.severity = 'high') AS high,
    string_agg(DISTINCT f.rule_id, ', ' ORDER BY f.rule_id) AS rules
FROM flags f
JOIN contracts c ON c.contract_id = f.contract_id
WHERE f.severity IN ('critical', 'high')
GROUP BY ALL
ORDER BY c.total_value DESC NULLS LAST, critical DESC, high DESC, c.contract_id
