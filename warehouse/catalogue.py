"""Publish: one small DuckDB file of views over the landed Parquet, put in place in a single rename.

Readers who have the former file open go on with it; whoever opens it afterwards sees the new one. The file is
written in DuckDB's format v1.5.0, so that clients from 1.5 on can open it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import duckdb

from schemas.errors import WarehouseError
from schemas.names import JAPANESE_FORMS, LEGAL_FORMS
from schemas.tables import ABOUT, TABLE_BY_NAME, TABLES, Table
from schemas.terms import TERMS
from warehouse.manifest import CATALOGUE, LOCK_SECONDS, Manifest, current, glob_free, publishing, settle

VIEW_FOLDER = Path(__file__).parent / "views"
BASE_VIEWS = (
    "business_day",
    "arrivals",
    "standing_decisions",
    "excepted_flags",
    "standing_flags",
    "standing_topics",
    "standing_terms",
    "agreements",
    "running_periods",
)
"""What the other views and the questions stand on."""
MORNING_VIEWS = (
    "review_queue",
    "nonstandard_terms",
    "renewals",
    "contract_in_force",
    "changes_since_last_run",
    "asc606_checklist",
    "quarantine",
    "morning_brief",
    "completeness",
    "drift",
    "reviewed_terms",
    "decision_conflicts",
)
KEPT_VIEWS = (
    "arrivals",
    "agreements",
    "running_periods",
    "standing_flags",
    "standing_topics",
    "review_queue",
    "nonstandard_terms",
    "asc606_checklist",
    "renewals",
    "changes_since_last_run",
    "quarantine",
    "drift",
    "decision_conflicts",
    "morning_brief",
)
"""Those that are worked out ahead (see `warehouse.answers`), each after the ones it stands on. `contract_in_force` and
`reviewed_terms` are not, each would be the terms once more."""
ANSWERS = "answers"
"""The schema of what was worked out for the named questions, and where the files of it all are, in `lake/`."""
QUIET = "SET enable_progress_bar = false"
"""DuckDB draws its bar onto standard output, where programs read the rows."""
_STORAGE = "v1.5.0"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
SUPERSEDED_COLUMNS = {"kind": "VARCHAR", "id": "VARCHAR", "run_id": "VARCHAR", "by_number": "BIGINT", "until": "BIGINT"}
_LEVELS = {
    "document": "latest rows of each document",
    "contract": "latest version of each contract",
    "family": "latest state of each contract family",
    "run": "one row a run",
    "review": "one row for what a person did",
    "reference": "what each reference key means",
}


def publish(root: Path, *, timeout: float = LOCK_SECONDS) -> Path:
    """Publish the current manifest and give back the catalogue's path.

    Works without a manifest too: every table is there and empty. Raises WarehouseError when another run holds
    the lock for `timeout` seconds or a landed file is missing.
    """
    root = Path(root).resolve()
    with publishing(root, timeout):
        return put_in_place(root)


def put_in_place(root: Path) -> Path:
    """As `publish`. Only under the lock."""
    target = root / CATALOGUE
    stages = root / "staging"
    stages.mkdir(exist_ok=True)
    built = stages / f"catalogue-{uuid4().hex}.duckdb"
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
def seen(
    root: Path, manifest: Manifest, number: int | None = None, *, tables_only: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which all tables and views stand as that manifest lists them, published or not; with a number
    as they stood after the manifest of that number. Without the views it is there in a third of the time."""
    con = duckdb.connect(":memory:")
    try:
        set_up(con, root, manifest, number, tables_only=tables_only)
        yield con
    finally:
        con.close()


def set_up(
    con: duckdb.DuckDBPyConnection,
    root: Path,
    manifest: Manifest | None,
    number: int | None = None,
    *,
    tables_only: bool = False,
) -> None:
    """Make all tables and views in a connection's database; see `seen`."""
    # To make a view DuckDB looks into the files of all it stands on. Landed files never change: once is enough.
    con.execute("SET parquet_metadata_cache = true")
    con.execute(QUIET)
    for statement in _tables(root, manifest, number) + ([] if tables_only else _morning(root, manifest, number)):
        con.execute(statement)


