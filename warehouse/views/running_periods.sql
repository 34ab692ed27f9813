-- The period of each agreement that runs on the business day, its end and its last day for notice.
WITH held AS NOT MATERIALIZED (
    SELECT a.*, b.today, coalesce(a.current_period_end, a.expiration_date) AS known_end
    FROM agreements a
    CROSS JOIN business_day b
),
counted AS NOT MATERIALIZED (
    -- An automatic renewal goes on while nobody reads the contract again: count the periods since.
    SELECT
        *,
        CASE
            WHEN renewal_type = 'auto' AND renewal_term_months >= 1 AND known_end < today
            THEN greatest(floor(date_diff('month', known_end, today) / renewal_term_months), 0)::INTEGER
        END AS whole_periods
    FROM held
),
moved AS NOT MATERIALIZED (
    SELECT
        *,
        known_end + to_months((whole_periods * renewal_term_months)::INTEGER) AS first_try,
        known_end + to_months(((whole_periods + 1) * renewal_term_months)::INTEGER) AS second_try
    FROM counted
),
running AS NOT MATERIALIZED (
    SELECT
        *,
        whole_periods IS NOT NULL AS renewed_since,
        CASE
            WHEN whole_periods IS NULL THEN known_end
            WHEN known_end = last_day(known_end)
            THEN last_day(CASE WHEN last_day(first_try) >= today THEN first_try ELSE second_try END)
            ELSE (CASE WHEN first_try >= today THEN first_try ELSE second_try END)::DATE
        END AS period_end
    FROM moved
)
SELECT
    * EXCLUDE (today, known_end, whole_periods, first_try, second_try, notice_deadline),
    CASE WHEN renewed_since THEN period_end - renewal_notice_days ELSE notice_deadline END AS notice_deadline,
    notice_deadline AS stated_notice_deadline
FROM running
