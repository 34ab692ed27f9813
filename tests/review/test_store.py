"""The store of events: nothing acknowledged is lost, nothing can be changed without showing, what stands follows."""

import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from review.store import FILE_NAME, Store, Witness
from schemas.review import DECISIONS, NewEvent, ReviewError

CONTRACTS = ("c_1", "c_2", "c_3")


def decided(target_id: str = "t_1", actor: str = "Ann", contract_id: str = "c_1", **body: object) -> NewEvent:
    said = {"decision": "confirmed", "evidence_hash": "h", "old_value": "30"} | body
    return NewEvent(
        actor=actor, action="decided", contract_id=contract_id, target="term", target_id=target_id, body=said
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "review")


@pytest.fixture
def filled(store: Store) -> Store:
    for number in range(6):
        store.append(decided(f"t_{number}", comment=f"note {number}"))
    return store


def broken_by(store: Store, *statements: str) -> str:
    """What `verify` says after somebody wrote into the file."""
    store.verify()
    store.close()
    with sqlite3.connect(store.folder / FILE_NAME) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()
    with pytest.raises(ReviewError) as broken:
        Store(store.folder).verify()
    assert broken.value.code == "audit_broken" and broken.value.help
    return broken.value.message


def test_what_was_appended_is_read_again(store: Store):
    (kept,) = store.append(decided(comment="näher, 日本語, \ud800"))
    (read,) = Store(store.folder).events()
    assert read == kept and read.body["comment"] == "näher, 日本語, \ud800"
    assert (read.number, store.last()) == (1, 1)
    assert store.event(1) == read and store.event(2) is None


def test_events_are_found_by_what_they_are(store: Store):
    store.append(decided(), NewEvent(actor="Ann", action="viewed", contract_id="c_2"), decided("t_2", "Ben"))
    assert [event.number for event in store.events(actions=["decided"])] == [1, 3]
    assert [event.number for event in store.events(contract_id="c_2")] == [2]
    assert [event.number for event in store.events(after=1, limit=1)] == [2]
    assert [event.number for event in store.events(limit=2, last_first=True)] == [3, 2]


def test_a_changed_body_shows(filled: Store):
    said = broken_by(filled, """UPDATE events SET body = replace(body, 'note 3', 'note 9') WHERE number = 4""")
    assert "event 4" in said and "body" in said


def test_an_emptied_body_shows(filled: Store):
    assert "event 2" in broken_by(filled, "UPDATE events SET body = NULL, salt = NULL WHERE number = 2")


def test_another_name_shows(filled: Store):
    assert "event 3" in broken_by(filled, "UPDATE events SET actor = 'Eve' WHERE number = 3")


def test_a_removed_event_shows(filled: Store):
    assert "event 3" in broken_by(filled, "DELETE FROM events WHERE number = 3")


def test_a_removed_event_shows_when_the_rest_is_numbered_anew(filled: Store):
    renumbered = "UPDATE events SET number = number - 1 WHERE number > 3"
    assert "event 3" in broken_by(filled, "DELETE FROM events WHERE number = 3", renumbered)


def test_a_swapped_order_shows(filled: Store):
    swaps = [f"UPDATE events SET number = {new} WHERE number = {old}" for old, new in ((3, 99), (4, 3), (99, 4))]
    assert "event 3" in broken_by(filled, *swaps)


def test_a_cut_tail_shows(filled: Store):
    assert "event 5" in broken_by(filled, "DELETE FROM events WHERE number >= 5")


def test_a_changed_table_of_what_stands_shows(filled: Store):
    said = broken_by(filled, "UPDATE decisions SET decision = 'rejected' WHERE number = 2")
    assert "table decisions" in said


def test_a_chain_made_anew_shows_against_what_was_written_elsewhere(filled: Store, tmp_path: Path):
    witnesses = [Witness(event.number, event.sha256) for event in filled.events()]
    filled.verify(witnesses)
    forged = Store(tmp_path / "forged")
    for number in range(4):
        forged.append(decided(f"t_{number}", comment="forged"))
    with pytest.raises(ReviewError, match="another one"):
        forged.verify(witnesses)
    with pytest.raises(ReviewError, match="missing at the end"):
        forged.verify(witnesses[4:])


