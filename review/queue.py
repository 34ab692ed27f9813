"""The queue: what of it the filters let through, in which order, and what else can be filtered by."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from review.published import FACETS, QUEUE_COLUMNS, Moved, Order, Published
from review.shown import Facet, Neighbours, QueueFilters, QueuePage, QueueRow, QueueSort, QueueState, Row
from schemas.review import SETTLED

MOST_VALUES = 50
"""Values that a facet shows, the most frequent first."""
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


def queue_page(
    published: Published, filters: QueueFilters, sort: QueueSort, page: int, size: int, today: date
) -> QueuePage:
    """A page of the queue, from 1; a page behind the last one is empty."""
    asked = _Asked(filters, today)
    order = _ordered(published, asked, sort)
    ids = _shown_ids(published, asked, order)
    is_plain = filters.state == "open" and not asked.faceted
    return QueuePage(
        rows=tuple(_rows(published, ids[(page - 1) * size : page * size], today)),
        total=len(ids),
        page=page,
        size=size,
        facets=_moved_facets(published, order) if is_plain else _facets(published, asked),
        publication=published.name,
    )


def neighbours(published: Published, flag_id: str, filters: QueueFilters, sort: QueueSort, today: date) -> Neighbours:
    """The rows around a flag. One that was decided by now keeps its place, so that the next one can be told; for one
    that the filters don't let through the next is the first."""
    asked = _Asked(filters, today)
    order = _ordered(published, asked, sort)
    ids = _shown_ids(published, asked, order)
    own = order.places.get(flag_id)
    at = 0 if own is None else bisect_left(ids, own, key=order.places.__getitem__)
    is_in = own is not None and at < len(ids) and ids[at] == flag_id
    before = ids[at - 1 : at] if own is not None and at else []
    after = ids[at + is_in : at + is_in + 1]
    rows = {row.flag_id: row for row in _rows(published, [*before, *after], today)}
    return Neighbours(
        previous=rows[before[0]] if before else None,
        next=rows[after[0]] if after else None,
        place=at + 1 if is_in else None,
        total=len(ids),
    )


# --- Orders: asked for once a publication; what was decided since is laid over them


def _ordered(published: Published, asked: "_Asked", sort: QueueSort) -> Order:
    """The flags that pass the filters on what does not change with decisions."""
    where = " AND ".join(asked.lasting.values()) or "true"

    def ask() -> Order:
        of_facets = ", ".join(FACETS)
        sql = f"""SELECT flag_id, {of_facets} FROM memory.main.queue WHERE {where} ORDER BY {_ORDERS[sort]}, {_TIES}"""
        rows = published.rows(sql, asked.lasting_given)
        ids = [row["flag_id"] for row in rows]
        counts = {name: Counter(row[name] for row in rows) for name in FACETS}
        return Order(ids, {id: place for place, id in enumerate(ids)}, counts)

    return published.order((where, repr(asked.lasting_given), sort), ask)


def _shown_ids(published: Published, asked: "_Asked", order: Order) -> list[str]:
    """The flags of an order that pass the filters on what was decided, too."""
    moved = published.moved
    if not asked.filters.status:
        away = {id for id, one in moved.items() if not _is_in(one, asked.filters.state)}
        if asked.filters.state == "waiting":
            return [id for id in order.ids if id in moved and id not in away]
        return [id for id in order.ids if id not in away] if away else order.ids
    sql = f"SELECT flag_id FROM memory.main.live_queue WHERE {asked.where()}"
    found = {row["flag_id"] for row in published.rows(sql, asked.given)}
    return [id for id in order.ids if id in found]


def _is_in(one: Moved, state: QueueState) -> bool:
    is_open = one.state != "waiting" and one.status not in SETTLED
    return {"open": is_open, "waiting": one.state == "waiting", "all": is_open or one.state == "waiting"}[state]


