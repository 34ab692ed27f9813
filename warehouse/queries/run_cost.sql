-- number: 41
-- question: What did a contract cost in the last run, in money and minutes, against the median before?
-- also: how much did last night cost; spend, dollars and time, minutes per contract; expensive; tokens; price per contract of a run; how long it took
-- parameter: days = 30 ; how many days the median looks back
WITH each AS (
    SELECT run_id, business_date, started_at, contracts, cost_usd, seconds,
        cost_usd / contracts AS cost_each,
        seconds / 60 / contracts AS minutes_each
    FROM runs
    WHERE contracts > 0
),
newest AS (
    SELECT * FROM each ORDER BY started_at DESC, run_id DESC LIMIT 1
),
before AS (
    SELECT median(e.cost_each) AS cost_each, median(e.minutes_each) AS minutes_each
    FROM each e, newest n
    WHERE e.started_at < n.started_at AND e.business_date >= n.business_date - $days::INTEGER
)
SELECT n.run_id, n.business_date, n.contracts, n.cost_usd, round(n.cost_each, 4) AS cost_per_contract,
    round(b.cost_each, 4) AS median_cost_per_contract,
    round(n.minutes_each, 4) AS minutes_per_contract,
    round(b.minutes_each, 4) AS median_minutes_per_contract
FROM newest n, before b
