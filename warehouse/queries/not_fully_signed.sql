-- number: 26
-- question: Which are not signed by both sides, or lack pages or exhibits?
-- also: unsigned, incomplete, lacks a signature; not executed, not countersigned; missing pages, exhibits or signatures; only one party signed
-- Where signatures could not be read, `fully_executed` is null, and R25 tells whether that matters.
WITH lacking AS (
    SELECT contract_id, rule_id, reason, page_number FROM standing_flags WHERE rule_id IN ('R25', 'M03', 'M04')
),
signed AS (
    SELECT contract_id, page_number FROM terms WHERE term = 'fully_executed' AND absence IS NULL
)
SELECT c.contract_id, c.title, c.counterparty, c.fully_executed, c.signed_date, f.rule_id, f.reason,
    CASE WHEN f.contract_id IS NULL THEN t.page_number ELSE f.page_number END AS page_number, c.total_value, c.currency
FROM contracts c
LEFT JOIN lacking f ON f.contract_id = c.contract_id
LEFT JOIN signed t ON t.contract_id = c.contract_id
WHERE NOT c.fully_executed OR f.contract_id IS NOT NULL
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, f.rule_id, f.page_number
