-- number: 38
-- question: Which show signs of an embedded lease: identified equipment or dedicated capacity?
-- also: hidden lease in a service contract; ASC 842; dedicated servers or machines, identified asset; IFRS 16
WITH signs AS (
    SELECT contract_id, page_number, clause_type AS basis, text AS quote
    FROM clauses
    WHERE clause_type IN (
            'license_grant', 'delivery', 'minimum_commitment', 'exclusivity', 'volume_restriction', 'fees',
            'post_termination_services'
        )
        AND regexp_matches(
            text, '(dedicated|identified|exclusive use of)\s+(?:[\w-]+\s+){0,2}(equipment|hardware|server|capacity|machine|rack|facilit|vehicle|warehouse)', 'i'
        )
        AND NOT regexp_matches(text, '\b(?:no|not|nor|without|non)\b[\s-]+(?:\w+\s+){0,3}(?:dedicated|identified)', 'i')
    UNION ALL
    -- R50 fires for other reasons too: no way out of a long purchase, order terms that the vendor rejects.
    SELECT contract_id, page_number, rule_id, quote
    FROM standing_flags
    WHERE rule_id = 'R50' AND found LIKE 'equipment or capacity%'
    UNION ALL
    SELECT contract_id, page_number, topic, quote
    FROM standing_topics
    WHERE topic IN ('OTHER', 'SCOPE') AND list_contains(paragraphs, '842-10-15-2..4')
)
SELECT c.contract_id, c.title, c.counterparty, c.contract_type, s.basis, s.page_number, s.quote
FROM signs s
JOIN contracts c ON c.contract_id = s.contract_id
ORDER BY c.title, c.contract_id, s.page_number, s.basis
