"""Where a decision and what was read later differ. The decision goes on to count; a person has to look."""

from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, Literal

from review.live import Live, On
from review.published import Published
from review.shown import Conflict
from schemas.review import WITHDRAWN, Standing
from warehouse.decisions import TARGETS, evidence_of
from warehouse.rows import utc

Kind = Literal["value", "evidence", "gone"]


def kind_of(target: str, decision: Mapping[str, Any], now: Mapping[str, Any] | None) -> Kind | None:
    """How what stands there now differs from what was decided on; None where nothing has to be looked at.

    `decision` has the columns of `reviews`, `now` is the target's row. A value that is read as a person had put it is
    no conflict, nor is a flag gone that a person had found wrong.
    """
    if now is None:
        return None if decision["decision"] in ("rejected", "not_applicable") else "gone"
    if decision["evidence_hash"] is None or evidence_of(target, now) == decision["evidence_hash"]:
        return None
    value = now[TARGETS[target].seen[0]]
    if decision["decision"] == "overridden" and decision["new_value"] == value:
        return None
    return "value" if decision["old_value"] != value else "evidence"


class Conflicts:
    """The conflicts of one publication. What was found once of a decision is held, as neither of both changes."""

    def __init__(self, published: Published):
        self._published = published
        self._lock = Lock()
        self._landed: list[Conflict] | None = None
        self._live: dict[int, Conflict | None] = {}

    def all(self, live: Live) -> list[Conflict]:
        """All conflicts, the newest decision first."""
        standing = dict(live.standing)
        with self._lock:
            if self._landed is None:
                self._landed = [*_of_landed(self._published)]
            new = [one for one in standing.values() if one.number not in self._live]
            self._live |= {one.number: None for one in new} | _of_live(self._published, new)
            found = [one for one in self._landed if _is_last(one, live)]
            found += [met for one in standing.values() if one.state != "declined" and (met := self._live[one.number])]
        return sorted(found, key=lambda one: (one.decided_at, one.target_id), reverse=True)


def _is_last(landed: Conflict, live: Live) -> bool:
    """Whether nothing else was decided on the page, and the decision was not taken back there."""
    on: On = (landed.target, landed.target_id)
    since = live.since(on)
    if since is None or since < landed.decided_at:
        return True
    return on not in live.reopened and since == landed.decided_at


def _of_landed(published: Published) -> Iterator[Conflict]:
    for row in published.rows(_SUSPECTS):
        now = {"absence": row["absence"], TARGETS[row["target"]].seen[0]: row["now"], "quote": row["quote"]}
        if kind := kind_of(row["target"], row, now if row["is_there"] else None):
            yield _conflict(kind, row, row, row.get("event_number"))


def _of_live(published: Published, standing: Sequence[Standing]) -> dict[int, Conflict]:
    """Of decisions that were not landed when this was published; the others are among the landed ones."""
    sql = "SELECT * FROM memory.main.last_decided WHERE target_id IN (SELECT unnest($ids::VARCHAR[]))"
    rows = published.rows(sql, {"ids": [one.target_id for one in standing]})
    landed = {(row["target"], row["target_id"]): row["decided_at"] for row in rows}
    open = [one for one in standing if landed.get((one.target, one.target_id)) != utc(one.decided_at)]
    now = published.targets((one.target, one.target_id, one.contract_id) for one in open)
    found = {}
    for one in open:
        decision = one.model_dump() | {"decided_at": utc(one.decided_at)}
        row = now.get((one.target, one.target_id))
        if kind := kind_of(one.target, decision, row):
            of = TARGETS[one.target]
            told = row | {"name": row[of.field], "now": row[of.seen[0]]} if row else {}
            found[one.number] = _conflict(kind, decision, told, one.number)
    return found


def _conflict(kind: Kind, decision: Mapping[str, Any], now: Mapping[str, Any], number: int | None) -> Conflict:
    told = ("target", "target_id", "contract_id", "decision", "reviewer", "decided_at")
    return Conflict(
        kind=kind,
        **{name: decision[name] for name in told},
        decided_value=decision["new_value"],
        seen_value=decision["old_value"],
        event_number=number,
        title=now.get("title"),
        counterparty=now.get("counterparty"),
        name=now.get("name"),
        value=now.get("now"),
        quote=now.get("quote"),
        page_number=now.get("page_number"),
    )


def _of(target: str) -> str:
    of = TARGETS[target]
    absence = "t.absence" if "absence" in of.seen else "NULL"
    return f"""SELECT '{target}' AS target, t.{of.id} AS target_id, t.{of.field} AS name, t.{of.seen[0]} AS now,
        {absence} AS absence, t.quote, t.page_number FROM {of.table} t
        WHERE t.{of.id} IN (SELECT target_id FROM last WHERE target = '{target}')"""


_JSON = "coalesce(to_json({})::VARCHAR, 'null')"
_SUSPECTS = f"""
-- Most hashes are those of what stands there. They are compared here as `evidence_hash` makes them of plain ASCII;
-- what differs, or is written otherwise there, is looked at one by one.
WITH last AS (
    SELECT * FROM memory.main.decided
    QUALIFY row_number() OVER (PARTITION BY target, target_id ORDER BY decided_at DESC) = 1
),
now AS ({" UNION ALL ".join(_of(target) for target in TARGETS)})
SELECT l.*, n.target_id IS NOT NULL AS is_there, n.name, n.now, n.absence, n.quote, n.page_number, c.title,
    c.counterparty
FROM last l
LEFT JOIN now n ON n.target = l.target AND n.target_id = l.target_id
LEFT JOIN memory.main.listed c ON c.contract_id = l.contract_id
WHERE l.decision <> '{WITHDRAWN}' AND (
    n.target_id IS NULL
    OR l.evidence_hash <> sha256(
        '[' || {_JSON.format("n.quote")} || ', ' || {_JSON.format("coalesce(n.now, n.absence)")} || ']'
    )
)
"""
