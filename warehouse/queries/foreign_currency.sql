-- number: 39
-- question: Which contracts are in another currency than ours, or follow an exchange rate?
-- also: not in euros; not in dollars; foreign exchange, FX rate; paid in yen, pounds; not in our currency; exchange rate risk
-- parameter: currency = USD ; our own currency (ISO 4217)
WITH following AS (
    SELECT contract_id, rule_id, reason, page_number, quote FROM standing_flags WHERE rule_id = 'R06'
),
stated AS (
    SELECT contract_id, page_number, quote FROM terms WHERE term = 'currency' AND absence IS NULL
)
SELECT c.contract_id, c.title, c.counterparty, c.currency, c.total_value, f.rule_id, f.reason,
    CASE WHEN f.quote IS NULL THEN t.page_number ELSE f.page_number END AS page_number,
    coalesce(f.quote, t.quote) AS quote
FROM contracts c
LEFT JOIN following f ON f.contract_id = c.contract_id
LEFT JOIN stated t ON t.contract_id = c.contract_id
WHERE c.currency <> upper($currency) OR f.contract_id IS NOT NULL
ORDER BY c.currency, c.total_value DESC NULLS LAST, c.contract_id