@pytest.mark.parametrize("statement", ["DELETE FROM events", "UPDATE events SET actor = 'Eve'"])
def test_events_are_not_changed_by_accident(filled: Store, statement: str):
    with sqlite3.connect(filled.folder / FILE_NAME) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()
    filled.verify()


def test_erased_words_are_gone_and_the_chain_holds(store: Store):
    store.append(decided("t_1", comment="Zanzibar"), decided("t_2", contract_id="c_2", comment="kept"))
    store.erase("c_1", "Ben")
    store.verify()
    assert [event.body and event.body["comment"] for event in store.events()] == [None, "kept", None]
    assert [standing.target_id for standing in store.standing()] == ["t_2"]
    store.close()
    assert b"Zanzibar" not in b"".join(path.read_bytes() for path in store.folder.iterdir())
    again = Store(store.folder)
    again.erase("c_1", "Ben")
    assert again.last() == 3, "nothing was left to erase"
    again.rebuild()
    again.verify()


def test_words_that_somebody_is_still_reading_are_told(store: Store):
    store.append(decided(comment="Zanzibar"))
    store._writer.execute("PRAGMA busy_timeout = 50")
    with Store(store.folder).snapshot() as view:
        assert view.last() == 1
        with pytest.raises(ReviewError, match="may still stand") as told:
            store.erase("c_1", "Ben")
        assert told.value.help
    store.erase("c_1", "Ben")
    assert b"Zanzibar" not in b"".join(path.read_bytes() for path in store.folder.iterdir())
    assert [event.action for event in store.events()] == ["decided", "forgotten"]


def test_a_refused_event_is_not_kept_and_others_are(store: Store):
    def refuse(view) -> None:
        raise ReviewError("no", code="role")

    with pytest.raises(ReviewError, match="no"):
        store.append(decided(), check=refuse)
    store.append(decided())
    assert store.last() == 1


def test_the_check_sees_what_came_in_between(store: Store):
    """Of twenty that want to be the first, one is."""

    def first(view) -> None:
        if view.standing():
            raise ReviewError("taken", code="stale")

    outcomes: list[str] = []

    def try_it(number: int) -> None:
        try:
            store.append(decided(actor=f"p{number}"), check=first)
            outcomes.append("kept")
        except ReviewError:
            outcomes.append("refused")

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count("kept"), store.last()) == (1, 1)


def test_many_threads_and_a_second_store_lose_nothing(store: Store):
    other = Store(store.folder)
    threads = [
        threading.Thread(target=lambda of=of, at=at: [of.append(decided(f"t_{at}_{number}")) for number in range(20)])
        for at in range(6)
        for of in (store, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.number for event in store.events()] == list(range(1, 241))
    times = [event.at for event in store.events()]
    assert times == sorted(set(times))
    store.verify()


def test_a_body_that_is_no_json_fails_alone(store: Store):
    with pytest.raises(ValueError):
        store.append(decided(comment=object()))
    store.append(decided())
    assert store.last() == 1


def test_a_file_that_is_no_store(tmp_path: Path):
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 100)
    with pytest.raises(ReviewError) as refused:
        Store(tmp_path)
    assert refused.value.code == "review_store"


def test_another_layout_is_not_read(store: Store):
    store.close()
    with sqlite3.connect(store.folder / FILE_NAME) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ReviewError, match="layout 99"):
        Store(store.folder)


