-- number: 22
-- question: Which notice deadlines passed in the last days without a decision?
-- also: missed a cancellation or non-renewal deadline; notice date we let pass, slipped, too late; nobody decided; missed window
-- parameter: days = 7 ; how many days back
WITH missed AS (
    SELECT c.*, b.today, unnest(list_distinct([c.notice_deadline, c.stated_notice_deadline])) AS passed
    FROM running_periods c
    CROSS JOIN business_day b
    WHERE least(c.notice_deadline, c.stated_notice_deadline) < b.today
        AND greatest(c.notice_deadline, c.stated_notice_deadline) >= b.today - $days::INTEGER
)
SELECT m.contract_id, m.title, m.counterparty, m.passed AS notice_deadline, date_diff('day', m.passed, m.today) AS days_ago,
    m.renewal_type, m.renewal_term_months, m.annual_value, m.currency
FROM missed m
ANTI JOIN (
    SELECT contract_id, max(decided_at)::DATE AS decided_on FROM reviews WHERE contract_id IS NOT NULL GROUP BY ALL
) r ON r.contract_id = m.contract_id AND r.decided_on >= m.passed - $days::INTEGER
WHERE m.passed < m.today AND m.passed >= m.today - $days::INTEGER
ORDER BY m.passed DESC, m.contract_id
