"""Compaction: few large sorted files instead of one a night, and what is the latest apart from what was.

Nothing is lost by it: former versions go to files that only history reads. The long work is done beside the runs; the
lock is held only while the new list of files takes the place of the old one.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from schemas.errors import WarehouseError
from schemas.tables import TABLES, Table
from warehouse.catalogue import QUIET, SUPERSEDED_COLUMNS, literal, over_files, parquet_rows, publish, superseded_on
from warehouse.heads import latest_of
from warehouse.manifest import LOCK_SECONDS, Manifest, committed, current, manifest_of, publishing, write
from warehouse.stage import new_run_id, place, staging, sweep

SETTLED_BYTES = 256 * 2**20
"""A file as large as this is left alone, unless many of its rows are the latest no longer."""
MOST_FORMER = 0.2
KEEP_DAYS = 7
"""So long readers may go on with files that the current state rests on no longer."""
_COMPACTED = ("document", "contract", "family", "review")
GROUP_ROWS = 8_192
GROUP_ROWS_OF_TERMS = 61_440
"""Whoever asks for one contract reads a row group of each table; whoever asks at all reads the list of all groups. That
list is long where a contract has forty rows."""


def group_rows(table: str) -> int:
    """How many rows of a table stand together in a file."""
    return GROUP_ROWS_OF_TERMS if table == "terms" else GROUP_ROWS


class Compaction(NamedTuple):
    """What compacting did: the warehouse's files and bytes before and after, former versions apart."""

    manifest: Manifest
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int


def compact(root: Path, *, keep_days: float = KEEP_DAYS, timeout: float = LOCK_SECONDS) -> Compaction:
    """Rewrite small files and those with many former versions, publish, and remove what nobody needs.

    Files and manifests are removed when the current state has not rested on them for `keep_days`. Raises WarehouseError
    when the warehouse is empty, another run holds the lock, or it was rolled back or compacted meanwhile.
    """
    root = Path(root).resolve()
    run_id = new_run_id(datetime.now(UTC), "compact")
    with staging(root, run_id, timeout) as stage:
        former = current(root)
        if former is None:
            raise WarehouseError(f"There is nothing in {root} to compact.")
        before = _size(root, former)
        rewritten = _rewritten(root, former, stage)
        with publishing(root, timeout):
            manifest = _manifest(root, former, current(root) or former, run_id, rewritten, keep_days)
            write(root, manifest)
            sweep(root)
            after = _size(root, manifest)
    publish(root)
    return Compaction(manifest, before[0], after[0], before[1], after[1])


def _size(root: Path, manifest: Manifest) -> tuple[int, int]:
    files = [file for files in manifest.files.values() for file in files]
    return len(files), sum((root / file).stat().st_size for file in files)


class _Rewritten(NamedTuple):
    """A table's files that go, and the staged ones: of the latest rows, and of the former ones where there are any."""

    files: tuple[str, ...]
    latest: Path
    former: Path | None


class _AllRewritten(NamedTuple):
    """What is in the stage. `superseded` is about the files that stay, `superseded_before` about all others."""

    tables: dict[str, _Rewritten]
    heads: Path | None
    superseded: Path
    superseded_before: Path


def _rewritten(root: Path, former: Manifest, stage: Path) -> _AllRewritten:
    config = {"temp_directory": str(stage / "spill"), "preserve_insertion_order": "false"}
    con = duckdb.connect(":memory:", config=config)
    try:
        con.execute(QUIET)
        con.execute(over_files("superseded_history", SUPERSEDED_COLUMNS, root, list(former.superseded)))
        con.execute("CREATE TABLE superseded AS SELECT * FROM superseded_history WHERE until IS NULL")
        con.execute("CREATE TABLE staying (kind VARCHAR, id VARCHAR, run_id VARCHAR)")
        rewrite = _Rewriter(con, root, former, stage)
        tables = {table.name: done for table in TABLES if table.level in _COMPACTED and (done := rewrite(table))}
        stays = "SELECT * FROM superseded SEMI JOIN staying USING (kind, id, run_id)"
        return _AllRewritten(
            tables,
            rewrite.heads(),
            rewrite.copied(stays, "superseded"),
            rewrite.copied(f"SELECT * FROM superseded_history EXCEPT ALL {stays}", "superseded-before"),
        )
    finally:
        con.close()


