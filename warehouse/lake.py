"""Land: the rows of a run become one Parquet file a table and one manifest, all of them or none."""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import duckdb
import pyarrow as pa
from filelock import FileLock, Timeout

from schemas.contract import Reference
from schemas.errors import WarehouseError
from schemas.tables import TABLE_BY_NAME, TABLES, Table
from warehouse.arrow import arrow_schema, arrow_table
from warehouse.catalogue import seen
from warehouse.heads import NewHeads
from warehouse.manifest import LAYOUT, LOCK_SECONDS, Manifest, committed, current, publishing, settle, write
from warehouse.parquet import TableWriter, read_file, write_file
from warehouse.rows import Rows, utc

_FILE = re.compile(r"r-(.+)-[0-9a-f]{12}\.parquet")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,99}")
_CARRIED = ("runs", "reviews")  # small and long-lived: each file holds the former rows too


def land(
    root: Path,
    run: dict[str, Any],
    batches: Iterable[Rows],
    references: Iterable[Reference] = (),
    *,
    link: "Linker | None" = None,
    timeout: float = LOCK_SECONDS,
) -> Manifest:
    """Write all batches of a run, commit them, and give back the manifest.

    `link` works out what hangs on several contracts, from a connection that sees the state after this run.

    `run` is the row of `runs`; only `run_id` is needed at the start. The rest is read after the last batch,
    and counts that are missing are counted. Batches are streamed: the lock is held only at the beginning and
    while committing. Whatever happens before the commit leaves the warehouse as it was. Raises WarehouseError
    when rows don't fit their table or another run holds the lock for `timeout` seconds.
    """
    root = Path(root).resolve()
    run_id = _checked_run_id(run)
    runs = TABLE_BY_NAME["runs"]
    arrow_table("runs", arrow_schema(runs), [run])  # an unfit row must not fail when all the work is done
    with _stage(root, run_id, timeout) as stage:
        landing = _Landing(stage, run_id)
        landing.take(batches)
        with publishing(root, timeout):
            return _commit(root, landing, _run_row(run, landing), tuple(references), link)


class Linked(NamedTuple):
    """Rows of the tables on the level of the family, and the families that they replace the rows of."""

    rows: Rows
    family_ids: frozenset[str]


Linker = Callable[[duckdb.DuckDBPyConnection, str], Linked]
"""Gets a connection to all tables as they will be, and the run's id."""


class _Landing:
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


def _run_row(run: dict[str, Any], landing: _Landing) -> dict[str, Any]:
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


@contextmanager
def _stage(root: Path, run_id: str, timeout: float) -> Iterator[Path]:
    """A folder of this run alone; a lock inside it tells the others that the run is alive."""
    stage = root / "staging" / f"{run_id}-{uuid4().hex[:12]}"
    with publishing(root, timeout):
        _sweep(root)
        stage.mkdir(parents=True)
        alive = FileLock(stage / "alive.lock")
        alive.acquire(timeout=timeout)
    try:
        yield stage
    finally:
        alive.release()
        shutil.rmtree(stage, ignore_errors=True)


def _sweep(root: Path) -> None:
    """Remove what killed runs left: their stages, temporary catalogues, files that no manifest lists.

    Only under the lock, so nobody is between renaming files and writing a manifest.
    """
    staging = root / "staging"
    for left in staging.iterdir() if staging.is_dir() else ():
        if not left.is_dir():
            left.unlink(missing_ok=True)
        elif not _is_alive(left):
            shutil.rmtree(left, ignore_errors=True)
    runs = committed(root)
    lake = root / "lake"
    left = [
        file
        for folder in (lake.iterdir() if lake.is_dir() else ())
        for file in folder.iterdir()
        if (match := _FILE.fullmatch(file.name)) and match[1] not in runs
    ]
    if left:  # a file outlives the manifest of its own run when later ones list it
        manifest = current(root)
        listed = set(manifest.all_files) if manifest else set()
        for file in left:
            if str(file.relative_to(root)) not in listed:
                file.unlink(missing_ok=True)


