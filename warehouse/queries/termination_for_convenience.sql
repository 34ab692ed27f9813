-- number: 4
-- question: Which let the customer terminate for convenience, with what notice and fee?
-- also: customer or client can walk away, cancel, leave, end the contract at will, any time, without cause or reason; leave early, simply because they want to
SELECT c.contract_id, c.title, c.counterparty, c.our_role, c.termination_for_convenience, c.termination_notice_days,
    c.termination_fee, c.total_value, c.currency, t.page_number, t.quote, t.evidence
FROM contracts c
JOIN standing_terms t ON t.contract_id = c.contract_id AND t.term = 'termination_for_convenience'
WHERE c.termination_for_convenience IN ('customer', 'either')
ORDER BY c.total_value DESC NULLS LAST, c.contract_id
