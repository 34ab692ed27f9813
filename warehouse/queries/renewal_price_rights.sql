-- number: 11
-- question: Which renewal options at a discount or with a price cap may be material rights?
-- also: material right; renewal discount; renew or extend cheaper, at a reduced or capped price; renewal option
-- Sales only: a material right is one that we grant.
WITH topics AS (
    SELECT contract_id, proposal, page_number, quote FROM standing_topics WHERE topic = 'MATERIAL RIGHT'
),
capped AS (
    SELECT contract_id, page_number, quote FROM terms WHERE term = 'price_increase_cap_percent' AND absence IS NULL
)
SELECT c.contract_id, c.title, c.counterparty, c.renewal_type, c.renewal_term_months, c.price_increase_type,
    c.price_increase_cap_percent, a.proposal,
    CASE WHEN a.quote IS NULL THEN t.page_number ELSE a.page_number END AS page_number,
    coalesce(a.quote, t.quote) AS quote, c.annual_value, c.currency
FROM contracts c
LEFT JOIN topics a ON a.contract_id = c.contract_id
LEFT JOIN capped t ON t.contract_id = c.contract_id
WHERE c.our_role = 'seller'
    AND (
        a.contract_id IS NOT NULL
        OR (c.renewal_type IN ('auto', 'optional') AND c.price_increase_type IN ('none', 'capped'))
    )
ORDER BY c.price_increase_cap_percent NULLS LAST, c.contract_id