def _is_alive(stage: Path) -> bool:
    lock = FileLock(stage / "alive.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _commit(
    root: Path,
    landing: _Landing,
    run: dict[str, Any],
    references: tuple[Reference, ...],
    link: Linker | None,
) -> Manifest:
    former = current(root)
    if landing.run_id in committed(root):
        raise WarehouseError(f"The run {landing.run_id} is already landed.", help="Give the run a new id.")
    files = dict(former.files) if former else {}
    columns = dict(former.columns) if former else {}
    mixed = set(former.mixed) if former else set()

    def take_in() -> None:
        for table in TABLES:
            _carry(root, landing, files, table)
            staged = landing.stage / f"{table.name}.parquet"
            if staged.exists():
                kept = () if table.name in _CARRIED else files.get(table.name, ())
                files[table.name] = (*kept, _move(root, landing.run_id, staged, table.name))
                if kept and columns[table.name] != tuple(table.columns):
                    mixed.add(table.name)
                columns[table.name] = tuple(table.columns)

    take_in()
    manifest = Manifest(
        layout=LAYOUT,
        number=former.number + 1 if former else 1,
        run_id=landing.run_id,
        previous=former.run_id if former else None,
        created_at=datetime.now(UTC),
        run=run,
        files=files,
        columns=columns,
        mixed=tuple(sorted(mixed)),
        heads=former.heads if former else (),
        superseded=former.superseded if former else (),
        superseded_before=former.superseded_before if former else (),
        retired=former.retired if former else {},
        rows=landing.rows,
    )
    if link and landing.heads.heads:
        run["flags"] += _link(root, landing, manifest, link)
    _write_small_tables(root, landing, files, run, references)
    take_in()
    heads, superseded = _write_heads(root, landing, manifest)
    manifest = manifest.model_copy(
        update={
            "files": files,
            "columns": columns,
            "mixed": tuple(sorted(mixed)),
            "heads": heads,
            "superseded": superseded,
        }
    )
    write(root, manifest)
    return manifest


def _link(root: Path, landing: _Landing, manifest: Manifest, link: Linker) -> int:
    """Stage what `link` makes of the state after this run, and note its heads. Returns how many flags it made."""
    staged = landing.stage / "superseded-before.parquet"
    write_file(staged, landing.heads.tables([root / file for file in manifest.heads])[1])
    with seen(root, manifest.model_copy(update={"superseded": (*manifest.superseded, str(staged))})) as con:
        linked = link(con, landing.run_id)
    for name, rows in linked.rows.items():
        if rows:
            table = arrow_table(name, arrow_schema(TABLE_BY_NAME[name]), rows)
            write_file(landing.stage / f"{name}.parquet", table)
    landing.heads.add_families(linked.family_ids)
    return len(linked.rows.get("family_flags", ()))


def _write_small_tables(
    root: Path,
    landing: _Landing,
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


def _carry(root: Path, landing: _Landing, files: dict[str, tuple[str, ...]], table: Table) -> None:
    """Put the former rows of a carried table before its new ones."""
    staged = landing.stage / f"{table.name}.parquet"
    if table.name in _CARRIED and staged.exists() and files.get(table.name):
        held = [read_file(root / path, table) for path in files[table.name]]
        write_file(staged, pa.concat_tables([*held, read_file(staged, table)]))


def _write_heads(root: Path, landing: _Landing, manifest: Manifest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files of the heads and of what is superseded, with those of this run."""
    lists = [manifest.heads, manifest.superseded]
    tables = landing.heads.tables([root / file for file in manifest.heads]) if landing.heads.heads else ()
    for at, (name, table) in enumerate(zip(("heads", "superseded"), tables, strict=False)):
        if len(table):
            staged = landing.stage / f"{name}.parquet"
            write_file(staged, table)
            lists[at] = (*lists[at], _move(root, landing.run_id, staged, name))
    return lists[0], lists[1]


def _move(root: Path, run_id: str, staged: Path, table: str) -> str:
    name = f"lake/{table}/r-{run_id}-{uuid4().hex[:12]}.parquet"
    settle(staged, root / name)
    return name
