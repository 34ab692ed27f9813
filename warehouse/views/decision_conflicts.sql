-- Decisions made on something else than what stands there now: a person has to look again.
WITH seen AS (
    SELECT 'term' AS target, term_id AS target_id, term AS field, value, quote, document_id, page_number FROM terms
    UNION ALL
    SELECT 'flag', flag_id, rule_id, found, quote, document_id, page_number FROM flags
    UNION ALL
    SELECT 'asc606', asc606_id, topic, proposal, quote, document_id, page_number FROM asc606
),
met AS (
    SELECT d.contract_id, d.target, d.target_id, d.decision, d.old_value, d.new_value, d.reviewer, d.decided_at,
        'a later reading differs' AS reason
    FROM standing_decisions d
    JOIN seen s ON s.target = d.target AND s.target_id = d.target_id
    WHERE d.decision IN ('confirmed', 'overridden', 'rejected', 'not_applicable')
        AND s.value IS DISTINCT FROM d.old_value AND s.value IS DISTINCT FROM d.new_value
    UNION ALL
    SELECT r.contract_id, r.target, r.target_id, r.decision, r.old_value, r.new_value, r.reviewer, r.decided_at,
        r.reason
    FROM review_conflicts r
    ANTI JOIN reviews later
        ON later.target = r.target AND later.target_id = r.target_id AND later.decided_at > r.decided_at
)
SELECT
    m.contract_id,
    c.title,
    m.target,
    m.target_id,
    s.field,
    m.decision,
    coalesce(m.new_value, m.old_value) AS decided_value,
    m.old_value AS decided_on,
    s.value AS stands_now,
    m.reason,
    m.reviewer,
    m.decided_at,
    s.quote,
    s.document_id,
    s.page_number,
    c.total_value,
    c.currency
FROM met m
LEFT JOIN seen s ON s.target = m.target AND s.target_id = m.target_id
LEFT JOIN contracts c ON c.contract_id = m.contract_id
ORDER BY m.decided_at DESC, m.contract_id, m.target, m.target_id
