"""Landing: what counts of the decisions becomes rows of the warehouse, once.

The order of things makes a kill at any moment harmless: first a decision that no longer fits is noted as a conflict,
then all rows are landed in one run, then the events are noted as landed. Rows bear the number and the hash of their
event, so rows whose landing was not noted any more are known again; and what the warehouse holds is a witness of the
chain of events.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from review.projection import Change, Conflict, Request, SignOff
from review.store import Store, View, Witness
from schemas.base import Frozen
from schemas.review import WITHDRAWN, Event, NewEvent, ReviewError, Standing
from warehouse.decisions import TARGETS, evidence_of, land_reviewed, standing_now
from warehouse.manifest import committed
from warehouse.read import query
from warehouse.rows import Row, stable_id, utc
from warehouse.stage import new_run_id

ACTOR = "landing"
LOCK_SECONDS = 60.0
_EVENTFUL = ("reviews", "review_conflicts", "sign_offs", "rule_overrides")
"""The tables whose rows bear their event."""


class Landed(Frozen):
    """What a landing did: its run (None when nothing was to be landed), and how many rows of which kind."""

    run_id: str | None = None
    decisions: int = 0
    withdrawn: int = 0
    conflicts: int = 0
    sign_offs: int = 0
    rule_overrides: int = 0


def land_decisions(root: Path, store: Store) -> Landed:
    """Land what is not landed yet. A decision on something else than stands there now becomes a conflict.

    Raises ReviewError (code `landing`) when another process is landing, WarehouseError when there is no warehouse or a
    run is publishing.
    """
    with landing_lock(store.folder):
        return _Landing(Path(root), store).done()


@contextmanager
def landing_lock(folder: Path) -> Iterator[None]:
    """Hold what keeps two landings apart, and a landing from what is being forgotten."""
    lock = FileLock(Path(folder) / "landing.lock")
    try:
        lock.acquire(timeout=LOCK_SECONDS)
    except Timeout as error:
        raise ReviewError(
            f"Another process is landing the decisions of {folder}; waited {LOCK_SECONDS:g} seconds for it.",
            help="Try again when it is done. The lock goes away with the process that holds it.",
            code="landing",
        ) from error
    try:
        yield
    finally:
        lock.release()


def witnesses(root: Path) -> list[Witness]:
    """What the warehouse holds of the chain of events."""
    tables = " UNION ALL ".join(f"SELECT event_number, event_sha256 FROM {table}" for table in _EVENTFUL)
    sql = f"SELECT DISTINCT event_number, event_sha256 FROM ({tables}) WHERE event_number IS NOT NULL ORDER BY ALL"
    return [Witness(*row) for row in query(root, sql)[1]]


class _Landing:
    """One landing; only under its lock."""

    def __init__(self, root: Path, store: Store):
        self._root, self._store = root, store
        self._run_id = new_run_id(utc(datetime.now(UTC)), "review")
        self._in_conflict: set[int] = set()

    def done(self) -> Landed:
        if not committed(self._root):
            return Landed()
        self._note_what_is_there()
        with self._store.snapshot() as view:  # what is decided meanwhile is for the next landing
            changes = self._without_conflicts(view.undecided_changes())
            decisions = [_decision_row(change) for change in changes if not change.is_withdrawn]
            closing = list(self._closing_rows(view, changes, decisions))
            sign_offs, overrides = view.sign_off_changes(), view.request_changes()
        conflicts = [c for c in self._store.conflicts(all=True) if c.landed_in is None]
        rows = {
            "reviews": decisions + closing,
            "review_conflicts": [self._conflict_row(conflict) for conflict in conflicts],
            "sign_offs": [_sign_off_row(sign_off) for sign_off in sign_offs],
            "rule_overrides": [_override_row(request) for request in overrides],
        }
        numbers = [change.number for change in changes] + [conflict.number for conflict in conflicts]
        numbers += [one.withdrawn_number or one.signed_number for one in sign_offs]
        numbers += [one.undone_number or one.answered_number for one in overrides]
        if not numbers:
            return Landed()
        if is_any := any(rows.values()):
            land_reviewed(
                self._root,
                self._run_id,
                {table: [row | {"run_id": self._run_id} for row in held] for table, held in rows.items()},
            )
        self._note(numbers, self._run_id)
        return Landed(
            run_id=self._run_id if is_any else None,
            decisions=len(decisions),
            withdrawn=len(closing),
            conflicts=len(conflicts),
            sign_offs=len(sign_offs),
            rule_overrides=len(overrides),
        )

    def _note(self, numbers: Iterable[int], run_id: str) -> None:
        refers_to = tuple(sorted(set(numbers)))
        self._store.append(NewEvent(actor=ACTOR, action="landed", refers_to=refers_to, body={"run_id": run_id}))

    def _note_what_is_there(self) -> None:
        """Events whose rows a landing wrote that was killed before it noted them."""
        noted = self._store.landings()
        rows = (
            f"SELECT run_id, event_number, event_sha256 FROM {table} WHERE event_number IS NOT NULL"
            for table in _EVENTFUL
        )
        sql = f"SELECT DISTINCT * FROM ({' UNION ALL '.join(rows)}) WHERE run_id NOT IN (SELECT unnest($noted))"
        by_run: dict[str, list[int]] = {}
        for run_id, number, own in query(self._root, sql, {"noted": sorted(noted)})[1]:
            event = self._store.event(number)
            if event and event.sha256 == own:  # else of a former store of decisions
                by_run.setdefault(run_id, []).append(number)
        for run_id, numbers in sorted(by_run.items()):
            self._note(numbers, run_id)

    def _without_conflicts(self, changes: Sequence[Change]) -> list[Change]:
        """The changes that can be landed. A decision that no longer fits what stands there is kept as a conflict, and
        not tried again."""
        now = standing_now(self._root, [_on(change.standing) for change in changes if not change.is_withdrawn])
        kept = []
        for change in changes:
            conflict = None if change.is_withdrawn else _conflict(change.standing, now.get(_on(change.standing)))
            if conflict:
                self._store.append(conflict)
                self._in_conflict.add(change.standing.number)
            else:
                kept.append(change)
        return kept

    def _closing_rows(self, view: View, changes: Sequence[Change], decisions: Sequence[Row]) -> Iterator[Row]:
        """Rows where what stands would not be the last row of its target: after an undoing, or a late approval."""
        last_change = {_on(change.standing): change for change in changes}
        latest = self._latest([id for _, id in last_change])
        for row in decisions:
            on = row["target"], row["target_id"]
            if on not in latest or row["decided_at"] > latest[on]["decided_at"]:
                latest[on] = row
        now = standing_now(self._root, last_change)
        for on, change in last_change.items():
            last = latest.get(on)
            if last is None or last["event_number"] is None:  # what a workbook brought later counts
                continue
            stands = view.last_effective(*on, without=self._in_conflict)
            if stands and _conflict(stands, now.get(on)):
                stands = None
            if stands is None and last["decision"] != WITHDRAWN:
                yield _closing(change, last, None)
            elif stands and any(last[name] != getattr(stands, name) for name in _SAID):
                yield _closing(change, last, stands)

    def _latest(self, ids: Sequence[str]) -> dict[tuple[str, str], Row]:
        names = ("decided_at", "event_number", *_SAID)
        sql = f"""SELECT target, target_id, unnest(arg_max(struct_pack({", ".join(f"{n} := {n}" for n in names)}),
            decided_at)) FROM reviews WHERE target_id IN (SELECT unnest($ids)) GROUP BY target, target_id"""
        rows = query(self._root, sql, {"ids": list(ids)})[1] if ids else []
        return {(row[0], row[1]): dict(zip(names, row[2:], strict=True)) for row in rows}

    def _conflict_row(self, conflict: Conflict) -> Row:
        of = self._store.decision(conflict.decision) or _gone(self._store.event(conflict.decision))
        return {
            "conflict_id": stable_id("k_", conflict.sha256),
            "contract_id": conflict.contract_id,
            "target": conflict.target,
            "target_id": conflict.target_id,
            "decision": of.decision,
            "old_value": conflict.made_on,
            "new_value": of.new_value,
            "stands_now": conflict.stands_now,
            "reason": conflict.why,
            "reviewer": of.reviewer,
            "decided_at": utc(of.decided_at),
            "met_at": utc(conflict.met_at),
            "event_number": conflict.number,
            "event_sha256": conflict.sha256,
        }


_SAID = ("decision", "new_value", "reason_code", "comment", "reviewer", "evidence_hash")


def _on(standing: Standing) -> tuple[str, str]:
    return standing.target, standing.target_id


def _conflict(standing: Standing, row: dict[str, Any] | None) -> NewEvent | None:
    """What is kept when a decision no longer fits what stands there, None when it fits."""
    if row is not None and evidence_of(standing.target, row) == standing.evidence_hash:
        return None
    seen = None if row is None else next((row[n] for n in TARGETS[standing.target].seen if row[n] is not None), None)
    if row is None:
        why = "it is no longer there"
    else:
        why = "its quotation differs" if seen == standing.old_value else "its value differs"
    return NewEvent(
        actor=ACTOR,
        action="conflict_met",
        contract_id=standing.contract_id,
        target=standing.target,
        target_id=standing.target_id,
        refers_to=(standing.number,),
        body={"made_on": standing.old_value, "stands_now": seen, "why": why},
    )


def _decision_row(change: Change) -> Row:
    return _row(change, change.standing) | {"decided_at": utc(change.standing.decided_at)}


def _closing(change: Change, last: Row, stands: Standing | None) -> Row:
    """A row that comes after the last one of its target, and says what stands: a former decision again, or nothing."""
    decided_at = max(utc(change.at), last["decided_at"] + timedelta(microseconds=1))
    row = _row(change, stands or change.standing) | {"decided_at": decided_at}
    if stands is None:
        nothing = dict.fromkeys(("new_value", "reason_code", "comment", "approver"))
        row |= {"decision": WITHDRAWN, "reviewer": change.actor} | nothing
    measured = dict.fromkeys(("seconds", "keystrokes", "is_blind"))  # nobody took any time for it
    return row | measured | {"review_id": stable_id("v_", change.sha256, change.standing.target_id, "closing")}


def _row(change: Change, standing: Standing) -> Row:
    names = ("contract_id", "target", "target_id", "old_value", "approver", *_SAID)
    return {name: getattr(standing, name) for name in names} | {
        "review_id": stable_id("v_", change.sha256, standing.target_id),
        "event_number": change.number,
        "event_sha256": change.sha256,
        "seconds": change.seconds,
        "keystrokes": change.keystrokes,
        "is_blind": change.is_blind,
        "batch": change.batch,
    }


def _sign_off_row(of: SignOff) -> Row:
    is_withdrawn = of.withdrawn_number is not None
    return {
        "sign_off_id": stable_id("s_", of.signed_sha256, "withdrawn" if is_withdrawn else ""),
        "contract_id": of.contract_id,
        "action": WITHDRAWN if is_withdrawn else "signed_off",
        "preparer": of.preparer,
        "prepared_at": utc(of.prepared_at),
        "approver": of.approver,
        "signed_at": of.signed_at and utc(of.signed_at),
        "actor": of.withdrawn_by if is_withdrawn else of.approver,
        "done_at": utc(of.withdrawn_at if is_withdrawn else of.signed_at),
        "reason": of.why,
        "event_number": of.withdrawn_number or of.signed_number,
        "event_sha256": of.withdrawn_sha256 or of.signed_sha256,
    }


def _override_row(of: Request) -> Row:
    is_withdrawn = of.undone_number is not None
    names = ("rule_id", "scope", "reason", "owner", "asked_by", "effective_from", "effective_to")
    return {name: getattr(of, name) for name in names} | {
        "override_id": stable_id("o_", of.answered_sha256, of.number),
        "action": WITHDRAWN if is_withdrawn else "overridden",
        "approver": of.answered_by,
        "actor": of.undone_by if is_withdrawn else of.answered_by,
        "done_at": utc(of.undone_at if is_withdrawn else of.answered_at),
        "event_number": of.undone_number or of.answered_number,
        "event_sha256": of.undone_sha256 or of.answered_sha256,
    }


def _gone(event: Event | None) -> Standing:
    """The decision of an event that was undone after its conflict was met."""
    if event is None or event.body is None:
        raise ReviewError("A conflict's decision is not there.", help="`contract-agent audit verify`.", code="landing")
    names = ("decision", "old_value", "new_value", "reason_code", "comment", "evidence_hash")
    return Standing(
        number=event.number,
        target=event.target,
        target_id=event.target_id,
        contract_id=event.contract_id,
        reviewer=event.actor,
        decided_at=event.at,
        **{name: event.body.get(name) for name in names},
    )
