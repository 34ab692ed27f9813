-- number: 17
-- question: Which contracts with the same customer were signed within 30 days of each other?
-- also: combine contracts; deals concluded at nearly the same time with one client; signed together, signed days apart
-- parameter: days = 30 ; how near together
-- Sales that are not known to be unsigned; names are compared without punctuation and legal form.
WITH dated AS (
    SELECT contract_id, title, counterparty, company_name(counterparty) AS name, total_value, currency,
        coalesce(signed_date, agreement_date, effective_date) AS dated
    FROM contracts
    WHERE our_role = 'seller' AND counterparty IS NOT NULL AND fully_executed IS DISTINCT FROM false
        AND coalesce(signed_date, agreement_date, effective_date) IS NOT NULL
)
SELECT a.counterparty, a.contract_id, a.title, a.dated, b.contract_id AS other_contract_id, b.title AS other_title,
    b.dated AS other_dated, date_diff('day', a.dated, b.dated) AS days_between, a.total_value, a.currency,
    b.total_value AS other_value, b.currency AS other_currency
FROM dated a
JOIN dated b ON b.name = a.name
    AND (b.dated > a.dated OR (b.dated = a.dated AND b.contract_id > a.contract_id))
    AND b.dated <= a.dated + $days::INTEGER
ORDER BY a.counterparty, a.dated, a.contract_id, b.contract_id
