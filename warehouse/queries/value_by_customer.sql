-- number: 19
-- question: What are total value and remaining unbilled by customer and currency?
-- also: how much is each customer worth; TCV, sum of contract values per client; unbilled, not yet invoiced amount
-- Sales after their amendments; names are compared without punctuation and legal form. Values are of what is not known
-- to be unsigned. Unbilled is what will be invoiced after the business day; `undated` has no date yet. An amended fee
-- has no schedule of its own: those contracts, and any without a schedule, count as `without_schedule`.
WITH sold AS (
    SELECT contract_id, counterparty, company_name(counterparty) AS name, currency, total_value, annual_value,
        payment_terms_days, is_value_amended, fully_executed IS NOT DISTINCT FROM false AS is_unsigned
    FROM agreements
    WHERE our_role = 'seller'
),
billed AS (
    SELECT s.contract_id,
        sum(b.amount) FILTER (b.due_date - coalesce(s.payment_terms_days, 0) > d.today) AS later,
        sum(b.amount) FILTER (b.due_date IS NULL) AS undated
    FROM billing_schedule b
    JOIN sold s ON s.contract_id = b.contract_id
    CROSS JOIN business_day d
    WHERE NOT s.is_value_amended AND NOT s.is_unsigned
    GROUP BY s.contract_id
)
SELECT min(s.counterparty) AS counterparty, s.currency, count(*) AS contracts,
    sum(s.total_value) FILTER (NOT s.is_unsigned) AS total_value,
    sum(s.annual_value) FILTER (NOT s.is_unsigned) AS annual_value,
    CASE WHEN count(b.contract_id) > 0 THEN coalesce(sum(b.later), 0) END AS unbilled,
    sum(b.undated) AS undated,
    count(*) FILTER (s.total_value IS NULL) AS without_value,
    count(*) FILTER (s.is_unsigned) AS unsigned,
    count(*) FILTER (b.contract_id IS NULL) AS without_schedule
FROM sold s
LEFT JOIN billed b ON b.contract_id = s.contract_id
GROUP BY s.name, s.currency
ORDER BY total_value DESC NULLS LAST, counterparty
