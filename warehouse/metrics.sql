-- What a run is like, in figures that should not jump from one night to the next; `counted` says over how many.
WITH read AS (SELECT * FROM documents_history WHERE run_id = $run_id),
landed AS (SELECT * FROM read WHERE status = 'landed'),
found AS (SELECT * FROM terms_history WHERE run_id = $run_id),
contract AS (SELECT * FROM contracts_history WHERE run_id = $run_id),
raised AS (SELECT * FROM flags_history WHERE run_id = $run_id)
SELECT 'capture_class' AS metric, c.name AS part, count(*) FILTER (WHERE l.capture_class = c.name) / count(*) AS value,
    count(*) AS counted
FROM landed l, (SELECT DISTINCT capture_class AS name FROM documents WHERE capture_class IS NOT NULL) c
GROUP BY c.name
UNION ALL
SELECT 'quarantined', NULL, count(*) FILTER (WHERE status = 'quarantined') / count(*), count(*)
FROM read
HAVING count(*) > 0
UNION ALL
SELECT 'ocr_confidence', NULL, avg(ocr_confidence), count(ocr_confidence) FROM landed HAVING count(ocr_confidence) > 0
UNION ALL
SELECT 'pages', NULL, avg(page_count), count(*) FROM landed HAVING count(*) > 0
UNION ALL
SELECT 'absent', term, count(absence) / count(*), count(*) FROM found GROUP BY term
UNION ALL
SELECT 'unverified', NULL, count(*) FILTER (WHERE evidence <> 'verified') / count(*), count(*)
FROM found
WHERE absence IS NULL
HAVING count(*) > 0
UNION ALL
SELECT 'confidence', NULL, avg(confidence), count(*) FROM found WHERE absence IS NULL HAVING count(*) > 0
UNION ALL
SELECT 'flags_per_contract', s.severity,
    (SELECT count(*) FROM raised f WHERE f.severity = s.severity) / count(*), count(*)
FROM contract, (VALUES ('critical'), ('high'), ('medium'), ('low')) s (severity)
GROUP BY s.severity
UNION ALL
SELECT 'log_total_value', currency, avg(log10(total_value::DOUBLE)), count(*)
FROM contract
WHERE total_value > 0
GROUP BY currency
UNION ALL
SELECT 'payment_terms_days', NULL, avg(payment_terms_days), count(*)
FROM contract
WHERE payment_terms_days IS NOT NULL
HAVING count(*) > 0
