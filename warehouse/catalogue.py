"""Publish: one small DuckDB file of views over the landed Parquet, put in place in a single rename.

Readers who have the former file open go on with it; whoever opens it afterwards sees the new one. The file is
written in DuckDB's format v1.5.0, so that clients from 1.5 on can open it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import duckdb

from schemas.errors import WarehouseError
from schemas.tables import ABOUT, TABLES, Table
from schemas.terms import TERMS
from warehouse.manifest import CATALOGUE, LOCK_SECONDS, Manifest, current, glob_free, publishing, settle

VIEW_FOLDER = Path(__file__).parent / "views"
MORNING_VIEWS = (
    "review_queue",
    "nonstandard_terms",
    "renewals",
    "contract_in_force",
    "changes_since_last_run",
    "asc606_checklist",
    "quarantine",
    "morning_brief",
)
_STORAGE = "v1.5.0"
_SUPERSEDED = {"kind": "VARCHAR", "id": "VARCHAR", "run_id": "VARCHAR", "by_run_id": "VARCHAR"}
_LEVELS = {
    "document": "latest rows of each document",
    "contract": "latest version of each contract",
    "family": "latest state of each contract family",
    "run": "one row a run",
    "review": "one row a decision",
    "reference": "what each reference key means",
}


def publish(root: Path, *, timeout: float = LOCK_SECONDS) -> Path:
    """Publish the current manifest and give back the catalogue's path.

    Works without a manifest too: every table is there and empty. Raises WarehouseError when another run holds
    the lock for `timeout` seconds or a landed file is missing.
    """
    root = Path(root).resolve()
    target = root / CATALOGUE
    with publishing(root, timeout):
        staging = root / "staging"
        staging.mkdir(exist_ok=True)
        built = staging / f"catalogue-{uuid4().hex}.duckdb"
        try:
            _build(built, root, current(root))
            _wal(target).unlink(missing_ok=True)  # of a stray writer; the next reader would stumble over it
            settle(built, target)
        except duckdb.Error as error:
            raise WarehouseError(
                f"The catalogue of {root} can't be built: {_first_line(error)}.",
                help="If a file of `lake/` is missing, restore it from a backup.",
            ) from error
        finally:
            built.unlink(missing_ok=True)
            _wal(built).unlink(missing_ok=True)
    return target


@contextmanager
def seen(root: Path, manifest: Manifest) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which all tables and views stand as that manifest lists them, published or not."""
    con = duckdb.connect(":memory:")
    try:
        for statement in _statements(root, manifest):
            con.execute(statement)
        yield con
    finally:
        con.close()


def rebuild(root: Path) -> Path:
    """Publish the current manifest again: after the folder was moved, or when the catalogue was lost."""
    return publish(root)


def literal(value: str | Path) -> str:
    """A string as SQL writes it."""
    return "'" + str(value).replace("'", "''") + "'"


@cache
def fingerprint() -> str:
    """Changes whenever the code's tables or views do, so that an older catalogue is told apart."""
    parts = [table.model_dump_json() for table in TABLES]
    parts += [(VIEW_FOLDER / f"{name}.sql").read_text(encoding="utf-8") for name in MORNING_VIEWS]
    parts.append(Path(__file__).read_text(encoding="utf-8"))
    return sha256("\0".join(parts).encode()).hexdigest()[:16]


