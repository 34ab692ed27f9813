"""What stands after all events, as tables beside them: decisions, requests, sign-offs, periods, conflicts.

Only `apply` writes them, event by event in their order, so they can be made anew from the events at any time.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Literal

from schemas.base import Frozen
from schemas.errors import printable
from schemas.review import Event, Standing, TargetName

TABLES = ("decisions", "requests", "sign_offs", "periods", "conflicts", "landings")
_SET_UP = """
CREATE TABLE IF NOT EXISTS decisions (
    number INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, target TEXT, target_id TEXT, contract_id TEXT, decision TEXT,
    old_value TEXT, new_value TEXT, reason_code TEXT, comment TEXT, reviewer TEXT, decided_at TEXT, evidence_hash TEXT,
    state TEXT NOT NULL, approver TEXT, seconds REAL, keystrokes INTEGER, is_blind INTEGER, batch TEXT,
    effective_from TEXT, undone_by INTEGER, undone_at TEXT, undone_sha256 TEXT, undone_actor TEXT, why TEXT,
    landed_in TEXT, withdrawn_in TEXT, conflict INTEGER
);
CREATE INDEX IF NOT EXISTS decisions_on ON decisions (target_id, target, number);
CREATE INDEX IF NOT EXISTS decisions_of ON decisions (contract_id, number);
CREATE INDEX IF NOT EXISTS decisions_in ON decisions (batch) WHERE batch IS NOT NULL;
CREATE INDEX IF NOT EXISTS decisions_to_land ON decisions (number) WHERE landed_in IS NULL;
CREATE INDEX IF NOT EXISTS decisions_undone ON decisions (undone_by) WHERE undone_by IS NOT NULL;
CREATE TABLE IF NOT EXISTS requests (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, batch TEXT, count INTEGER, rule_id TEXT, scope TEXT, reason TEXT,
    owner TEXT, effective_from TEXT, effective_to TEXT, asked_by TEXT, asked_at TEXT, state TEXT NOT NULL,
    answered_by TEXT, answered_at TEXT, answered_number INTEGER, answered_sha256 TEXT, why TEXT,
    undone_by TEXT, undone_at TEXT, undone_number INTEGER, undone_sha256 TEXT, landed_in TEXT, withdrawn_in TEXT
);
CREATE TABLE IF NOT EXISTS sign_offs (
    number INTEGER PRIMARY KEY, contract_id TEXT, preparer TEXT, prepared_at TEXT, approver TEXT, signed_at TEXT,
    signed_number INTEGER, signed_sha256 TEXT, withdrawn_by TEXT, withdrawn_at TEXT, withdrawn_number INTEGER,
    withdrawn_sha256 TEXT, why TEXT, landed_in TEXT, withdrawn_in TEXT
);
CREATE INDEX IF NOT EXISTS sign_offs_of ON sign_offs (contract_id, number);
CREATE INDEX IF NOT EXISTS sign_offs_signed ON sign_offs (signed_number) WHERE signed_number IS NOT NULL;
CREATE INDEX IF NOT EXISTS sign_offs_withdrawn ON sign_offs (withdrawn_number) WHERE withdrawn_number IS NOT NULL;
CREATE TABLE IF NOT EXISTS periods (
    number INTEGER PRIMARY KEY, first TEXT, last TEXT, locked_by TEXT, locked_at TEXT, reopened_by TEXT,
    reopened_at TEXT, why TEXT
);
CREATE TABLE IF NOT EXISTS conflicts (
    number INTEGER PRIMARY KEY, sha256 TEXT, decision INTEGER, contract_id TEXT, target TEXT, target_id TEXT,
    met_at TEXT, made_on TEXT, stands_now TEXT, why TEXT, landed_in TEXT
);
CREATE TABLE IF NOT EXISTS landings (number INTEGER PRIMARY KEY, run_id TEXT);
"""


class Request(Frozen):
    """A bulk confirmation or a rule's override that one person asked for. It counts when another one approved it, from
    `effective_from` on, and an override until `effective_to` (the last day; None: until it is undone)."""

    number: int
    kind: Literal["bulk", "rule"]
    batch: str | None = None
    count: int | None = None
    rule_id: str | None = None
    scope: str | None = None
    reason: str | None = None
    owner: str
    effective_from: date
    effective_to: date | None = None
    asked_by: str
    asked_at: datetime
    state: Literal["waiting", "effective", "declined", "undone"]
    answered_by: str | None = None
    answered_at: datetime | None = None
    answered_number: int | None = None
    answered_sha256: str | None = None
    why: str | None = None
    undone_by: str | None = None
    undone_at: datetime | None = None
    undone_number: int | None = None
    undone_sha256: str | None = None
    landed_in: str | None = None
    withdrawn_in: str | None = None

    def counts(self, on: date) -> bool:
        """Whether it is approved and in effect on a day."""
        return self.state == "effective" and self.effective_from <= on <= (self.effective_to or date.max)


class SignOff(Frozen):
    """A contract's sign-off: `number` is the preparation's, `approver` is None until somebody signed."""

    number: int
    contract_id: str
    preparer: str
    prepared_at: datetime
    approver: str | None = None
    signed_at: datetime | None = None
    signed_number: int | None = None
    signed_sha256: str | None = None
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None
    withdrawn_number: int | None = None
    withdrawn_sha256: str | None = None
    why: str | None = None
    landed_in: str | None = None
    withdrawn_in: str | None = None


class LockedPeriod(Frozen):
    """A period in whose contracts nothing is decided, first and last day included, until it is reopened."""

    number: int
    first: date
    last: date
    locked_by: str
    locked_at: datetime
    reopened_by: str | None = None
    reopened_at: datetime | None = None
    why: str | None = None


class Conflict(Frozen):
    """A decision that was not landed since the warehouse shows something else by now."""

    number: int
    sha256: str
    decision: int
    contract_id: str
    target: TargetName
    target_id: str
    met_at: datetime
    made_on: str | None = None
    stands_now: str | None = None
    why: str | None = None
    landed_in: str | None = None


class Change(Frozen):
    """Something to be landed: a decision that counts, or that one was taken back (`is_withdrawn`).

    `number`, `sha256`, `at` and `actor` are of the event that made it so: the decision's own, or that of its undoing.
    """

    number: int
    sha256: str
    at: datetime
    actor: str
    is_withdrawn: bool
    standing: Standing
    seconds: float | None = None
    keystrokes: int | None = None
    is_blind: bool = False
    batch: str | None = None


def set_up(connection: sqlite3.Connection, *, anew: bool = False) -> None:
    """Make the tables that are missing; with `anew` make all of them, empty."""
    if anew:
        for table in TABLES:
            connection.execute(f"DROP TABLE IF EXISTS {table}")
    for statement in filter(str.strip, _SET_UP.split(";")):
        connection.execute(statement)


def contents(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All rows, table by table."""
    return {table: connection.execute(f"SELECT * FROM {table} ORDER BY number").fetchall() for table in TABLES}


