"""The rules of the review: who may do what, when, and who else has to agree."""

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from review.actions import Reviewing
from review.facts import ContractDates, TargetFacts
from review.store import Store
from schemas.review import Person, ReviewError, Standing, TargetName
from warehouse.decisions import Decision

VIEWER = Person(name="Vic", role="viewer")
ANN = Person(name="Ann", role="reviewer")
BEN = Person(name="Ben", role="approver")
CLEO = Person(name="Cleo", role="approver")
ADMIN = Person(name="Root", role="admin")
TODAY = datetime.now(UTC).date()
SMALL, LARGE, OLD = "c_small", "c_large", "c_old"


class Rules(NamedTuple):
    review_materiality: float = 1_000


class Desk:
    """Two contracts below the materiality, one above; of each a term, a low flag, a critical flag and a topic."""

    def __init__(self) -> None:
        self.values = {SMALL: 10.0, LARGE: 1_000.0, OLD: None}
        self.days = {
            SMALL: ContractDates(first=date(2026, 1, 1), last=date(2026, 12, 31)),
            LARGE: ContractDates(first=date(2026, 1, 1)),
            OLD: ContractDates(first=date(2020, 1, 1), last=date(2020, 12, 31)),
        }
        self.hashes: dict[str, str] = {}

    def target(self, target: TargetName, target_id: str) -> TargetFacts | None:
        contract_id, _, kind = target_id.partition("/")
        if contract_id not in self.values:
            return None
        return TargetFacts(
            contract_id=contract_id,
            field={"term": "payment_terms_days", "flag": "R01", "asc606": "contract"}[target],
            severity=kind if target == "flag" else None,
            total_value=self.values[contract_id],
            evidence_hash=self.hashes.get(target_id, "seen"),
            value="30",
            dates=self.days[contract_id],
        )

    def critical_flags(self, contract_id: str) -> list[str]:
        return [f"{contract_id}/critical"]

    def dates(self, contract_id: str) -> ContractDates | None:
        return self.days.get(contract_id)


class Room:
    """The store, the desk and the use cases over both."""

    def __init__(self, folder: Path):
        self.store, self.desk = Store(folder), Desk()
        self.reviewing = Reviewing(self.store, self.desk, Rules())

    def term(self, contract_id: str = SMALL, person: Person = ANN, decision: str = "confirmed", **said) -> Standing:
        return self.decide("term", f"{contract_id}/term", person, decision, **said)

    def flag(self, kind: str, contract_id: str = SMALL, person: Person = ANN, decision: str = "confirmed") -> Standing:
        return self.decide("flag", f"{contract_id}/{kind}", person, decision)

    def decide(self, target: TargetName, id: str, person: Person, decision: str, **said) -> Standing:
        given = {"evidence_hash": "seen"} | said
        return self.reviewing.decide(person, Decision(target=target, target_id=id, decision=decision, **given))

    def settle(self, contract_id: str = SMALL) -> None:
        self.reviewing.approve(BEN, self.flag("critical", contract_id).number)

    def state(self, target: TargetName, id: str) -> str | None:
        return next((standing.state for standing in self.store.standing(targets=[(target, id)])), None)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


class refused:
    """The block is refused with this code, and with a word on what helps; nothing is kept of it."""

    def __init__(self, room: Room, code: str):
        self.room, self.code = room, code

    def __enter__(self) -> None:
        self.last = self.room.store.last()

    def __exit__(self, kind, error, trace) -> bool:
        assert isinstance(error, ReviewError), f"it was not refused: {error}"
        assert (error.code, bool(error.help)) == (self.code, True), error
        assert self.room.store.last() == self.last
        return True


def test_a_decision_stands(room: Room):
    standing = room.term(decision="overridden", new_value=" 45 ", reason_code="ocr_error", comment="page 3")
    assert (standing.state, standing.reviewer, standing.old_value, standing.new_value) == (
        *("effective", "Ann", "30"),
        "45",
    )
    assert room.store.standing(contract_id=SMALL) == [standing]


