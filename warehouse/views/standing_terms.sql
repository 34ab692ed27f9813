-- The values that documents state, without what an amendment has replaced or deleted, or will bring only later.
SELECT t.*
FROM terms t
LEFT JOIN (SELECT contract_id FROM family_members WHERE relation <> 'under') m ON m.contract_id = t.contract_id
LEFT JOIN (
    SELECT DISTINCT set_by_contract_id AS contract_id, term FROM family_terms
) f ON f.contract_id = t.contract_id AND f.term = t.term
WHERE t.absence IS NULL AND (m.contract_id IS NULL OR f.contract_id IS NOT NULL)
