"""The queue: what of it the filters let through, in which order, and what else can be filtered by."""

from datetime import date, timedelta
from typing import Any

from review.published import QUEUE_COLUMNS, Published
from review.shown import Facet, Neighbours, QueueFilters, QueuePage, QueueRow, QueueSort, Row
from schemas.review import SETTLED

MOST_VALUES = 50
"""Values that a facet shows, the most frequent first."""
FACETS = ("severity", "rule_id", "clause_type", "counterparty", "status")
_SEVERITY = "CASE severity WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3 ELSE 4 END"
_ORDERS: dict[QueueSort, str] = {
    "priority": "priority DESC",
    "age": "ingested_at NULLS LAST",
    "value": "total_value DESC NULLS LAST",
    "severity": f"{_SEVERITY}, priority DESC",
    "counterparty": "counterparty NULLS LAST, priority DESC",
    "contract": "title NULLS LAST, contract_id, page_number",
    "confidence": "confidence NULLS FIRST, priority DESC",
}
_TIES = "contract_id, rule_id, flag_id"
_OPEN = f"(status NOT IN {SETTLED} AND state IS DISTINCT FROM 'waiting')"
_STATES = {"open": _OPEN, "waiting": "state = 'waiting'", "all": f"({_OPEN} OR state = 'waiting')"}
_COLUMNS = ", ".join((*QUEUE_COLUMNS, "state"))


def queue_page(
    published: Published, filters: QueueFilters, sort: QueueSort, page: int, size: int, today: date
) -> QueuePage:
    """A page of the queue, from 1; a page behind the last one is empty."""
    asked = _Asked(filters, today)
    facets, total = _facets(published, asked)
    sql = f"""SELECT {_COLUMNS} FROM memory.main.live_queue WHERE {asked.where()}
        ORDER BY {_ORDERS[sort]}, {_TIES} LIMIT $size OFFSET $offset"""
    given = asked.given | {"size": size, "offset": (page - 1) * size}
    rows = tuple(_shown(row, today) for row in published.rows(sql, given))
    return QueuePage(rows=rows, total=total, page=page, size=size, facets=facets, publication=published.name)


def neighbours(published: Published, flag_id: str, filters: QueueFilters, sort: QueueSort, today: date) -> Neighbours:
    """The rows around a flag. One that was decided by now keeps its place, so that the next one can be told."""
    asked = _Asked(filters, today)
    sql = f"""WITH ordered AS MATERIALIZED (
        SELECT flag_id, {asked.where()} AS is_in, row_number() OVER (ORDER BY {_ORDERS[sort]}, {_TIES}) AS place
        FROM memory.main.live_queue
        WHERE {asked.where()} OR flag_id = $flag_id
    ),
    here AS (SELECT place, is_in FROM ordered WHERE flag_id = $flag_id),
    near AS (
        SELECT flag_id, place, (SELECT place FROM here) AS own FROM ordered
        WHERE place IN ((SELECT coalesce(max(place), 0) FROM here) - 1, (SELECT coalesce(max(place), 0) FROM here) + 1)
    )
    SELECT {", ".join(f"q.{name}" for name in (*QUEUE_COLUMNS, "state"))}, n.place, n.own,
        (SELECT is_in FROM here) AS is_in, (SELECT count(*) FILTER (WHERE is_in) FROM ordered) AS total
    FROM (SELECT 1) one
    LEFT JOIN near n ON true
    LEFT JOIN memory.main.live_queue q ON q.flag_id = n.flag_id"""
    found = published.rows(sql, asked.given | {"flag_id": flag_id})
    own = found[0]["own"]
    by_place = {row["place"]: _shown(row, today) for row in found if row["place"] is not None}
    return Neighbours(
        previous=by_place.get((own or 0) - 1),
        next=by_place.get((own or 0) + 1),
        place=own if found[0]["is_in"] else None,
        total=found[0]["total"],
    )


class _Asked:
    """The filters as SQL, each by its name, and the values that they stand on."""

    def __init__(self, filters: QueueFilters, today: date):
        self.given: dict[str, Any] = {}
        self.conditions: dict[str, str] = {"state": _STATES[filters.state]}
        for name in FACETS:
            if values := getattr(filters, name):
                self._add(name, f"{name} IN (SELECT unnest(${name}))", list(values))
        if filters.contract_id is not None:
            self._add("contract_id", "contract_id = $contract_id", filters.contract_id)
        if filters.older_than_days is not None:
            last = today - timedelta(days=filters.older_than_days)
            self._add("last_day", "ingested_at < $last_day", last)
        if filters.least_value is not None:
            self._add("least_value", "total_value >= $least_value", filters.least_value)
        for at, word in enumerate(filters.q.lower().split()):
            self._add(f"word{at}", f"contains(words, $word{at})", word)

    def _add(self, name: str, condition: str, value: Any) -> None:
        self.conditions[name] = condition
        self.given[name] = value

    def where(self) -> str:
        """All conditions."""
        return " AND ".join(self.conditions.values())

    @property
    def faceted(self) -> dict[str, str]:
        """The conditions on facets that are set."""
        return {name: sql for name, sql in self.conditions.items() if name in FACETS}


def _facets(published: Published, asked: _Asked) -> tuple[dict[str, tuple[Facet, ...]], int]:
    """The values of each facet with their counts, as if its own filter were not set; and the count of all rows."""
    others = " AND ".join(sql for name, sql in asked.conditions.items() if name not in FACETS)
    flags = "".join(f", coalesce({sql}, false) AS has_{name}" for name, sql in asked.faceted.items())
    counts = " UNION ALL ".join(_count(name, asked.faceted) for name in (*FACETS, None))
    sql = f"""WITH chosen AS MATERIALIZED (
        SELECT {", ".join(FACETS)}{flags} FROM memory.main.live_queue WHERE {others}
    ) {counts}"""
    found: dict[str, list[Facet]] = {name: [] for name in FACETS}
    total = 0
    for row in published.rows(sql, asked.given):
        if row["facet"] is None:
            total = row["count"]
        elif row["value"] is not None:
            found[row["facet"]].append(Facet(row["value"], row["count"]))
    ranked = {name: sorted(facets, key=lambda facet: (-facet.count, facet.value)) for name, facets in found.items()}
    return {name: tuple(facets[:MOST_VALUES]) for name, facets in ranked.items()}, total


def _count(name: str | None, faceted: dict[str, str]) -> str:
    where = " AND ".join(f"has_{other}" for other in faceted if other != name) or "true"
    if name is None:
        return f"(SELECT NULL AS facet, NULL AS value, count(*) AS count FROM chosen WHERE {where})"
    return f"""(SELECT '{name}' AS facet, {name} AS value, count(*) AS count FROM chosen WHERE {where}
        GROUP BY {name} ORDER BY count DESC, value LIMIT {MOST_VALUES})"""


def _shown(row: Row, today: date) -> QueueRow:
    values = {name: row[name] for name in QUEUE_COLUMNS} | {"refs": tuple(row["refs"] or ())}
    came = row["ingested_at"]
    return QueueRow(**values, state=row["state"], age_days=(today - came.date()).days if came else None)


def open_flags(published: Published, contract_ids: list[str]) -> dict[str, Row]:
    """How many flags of these contracts are open, and how severe the worst is."""
    sql = f"""SELECT contract_id, count(*) AS open_flags, arg_min(severity, {_SEVERITY}) AS worst
        FROM memory.main.live_queue WHERE {_STATES["all"]} AND contract_id IN (SELECT unnest($ids)) GROUP BY ALL"""
    return {row["contract_id"]: row for row in published.rows(sql, {"ids": contract_ids})}
