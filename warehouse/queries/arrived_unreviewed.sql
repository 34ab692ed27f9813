-- number: 1
-- question: Which contracts arrived since the last business day and are not reviewed?
-- also: new contracts nobody looked at; came in, arrived, received since yesterday; fresh, unread, not yet reviewed; new this morning and still to be looked at
-- parameter: days = 1 ; how many days back
SELECT c.contract_id, c.title, c.counterparty, c.contract_type, c.total_value, c.currency, d.file_name, d.ingested_at,
    (SELECT count(*) FROM flags f WHERE f.contract_id = c.contract_id) AS flags
FROM contracts c
JOIN documents d ON d.document_id = c.document_id
WHERE d.ingested_at::DATE >= current_date - $days::INTEGER
    AND c.contract_id NOT IN (SELECT contract_id FROM reviews WHERE contract_id IS NOT NULL)
ORDER BY flags DESC, c.total_value DESC NULLS LAST, c.contract_id
