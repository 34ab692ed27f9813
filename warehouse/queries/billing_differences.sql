-- number: 34
-- question: Where does the billing system have another frequency or start date than the contract?
-- also: does billing or invoicing match the contract; billed with another frequency than agreed; subscription start in the billing system differs; invoicing that doesn't match
-- reference: billing ; customer VARCHAR, frequency VARCHAR, start_date DATE ; the subscriptions of the billing system
-- A line of the list is compared with one contract of the customer: with that which it fits best, if no other line fits
-- that one wholly. Contracts without recurring fees are no subscriptions. They count from the start of the fees.
WITH lines AS (
    SELECT row_number() OVER () AS line, customer, company_name(customer) AS name,
        nullif(replace(lower(trim(frequency)), '-', '_'), '') AS frequency, start_date
    FROM reference
),
named AS (
    SELECT DISTINCT name FROM lines
),
priced AS (
    SELECT contract_id, min(start_date) AS first_day
    FROM fee_lines
    WHERE start_date IS NOT NULL AND frequency IN ('monthly', 'quarterly', 'annual', 'usage')
    GROUP BY contract_id
),
sold AS (
    SELECT a.contract_id, a.title, a.counterparty, company_name(a.counterparty) AS name, a.billing_frequency,
        coalesce(p.first_day, a.begins) AS starts
    FROM agreements a
    LEFT JOIN priced p ON p.contract_id = a.contract_id
    WHERE a.our_role = 'seller' AND a.fully_executed IS DISTINCT FROM false
        AND a.contract_type IS DISTINCT FROM 'amendment'
        AND coalesce(a.billing_frequency, '') NOT IN ('one_time', 'milestone')
),
pairs AS (
    SELECT l.line, l.frequency, l.start_date, s.*,
        coalesce(l.frequency <> s.billing_frequency, false) AS other_frequency,
        coalesce(l.start_date <> s.starts, false) AS other_start
    FROM lines l
    JOIN (SELECT * FROM sold SEMI JOIN named USING (name)) s ON s.name = l.name
),
fitting AS (
    SELECT line, contract_id FROM pairs WHERE NOT other_frequency AND NOT other_start
),
nearest AS (
    SELECT p.*
    FROM pairs p
    ANTI JOIN fitting f ON f.line = p.line OR f.contract_id = p.contract_id
    QUALIFY row_number() OVER (
        PARTITION BY p.line
        ORDER BY p.other_frequency::INTEGER + p.other_start::INTEGER, p.billing_frequency IS NULL,
            abs(date_diff('day', p.start_date, p.starts)) NULLS LAST, p.contract_id
    ) = 1
)
SELECT 'no list given: billing=FILE.csv with the columns customer, frequency, start_date' AS difference,
    NULL AS customer, NULL AS contract_id, NULL AS title, NULL AS contract_says, NULL AS billing_says
WHERE (SELECT count(*) FROM reference) = 0
UNION ALL
SELECT 'frequency', counterparty, contract_id, title, billing_frequency, frequency
FROM nearest WHERE other_frequency
UNION ALL
SELECT 'start date', counterparty, contract_id, title, starts::VARCHAR, start_date::VARCHAR
FROM nearest WHERE other_start
ORDER BY difference, customer, title
