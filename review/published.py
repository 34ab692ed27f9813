"""One published state of the warehouse, as the desk reads it: a connection of its own, with what is asked for all the
time held in its memory.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from threading import Lock, local
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from review.live import Live, On
from review.shown import PageInfo, Row
from schemas.review import SETTLED, TargetName
from warehouse.decisions import TARGETS
from warehouse.read import connect

MOST_DOCUMENTS = 2_000
MOST_ORDERS = 50

QUEUE_COLUMNS = (
    *("priority", "severity", "title", "counterparty", "rule_id", "reason", "found", "standard", "refs"),
    *("total_value", "currency", "file_name", "page_number", "quote", "evidence", "confidence", "status"),
    *("clause_type", "flag_id", "contract_id", "document_id", "ingested_at"),
)

# As in views/review_queue.sql; for flags that are open again only since the warehouse was published.
_PRIORITY = """round(
    CASE f.severity WHEN 'critical' THEN 8 WHEN 'high' THEN 4 WHEN 'medium' THEN 2 ELSE 1 END
    * (1 + log10(1 + greatest(coalesce(c.total_value, 0), 0)::DOUBLE) / 2)
    * (2 - coalesce(f.confidence, 0)),
    2
)"""

_QUEUED = """SELECT q.*, l.contract_type, l.company, v.decided_at, lower(concat_ws(
    ' ', q.title, q.counterparty, q.rule_id, q.reason, q.found, q.quote, q.file_name, q.contract_id
)) AS words
FROM ({}) q
LEFT JOIN memory.main.listed l ON l.contract_id = q.contract_id
LEFT JOIN memory.main.last_decided v ON v.target = 'flag' AND v.target_id = q.flag_id"""

_IN_MEMORY = (
    "CREATE TABLE memory.main.decided AS SELECT * FROM reviews ORDER BY contract_id, decided_at",
    """CREATE TABLE memory.main.last_decided AS
    SELECT target, target_id, max(decided_at) AS decided_at FROM memory.main.decided GROUP BY ALL""",
    "CREATE TABLE memory.main.members AS SELECT * FROM family_members ORDER BY family_id, contract_id",
    """CREATE TABLE memory.main.listed AS
    SELECT c.contract_id, c.title, c.contract_type, c.counterparty, c.our_entity, c.effective_date, c.expiration_date,
        c.total_value, c.currency, c.capture_class, c.document_id, d.file_name, d.ingested_at,
        company_name(c.counterparty) AS company,
        lower(concat_ws(' ', c.title, c.counterparty, c.our_entity, d.file_name, c.contract_id)) AS words
    FROM contracts c
    LEFT JOIN documents d ON d.contract_id = c.contract_id AND d.document_id = c.document_id
    ORDER BY d.ingested_at DESC NULLS LAST, c.contract_id""",
    "CREATE TABLE memory.main.queue AS " + _QUEUED.format(f"SELECT {', '.join(QUEUE_COLUMNS)} FROM review_queue"),
    "CREATE TABLE memory.main.live (flag_id VARCHAR, decision VARCHAR, state VARCHAR, decided_at TIMESTAMP)",
    "CREATE TABLE memory.main.rules (rule_id VARCHAR, scope VARCHAR, company VARCHAR)",
    """CREATE VIEW memory.main.live_queue AS
    SELECT q.* EXCLUDE (status, decided_at), l.state,
        CASE
            WHEN EXISTS (
                SELECT 1 FROM memory.main.rules o
                WHERE o.rule_id = q.rule_id AND (o.scope IN ('all', q.contract_type) OR o.company = q.company)
            ) THEN 'not_applicable'
            WHEN l.state IN ('waiting', 'declined') OR l.decided_at < q.decided_at THEN q.status
            ELSE coalesce(l.decision, q.status)
        END AS status
    FROM memory.main.queue q
    LEFT JOIN memory.main.live l ON l.flag_id = q.flag_id""",
)

_OPEN_AGAIN = "INSERT INTO memory.main.queue " + _QUEUED.format(
    f"""SELECT {_PRIORITY} AS priority, f.severity, c.title, c.counterparty, f.rule_id, f.reason, f.found, f.standard,
        f.refs, c.total_value, c.currency, d.file_name, f.page_number, f.quote, f.evidence, f.confidence, f.status,
        f.clause_type, f.flag_id, f.contract_id, f.document_id, d.ingested_at
    FROM flags f
    LEFT JOIN contracts c ON c.contract_id = f.contract_id
    LEFT JOIN documents d ON d.contract_id = f.contract_id AND d.document_id = f.document_id
    WHERE f.contract_id IN (SELECT unnest($contract_ids)) AND f.flag_id IN (SELECT unnest($flag_ids))"""
)


FACETS = ("severity", "rule_id", "clause_type", "counterparty", "status")


class Moved(NamedTuple):
    """What holds of a flag now, its status when it was published, and what else it is filtered by."""

    status: str
    state: str | None
    published: str
    severity: str
    rule_id: str
    clause_type: str | None
    counterparty: str | None


class Order(NamedTuple):
    """Flags of the queue in an order, with the place of each from 0, whatever was decided since; and how many of them
    have each value that can be filtered by."""

    ids: list[str]
    places: dict[str, int]
    counts: dict[str, Counter[str]]


class Filed(NamedTuple):
    """Where a document came from: its path below the inbox that was read then, and its pages."""

    document_id: str
    contract_id: str
    inbox: str | None
    source_uri: str
    file_name: str
    sha256: str
    pages: tuple[PageInfo, ...]


_FILED = "SELECT document_id, contract_id, source_uri, file_name, sha256, run_id FROM documents WHERE document_id = $id"
_PAGES = """SELECT * EXCLUDE (text, marked_text) FROM pages WHERE document_id = $id ORDER BY page_number"""
_MARKS = """FROM edit_marks WHERE document_id IN (SELECT unnest($ids))
ORDER BY document_id, page_number, y0, x0, y1, x1, kind, text"""


class Rows:
    """A connection whose rows any number of threads may ask for."""

    def __init__(self, con: duckdb.DuckDBPyConnection, catalogue: str | None = None):
        self.con = con
        self._catalogue = catalogue
        self._own = local()

    def rows(self, sql: str, given: dict[str, Any] | None = None) -> list[Row]:
        """The rows of a query as dictionaries."""
        cursor = getattr(self._own, "cursor", None)
        if cursor is None:
            cursor = self._own.cursor = self.cursor()
        found = cursor.execute(sql, given).fetchall() if given else cursor.execute(sql).fetchall()
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found]

    def lacks(self, table: str, id: str) -> bool:
        """Whether it is known that a table has nothing of a contract, document or family; else it has to be asked."""
        return False

    def arrow(self, sql: str, given: dict[str, Any]) -> pa.Table:
        """The same as an Arrow table."""
        cursor = self.cursor()
        try:
            return cursor.sql(sql, params=given).to_arrow_table()
        finally:
            cursor.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of one thread's own."""
        cursor = self.con.cursor()
        if self._catalogue:
            cursor.execute(f"USE {self._catalogue}")
        return cursor


