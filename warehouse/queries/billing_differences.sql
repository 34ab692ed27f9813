-- number: 34
-- question: Where does the billing system have another frequency or start date than the contract?
-- also: does billing or invoicing match the contract; billed with another frequency than agreed; subscription start in the billing system differs; invoicing that doesn't match
-- reference: billing ; customer VARCHAR, frequency VARCHAR, start_date DATE ; the subscriptions of the billing system
WITH held AS (
    SELECT contract_id, title, counterparty, billing_frequency, coalesce(effective_date, agreement_date) AS starts
    FROM contracts
    WHERE counterparty IS NOT NULL AND our_role = 'seller' AND contract_type <> 'amendment'
)
SELECT 'no list given: billing=FILE.csv with the columns customer, frequency, start_date' AS difference,
    NULL AS customer, NULL AS contract_id, NULL AS title, NULL AS contract_says, NULL AS billing_says
WHERE (SELECT count(*) FROM reference) = 0
UNION ALL
SELECT 'frequency', h.counterparty, h.contract_id, h.title, h.billing_frequency, r.frequency
FROM held h JOIN reference r ON lower(r.customer) = lower(h.counterparty)
WHERE h.billing_frequency IS NOT NULL AND lower(r.frequency) <> h.billing_frequency
UNION ALL
SELECT 'start date', h.counterparty, h.contract_id, h.title, h.starts::VARCHAR, r.start_date::VARCHAR
FROM held h JOIN reference r ON lower(r.customer) = lower(h.counterparty)
WHERE h.starts IS NOT NULL AND r.start_date <> h.starts
ORDER BY difference, customer, title
