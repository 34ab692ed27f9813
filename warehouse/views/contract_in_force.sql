-- What holds today in each contract family: every term after amendments, with the document that set it.
SELECT
    family_id,
    contract_id,
    term,
    value,
    value_date,
    value_number,
    unit,
    set_by_contract_id,
    set_by_document_id,
    quote,
    page_number,
    effective_from
FROM family_terms
UNION ALL
-- Who is in no family is one alone, under its own id: so what is asked of one family is looked up, not searched.
SELECT
    t.contract_id,
    t.contract_id,
    t.term,
    t.value,
    t.value_date,
    t.value_number,
    t.unit,
    t.contract_id,
    t.document_id,
    t.quote,
    t.page_number,
    coalesce(c.effective_date, c.agreement_date, c.signed_date)
FROM terms t
JOIN contracts_of_their_run c ON c.contract_id = t.contract_id
WHERE t.absence IS NULL
    AND NOT EXISTS (SELECT 1 FROM family_members m WHERE m.contract_id = t.contract_id)
ORDER BY family_id, term, value
