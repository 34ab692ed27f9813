"""Forgetting a contract: nothing of it is left but a line in the audit that says so.

It takes two people: one asks for it, another approves. A contract under legal hold is not forgotten, nor one whose term
lies in a closed period. What others may say of its text goes too: copies, near duplicates, the state of its family
(made anew for those who stay), decisions. Former manifests go, since they list files that hold it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from schemas.errors import WarehouseError
from schemas.tables import TABLE_BY_NAME, TABLES, Table
from warehouse.arrow import arrow_schema, arrow_table
from warehouse.catalogue import QUIET, literal, parquet_rows, publish, seen
from warehouse.history import audit_row, record
from warehouse.lake import Landing, Linker, commit
from warehouse.manifest import LOCK_SECONDS, Manifest
from warehouse.parquet import write_file
from warehouse.read import query
from warehouse.rows import utc
from warehouse.stage import changing, place, sweep
from warehouse.state import FORGOTTEN

ASKED, HELD, RELEASED = "forget_asked", "hold", "release"
Period = tuple[date, date]


class Traces(NamedTuple):
    """Where a contract has left something: the contracts and documents that are its copies, its families with their
    other members, the hashes of its files and where these came from."""

    contract_ids: tuple[str, ...]
    document_ids: tuple[str, ...]
    family_ids: tuple[str, ...]
    relatives: tuple[str, ...]
    sha256: tuple[str, ...]
    sources: tuple[str, ...]


def find(root: Path, name: str) -> str:
    """The contract_id of a contract, given by it or by a file name. Raises WarehouseError unless there is one."""
    sql = """SELECT DISTINCT contract_id FROM documents_history
        WHERE $name IN (contract_id, document_id, file_name, source_uri)"""
    found = [row[0] for row in query(root, sql, {"name": name})[1]]
    if len(found) != 1:
        many = f"{len(found)} contracts go by" if found else "There is no contract"
        raise WarehouseError(
            f"{many} {name}.", help="Give a contract_id: `SELECT contract_id, file_name FROM documents`."
        )
    return found[0]


def hold(root: Path, contract_id: str, actor: str, reason: str) -> None:
    """Put a contract under legal hold: it is not forgotten until it is released."""
    record(root, HELD, contract_id, actor, reason)


def release(root: Path, contract_id: str, actor: str, reason: str) -> None:
    """End a contract's legal hold."""
    record(root, RELEASED, contract_id, actor, reason)


def ask_to_forget(root: Path, contract_id: str, actor: str, reason: str, closed: Sequence[Period] = ()) -> None:
    """Ask for a contract to be forgotten. Raises WarehouseError when it is held or lies in a closed period."""
    _refuse_what_must_stay(root, contract_id, closed)
    record(root, ASKED, contract_id, actor, reason)


def forget(
    root: Path,
    contract_id: str,
    approver: str,
    closed: Sequence[Period] = (),
    *,
    relink: Callable[[Collection[str]], Linker],
    elsewhere: Callable[[Collection[str]], None] = lambda contract_ids: None,
    timeout: float = LOCK_SECONDS,
) -> Traces:
    """Remove everything about a contract that was asked to be forgotten, publish, and tell what it had left.

    `relink` gives what works out the families of those who stay; `elsewhere` removes what is kept of contracts outside
    of the tables, and is called first. A run that was killed in the middle is simply done again. Raises WarehouseError
    when nobody else asked for it, or it must stay.
    """
    root = Path(root).resolve()
    request = _request(root, contract_id)
    if request["actor"].casefold() == approver.casefold():
        raise WarehouseError(f"{approver} asked for it, so another person has to approve.", code="second_person")
    _refuse_what_must_stay(root, contract_id, closed)
    with changing(root, "forget", timeout) as (former, run_id, stage):
        with seen(root, former, tables_only=True) as con:
            traces = _traces(con, contract_id)
        elsewhere(traces.contract_ids)
        left = _without(root, former, traces, run_id, stage)
        who = {"approver": approver, "sha256": list(traces.sha256)}
        row = audit_row(former, FORGOTTEN, contract_id, request["actor"], request["reason"], **who)
        write_file(stage / "audit.parquet", arrow_table("audit", arrow_schema(TABLE_BY_NAME["audit"]), [row]))
        link = relink(traces.relatives) if traces.relatives else None
        commit(root, Landing(stage, run_id), left, _run_row(run_id), link=link)
        sweep(root)
    publish(root)
    return traces


def _run_row(run_id: str) -> dict[str, Any]:
    """A run of no business date: it is no night's, and brings nothing new."""
    now = utc(datetime.now(UTC))
    counts = dict.fromkeys(("documents", "contracts", "flags", "quarantined", "duplicates", "pages"), 0)
    return {"run_id": run_id, "started_at": now, "finished_at": now, "trigger": "forget", "seconds": 0.0} | counts


def _request(root: Path, contract_id: str) -> dict[str, Any]:
    sql = """SELECT action, actor, reason FROM audit WHERE subject = $id AND action IN ($asked, $forgotten)
        ORDER BY number DESC LIMIT 1"""
    names, rows = query(root, sql, {"id": contract_id, "asked": ASKED, "forgotten": FORGOTTEN})
    if not rows or rows[0][0] != ASKED:
        raise WarehouseError(
            f"Nobody asked for {contract_id} to be forgotten.",
            help=f"`contract-agent forget {contract_id} --by NAME --reason WHY` asks for it; another person approves.",
            code="second_person",
        )
    return dict(zip(names, rows[0], strict=True))


