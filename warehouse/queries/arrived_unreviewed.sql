-- number: 1
-- question: Which contracts arrived since the last business day and are not reviewed?
-- also: new contracts nobody looked at; came in, arrived, received since yesterday; fresh, unread, not yet reviewed; new this morning and still to be looked at
-- parameter: days = 1 ; how many days back; a weekend before Monday does not count
WITH since AS (
    SELECT today - $days::INTEGER - CASE isodow(today) WHEN 1 THEN 2 WHEN 7 THEN 1 ELSE 0 END AS first_day
    FROM business_day
),
arrived AS (
    SELECT c.contract_id, c.title, c.counterparty, c.contract_type, c.total_value, c.currency, d.file_name,
        d.ingested_at
    FROM contracts c
    JOIN documents d ON d.document_id = c.document_id
    JOIN arrivals n ON n.document_id = c.document_id
    CROSS JOIN since s
    WHERE n.landed_on >= s.first_day
),
reviewed AS (
    -- A question or a passing on is no review yet.
    SELECT contract_id FROM standing_decisions
    WHERE contract_id IS NOT NULL AND decision IN ('confirmed', 'overridden', 'rejected', 'not_applicable')
),
flagged AS (
    SELECT f.contract_id, count(*) AS flags
    FROM flags f
    SEMI JOIN arrived USING (contract_id)
    GROUP BY f.contract_id
)
SELECT a.*, coalesce(f.flags, 0) AS flags
FROM arrived a
ANTI JOIN reviewed r ON r.contract_id = a.contract_id
LEFT JOIN flagged f ON f.contract_id = a.contract_id
ORDER BY flags DESC, a.total_value DESC NULLS LAST, a.contract_id
