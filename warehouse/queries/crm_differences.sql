-- number: 33
-- question: Which deals are closed and won in the CRM without a contract here, and the reverse?
-- also: Salesforce, HubSpot opportunities; closed won deals without a contract; reconcile with the CRM
-- reference: crm ; customer VARCHAR, amount DOUBLE, closed_on DATE ; the closed and won deals of the CRM
WITH held AS (
    SELECT contract_id, title, counterparty, total_value, currency, coalesce(signed_date, agreement_date) AS dated
    FROM contracts
    WHERE counterparty IS NOT NULL AND our_role = 'seller' AND contract_type <> 'amendment'
),
told AS (SELECT count(*) AS deals FROM reference)
SELECT 'no list given: crm=FILE.csv with the columns customer, amount, closed_on' AS difference, NULL AS customer,
    NULL::DOUBLE AS amount, NULL::DATE AS closed_on, NULL AS contract_id, NULL AS title, NULL::DOUBLE AS total_value
FROM told WHERE deals = 0
UNION ALL
SELECT 'deal without a contract', r.customer, r.amount, r.closed_on, NULL, NULL, NULL
FROM reference r WHERE NOT EXISTS (SELECT 1 FROM held h WHERE lower(h.counterparty) = lower(r.customer))
UNION ALL
SELECT 'contract without a deal', h.counterparty, NULL, h.dated, h.contract_id, h.title, h.total_value
FROM held h, told WHERE deals > 0
    AND NOT EXISTS (SELECT 1 FROM reference r WHERE lower(r.customer) = lower(h.counterparty))
ORDER BY difference, customer, title
