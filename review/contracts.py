"""The rows of contracts as they were published: those that were looked at, and those in the queue held near.

A contract's rows stand in a dozen tables of the lake, and in each of them a group of many thousand rows is opened for a
few. That takes long for somebody who waits, so the contracts at the head of the queue are read together beforehand.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import NamedTuple

import duckdb

from review.family import CHANGING
from review.live import On
from review.published import Published, Rows
from review.shown import Row
from schemas.tables import TABLE_BY_NAME
from warehouse.decisions import TARGETS

MOST_CONTRACTS = 400
"""Contracts that are held ready for the next look."""
MOST_NEAR = 5_000
"""Contracts of the queue, those of the highest priority, that are read beforehand, with their families."""


class Raw(NamedTuple):
    """A contract's rows by table; `members`, `in_force`, `effects` and `said` are of its family."""

    contract_id: str
    rows: dict[str, list[Row]]

    @property
    def contract(self) -> Row:
        return self.rows["contracts"][0]


_OF_A_CONTRACT = {
    "contracts": "SELECT * FROM contracts WHERE contract_id = $id",
    "terms": "SELECT * FROM terms WHERE contract_id = $id",
    "flags": "SELECT * FROM flags WHERE contract_id = $id",
    "asc606": "SELECT * FROM asc606 WHERE contract_id = $id ORDER BY topic, asc606_id",
    "documents": """SELECT * EXCLUDE (likeness, work_key) FROM documents WHERE contract_id = $id
        ORDER BY status = 'duplicate', file_name, document_id""",
    "fee_lines": "SELECT * FROM fee_lines WHERE contract_id = $id ORDER BY line",
    "billing_schedule": "SELECT * FROM billing_schedule WHERE contract_id = $id ORDER BY due_date NULLS LAST, basis",
    "obligations": "SELECT * FROM obligations WHERE contract_id = $id ORDER BY due_date NULLS LAST, page_number",
    "document_references": "SELECT * FROM document_references WHERE contract_id = $id ORDER BY reference",
}
_OF_ITS_DOCUMENTS = {
    "pages": """SELECT * EXCLUDE (text, marked_text) FROM pages WHERE document_id IN (SELECT unnest($ids))
        ORDER BY document_id, page_number""",
    "marks": """SELECT * EXCLUDE (crop), crop IS NOT NULL AS has_crop FROM edit_marks
        WHERE document_id IN (SELECT unnest($ids))
        ORDER BY document_id, page_number, y0, x0, y1, x1, kind, text""",
}
_OF_ITS_FAMILY = {
    "in_force": "SELECT * FROM family_terms WHERE family_id = $family_id ORDER BY term, value",
    "family_conflicts": "SELECT * FROM family_conflicts WHERE family_id = $family_id ORDER BY term, contract_id",
}
_EFFECTS = """SELECT * FROM amendment_effects WHERE contract_id IN (SELECT unnest($ids))
ORDER BY contract_id, effect_number"""
_SAID = """SELECT contract_id, document_id, term, value, quote, page_number, evidence FROM terms
WHERE contract_id IN (SELECT unnest($ids)) AND absence IS NULL ORDER BY contract_id, term, term_id"""
_NOTHING: dict[str, list[Row]] = {
    name: [] for name in (*_OF_A_CONTRACT, *_OF_ITS_DOCUMENTS, *_OF_ITS_FAMILY, "effects", "said")
}
_FROM = {"in_force": "family_terms", "effects": "amendment_effects", "marks": "edit_marks"}
"""The tables that these come from; the others have the table's name."""
_MEMBERS = """SELECT m.*, l.title, l.contract_type, l.file_name, l.document_id AS of_document FROM memory.main.members m
LEFT JOIN memory.main.listed l ON l.contract_id = m.contract_id
WHERE m.family_id IN (SELECT family_id FROM memory.main.members WHERE contract_id = $id)
ORDER BY m.relation <> 'root', m.effective_from NULLS FIRST, m.contract_id"""