def test_what_it_took_is_kept(room: Room):
    given = Decision(target="term", target_id=f"{SMALL}/term", decision="confirmed", evidence_hash="seen")
    room.reviewing.decide(ANN, given, seconds=2.5, keystrokes=3, blind=True)
    (change,) = room.store.undecided_changes()
    assert (change.seconds, change.keystrokes, change.is_blind) == (2.5, 3, True)


def test_the_reviewer_is_who_decides(room: Room):
    assert room.term(reviewer="somebody else").reviewer == "Ann"


def test_a_viewer_decides_nothing(room: Room):
    for act in (
        lambda: room.term(person=VIEWER),
        lambda: room.reviewing.confirm_all(VIEWER, [f"{SMALL}/low"], owner="o", effective_from=TODAY),
        lambda: room.reviewing.override_rule(VIEWER, "R01", "all", why="w", owner="o", effective_from=TODAY),
        lambda: room.reviewing.prepare(VIEWER, SMALL),
        lambda: room.reviewing.undo(VIEWER, 1),
    ):
        with refused(room, "role"):
            act()


def test_a_reviewer_approves_nothing(room: Room):
    number = room.term(LARGE, person=BEN).number
    for act in (
        lambda: room.reviewing.approve(ANN, number),
        lambda: room.reviewing.decline(ANN, number, "no"),
        lambda: room.reviewing.sign_off(ANN, SMALL),
        lambda: room.reviewing.withdraw_sign_off(ANN, SMALL, "w"),
        lambda: room.reviewing.lock(ANN, TODAY, TODAY),
        lambda: room.reviewing.reopen(ANN, TODAY, TODAY, "w"),
    ):
        with refused(room, "role"):
            act()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"evidence_hash": "something else"}, "stale"),
        ({"decision": "maybe"}, "decision"),
        ({"decision": "overridden", "reason_code": "other"}, "decision"),
        ({"decision": "overridden", "new_value": "45"}, "decision"),
        ({"decision": "overridden", "new_value": "soon", "reason_code": "other"}, "decision"),
        ({"decision": "confirmed", "new_value": "45"}, "decision"),
        ({"decision": "rejected", "reason_code": "no reason"}, "decision"),
    ],
)
def test_what_can_not_be_taken(room: Room, said: dict, code: str):
    with refused(room, code):
        room.term(**said)


def test_without_evidence_nothing_is_decided(room: Room):
    with refused(room, "stale"):
        room.term(evidence_hash=None)


def test_what_is_gone_is_not_decided_on(room: Room):
    with refused(room, "stale"):
        room.term("c_gone")


def test_material_and_critical_take_two(room: Room):
    assert room.term(LARGE).state == "waiting"
    assert room.flag("critical").state == "waiting"
    assert room.flag("high").state == "effective"
    assert room.term(OLD).state == "effective", "without a known value"
    assert len(room.store.undecided_changes()) == 2


def test_nobody_approves_their_own(room: Room):
    number = room.term(LARGE, person=BEN).number
    for person in (BEN, Person(name="ben", role="admin")):
        with refused(room, "second_person"):
            room.reviewing.approve(person, number)
        with refused(room, "second_person"):
            room.reviewing.decline(person, number, "no")
    (standing,) = room.reviewing.approve(CLEO, number)
    assert (standing.state, standing.approver) == ("effective", "Cleo")
    with refused(room, "not_waiting"):
        room.reviewing.approve(ADMIN, number)


