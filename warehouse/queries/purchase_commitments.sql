-- number: 24
-- question: Which minimum purchases are we bound to, by year of the end of the commitment?
-- also: minimum purchase obligations; volumes we are committed to buy; take or pay; our spend commitment; how much we have to buy at least
-- What has ended before the business day, and what is known not to be signed, binds no longer or not yet.
SELECT year(coalesce(c.accounting_term_end, c.expiration_date)) AS "year", c.contract_id, c.title, c.counterparty,
    c.minimum_commitment, c.minimum_commitment_period, c.termination_for_convenience, c.currency, t.page_number, t.quote
FROM contracts c
JOIN standing_terms t ON t.contract_id = c.contract_id AND t.term = 'minimum_commitment'
CROSS JOIN business_day b
WHERE c.our_role = 'buyer' AND c.minimum_commitment > 0 AND c.fully_executed IS DISTINCT FROM false
    AND coalesce(greatest(c.expiration_date, c.current_period_end) >= b.today, true)
ORDER BY "year" NULLS LAST, c.minimum_commitment DESC, c.contract_id