class Published(Rows):
    """The warehouse as of one publication. Any number of threads may ask; what they get is not to be changed.

    Raises WarehouseError when there is no warehouse or it can't be read.
    """

    def __init__(self, root: Path):
        super().__init__(connect(root), "warehouse")
        for statement in _IN_MEMORY:
            self.con.execute(statement)
        ((self.number, run_id),) = self.con.execute("SELECT number, run_id FROM warehouse_info").fetchall()
        self.name = f"{self.number}-{run_id}"
        self.references = {row["key"]: row for row in self.rows("SELECT * FROM evidence_refs")}
        self._filed: dict[str, Filed] = {}
        self._inboxes = {row["run_id"]: row["inbox"] for row in self.rows("SELECT run_id, inbox FROM runs")}
        self._lock = Lock()
        self._live_lock = Lock()
        self.moved: dict[str, Moved] = {}
        """Flags of the queue of which something else was said since."""
        self._orders: dict[Hashable, Order] = {}
        self._followed = 0
        self._rules: tuple[tuple[str, str], ...] = ()

    def has_other_rows_than(self, former: "Published") -> bool:
        """Whether more than decisions was landed since: a run, or that one was undone, or a contract forgotten."""
        sql = """SELECT 1 FROM runs_history WHERE number > $number AND trigger IS DISTINCT FROM 'review'
            UNION ALL SELECT 1 FROM audit WHERE number > $number"""
        return self.number < former.number or bool(self.rows(sql, {"number": former.number}))

    def reviews(self, contract_id: str) -> list[Row]:
        """The landed decisions of a contract, in the order in which they were made."""
        sql = "SELECT * FROM memory.main.decided WHERE contract_id = $id ORDER BY decided_at"
        return self.rows(sql, {"id": contract_id})

    def close(self) -> None:
        """Give the connection back once nobody asks any more."""
        self.con.close()

    # --- The live decisions on flags

    def follow(self, live: Live) -> None:
        """Lay what was decided since the last time over the queue."""
        if self._followed == len(live.changed) and self._rules == live.rules:
            return
        with self._live_lock:
            upto = len(live.changed)
            moved = {id for target, id in live.changed[self._followed : upto] if target == "flag"}
            if moved:
                self._lay_over(live, moved)
            if self._rules != live.rules:
                self._put("rules", [self._rule(*rule) for rule in live.rules], None)
                self._note_moved(None)
            elif moved:
                self._note_moved(moved)
            self._followed, self._rules = upto, live.rules

    def overruled(self, contract_id: str) -> frozenset[str]:
        """The rules that are not asked of a contract today."""
        if not self._rules:
            return frozenset()
        sql = """SELECT DISTINCT o.rule_id FROM memory.main.rules o JOIN memory.main.listed l
            ON o.scope IN ('all', l.contract_type) OR o.company = l.company WHERE l.contract_id = $id"""
        return frozenset(row["rule_id"] for row in self.rows(sql, {"id": contract_id}))

    def _rule(self, rule_id: str, scope: str) -> Row:
        """As the view excepted_flags takes a scope."""
        ((company,),) = [row.values() for row in self.rows("SELECT company_name($scope)", {"scope": scope})]
        return {"rule_id": rule_id, "scope": scope.lower(), "company": company}

    def _lay_over(self, live: Live, flag_ids: set[str]) -> None:
        rows: list[Row] = []
        back: dict[str, str] = {}
        for flag_id in flag_ids:
            on: On = ("flag", flag_id)
            one, gone = live.standing.get(on), live.reopened.get(on)
            if one is None and gone is None:
                continue
            counts = one is not None and one.state == "effective"
            decision = one.decision if one is not None and (counts or not gone) else "proposed"
            state = one.state if one is not None else None
            rows.append({"flag_id": flag_id, "decision": decision, "state": state, "decided_at": live.since(on)})
            if not counts or decision not in SETTLED:
                back[flag_id] = (one or gone).contract_id
        self._put("live", rows, flag_ids)
        queued = "SELECT flag_id FROM memory.main.queue WHERE flag_id IN (SELECT unnest($ids))"
        for row in self.rows(queued, {"ids": list(back)}) if back else ():
            del back[row["flag_id"]]
        if back:
            given = {"contract_ids": sorted(set(back.values())), "flag_ids": sorted(back)}
            if self.rows(_OPEN_AGAIN, given)[0]["Count"]:
                self._orders = {}

    def _note_moved(self, flag_ids: set[str] | None) -> None:
        """What holds now of these flags of the queue, or of all of which something else was said."""
        all_moved = "q.status <> l.status OR l.state IS NOT NULL"
        some = all_moved if flag_ids is None else "q.flag_id IN (SELECT unnest($ids))"
        of_facets = ", ".join(f"q.{name}" for name in FACETS if name != "status")
        sql = f"""SELECT q.flag_id, l.status, l.state, q.status AS published, {of_facets}
            FROM memory.main.queue q JOIN memory.main.live_queue l USING (flag_id) WHERE {some}"""
        found = self.rows(sql, None if flag_ids is None else {"ids": list(flag_ids)})
        moved = {row["flag_id"]: Moved(**{name: row[name] for name in Moved._fields}) for row in found}
        kept = {} if flag_ids is None else {id: one for id, one in self.moved.items() if id not in flag_ids}
        self.moved = kept | moved

    def order(self, key: Hashable, asked: Callable[[], "Order"]) -> "Order":
        """An order of the queue that was asked for before, or is asked for now."""
        orders = self._orders
        if key not in orders:
            orders[key] = asked()
            while len(orders) > MOST_ORDERS:
                orders.pop(next(iter(orders)), None)
        return orders[key]

    def _put(self, table: str, rows: Sequence[Row], instead_of: Iterable[str] | None) -> None:
        """Rows in place of those of these flags, or of all, in one moment."""
        cursor = self.cursor()
        try:
            cursor.execute("BEGIN")
            if instead_of is None:
                cursor.execute(f"DELETE FROM memory.main.{table}")
            else:
                gone = f"DELETE FROM memory.main.{table} WHERE flag_id IN (SELECT unnest($ids))"
                cursor.execute(gone, {"ids": list(instead_of)})
            if rows:
                columns = {name: [row[name] for row in rows] for name in rows[0]}
                kinds = [pa.timestamp("us") if name == "decided_at" else pa.string() for name in columns]
                arrays = [pa.array(values, kind) for values, kind in zip(columns.values(), kinds, strict=True)]
                cursor.register("arriving", pa.table(arrays, names=list(columns)))
                cursor.execute(f"INSERT INTO memory.main.{table} BY NAME SELECT * FROM arriving")
            cursor.execute("COMMIT")
        finally:
            cursor.close()

    # --- Documents

    def document(self, document_id: str) -> Filed | None:
        """Where a document came from; None when there is no such document."""
        with self._lock:
            if filed := self._filed.get(document_id):
                return filed
        rows = self.rows(_FILED, {"id": document_id})
        if rows:
            self.hold(rows, self.rows(_PAGES, {"id": document_id}))
        with self._lock:
            return self._filed.get(document_id)

    def take_over(self, former: "Published") -> None:
        """Keep what the former publication held of documents, where both hold the same rows."""
        with former._lock:
            self._filed = former._filed | self._filed

    def hold(self, documents: Iterable[Row], pages: Iterable[Row]) -> None:
        """Keep where these documents came from: to find one by its id alone takes long."""
        of: dict[str, list[PageInfo]] = defaultdict(list)
        for row in pages:
            of[row["document_id"]].append(page_info(row))
        names = ("document_id", "contract_id", "source_uri", "file_name", "sha256")
        with self._lock:
            for row in documents:
                given = {name: row[name] for name in names} | {"inbox": self._inboxes.get(row["run_id"])}
                self._filed[row["document_id"]] = Filed(**given, pages=tuple(of[row["document_id"]]))
            while len(self._filed) > MOST_DOCUMENTS:
                del self._filed[next(iter(self._filed))]

    def crop(self, document_id: str, number: int) -> bytes | None:
        """The picture of a mark by its number within the document; None where there is none."""
        given = {"ids": [document_id], "number": max(number, 0)}
        rows = self.rows(f"SELECT crop {_MARKS} LIMIT 1 OFFSET $number", given) if number >= 0 else []
        return bytes(rows[0]["crop"]) if rows and rows[0]["crop"] is not None else None

    def targets(self, wanted: Iterable[tuple[TargetName, str, str]]) -> dict[On, Row]:
        """The rows of these targets (kind, id and contract's id) with the title and counterparty of their contracts."""
        by_kind: dict[TargetName, list[tuple[str, str]]] = {}
        for target, id, contract_id in wanted:
            by_kind.setdefault(target, []).append((id, contract_id))
        found: dict[On, Row] = {}
        for target, ids in by_kind.items():
            of = TARGETS[target]
            sql = f"""SELECT t.*, c.title, c.counterparty FROM {of.table} t
                LEFT JOIN memory.main.listed c ON c.contract_id = t.contract_id
                WHERE t.contract_id IN (SELECT unnest($contract_ids)) AND t.{of.id} IN (SELECT unnest($ids))"""
            given = {"ids": [id for id, _ in ids], "contract_ids": sorted({contract_id for _, contract_id in ids})}
            found |= {(target, row[of.id]): row for row in self.rows(sql, given)}
        return found


def page_info(row: Row) -> PageInfo:
    """A row of `pages` as it is shown."""
    names = ("document_id", "page_number", "width", "height", "source", "capture_class", "ocr_confidence")
    return PageInfo(
        **{name: row[name] for name in names}, rotation=row["rotation"] or 0, warnings=tuple(row["warnings"] or ())
    )