def test_two_who_approve_at_once_approve_once(room: Room):
    number = room.term(LARGE).number
    told: list[str] = []

    def approve(person: Person) -> None:
        try:
            room.reviewing.approve(person, number)
            told.append("approved")
        except ReviewError as error:
            told.append(error.code)

    threads = [threading.Thread(target=approve, args=(person,)) for person in (BEN, CLEO, ADMIN)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["approved", "not_waiting", "not_waiting"]


def test_what_changed_since_is_not_approved(room: Room):
    number = room.term(LARGE).number
    room.desk.hashes[f"{LARGE}/term"] = "changed"
    with refused(room, "stale"):
        room.reviewing.approve(BEN, number)
    assert room.reviewing.decline(BEN, number, "it changed")[0].state == "declined"


def test_declined_takes_a_reason_and_lets_the_former_stand(room: Room):
    first = room.term(LARGE)
    room.reviewing.approve(BEN, first.number)
    second = room.term(LARGE, decision="rejected")
    with refused(room, "not_said"):
        room.reviewing.decline(BEN, second.number, "  ")
    (standing,) = room.reviewing.decline(BEN, second.number, "it is right")
    assert (standing.number, standing.state) == (first.number, "effective")


def test_what_is_no_decision_is_not_approved(room: Room):
    with refused(room, "no_target"):
        room.reviewing.approve(BEN, 77)
    room.reviewing.lock(BEN, date(2000, 1, 1), date(2000, 1, 2))
    with refused(room, "no_target"):
        room.reviewing.approve(BEN, 1)


def test_undo_by_who_decided_or_an_approver(room: Room):
    first, second = room.term(), room.term(decision="rejected")
    with refused(room, "not_yours"):
        room.reviewing.undo(Person(name="Dora", role="reviewer"), second.number)
    assert room.reviewing.undo(ANN, second.number)[0].number == first.number
    with refused(room, "no_target"):
        room.reviewing.undo(ANN, second.number)
    assert room.reviewing.undo(BEN, first.number) == []


def test_bulk_counts_when_two_agreed_and_its_day_has_come(room: Room):
    tomorrow = TODAY + timedelta(days=1)
    standing = room.reviewing.confirm_all(
        ANN, [f"{SMALL}/low", f"{OLD}/low", f"{SMALL}/low"], owner="CFO", effective_from=tomorrow
    )
    assert [one.state for one in standing] == ["waiting", "waiting"]
    (asked,) = room.store.requests()
    assert (asked.kind, asked.owner, asked.count, asked.state) == ("bulk", "CFO", 2, "waiting")
    with refused(room, "second_person"):
        room.reviewing.approve(Person(name="ANN", role="admin"), asked.number)
    approved = room.reviewing.approve(BEN, asked.number)
    assert [one.state for one in approved] == ["waiting", "waiting"], "its day has not come"
    on = [(one.target, one.target_id) for one in approved]
    assert {one.state for one in room.store.standing(targets=on, on=tomorrow)} == {"effective"}
    assert room.store.undecided_changes() == [] and len(room.store.undecided_changes(tomorrow)) == 2
    assert room.reviewing.undo(BEN, asked.number) == []
    assert room.store.undecided_changes(tomorrow) == []


def test_one_of_a_bulk_can_be_undone(room: Room):
    room.reviewing.confirm_all(ANN, [f"{SMALL}/low", f"{OLD}/low"], owner="CFO", effective_from=TODAY)
    (asked,) = room.store.requests()
    room.reviewing.approve(BEN, asked.number)
    room.reviewing.undo(ANN, room.store.standing(contract_id=SMALL)[0].number)
    assert [one.contract_id for one in room.store.standing()] == [OLD]


@pytest.mark.parametrize(
    ("ids", "more", "code"),
    [
        ([f"{SMALL}/high"], {}, "bulk"),
        ([f"{SMALL}/low", f"{LARGE}/low"], {}, "bulk"),
        ([], {}, "bulk"),
        ([f"{SMALL}/low{at}" for at in range(501)], {}, "bulk"),
        (["c_gone/low"], {}, "stale"),
        ([f"{SMALL}/low"], {"owner": " "}, "not_said"),
        ([f"{SMALL}/low"], {"seen": {f"{SMALL}/low": "another"}}, "stale"),
        ([f"{SMALL}/low"], {"seen": {}}, "stale"),
        ([f"{SMALL}/low"], {"effective_from": TODAY - timedelta(days=1)}, "dates"),
    ],
)
def test_bulk_is_for_what_is_of_no_weight(room: Room, ids: list[str], more: dict, code: str):
    with refused(room, code):
        room.reviewing.confirm_all(ANN, ids, **{"owner": "CFO", "effective_from": TODAY} | more)


def test_a_rule_is_overridden_by_two(room: Room):
    asked = room.reviewing.override_rule(
        *(ANN, "R01", "Acme"), why="agreed", owner="CFO", effective_from=TODAY, effective_to=TODAY
    )
    assert (asked.state, asked.counts(TODAY)) == ("waiting", False)
    with refused(room, "second_person"):
        room.reviewing.approve(Person(name="Ann", role="approver"), asked.number)
    room.reviewing.approve(BEN, asked.number)
    (held,) = room.store.requests(state="effective")
    assert held.counts(TODAY) and not held.counts(TODAY + timedelta(days=1))
    assert held.answered_by == "Ben"
    room.reviewing.undo(ANN, asked.number)
    assert room.store.requests(state="effective") == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"why": ""}, "not_said"),
        ({"owner": ""}, "not_said"),
        ({"effective_from": TODAY - timedelta(days=1)}, "dates"),
        ({"effective_to": TODAY - timedelta(days=1)}, "dates"),
    ],
)
def test_an_override_says_all(room: Room, more: dict, code: str):
    with refused(room, code):
        given = {"why": "agreed", "owner": "CFO", "effective_from": TODAY} | more
        room.reviewing.override_rule(ANN, "R01", "all", **given)


