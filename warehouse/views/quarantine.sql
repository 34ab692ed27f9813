-- Documents that could not be processed, with the reason and what to do next.
SELECT
    d.file_name,
    error_code,
    error_message,
    CASE
        WHEN error_code = 'encrypted' THEN 'Put a copy without a password into the inbox.'
        WHEN error_code IN ('too_large', 'too_many_pages', 'image_too_large')
            THEN 'Split the document or raise the limit in the settings, then backfill what failed.'
        WHEN error_code IN ('damaged', 'truncated', 'empty', 'no_pages')
            THEN 'Ask the sender for an intact copy and put it into the inbox.'
        WHEN error_code IN ('type_mismatch', 'unsupported_type')
            THEN 'Save it as a PDF or an image and put that into the inbox.'
        ELSE 'Put a readable copy into the inbox, or run a backfill of what failed.'
    END AS next_move,
    source_uri,
    media_type,
    page_count,
    ingested_at,
    date_diff('day', a.arrived_on, b.today) AS days_waiting,
    d.document_id,
    contract_id,
    run_id
FROM documents d
CROSS JOIN business_day b
LEFT JOIN arrivals a ON a.document_id = d.document_id
WHERE d.status = 'quarantined'
ORDER BY ingested_at DESC, source_uri