def any_event(chance: random.Random, store: Store) -> NewEvent:
    """Something that somebody might do, and often something that makes no sense."""
    contract_id, actor = chance.choice(CONTRACTS), chance.choice(("Ann", "Ben"))
    number = chance.randint(1, max(1, store.last()))
    refers = {
        "actor": actor,
        "contract_id": chance.choice((contract_id, None)),
        "refers_to": (number, chance.randint(1, number)),
    }
    batch = chance.choice((None, "b_1", "b_2"))
    dated = {"owner": "CFO", "effective_from": "2026-01-01", "batch": batch}
    made: list[Callable[[], NewEvent]] = [
        lambda: decided(
            f"t_{chance.randint(1, 4)}",
            actor,
            contract_id,
            decision=chance.choice(DECISIONS),
            is_waiting=chance.random() < 0.4,
            batch=batch,
            effective_from=chance.choice((None, "2026-01-01", "2999-01-01")),
        ),
        lambda: NewEvent(action="undone", **refers),
        lambda: NewEvent(action="approved", **refers),
        lambda: NewEvent(action="declined", body={"why": "no"}, **refers),
        lambda: NewEvent(actor=actor, action="bulk_confirmed", body=dated),
        lambda: NewEvent(actor=actor, action="rule_overridden", body=dated | {"rule_id": "R01", "scope": "all"}),
        lambda: NewEvent(actor=actor, action="prepared", contract_id=contract_id),
        lambda: NewEvent(action="signed_off", **refers),
        lambda: NewEvent(action="sign_off_withdrawn", body={"why": "w"}, **refers),
        lambda: NewEvent(actor=actor, action="period_locked", body={"first": "2026-01-01", "last": "2026-01-31"}),
        lambda: NewEvent(action="period_reopened", body={"why": "w"}, **refers),
        lambda: NewEvent(action="conflict_met", target="term", target_id="t_1", body={"made_on": "1"}, **refers),
        lambda: NewEvent(actor="landing", action="landed", refers_to=(number,), body={"run_id": f"r{number}"}),
        lambda: NewEvent(actor=actor, action="viewed", contract_id=contract_id),
    ]
    return chance.choice([*made[:4], *made])()


@pytest.mark.parametrize("seed", range(12))
def test_what_stands_follows_from_the_events(tmp_path: Path, seed: int):
    store, chance = Store(tmp_path), random.Random(seed)
    for _ in range(120):
        store.append(*(any_event(chance, store) for _ in range(chance.randint(1, 3))))
        if chance.random() < 0.03:
            store.erase(chance.choice(CONTRACTS), "Ben")
    kept = store.contents()
    assert sum(map(len, kept.values())) > 30
    store.verify()
    store.rebuild()
    assert store.contents() == kept
    on = [(standing.target, standing.target_id) for standing in store.standing()]
    assert len(on) == len(set(on)), "one stands on each target"


WRITER = """
import sys
from pathlib import Path
from threading import Thread
from review.store import Store
from schemas.review import NewEvent

store = Store(Path(sys.argv[1]))
acknowledged = open(sys.argv[2], "ab", buffering=0)

def write(at):
    for number in range(100_000):
        body = {"decision": "confirmed", "evidence_hash": "h", "comment": "x" * 200}
        event = NewEvent(actor="Ann", action="decided", contract_id="c", target="term", target_id=f"t_{at}", body=body)
        (kept,) = store.append(event)
        acknowledged.write(f"{kept.number} {kept.sha256}\\n".encode())

for at in range(4):
    Thread(target=write, args=(at,)).start()
"""


def test_what_was_acknowledged_outlives_kill_9(tmp_path: Path):
    """The benchmark `review-kills` does it a hundred times."""
    folder, log, chance = tmp_path / "review", tmp_path / "acknowledged", random.Random(5)
    log.touch()
    for _ in range(4):
        before = log.stat().st_size
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(log)])
        deadline = time.monotonic() + 60
        while log.stat().st_size == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(chance.uniform(0.0, 0.3))
        writer.kill()
        writer.wait()
        assert log.stat().st_size > before
    store = Store(folder)
    held = {event.number: event.sha256 for event in store.events()}
    lines = [line.split() for line in log.read_text().splitlines()]
    assert lines and all(held.get(int(number)) == own for number, own in lines)
    store.verify([Witness(int(number), own) for number, own in lines])


def test_times_go_on_when_the_clock_is_set_back(store: Store, monkeypatch: pytest.MonkeyPatch):
    class Early(datetime):
        @classmethod
        def now(cls, zone=None) -> datetime:
            return datetime(2001, 1, 1, tzinfo=UTC)

    (first,) = store.append(decided())
    monkeypatch.setattr("review.store.datetime", Early)
    (second,) = store.append(decided("t_2"))
    assert second.at > first.at
    assert json.loads(json.dumps(second.model_dump(mode="json")))["number"] == 2