_NEAR = f"""WITH first AS (
    SELECT contract_id FROM memory.main.queue GROUP BY contract_id ORDER BY max(priority) DESC, contract_id
    LIMIT {MOST_NEAR}
),
families AS (SELECT DISTINCT family_id FROM memory.main.members WHERE contract_id IN (FROM first))
SELECT contract_id, NULL AS family_id FROM first
UNION
SELECT contract_id, family_id FROM memory.main.members WHERE family_id IN (FROM families)"""
_LEFT_OUT = {
    "pages": "REPLACE (NULL::VARCHAR AS text, NULL::VARCHAR AS marked_text)",
    "edit_marks": "REPLACE (CASE WHEN crop IS NOT NULL THEN ''::BLOB END AS crop)",
    "documents": "REPLACE (NULL::BIGINT[] AS likeness)",
}
"""What of a table is large and not shown with a contract."""
_NEAR_TABLES = (
    *("contracts", "terms", "flags", "asc606", "documents", "fee_lines", "billing_schedule", "obligations"),
    *("document_references", "amendment_effects", "pages", "edit_marks", "family_terms", "family_conflicts"),
)


class Contracts:
    """The contracts of one publication. Any number of threads may ask; what they get is not to be changed.

    `former` are those of the publication before: they serve on where only decisions were landed since.
    """

    def __init__(self, published: Published, former: "Contracts | None" = None):
        self._published = published
        self._lock = Lock()
        self._looked_at: OrderedDict[str, Raw] = OrderedDict()
        self._owner: dict[On, str] = {}
        self._near: _Near | None = None
        if former is not None and not published.has_other_rows_than(former._published):
            published.take_over(former._published)
            with former._lock:
                self._looked_at, self._owner = former._looked_at.copy(), former._owner.copy()
                self._near = former._near
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="desk")
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="desk-ahead")
        self._coming: set[str] = set()

    def bring_near(self) -> None:
        """Read the contracts at the head of the queue, unless they are near from before."""
        if self._near is None:
            self._near = _Near(self._published)

    @property
    def near_ids(self) -> frozenset[str]:
        """The contracts that were brought near."""
        return self._near.contract_ids if self._near else frozenset()

    def close(self) -> None:
        """Wait for those that are being read."""
        self._ahead.shutdown(cancel_futures=True)
        self._pool.shutdown()

    def make_ready(self, contract_id: str) -> None:
        """Have a contract read before it is asked for, without waiting for it."""
        with self._lock:
            if contract_id in self._looked_at or contract_id in self._coming:
                return
            self._coming.add(contract_id)
        self._ahead.submit(self._bring, contract_id)

    def _bring(self, contract_id: str) -> None:
        try:
            self.get(contract_id)
        finally:
            with self._lock:
                self._coming.discard(contract_id)

    def get(self, contract_id: str) -> Raw | None:
        """A contract's rows; None when there is no such contract."""
        with self._lock:
            if found := self._looked_at.get(contract_id):
                self._looked_at.move_to_end(contract_id)
                return found
        raw = self._read(contract_id)
        if raw is not None:
            with self._lock:
                self._hold(raw)
        return raw

    def _hold(self, raw: Raw) -> None:
        self._looked_at[raw.contract_id] = raw
        self._owner |= dict.fromkeys(_targets_of(raw), raw.contract_id)
        while len(self._looked_at) > MOST_CONTRACTS:
            _, gone = self._looked_at.popitem(last=False)
            for on in _targets_of(gone):
                self._owner.pop(on, None)

    def of_target(self, on: On) -> str | None:
        """The contract that a target belongs to; None when there is no such target."""
        with self._lock:
            if contract_id := self._owner.get(on):
                return contract_id
        of = TARGETS[on[0]]
        sql = f"SELECT contract_id FROM {of.table} WHERE {of.id} = $id"
        for source in filter(None, (self._near, self._published)):
            if found := source.rows(sql, {"id": on[1]}):
                return found[0]["contract_id"]
        return None

    def _read(self, contract_id: str) -> Raw | None:
        published = self._published
        if not published.rows("SELECT 1 FROM memory.main.listed WHERE contract_id = $id", {"id": contract_id}):
            return None
        source = self._near if self._near and contract_id in self.near_ids else published
        members = published.rows(_MEMBERS, {"id": contract_id})
        asked = _asked(source, _OF_A_CONTRACT, {"id": contract_id}, [contract_id])
        if members:
            family_id, ids = members[0]["family_id"], [row["contract_id"] for row in members]
            asked |= _asked(source, _OF_ITS_FAMILY, {"family_id": family_id}, [family_id])
            asked |= _asked(source, {"effects": _EFFECTS}, {"ids": ids}, ids)
        if others := _wanted_terms(members, contract_id):
            asked["said"] = (_SAID, {"ids": others})
        rows = _NOTHING | {"members": members} | self._all(source, asked)
        rows["said"] = [*rows["said"], *(row for row in rows["terms"] if row["absence"] is None)]
        ids = [row["document_id"] for row in rows["documents"]]
        rows |= self._all(source, _asked(source, _OF_ITS_DOCUMENTS, {"ids": ids}, ids))
        published.hold(rows["documents"], rows["pages"])
        return Raw(contract_id, rows)

    def _all(self, source: Rows, asked: dict[str, tuple[str, Row]]) -> dict[str, list[Row]]:
        """The rows of several queries, two at a time."""
        found = self._pool.map(lambda query: source.rows(*query), asked.values())
        return dict(zip(asked, found, strict=True))