def number_of(con: duckdb.DuckDBPyConnection, moment: str | date) -> int:
    """The number of the manifest after which the warehouse stood as on a date (its last run's), or after a run.

    `con` sees the warehouse as it is now. On a date the runs count that were not taken back by then. Raises
    WarehouseError when there was nothing yet, or no such run.
    """
    if isinstance(moment, date) or _DATE.fullmatch(moment):
        missing = f"Nothing was landed by {moment}."
        sql = """SELECT max(r.number) FROM runs_history r LEFT JOIN audit a ON a.number = r.undone_at
            WHERE r.business_date <= $moment::DATE AND (r.undone_at IS NULL OR a.at::DATE > $moment::DATE)"""
    else:
        missing = f"There is no run {moment}."
        sql = "SELECT max(number) FROM runs_history WHERE run_id = $moment"
    try:
        found = con.execute(sql, {"moment": str(moment)}).fetchone()
    except duckdb.ConversionException:
        found = None
    if found is None or found[0] is None:
        raise WarehouseError(missing, help="`contract-agent sql 'SELECT run_id, business_date FROM runs'` lists them.")
    return int(found[0])


def rebuild(root: Path) -> Path:
    """Publish the current manifest again: after the folder was moved, or when the catalogue was lost."""
    return publish(root)


def literal(value: str | Path) -> str:
    """A string as SQL writes it."""
    return "'" + str(value).replace("'", "''") + "'"


def answer_folder(manifest: Manifest) -> str:
    """Where the answers worked out for a state are, whether they are there or not."""
    return f"lake/{ANSWERS}/{manifest.file_name.removesuffix('.json')}-{fingerprint()}"


def over_answer(path: Path) -> str:
    """A query that gives back an answer worked out ahead, in its order."""
    return f"SELECT * FROM {parquet_rows(path)}"


def parquet_rows(path: Path, *, numbered: bool = False) -> str:
    """A file's rows as a query names them; numbered, they have their place in it too, `file_row_number`, from 0."""
    number = ", file_row_number = true" if numbered else ""
    return f"read_parquet({literal(glob_free(path))}, hive_partitioning = false{number})"


@cache
def fingerprint() -> str:
    """Changes whenever the code's tables, views or questions do, so that an older catalogue is told apart."""
    parts = [table.model_dump_json() for table in TABLES]
    parts += [_view_text(name) for name in _VIEWS]
    parts += [file.read_text(encoding="utf-8") for file in sorted(VIEW_FOLDER.parent.glob("queries/*.sql"))]
    parts.append(_COMPANY_NAME)
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
        set_up(con, root, manifest)
        con.execute("COMMIT")
        con.execute("USE memory")
        con.execute("CHECKPOINT build")
        con.execute("DETACH build")
    finally:
        con.close()
    if _wal(path).exists():
        raise WarehouseError(f"DuckDB left {_wal(path)} behind; the catalogue was not published.")


def _tables(root: Path, manifest: Manifest | None, number: int | None) -> list[str]:
    views = _Views(root, manifest, number)
    made = [_info(root, manifest), *views.superseded()]
    for table in sorted(TABLES, key=lambda table: (table.name != "runs", table.level not in ("family", "review"))):
        made += views.of(table)
        about = f"{ABOUT[table.name]} ({_LEVELS[table.level]})"
        made.append(f"COMMENT ON VIEW {table.name} IS {literal(about)}")
    made += [f"COMMENT ON COLUMN contracts.{t.name} IS {literal(t.question)}" for t in TERMS]
    made.append(f"CREATE MACRO company_name(name) AS {_COMPANY_NAME}")
    return made


def _morning(root: Path, manifest: Manifest | None, number: int | None) -> list[str]:
    made: list[str] = []
    answers = _answers(root, manifest) if number is None else {}
    for name in _VIEWS:
        made += _view(name, answers.pop(name, None))
    made.append(f"CREATE SCHEMA {ANSWERS}")
    made += [f"CREATE VIEW {name} AS {over_answer(path)}" for name, path in answers.items()]
    return made


def _answers(root: Path, manifest: Manifest | None) -> dict[str, Path]:
    """The file of each answer that was worked out for a state, by the name of the view that gives it."""
    folder = root / answer_folder(manifest) if manifest else None
    return {file.stem: file for file in sorted(folder.iterdir())} if folder and folder.is_dir() else {}


