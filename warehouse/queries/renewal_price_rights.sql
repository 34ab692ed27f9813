-- number: 11
-- question: Which renewal options at a discount or with a price cap may be material rights?
-- also: material right; renewal discount; renew or extend cheaper, at a reduced or capped price; renewal option
SELECT c.contract_id, c.title, c.counterparty, c.renewal_type, c.renewal_term_months, c.price_increase_type, c.price_increase_cap_percent,
    a.proposal, coalesce(a.page_number, t.page_number) AS page_number, coalesce(a.quote, t.quote) AS quote,
    c.annual_value, c.currency
FROM contracts c
LEFT JOIN asc606 a ON a.contract_id = c.contract_id AND upper(replace(a.topic, '_', ' ')) = 'MATERIAL RIGHT'
LEFT JOIN terms t ON t.contract_id = c.contract_id AND t.term = 'price_increase_cap_percent'
WHERE a.topic IS NOT NULL
    OR (c.renewal_type IN ('auto', 'optional') AND c.price_increase_type IN ('none', 'capped'))
ORDER BY c.price_increase_cap_percent NULLS LAST, c.contract_id