class _Near(Rows):
    """The same tables with the rows of some contracts alone, in memory."""

    def __init__(self, published: Published):
        super().__init__(duckdb.connect(":memory:"))
        rows = published.rows(_NEAR)
        self.contract_ids = frozenset(row["contract_id"] for row in rows)
        family_ids = frozenset(row["family_id"] for row in rows if row["family_id"])
        held = published.arrow(
            "SELECT document_id FROM documents WHERE contract_id IN (SELECT unnest($ids))",
            {"ids": sorted(self.contract_ids)},
        )
        document_ids = held.column("document_id").to_pylist()
        self._of: dict[str, frozenset[str]] = {}
        ids = {"document": document_ids, "contract": sorted(self.contract_ids), "family": sorted(family_ids)}
        for name in _NEAR_TABLES:
            level = _level(name)
            sql = f"SELECT * {_LEFT_OUT.get(name, '')} FROM {name} WHERE {level}_id IN (SELECT unnest($ids))"
            arriving = published.arrow(sql, {"ids": ids[level]})
            self.con.register("arriving", arriving)
            self.con.execute(f"CREATE TABLE {name} AS SELECT * FROM arriving ORDER BY {level}_id")
            self.con.unregister("arriving")
            self._of[name] = frozenset(arriving.column(f"{level}_id").unique().to_pylist())

    def lacks(self, table: str, id: str) -> bool:
        """See Rows.lacks."""
        return id not in self._of[table]


def _level(table: str) -> str:
    """By which id its rows are asked for."""
    return "contract" if table == "documents" else TABLE_BY_NAME[table].level


def _asked(source: Rows, queries: dict[str, str], given: Row, ids: Sequence[str]) -> dict[str, tuple[str, Row]]:
    """Those of the queries that may have rows of these ids, with what they are given."""
    return {
        name: (sql, given)
        for name, sql in queries.items()
        if not all(source.lacks(_FROM.get(name, name), id) for id in ids)
    }


def _wanted_terms(members: Sequence[Row], contract_id: str) -> list[str]:
    """The other members of a family without which it can't be told what an amendment changed."""
    changes = [row for row in members if row["relation"] in CHANGING]
    wanted = {row["contract_id"] for row in changes} | {row["parent_contract_id"] for row in changes}
    return sorted(wanted - {contract_id, None})


def _targets_of(raw: Raw) -> Iterator[On]:
    for target, of in TARGETS.items():
        for row in raw.rows[of.table]:
            yield target, row[of.id]
