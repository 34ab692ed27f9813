"""What people did, event by event: appended to one SQLite file, chained by hashes, never changed.

Every event bears the SHA-256 of the one before it, so that a changed, removed or moved event shows. Of an event's body,
which may hold a contract's words, only the salted hash is in the chain: it can be erased when a contract is forgotten.
What stands after all events is kept in tables beside them, in the same transaction; see `review.projection`.
"""

import json
import secrets
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock

from review.projection import (
    Change,
    Conflict,
    LockedPeriod,
    Request,
    SignOff,
    apply,
    changes,
    conflicts,
    contents,
    last_effective,
    periods,
    request_changes,
    requests,
    set_up,
    sign_off_changes,
    sign_offs,
    standing,
)
from schemas.review import Action, Event, NewEvent, ReviewError, Standing, TargetName

FILE_NAME = "events.sqlite"
BUSY_SECONDS = 30.0
_LAYOUT = 1
_FIRST = "0" * 64
"""What the first event is chained to."""
_EVENTS = """
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, contract_id TEXT,
    target TEXT, target_id TEXT, refers_to TEXT NOT NULL, body TEXT, salt TEXT, body_sha256 TEXT, sha256 TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_of_contract ON events (contract_id, number);
CREATE INDEX IF NOT EXISTS events_of_action ON events (action, number);
CREATE TABLE IF NOT EXISTS head (only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER, at TEXT, sha256 TEXT);
CREATE TRIGGER IF NOT EXISTS events_stay BEFORE DELETE ON events BEGIN
    SELECT raise(ABORT, 'events are never removed');
END;
CREATE TRIGGER IF NOT EXISTS events_are_as_they_were BEFORE UPDATE ON events
WHEN new.body IS NOT NULL OR new.salt IS NOT NULL OR (old.number, old.at, old.actor, old.action, old.contract_id,
    old.target, old.target_id, old.refers_to, old.body_sha256, old.sha256) IS NOT (new.number, new.at, new.actor,
    new.action, new.contract_id, new.target, new.target_id, new.refers_to, new.body_sha256, new.sha256)
BEGIN
    SELECT raise(ABORT, 'events are never changed');
END;
"""
"""The triggers keep accidents away; whoever means it is told by the chain."""
_COLUMNS = "number, at, actor, action, contract_id, target, target_id, refers_to, body, salt, body_sha256, sha256"


class Witness(NamedTuple):
    """What was written down elsewhere of an event, when the chain stood as it was then."""

    number: int
    sha256: str


Check = Callable[["View"], None]
"""Looks at what stands in the moment before an event is written, and raises ReviewError if it must not be."""


