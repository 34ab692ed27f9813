-- One row an agreement as it holds on the business day: with what its amendments changed, and without rows of theirs.
-- `begins` is the first day of its term. Where fees recur, `total_value` is reckoned anew if amendments changed the yearly
-- fee or the end, and null where that can't be done; `value_begins` is the day from which it counts.
WITH members AS (
    SELECT
        m.family_id,
        m.contract_id,
        m.relation,
        m.effective_from,
        CASE WHEN m.relation <> 'under' AND p.relation = 'under' THEN p.contract_id ELSE m.family_id END AS target
    FROM family_members m
    LEFT JOIN family_members p ON p.family_id = m.family_id AND p.contract_id = m.parent_contract_id
),
said AS (
    -- Orders and statements of work stand for themselves, so what they say is not said of the master.
    SELECT m.target, m.family_id, t.term, t.value, t.effective_from, m.contract_id <> m.target AS is_change
    FROM members m
    LEFT JOIN family_terms t ON t.family_id = m.family_id AND t.set_by_contract_id = m.contract_id
    WHERE m.relation <> 'under'
),
held AS (
    SELECT
        target,
        target = family_id AS is_all,
        min(try_cast(value AS DECIMAL(18, 2))) FILTER (WHERE term = 'total_value') AS total_value,
        min(effective_from) FILTER (WHERE term = 'total_value' AND is_change) AS value_begins,
        coalesce(bool_or(is_change AND term = 'total_value'), false) AS is_total_changed,
        coalesce(
            bool_or(is_change AND term IN ('annual_value', 'expiration_date', 'initial_term_months')), false
        ) AS is_value_changed,
        -- terms said
    FROM said
    GROUP BY target, family_id
),
changed AS (
    SELECT target, expiration_date + 1 AS day_after, annual_value, currency
    FROM held
    WHERE is_value_changed AND NOT is_total_changed
),
own AS NOT MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN expiration_date IS NOT NULL AND initial_term_months = floor(initial_term_months)
            THEN (expiration_date + 1 - to_months(initial_term_months::INTEGER))::DATE
            ELSE coalesce(effective_date, agreement_date)
        END AS begins
    FROM contracts
),
rates AS (
    -- The yearly fee as first agreed, and each that replaced it, with the day it counts from.
    SELECT
        m.target,
        CASE WHEN m.contract_id = m.target THEN s.begins ELSE greatest(m.effective_from, s.begins) END AS since,
        m.contract_id <> m.target AS is_change,
        c.annual_value,
        h.day_after
    FROM members m
    JOIN changed h ON h.target = m.target
    JOIN contracts c ON c.contract_id = m.contract_id
    JOIN own s ON s.contract_id = m.target
    CROSS JOIN business_day b
    WHERE m.relation <> 'under' AND c.annual_value IS NOT NULL
        AND (m.contract_id = m.target OR m.effective_from <= b.today)
),
steps AS (
    SELECT
        *,
        lead(since, 1, day_after) OVER (PARTITION BY target ORDER BY since, is_change) AS until,
        last_value(annual_value) OVER (
            PARTITION BY target ORDER BY since, is_change ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS last_annual_value
    FROM rates
),
months AS (
    SELECT
        *,
        12 * year(since) + month(since) + (day(since) - 1) / day(last_day(since)) AS first_month,
        12 * year(until) + month(until) + (day(until) - 1) / day(last_day(until)) AS next_month
    FROM steps
),
reckoned AS (
    SELECT
        n.target,
        sum(n.annual_value / 12 * greatest(0, n.next_month - n.first_month))
        + any_value(c.total_value - c.annual_value * c.initial_term_months / 12) AS total_value
    FROM months n
    JOIN changed h ON h.target = n.target
    JOIN contracts c ON c.contract_id = n.target
    WHERE n.last_annual_value = h.annual_value
        AND c.total_value >= c.annual_value * c.initial_term_months / 12 - 1
        AND c.currency IS NOT DISTINCT FROM h.currency
    GROUP BY n.target
    HAVING count(n.next_month) = count(*)
)
SELECT
    c.* EXCLUDE (begins) REPLACE (
        CASE
            WHEN h.is_value_changed AND NOT h.is_total_changed AND (
                coalesce(h.annual_value, c.annual_value) IS NOT NULL
                OR c.billing_frequency IN ('monthly', 'quarterly', 'annual')
            ) THEN r.total_value::DECIMAL(18, 2)
            WHEN h.is_all THEN h.total_value
            ELSE coalesce(h.total_value, c.total_value)
        END AS total_value,
        -- terms in force
    ),
    c.begins,
    coalesce(h.value_begins, c.begins) AS value_begins,
    coalesce(h.is_value_changed OR h.is_total_changed, false) AS is_value_amended
FROM own c
LEFT JOIN held h ON h.target = c.contract_id
LEFT JOIN reckoned r ON r.target = c.contract_id
ANTI JOIN (
    SELECT contract_id FROM members WHERE relation IN ('amends', 'renews', 'restates')
) merged ON merged.contract_id = c.contract_id
