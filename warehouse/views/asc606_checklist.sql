-- One row a contract and topic of ASC 606: what is proposed, why, and what a person concluded.
WITH decided AS (
    SELECT target_id, nullif(arg_max(decision, decided_at), 'withdrawn') AS decision
    FROM reviews
    WHERE target = 'asc606'
    GROUP BY target_id
)
SELECT
    c.title,
    c.counterparty,
    a.topic,
    a.proposal,
    a.reason,
    a.paragraphs,
    coalesce(v.decision, a.status) AS status,
    a.conclusion,
    a.preparer,
    a.approver,
    a.approved_at,
    d.file_name,
    a.page_number,
    a.quote,
    c.total_value,
    c.currency,
    a.asc606_id,
    a.contract_id,
    a.document_id,
    a.run_id
FROM asc606 a
LEFT JOIN decided v ON v.target_id = a.asc606_id
LEFT JOIN contracts c ON c.contract_id = a.contract_id
LEFT JOIN documents d ON d.contract_id = a.contract_id AND d.document_id = a.document_id
ORDER BY c.title, a.contract_id, a.topic, a.asc606_id
