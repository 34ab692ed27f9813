-- number: 6
-- question: Which have payment terms beyond 60 days?
-- also: late payers, slow payment, pay us later; net 90 days, invoices due after; long days to pay; how long do they get to pay
-- parameter: days = 60 ; longest term that is still fine
SELECT c.contract_id, c.title, c.counterparty, c.our_role, c.payment_terms_days, c.total_value, c.currency,
    t.page_number, t.quote, t.evidence
FROM contracts c
JOIN standing_terms t ON t.contract_id = c.contract_id AND t.term = 'payment_terms_days'
WHERE c.payment_terms_days > $days
ORDER BY c.payment_terms_days DESC, c.contract_id
