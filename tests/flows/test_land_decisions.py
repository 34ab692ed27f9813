"""What was decided lands in the warehouse: once, whatever is killed when, and never over what stands there by then."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from frontdoor import AGENT, AGREEMENT, Done, call_here, fresh_environment, write_pdf
from openpyxl import load_workbook

import review.landing
from review.actions import Reviewing
from review.facts import PublishedFacts, TargetFacts
from review.landing import land_decisions
from review.store import Store
from schemas.review import Person, ReviewError, Standing, TargetName
from schemas.settings import Settings
from warehouse.decisions import Decision, take
from warehouse.lake import land
from warehouse.read import query

ANN = Person(name="Ann", role="reviewer")
BEN = Person(name="Ben", role="approver")


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inbox and the warehouse it was read into."""
    folder = tmp_path_factory.mktemp("read")
    write_pdf(folder / "inbox" / "agreement.pdf", AGREEMENT)
    done = call_here(
        "run", folder / "inbox", "--warehouse", folder / "warehouse", CONTRACT_AGENT_HOME=str(folder / "home")
    )
    assert done.code == 0, done.err
    return folder


class Office:
    """A warehouse with its review, as its people and its command line know it."""

    def __init__(self, folder: Path):
        self.folder, self.root = folder, folder / "warehouse"
        self.store = Store(self.root / "review")
        self.reviewing = Reviewing(self.store, PublishedFacts(self.root), Settings(review_materiality=10**9))

    def call(self, command: str, *arguments: object, code: int = 0, **environment: str) -> Done:
        home = {"CONTRACT_AGENT_HOME": str(self.folder / "home")}
        done = call_here(command, *arguments, "--warehouse", self.root, **home | environment)
        assert done.code == code, done.err
        return done

    def land(self) -> dict:
        return self.call("land-decisions").summary

    def sql(self, statement: str) -> list[dict]:
        return self.call("sql", statement, "--format", "json").rows

    def rows(self, columns: str = "decision, new_value") -> list[tuple]:
        return query(self.root, f"SELECT {columns} FROM reviews ORDER BY decided_at")[1]

    def term(self, name: str) -> str:
        return query(self.root, "SELECT term_id FROM terms WHERE term = $name", {"name": name})[1][0][0]

    def decide(self, term: str, person: Person = ANN, **said: str) -> Standing:
        id = self.term(term)
        seen = PublishedFacts(self.root).target("term", id).evidence_hash
        decision = Decision(target="term", target_id=id, evidence_hash=seen, **said)
        return self.reviewing.decide(person, decision, seconds=4.5, keystrokes=3)

    def override(self, term: str, value: str, person: Person = ANN) -> Standing:
        return self.decide(term, person, decision="overridden", new_value=value, reason_code="ocr_error")


