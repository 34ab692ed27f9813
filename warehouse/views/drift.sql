-- What a run was like beside the runs before it; a warning where it is far from what is usual.
WITH measured AS (
    SELECT m.*, r.number, r.business_date
    FROM run_metrics m JOIN runs r ON r.run_id = m.run_id
    WHERE m.counted >= 20
),
beside AS (
    SELECT
        *,
        avg(value) OVER former AS usual,
        coalesce(stddev_samp(value) OVER former, 0) AS spread,
        count(*) OVER former AS runs_before
    FROM measured
    WINDOW former AS (PARTITION BY metric, part ORDER BY number ROWS BETWEEN 30 PRECEDING AND 1 PRECEDING)
),
weighed AS (
    SELECT
        *,
        -- A share or a mean of few rows varies by chance alone; a night differs only by more than that.
        greatest(
            spread,
            CASE WHEN metric IN ('capture_class', 'quarantined', 'absent', 'unverified')
                THEN sqrt(greatest(usual * (1 - usual), 0.01) / counted)
                ELSE abs(usual) * 0.02
            END
        ) AS unit
    FROM beside
    WHERE runs_before >= 5
)
SELECT
    run_id,
    business_date,
    metric,
    part,
    round(value, 4) AS value,
    round(usual, 4) AS usual,
    round((value - usual) / nullif(unit, 0), 1) AS deviation,
    coalesce(abs(value - usual) > 4 * unit, false) AS is_warning,
    counted,
    runs_before,
    number
FROM weighed
ORDER BY number DESC, abs((value - usual) / nullif(unit, 0)) DESC NULLS LAST, metric, part