def apply(connection: sqlite3.Connection, event: Event) -> None:
    """Bring the tables up to date with one more event.

    An event acts on what is of its own contract, and on nothing of others: what is erased with a contract's events
    must not be left in, or be missing from, what stands of another one.
    """
    if made := _MADE.get(event.action):
        made(connection, event)


def _decided(connection: sqlite3.Connection, event: Event) -> None:
    body = event.body
    if body is None:  # erased since; what was decided went with it
        return
    row = {
        "number": event.number,
        "sha256": event.sha256,
        "target": event.target,
        "target_id": event.target_id,
        "contract_id": event.contract_id,
        "reviewer": event.actor,
        "decided_at": _text(event.at),
        "state": "waiting" if body.get("is_waiting") else "effective",
    }
    names = ("decision", "old_value", "new_value", "reason_code", "comment", "evidence_hash")
    measured = ("seconds", "keystrokes", "batch", "effective_from")
    row |= {name: body.get(name) for name in (*names, *measured)} | {"is_blind": int(bool(body.get("is_blind")))}
    _put(connection, "decisions", row)


def _asked(connection: sqlite3.Connection, event: Event) -> None:
    body = event.body or {}
    names = ("batch", "count", "rule_id", "scope", "reason", "owner", "effective_from", "effective_to")
    row = {"number": event.number, "kind": "bulk" if event.action == "bulk_confirmed" else "rule", "state": "waiting"}
    row |= {name: body.get(name) for name in names} | {"asked_by": event.actor, "asked_at": _text(event.at)}
    _put(connection, "requests", row)


