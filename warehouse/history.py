"""Former states: the warehouse as it was after any run or on any date, and going back to one.

Rows are never changed. What was the latest follows from the order of the runs and from `superseded`, so a former state
can be seen as long as its rows are held, and going back is one more manifest: nothing is lost, and decisions stay.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from schemas.errors import WarehouseError
from schemas.tables import TABLE_BY_NAME
from warehouse.arrow import arrow_schema, arrow_table
from warehouse.catalogue import literal, number_of, publish, seen
from warehouse.manifest import LOCK_SECONDS, Manifest, write
from warehouse.parquet import read_file, write_file
from warehouse.rows import Row, utc
from warehouse.stage import changing, place


def roll_back(root: Path, moment: str | date, actor: str, reason: str, *, timeout: float = LOCK_SECONDS) -> Manifest:
    """Make the state after a run, or of a date, the current one again, publish it, and give back the manifest.

    Runs since then count no longer and what they brought is superseded; decisions stay as they are. The next run of
    the inbox takes up again what was taken back. Raises WarehouseError when there is no such state.
    """
    root = Path(root).resolve()
    with changing(root, "rollback", timeout) as (former, run_id, stage):
        with _then_and_now(root, former, moment) as (con, number):
            if number == former.number:
                raise WarehouseError(f"The warehouse stands as it did after {moment}; there is nothing to take back.")
            _go_back(con, former, number, stage)
        row = audit_row(former, "rollback", str(moment), actor, reason)
        write_file(stage / "audit.parquet", _with_audit(root, former, row))
        placed = {name: place(root, run_id, stage / f"{name}.parquet", name) for name in _WRITTEN}
        manifest = former.following(run_id, **_of_what_was(former, placed))
        write(root, manifest)
    publish(root)
    return manifest


def record(
    root: Path,
    action: str,
    subject: str,
    actor: str,
    reason: str,
    *,
    approver: str | None = None,
    timeout: float = LOCK_SECONDS,
) -> Manifest:
    """Add a line to the audit, publish, and give back the manifest. Raises WarehouseError when nothing was landed."""
    root = Path(root).resolve()
    with changing(root, action.replace("_", "-"), timeout) as (former, run_id, stage):
        row = audit_row(former, action, subject, actor, reason, approver=approver)
        write_file(stage / "audit.parquet", _with_audit(root, former, row))
        file = place(root, run_id, stage / "audit.parquet", "audit")
        columns = {"audit": tuple(TABLE_BY_NAME["audit"].columns)}
        manifest = former.following(run_id, files=former.files | {"audit": (file,)}, columns=former.columns | columns)
        write(root, manifest)
    publish(root)
    return manifest


def audit_row(former: Manifest, action: str, subject: str, actor: str, reason: str, **more: Any) -> Row:
    """A line of the audit about what the manifest after `former` brings; `more` are columns besides."""
    row = {"at": utc(datetime.now(UTC)), "action": action, "subject": subject, "actor": actor, "reason": reason}
    return row | {"number": former.number + 1} | more


def _with_audit(root: Path, former: Manifest, row: Row) -> pa.Table:
    table = TABLE_BY_NAME["audit"]
    held = [read_file(root / file, table) for file in former.files.get("audit", ())]
    return pa.concat_tables([*held, arrow_table("audit", arrow_schema(table), [row])])


@contextmanager
def _then_and_now(
    root: Path, manifest: Manifest, moment: str | date
) -> Iterator[tuple[duckdb.DuckDBPyConnection, int]]:
    """A connection to the state of a moment, and its number."""
    with seen(root, manifest, tables_only=True) as now:
        number = number_of(now, moment)
        if now.execute("SELECT 1 FROM runs_history WHERE number = ? AND undone_at IS NOT NULL", [number]).fetchone():
            raise WarehouseError(f"The run {moment} was itself taken back.", help="Choose one that `runs` lists.")
    with seen(root, manifest, number, tables_only=True) as then:
        yield then, number


_WRITTEN = ("heads", "superseded", "runs", "audit")
_REVIVED = """
SELECT s.kind, s.id, s.run_id, s.by_number,
    CASE WHEN s.by_number > $number AND s.until IS NULL AND r.number <= $number THEN $back ELSE s.until END AS until
