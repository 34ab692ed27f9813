-- number: 26
-- question: Which are not signed by both sides, or lack pages or exhibits?
-- also: unsigned, incomplete, lacks a signature; not executed, not countersigned; missing pages, exhibits or signatures; only one party signed
SELECT c.contract_id, c.title, c.counterparty, c.fully_executed, c.signed_date, f.rule_id, f.reason, coalesce(f.page_number, t.page_number) AS page_number,
    c.total_value, c.currency
FROM contracts c
LEFT JOIN flags f ON f.contract_id = c.contract_id AND f.rule_id IN ('R25', 'M03', 'M04')
LEFT JOIN terms t ON t.contract_id = c.contract_id AND t.term = 'fully_executed'
WHERE c.fully_executed IS DISTINCT FROM true OR f.flag_id IS NOT NULL
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, f.rule_id
