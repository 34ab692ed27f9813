-- number: 14
-- question: Which have usage-based or royalty fees with a minimum?
-- also: pay per use, consumption, metered pricing with a floor or guaranteed minimum; royalties; minimum commitment of the customer
SELECT c.contract_id, c.title, c.counterparty, c.billing_frequency, c.total_value_basis, c.minimum_commitment,
    c.minimum_commitment_period, c.total_value, c.currency, t.page_number, t.quote, t.evidence
FROM contracts c
JOIN standing_terms t ON t.contract_id = c.contract_id AND t.term = 'minimum_commitment'
WHERE c.total_value_basis = 'fixed_plus_minimum' OR (c.billing_frequency = 'usage' AND c.minimum_commitment > 0)
ORDER BY c.minimum_commitment DESC NULLS LAST, c.contract_id
