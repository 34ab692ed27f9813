-- number: 20
-- question: What is left to perform by year, up to the end of the non-cancellable period (spread evenly)?
-- also: remaining performance obligations, RPO, backlog of revenue per year; revenue still to be performed or recognised in coming years
-- Sales after their amendments, by the days left of the term that the total pays for. Where the customer may leave
-- without a fee, the period is that of the notice from the business day on. What is known not to be signed is left out.
WITH spans AS (
    SELECT contract_id, currency, total_value, value_begins AS begun, expiration_date AS ends, b.today,
        CASE
            WHEN termination_for_convenience IN ('customer', 'either') AND termination_fee IS NULL
            THEN least(expiration_date, greatest(accounting_term_end, b.today + termination_notice_days))
            ELSE least(expiration_date, coalesce(accounting_term_end, expiration_date))
        END AS bound_until
    FROM agreements
    CROSS JOIN business_day b
    WHERE our_role = 'seller' AND total_value > 0 AND fully_executed IS DISTINCT FROM false
),
years AS (
    SELECT *, unnest(range(year(greatest(begun, today))::BIGINT, year(bound_until)::BIGINT + 1)) AS of_year
    FROM spans
    WHERE begun <= ends AND bound_until >= today
),
parts AS (
    SELECT *, greatest(begun, today, make_date(of_year, 1, 1)) AS first_day,
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
