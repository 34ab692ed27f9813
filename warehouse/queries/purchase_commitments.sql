-- number: 24
-- question: Which minimum purchases are we bound to, by year of the end of the commitment?
-- also: minimum purchase obligations; volumes we are committed to buy; take or pay; our spend commitment; how much we have to buy at least
SELECT year(coalesce(c.accounting_term_end, c.expiration_date)) AS "year", c.contract_id, c.title, c.counterparty, c.minimum_commitment,
    c.minimum_commitment_period, c.termination_for_convenience, c.currency, t.page_number, t.quote
FROM contracts c
LEFT JOIN terms t ON t.contract_id = c.contract_id AND t.term = 'minimum_commitment'
WHERE c.our_role = 'buyer' AND c.minimum_commitment > 0
ORDER BY "year" NULLS LAST, c.minimum_commitment DESC, c.contract_id
