-- number: 18
-- question: Which amendments arrived this month, and which route of modification is proposed?
-- also: contract modifications, changes, addenda received this month; prospective or cumulative catch-up; account for the amendment; recent modifications and how to treat them
SELECT c.contract_id, c.title, c.counterparty, c.family_id, c.effective_date, d.ingested_at, a.proposal, a.reason,
    a.paragraphs, a.page_number, a.quote
FROM contracts c
JOIN documents d ON d.document_id = c.document_id
JOIN arrivals n ON n.document_id = c.document_id
CROSS JOIN business_day b
LEFT JOIN standing_topics a ON a.contract_id = c.contract_id AND a.topic = 'MODIFY'
WHERE c.contract_type = 'amendment' AND date_trunc('month', n.landed_on) = date_trunc('month', b.today)
ORDER BY n.landed_on DESC, c.contract_id
