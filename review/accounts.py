"""Who may look and decide: local accounts, their roles, and the sessions of those who signed in.

Passwords are kept as argon2id hashes, sessions' tokens as SHA-256. Sign-ins that fail make the next one wait, by name
and by address, also over restarts. What is told of a failed sign-in never says which part was wrong.
"""

import hashlib
import hmac
import ipaddress
import re
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from getpass import getuser
from pathlib import Path
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from filelock import FileLock

from review.store import Store
from schemas.base import Frozen
from schemas.review import ROLES, NewEvent, Person, ReviewError, Role

FILE_NAME = "accounts.sqlite"
COOKIE = "contract_agent_session"
LEAST_PASSWORD = 12
MOST_PASSWORD = 1_000
FREE_FAILURES = 3
"""Sign-ins that may fail before the next has to wait."""
LONGEST_WAIT_SECONDS = 900
_FORGIVEN_AFTER = timedelta(days=1)
_ADDRESS_SHARE = 5
"""An address may fail this many times as often as a name: many people may share it."""
_BUSY_SECONDS = 30.0
_NAME = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,98}[^\s\x00-\x1f\x7f])?")
_SET_UP = """
CREATE TABLE IF NOT EXISTS accounts (
    key TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, password TEXT, disabled INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS sessions (
    token_sha256 TEXT PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL, role TEXT, begun_at TEXT NOT NULL,
    used_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS failures (key TEXT PRIMARY KEY, count INTEGER NOT NULL, wait_until TEXT, at TEXT NOT NULL);
"""


class Limits(Protocol):
    """The settings that accounts look at."""

    review_session_idle_minutes: int
    review_session_hours: int
    review_proxy_header: str | None
    review_trusted_proxies: tuple[str, ...]


class Account(Frozen):
    """An account; without a password only a trusted proxy signs in with it."""

    name: str
    role: Role
    has_password: bool
    is_disabled: bool
    created_at: datetime


class Session(Frozen):
    """A person who signed in. `token` goes into the cookie, `csrf` into forms."""

    token: str
    person: Person
    csrf: str


