-- One row an agreement as it holds on the business day: with what its amendments changed, and without rows of theirs.
-- `begins` is the first day of its term. `total_value` is reckoned anew where amendments changed the yearly fee or the
-- end, and null where that can't be done; `value_begins` is the day from which it counts.
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
        min(try_cast(value AS DATE)) FILTER (WHERE term = 'expiration_date') AS expiration_date,
        min(try_cast(value AS DOUBLE)) FILTER (WHERE term = 'initial_term_months') AS initial_term_months,
        min(value) FILTER (WHERE term = 'renewal_type') AS renewal_type,
        min(try_cast(value AS DOUBLE)) FILTER (WHERE term = 'renewal_term_months') AS renewal_term_months,
        min(try_cast(value AS INTEGER)) FILTER (WHERE term = 'renewal_notice_days') AS renewal_notice_days,
        min(try_cast(value AS DATE)) FILTER (WHERE term = 'notice_deadline') AS notice_deadline,
        min(try_cast(value AS DATE)) FILTER (WHERE term = 'current_period_end') AS current_period_end,
        min(try_cast(value AS DATE)) FILTER (WHERE term = 'accounting_term_end') AS accounting_term_end,
        min(value) FILTER (WHERE term = 'termination_for_convenience') AS termination_for_convenience,
        min(try_cast(value AS INTEGER)) FILTER (WHERE term = 'termination_notice_days') AS termination_notice_days,
        min(value) FILTER (WHERE term = 'termination_fee') AS termination_fee,
        min(value) FILTER (WHERE term = 'governing_law') AS governing_law,
        min(value) FILTER (WHERE term = 'currency') AS currency,
        min(value) FILTER (WHERE term = 'total_value_basis') AS total_value_basis,
        min(try_cast(value AS DECIMAL(18, 2))) FILTER (WHERE term = 'annual_value') AS annual_value,
        min(try_cast(value AS INTEGER)) FILTER (WHERE term = 'payment_terms_days') AS payment_terms_days,
        min(value) FILTER (WHERE term = 'billing_frequency') AS billing_frequency,
        min(value) FILTER (WHERE term = 'billing_timing') AS billing_timing,
        min(value) FILTER (WHERE term = 'price_increase_type') AS price_increase_type,
        min(try_cast(value AS DOUBLE)) FILTER (WHERE term = 'price_increase_cap_percent') AS price_increase_cap_percent,
        min(value) FILTER (WHERE term = 'liability_cap_type') AS liability_cap_type,
        min(try_cast(value AS DECIMAL(18, 2))) FILTER (WHERE term = 'liability_cap_amount') AS liability_cap_amount,
        min(try_cast(value AS DOUBLE)) FILTER (WHERE term = 'liability_cap_months') AS liability_cap_months,
        min(value) FILTER (WHERE term = 'liability_cap_basis') AS liability_cap_basis,
        min(try_cast(value AS DECIMAL(18, 2))) FILTER (WHERE term = 'minimum_commitment') AS minimum_commitment,
        min(value) FILTER (WHERE term = 'minimum_commitment_period') AS minimum_commitment_period
    FROM said
    GROUP BY target, family_id
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
        c.annual_value
    FROM members m
    JOIN contracts c ON c.contract_id = m.contract_id
    JOIN own s ON s.contract_id = m.target
    CROSS JOIN business_day b
    WHERE m.relation <> 'under' AND c.annual_value IS NOT NULL
        AND (m.contract_id = m.target OR m.effective_from <= b.today)
),
steps AS (
    SELECT
        *,
        lead(since) OVER (PARTITION BY target ORDER BY since, is_change) AS until,
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
        sum(
            n.annual_value / 12 * greatest(
                0,
                coalesce(
                    n.next_month,
                    12 * year(h.expiration_date + 1) + month(h.expiration_date + 1)
                    + (day(h.expiration_date + 1) - 1) / day(last_day(h.expiration_date + 1))
                ) - n.first_month
            )
        ) + any_value(c.total_value - c.annual_value * c.initial_term_months / 12) AS total_value
    FROM months n
    JOIN held h ON h.target = n.target
    JOIN contracts c ON c.contract_id = n.target
    WHERE h.is_value_changed AND h.expiration_date IS NOT NULL AND n.last_annual_value = h.annual_value
        AND c.total_value >= c.annual_value * c.initial_term_months / 12 - 1
        AND c.currency IS NOT DISTINCT FROM h.currency
    GROUP BY n.target
)
SELECT
    c.* EXCLUDE (begins) REPLACE (
        CASE
            WHEN h.is_value_changed AND NOT h.is_total_changed THEN r.total_value::DECIMAL(18, 2)
            WHEN h.is_all THEN h.total_value
            ELSE coalesce(h.total_value, c.total_value)
        END AS total_value,
        CASE WHEN h.is_all THEN h.expiration_date ELSE coalesce(h.expiration_date, c.expiration_date) END AS expiration_date,
        CASE WHEN h.is_all THEN h.initial_term_months ELSE coalesce(h.initial_term_months, c.initial_term_months) END AS initial_term_months,
        CASE WHEN h.is_all THEN h.renewal_type ELSE coalesce(h.renewal_type, c.renewal_type) END AS renewal_type,
        CASE WHEN h.is_all THEN h.renewal_term_months ELSE coalesce(h.renewal_term_months, c.renewal_term_months) END AS renewal_term_months,
        CASE WHEN h.is_all THEN h.renewal_notice_days ELSE coalesce(h.renewal_notice_days, c.renewal_notice_days) END AS renewal_notice_days,
        CASE WHEN h.is_all THEN h.notice_deadline ELSE coalesce(h.notice_deadline, c.notice_deadline) END AS notice_deadline,
        CASE WHEN h.is_all THEN h.current_period_end ELSE coalesce(h.current_period_end, c.current_period_end) END AS current_period_end,
        CASE WHEN h.is_all THEN h.accounting_term_end ELSE coalesce(h.accounting_term_end, c.accounting_term_end) END AS accounting_term_end,
        CASE WHEN h.is_all THEN h.termination_for_convenience ELSE coalesce(h.termination_for_convenience, c.termination_for_convenience) END AS termination_for_convenience,
        CASE WHEN h.is_all THEN h.termination_notice_days ELSE coalesce(h.termination_notice_days, c.termination_notice_days) END AS termination_notice_days,
        CASE WHEN h.is_all THEN h.termination_fee ELSE coalesce(h.termination_fee, c.termination_fee) END AS termination_fee,
        CASE WHEN h.is_all THEN h.governing_law ELSE coalesce(h.governing_law, c.governing_law) END AS governing_law,
        CASE WHEN h.is_all THEN h.currency ELSE coalesce(h.currency, c.currency) END AS currency,
        CASE WHEN h.is_all THEN h.total_value_basis ELSE coalesce(h.total_value_basis, c.total_value_basis) END AS total_value_basis,
        CASE WHEN h.is_all THEN h.annual_value ELSE coalesce(h.annual_value, c.annual_value) END AS annual_value,
        CASE WHEN h.is_all THEN h.payment_terms_days ELSE coalesce(h.payment_terms_days, c.payment_terms_days) END AS payment_terms_days,
        CASE WHEN h.is_all THEN h.billing_frequency ELSE coalesce(h.billing_frequency, c.billing_frequency) END AS billing_frequency,
        CASE WHEN h.is_all THEN h.billing_timing ELSE coalesce(h.billing_timing, c.billing_timing) END AS billing_timing,
        CASE WHEN h.is_all THEN h.price_increase_type ELSE coalesce(h.price_increase_type, c.price_increase_type) END AS price_increase_type,
        CASE WHEN h.is_all THEN h.price_increase_cap_percent ELSE coalesce(h.price_increase_cap_percent, c.price_increase_cap_percent) END AS price_increase_cap_percent,
        CASE WHEN h.is_all THEN h.liability_cap_type ELSE coalesce(h.liability_cap_type, c.liability_cap_type) END AS liability_cap_type,
        CASE WHEN h.is_all THEN h.liability_cap_amount ELSE coalesce(h.liability_cap_amount, c.liability_cap_amount) END AS liability_cap_amount,
        CASE WHEN h.is_all THEN h.liability_cap_months ELSE coalesce(h.liability_cap_months, c.liability_cap_months) END AS liability_cap_months,
        CASE WHEN h.is_all THEN h.liability_cap_basis ELSE coalesce(h.liability_cap_basis, c.liability_cap_basis) END AS liability_cap_basis,
        CASE WHEN h.is_all THEN h.minimum_commitment ELSE coalesce(h.minimum_commitment, c.minimum_commitment) END AS minimum_commitment,
        CASE WHEN h.is_all THEN h.minimum_commitment_period ELSE coalesce(h.minimum_commitment_period, c.minimum_commitment_period) END AS minimum_commitment_period
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