@pytest.fixture
def office(read_once: Path, tmp_path: Path) -> Office:
    shutil.copytree(read_once, tmp_path / "office")
    return Office(tmp_path / "office")


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets the landing die before one of its steps, as a kill would."""

    class Killed(BaseException):
        pass

    def at(step: str) -> type[BaseException]:
        def die(*arguments: object, **named: object):
            raise Killed

        monkeypatch.setattr(review.landing._Landing, step, die)
        return Killed

    return at


def test_what_was_decided_is_seen_in_sql(office: Office):
    standing = office.override("payment_terms_days", "45")
    office.decide("governing_law", decision="confirmed")
    assert office.land() | {"run_id": ""} == {
        "run_id": "",
        "decisions": 2,
        "withdrawn": 0,
        "conflicts": 0,
        "sign_offs": 0,
        "rule_overrides": 0,
    }
    columns = "decision, old_value, new_value, reviewer, reason_code, event_number, seconds, keystrokes, is_blind"
    (row,) = office.sql(f"SELECT {columns} FROM reviews WHERE new_value IS NOT NULL")
    expected = ("overridden", "60", "45", "Ann", "ocr_error", standing.number, 4.5, 3, False)
    assert tuple(row.values()) == expected
    terms = "SELECT term, reviewed_value, read_value, status FROM reviewed_terms WHERE for_close ORDER BY term"
    assert [tuple(row.values()) for row in office.sql(terms)] == [
        ("governing_law", "New York", "New York", "confirmed"),
        ("payment_terms_days", "45", "60", "overridden"),
    ]
    proposed = office.sql("SELECT count(*) AS n FROM reviewed_terms WHERE status = 'proposed' AND for_close")
    assert proposed == [{"n": 0}]
    assert office.store.standing(targets=[("term", office.term("governing_law"))])[0].landed_in is not None


def test_landing_twice_lands_once(office: Office):
    office.override("payment_terms_days", "45")
    office.land()
    held = office.rows("*")
    again = office.land()
    assert (again["run_id"], again["decisions"]) == (None, 0)
    assert office.rows("*") == held and len(held) == 1


@pytest.mark.parametrize("undone_meanwhile", [False, True])
def test_killed_between_landing_and_noting_it(office: Office, killed, undone_meanwhile: bool, monkeypatch):
    standing = office.override("payment_terms_days", "45")
    with pytest.raises(killed("_note")):
        land_decisions(office.root, office.store)
    assert office.rows() == [("overridden", "45")]
    monkeypatch.undo()
    if undone_meanwhile:
        office.reviewing.undo(ANN, standing.number)
    done = office.land()
    assert done["decisions"] == 0
    expected = [("overridden", "45")] + ([("withdrawn", None)] if undone_meanwhile else [])
    assert office.rows() == expected
    office.store.verify(review.landing.witnesses(office.root))


def test_killed_between_noting_a_conflict_and_landing_it(office: Office, killed, monkeypatch):
    office.override("payment_terms_days", "45")
    reread_with_other_days(office)
    with pytest.raises(killed("_closing_rows")):
        land_decisions(office.root, office.store)
    monkeypatch.undo()
    assert office.land()["conflicts"] == 1
    assert office.land()["conflicts"] == 0
    assert len(office.sql("FROM review_conflicts")) == 1


def reread_with_other_days(office: Office) -> None:
    """The same term is read with another value by a later run."""
    names, rows = query(office.root, "FROM terms")
    changed = [dict(zip(names, row, strict=True)) | {"run_id": "later"} for row in rows]
    for row in changed:
        if row["term"] == "payment_terms_days":
            row |= {"value": "90", "quote": "within ninety (90) days"}
    names, (contract,) = query(office.root, "FROM contracts_of_their_run")
    land(
        office.root,
        {"run_id": "later", "trigger": "backfill"},
        [{"terms": changed, "contracts": [dict(zip(names, contract, strict=True)) | {"run_id": "later"}]}],
    )


def test_what_changed_before_the_landing_becomes_a_conflict(office: Office):
    standing = office.override("payment_terms_days", "45")
    reread_with_other_days(office)
    assert (landed := office.land())["decisions"] == 0 and landed["conflicts"] == 1
    assert office.rows() == []
    (row,) = office.sql("SELECT decided_value, decided_on, stands_now, reason, reviewer FROM decision_conflicts")
    assert tuple(row.values()) == ("45", "60", "90", "its value differs", "Ann")
    (conflict,) = office.store.conflicts()
    assert (conflict.decision, conflict.made_on, conflict.stands_now) == (standing.number, "60", "90")
    assert office.land()["conflicts"] == 0, "it is not tried again"
    office.decide("payment_terms_days", decision="confirmed")
    assert office.store.conflicts() == []
    office.land()
    assert office.sql("FROM decision_conflicts") == []


def test_what_changed_after_the_landing_is_a_conflict_too(office: Office):
    office.override("payment_terms_days", "45")
    office.land()
    reread_with_other_days(office)
    (row,) = office.sql("SELECT decided_value, stands_now FROM decision_conflicts")
    assert tuple(row.values()) == ("45", "90")
    sql = "SELECT reviewed_value, read_value, for_close, is_in_conflict FROM reviewed_terms WHERE status = 'overridden'"
    (row,) = office.sql(sql)
    assert tuple(row.values()) == ("45", "90", False, True), "the person's value stays"


def test_undone_before_the_landing_leaves_nothing(office: Office):
    office.reviewing.undo(ANN, office.override("payment_terms_days", "45").number)
    assert office.land()["run_id"] is None
    assert office.rows() == []


def test_undone_after_the_landing_is_withdrawn(office: Office):
    standing = office.override("payment_terms_days", "45")
    office.land()
    office.reviewing.undo(BEN, standing.number)
    assert office.land()["withdrawn"] == 1
    assert office.rows("decision, reviewer") == [("overridden", "Ann"), ("withdrawn", "Ben")]
    sql = "SELECT status, reviewed_value FROM reviewed_terms WHERE term = 'payment_terms_days'"
    assert office.sql(sql) == [{"status": "proposed", "reviewed_value": "60"}]
    assert office.land()["withdrawn"] == 0


def test_what_stood_before_stands_again_when_the_last_is_undone(office: Office):
    office.override("payment_terms_days", "45")
    last = office.override("payment_terms_days", "50", BEN)
    office.land()
    office.reviewing.undo(BEN, last.number)
    office.land()
    assert office.rows() == [("overridden", "45"), ("overridden", "50"), ("overridden", "45")]
    first = office.store.standing(targets=[("term", office.term("payment_terms_days"))])[0]
    office.reviewing.undo(ANN, first.number)
    office.land()
    assert office.rows()[-1] == ("withdrawn", None)


def test_undoing_what_is_not_the_last_changes_nothing(office: Office):
    first = office.override("payment_terms_days", "45")
    office.override("payment_terms_days", "50", BEN)
    office.land()
    office.reviewing.undo(ANN, first.number)
    office.land()
    assert office.rows() == [("overridden", "45"), ("overridden", "50")]
    assert office.store.undecided_changes() == []


def test_approved_after_a_later_one_was_landed(office: Office):
    office.reviewing = Reviewing(office.store, PublishedFacts(office.root), Settings(review_materiality=0))
    first = office.override("payment_terms_days", "45")
    last = office.override("payment_terms_days", "50", BEN)
    assert (first.state, last.state) == ("waiting", "waiting")
    assert office.land()["decisions"] == 0
    office.reviewing.approve(Person(name="Cleo", role="approver"), last.number)
    assert office.land()["decisions"] == 1
    office.reviewing.approve(BEN, first.number)
    office.land()
    assert office.rows("decision, new_value, approver")[-1] == ("overridden", "50", "Cleo")


def test_what_a_workbook_brought_later_counts(office: Office, monkeypatch: pytest.MonkeyPatch):
    standing = office.override("payment_terms_days", "45")
    office.land()
    id = office.term("payment_terms_days")
    seen = PublishedFacts(office.root).target("term", id).evidence_hash
    given = Decision(target="term", target_id=id, decision="confirmed", reviewer="Dora", evidence_hash=seen)
    assert take(office.root, [given]).landed == 1
    office.reviewing.undo(ANN, standing.number)
    office.land()
    assert office.rows()[-1] == ("confirmed", None)


def test_a_workbook_decides_nothing_that_is_closed_or_takes_two(office: Office, tmp_path: Path):
    office.call("export", tmp_path / "out.xlsx")
    book = load_workbook(tmp_path / "out.xlsx")
    sheet = book["Sources"]
    heads = {cell.value: cell.column for cell in next(sheet.iter_rows(max_row=1))}
    sheet.cell(2, heads["Decision"], "confirmed")
    book.save(tmp_path / "filled.xlsx")
    office.reviewing.lock(BEN, date(2026, 1, 1), date(2026, 12, 31))
    given = ("import", tmp_path / "filled.xlsx", "--reviewer", "Ann")
    refused = office.call(*given, code=1).out
    assert "0 taken" in refused and "locked period" in refused and "An approver reopens it" in refused
    office.reviewing.reopen(BEN, date(2026, 1, 1), date(2026, 12, 31), "late")
    refused = office.call(*given, code=1).out
    assert "0 taken" in refused and "it takes two people" in refused, "the contract is worth 360,000"
    assert "1 taken" in office.call(*given, CONTRACT_AGENT_REVIEW_MATERIALITY="1000000").out


def test_sign_offs_and_overrides_of_rules(office: Office):
    ((contract_id,),) = query(office.root, "SELECT contract_id FROM contracts")[1]
    for id, severity in query(office.root, "SELECT flag_id, severity FROM flags")[1]:
        if severity == "critical":
            seen = PublishedFacts(office.root).target("flag", id).evidence_hash
            given = Decision(target="flag", target_id=id, decision="confirmed", evidence_hash=seen)
            office.reviewing.approve(BEN, office.reviewing.decide(ANN, given).number)
    office.reviewing.prepare(ANN, contract_id)
    office.reviewing.sign_off(BEN, contract_id)
    rule_id = query(office.root, "SELECT rule_id FROM review_queue LIMIT 1")[1][0][0]
    today = datetime.now(UTC).date()
    asked = office.reviewing.override_rule(
        ANN, rule_id, "all", why="agreed by the board", owner="CFO", effective_from=today
    )
    landed = office.land()
    assert (landed["sign_offs"], landed["rule_overrides"]) == (1, 0), "nobody has approved the override yet"
    office.reviewing.approve(BEN, asked.number)
    assert office.land()["rule_overrides"] == 1
    sql = "SELECT preparer, approver, action FROM sign_offs"
    assert office.sql(sql) == [{"preparer": "Ann", "approver": "Ben", "action": "signed_off"}]
    assert office.sql(f"SELECT owner, approver FROM rule_overrides WHERE rule_id = '{rule_id}'") == [
        {"owner": "CFO", "approver": "Ben"}
    ]
    assert {row["rule_id"] for row in office.sql("SELECT rule_id FROM excepted_flags")} == {rule_id}
    queue = f"SELECT flag_id FROM review_queue WHERE rule_id = '{rule_id}'"
    assert office.sql(queue) == []
    office.reviewing.undo(ANN, asked.number)
    office.reviewing.withdraw_sign_off(BEN, contract_id, "an amendment came")
    landed = office.land()
    assert (landed["sign_offs"], landed["rule_overrides"]) == (1, 1)
    assert office.sql("FROM excepted_flags") == [] and office.sql(queue) != []
    assert office.sql("SELECT action, reason FROM sign_offs ORDER BY done_at")[1] == {
        "action": "withdrawn",
        "reason": "an amendment came",
    }


def test_a_later_day_is_waited_for(office: Office):
    class Low(PublishedFacts):
        """The flags as they are, but of no weight."""

        def target(self, target: TargetName, target_id: str) -> TargetFacts | None:
            return super().target(target, target_id).model_copy(update={"severity": "low"})

    office.reviewing = Reviewing(office.store, Low(office.root), Settings(review_materiality=10**9))
    flag = query(office.root, "SELECT flag_id FROM flags LIMIT 1")[1][0][0]
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    (standing,) = office.reviewing.confirm_all(ANN, [flag], owner="CFO", effective_from=tomorrow)
    (asked,) = office.store.requests(state="waiting")
    office.reviewing.approve(BEN, asked.number)
    assert office.land()["decisions"] == 0
    assert [change.number for change in office.store.undecided_changes(tomorrow)] == [standing.number]


def test_without_a_warehouse_nothing_is_landed(tmp_path: Path):
    Store(tmp_path / "warehouse" / "review")
    done = call_here("land-decisions", "--warehouse", tmp_path / "warehouse", CONTRACT_AGENT_HOME=str(tmp_path))
    assert done.code == 0 and done.summary["run_id"] is None


def test_the_audit_on_the_command_line(office: Office, tmp_path: Path):
    office.override("payment_terms_days", "45")
    office.land()
    out = tmp_path / "log.csv"
    assert "Wrote 3 events" in office.call("audit", "export", out).out
    assert out.read_text().splitlines()[0].startswith("number,at,actor,action")
    assert "The log holds: 3 events, 4 of them compared" in office.call("audit", "verify", "--export", out).out
    shutil.rmtree(office.root / "review")
    Office(office.folder).override("payment_terms_days", "70")
    failed = office.call("audit", "verify", code=1)
    assert "audit_broken" in failed.err and "event 1" in failed.err
    no_export = office.call("audit", "verify", "--export", tmp_path / "none.csv", code=1)
    assert "[export]" in no_export.err


def test_accounts_on_the_command_line(office: Office):
    def given(text: str, *arguments: str) -> Done:
        environment = fresh_environment(CONTRACT_AGENT_HOME=str(office.folder / "home"))
        command = [str(AGENT), "account", *arguments, "--warehouse", str(office.root)]
        done = subprocess.run(command, env=environment, input=text, capture_output=True, text=True, timeout=60)
        return Done(done.returncode, done.stdout, done.stderr)

    assert given("a long password\n", "add", "Ann", "--role", "admin", "--password-stdin").code == 0
    assert "[password]" in given("short\n", "add", "Ben", "--password-stdin").err
    assert given("", "add", "Ben", "--no-password").code == 0
    assert given("", "role", "ben", "approver").out == "Ben is approver.\n"
    assert "[last_admin]" in given("", "disable", "Ann").err
    assert given("another long one\n", "password", "Ann", "--password-stdin").code == 0
    assert given("", "disable", "Ben").code == 0
    assert given("", "list").out == "Ann  admin\nBen  approver  disabled  by a trusted proxy only\n"
    assert "long" not in "".join(str(event.body) for event in office.store.events())


def test_forgetting_takes_the_decisions_along(office: Office):
    office.decide("governing_law", decision="overridden", new_value="Zanzibar", reason_code="other", comment="as said")
    ((contract_id,),) = query(office.root, "SELECT contract_id FROM contracts")[1]
    office.land()
    office.call("forget", contract_id, "--by", "ada", "--reason", "asked to")
    office.call("forget", contract_id, "--by", "ben", "--approve")
    office.store.close()
    kept = b"".join(path.read_bytes() for path in office.root.rglob("*") if path.is_file())
    assert b"Zanzibar" not in kept and b"as said" not in kept
    office.call("audit", "verify")
    assert Store(office.root / "review").standing() == []


def test_a_locked_period_keeps_a_contract(office: Office):
    ((contract_id,),) = query(office.root, "SELECT contract_id FROM contracts")[1]
    office.reviewing.lock(BEN, date(2026, 1, 1), date(2026, 12, 31))
    assert "[closed_period]" in office.call("forget", contract_id, "--by", "a", "--reason", "b", code=1).err
    with pytest.raises(ReviewError) as refused:
        office.override("payment_terms_days", "45")
    assert refused.value.code == "period_locked"
