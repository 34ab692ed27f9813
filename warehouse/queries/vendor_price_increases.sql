-- number: 23
-- question: Which vendor contracts have uncapped price increases or a cap above 5 percent?
-- also: suppliers who may raise prices without limit; uplift, escalator, price rise on purchases; what we buy gets more expensive
-- parameter: percent = 5.0 ; highest cap that is still fine
-- An index without a cap of its own is uncapped.
SELECT c.contract_id, c.title, c.counterparty, c.price_increase_type, c.price_increase_cap_percent, c.annual_value,
    c.currency, t.page_number, t.quote, t.evidence
FROM contracts c
JOIN standing_terms t ON t.contract_id = c.contract_id AND t.term = 'price_increase_type'
WHERE c.our_role = 'buyer'
    AND (
        c.price_increase_type = 'uncapped' OR c.price_increase_cap_percent > $percent
        OR (c.price_increase_type = 'index' AND c.price_increase_cap_percent IS NULL)
    )
ORDER BY c.annual_value DESC NULLS LAST, c.contract_id
