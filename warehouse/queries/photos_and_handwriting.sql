-- number: 31
-- question: Which contracts came from photos or bear edits by hand?
-- also: photographed, taken with a phone; handwritten changes, notes, pen marks, strikeouts; manual edits
SELECT d.contract_id, c.title, c.counterparty, d.file_name, d.capture_class, d.ocr_confidence,
    count(e.kind) AS marks, count(e.kind) FILTER (e.kind IN ('strikethrough', 'insertion', 'handwriting')) AS edits,
    string_agg(DISTINCT e.kind, ', ' ORDER BY e.kind) AS kinds, min(e.page_number) AS first_page
FROM documents d
LEFT JOIN edit_marks e ON e.document_id = d.document_id
LEFT JOIN contracts c ON c.contract_id = d.contract_id
WHERE d.status = 'landed'
GROUP BY ALL
HAVING d.capture_class IN ('photo', 'mixed') OR edits > 0
ORDER BY edits DESC, d.contract_id, d.file_name
