-- number: 44
-- question: What did the record of the contracts look like on a date?
-- also: as of, back then; state, snapshot, history of the warehouse; what did we know on a day; how the data looked; at the end of a quarter, month or year
-- parameter: date = null ; the date as YYYY-MM-DD, as it is now without one
WITH known AS (
    SELECT h.contract_id, arg_max({'run_id': h.run_id, 'version': h.version}, (r.finished_at, h.version)) AS last
    FROM contracts_history h
    JOIN runs r ON r.run_id = h.run_id
    WHERE $date IS NULL OR r.finished_at::DATE <= $date::DATE
    GROUP BY h.contract_id
)
SELECT h.*, r.finished_at
FROM contracts_history h
JOIN known k ON k.contract_id = h.contract_id AND k.last.run_id = h.run_id AND k.last.version = h.version
JOIN runs r ON r.run_id = h.run_id
ORDER BY h.contract_id
