-- The day that the last run worked for, from which the views and questions count; the clock's before the first run.
SELECT max(business_date) AS business_date, coalesce(max(business_date), current_date) AS today
FROM runs
WHERE trigger IS DISTINCT FROM 'review'