def _wal(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")


def _build(path: Path, root: Path, manifest: Manifest | None) -> None:
    con = duckdb.connect(":memory:")
    try:
        con.execute(f"ATTACH {literal(path)} AS build (STORAGE_VERSION '{_STORAGE}')")
        con.execute("USE build")
        con.execute("BEGIN")  # one commit for all views: ten times as quick
        for statement in _statements(root, manifest):
            con.execute(statement)
        con.execute("COMMIT")
        con.execute("USE memory")
        con.execute("CHECKPOINT build")
        con.execute("DETACH build")
    finally:
        con.close()
    if _wal(path).exists():
        raise WarehouseError(f"DuckDB left {_wal(path)} behind; the catalogue was not published.")


def _statements(root: Path, manifest: Manifest | None) -> list[str]:
    superseded = list(manifest.superseded) if manifest else []
    made = [_info(root, manifest), _over_files("superseded", _SUPERSEDED, root, superseded)]
    for table in sorted(TABLES, key=lambda table: table.level != "family"):
        name = table.name
        held = list(manifest.files.get(name, ())) if manifest else []
        retired = list(manifest.retired.get(name, ())) if manifest else []
        known = manifest.columns.get(name) if manifest else None
        mixed = manifest is not None and name in manifest.mixed
        made.append(_over_files(f"{name}_history", table.columns, root, [*retired, *held], known, mixed))
        made += _latest(table, root, held, known, mixed, bool(superseded))
        made.append(f"COMMENT ON VIEW {name} IS {literal(f'{ABOUT[name]} ({_LEVELS[table.level]})')}")
    made += [f"COMMENT ON COLUMN contracts.{t.name} IS {literal(t.question)}" for t in TERMS]
    for name in MORNING_VIEWS:
        made += _morning_view(name)
    return made


def _info(root: Path, manifest: Manifest | None) -> str:
    number, run_id = (manifest.number, literal(manifest.run_id)) if manifest else (0, "NULL::VARCHAR")
    return (
        f"CREATE VIEW warehouse_info AS SELECT {number} AS number, {run_id} AS run_id, "
        f"{literal(root)} AS root, {literal(fingerprint())} AS fingerprint"
    )


def _over_files(
    name: str,
    columns: dict[str, str],
    root: Path,
    files: list[str],
    held: tuple[str, ...] | None = None,
    mixed: bool = False,
) -> str:
    """A view with exactly these columns over exactly these files; a column that is not `held` is null.

    Matching by name opens every file each time a view is bound, so it is left to files that differ.
    """
    if not files:
        empty = ", ".join(f'NULL::{kind} AS "{column}"' for column, kind in columns.items())
        return f"CREATE VIEW {name} AS SELECT {empty} WHERE false"
    there = columns if held is None else held
    chosen = ", ".join(
        f'"{column}"' if column in there else f'NULL::{kind} AS "{column}"' for column, kind in columns.items()
    )
    paths = ", ".join(literal(glob_free(root / file)) for file in files)
    source = f"read_parquet([{paths}], hive_partitioning = false, union_by_name = {str(mixed).lower()})"
    return f"CREATE VIEW {name} AS SELECT {chosen} FROM {source}"


def _latest(
    table: Table, root: Path, files: list[str], known: tuple[str, ...] | None, mixed: bool, superseded: bool
) -> list[str]:
    """The views that make the latest rows of a table: what stands in `files` without what is superseded there."""
    name = table.name
    if table.level == "reference":
        return [_over_files(name, table.columns, root, files[-1:], known)]
    if table.level in ("run", "review"):
        return [f"CREATE VIEW {name} AS SELECT * FROM {name}_history"]
    base = f"{name}_of_their_run" if name in _OVERLAID else name
    held = f"{name}_held" if superseded else base
    made = [_over_files(held, table.columns, root, files, known, mixed)]
    if superseded:
        kind, id = version_key(table)
        on = f"s.kind = '{kind}' AND s.id = t.{id} AND s.run_id = t.run_id"
        made.append(f"CREATE VIEW {base} AS SELECT t.* FROM {held} t ANTI JOIN superseded s ON {on}")
    if name in _OVERLAID:
        made.append(f"CREATE VIEW {name} AS {_OVERLAID[name]}")
    return made


def version_key(table: Table) -> tuple[str, str]:
    """By what kind of head a table's rows are superseded, and the column with its id."""
    if table.level == "document":
        return "document" if table.name == "documents" else "pages", "document_id"
    return table.level, f"{table.level}_id"


_OVERLAID = {
    # A contract's family is known only when all are landed.
    "contracts": (
        "SELECT t.* REPLACE (coalesce(m.family_id, t.family_id) AS family_id, "
        "coalesce(m.parent_contract_id, t.parent_contract_id) AS parent_contract_id) "
        "FROM contracts_of_their_run t LEFT JOIN family_members m ON m.contract_id = t.contract_id"
    ),
    "flags": (
        "SELECT t.* FROM flags_of_their_run t UNION ALL BY NAME SELECT f.* EXCLUDE (family_id) FROM family_flags f"
    ),
}
"""Tables whose latest state is more than the latest rows of their run."""


def _morning_view(name: str) -> list[str]:
    text = (VIEW_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    sentence = text.splitlines()[0].removeprefix("--").strip()
    return [f"CREATE VIEW {name} AS\n{text}", f"COMMENT ON VIEW {name} IS {literal(sentence)}"]
