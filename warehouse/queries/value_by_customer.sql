-- number: 19
-- question: What are total value and remaining unbilled by customer and currency?
-- also: how much is each customer worth; TCV, sum of contract values per client; unbilled, not yet invoiced amount
WITH unbilled AS (
    SELECT contract_id, sum(amount) AS amount
    FROM billing_schedule
    WHERE due_date >= current_date
    GROUP BY contract_id
)
SELECT c.counterparty, c.currency, count(*) AS contracts, sum(c.total_value) AS total_value,
    sum(c.annual_value) AS annual_value, sum(u.amount) AS unbilled,
    count(*) FILTER (c.total_value IS NULL) AS without_value
FROM contracts c
LEFT JOIN unbilled u ON u.contract_id = c.contract_id
GROUP BY ALL
ORDER BY total_value DESC NULLS LAST, c.counterparty
