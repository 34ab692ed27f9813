-- Notice deadlines and period ends that lie ahead of the business day, the nearest first.
WITH events AS (
    SELECT
        v.event,
        CASE v.event WHEN 'notice_deadline' THEN r.notice_deadline ELSE r.period_end END AS due_date,
        r.*
    FROM running_periods r
    CROSS JOIN (VALUES ('notice_deadline'), ('period_end')) v (event)
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
