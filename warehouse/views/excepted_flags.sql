-- The flags of rules that two people agreed not to ask of their contracts, on the business day.
WITH in_force AS (
    SELECT o.*
    FROM rule_overrides o
    CROSS JOIN business_day b
    ANTI JOIN rule_overrides w ON w.override_id = o.override_id AND w.action = 'withdrawn'
    WHERE o.action = 'overridden' AND o.effective_from <= b.today AND coalesce(o.effective_to >= b.today, true)
)
SELECT f.flag_id, f.contract_id, o.override_id, o.rule_id, o.scope, o.reason, o.owner
FROM flags f
JOIN in_force o ON o.rule_id = f.rule_id
LEFT JOIN contracts c ON c.contract_id = f.contract_id
WHERE lower(o.scope) IN ('all', c.contract_type) OR company_name(o.scope) = company_name(c.counterparty)
