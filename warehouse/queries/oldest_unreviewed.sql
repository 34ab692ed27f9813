-- number: 42
-- question: Which open flags wait the longest?
-- also: oldest open flags; waiting the longest for a decision; backlog by age; most overdue review; sitting in the queue
-- parameter: rows = 20 ; how many
SELECT contract_id, title, counterparty, severity, rule_id, reason, page_number, ingested_at,
    date_diff('day', ingested_at::DATE, current_date) AS days_waiting, flag_id
FROM review_queue
ORDER BY ingested_at, priority DESC, flag_id
LIMIT $rows
