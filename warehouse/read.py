"""Reading: a locked-down connection to the published catalogue, and single read-only queries on it.

Every connection attaches the file anew, so a long-lived process sees each publication.
"""

import re
from collections.abc import Mapping
from multiprocessing import TimeoutError as NoAnswerInTime
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from schemas.errors import QueryError, WarehouseError
from warehouse.catalogue import ANSWERS, QUIET, fingerprint, literal, number_of, publish, set_up
from warehouse.manifest import CATALOGUE, committed, current, glob_free

Row = tuple[Any, ...]

_PATIENCE_SECONDS = 2.0
_GRACE_SECONDS = 2.0
_MOST_MEMORY = "2GB"
_EXPLAIN = re.compile(r"\s*explain\b(\s+analyze\b|\s*\([^)]*\))*", re.IGNORECASE)
_CONFIG = {
    "python_enable_replacements": "false",  # a name in a query is a table, never a variable of this program
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class _Info(NamedTuple):
    number: int
    root: str
    fingerprint: str


def connect(root: Path, as_of: str | None = None, most_memory: str | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection that reaches the warehouse's own files and nothing else.

    With `as_of`, a date or a run's id, everything stands as it did then; with `most_memory` (as DuckDB writes it) it
    takes no more than that and writes no temporary files. A catalogue that is behind, or whose folder
    was moved, is published again first. Raises WarehouseError, saying what to do, when there is no warehouse or it
    can't be read.
    """
    root = Path(root).resolve()
    runs = committed(root)
    if not runs and not (root / CATALOGUE).is_file():
        raise WarehouseError(
            f"There is no warehouse in {root}.",
            help=f"Land something first: `contract-agent run INBOX --warehouse {root}`.",
            code="no_warehouse",
        )
    wanted = _Info(max(runs.values(), default=0), str(root), fingerprint())
    con, info = _opened(root)
    if con is None or info != wanted:
        if con is not None:
            con.close()
        _republish(root, info)
        con = _attached(root)
    if as_of is not None:
        con = _as_it_was(con, root, as_of)
    if most_memory:
        con.execute(f"SET memory_limit = {literal(most_memory)}")
        con.execute("SET max_temp_directory_size = '0B'")
    return _locked_down(con, root)


def query(
    root: Path,
    sql: str,
    parameters: dict[str, Any] | None = None,
    tables: Mapping[str, Any] | None = None,
    as_of: str | None = None,
    answer: str | None = None,
) -> tuple[list[str], list[Row]]:
    """Column names and rows of one read-only statement; `tables` are Arrow tables that it may read by their names,
    `as_of` is a date or a run's id. Where the same was asked ahead (see `warehouse.answers`), `answer` names the view
    that has it.

    Raises QueryError with the reason when there is no answer.
    """
    check(sql)
    con = connect(root, as_of)
    try:
        if answer and _is_worked_out(con, answer):
            sql, parameters = f"FROM {ANSWERS}.{answer}", None
        for name, table in (tables or {}).items():
            con.register(name, table)
        rows = con.execute(sql, parameters).fetchall() if parameters else con.execute(sql).fetchall()
        return [column[0] for column in con.description or ()], rows
    except duckdb.Error as error:
        raise QueryError(
            f"The query failed: {_reason(error)}.",
            help="`SHOW TABLES` and `DESCRIBE terms` show what there is.",
        ) from error
    finally:
        con.close()


def _is_worked_out(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    sql = "SELECT count(*) FROM duckdb_views() WHERE schema_name = ? AND view_name = ?"
    return bool(con.execute(sql, [ANSWERS, name]).fetchall()[0][0])


class Cut(NamedTuple):
    """The first rows of an answer; `is_cut` says that there are more."""

    columns: list[str]
    rows: list[Row]
    is_cut: bool


def query_within(root: Path, sql: str, seconds: float, most_rows: int) -> Cut:
    """The first rows of one read-only statement that somebody else wrote: limited in time, rows and memory.

    Raises QueryError as `query` does; its code is `query_limit` where a limit ended it.
    """
    _only_selects(_single(sql))
    con = connect(root, most_memory=_MOST_MEMORY)
    with ThreadPool(1) as pool:
        job = pool.apply_async(_first_rows, (con, sql, most_rows + 1))
        try:
            columns, rows = job.get(seconds)
        except NoAnswerInTime as error:
            con.interrupt()
            job.wait(_GRACE_SECONDS)  # a single call that can't be interrupted is left behind
            raise QueryError(
                f"The query was stopped after {seconds:g} seconds.",
                help="Ask for less, or raise the setting ask_seconds.",
                code="query_limit",
            ) from error
        except duckdb.OutOfMemoryException as error:
            message = f"The query was stopped: it takes more than {_MOST_MEMORY} of memory."
            raise QueryError(message, help="Ask for less.", code="query_limit") from error
        except duckdb.Error as error:
            raise QueryError(f"The query failed: {_reason(error)}.", help="Ask in other words.") from error
        finally:
            if job.ready():
                con.close()
    return Cut(columns, rows[:most_rows], len(rows) > most_rows)


def _first_rows(con: duckdb.DuckDBPyConnection, sql: str, count: int) -> tuple[list[str], list[Row]]:
    rows = con.execute(sql).fetchmany(count)
    return [column[0] for column in con.description or ()], rows


def why_unbound(root: Path, sql: str) -> str | None:
    """What is wrong with the names and types in a statement; None where nothing is.

    No row is read for it, so no value of the warehouse can stand in the text. That of an error while running can:
    "could not convert string 'Acme, Inc.'".
    """
    try:
        statement = _single(sql)
    except QueryError as error:
        return error.message
    con = connect(root)
    try:
        con.execute(f"EXPLAIN {statement.query}")
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
        return _reason(error)
    except duckdb.Error:
        return None
    finally:
        con.close()
    return None


def check(sql: str) -> None:
    """Raises QueryError unless `sql` is one statement that only reads."""
    statement = _single(sql)
    if statement.type == duckdb.StatementType.EXPLAIN:
        inner = _EXPLAIN.sub("", statement.query, count=1)
        if inner == statement.query:
            raise QueryError("EXPLAIN must stand at the beginning.")
        statement = _single(inner)
    _only_selects(statement)


def _only_selects(statement: duckdb.Statement) -> None:
    if statement.type != duckdb.StatementType.SELECT:
        raise QueryError(
            f"Only reading is allowed, and this is a {_kind(statement)} statement.",
            help="Ask with SELECT, WITH, FROM, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN.",
            code="query_refused",
        )


def _single(sql: str) -> duckdb.Statement:
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(f"The query can't be read: {_reason(error)}.") from error
    if len(statements) != 1:
        raise QueryError(f"One statement at a time, please; there are {len(statements)}.", code="query_refused")
    return statements[0]


def _kind(statement: duckdb.Statement) -> str:
    return str(statement.type).rpartition(".")[2]


def _reason(error: Exception) -> str:
    return str(error).strip().removesuffix(".")


def _attached(root: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(":memory:", config=_CONFIG)
    try:
        con.execute(f"ATTACH {literal(root / CATALOGUE)} AS warehouse (READ_ONLY)")
        con.execute("USE warehouse")
        con.execute("SET parquet_metadata_cache = true")  # landed files never change
        con.execute(QUIET)
    except duckdb.Error as error:
        con.close()
        raise WarehouseError(
            f"{root / CATALOGUE} can't be opened: {_reason(error)}.",
            help="Remove the file; the next reader builds it anew from the landed rows.",
        ) from error
    return con


def _as_it_was(now: duckdb.DuckDBPyConnection, root: Path, moment: str) -> duckdb.DuckDBPyConnection:
    manifest = current(root)
    try:
        if manifest is None:
            raise WarehouseError(f"There is nothing in {root} yet.")
        number = number_of(now, moment)
    finally:
        now.close()
    con = duckdb.connect(":memory:", config=_CONFIG)
    set_up(con, root, manifest, number)
    return con


def _opened(root: Path) -> tuple[duckdb.DuckDBPyConnection | None, _Info | None]:
    """A connection to the catalogue and what it says of itself, None where it can't be read."""
    if not (root / CATALOGUE).is_file():
        return None, None
    try:
        con = _attached(root)
    except WarehouseError:
        return None, None
    try:
        rows = con.execute("SELECT number, root, fingerprint FROM warehouse_info").fetchall()
    except duckdb.Error:
        return con, None
    return con, _Info(*rows[0])


def _republish(root: Path, info: _Info | None) -> None:
    """Build the catalogue again. One that is merely behind still serves when that isn't possible now."""
    try:
        publish(root, timeout=_PATIENCE_SECONDS)
    except (WarehouseError, OSError) as error:
        if info is None or info.root != str(root):
            raise WarehouseError(
                f"The catalogue of {root} is damaged or was moved, and can't be built anew: {error}",
                help="Make the folder writable and read again.",
            ) from error


def _locked_down(con: duckdb.DuckDBPyConnection, root: Path) -> duckdb.DuckDBPyConnection:
    lake = root / "lake"
    con.execute(f"SET allowed_directories = [{literal(lake)}, {literal(glob_free(lake))}]")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con
