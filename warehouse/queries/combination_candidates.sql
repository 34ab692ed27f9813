-- number: 17
-- question: Which contracts with the same customer were signed within 30 days of each other?
-- also: combine contracts; deals concluded at nearly the same time with one client; signed together, signed days apart
-- parameter: days = 30 ; how near together
WITH dated AS (
    SELECT contract_id, title, counterparty, family_id, coalesce(signed_date, agreement_date, effective_date) AS dated,
        total_value, currency
    FROM contracts
    WHERE counterparty IS NOT NULL
)
SELECT a.counterparty, a.contract_id, a.title, a.dated, b.contract_id AS other_contract_id, b.title AS other_title,
    b.dated AS other_dated, date_diff('day', a.dated, b.dated) AS days_between, a.total_value,
    b.total_value AS other_value, a.currency
FROM dated a
JOIN dated b ON lower(b.counterparty) = lower(a.counterparty)
    AND (b.dated > a.dated OR (b.dated = a.dated AND b.contract_id > a.contract_id))
    AND b.dated <= a.dated + $days::INTEGER
ORDER BY a.counterparty, a.dated, a.contract_id, b.contract_id
