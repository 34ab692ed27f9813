-- number: 35
-- question: Where is liability uncapped or capped above an amount?
-- also: unlimited liability, no limitation of liability, no cap; liability cap over an amount; super cap, exposure
-- parameter: amount = 1000000 ; highest cap that is still fine, in the contract's currency
-- parameter: months = 36 ; highest multiple of monthly fees that is still fine
SELECT c.contract_id, c.title, c.counterparty, c.liability_cap_type, c.liability_cap_amount, c.liability_cap_months,
    c.liability_cap_basis, c.total_value, c.currency, t.page_number, t.quote, t.evidence
FROM contracts c
JOIN standing_terms t ON t.contract_id = c.contract_id AND t.term = 'liability_cap_type'
WHERE c.liability_cap_type = 'uncapped' OR c.liability_cap_amount > $amount OR c.liability_cap_months > $months
ORDER BY c.liability_cap_type = 'uncapped' DESC, c.liability_cap_amount DESC NULLS LAST, c.contract_id
