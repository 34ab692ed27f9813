-- number: 39
-- question: Which contracts are in another currency than ours, or follow an exchange rate?
-- also: not in euros; not in dollars; foreign exchange, FX rate; paid in yen, pounds; not in our currency; exchange rate risk
-- parameter: currency = USD ; our own currency (ISO 4217)
SELECT c.contract_id, c.title, c.counterparty, c.currency, c.total_value, f.rule_id, f.reason, coalesce(f.page_number, t.page_number) AS page_number,
    coalesce(f.quote, t.quote) AS quote
FROM contracts c
LEFT JOIN flags f ON f.contract_id = c.contract_id AND f.rule_id = 'R06'
LEFT JOIN terms t ON t.contract_id = c.contract_id AND t.term = 'currency'
WHERE c.currency <> $currency OR f.flag_id IS NOT NULL
ORDER BY c.currency, c.total_value DESC NULLS LAST, c.contract_id
