-- number: 31
-- question: Which contracts came from photos or bear edits by hand?
-- also: photographed, taken with a phone; handwritten changes, notes, pen marks, strikeouts; manual edits
-- What is filled into a form field is no edit. Whether both sides initialled an edit is not read.
WITH marked AS (
    SELECT document_id, count(*) AS marks,
        count(*) FILTER (kind IN ('strikethrough', 'insertion', 'handwriting')) AS edits,
        string_agg(DISTINCT kind, ', ' ORDER BY kind) AS kinds, min(page_number) AS first_page
    FROM edit_marks
    WHERE source IS DISTINCT FROM 'form_field'
    GROUP BY document_id
)
SELECT d.contract_id, c.title, c.counterparty, d.file_name, d.capture_class, d.ocr_confidence,
    coalesce(m.marks, 0) AS marks, coalesce(m.edits, 0) AS edits, m.kinds, m.first_page
FROM documents d
LEFT JOIN marked m ON m.document_id = d.document_id
LEFT JOIN contracts c ON c.contract_id = d.contract_id
WHERE d.status = 'landed' AND (d.capture_class IN ('photo', 'mixed') OR m.edits > 0)
ORDER BY edits DESC, d.contract_id, d.file_name
