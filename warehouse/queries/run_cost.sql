-- number: 41
-- question: What did a contract cost in the last run, in money and minutes, against the median before?
-- also: how much did last night cost; spend, dollars and time, minutes per contract; expensive; tokens; price per contract of a run; how long it took
-- parameter: days = 30 ; how many days the median looks back
WITH each AS (
    SELECT run_id, business_date, started_at, contracts, cost_usd, seconds,
        cost_usd / nullif(contracts, 0) AS cost_each,
        seconds / 60 / nullif(contracts, 0) AS minutes_each
    FROM runs
    WHERE contracts > 0
),
newest AS (
    SELECT * FROM each ORDER BY started_at DESC LIMIT 1
)
SELECT n.run_id, n.business_date, n.contracts, n.cost_usd, round(n.cost_each, 4) AS cost_per_contract,
    round((SELECT median(cost_each) FROM each WHERE business_date >= n.business_date - $days::INTEGER), 4)
        AS median_cost_per_contract,
    round(n.minutes_each, 4) AS minutes_per_contract,
    round((SELECT median(minutes_each) FROM each WHERE business_date >= n.business_date - $days::INTEGER), 4)
        AS median_minutes_per_contract
FROM newest n