class Reads:
    """What stands, for whoever has a connection to read it over."""

    def _reading(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def standing(
        self,
        *,
        contract_id: str | None = None,
        targets: Iterable[tuple[TargetName, str]] | None = None,
        state: str | None = None,
        on: date | None = None,
    ) -> list[Standing]:
        """What stands of the decisions, one of each target, in the order of their numbers; of a contract, of some
        targets (each a name and an id), or in a state only. What is approved for a later day is `waiting` until then;
        `on` is today (UTC) when not given."""
        with self._reading() as connection:
            return standing(connection, contract_id, targets, state, on or _today())

    def decision(self, number: int) -> Standing | None:
        """The decision of that number unless it was undone, whether or not another one stands now."""
        with self._reading() as connection:
            found = standing(connection, None, None, None, _today(), number=number)
            return found[0] if found else None

    def batch(self, batch: str | None) -> list[Standing]:
        """The decisions of a bulk confirmation that were not undone; none without one."""
        with self._reading() as connection:
            return [] if batch is None else standing(connection, None, None, None, _today(), batch=batch)

    def requests(self, *, state: str | None = None, number: int | None = None) -> list[Request]:
        """Bulk confirmations and overrides of rules, by number."""
        with self._reading() as connection:
            return requests(connection, state, number)

    def sign_offs(self, contract_id: str | None = None) -> list[SignOff]:
        """The last preparation of each contract, or of one, with its sign-off; those withdrawn are left out."""
        with self._reading() as connection:
            return sign_offs(connection, contract_id)

    def periods(self, *, all: bool = False) -> list[LockedPeriod]:
        """The locked periods; with `all` those that were reopened, too."""
        with self._reading() as connection:
            return periods(connection, all)

    def conflicts(self, *, all: bool = False) -> list[Conflict]:
        """Decisions that could not be landed since something else stood there; those decided anew only with `all`."""
        with self._reading() as connection:
            return conflicts(connection, all)

    def undecided_changes(self, on: date | None = None) -> list[Change]:
        """What counts by now and is not landed yet, and what was landed and taken back since, in the order to land."""
        with self._reading() as connection:
            return changes(connection, on or _today())

    def last_effective(
        self, target: TargetName, target_id: str, on: date | None = None, *, without: Collection[int] = ()
    ) -> Standing | None:
        """The last decision on a target that counts and met no conflict, whatever waits or was declined since; those
        of some numbers are left out."""
        with self._reading() as connection:
            return last_effective(connection, target, target_id, on or _today(), without)

    def request_changes(self) -> list[Request]:
        """Overrides of rules that were approved, and those landed and undone since, that are not landed yet."""
        with self._reading() as connection:
            return request_changes(connection)

    def sign_off_changes(self) -> list[SignOff]:
        """Sign-offs, and withdrawals of those landed, that are not landed yet."""
        with self._reading() as connection:
            return sign_off_changes(connection)

    def landings(self) -> set[str]:
        """The ids of the runs that are noted to have landed something."""
        with self._reading() as connection:
            return {row[0] for row in connection.execute("SELECT run_id FROM landings")}

    def events(
        self,
        *,
        after: int = 0,
        actions: Iterable[Action] | None = None,
        contract_id: str | None = None,
        limit: int | None = None,
        last_first: bool = False,
    ) -> list[Event]:
        """Events with numbers greater than `after`, in their order; an erased body is None."""
        where, given = ["number > ?"], [after]
        if actions is not None:
            names = list(actions)
            where.append(f"action IN ({', '.join('?' * len(names))})")
            given += names
        if contract_id is not None:
            where.append("contract_id = ?")
            given.append(contract_id)
        order = "number DESC" if last_first else "number"
        sql = f"SELECT {_COLUMNS} FROM events WHERE {' AND '.join(where)} ORDER BY {order} LIMIT ?"
        with self._reading() as connection:
            rows = connection.execute(sql, [*given, -1 if limit is None else limit])
            return [_event(row) for row in rows]

    def event(self, number: int) -> Event | None:
        """The event of that number."""
        with self._reading() as connection:
            found = connection.execute(f"SELECT {_COLUMNS} FROM events WHERE number = ?", [number]).fetchone()
            return _event(found) if found else None

    def last(self) -> int:
        """The number of the last event, 0 without any."""
        with self._reading() as connection:
            found = connection.execute("SELECT number FROM head").fetchone()
            return found[0] if found else 0


class View(Reads):
    """Reads what stands over one connection, whose moment it sees."""

    def __init__(self, connection: sqlite3.Connection):
        self._connection = connection

    def _reading(self) -> AbstractContextManager[sqlite3.Connection]:
        return nullcontext(self._connection)


class _Prepared(NamedTuple):
    event: NewEvent
    body: str | None


class _Waiting(NamedTuple):
    events: Sequence[_Prepared]
    check: Check | None
    outcome: "Future[list[Event]]"


class Store(Reads):
    """The events of one warehouse. Any number of processes and threads may have it open.

    Raises ReviewError (code `review_store`) when the file can't be read or written.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self._file = self.folder / FILE_NAME
        self._threads = threading.local()
        self._turn, self._is_writing = threading.Condition(), False
        self._queue: deque[_Waiting] = deque()
        with _told(self._file):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(self.folder / "events.lock", timeout=BUSY_SECONDS):
                self._writer = _connected(self._file)
                _lay_out(self._writer, self._file)

    def append(self, *events: NewEvent, check: Check | None = None) -> list[Event]:
        """Keep the events, all or none; they are on disk when this returns.

        `check` is asked in the same transaction, so that nothing can come between it and the events. What several
        threads append at the same time is written to disk once.
        """
        waiting = _Waiting([_prepared(event) for event in events], check, Future())
        self._queue.append(waiting)
        with self._alone(until=waiting.outcome.done):
            if not waiting.outcome.done():
                self._write(_drained(self._queue))
        return waiting.outcome.result()

    def erase(self, contract_id: str, actor: str) -> None:
        """Empty what is held of a contract's words; the chain still holds, and an event tells who did it. Nothing is
        told where nothing was held. Raises ReviewError (code `review_store`) when somebody is reading for so long that
        the words are still in SQLite's log; then call it again."""
        with self._alone(), _told(self._file):
            with _transaction(self._writer):
                sql = "UPDATE events SET body = NULL, salt = NULL WHERE contract_id = ? AND body IS NOT NULL"
                if self._writer.execute(sql, [contract_id]).rowcount:
                    forgotten = NewEvent(actor=actor, action="forgotten", contract_id=contract_id)
                    _insert(self._writer, _prepared(forgotten))
            (is_busy, _, _) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy:
            raise ReviewError(
                f"Words of {contract_id} may still stand in the log of {self._file}: somebody is reading.",
                help="Do it again, if need be with the review page stopped.",
                code="review_store",
            )

    def verify(self, witnesses: Iterable[Witness] = ()) -> None:
        """Raise ReviewError (code `audit_broken`), naming the first event whose chain does not hold.

        `witnesses` are what was written down elsewhere, as the landed decisions are: only they tell a chain that was
        made anew from one that was kept. What stands has to follow from the events, too.
        """
        with self.snapshot() as view:
            _verify(view._connection, {w.number: w.sha256 for w in witnesses})

    def rebuild(self) -> None:
        """Make what stands anew from the events."""
        with self._alone(), _told(self._file), _transaction(self._writer):
            set_up(self._writer, anew=True)
            for event in View(self._writer).events():
                apply(self._writer, event)

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of what stands, table by table."""
        with self._reading() as connection:
            return contents(connection)

    def close(self) -> None:
        """Close the connections of this thread and of the writer."""
        self._writer.close()
        if connection := getattr(self._threads, "connection", None):
            connection.close()
            del self._threads.connection

    @contextmanager
    def snapshot(self) -> Iterator[View]:
        """Reads what stands as it is now, whatever is appended meanwhile; also what this thread reads otherwise."""
        with self._reading() as connection:
            connection.execute("BEGIN")
            try:
                yield View(connection)
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with _told(self._file):
            if not hasattr(self._threads, "connection"):
                self._threads.connection = _connected(self._file)
            yield self._threads.connection

    @contextmanager
    def _alone(self, until: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Wait for this thread's turn to write, or until there is nothing left to write; nobody waits for a group that
        is not their own."""
        with self._turn:
            self._turn.wait_for(lambda: until() or not self._is_writing)
            is_ours = not until()
            self._is_writing = self._is_writing or is_ours
        try:
            yield
        finally:
            if is_ours:
                with self._turn:
                    self._is_writing = False
                    self._turn.notify_all()

    def _write(self, group: Sequence[_Waiting]) -> None:
        """One transaction for all that wait; one whose check says no is told so, the others are kept."""
        kept: list[tuple[_Waiting, list[Event]]] = []
        try:
            with _told(self._file), _transaction(self._writer):
                for waiting in group:
                    events = self._insert_checked(waiting)
                    if events is not None:
                        kept.append((waiting, events))
            for waiting, events in kept:
                waiting.outcome.set_result(events)
        except ReviewError as error:
            _fail(group, error)
        finally:  # nobody is left waiting, whatever happened
            _fail(group, ReviewError("The events were not kept: another one of their group broke off."))

    def _insert_checked(self, waiting: _Waiting) -> list[Event] | None:
        if waiting.check:
            try:
                waiting.check(View(self._writer))
            except ReviewError as refused:
                waiting.outcome.set_exception(refused)
                return None
        return [_insert(self._writer, event) for event in waiting.events]


def _today() -> date:
    return datetime.now(UTC).date()


def _prepared(event: NewEvent) -> _Prepared:
    body = event.model_dump(mode="json")["body"]
    return _Prepared(event, None if body is None else _canonical(body))


def _fail(group: Iterable[_Waiting], error: ReviewError) -> None:
    for waiting in group:
        if not waiting.outcome.done():
            waiting.outcome.set_exception(error)


def _drained(queue: "deque[_Waiting]") -> list[_Waiting]:
    return [queue.popleft() for _ in range(len(queue))]


def _connected(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _lay_out(connection: sqlite3.Connection, file: Path) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    if layout not in (0, _LAYOUT):
        raise ReviewError(
            f"{file} has the layout {layout}; this version reads {_LAYOUT}.",
            help="Use the version of this program that wrote it.",
            code="review_store",
        )
    if layout == 0:
        connection.executescript(_EVENTS)
        set_up(connection)
        connection.execute(f"PRAGMA user_version = {_LAYOUT}")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:  # whatever happened, half of it must not stay
            connection.execute("ROLLBACK")


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """SQLite's own errors as ones that a person can act on."""
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        raise ReviewError(
            f"{file} can't be read or written: {error}.",
            help="Is the disk full, or the folder on a network share? Restore a damaged file from a backup.",
            code="review_store",
        ) from error


def _insert(connection: sqlite3.Connection, prepared: _Prepared) -> Event:
    """Chain the event to the last one, and bring what stands up to date."""
    number, last_at, former = connection.execute("SELECT number, at, sha256 FROM head").fetchone() or (0, "", _FIRST)
    event, body = prepared
    salt = None if body is None else secrets.token_hex(16)
    row = (
        *(number + 1, _later(last_at), event.actor, event.action, event.contract_id, event.target, event.target_id),
        *(_canonical(list(event.refers_to)), body, salt, _body_sha256(salt, body)),
    )
    row = (*row, _chained(former, row))
    connection.execute(f"INSERT INTO events ({_COLUMNS}) VALUES ({', '.join('?' * len(row))})", row)
    connection.execute("INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?)", [row[0], row[1], row[-1]])
    kept = _event(row)
    apply(connection, kept)
    return kept


def _later(last: str) -> str:
    """Now, and later than the last event even if the clock was set back: decisions are ordered by their times."""
    now = datetime.now(UTC)
    if last:
        now = max(now, datetime.fromisoformat(last) + timedelta(microseconds=1))
    return now.isoformat(timespec="microseconds")


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _body_sha256(salt: str | None, body: str | None) -> str | None:
    """Salted, so that nobody can guess erased words and prove them by the hash."""
    return None if body is None else sha256(f"{salt}{body}".encode()).hexdigest()


def _chained(former: str, row: Sequence[Any]) -> str:
    number, at, actor, action, contract_id, target, target_id, refers_to, _, _, body_sha256 = row[:11]
    parts = [former, number, at, actor, action, contract_id, target, target_id, refers_to, body_sha256]
    return sha256(_canonical(parts).encode()).hexdigest()


def _event(row: Sequence[Any]) -> Event:
    number, at, actor, action, contract_id, target, target_id, refers_to, body, _, _, own = row
    return Event(
        number=number,
        at=datetime.fromisoformat(at),
        actor=actor,
        action=action,
        contract_id=contract_id,
        target=target,
        target_id=target_id,
        refers_to=tuple(json.loads(refers_to)),
        body=None if body is None else json.loads(body),
        sha256=own,
    )


def _verify(connection: sqlite3.Connection, witnesses: dict[int, str]) -> None:
    former, expected = _FIRST, 1
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    set_up(fresh)
    forgotten = dict(
        connection.execute("SELECT contract_id, max(number) FROM events WHERE action = 'forgotten' GROUP BY 1")
    )
    try:
        for row in connection.execute(f"SELECT {_COLUMNS} FROM events ORDER BY number"):
            if problem := _problem(row, former, expected, forgotten, witnesses):
                raise _broken(expected, problem)
            apply(fresh, _event(row))
            former, expected = row[-1], expected + 1
        if missing := sorted(number for number in witnesses if number >= expected):
            raise _broken(expected, f"events are missing at the end; {missing[-1]} was landed")
        head = connection.execute("SELECT number, sha256 FROM head").fetchone() or (0, _FIRST)
        if tuple(head) != (expected - 1, former):
            raise _broken(expected, f"events are missing at the end; the last was {head[0]}")
        held, made = contents(connection), contents(fresh)
        for table in made:
            if held[table] != made[table]:
                raise _broken(expected - 1, f"the table {table} does not follow from the events")
    finally:
        fresh.close()


def _problem(
    row: Sequence[Any], former: str, expected: int, forgotten: dict[str, int], witnesses: dict[int, str]
) -> str | None:
    number, contract_id, body, salt, body_sha256, own = row[0], row[4], row[8], row[9], row[10], row[11]
    if number != expected:
        return "it is missing"
    if own != _chained(former, row):
        return "it, or the one before it, was changed"
    if witnesses.get(number, own) != own:
        return "another one was landed under its number"
    if body is None and body_sha256 is not None:
        return None if forgotten.get(contract_id, 0) > number else "its body is gone and nobody had it erased"
    return None if _body_sha256(salt, body) == body_sha256 else "its body was changed"


def _broken(number: int, problem: str) -> ReviewError:
    return ReviewError(
        f"The audit log does not hold at event {number}: {problem}.",
        help="Keep the file as it is, find out who could write to it, and compare with a backup or an export.",
        code="audit_broken",
    )
