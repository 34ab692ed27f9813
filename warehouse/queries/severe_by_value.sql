-- number: 2
-- question: Which have a critical or high non-standard term, ordered by total value?
-- also: serious deviations from the playbook; worst problems of the biggest deals; most severe flags sorted by contract value; critical findings; money at stake
WITH severe AS (
    SELECT contract_id, count(*) FILTER (severity = 'critical') AS critical, count(*) FILTER (severity = 'high') AS high,
        string_agg(DISTINCT rule_id, ', ' ORDER BY rule_id) AS rules
    FROM standing_flags
    WHERE severity IN ('critical', 'high')
    GROUP BY contract_id
)
SELECT c.contract_id, c.title, c.counterparty, c.total_value, c.currency, s.critical, s.high, s.rules
FROM severe s
JOIN contracts c ON c.contract_id = s.contract_id
ORDER BY c.total_value DESC NULLS LAST, s.critical DESC, s.high DESC, c.contract_id