def _approved(connection: sqlite3.Connection, event: Event) -> None:
    for number in event.refers_to:
        connection.execute(
            """UPDATE decisions SET state = 'effective', approver = ?
            WHERE number = ? AND contract_id IS ? AND state = 'waiting'""",
            [event.actor, number, event.contract_id],
        )
    _answer(connection, event, "effective")


def _declined(connection: sqlite3.Connection, event: Event) -> None:
    for number in event.refers_to:
        connection.execute(
            """UPDATE decisions SET state = 'declined', approver = ?, why = ?
            WHERE number = ? AND contract_id IS ? AND state = 'waiting'""",
            [event.actor, _why(event), number, event.contract_id],
        )
    _answer(connection, event, "declined")


def _undone(connection: sqlite3.Connection, event: Event) -> None:
    for number in event.refers_to:
        connection.execute(
            """UPDATE decisions SET undone_by = ?, undone_at = ?, undone_sha256 = ?, undone_actor = ?
            WHERE number = ? AND contract_id IS ? AND undone_by IS NULL""",
            [event.number, _text(event.at), event.sha256, event.actor, number, event.contract_id],
        )
        connection.execute(
            """UPDATE requests SET state = 'undone', undone_by = ?, undone_at = ?, undone_number = ?, undone_sha256 = ?
            WHERE number = ? AND ? IS NULL""",
            [event.actor, _text(event.at), event.number, event.sha256, number, event.contract_id],
        )


def _answer(connection: sqlite3.Connection, event: Event, state: str) -> None:
    for number in event.refers_to:
        connection.execute(
            """UPDATE requests SET state = ?, answered_by = ?, answered_at = ?, answered_number = ?,
            answered_sha256 = ?, why = ? WHERE number = ? AND ? IS NULL AND state = 'waiting'""",
            [state, event.actor, _text(event.at), event.number, event.sha256, _why(event), number, event.contract_id],
        )


def _prepared(connection: sqlite3.Connection, event: Event) -> None:
    row = {"number": event.number, "contract_id": event.contract_id, "preparer": event.actor}
    _put(connection, "sign_offs", row | {"prepared_at": _text(event.at)})


def _signed_off(connection: sqlite3.Connection, event: Event) -> None:
    connection.execute(
        """UPDATE sign_offs SET approver = ?, signed_at = ?, signed_number = ?, signed_sha256 = ?
        WHERE number = ? AND contract_id IS ?""",
        [event.actor, _text(event.at), event.number, event.sha256, event.refers_to[0], event.contract_id],
    )


def _withdrawn(connection: sqlite3.Connection, event: Event) -> None:
    connection.execute(
        """UPDATE sign_offs SET withdrawn_by = ?, withdrawn_at = ?, withdrawn_number = ?, withdrawn_sha256 = ?, why = ?
        WHERE number = ? AND contract_id IS ?""",
        [
            *(event.actor, _text(event.at), event.number, event.sha256, _why(event)),
            *(event.refers_to[0], event.contract_id),
        ],
    )


def _locked(connection: sqlite3.Connection, event: Event) -> None:
    body = event.body or {}
    row = {"number": event.number, "first": body.get("first"), "last": body.get("last")}
    _put(connection, "periods", row | {"locked_by": event.actor, "locked_at": _text(event.at)})


def _reopened(connection: sqlite3.Connection, event: Event) -> None:
    connection.execute(
        "UPDATE periods SET reopened_by = ?, reopened_at = ?, why = ? WHERE number = ? AND ? IS NULL",
        [event.actor, _text(event.at), _why(event), event.refers_to[0], event.contract_id],
    )


def _met(connection: sqlite3.Connection, event: Event) -> None:
    if event.body is None:
        return
    row = {"number": event.number, "sha256": event.sha256, "decision": event.refers_to[0]}
    row |= {"contract_id": event.contract_id, "target": event.target, "target_id": event.target_id}
    row |= {"met_at": _text(event.at)} | {name: event.body.get(name) for name in ("made_on", "stands_now", "why")}
    _put(connection, "conflicts", row)
    sql = "UPDATE decisions SET conflict = ? WHERE number = ? AND contract_id IS ?"
    connection.execute(sql, [event.number, event.refers_to[0], event.contract_id])


