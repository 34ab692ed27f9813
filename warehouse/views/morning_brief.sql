-- The last business date in figures, one row a metric.
WITH today AS (
    SELECT * FROM runs
    WHERE business_date = (SELECT business_date FROM business_day) AND trigger IS DISTINCT FROM 'review'
),
fresh AS (
    SELECT * FROM documents WHERE run_id IN (SELECT run_id FROM today)
),
held AS MATERIALIZED (
    -- Both what lies ahead and the values rest on it: one pass over all agreements.
    SELECT currency, total_value, notice_deadline, period_end FROM running_periods
),
ahead AS (
    -- As in `renewals`.
    SELECT
        count(*) FILTER (WHERE h.notice_deadline BETWEEN b.today AND b.today + 30) AS notices,
        count(*) FILTER (WHERE h.period_end BETWEEN b.today AND b.today + 90) AS ends
    FROM held h
    CROSS JOIN business_day b
),
lines AS (
    SELECT 1 AS place, 'run' AS section, 'runs' AS metric, count(*)::DOUBLE AS value,
        'business date ' || coalesce(max(business_date)::VARCHAR, 'none yet') AS detail
    FROM today
    UNION ALL
    SELECT 2, 'run', 'seconds', coalesce(sum(seconds), 0), 'from start to finish' FROM today
    UNION ALL
    SELECT 3, 'run', 'pages', coalesce(sum(page_count) FILTER (WHERE status = 'landed'), 0), 'of what was landed'
    FROM fresh
    UNION ALL
    SELECT 4, 'run', 'cost_usd', coalesce(sum(cost_usd), 0), 'paid to a model provider' FROM today
    UNION ALL
    SELECT 10, 'arrived', 'documents', count(*), 'in the inbox' FROM fresh
    UNION ALL
    SELECT 11, 'arrived', 'landed', count(*), 'processed' FROM fresh WHERE status = 'landed'
    UNION ALL
    SELECT 12, 'arrived', 'duplicates', count(*), 'of a document that is already held'
    FROM fresh WHERE status = 'duplicate'
    UNION ALL
    SELECT 13, 'arrived', 'quarantined', count(*), 'could not be processed' FROM fresh WHERE status = 'quarantined'
    UNION ALL
    SELECT 14, 'arrived', 'contracts', count(*), 'new or read again'
    FROM contracts WHERE run_id IN (SELECT run_id FROM today)
    UNION ALL
    SELECT 15, 'arrived', 'changes', count(*), 'values and flags that differ from the version before'
    FROM changes_since_last_run WHERE cause <> 'new_document'
    UNION ALL
    SELECT 20, 'waiting', 'quarantine', count(*), 'documents, all days' FROM quarantine
    UNION ALL
    SELECT 21, 'waiting', 'open_flags', count(*), 'flags to decide, all days' FROM review_queue
    UNION ALL
    SELECT 30 + s.place, 'new_flags', s.severity, count(f.flag_id), 'from the last business date'
    FROM (VALUES (1, 'critical'), (2, 'high'), (3, 'medium'), (4, 'low')) s (place, severity)
    LEFT JOIN flags f ON f.severity = s.severity AND f.run_id IN (SELECT run_id FROM today)
    GROUP BY s.place, s.severity
    UNION ALL
    SELECT 40, 'ahead', 'notice_deadlines_30_days', notices, 'last day to say no is near' FROM ahead
    UNION ALL
    SELECT 41, 'ahead', 'period_ends_90_days', ends, 'terms that end or renew' FROM ahead
    UNION ALL
    SELECT 50, 'value', 'total_value', sum(total_value)::DOUBLE,
        coalesce(currency, 'no currency') || ', ' || count(*) || ' contracts'
    FROM held
    WHERE total_value IS NOT NULL
    GROUP BY currency
)
SELECT section, metric, value, detail
FROM lines
ORDER BY place, detail
