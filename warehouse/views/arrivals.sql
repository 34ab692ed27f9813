-- When each document came in: the business date of the first run that met it, and of the first that could land it.
SELECT
    h.document_id,
    min(r.business_date) AS arrived_on,
    min(r.business_date) FILTER (WHERE h.status = 'landed') AS landed_on
FROM documents_history h
JOIN runs r ON r.run_id = h.run_id
GROUP BY h.document_id
