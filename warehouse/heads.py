"""Heads: for every document, contract and family, the run and version whose rows are the latest.

Each run that landed something writes a full snapshot; the views of the latest rows join on it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas.errors import WarehouseError
from warehouse.arrow import arrow_array
from warehouse.parquet import read_columns
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

Head = tuple[Any, ...]
Key = tuple[str, str]


class NewHeads:
    """The heads of one run, gathered batch by batch."""

    def __init__(self, run_id: str):
        self.run_id = run_id
        self.heads: dict[Key, Head] = {}

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

    def merged(self, former: Path | None) -> pa.Table:
        """The snapshot after this run: the former one, with this run's heads in the place of their old ones.

        A document that was not read again keeps its pages.
        """
        if former is None:
            return self._table({})
        held = read_columns(former)
        ids = zip(held["kind"].to_pylist(), held["id"].to_pylist(), strict=True)
        ours = [key in self.heads for key in ids]
        before = held.filter(arrow_array(ours, pa.bool_()))
        pages = (before[name].to_pylist() for name in ("kind", "id", "pages_run_id"))
        kept = {(kind, id): run for kind, id, run in zip(*pages, strict=True) if run}
        others = held.filter(arrow_array([not it for it in ours], pa.bool_()))
        return pa.concat_tables([others, self._table(kept)])

    def _table(self, kept: dict[Key, str]) -> pa.Table:
        columns = dict(zip(SCHEMA.names, zip(*self.heads.values(), strict=True), strict=True))
        columns["pages_run_id"] = [
            run or kept.get(key) for key, run in zip(self.heads, columns["pages_run_id"], strict=True)
        ]
        return pa.Table.from_arrays([arrow_array(list(columns[f.name]), f.type) for f in SCHEMA], schema=SCHEMA)
