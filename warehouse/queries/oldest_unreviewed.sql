-- number: 42
-- question: Which open flags wait the longest?
-- also: oldest open flags; waiting the longest for a decision; backlog by age; most overdue review; sitting in the queue
-- parameter: rows = 20 ; how many
SELECT q.contract_id, q.title, q.counterparty, q.severity, q.rule_id, q.reason, q.page_number, q.ingested_at,
    date_diff('day', n.landed_on, b.today) AS days_waiting, q.flag_id
FROM review_queue q
JOIN arrivals n ON n.document_id = q.document_id
CROSS JOIN business_day b
ORDER BY n.landed_on, q.priority DESC, q.flag_id
LIMIT $rows
