-- checks: The billing schedule adds up to the total of a contract, but for a cent of rounding each time.
-- level: warning
WITH billed AS (
    SELECT contract_id, currency, sum(amount) AS amount, count(*) AS times
    FROM billing_schedule_history
    WHERE run_id = $run_id
    GROUP BY ALL
)
SELECT 'contracts' AS "table",
    c.contract_id || ': total ' || c.total_value || ', billed ' || b.amount AS "row"
FROM contracts_history c
JOIN billed b ON b.contract_id = c.contract_id AND b.currency = c.currency
WHERE c.run_id = $run_id AND abs(c.total_value - b.amount) > 0.01 * b.times
