-- number: 44
-- question: What did the record of the contracts look like on a date?
-- also: as of, back then; state, snapshot, history of the warehouse; what did we know on a day; how the data looked; at the end of a quarter, month or year
-- parameter: date = null ; the date as YYYY-MM-DD, today without one
WITH known AS (
    SELECT h.*, r.finished_at,
        row_number() OVER (PARTITION BY h.contract_id ORDER BY r.finished_at DESC, h.version DESC) AS place
    FROM contracts_history h
    JOIN runs r ON r.run_id = h.run_id
    WHERE r.finished_at::DATE <= coalesce($date::DATE, current_date)
)
SELECT * EXCLUDE (place)
FROM known
WHERE place = 1
ORDER BY contract_id