def _landed(connection: sqlite3.Connection, event: Event) -> None:
    run_id = (event.body or {}).get("run_id")
    _put(connection, "landings", {"number": event.number, "run_id": run_id})
    for number in event.refers_to:
        for table, landed, withdrawn in (
            ("decisions", "number", "undone_by"),
            ("sign_offs", "signed_number", "withdrawn_number"),
            ("requests", "answered_number", "undone_number"),
        ):
            connection.execute(f"UPDATE {table} SET landed_in = ? WHERE {landed} = ?", [run_id, number])
            connection.execute(f"UPDATE {table} SET withdrawn_in = ? WHERE {withdrawn} = ?", [run_id, number])
        connection.execute("UPDATE conflicts SET landed_in = ? WHERE number = ?", [run_id, number])


def _forgotten(connection: sqlite3.Connection, event: Event) -> None:
    for table in ("decisions", "conflicts"):
        connection.execute(f"DELETE FROM {table} WHERE contract_id = ?", [event.contract_id])
    connection.execute("UPDATE sign_offs SET why = NULL WHERE contract_id = ?", [event.contract_id])


_MADE = {
    "decided": _decided,
    "bulk_confirmed": _asked,
    "rule_overridden": _asked,
    "approved": _approved,
    "declined": _declined,
    "undone": _undone,
    "prepared": _prepared,
    "signed_off": _signed_off,
    "sign_off_withdrawn": _withdrawn,
    "period_locked": _locked,
    "period_reopened": _reopened,
    "conflict_met": _met,
    "landed": _landed,
    "forgotten": _forgotten,
}

_COUNTED = "CASE WHEN state = 'effective' AND effective_from > :today THEN 'waiting' ELSE state END"
_OF_STANDING = (
    *("number", "target", "target_id", "contract_id", "decision", "old_value", "new_value", "reason_code", "comment"),
    *("reviewer", "decided_at", "evidence_hash", "approver", "landed_in"),
)
_STANDING = f"SELECT {', '.join(_OF_STANDING)}, {_COUNTED} AS state FROM decisions"


def standing(
    connection: sqlite3.Connection,
    contract_id: str | None,
    targets: Iterable[tuple[TargetName, str]] | None,
    state: str | None,
    on: date,
    *,
    number: int | None = None,
    batch: str | None = None,
) -> list[Standing]:
    """See View.standing; with a number or a batch these decisions alone, whether or not another one stands."""
    where, given = ["undone_by IS NULL"], {"today": on.isoformat()}
    if number is not None:
        where.append("number = :number")
        given["number"] = number
    elif batch is not None:
        where.append("batch = :batch")
        given["batch"] = batch
    else:  # the last that nobody declined, else the last; both over all of the target's
        where.append(
            """number = (SELECT other.number FROM decisions other WHERE other.target_id = decisions.target_id
            AND other.target = decisions.target AND other.undone_by IS NULL
            ORDER BY other.state = 'declined', other.number DESC LIMIT 1)"""
        )
    if contract_id is not None:
        where.append("contract_id = :contract_id")
        given["contract_id"] = contract_id
    if targets is not None:
        where.append("(target, target_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(:targets))")
        given["targets"] = json.dumps([list(target) for target in targets])
    if state is not None:
        where.append(f"{_COUNTED} = :state")
        given["state"] = state
    rows = connection.execute(f"{_STANDING} WHERE {' AND '.join(where)} ORDER BY number", given)
    return [_as(Standing, rows.description, row) for row in rows]


def requests(connection: sqlite3.Connection, state: str | None, number: int | None) -> list[Request]:
    """See View.requests."""
    sql = "SELECT * FROM requests WHERE state = coalesce(?, state) AND number = coalesce(?, number) ORDER BY number"
    rows = connection.execute(sql, [state, number])
    return [_as(Request, rows.description, row) for row in rows]


def sign_offs(connection: sqlite3.Connection, contract_id: str | None) -> list[SignOff]:
    """See View.sign_offs."""
    sql = """SELECT * FROM sign_offs WHERE contract_id = coalesce(?, contract_id) AND withdrawn_number IS NULL
        AND number = (SELECT max(number) FROM sign_offs other WHERE other.contract_id = sign_offs.contract_id)
        ORDER BY number"""
    rows = connection.execute(sql, [contract_id])
    return [_as(SignOff, rows.description, row) for row in rows]


def periods(connection: sqlite3.Connection, all: bool) -> list[LockedPeriod]:
    """See View.periods."""
    rows = connection.execute("SELECT * FROM periods WHERE ? OR reopened_at IS NULL ORDER BY first, number", [all])
    return [_as(LockedPeriod, rows.description, row) for row in rows]


