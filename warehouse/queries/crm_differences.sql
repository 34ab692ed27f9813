-- number: 33
-- question: Which deals are closed and won in the CRM without a contract here, and the reverse?
-- also: Salesforce, HubSpot opportunities; closed won deals without a contract; reconcile with the CRM
-- reference: crm ; customer VARCHAR, amount DOUBLE, closed_on DATE ; the closed and won deals of the CRM
-- Names are compared without punctuation and legal form. What is known not to be signed by both is no contract yet.
WITH deals AS (
    SELECT customer, amount, closed_on, company_name(customer) AS name FROM reference
),
sold AS (
    SELECT contract_id, title, counterparty, total_value, coalesce(signed_date, agreement_date) AS dated,
        list_append(coalesce(other_parties, []), company_name(counterparty)) AS names
    FROM agreements
    WHERE our_role = 'seller' AND counterparty IS NOT NULL AND fully_executed IS DISTINCT FROM false
        AND contract_type IS DISTINCT FROM 'amendment'
),
known AS (
    SELECT DISTINCT contract_id, unnest(names) AS name FROM sold
),
told AS (SELECT count(*) AS deals FROM reference)
SELECT 'no list given: crm=FILE.csv with the columns customer, amount, closed_on' AS difference, NULL AS customer,
    NULL::DOUBLE AS amount, NULL::DATE AS closed_on, NULL AS contract_id, NULL AS title, NULL::DOUBLE AS total_value
FROM told WHERE deals = 0
UNION ALL
SELECT 'deal without a contract', d.customer, d.amount, d.closed_on, NULL, NULL, NULL
FROM deals d ANTI JOIN known k ON k.name = d.name
UNION ALL
SELECT 'contract without a deal', s.counterparty, NULL, s.dated, s.contract_id, s.title, s.total_value
FROM sold s
CROSS JOIN told
ANTI JOIN (SELECT k.contract_id FROM known k SEMI JOIN deals d ON d.name = k.name) m ON m.contract_id = s.contract_id
WHERE told.deals > 0
ORDER BY difference, customer, title