def _info(root: Path, manifest: Manifest | None) -> str:
    number, run_id = (manifest.number, literal(manifest.run_id)) if manifest else (0, "NULL::VARCHAR")
    return (
        f"CREATE VIEW warehouse_info AS SELECT {number} AS number, {run_id} AS run_id, "
        f"{literal(root)} AS root, {literal(fingerprint())} AS fingerprint"
    )


def over_files(
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


class _Views:
    """The views over the tables' files: all rows, and the latest, now or as they were after a former manifest.

    The latest rows are those in `files` without what is superseded there. What was the latest in former times may stand
    in `retired` too, may have come later, and may have been superseded only since.
    """

    def __init__(self, root: Path, manifest: Manifest | None, number: int | None):
        self._root, self._manifest, self._number = root, manifest, number
        self._are_superseded = manifest is not None and bool(manifest.superseded or number is not None)

    def superseded(self) -> list[str]:
        """The view of the versions that are the latest no longer, or were so no longer."""
        m, number = self._manifest, self._number
        files = [*(m.superseded_before if number is not None else ()), *m.superseded] if m else []
        then = "until IS NULL" if number is None else f"by_number <= {number} AND (until IS NULL OR until > {number})"
        return [
            over_files("superseded_history", SUPERSEDED_COLUMNS, self._root, files),
            f"CREATE VIEW superseded AS SELECT kind, id, run_id FROM superseded_history WHERE {then}",
        ]

    def of(self, table: Table) -> list[str]:
        """The views of one table."""
        held, retired = ([*files.get(table.name, ())] for files in self._files)
        made = [self._over(f"{table.name}_history", table, [*retired, *held])]
        if table.level == "reference":
            return [*made, self._over(table.name, table, held[-1:])]
        if table.level in ("run", "review"):
            return [
                *made,
                f"CREATE VIEW {table.name} AS SELECT * FROM {table.name}_history{self._of_their_time(table)}",
            ]
        return made + self._latest(table, held)

    def _latest(self, table: Table, files: list[str]) -> list[str]:
        name = table.name
        base = f"{name}_of_their_run" if name in _OVERLAID else name
        held = f"{name}_history" if self._number is not None else f"{name}_held" if self._are_superseded else base
        made = [] if self._number is not None else [self._over(held, table, files)]
        if self._are_superseded:
            then = "" if self._number is None else " SEMI JOIN runs r ON r.run_id = t.run_id"
            on = superseded_on(table)
            made.append(f"CREATE VIEW {base} AS SELECT t.* FROM {held} t{then} ANTI JOIN {on}")
        if name in _OVERLAID:
            made.append(f"CREATE VIEW {name} AS {_OVERLAID[name]}")
        return made

    def _of_their_time(self, table: Table) -> str:
        """Runs that were undone count no longer; of what people did counts what was done by then."""
        conditions = []
        if table.name == "runs":
            now = self._number is None
            conditions.append("undone_at IS NULL" if now else f"(undone_at IS NULL OR undone_at > {self._number})")
        elif table.name in ("gate_results", "run_metrics"):
            conditions.append("run_id IN (SELECT run_id FROM runs)")
        if self._number is not None and table.name in ("runs", "audit"):
            conditions.append(f"number <= {self._number}")
        if self._number is not None and table.name in _MADE_AT:
            conditions.append(f"{_MADE_AT[table.name]} <= (SELECT max(finished_at) FROM runs)")
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    @property
    def _files(self) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
        return (self._manifest.files, self._manifest.retired) if self._manifest else ({}, {})

    def _over(self, name: str, table: Table, files: list[str]) -> str:
        known = self._manifest.columns.get(table.name) if self._manifest else None
        mixed = self._manifest is not None and table.name in self._manifest.mixed
        return over_files(name, table.columns, self._root, files, known, mixed)


def superseded_on(table: Table) -> str:
    """What a table's rows `t` are joined with to find those that are the latest no longer."""
    kind = "pages" if table.level == "document" and table.name != "documents" else table.level
    return f"superseded s ON s.kind = '{kind}' AND s.id = t.{table.level}_id AND s.run_id = t.run_id"


_MADE_AT = {"reviews": "decided_at", "review_conflicts": "met_at", "sign_offs": "done_at", "rule_overrides": "done_at"}
"""What people did bears no number, but the time it was done at."""
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
    # What a person concluded, and who stands for it: those who signed the contract off, before that who decided.
    "asc606": """SELECT t.* REPLACE (
        CASE d.decision WHEN 'confirmed' THEN d.old_value WHEN 'overridden' THEN d.new_value END AS conclusion,
        CASE WHEN d.is_concluded THEN coalesce(s.preparer, d.reviewer) END AS preparer,
        CASE WHEN d.is_concluded THEN coalesce(s.approver, d.approver) END AS approver,
        CASE WHEN d.is_concluded THEN s.signed_at END AS approved_at
    )
    FROM asc606_of_their_run t
    LEFT JOIN (
        SELECT contract_id, target_id, last.*, last.decision IN ('confirmed', 'overridden') AS is_concluded
        FROM (
            SELECT contract_id, target_id,
                arg_max(struct_pack(decision, old_value, new_value, reviewer, approver), decided_at) AS last
            FROM reviews WHERE target = 'asc606' GROUP BY contract_id, target_id
        )
    ) d ON d.contract_id = t.contract_id AND d.target_id = t.asc606_id
    LEFT JOIN (
        SELECT contract_id, last.*
        FROM (
            SELECT contract_id, arg_max(struct_pack(action, preparer, approver, signed_at), done_at) AS last
            FROM sign_offs GROUP BY contract_id
        )
    ) s ON s.contract_id = t.contract_id AND s.action = 'signed_off'""",
}
"""Tables whose latest state is more than the latest rows of their run."""


