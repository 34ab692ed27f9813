-- number: 22
-- question: Which notice deadlines passed in the last days without a decision?
-- also: missed a cancellation or non-renewal deadline; notice date we let pass, slipped, too late; nobody decided; missed window
-- parameter: days = 7 ; how many days back
SELECT c.contract_id, c.title, c.counterparty, c.notice_deadline, date_diff('day', c.notice_deadline, current_date) AS days_ago, c.renewal_type,
    c.renewal_term_months, c.annual_value, c.currency
FROM contracts c
WHERE c.notice_deadline < current_date AND c.notice_deadline >= current_date - $days::INTEGER
    AND c.contract_id NOT IN (
        SELECT contract_id FROM reviews
        WHERE contract_id IS NOT NULL AND decided_at::DATE >= current_date - $days::INTEGER
    )
ORDER BY c.notice_deadline DESC, c.contract_id
