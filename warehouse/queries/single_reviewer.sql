-- number: 43
-- question: Which contracts above the materiality threshold were reviewed by one person only?
-- also: four eyes principle; only one person checked, reviewed, approved it; no second reviewer; material contracts; without four eyes; approved alone
-- parameter: amount = 100000 ; materiality threshold, in the contract's currency
SELECT c.contract_id, c.title, c.counterparty, c.total_value, c.currency, min(r.reviewer) AS reviewer, count(*) AS decisions,
    max(r.decided_at) AS last_decided_at
FROM reviews r
JOIN contracts c ON c.contract_id = r.contract_id
WHERE c.total_value >= $amount
GROUP BY ALL
HAVING count(DISTINCT r.reviewer) = 1
ORDER BY c.total_value DESC, c.contract_id
