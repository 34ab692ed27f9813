"""Land: the rows of a run become one Parquet file a table and one manifest, all of them or none."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from schemas.contract import Reference
from schemas.errors import WarehouseError
from schemas.tables import TABLE_BY_NAME, TABLES, Table
from warehouse.arrow import arrow_schema, arrow_table
from warehouse.catalogue import seen
from warehouse.heads import NewHeads
from warehouse.manifest import HELD_BACK, LAYOUT, LOCK_SECONDS, Manifest, committed, current, publishing, write
from warehouse.parquet import TableWriter, read_columns, read_file, write_file
from warehouse.quality import GateFailed
from warehouse.rows import Rows, utc
from warehouse.stage import place, staging

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,99}")
# Small and long-lived: each file holds the former rows too.
_CARRIED = ("runs", "audit", "gate_results", "run_metrics", "rule_overrides")


def land(
    root: Path,
    run: dict[str, Any],
    batches: Iterable[Rows],
    references: Iterable[Reference] = (),
    *,
    link: "Linker | None" = None,
    check: "Checker | None" = None,
    timeout: float = LOCK_SECONDS,
) -> Manifest:
    """Write all batches of a run, commit them, and give back the manifest.

    `link` works out what hangs on several contracts, from a connection that sees the state after this run; `check`
    looks at that state last, gives rows about it, and raises GateFailed when it must not be published.

    `run` is the row of `runs`; only `run_id` is needed at the start. The rest is read after the last batch,
    and counts that are missing are counted. Batches are streamed: the lock is held only at the beginning and
    while committing. Whatever happens before the commit leaves the warehouse as it was. Raises WarehouseError
    when rows don't fit their table or another run holds the lock for `timeout` seconds.
    """
    root = Path(root).resolve()
    run_id = _checked_run_id(run)
    runs = TABLE_BY_NAME["runs"]
    arrow_table("runs", arrow_schema(runs), [run])  # an unfit row must not fail when all the work is done
    with staging(root, run_id, timeout) as stage:
        landing = Landing(stage, run_id)
        landing.take(batches)
        with publishing(root, timeout):
            link = link if landing.heads.heads else None
            return commit(root, landing, current(root), _run_row(run, landing), tuple(references), link, check)


class Linked(NamedTuple):
    """Rows of the tables on the level of the family, and the families that they replace the rows of."""

    rows: Rows
    family_ids: frozenset[str]


Checker = Callable[[duckdb.DuckDBPyConnection, str], Rows]
"""Gets a connection to all tables as they will be, and the run's id."""
Linker = Callable[[duckdb.DuckDBPyConnection, str], Linked]
"""Gets a connection to all tables as they will be, and the run's id."""


class Landing:
    """What one run has written into its stage so far."""

    def __init__(self, stage: Path, run_id: str):
        self.stage = stage
        self.run_id = run_id
        self.started_at = utc(datetime.now(UTC))
        self.writers: dict[str, TableWriter] = {}
        self.heads = NewHeads(run_id)
        self.statuses: Counter[str] = Counter()

    def take(self, batches: Iterable[Rows]) -> None:
        with ExitStack() as on_failure:
            on_failure.callback(self._abandon)
            for rows in batches:
                self._add(rows)
            on_failure.pop_all()
        for writer in self.writers.values():
            writer.close()

    def _abandon(self) -> None:
        for writer in self.writers.values():
            writer.abandon()

    def _add(self, rows: Rows) -> None:
        self.heads.add(rows)
        self.statuses.update(row["status"] for row in rows.get("documents", ()))
        for name, of_table in rows.items():
            if name not in TABLE_BY_NAME:
                raise WarehouseError(f"There is no table {name}.")
            if of_table:
                if name not in self.writers:
                    self.writers[name] = TableWriter(self.stage / f"{name}.parquet", name)
                self.writers[name].add(of_table)

    @property
    def rows(self) -> dict[str, int]:
        return {name: writer.rows for name, writer in self.writers.items()}


def _checked_run_id(run: dict[str, Any]) -> str:
    run_id = str(run.get("run_id", ""))
    if not _RUN_ID.fullmatch(run_id):
        raise WarehouseError(f"{run_id!r} can't be a run id.", help="Use letters, digits and any of _.:+- only.")
    return run_id


def _run_row(run: dict[str, Any], landing: Landing) -> dict[str, Any]:
    now = utc(datetime.now(UTC))
    counted = {
        "started_at": landing.started_at,
        "finished_at": now,
        "documents": landing.statuses.total(),
        "contracts": landing.rows.get("contracts", 0),
        "flags": landing.rows.get("flags", 0),
        "quarantined": landing.statuses["quarantined"],
        "duplicates": landing.statuses["duplicate"],
        "pages": landing.rows.get("pages", 0),
    }
    row = counted | {name: value for name, value in run.items() if value is not None}
    row.setdefault("business_date", row["started_at"].date())
    row.setdefault("seconds", max(0.0, (utc(row["finished_at"]) - utc(row["started_at"])).total_seconds()))
    return row


