-- checks: Confidences lie between 0 and 1, pages and dates and amounts are ones that can be.
SELECT 'terms' AS "table", term_id AS "row"
FROM terms_history
WHERE run_id = $run_id
    AND (
        confidence NOT BETWEEN 0 AND 1
        OR page_number < 1
        OR value_date NOT BETWEEN DATE '1850-01-01' AND DATE '2250-01-01'
        OR x0 > x1
        OR y0 > y1
        OR char_start > char_end
    )
UNION ALL
SELECT 'flags', flag_id
FROM flags_history
WHERE run_id = $run_id
    AND (
        confidence NOT BETWEEN 0 AND 1
        OR page_number < 1
        OR severity NOT IN ('critical', 'high', 'medium', 'low')
        OR x0 > x1
        OR y0 > y1
    )
UNION ALL
SELECT 'contracts', contract_id
FROM contracts_history
WHERE run_id = $run_id AND (total_value < 0 OR annual_value < 0 OR payment_terms_days < 0)
UNION ALL
SELECT 'pages', document_id || ' page ' || page_number
FROM pages_history
WHERE run_id = $run_id AND (page_number < 1 OR width <= 0 OR height <= 0 OR ocr_confidence NOT BETWEEN 0 AND 1)
