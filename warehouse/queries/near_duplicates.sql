-- number: 45
-- question: Which contracts look like duplicates of each other but state different amounts?
-- also: duplicate, double, twice, same agreement with different amounts, totals or values that don't match; versions of one deal
-- Alike are two contracts of one title, date and other party, or files that are nearly equal. An amount that is not
-- stated differs from none.
WITH named AS (
    SELECT contract_id, title, counterparty, total_value, currency, lower(title) AS name,
        company_name(counterparty) AS party, coalesce(agreement_date, effective_date) AS dated
    FROM contracts
    WHERE total_value IS NOT NULL
),
alike AS (
    SELECT a.contract_id, b.contract_id AS other_contract_id
    FROM named a
    JOIN named b ON b.name = a.name AND b.party = a.party AND b.dated = a.dated
    WHERE b.contract_id > a.contract_id
    UNION
    SELECT least(d.contract_id, o.contract_id), greatest(d.contract_id, o.contract_id)
    FROM (SELECT contract_id, unnest(similar_to) AS similar FROM documents WHERE len(similar_to) > 0) d
    JOIN documents o ON o.document_id = d.similar
    WHERE d.contract_id <> o.contract_id
)
SELECT a.contract_id, a.title, a.counterparty, a.total_value, a.currency, b.contract_id AS other_contract_id,
    b.title AS other_title, b.total_value AS other_value, b.currency AS other_currency
FROM alike p
JOIN named a ON a.contract_id = p.contract_id
JOIN named b ON b.contract_id = p.other_contract_id
WHERE a.total_value <> b.total_value OR a.currency <> b.currency
ORDER BY a.counterparty, a.contract_id, b.contract_id