def _refuse_what_must_stay(root: Path, contract_id: str, closed: Sequence[Period]) -> None:
    with_copies = """SELECT DISTINCT d.contract_id FROM documents_history d WHERE d.contract_id = $id
        OR d.duplicate_of IN (SELECT document_id FROM documents_history WHERE contract_id = $id)"""
    last = f"""SELECT subject, arg_max(action, number), arg_max(actor, number), arg_max(reason, number) FROM audit
        WHERE action IN ('{HELD}', '{RELEASED}') AND subject IN ({with_copies}) GROUP BY subject"""
    for subject, action, actor, reason in query(root, last, {"id": contract_id})[1]:
        if action == HELD:
            raise WarehouseError(
                f"{subject} is under legal hold by {actor}: {reason}",
                help=f"`contract-agent hold {subject} --release --by NAME --reason WHY` ends it.",
                code="legal_hold",
            )
    dates = f"""SELECT min(coalesce(effective_date, agreement_date)), max(coalesce(expiration_date, DATE '9999-12-31'))
        FROM contracts WHERE contract_id IN ({with_copies})"""
    ((first, last_day),) = query(root, dates, {"id": contract_id})[1]
    for start, end in closed:
        if (first is None or first <= end) and (last_day is None or last_day >= start):
            known = f"runs from {first}" if first else "has no known start, so it may run"
            raise WarehouseError(
                f"{contract_id} {known} in the closed period {start} to {end}; its record must be kept.",
                help="Forget it when the period's records need to be kept no longer (setting `closed_periods`).",
                code="closed_period",
            )


def _traces(con: duckdb.DuckDBPyConnection, contract_id: str) -> Traces:
    con.execute(
        """CREATE TEMP TABLE gone AS
        WITH own AS (SELECT DISTINCT document_id FROM documents_history WHERE contract_id = ?)
        SELECT DISTINCT document_id, contract_id, sha256, source_uri FROM documents_history
        WHERE contract_id = $1 OR duplicate_of IN (FROM own)""",
        [contract_id],
    )

    def those(sql: str) -> tuple[str, ...]:
        return tuple(row[0] for row in con.execute(f"{sql} ORDER BY 1").fetchall())

    families = """SELECT family_id FROM family_members_history SEMI JOIN gone USING (contract_id)
        UNION SELECT family_id FROM family_flags_history SEMI JOIN gone USING (contract_id)"""
    return Traces(
        contract_ids=those("SELECT DISTINCT contract_id FROM gone"),
        document_ids=those("SELECT DISTINCT document_id FROM gone"),
        family_ids=those(families),
        relatives=those(
            f"""SELECT DISTINCT m.contract_id FROM family_members m ANTI JOIN gone g ON g.contract_id = m.contract_id
            WHERE m.family_id IN ({families})"""
        ),
        sha256=those("SELECT DISTINCT sha256 FROM gone WHERE sha256 IS NOT NULL"),
        sources=those("SELECT DISTINCT source_uri FROM gone WHERE source_uri IS NOT NULL"),
    )


def _without(root: Path, former: Manifest, traces: Traces, run_id: str, stage: Path) -> Manifest:
    """The state `former` with no row of these in any file; manifests before the next one are kept no longer."""
    con = duckdb.connect(":memory:", config={"temp_directory": str(stage / "spill")})
    try:
        con.execute(QUIET)
        clean = _Cleaner(con, root, run_id, stage)
        files, retired = ({**lists} for lists in (former.files, former.retired))
        for table in TABLES:
            if where := _rows_of(table, traces):
                for lists in (files, retired):
                    lists[table.name] = clean(table.name, where, lists.get(table.name, ()))
        of = {"contract": traces.contract_ids, "document": traces.document_ids, "family": traces.family_ids}
        of["pages"] = traces.document_ids
        gone = " OR ".join(f"(kind = '{kind}' AND {_any_of('id', ids)})" for kind, ids in of.items())
        return former.model_copy(
            update={
                "files": files,
                "retired": {name: held for name, held in retired.items() if held},
                "heads": clean("heads", f"({gone})", former.heads),
                "superseded": clean("superseded", f"({gone})", former.superseded),
                "superseded_before": clean("superseded", f"({gone})", former.superseded_before),
                "first": former.number + 1,
            }
        )
    finally:
        con.close()


class _Cleaner:
    """Writes files again without some rows."""

    def __init__(self, con: duckdb.DuckDBPyConnection, root: Path, run_id: str, stage: Path):
        self._con, self._root, self._run_id, self._stage = con, root, run_id, stage

    def __call__(self, table: str, where: str, files: Iterable[str]) -> tuple[str, ...]:
        return tuple(self._cleaned(table, where, file) for file in files)

    def _cleaned(self, table: str, where: str, file: str) -> str:
        source = f"FROM {parquet_rows(self._root / file)}"
        if not self._con.execute(f"SELECT 1 {source} WHERE {where} LIMIT 1").fetchone():
            return file
        staged = self._stage / "cleaned.parquet"
        kept = f"SELECT * {source} WHERE NOT coalesce({where}, false)"
        self._con.execute(f"COPY ({kept}) TO {literal(staged)} (FORMAT parquet, COMPRESSION zstd)")
        return place(self._root, self._run_id, staged, table)


def _rows_of(table: Table, traces: Traces) -> str | None:
    """The condition on the rows of a table that are about the contract; None where there can't be any."""
    if table.level == "document":
        return _any_of("document_id", traces.document_ids)
    if table.level == "family":
        return _any_of("family_id", traces.family_ids)
    if table.level in ("contract", "review"):
        return _any_of("contract_id", traces.contract_ids)
    return None


def _any_of(column: str, values: Collection[str]) -> str:
    return f"{column} IN ({', '.join(map(literal, values))})" if values else "false"