def test_a_sign_off_takes_two(room: Room):
    room.settle()
    assert room.reviewing.prepare(ANN, SMALL).approver is None
    signed = room.reviewing.sign_off(BEN, SMALL)
    assert (signed.preparer, signed.approver) == ("Ann", "Ben")


def test_the_preparer_does_not_sign_off(room: Room):
    room.settle()
    room.reviewing.prepare(BEN, SMALL)
    with refused(room, "second_person"):
        room.reviewing.sign_off(BEN, SMALL)
    assert room.reviewing.sign_off(CLEO, SMALL).approver == "Cleo"


def test_no_sign_off_without_preparation(room: Room):
    room.settle()
    with refused(room, "not_prepared"):
        room.reviewing.sign_off(BEN, SMALL)
    with refused(room, "no_target"):
        room.reviewing.prepare(ANN, "c_gone")


def test_no_sign_off_while_a_critical_flag_is_open(room: Room):
    with refused(room, "unfinished"):
        room.reviewing.prepare(ANN, SMALL)
    asked = room.flag("critical", decision="escalated")
    room.reviewing.approve(BEN, asked.number)
    assert room.reviewing.open_critical(SMALL) == [f"{SMALL}/critical"], "passing it on settles nothing"
    with refused(room, "unfinished"):
        room.reviewing.prepare(ANN, SMALL)
    room.settle()
    room.reviewing.prepare(ANN, SMALL)


def test_no_sign_off_while_anything_waits(room: Room):
    room.settle(LARGE)
    number = room.term(LARGE).number
    with refused(room, "unfinished"):
        room.reviewing.prepare(ANN, LARGE)
    room.reviewing.approve(BEN, number)
    room.reviewing.prepare(ANN, LARGE)


def test_no_sign_off_when_a_critical_flag_came_after_the_preparation(room: Room, monkeypatch: pytest.MonkeyPatch):
    room.settle()
    room.reviewing.prepare(ANN, SMALL)
    monkeypatch.setattr(room.desk, "critical_flags", lambda contract_id: ["c_small/critical", "c_small/new"])
    with refused(room, "unfinished"):
        room.reviewing.sign_off(BEN, SMALL)


