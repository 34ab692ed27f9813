-- number: 15
-- question: Which have bonuses, penalties, rebates or service credits, and with what caps?
-- also: variable price; bonus, penalty, liquidated damages, SLA credits, rebate, discount; how are they capped
-- A clause that only says that none are granted or owed is not listed (English and Japanese).
WITH signs AS (
    SELECT contract_id, 'flag' AS basis, rule_id AS key, severity, reason AS words, page_number, quote
    FROM standing_flags
    WHERE rule_id IN ('R11', 'R30', 'R31')
    UNION ALL
    SELECT contract_id, 'clause', clause_type, NULL, heading, page_number, text
    FROM clauses
    WHERE clause_type IN ('service_credits', 'liquidated_damages', 'discount', 'revenue_profit_sharing')
        AND NOT (
            regexp_matches(
                text,
                '^\W*(?:[\d.]+\s+)?(?:no\b[^.]*\b(?:credits?|rebates?|discounts?|bonus\w*|damages|penalt\w+)\b|nothing\b[^.]*\b(?:obliges?|requires?|entitles?|grants?)\b)[^.]*\.?\s*$',
                'i'
            )
            OR regexp_matches(text, '^[^。]*(?:行わない|しない|発生しない|負わない)。?\s*$')
        )
    UNION ALL
    SELECT contract_id, 'asc606', topic, NULL, proposal, page_number, quote
    FROM standing_topics
    WHERE topic = 'VARIABLE'
)
SELECT c.contract_id, c.title, c.counterparty, s.basis, s.key, s.severity, s.words, s.page_number, s.quote,
    c.total_value, c.currency
FROM signs s
JOIN contracts c ON c.contract_id = s.contract_id
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, s.basis DESC, s.key, s.page_number