def _moved_facets(published: Published, order: Order) -> dict[str, tuple[Facet, ...]]:
    """The facets of all that is open: as they were when published, less what was decided since."""
    counts = {name: counter.copy() for name, counter in order.counts.items()}
    for id, one in published.moved.items():
        if id in order.places:
            for name in FACETS:
                counts[name][one.published if name == "status" else getattr(one, name)] -= 1
            if _is_in(one, "open"):
                for name in FACETS:
                    counts[name][getattr(one, name)] += 1
    return {name: _ranked(counter.items()) for name, counter in counts.items()}


def _ranked(counts: Iterable[tuple[str | None, int]]) -> tuple[Facet, ...]:
    """The values that any row has, the most frequent first."""
    facets = [Facet(value, count) for value, count in counts if value is not None and count]
    return tuple(sorted(facets, key=lambda facet: (-facet.count, facet.value))[:MOST_VALUES])


def _rows(published: Published, ids: Sequence[str], today: date) -> list[QueueRow]:
    """The rows of these flags, in the same order."""
    if not ids:
        return []
    sql = f"SELECT {', '.join(QUEUE_COLUMNS)} FROM memory.main.queue WHERE flag_id IN (SELECT unnest($ids))"
    found = {row["flag_id"]: row for row in published.rows(sql, {"ids": list(ids)})}
    return [_shown(found[id], published.moved.get(id), today) for id in ids]


class _Asked:
    """The filters as SQL, each by its name, and the values that they stand on."""

    def __init__(self, filters: QueueFilters, today: date):
        self.filters = filters
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
    def lasting(self) -> dict[str, str]:
        """The conditions on what does not change when somebody decides."""
        return {name: sql for name, sql in self.conditions.items() if name not in ("state", "status")}

    @property
    def lasting_given(self) -> dict[str, Any]:
        """The values that they stand on."""
        return {name: value for name, value in self.given.items() if name != "status"}

    @property
    def faceted(self) -> dict[str, str]:
        """The conditions on facets that are set."""
        return {name: sql for name, sql in self.conditions.items() if name in FACETS}


def _facets(published: Published, asked: _Asked) -> dict[str, tuple[Facet, ...]]:
    """The values of each facet with their counts, as if its own filter were not set."""
    others = " AND ".join(sql for name, sql in asked.conditions.items() if name not in FACETS)
    flags = "".join(f", coalesce({sql}, false) AS has_{name}" for name, sql in asked.faceted.items())
    counts = " UNION ALL ".join(_count(name, asked.faceted) for name in FACETS)
    sql = f"""WITH chosen AS MATERIALIZED (
        SELECT {", ".join(FACETS)}{flags} FROM memory.main.live_queue WHERE {others}
    ) {counts}"""
    found: dict[str, list[tuple[str | None, int]]] = {name: [] for name in FACETS}
    for row in published.rows(sql, asked.given):
        found[row["facet"]].append((row["value"], row["count"]))
    return {name: _ranked(counts) for name, counts in found.items()}


def _count(name: str, faceted: dict[str, str]) -> str:
    where = " AND ".join(f"has_{other}" for other in faceted if other != name) or "true"
    return f"""(SELECT '{name}' AS facet, {name} AS value, count(*) AS count FROM chosen WHERE {where}
        GROUP BY {name} ORDER BY count DESC, value LIMIT {MOST_VALUES})"""


def _shown(row: Row, moved: Moved | None, today: date) -> QueueRow:
    values = row | {"refs": tuple(row["refs"] or ())}
    if moved:
        values |= {"status": moved.status, "state": moved.state}
    came = row["ingested_at"]
    return QueueRow(**values, age_days=(today - came.date()).days if came else None)


def open_flags(published: Published, contract_ids: list[str]) -> dict[str, Row]:
    """How many flags of these contracts are open, and how severe the worst is."""
    sql = f"""SELECT contract_id, count(*) AS open_flags, arg_min(severity, {_SEVERITY}) AS worst
        FROM memory.main.live_queue WHERE {_STATES["all"]} AND contract_id IN (SELECT unnest($ids)) GROUP BY ALL"""
    return {row["contract_id"]: row for row in published.rows(sql, {"ids": contract_ids})}
