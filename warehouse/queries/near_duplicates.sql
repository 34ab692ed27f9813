-- number: 45
-- question: Which contracts look like duplicates of each other but state different amounts?
-- also: duplicate, double, twice, same agreement with different amounts, totals or values that don't match; versions of one deal
SELECT a.contract_id, a.title, a.counterparty, a.total_value, a.currency, b.contract_id AS other_contract_id,
    b.title AS other_title, b.total_value AS other_value, b.currency AS other_currency
FROM contracts a
JOIN contracts b ON b.contract_id > a.contract_id AND lower(b.counterparty) = lower(a.counterparty)
    AND lower(b.title) = lower(a.title)
    AND coalesce(b.agreement_date, b.effective_date) IS NOT DISTINCT FROM coalesce(a.agreement_date, a.effective_date)
WHERE (a.total_value, a.currency) IS DISTINCT FROM (b.total_value, b.currency)
ORDER BY a.counterparty, a.contract_id, b.contract_id
