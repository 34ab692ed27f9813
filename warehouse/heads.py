"""Heads: for every document, contract and family, the run and version whose rows are the latest.

Each run that landed something writes the heads of what it landed, and which versions these take the place of. So a
night costs what arrived, however much is held; compacting makes one file of many.
"""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from schemas.errors import WarehouseError
from warehouse.arrow import arrow_array
from warehouse.manifest import glob_free
from warehouse.rows import Rows

SCHEMA = pa.schema(
    [
        ("kind", pa.string()),  # document | contract | family
        ("id", pa.string()),
        ("run_id", pa.string()),
        ("pages_run_id", pa.string()),  # the run whose pages and edit marks count; documents only
        ("version", pa.int32()),
        ("status", pa.string()),
        ("contract_id", pa.string()),
        ("document_id", pa.string()),
        ("work_key", pa.string()),
        ("error_code", pa.string()),
        ("duplicate_of", pa.string()),
        ("source_uri", pa.string()),
    ]
)
SUPERSEDED = pa.schema(
    [
        ("kind", pa.string()),
        ("id", pa.string()),
        ("run_id", pa.string()),
        ("by_number", pa.int64()),
        ("until", pa.int64()),
    ]
)
"""A version that is the latest no longer, the number of the manifest that brought another in its place, and of the one
that took that back. Besides the kinds of heads there is `pages`: a document that could not be read again keeps its
pages."""

Head = tuple[Any, ...]
Key = tuple[str, str]


class NewHeads:
    """The heads of one run, gathered batch by batch."""

    def __init__(self, run_id: str):
        self.run_id = run_id
        self.heads: dict[Key, Head] = {}
        self._former: dict[Key, tuple[str, str | None]] = {}
        self._looked_up: set[str] = set()

    def add(self, rows: Rows) -> None:
        """Take a batch's documents and contracts. Raises WarehouseError for one that this run already gave,
        and for rows of another run."""
        read = {row["document_id"] for name in ("pages", "edit_marks") for row in rows.get(name, ())}
        for row in rows.get("documents", ()):
            pages = self.run_id if row["document_id"] in read else None
            self._put("document", row["document_id"], row, pages_run_id=pages)
        for row in rows.get("contracts", ()):
            self._put("contract", row["contract_id"], row)

    def add_families(self, family_ids: Iterable[str]) -> None:
        """Take the families that this run worked out anew, also those of which nothing is left."""
        for family_id in family_ids:
            self._put("family", family_id, {"run_id": self.run_id})

    def _put(self, kind: str, id: str, row: dict[str, Any], **more: Any) -> None:
        if row.get("run_id") != self.run_id:
            raise WarehouseError(f"The {kind} {id} bears the run {row.get('run_id')}, not {self.run_id}.")
        if (kind, id) in self.heads:
            raise WarehouseError(f"The {kind} {id} was landed twice in the run {self.run_id}.")
        values = row | {"kind": kind, "id": id} | more
        self.heads[kind, id] = tuple(values.get(name) for name in SCHEMA.names)

    def tables(self, held: Collection[Path], number: int) -> tuple[pa.Table, pa.Table]:
        """These heads, and the versions among the heads held that they supersede by the manifest of this number.

        A document that was not read again keeps its pages.
        """
        former = self._those_before(held)
        kept = {key: pages_run for key, (_, pages_run) in former.items() if pages_run}
        superseded = []
        for key, (_, id, _, pages_run, *_) in self.heads.items():
            if key in former:
                superseded.append((*key, former[key][0]))
            if key in kept and pages_run:
                superseded.append(("pages", id, kept[key]))
        return self._table(kept), _table(SUPERSEDED, [(*row, number, None) for row in superseded])

    def _those_before(self, held: Collection[Path]) -> dict[Key, tuple[str, str | None]]:
        """The run and the run of the pages of each that was held before; looked up once, whoever asks again."""
        asked = {id for _, id in self.heads} - self._looked_up
        rows = latest_heads(held, asked, _OF_FORMER) if asked else ()
        self._former |= {(kind, id): (run_id, pages_run) for kind, id, run_id, pages_run in rows}
        self._looked_up |= asked
        return self._former

    def _table(self, kept: dict[Key, str]) -> pa.Table:
        at = SCHEMA.names.index("pages_run_id")
        rows = [(*head[:at], head[at] or kept.get(key), *head[at + 1 :]) for key, head in self.heads.items()]
        return _table(SCHEMA, rows)


_OF_FORMER = ("run_id", "pages_run_id")


def latest_heads(
    files: Collection[Path], ids: Collection[str] | None = None, columns: Sequence[str] = tuple(SCHEMA.names[2:])
) -> list[Head]:
    """The latest head of each document, contract and family, or of those with these ids; a later file's word counts.

    Its kind, its id, and the columns asked for.
    """
    if not files:
        return []
    con = duckdb.connect(":memory:")
    try:
        return con.execute(*latest_of(files, ids, columns)).fetchall()
    finally:
        con.close()


def latest_of(
    files: Collection[Path], ids: Collection[str] | None = None, columns: Sequence[str] = tuple(SCHEMA.names[2:])
) -> tuple[str, dict[str, Any]]:
    """The query for `latest_heads`, and its parameters."""
    latest = ", ".join(f"arg_max_null(h.{name}, f.place) AS {name}" for name in columns)
    only = "" if ids is None else "SEMI JOIN (SELECT unnest($ids::VARCHAR[]) AS id) USING (id)"
    paths = [str(file) for file in files]
    sql = f"""SELECT h.kind, h.id, {latest}
        FROM read_parquet($paths, filename = true, hive_partitioning = false) h {only}
        JOIN (SELECT unnest($files) AS file, unnest(range({len(paths)})) AS place) f ON f.file = h.filename
        GROUP BY h.kind, h.id"""
    given = {"files": paths, "paths": list(map(glob_free, paths))}
    return sql, given | ({} if ids is None else {"ids": list(ids)})


def _table(schema: pa.Schema, rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in schema]
    arrays = [arrow_array(list(values), field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
