-- number: 20
-- question: What is left to perform by year, up to the end of the non-cancellable period (spread evenly)?
-- also: remaining performance obligations, RPO, backlog of revenue per year; revenue still to be performed or recognised in coming years
WITH spans AS (
    SELECT contract_id, currency, total_value, coalesce(effective_date, agreement_date) AS begun, expiration_date AS ends,
        least(expiration_date, coalesce(accounting_term_end, expiration_date)) AS bound_until
    FROM contracts
    WHERE our_role = 'seller' AND total_value IS NOT NULL
),
years AS (
    SELECT *, unnest(range(year(current_date)::BIGINT, year(bound_until)::BIGINT + 1)) AS of_year
    FROM spans
    WHERE begun <= ends AND bound_until >= current_date
),
parts AS (
    SELECT *, greatest(begun, current_date, make_date(of_year, 1, 1)) AS first_day,
        least(bound_until, make_date(of_year, 12, 31)) AS last_day
    FROM years
)
SELECT of_year AS "year", currency, count(DISTINCT contract_id) AS contracts,
    round(sum(total_value::DOUBLE * (date_diff('day', first_day, last_day) + 1)
        / (date_diff('day', begun, ends) + 1)), 2) AS remaining
FROM parts
WHERE last_day >= first_day
GROUP BY ALL
ORDER BY "year", currency
