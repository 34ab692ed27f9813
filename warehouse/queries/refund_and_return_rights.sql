-- number: 9
-- question: Which include refund or return rights?
-- also: money back guarantee; refunds; give back, return the goods or product; reimbursement; goods sent back for a credit
-- A clause that denies a refund is none. English and Japanese clauses are judged by their words; others are all listed.
WITH clauses_read AS (
    SELECT l.contract_id, l.clause_type, l.heading, l.page_number, l.text,
        regexp_replace(
            regexp_replace(
                l.text,
                '\bnon[- ]*refund\w*|\b(?:no|not|nor|neither|never|without)\b(?:\W+\w+){0,5}?\W+(?:refund|reimburs|repa(?:y|id)|return|credited)\w*',
                ' ', 'gi'
            ),
            '(?:返還|返金|払\s*い?\s*戻し?)\s*(?:は|を|も)?\s*(?:し\s*な\s*い|行\s*わ\s*な\s*い|い\s*た\s*し\s*ま\s*せ\s*ん|し\s*ま\s*せ\s*ん)', ' ', 'g'
        ) AS granted
    FROM clauses l
    WHERE l.clause_type = 'refund'
),
signs AS (
    SELECT contract_id, 'flag' AS basis, rule_id AS key, severity, reason AS words, page_number, quote, true AS is_sure
    FROM standing_flags
    WHERE rule_id IN ('R04', 'R28')
    UNION ALL
    SELECT contract_id, 'clause', clause_type, NULL, heading, page_number, text,
        regexp_matches(granted, '\b(?:refund|reimburs|repa(?:y|id)|return|money back)|返還|返金|払\s*い?\s*戻', 'i')
    FROM clauses_read
    UNION ALL
    SELECT contract_id, 'asc606', topic, NULL, proposal, page_number, quote, true
    FROM standing_topics
    WHERE topic = 'RETURNS'
)
SELECT c.contract_id, c.title, c.counterparty, s.basis, s.key, s.severity, s.words, s.page_number, s.quote,
    c.total_value, c.currency
FROM signs s
JOIN contracts c ON c.contract_id = s.contract_id
WHERE s.is_sure OR c.language NOT IN ('en', 'ja')
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, s.basis DESC, s.key, s.page_number
