-- number: 28
-- question: Which fields changed since the last run, and why?
-- also: what changed since the last run, since yesterday; altered, new and old values, differences and their cause
SELECT s.contract_id, c.title, c.counterparty, s."table", s.field, s.old_value, s.new_value, s.cause, s.target
FROM changes_since_last_run s
LEFT JOIN contracts c ON c.contract_id = s.contract_id
ORDER BY s.cause, c.title, s.contract_id, s."table", s.field
