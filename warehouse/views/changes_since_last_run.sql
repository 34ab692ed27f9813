-- What changed since the last business date: new contracts, other values and flags, what amendments set, decisions.
WITH recent AS (
    SELECT run_id FROM runs WHERE business_date = (SELECT business_date FROM business_day)
),
touched AS (
    SELECT contract_id, run_id, version, playbook_version, title
    FROM contracts
    WHERE run_id IN (SELECT run_id FROM recent)
),
before AS (
    SELECT
        t.contract_id,
        t.run_id,
        t.playbook_version,
        t.title,
        arg_max({'run_id': h.run_id, 'playbook_version': h.playbook_version}, (h.version, r.started_at)) AS old
    FROM touched t
    LEFT JOIN contracts_history h
        ON h.contract_id = t.contract_id AND h.run_id <> t.run_id AND h.version <= t.version
    LEFT JOIN runs r ON r.run_id = h.run_id
    GROUP BY ALL
),
known AS (
    SELECT contract_id, run_id, old.run_id AS old_run_id,
        playbook_version IS DISTINCT FROM old.playbook_version AS other_rules
    FROM before
    WHERE old.run_id IS NOT NULL
),
old_terms AS (
    SELECT k.contract_id, t.term_id, t.term, t.value
    FROM terms_history t JOIN known k ON k.contract_id = t.contract_id AND k.old_run_id = t.run_id
),
new_terms AS (
    SELECT k.contract_id, t.term_id, t.term, t.value
    FROM terms t JOIN known k ON k.contract_id = t.contract_id AND k.run_id = t.run_id
),
old_flags AS (
    SELECT k.contract_id, f.flag_id, f.rule_id, f.rule_version, f.severity || ': ' || coalesce(f.found, '') AS value
    FROM flags_history f JOIN known k ON k.contract_id = f.contract_id AND k.old_run_id = f.run_id
),
new_flags AS (
    SELECT k.contract_id, f.flag_id, f.rule_id, f.rule_version, f.severity || ': ' || coalesce(f.found, '') AS value
    FROM flags f JOIN known k ON k.contract_id = f.contract_id
),
flag_pairs AS (
    SELECT
        coalesce(n.contract_id, o.contract_id) AS contract_id,
        coalesce(n.flag_id, o.flag_id) AS target,
        coalesce(n.rule_id, o.rule_id) AS field,
        o.value AS old_value,
        n.value AS new_value,
        o.rule_version IS DISTINCT FROM n.rule_version AND o.flag_id IS NOT NULL AND n.flag_id IS NOT NULL
            AS other_rule
    FROM old_flags o
    FULL JOIN new_flags n ON n.contract_id = o.contract_id AND n.flag_id = o.flag_id
    WHERE o.value IS DISTINCT FROM n.value
),
amended_families AS (
    SELECT family_id, term, string_agg(DISTINCT value, '; ' ORDER BY value) AS value
    FROM family_terms
    WHERE run_id IN (SELECT run_id FROM recent) AND set_by_contract_id <> contract_id
    GROUP BY ALL
),
former_families AS (
    SELECT h.family_id, h.run_id
    FROM (SELECT DISTINCT family_id, run_id FROM family_terms_history) h
    JOIN runs r ON r.run_id = h.run_id
    WHERE h.family_id IN (SELECT family_id FROM amended_families) AND r.run_id NOT IN (SELECT run_id FROM recent)
    QUALIFY row_number() OVER (PARTITION BY h.family_id ORDER BY r.number DESC) = 1
),
former_terms AS (
    SELECT h.family_id, h.term, h.value
    FROM family_terms_history h
    JOIN former_families f ON f.family_id = h.family_id AND f.run_id = h.run_id
    UNION ALL
    SELECT t.contract_id, t.term, t.value  -- a contract that was alone before the amendment
    FROM terms t
    WHERE t.contract_id IN (SELECT family_id FROM amended_families)
        AND t.contract_id NOT IN (SELECT family_id FROM former_families)
        AND t.absence IS NULL
),
set_before AS (
    SELECT family_id, term, string_agg(DISTINCT value, '; ' ORDER BY value) AS value FROM former_terms GROUP BY ALL
),
last_night AS (
    SELECT coalesce(max(finished_at), TIMESTAMP '1970-01-01') AS finished_at
    FROM runs
    WHERE trigger IS DISTINCT FROM 'review' AND business_date < (SELECT business_date FROM business_day)
)
SELECT contract_id, 'contracts' AS "table", contract_id AS target, 'title' AS field, NULL::VARCHAR AS old_value,
    title AS new_value, 'new_document' AS cause
FROM before
WHERE old.run_id IS NULL
UNION ALL
SELECT coalesce(n.contract_id, o.contract_id), 'terms', coalesce(n.term_id, o.term_id),
    coalesce(n.term, o.term), o.value, n.value, 're_extraction'
FROM old_terms o
FULL JOIN new_terms n ON n.contract_id = o.contract_id AND n.term_id = o.term_id
WHERE o.value IS DISTINCT FROM n.value
UNION ALL
SELECT p.contract_id, 'flags', p.target, p.field, p.old_value, p.new_value,
    CASE WHEN p.other_rule OR k.other_rules THEN 'rule_change' ELSE 're_extraction' END
FROM flag_pairs p
JOIN known k ON k.contract_id = p.contract_id
UNION ALL
SELECT a.family_id, 'contract_in_force', a.family_id, a.term, b.value, a.value, 'amendment'
FROM amended_families a
LEFT JOIN set_before b ON b.family_id = a.family_id AND b.term = a.term
WHERE a.value IS DISTINCT FROM b.value AND a.family_id NOT IN (SELECT contract_id FROM before WHERE old.run_id IS NULL)
UNION ALL
SELECT v.contract_id, CASE v.target WHEN 'asc606' THEN 'asc606' ELSE v.target || 's' END, v.target_id, 'decision',
    v.old_value, coalesce(v.new_value, v.decision), 'decision'
FROM reviews v, last_night n
WHERE v.decided_at > n.finished_at
ORDER BY ALL
