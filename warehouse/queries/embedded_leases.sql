-- number: 38
-- question: Which show signs of an embedded lease: identified equipment or dedicated capacity?
-- also: hidden lease in a service contract; ASC 842; dedicated servers or machines, identified asset; IFRS 16
WITH signs AS (
    SELECT contract_id, document_id, page_number, clause_type AS basis, text AS quote
    FROM clauses
    WHERE regexp_matches(text, '(dedicated|identified|exclusive use of|specified)\s+(\w+\s+)?(equipment|server|capacity|asset|space|facilit|vehicle)', 'i')
    UNION ALL
    SELECT contract_id, document_id, page_number, rule_id, quote
    FROM flags
    WHERE rule_id = 'R50'
)
SELECT c.contract_id, c.title, c.counterparty, c.contract_type, s.basis, s.page_number, s.quote
FROM signs s
JOIN contracts c ON c.contract_id = s.contract_id
ORDER BY c.title, c.contract_id, s.page_number
