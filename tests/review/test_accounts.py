"""Accounts and sessions: who signs in, for how long, and how others are kept out."""

import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from argon2 import PasswordHasher

from review.accounts import FILE_NAME, Accounts, check_csrf, is_loopback, refuse_without_accounts
from review.store import Store
from schemas.errors import ContractAgentError
from schemas.review import ROLES, Person, ReviewError
from schemas.settings import load_settings

PASSWORD = "correct horse battery"
HERE = "10.0.0.1"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Hashes as the real one does, only quicker: what is tried here is not their strength."""


class Limits(NamedTuple):
    review_session_idle_minutes: int = 30
    review_session_hours: int = 12
    review_proxy_header: str | None = None
    review_trusted_proxies: tuple[str, ...] = ()


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 2, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(tmp_path: Path, clock: Clock) -> Callable[..., Accounts]:
    """The accounts as another process would open them."""
    return lambda **limits: Accounts(tmp_path, Store(tmp_path), Limits(**limits), clock=clock, hasher=QUICK)


@pytest.fixture
def accounts(opened) -> Accounts:
    held = opened()
    held.add("Ada Moreno", "admin", PASSWORD, by="root")
    return held


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(ContractAgentError) as refused:
        act()
    assert refused.value.help
    return refused.value.code


def fail(accounts: Accounts, times: int = 1, name: str = "Ada Moreno", address: str = HERE) -> list[str]:
    return [code_of(lambda: accounts.sign_in(name, "wrong password", address)) for _ in range(times)]


def test_who_knows_the_password_signs_in(accounts: Accounts):
    session = accounts.sign_in("ada moreno ", PASSWORD, HERE)
    assert session.person == Person(name="Ada Moreno", role="admin")
    assert accounts.session(session.token) == session


def test_who_does_not_know_it_is_told_nothing(accounts: Accounts):
    accounts.add("Gone", "viewer", PASSWORD, by="root")
    accounts.disable("Gone", by="root")
    accounts.add("Proxy", "viewer", None, by="root")
    told = set()
    for name, password in (("Ada Moreno", "wrong"), ("nobody", PASSWORD), ("Gone", PASSWORD), ("Proxy", "")):
        with pytest.raises(ReviewError) as refused:
            accounts.sign_in(name, password, HERE)
        told.add((refused.value.code, refused.value.message))
    assert len(told) == 1 and told.pop()[0] == "sign_in"


def test_passwords_and_tokens_are_kept_as_hashes(accounts: Accounts, tmp_path: Path):
    token = accounts.sign_in("Ada Moreno", PASSWORD, HERE).token
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert PASSWORD.encode() not in kept and token.encode() not in kept
    assert b"$argon2id$" in kept
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0


def test_the_usual_hasher_is_a_strong_one(tmp_path: Path):
    held = Accounts(tmp_path, Store(tmp_path), load_settings())
    held.add("Ada", "admin", PASSWORD, by="root")
    assert held.sign_in("Ada", PASSWORD, HERE).person.name == "Ada"
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        (hashed,) = connection.execute("SELECT password FROM accounts").fetchone()
    connection.close()
    memory = int(hashed.split("m=")[1].split(",")[0])
    assert memory >= 19_456, "as OWASP asks at least"


def test_each_sign_in_has_a_token_of_its_own(accounts: Accounts):
    sessions = [accounts.sign_in("Ada Moreno", PASSWORD, HERE) for _ in range(3)]
    assert len({session.token for session in sessions}) == len({session.csrf for session in sessions}) == 3
    assert all(len(session.token) >= 43 for session in sessions), "256 bits"
    assert accounts.session("made up") is None and accounts.session("") is None and accounts.session(None) is None


def test_a_form_is_bound_to_its_session(accounts: Accounts):
    mine, other = (accounts.sign_in("Ada Moreno", PASSWORD, HERE) for _ in range(2))
    check_csrf(mine, mine.csrf)
    for given in (None, "", other.csrf, mine.token, "é"):
        assert code_of(lambda given=given: check_csrf(mine, given)) == "csrf"


def test_a_session_ends_without_requests(accounts: Accounts, clock: Clock):
    token = accounts.sign_in("Ada Moreno", PASSWORD, HERE).token
    for _ in range(5):
        clock.wait(minutes=29)
        assert accounts.session(token)
    clock.wait(minutes=31)
    assert accounts.session(token) is None
    clock.wait(minutes=-31)
    assert accounts.session(token) is None, "it is gone for good"


def test_a_session_ends_in_any_case(accounts: Accounts, clock: Clock):
    token = accounts.sign_in("Ada Moreno", PASSWORD, HERE).token
    for _ in range(12 * 3):
        clock.wait(minutes=20)
        last = accounts.session(token)
    assert last is not None
    clock.wait(minutes=1)
    assert accounts.session(token) is None


def test_signing_out_ends_it(accounts: Accounts):
    token = accounts.sign_in("Ada Moreno", PASSWORD, HERE).token
    accounts.sign_out(token)
    assert accounts.session(token) is None


@pytest.mark.parametrize("change", ["password", "disable"])
def test_a_change_ends_the_sessions(accounts: Accounts, change: str):
    accounts.add("Ben", "reviewer", PASSWORD, by="root")
    token = accounts.sign_in("Ben", PASSWORD, HERE).token
    if change == "password":
        accounts.set_password("Ben", "another long password", by="root")
        assert accounts.sign_in("Ben", "another long password", HERE)
    else:
        accounts.disable("Ben", by="root")
    assert accounts.session(token) is None
    assert code_of(lambda: accounts.sign_in("Ben", PASSWORD, HERE)) == "sign_in"
    accounts.disable("Ben", by="root", enable=True)
    assert accounts.session(token) is None


def test_another_role_counts_at_once(accounts: Accounts):
    accounts.add("Ben", "approver", PASSWORD, by="root")
    token = accounts.sign_in("Ben", PASSWORD, HERE).token
    accounts.set_role("ben", "viewer", by="root")
    assert accounts.session(token).person.role == "viewer"


def test_failing_makes_wait_longer_and_longer(accounts: Accounts, clock: Clock):
    assert fail(accounts, 3) == ["sign_in"] * 3
    assert code_of(lambda: accounts.sign_in("Ada Moreno", PASSWORD, HERE)) == "wait", "even the right one"
    waits = []
    for _ in range(12):
        seconds = 0
        while fail(accounts) == ["wait"]:
            clock.wait(seconds=1)
            seconds += 1
        waits.append(seconds)
    assert waits[:4] == [1, 2, 4, 8] and waits == sorted(waits) and waits[-1] == 900
    clock.wait(seconds=901)
    assert accounts.sign_in("Ada Moreno", PASSWORD, HERE)
    assert fail(accounts, 3) == ["sign_in"] * 3, "forgiven with the right one"


def test_waiting_outlives_a_restart(accounts: Accounts, opened):
    fail(accounts, 3)
    assert code_of(lambda: opened().sign_in("Ada Moreno", PASSWORD, HERE)) == "wait"


def test_others_can_sign_in_meanwhile(accounts: Accounts):
    accounts.add("Ben", "reviewer", PASSWORD, by="root")
    fail(accounts, 3, address="10.0.0.2")
    assert accounts.sign_in("Ben", PASSWORD, HERE)


def test_an_address_that_tries_many_names_waits(accounts: Accounts):
    told = [code for at in range(20) for code in fail(accounts, 1, name=f"name {at}")]
    assert told[:15] == ["sign_in"] * 15 and set(told[16:]) == {"wait"}
    assert accounts.sign_in("Ada Moreno", PASSWORD, "10.0.0.9")


def test_trying_at_once_helps_nobody(accounts: Accounts):
    told: list[str] = []
    threads = [threading.Thread(target=lambda: told.extend(fail(accounts))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count("sign_in") == 3 and told.count("wait") == 17


def test_a_proxy_is_believed_where_it_is_trusted(opened, accounts: Accounts):
    trusting = opened(review_proxy_header="X-Remote-User", review_trusted_proxies=("10.1.0.0/16", "::1"))
    said = {"x-remote-user": "ada moreno"}
    ada = Person(name="Ada Moreno", role="admin")
    assert trusting.behind_proxy("10.1.2.3", said) == trusting.behind_proxy("::1", said) == ada
    assert trusting.behind_proxy("10.2.0.1", said) is None and trusting.behind_proxy("elsewhere", said) is None
    assert trusting.behind_proxy("10.1.2.3", {}) is None
    assert accounts.behind_proxy("10.1.2.3", said) is None, "none is trusted by default"
    assert code_of(lambda: trusting.behind_proxy("10.1.2.3", {"x-remote-user": "nobody"})) == "sign_in"
    session = trusting.begin(ada)
    assert trusting.session(session.token) == session


def test_a_proxy_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CONTRACT_AGENT_REVIEW_TRUSTED_PROXIES", '["the proxy"]')
    assert code_of(load_settings) == "settings"


def test_alone_on_this_machine(opened):
    held = opened()
    session = held.sign_in_here()
    assert session.person.role == "admin" and held.session(session.token) == session
    held.add("Ada", "admin", PASSWORD, by="root")
    assert held.session(session.token) is None, "from now on everybody signs in"
    assert code_of(held.sign_in_here) == "sign_in"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "review.example", ""])
def test_beyond_this_machine_only_with_accounts(opened, host: str):
    held = opened()
    assert code_of(lambda: refuse_without_accounts(host, held)) == "no_accounts"
    held.add("Ada", "admin", PASSWORD, by="root")
    refuse_without_accounts(host, held)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "[::1]", "localhost"])
def test_this_machine(opened, host: str):
    assert is_loopback(host)
    refuse_without_accounts(host, opened())


def test_the_last_admin_stays(accounts: Accounts):
    assert code_of(lambda: accounts.disable("Ada Moreno", by="root")) == "last_admin"
    assert code_of(lambda: accounts.set_role("Ada Moreno", "viewer", by="root")) == "last_admin"
    accounts.add("Ben", "admin", PASSWORD, by="root")
    accounts.disable("Ada Moreno", by="root")
    assert [account.is_disabled for account in accounts.all()] == [True, False]


@pytest.mark.parametrize("name", ["", " ", " Ada", "Ada\n", "A\x00", "x" * 101])
def test_what_can_not_be_a_name(accounts: Accounts, name: str):
    assert code_of(lambda: accounts.add(name, "viewer", PASSWORD, by="root")) == "account"


def test_accounts_that_can_not_be(accounts: Accounts):
    assert code_of(lambda: accounts.add("ADA MORENO", "viewer", PASSWORD, by="root")) == "account"
    assert code_of(lambda: accounts.add("Ben", "king", PASSWORD, by="root")) == "account"
    assert code_of(lambda: accounts.add("Ben", "viewer", "short", by="root")) == "password"
    assert code_of(lambda: accounts.set_password("nobody", PASSWORD, by="root")) == "account"
    assert code_of(lambda: accounts.set_role("nobody", "viewer", by="root")) == "account"


def test_all_of_it_is_in_the_log(accounts: Accounts, tmp_path: Path):
    fail(accounts)
    fail(accounts, name=PASSWORD)  # a password in the wrong field must not be written down
    accounts.sign_out(accounts.sign_in("Ada Moreno", PASSWORD, HERE).token)
    events = Store(tmp_path).events()
    actions = ["account_changed", "sign_in_failed", "sign_in_failed", "signed_in", "signed_out"]
    assert [event.action for event in events] == actions
    assert [event.actor for event in events] == ["root", "Ada Moreno", "unknown", "Ada Moreno", "Ada Moreno"]
    assert "wrong password" not in str(events) and PASSWORD not in str(events)


def test_each_role_may_what_those_before_it_may():
    may = [[Person(name="A", role=role).may(other) for other in ROLES] for role in ROLES]
    assert may == [[at <= of for at in range(4)] for of in range(4)]