def commit(
    root: Path,
    landing: Landing,
    former: Manifest | None,
    run: dict[str, Any],
    references: tuple[Reference, ...] = (),
    link: Linker | None = None,
    check: Checker | None = None,
) -> Manifest:
    """Make what was staged, beside what `former` lists, the current state. Only under the lock."""
    run["number"] = number = former.number + 1 if former else 1
    if landing.run_id in committed(root) or landing.run_id in _landed_runs(root, former):
        raise WarehouseError(f"The run {landing.run_id} is already landed.", help="Give the run a new id.")
    listed = _Listed(root, landing, former)
    manifest = Manifest(
        layout=LAYOUT,
        number=number,
        run_id=landing.run_id,
        previous=former.run_id if former else None,
        created_at=datetime.now(UTC),
        run=run,
        rows=landing.rows,
        **listed.take_in(),
        **({name: getattr(former, name) for name in _STAYING} if former else {}),
    )
    if link:
        run["flags"] += _link(root, landing, manifest, link)
    _write_small_tables(root, landing, listed.files, run, references)
    tables = listed.take_in()
    heads, superseded = _write_heads(root, landing, manifest)
    manifest = manifest.model_copy(update=tables | {"heads": heads, "superseded": superseded, "run": run})
    if check:
        _stage_rows(landing, _checked(root, manifest, check))
        manifest = manifest.model_copy(update=listed.take_in())
        (root / HELD_BACK).unlink(missing_ok=True)
    write(root, manifest)
    return manifest


_STAYING = ("heads", "superseded", "superseded_before", "retired", "first")
"""What of a manifest stays as it is, but for what the run's own heads change."""


class _Listed:
    """The files of the tables as the manifest will list them: of the former state, and staged by this run."""

    def __init__(self, root: Path, landing: Landing, former: Manifest | None):
        self._root, self._landing = root, landing
        self.files = dict(former.files) if former else {}
        self._columns = dict(former.columns) if former else {}
        self._mixed = set(former.mixed) if former else set()

    def take_in(self) -> dict[str, Any]:
        """Move what is staged to its names, and give back what the manifest says of the tables now."""
        for table in TABLES:
            _carry(self._root, self._landing, self.files, table)
            staged = self._landing.stage / f"{table.name}.parquet"
            if staged.exists():
                self._take(table, staged)
        return {"files": dict(self.files), "columns": dict(self._columns), "mixed": tuple(sorted(self._mixed))}

    def _take(self, table: Table, staged: Path) -> None:
        kept = () if table.name in _CARRIED else self.files.get(table.name, ())
        self.files[table.name] = (*kept, place(self._root, self._landing.run_id, staged, table.name))
        if kept and self._columns[table.name] != tuple(table.columns):
            self._mixed.add(table.name)
        self._columns[table.name] = tuple(table.columns)


def _checked(root: Path, manifest: Manifest, check: Checker) -> Rows:
    """What was found in the state that the manifest would publish. Raises GateFailed, and keeps why for the brief."""
    try:
        with seen(root, manifest, tables_only=True) as con:
            return check(con, manifest.run_id)
    except GateFailed as failed:
        day = str(manifest.run["business_date"])
        why = {"run": manifest.run_id, "business_date": day, "gates": failed.failed}
        (root / HELD_BACK).write_text(json.dumps(why), encoding="utf-8")
        raise


def _stage_rows(landing: Landing, rows: Rows) -> None:
    for name, of_table in rows.items():
        if of_table:
            table = arrow_table(name, arrow_schema(TABLE_BY_NAME[name]), of_table)
            write_file(landing.stage / f"{name}.parquet", table)


def _landed_runs(root: Path, manifest: Manifest | None) -> set[str]:
    """The ids of all runs, also of those whose manifests are kept no longer."""
    files = manifest.files.get("runs", ()) if manifest else ()
    return {id for file in files for id in read_columns(root / file, ["run_id"])["run_id"].to_pylist()}


def _link(root: Path, landing: Landing, manifest: Manifest, link: Linker) -> int:
    """Stage what `link` makes of the state after this run, and note its heads. Returns how many flags it made."""
    staged = landing.stage / "superseded-before.parquet"
    write_file(staged, landing.heads.tables([root / file for file in manifest.heads], manifest.number)[1])
    as_it_will_be = manifest.model_copy(update={"superseded": (*manifest.superseded, str(staged))})
    with seen(root, as_it_will_be, tables_only=True) as con:
        linked = link(con, landing.run_id)
    _stage_rows(landing, linked.rows)
    landing.heads.add_families(linked.family_ids)
    return len(linked.rows.get("family_flags", ()))


def _write_small_tables(
    root: Path,
    landing: Landing,
    files: dict[str, tuple[str, ...]],
    run: dict[str, Any],
    references: tuple[Reference, ...],
) -> None:
    """Stage the tables that are not streamed: the run's row and the references."""
    runs, refs = TABLE_BY_NAME["runs"], TABLE_BY_NAME["evidence_refs"]
    write_file(landing.stage / "runs.parquet", arrow_table("runs", arrow_schema(runs), [run]))
    if references:
        given = [r.model_dump() for r in sorted(references, key=lambda r: r.key)]
        rows = arrow_table(refs.name, arrow_schema(refs), given)
        known = files.get(refs.name, ())[-1:]
        if not known or not read_file(root / known[0], refs).equals(rows):
            write_file(landing.stage / "evidence_refs.parquet", rows)


def _carry(root: Path, landing: Landing, files: dict[str, tuple[str, ...]], table: Table) -> None:
    """Put the former rows of a carried table before its new ones."""
    staged = landing.stage / f"{table.name}.parquet"
    if table.name in _CARRIED and staged.exists() and files.get(table.name):
        held = [read_file(root / path, table) for path in files[table.name]]
        write_file(staged, pa.concat_tables([*held, read_file(staged, table)]))


def _write_heads(root: Path, landing: Landing, manifest: Manifest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files of the heads and of what is superseded, with those of this run."""
    lists = [manifest.heads, manifest.superseded]
    held = [root / file for file in manifest.heads]
    tables = landing.heads.tables(held, manifest.number) if landing.heads.heads else ()
    for at, (name, table) in enumerate(zip(("heads", "superseded"), tables, strict=False)):
        if len(table):
            staged = landing.stage / f"{name}.parquet"
            write_file(staged, table)
            lists[at] = (*lists[at], place(root, landing.run_id, staged, name))
    return lists[0], lists[1]