def test_what_was_decided_since_has_to_be_prepared_again(room: Room):
    room.settle()
    room.reviewing.prepare(ANN, SMALL)
    room.term(decision="rejected")
    with refused(room, "not_prepared"):
        room.reviewing.sign_off(BEN, SMALL)
    room.reviewing.prepare(ANN, SMALL)
    room.reviewing.sign_off(BEN, SMALL)


def test_undoing_a_bulk_over_many_contracts_has_to_be_prepared_again(room: Room):
    room.settle()
    room.reviewing.confirm_all(ANN, [f"{SMALL}/low", f"{OLD}/low"], owner="CFO", effective_from=TODAY)
    (asked,) = room.store.requests()
    room.reviewing.approve(BEN, asked.number)
    room.reviewing.prepare(ANN, SMALL)
    room.reviewing.undo(ANN, asked.number)
    with refused(room, "not_prepared"):
        room.reviewing.sign_off(BEN, SMALL)


def test_a_contract_that_is_signed_off_is_closed(room: Room):
    room.settle()
    standing = room.term()
    room.reviewing.prepare(ANN, SMALL)
    room.reviewing.sign_off(BEN, SMALL)
    for act in (
        lambda: room.term(decision="rejected"),
        lambda: room.reviewing.undo(ANN, standing.number),
        lambda: room.reviewing.confirm_all(ANN, [f"{SMALL}/low"], owner="o", effective_from=TODAY),
        lambda: room.reviewing.prepare(ANN, SMALL),
        lambda: room.reviewing.sign_off(CLEO, SMALL),
    ):
        with refused(room, "signed_off"):
            act()
    with refused(room, "not_said"):
        room.reviewing.withdraw_sign_off(BEN, SMALL, "")
    room.reviewing.withdraw_sign_off(BEN, SMALL, "an amendment came")
    room.term(decision="rejected")
    with refused(room, "no_target"):
        room.reviewing.withdraw_sign_off(BEN, SMALL, "again")
    with refused(room, "not_prepared"):
        room.reviewing.sign_off(BEN, SMALL)


def test_a_locked_period_takes_no_decisions(room: Room):
    standing = room.term()
    waiting = room.flag("critical")
    room.reviewing.lock(BEN, date(2026, 12, 1), date(2027, 3, 31))
    for act in (
        lambda: room.term(decision="rejected"),
        lambda: room.term(LARGE),
        lambda: room.reviewing.undo(ANN, standing.number),
        lambda: room.reviewing.approve(BEN, waiting.number),
        lambda: room.reviewing.prepare(ANN, SMALL),
        lambda: room.reviewing.confirm_all(ANN, [f"{SMALL}/low"], owner="o", effective_from=TODAY),
        lambda: room.reviewing.lock(CLEO, date(2026, 12, 1), date(2027, 3, 31)),
    ):
        with refused(room, "period_locked"):
            act()
    assert room.term(OLD).state == "effective", "it had ended before"


def test_a_period_is_reopened_with_a_reason(room: Room):
    days = date(2026, 1, 1), date(2026, 3, 31)
    with refused(room, "period_locked"):
        room.reviewing.reopen(BEN, *days, "not locked")
    with refused(room, "dates"):
        room.reviewing.lock(BEN, days[1], days[0])
    room.reviewing.lock(BEN, *days)
    with refused(room, "not_said"):
        room.reviewing.reopen(CLEO, *days, "")
    opened = room.reviewing.reopen(CLEO, *days, "late invoice")
    assert (opened.locked_by, opened.reopened_by, opened.why) == ("Ben", "Cleo", "late invoice")
    room.term()
    room.reviewing.lock(BEN, *days)
    assert len(room.store.periods()) == 1 and len(room.store.periods(all=True)) == 2
    room.store.verify()
