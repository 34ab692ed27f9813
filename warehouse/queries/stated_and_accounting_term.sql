-- number: 5
-- question: Where does a right to terminate end the accounting term before the stated term?
-- also: accounting term shorter than the legal contract term; non-cancellable period ends before the stated expiry; cancellation rights; enforceable term; early exit cuts the accounting period
-- A contract without one of both dates is listed too, without the days between them.
SELECT c.contract_id, c.title, c.counterparty, c.termination_for_convenience, c.termination_notice_days,
    c.expiration_date, c.accounting_term_end,
    date_diff('day', c.accounting_term_end, c.expiration_date) AS days_shorter, c.total_value, c.currency
FROM contracts c
JOIN standing_terms t ON t.contract_id = c.contract_id AND t.term = 'termination_for_convenience'
WHERE c.termination_for_convenience IN ('customer', 'either')
    AND coalesce(c.accounting_term_end < c.expiration_date, true)
ORDER BY days_shorter DESC NULLS LAST, c.contract_id
