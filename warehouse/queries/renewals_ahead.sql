-- number: 21
-- question: Which contracts renew, end or need a notice within the next days?
-- also: upcoming renewals, expirations, notice dates; roll over, expire, run out soon; auto-renew in the next weeks or months; deadlines coming up, ahead of us
-- parameter: days = 90 ; how far ahead
SELECT *
FROM renewals
WHERE days_left <= $days
