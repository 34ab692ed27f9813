-- number: 7
-- question: Where may the gap between payment and transfer exceed twelve months?
-- also: significant financing component; cash and delivery over a year apart; pay long before or after delivery; prepaid or deferred by years; implicit financing; paid a year before or after we deliver
-- parameter: days = 365 ; longest gap without a financing question
WITH topics AS (
    SELECT contract_id, proposal, reason, page_number, quote FROM standing_topics WHERE topic = 'FINANCING'
)
SELECT c.contract_id, c.title, c.counterparty, c.payment_terms_days, c.billing_frequency, c.billing_timing, a.proposal,
    a.reason, a.page_number, a.quote, c.total_value, c.currency
FROM contracts c
LEFT JOIN topics a ON a.contract_id = c.contract_id
WHERE a.contract_id IS NOT NULL OR c.payment_terms_days > $days
ORDER BY c.payment_terms_days DESC NULLS LAST, c.contract_id