_VIEWS = (*BASE_VIEWS, *MORNING_VIEWS)
_ENDING = literal(rf"(?:,\s*|\s+)(?:{LEGAL_FORMS}|Company)$")
_JAPANESE = literal(rf"^(?:{JAPANESE_FORMS})|(?:{JAPANESE_FORMS})$")
_SPACED = r"regexp_replace(trim(name), '\s+', ' ', 'g')"
_SHORN = f"regexp_replace(regexp_replace({_SPACED}, {_ENDING}, '', 'i'), {_JAPANESE}, '', 'g')"
_COMPANY_NAME = rf"nullif(trim(regexp_replace(lower({_SHORN}), '[^\pL\pN]+', ' ', 'g')), '')"
"""A company's name for comparing, without punctuation and legal form; null where nothing is left of it."""


def _view(name: str, answer: Path | None) -> list[str]:
    text = _view_text(name)
    sentence = text.splitlines()[0].removeprefix("--").strip()
    return [
        f"CREATE VIEW {name} AS\n{over_answer(answer) if answer else text}",
        f"COMMENT ON VIEW {name} IS {literal(sentence)}",
    ]


def _view_text(name: str) -> str:
    text = (VIEW_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return text.replace("-- terms said", _said()).replace("-- terms in force", _in_force())


_OF_A_DOCUMENT = frozenset(
    {"title", "contract_type", "parties", "counterparty", "our_entity", "our_role", "agreement_date", "signed_date"}
    | {"effective_date", "fully_executed", "total_value"}
)
"""Columns that an amendment leaves as they are, and the value, which is reckoned."""
_OF_AN_AGREEMENT = {t.name: TABLE_BY_NAME["contracts"].columns[t.name] for t in TERMS if t.name not in _OF_A_DOCUMENT}
_BETWEEN = ",\n        "


def _said() -> str:
    """Each of those columns as a family's rows have it, one row a term."""
    return _BETWEEN.join(
        f"min(try_cast(value AS {kind})) FILTER (WHERE term = '{name}') AS {name}"
        for name, kind in _OF_AN_AGREEMENT.items()
    )


def _in_force() -> str:
    """Each column of an agreement: a master's as its family has it, an order's too where that has any."""
    return _BETWEEN.join(
        f"CASE WHEN h.is_all THEN h.{name} ELSE coalesce(h.{name}, c.{name}) END AS {name}" for name in _OF_AN_AGREEMENT
    )
