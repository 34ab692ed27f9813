"""How often people agreed with what was proposed, as far as their decisions were landed."""

from pathlib import Path
from typing import NamedTuple

from warehouse.read import query


class Agreed(NamedTuple):
    """How many decisions there are on something, and how many left what was proposed as it was."""

    name: str
    decided: int
    agreed: int


def agreement(root: Path) -> dict[str, list[Agreed]]:
    """By field, rule, engine and capture class; the last decision on each target counts, once it settled it."""
    rows = query(root, _SQL)[1]
    of = {by: [Agreed(*row) for kind, *row in rows if kind == by] for by in ("field", "rule", "engine")}
    return of | {"capture_class": [Agreed(*row) for kind, *row in rows if kind == "capture_class"]}


_SQL = """
WITH last AS (
    SELECT target, target_id, arg_max(decision, decided_at) AS decision FROM reviews GROUP BY target, target_id
    HAVING arg_max(decision, decided_at) IN ('confirmed', 'overridden', 'rejected', 'not_applicable')
),
decided AS (
    SELECT l.decision = 'confirmed' AS is_agreed, t.term AS field, NULL AS rule, t.extractor AS engine, t.contract_id
    FROM last l JOIN terms t ON t.term_id = l.target_id WHERE l.target = 'term'
    UNION ALL
    SELECT l.decision = 'confirmed', NULL, f.rule_id, NULL, f.contract_id
    FROM last l JOIN flags f ON f.flag_id = l.target_id WHERE l.target = 'flag'
),
named AS (
    SELECT d.* EXCLUDE (contract_id), c.capture_class FROM decided d LEFT JOIN contracts c USING (contract_id)
)
SELECT kind, name, count(*) AS decided, count(*) FILTER (is_agreed) AS agreed
FROM (UNPIVOT named ON field, rule, engine, capture_class INTO NAME kind VALUE name)
GROUP BY kind, name ORDER BY kind, decided DESC, name
"""