FROM superseded_history s
LEFT JOIN runs_history r ON r.run_id = s.run_id
"""
"""What was superseded since then by runs that count no longer is the latest again."""
_TAKEN_BACK = """
SELECT h.kind, h.id, h.run_id, $back AS by_number, NULL::BIGINT AS until
FROM (
    SELECT DISTINCT 'document' AS kind, document_id AS id, run_id FROM documents_history
    UNION SELECT 'pages', document_id, run_id FROM pages_history
    UNION SELECT 'pages', document_id, run_id FROM edit_marks_history
    UNION SELECT 'contract', contract_id, run_id FROM contracts_history
    UNION SELECT 'family', family_id, run_id FROM family_members_history
    UNION SELECT 'family', family_id, run_id FROM family_flags_history
) h
JOIN runs_history r ON r.run_id = h.run_id AND r.number > $number
ANTI JOIN (SELECT * FROM superseded_history WHERE until IS NULL) s
    ON s.kind = h.kind AND s.id = h.id AND s.run_id = h.run_id
"""
_HEADS = """
WITH read AS (SELECT document_id, run_id FROM pages UNION SELECT document_id, run_id FROM edit_marks)
SELECT 'document' AS kind, d.document_id AS id, d.run_id, p.run_id AS pages_run_id, NULL::INTEGER AS version,
    d.status, d.contract_id, d.document_id, d.work_key, d.error_code, d.duplicate_of, d.source_uri
FROM documents d
LEFT JOIN (SELECT document_id, any_value(run_id) AS run_id FROM read GROUP BY ALL) p USING (document_id)
UNION ALL
SELECT 'contract', contract_id, run_id, NULL::VARCHAR, version, status, contract_id, document_id, work_key, NULL,
    NULL, NULL
FROM contracts
UNION ALL
SELECT DISTINCT 'family', family_id, run_id, NULL, NULL::INTEGER, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (SELECT family_id, run_id FROM family_members UNION SELECT family_id, run_id FROM family_flags)
"""
_RUNS = """
SELECT * REPLACE (
    CASE WHEN number > $number AND trigger IS DISTINCT FROM 'review' THEN coalesce(undone_at, $back) ELSE undone_at END
    AS undone_at
)
FROM runs_history
"""


def _go_back(con: duckdb.DuckDBPyConnection, former: Manifest, number: int, stage: Path) -> None:
    """Stage runs, heads and what is superseded, when the manifest after `former` goes back to the state `number`."""
    at = {"number": number, "back": former.number + 1}
    for name, sql, given in (
        ("heads", _HEADS, {}),
        ("superseded", f"{_REVIVED} UNION ALL {_TAKEN_BACK}", at),
        ("runs", _RUNS, at),
    ):
        con.execute(f"COPY ({sql}) TO {literal(stage / f'{name}.parquet')} (FORMAT parquet, COMPRESSION zstd)", given)


def _of_what_was(former: Manifest, placed: dict[str, str]) -> dict[str, Any]:
    """What changes when going back. What is retired may be the latest again, so nothing is retired any more."""
    names = former.files.keys() | former.retired.keys()
    files = {name: (*former.retired.get(name, ()), *former.files.get(name, ())) for name in names}
    columns = {name: tuple(TABLE_BY_NAME[name].columns) for name in ("runs", "audit")}
    return {
        "files": files | {name: (placed[name],) for name in columns},
        "columns": former.columns | columns,
        "retired": {},
        "heads": (placed["heads"],),
        "superseded": (placed["superseded"],),
        "superseded_before": (),
    }
