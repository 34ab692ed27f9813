-- number: 43
-- question: Which contracts above the materiality threshold were reviewed by one person only?
-- also: four eyes principle; only one person checked, reviewed, approved it; no second reviewer; material contracts; without four eyes; approved alone
-- parameter: amount = 100000 ; materiality threshold, in the contract's currency
WITH reviewed AS (
    SELECT contract_id, min(reviewer) AS reviewer, count(*) AS decisions, max(decided_at) AS last_decided_at
    FROM reviews
    WHERE decision IN ('confirmed', 'overridden', 'rejected', 'not_applicable')
    GROUP BY contract_id
    HAVING count(DISTINCT reviewer) = 1
)
SELECT c.contract_id, c.title, c.counterparty, c.total_value, c.currency, r.reviewer, r.decisions, r.last_decided_at
FROM reviewed r
JOIN contracts c ON c.contract_id = r.contract_id
WHERE c.total_value >= $amount
ORDER BY c.total_value DESC, c.contract_id
