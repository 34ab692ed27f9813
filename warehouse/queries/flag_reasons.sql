-- number: 3
-- question: What is the reason, the reference and the page of each flag?
-- also: why was it flagged; explain the flags; explanation, rule and page of every flag; what the agent complained about and where
SELECT contract_id, title, counterparty, severity, rule_id, reason, reference_titles, refs, file_name, page_number,
    quote, evidence, status
FROM nonstandard_terms
