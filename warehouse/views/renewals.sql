-- Notice deadlines and period ends that lie ahead, the nearest first.
WITH held AS (
    SELECT *, coalesce(current_period_end, expiration_date) AS known_end
    FROM contracts
),
counted AS (
    -- An automatic renewal goes on while nobody reads the contract again: count the periods since.
    SELECT
        *,
        CASE
            WHEN renewal_type = 'auto' AND renewal_term_months >= 1 AND known_end < current_date
            THEN greatest(floor(date_diff('month', known_end, current_date) / renewal_term_months), 0)::INTEGER
        END AS whole_periods
    FROM held
),
moved AS (
    SELECT
        *,
        known_end + to_months((whole_periods * renewal_term_months)::INTEGER) AS first_try,
        known_end + to_months(((whole_periods + 1) * renewal_term_months)::INTEGER) AS second_try
    FROM counted
),
running AS (
    SELECT
        *,
        whole_periods IS NOT NULL AS renewed_since,
        CASE
            WHEN whole_periods IS NULL THEN known_end
            WHEN known_end = last_day(known_end)
            THEN last_day(CASE WHEN last_day(first_try) >= current_date THEN first_try ELSE second_try END)
            ELSE (CASE WHEN first_try >= current_date THEN first_try ELSE second_try END)::DATE
        END AS period_end
    FROM moved
),
dated AS (
    SELECT
        * EXCLUDE (notice_deadline),
        CASE WHEN renewed_since THEN period_end - renewal_notice_days ELSE notice_deadline END AS notice_deadline
    FROM running
),
events AS (
    SELECT contract_id, 'notice_deadline' AS event, notice_deadline AS due_date FROM dated
    UNION ALL
    SELECT contract_id, 'period_end', period_end FROM dated
)
SELECT
    e.due_date,
    date_diff('day', current_date, e.due_date) AS days_left,
    e.event,
    c.title,
    c.counterparty,
    c.our_role,
    c.renewal_type,
    c.renewal_term_months,
    c.renewal_notice_days,
    c.notice_deadline,
    c.period_end,
    c.renewed_since,
    c.price_increase_type,
    c.price_increase_cap_percent,
    c.annual_value,
    c.total_value,
    c.currency,
    c.contract_id
FROM events e
JOIN dated c ON c.contract_id = e.contract_id
WHERE e.due_date >= current_date
ORDER BY e.due_date, c.contract_id, e.event