def conflicts(connection: sqlite3.Connection, all: bool) -> list[Conflict]:
    """See View.conflicts."""
    sql = """SELECT c.* FROM conflicts c JOIN decisions d ON d.number = c.decision
        WHERE ? OR (d.undone_by IS NULL AND NOT EXISTS (
            SELECT 1 FROM decisions later WHERE later.target_id = c.target_id AND later.target = c.target
            AND later.number > c.decision AND later.undone_by IS NULL AND later.state <> 'declined'))
        ORDER BY c.number"""
    rows = connection.execute(sql, [all])
    return [_as(Conflict, rows.description, row) for row in rows]


_CHANGES = f"""
SELECT c.change, c.change_sha256, c.change_at, c.change_actor, c.is_withdrawn, seconds, keystrokes, is_blind, batch,
    {", ".join(f"d.{name}" for name in _OF_STANDING)}, {_COUNTED} AS state
FROM (
    SELECT number AS change, sha256 AS change_sha256, decided_at AS change_at, reviewer AS change_actor,
        0 AS is_withdrawn, number AS decision
    FROM decisions
    WHERE landed_in IS NULL AND undone_by IS NULL AND conflict IS NULL AND {_COUNTED} = 'effective'
    UNION ALL
    SELECT undone_by, undone_sha256, undone_at, undone_actor, 1, number
    FROM decisions
    WHERE undone_by IS NOT NULL AND landed_in IS NOT NULL AND withdrawn_in IS NULL
) c
JOIN decisions d ON d.number = c.decision
ORDER BY c.change, c.decision
"""


def changes(connection: sqlite3.Connection, on: date) -> list[Change]:
    """See View.undecided_changes."""
    rows = connection.execute(_CHANGES, {"today": on.isoformat()})
    return [
        Change(
            number=number,
            sha256=own,
            at=at,
            actor=actor,
            is_withdrawn=bool(is_withdrawn),
            standing=_as(Standing, rows.description[9:], of),
            seconds=seconds,
            keystrokes=keystrokes,
            is_blind=bool(is_blind),
            batch=batch,
        )
        for number, own, at, actor, is_withdrawn, seconds, keystrokes, is_blind, batch, *of in rows
    ]


def sign_off_changes(connection: sqlite3.Connection) -> list[SignOff]:
    """See View.sign_off_changes."""
    sql = """SELECT * FROM sign_offs WHERE signed_number IS NOT NULL AND (
        (withdrawn_number IS NULL AND landed_in IS NULL)
        OR (withdrawn_number IS NOT NULL AND landed_in IS NOT NULL AND withdrawn_in IS NULL)) ORDER BY number"""
    rows = connection.execute(sql)
    return [_as(SignOff, rows.description, row) for row in rows]


def request_changes(connection: sqlite3.Connection) -> list[Request]:
    """See View.request_changes."""
    sql = """SELECT * FROM requests WHERE kind = 'rule' AND (
        (state = 'effective' AND landed_in IS NULL)
        OR (state = 'undone' AND landed_in IS NOT NULL AND withdrawn_in IS NULL)) ORDER BY number"""
    rows = connection.execute(sql)
    return [_as(Request, rows.description, row) for row in rows]


def last_effective(
    connection: sqlite3.Connection, target: TargetName, target_id: str, on: date, without: Collection[int]
) -> Standing | None:
    """See View.last_effective."""
    rows = connection.execute(
        f"""{_STANDING} WHERE target = :target AND target_id = :target_id AND undone_by IS NULL AND conflict IS NULL
        AND {_COUNTED} = 'effective' AND number NOT IN (SELECT value FROM json_each(:without))
        ORDER BY number DESC LIMIT 1""",
        {"target": target, "target_id": target_id, "today": on.isoformat(), "without": json.dumps(list(without))},
    )
    row = rows.fetchone()
    return _as(Standing, rows.description, row) if row else None


def _put(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" * len(row))
    values = [printable(value) if isinstance(value, str) else value for value in row.values()]
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", values)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def _why(event: Event) -> str | None:
    return (event.body or {}).get("why")


def _as(kind: type, description: Any, row: Sequence[Any]) -> Any:
    return kind(**dict(zip((column[0] for column in description), row, strict=True)))
