-- Notice deadlines and period ends that lie ahead of the business day, the nearest first.
WITH events AS NOT MATERIALIZED (
    SELECT 'notice_deadline' AS event, notice_deadline AS due_date, * FROM running_periods
    UNION ALL
    SELECT 'period_end', period_end, * FROM running_periods
)
SELECT
    e.due_date,
    date_diff('day', b.today, e.due_date) AS days_left,
    e.event,
    e.title,
    e.counterparty,
    e.our_role,
    e.renewal_type,
    e.renewal_term_months,
    e.renewal_notice_days,
    e.notice_deadline,
    e.period_end,
    e.renewed_since,
    e.price_increase_type,
    e.price_increase_cap_percent,
    e.annual_value,
    e.total_value,
    e.currency,
    e.contract_id
FROM events e
CROSS JOIN business_day b
WHERE e.due_date >= b.today
ORDER BY e.due_date, e.contract_id, e.event
