-- number: 21
-- question: Which contracts renew, end or need a notice within the next days?
-- parameter: days = 90 ; how far ahead
SELECT *
FROM renewals
WHERE days_left <= $days