class Accounts:
    """The accounts and sessions of one warehouse. Any number of processes and threads may have them open.

    What changes is told to the audit log of `store`. Raises ReviewError; see docs/errors.md.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        limits: Limits,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        hasher: PasswordHasher | None = None,
    ):
        self._file, self._store, self._limits, self._clock = Path(folder) / FILE_NAME, store, limits, clock
        self._hasher = hasher or PasswordHasher()
        self._no_password = self._hasher.hash(secrets.token_hex(16))
        self._threads = threading.local()
        Path(folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(Path(folder) / "accounts.lock", timeout=_BUSY_SECONDS), self._changing() as connection:
            for statement in filter(str.strip, _SET_UP.split(";")):
                connection.execute(statement)
        self._file.chmod(0o600)

    def all(self) -> list[Account]:
        """All accounts, by name."""
        sql = "SELECT name, role, password IS NOT NULL, disabled, created_at FROM accounts ORDER BY key"
        with self._told() as connection:
            rows = connection.execute(sql).fetchall()
        names = ("name", "role", "has_password", "is_disabled", "created_at")
        return [Account(**dict(zip(names, row, strict=True))) for row in rows]

    def add(self, name: str, role: Role, password: str | None, *, by: str) -> Account:
        """A new account; without a password only a trusted proxy signs in with it."""
        if not _NAME.fullmatch(name):
            raise ReviewError(f"{name!r} can't be a name.", help="1 to 100 printable characters.", code="account")
        _check_role(role)
        hashed = None if password is None else self._hashed(password)
        with self._changing() as connection:
            if connection.execute("SELECT 1 FROM accounts WHERE key = ?", [_key(name)]).fetchone():
                raise ReviewError(f"There is an account {name} already.", help="Choose another name.", code="account")
            row = [_key(name), name, role, hashed, _text(self._clock())]
            connection.execute("INSERT INTO accounts VALUES (?, ?, ?, ?, 0, ?)", row)
        self._tell(by, name, f"added as {role}")
        return self._account(name)

    def set_role(self, name: str, role: Role, *, by: str) -> Account:
        """Give an account another role; it counts from the next request on."""
        _check_role(role)
        return self._change(name, "role = ?", role, by, f"role {role}")

    def disable(self, name: str, *, by: str, enable: bool = False) -> Account:
        """Let nobody sign in with an account, and end its sessions; or let them again."""
        return self._change(name, "disabled = ?", int(not enable), by, "enabled" if enable else "disabled")

    def set_password(self, name: str, password: str, *, by: str) -> Account:
        """Give an account a password, and end its sessions."""
        return self._change(name, "password = ?", self._hashed(password), by, "password")

    def sign_in(self, name: str, password: str, address: str) -> Session:
        """A new session for who knows the password. Raises ReviewError: code `sign_in` when it does not fit, `wait`
        when too many failed before."""
        key = _key(name)
        with self._changing() as connection:  # counted before it is tried, so that trying at once helps nobody
            self._refuse_waiting(connection, key, address)
            self._count_failure(connection, f"name:{key}", 1)
            self._count_failure(connection, f"address:{address}", _ADDRESS_SHARE)
            sql = "SELECT name, password FROM accounts WHERE key = ? AND NOT disabled"
            known, hashed = connection.execute(sql, [key]).fetchone() or (None, None)
        if not self._fits(hashed, password) or known is None:
            self._store.append(NewEvent(actor=known or "unknown", action="sign_in_failed", body={"address": address}))
            raise ReviewError(
                "The name or the password is not right.",
                help="An admin gives a new one: `contract-agent account password NAME`.",
                code="sign_in",
            )
        with self._changing() as connection:
            connection.execute("DELETE FROM failures WHERE key IN (?, ?)", [f"name:{key}", f"address:{address}"])
            if self._hasher.check_needs_rehash(hashed):
                sql = "UPDATE accounts SET password = ? WHERE key = ?"
                connection.execute(sql, [self._hasher.hash(password), key])
        self._store.append(NewEvent(actor=known, action="signed_in", body={"address": address}))
        return self._begun(known, None)

    def sign_in_here(self) -> Session:
        """A session of the one person of this machine, as admin: for a page on loopback without accounts. Raises
        ReviewError (code `sign_in`) once there are accounts."""
        if self.all():
            raise ReviewError("There are accounts here.", help="Sign in with one.", code="sign_in")
        return self._begun(this_user(), "admin")

    def behind_proxy(self, address: str, headers: Mapping[str, str]) -> Person | None:
        """Who a trusted proxy says it is, None where none is trusted or it says nothing. `headers` are the request's,
        their names in small letters. Raises ReviewError (code `sign_in`) for a name without an account."""
        header = self._limits.review_proxy_header
        if not header or not is_among(address, self._limits.review_trusted_proxies):
            return None
        name = headers.get(header.lower(), "").strip()
        if not name:
            return None
        with self._told() as connection:
            sql = "SELECT name, role FROM accounts WHERE key = ? AND NOT disabled"
            found = connection.execute(sql, [_key(name)]).fetchone()
        if found is None:
            raise ReviewError(
                f"{name} has no account here.",
                help="An admin makes one: `contract-agent account add NAME --role reviewer --no-password`.",
                code="sign_in",
            )
        return Person(name=found[0], role=found[1])

    def begin(self, person: Person) -> Session:
        """A session for a person who was told by a trusted proxy, so that their forms are bound to it."""
        return self._begun(person.name, None)

    def session(self, token: str | None) -> Session | None:
        """The session of a cookie's token, None when there is none, or it is too old, or its account is disabled."""
        if not token:
            return None
        now = self._clock()
        sql = """SELECT s.name, coalesce(a.role, s.role), s.begun_at, s.used_at, a.key IS NULL, a.disabled, s.role
            FROM sessions s LEFT JOIN accounts a ON a.key = s.key WHERE s.token_sha256 = ?"""
        with self._told() as connection:
            found = connection.execute(sql, [_hash(token)]).fetchone()
        if found is None:
            return None
        name, role, begun_at, used_at, has_no_account, is_disabled, own_role = found
        is_here = own_role is not None and has_no_account and not self.all()
        idle = now - datetime.fromisoformat(used_at)
        is_old = now - datetime.fromisoformat(begun_at) > timedelta(hours=self._limits.review_session_hours)
        if is_old or is_disabled or idle > timedelta(minutes=self._limits.review_session_idle_minutes):
            self._end(token)
            return None
        if has_no_account and not is_here:
            return None
        if idle > timedelta(seconds=30):  # not a write for every request
            with self._changing() as connection:
                sql = "UPDATE sessions SET used_at = ? WHERE token_sha256 = ?"
                connection.execute(sql, [_text(now), _hash(token)])
        return _session(token, name, role)

    def sign_out(self, token: str) -> None:
        """End a session."""
        session = self.session(token)
        self._end(token)
        if session:
            self._store.append(NewEvent(actor=session.person.name, action="signed_out"))

    def _account(self, name: str) -> Account:
        found = next((account for account in self.all() if _key(account.name) == _key(name)), None)
        if found is None:
            raise ReviewError(
                f"There is no account {name}.", help="`contract-agent account list` lists them.", code="account"
            )
        return found

    def _change(self, name: str, what: str, value: object, by: str, told: str) -> Account:
        """Change an account; whatever it is but a role, its sessions end. The last admin stays one."""
        account = self._account(name)
        with self._changing() as connection:
            connection.execute(f"UPDATE accounts SET {what} WHERE key = ?", [value, _key(name)])
            if connection.execute("SELECT count(*) FROM accounts WHERE role = 'admin' AND NOT disabled").fetchone() == (
                0,
            ) and (account.role == "admin" and not account.is_disabled):
                raise ReviewError(
                    f"{account.name} is the last admin.", help="Make another one first.", code="last_admin"
                )
            if not what.startswith("role"):
                connection.execute("DELETE FROM sessions WHERE key = ?", [_key(name)])
        self._tell(by, account.name, told)
        return self._account(name)

    def _tell(self, by: str, name: str, what: str) -> None:
        self._store.append(NewEvent(actor=by, action="account_changed", body={"account": name, "what": what}))

    def _hashed(self, password: str) -> str:
        if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
            raise ReviewError(
                f"A password has {LEAST_PASSWORD} to {MOST_PASSWORD} characters.",
                help="A few words in a row are easy to keep in mind.",
                code="password",
            )
        return self._hasher.hash(password)

    def _fits(self, hashed: str | None, password: str) -> bool:
        """As slow for a name that is not there as for one that is."""
        try:
            self._hasher.verify(hashed or self._no_password, password[:MOST_PASSWORD])
        except (VerificationError, InvalidHashError):
            return False
        return hashed is not None

    def _refuse_waiting(self, connection: sqlite3.Connection, key: str, address: str) -> None:
        sql = "SELECT max(wait_until) FROM failures WHERE key IN (?, ?)"
        (until,) = connection.execute(sql, [f"name:{key}", f"address:{address}"]).fetchone()
        if until is not None and datetime.fromisoformat(until) > self._clock():
            seconds = max(1, round((datetime.fromisoformat(until) - self._clock()).total_seconds()))
            raise ReviewError("Too many sign-ins failed.", help=f"Wait {seconds} seconds, then try again.", code="wait")

    def _count_failure(self, connection: sqlite3.Connection, key: str, share: int) -> None:
        now = self._clock()
        count, at = connection.execute("SELECT count, at FROM failures WHERE key = ?", [key]).fetchone() or (0, None)
        count = 1 if at and now - datetime.fromisoformat(at) > _FORGIVEN_AFTER else count + 1
        over = count - FREE_FAILURES * share
        seconds = min(LONGEST_WAIT_SECONDS, 2 ** min(over // share, 10)) if over >= 0 else 0
        until = _text(now + timedelta(seconds=seconds)) if seconds else None
        connection.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?)", [key, count, until, _text(now)])

    def _begun(self, name: str, role: Role | None) -> Session:
        """A session under a new token: what a browser had before is worth nothing."""
        token, now = secrets.token_urlsafe(32), _text(self._clock())
        oldest = _text(self._clock() - timedelta(hours=self._limits.review_session_hours))
        with self._changing() as connection:
            connection.execute("DELETE FROM sessions WHERE begun_at < ?", [oldest])
            row = [_hash(token), _key(name), name, role, now, now]
            connection.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)", row)
        begun = self.session(token)
        if begun is None:
            raise ReviewError("The account was disabled.", help="Ask an admin.", code="sign_in")
        return begun

    def _end(self, token: str) -> None:
        with self._changing() as connection:
            connection.execute("DELETE FROM sessions WHERE token_sha256 = ?", [_hash(token)])

    @contextmanager
    def _told(self) -> Iterator[sqlite3.Connection]:
        try:
            if not hasattr(self._threads, "connection"):
                self._threads.connection = sqlite3.connect(self._file, timeout=_BUSY_SECONDS, isolation_level=None)
                self._threads.connection.execute("PRAGMA synchronous = FULL")
            yield self._threads.connection
        except (sqlite3.DatabaseError, OSError) as error:
            raise ReviewError(
                f"{self._file} can't be read or written: {error}.",
                help="Is the disk full? Restore a damaged file from a backup.",
                code="review_store",
            ) from error

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._told() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refuse_without_accounts(host: str, accounts: Accounts) -> None:
    """Raise ReviewError (code `no_accounts`) for a page that others reach and on which nobody has to sign in."""
    if not is_loopback(host) and not any(not account.is_disabled for account in accounts.all()):
        raise ReviewError(
            f"The review page won't listen on {host}: there is no account, so everybody could decide.",
            help="`contract-agent account add NAME --role admin` makes one.",
            code="no_accounts",
        )


def check_csrf(session: Session, given: str | None) -> None:
    """Raise ReviewError (code `csrf`) unless a form comes from a page of this session."""
    if not given or not hmac.compare_digest(session.csrf.encode(), given.encode()):
        raise ReviewError("The form is not from this session.", help="Load the page again.", code="csrf")


def _session(token: str, name: str, role: Role) -> Session:
    csrf = hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()
    return Session(token=token, person=Person(name=name, role=role), csrf=csrf)


def is_among(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an address lies in one of the networks."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(network, strict=False) for network in networks)


def this_user() -> str:
    """The name of who runs this process."""
    try:
        return getuser()
    except (KeyError, OSError):  # no such user in the system's list, as in some containers
        return "local"


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise ReviewError(f"There is no role {role!r}.", help=f"Choose one of {', '.join(ROLES)}.", code="account")


def _key(name: str) -> str:
    return name.strip().casefold()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