class _Rewriter:
    """Writes the files of one state anew into a stage, through a connection that knows what is superseded."""

    def __init__(self, con: duckdb.DuckDBPyConnection, root: Path, manifest: Manifest, stage: Path):
        self._con, self._root, self._manifest, self._stage = con, root, manifest, stage

    def __call__(self, table: Table) -> _Rewritten | None:
        """Rewrite a table's small files, and those with many former versions; None where there is nothing to gain."""
        files, former = [], 0
        on = _superseded_on(table)
        for file in self._manifest.files.get(table.name, ()):
            rows, gone = self._counted(file, on)
            if (self._root / file).stat().st_size < SETTLED_BYTES or gone > MOST_FORMER * rows:
                files.append(file)
                former += gone
            elif gone:
                stale = f"FROM {parquet_rows(self._root / file)} t JOIN {on}"
                self._con.execute(f"INSERT INTO staying SELECT DISTINCT s.kind, s.id, s.run_id {stale}")
        if len(files) < 2 and not former:
            return None
        name, manifest = table.name, self._manifest
        held = over_files(name, table.columns, self._root, files, manifest.columns[name], name in manifest.mixed)
        self._con.execute(held)
        order = "contract_id" if "contract_id" in table.columns else next(iter(table.columns))
        latest, gone = (f"SELECT t.* FROM {name} t {kind} JOIN {on} ORDER BY {order}" for kind in ("ANTI", "SEMI"))
        return _Rewritten(
            tuple(files),
            self.copied(latest, name),
            self.copied(gone, f"{name}-former") if former else None,
        )

    def heads(self) -> Path | None:
        """The heads in one file, where they are in more."""
        files = [self._root / file for file in self._manifest.heads]
        if len(files) < 2:
            return None
        sql, given = latest_of(files)
        return self.copied(f"{sql} ORDER BY ALL", "heads", given)

    def copied(self, sql: str, name: str, given: dict[str, Any] | None = None) -> Path:
        """What a query gives as a file in the stage."""
        path = self._stage / f"{name}.parquet"
        size = group_rows(name.removesuffix("-former"))
        to = f"TO {literal(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {size})"
        self._con.execute(f"COPY ({sql}) {to}", given or {})
        return path

    def _counted(self, file: str, on: str) -> tuple[int, int]:
        """How many rows a file has, and how many of them are the latest no longer."""
        sql = f"SELECT count(*) FROM {parquet_rows(self._root / file)} t"
        return tuple(self._con.execute(text).fetchall()[0][0] for text in (sql, f"{sql} SEMI JOIN {on}"))


def _superseded_on(table: Table) -> str:
    """What a table's rows are joined with to find those that are the latest no longer; decisions always are."""
    if table.level == "review":
        return "superseded s ON false"
    return superseded_on(table)


def _manifest(
    root: Path, former: Manifest, now: Manifest, run_id: str, done: _AllRewritten, keep_days: float
) -> Manifest:
    """The state `now` with rewritten files in place of those of `former`, which it still has to rest on."""
    superseded, heads = (now.superseded[: len(former.superseded)], now.heads[: len(former.heads)])
    missing = {file for each in done.tables.values() for file in each.files} - set(now.all_files)
    if missing or superseded != former.superseded or heads != former.heads or now.retired != former.retired:
        raise WarehouseError(
            f"{root} was rolled back or compacted meanwhile; nothing was changed.",
            help="Compact again.",
            code="warehouse_busy",
        )
    files, retired = dict(now.files), dict(now.retired)
    columns = {table.name: tuple(table.columns) for table in TABLES}
    for name, each in done.tables.items():
        kept = [file for file in files[name] if file not in each.files]
        files[name] = (place(root, run_id, each.latest, name), *kept)
        if each.former:
            retired[name] = (*retired.get(name, ()), place(root, run_id, each.former, name))
    superseded = place(root, run_id, done.superseded, "superseded")
    before = place(root, run_id, done.superseded_before, "superseded")
    if done.heads:
        heads = (place(root, run_id, done.heads, "heads"),)
    return now.following(
        run_id,
        files=files,
        retired=retired,
        columns=now.columns | {name: columns[name] for name in done.tables},
        heads=(*heads, *now.heads[len(former.heads) :]),
        superseded=(superseded, *now.superseded[len(former.superseded) :]),
        superseded_before=(*now.superseded_before, before),
        first=_oldest_kept(root, now, keep_days),
    )


def _oldest_kept(root: Path, now: Manifest, keep_days: float) -> int:
    """The number of the oldest manifest that was the current one within the last days."""
    since = datetime.now(UTC) - timedelta(days=keep_days)
    superseded_at, oldest = datetime.now(UTC), now.number + 1
    for run_id, number in sorted(committed(root).items(), key=lambda item: -item[1]):
        if superseded_at <= since or not keep_days:
            break
        superseded_at, oldest = manifest_of(root, run_id).created_at, number
    return oldest
