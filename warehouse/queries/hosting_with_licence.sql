-- number: 12
-- question: Which hold a licence that the customer may take away besides the service?
-- also: SaaS or hosted software together with an on-premise licence; take possession of, install or run the software themselves; client runs it on their own servers
-- A grant counts by words of possession: to install, copy, download or have the code. Access to a hosted service, marks
-- and a code that an agent keeps against insolvency are none. Other languages than English and Japanese are not judged.
WITH grants AS (
    SELECT contract_id, 'clause' AS basis, clause_type AS key, heading AS words, page_number, text AS quote
    FROM clauses
    WHERE clause_type IN ('license_grant', 'irrevocable_or_perpetual_license', 'unlimited_all_you_can_eat_license')
    UNION ALL
    SELECT contract_id, 'asc606', topic, proposal, page_number, quote
    FROM standing_topics
    WHERE topic = 'LICENCE'
),
signs AS (
    SELECT contract_id, 'flag' AS basis, rule_id AS key, severity, reason AS words, page_number, quote
    FROM standing_flags
    WHERE rule_id = 'R35'
    UNION ALL
    SELECT contract_id, basis, key, NULL, words, page_number, quote
    FROM grants
    WHERE regexp_matches(
        regexp_replace(quote, '\b(?:not|nor|no|never|without)\b[^.;]{0,120}', ' ', 'gi'),
        '\binstall|\bdownload|on[- ]premis|(?:object|source|executable) code|\bcopies of the|possession|インストール|ダウンロード|複製',
        'i'
    )
)
SELECT c.contract_id, c.title, c.counterparty, s.basis, s.key, s.severity, s.words, s.page_number, s.quote,
    c.total_value, c.currency
FROM signs s
JOIN contracts c ON c.contract_id = s.contract_id
ORDER BY c.total_value DESC NULLS LAST, c.contract_id, s.basis DESC, s.key, s.page_number
