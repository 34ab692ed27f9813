-- number: 27
-- question: Which contracts refer to a document that we do not hold?
-- also: mentions, references a document or master agreement we don't have; not in our files; not held; exhibits, schedules mentioned but never received; orders that point to a master
SELECT c.contract_id, c.title, c.counterparty, f.found, f.reason, f.page_number, f.quote, f.status
FROM standing_flags f
JOIN contracts c ON c.contract_id = f.contract_id
WHERE f.rule_id = 'M04'
ORDER BY c.title, c.contract_id, f.page_number, f.flag_id
