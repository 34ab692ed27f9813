-- What holds today in each contract family: every term as the latest document that states it sets it.
WITH dated AS (
    SELECT
        contract_id,
        family_id,
        coalesce(effective_date, agreement_date, signed_date) AS effective_from,
        contract_id = family_id AS is_root
    FROM contracts
),
stated AS (
    SELECT
        d.family_id,
        t.*,
        d.effective_from,
        rank() OVER (
            PARTITION BY d.family_id, t.term
            ORDER BY
                -- An amendment has its own title, type, dates and signatures: they are not the agreement's.
                CASE WHEN t.term IN ('title', 'contract_type', 'agreement_date', 'signed_date',
                    'effective_date', 'fully_executed') THEN d.is_root ELSE false END DESC,
                coalesce(d.effective_from > current_date, false),
                d.effective_from DESC NULLS LAST,
                d.is_root,
                d.contract_id
        ) AS place
    FROM terms t
    JOIN dated d ON d.contract_id = t.contract_id
    WHERE t.absence IS NULL
)
SELECT
    family_id,
    family_id AS contract_id,
    term,
    value,
    value_date,
    value_number,
    unit,
    contract_id AS set_by_contract_id,
    document_id AS set_by_document_id,
    quote,
    page_number,
    effective_from
FROM stated
WHERE place = 1
ORDER BY family_id, term, char_start NULLS LAST, term_id
