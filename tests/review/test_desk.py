"""The desk shows what was published with the live decisions over it: at once, after landing, after a later run."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from frontdoor import AGREEMENT, call_here, write_pdf
from office import ANN, BEN, Office, changed, without

from review.desk import Desk
from review.live import Live
from review.shown import QueueFilters
from review.store import Store
from schemas.errors import WarehouseError
from schemas.review import ReviewError
from warehouse.decisions import Decision, evidence_of, take
from warehouse.read import query

TERM = "payment_terms_days"
SHARP = AGREEMENT.replace(
    "A party in material breach",
    """Provider shall refund all fees
paid upon such termination. Provider grants Customer most favoured pricing: no other customer shall pay less.
Customer may assign this Agreement without consent. A party in material breach""",
)


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of one agreement."""
    folder = tmp_path_factory.mktemp("read")
    write_pdf(folder / "inbox" / "agreement.pdf", SHARP)
    settings = {
        "CONTRACT_AGENT_HOME": str(folder / "home"),
        "CONTRACT_AGENT_OUR_ENTITIES": '["Harbor Light Software, Inc."]',
    }
    done = call_here("run", folder / "inbox", "--warehouse", folder / "w", **settings)
    assert done.code == 0, done.err
    return folder / "w"


@pytest.fixture
def office(read_once: Path, tmp_path: Path) -> Iterator[Office]:
    """A copy of it, with nobody's decisions."""
    shutil.copytree(read_once, tmp_path / "w")
    office = Office(tmp_path / "w")
    yield office
    office.desk.close()
    office.store.close()


def low_flag(office: Office):
    """A flag that one person may decide on."""
    return next(item for item in office.view.flags if item.row["severity"] != "critical")


def test_the_queue_is_the_published_one(office: Office):
    columns, rows = query(office.root, "SELECT * FROM review_queue")
    published = [dict(zip(columns, row, strict=True)) for row in rows]
    page = office.desk.queue(size=500)
    assert page.total == len(published) > 3
    shown = ("flag_id", "priority", "severity", "reason", "total_value", "status", "quote", "page_number")
    assert [[getattr(row, name) for name in shown] for row in page.rows] == [
        [row[name] for name in shown] for row in published
    ]
    assert {row.age_days for row in page.rows} == {0} and {row.state for row in page.rows} == {None}


def test_a_decision_is_seen_at_once(office: Office):
    flag, other = office.view.flags[-1], office.view.flags[-2]
    before = office.desk.queue().total
    office.decide(flag, "confirmed")
    office.decide(other, "needs_info")
    assert office.desk.queue().total == before - 1
    assert [row.status for row in office.desk.queue().rows if row.flag_id == other.id] == ["needs_info"]
    now = office.view.item("flag", flag.id)
    assert (now.status, now.standing.reviewer, now.decided) == ("confirmed", "Ann", None)
    assert office.desk.contracts().rows[0].open_flags == before - 1


def test_an_override_is_the_value_that_holds(office: Office):
    office.override(TERM, "45")
    term = office.term(TERM)
    assert (term.value, term.row["value"], term.status, term.conflict) == ("45", "60", "overridden", False)


def test_it_stays_so_when_it_is_landed(office: Office):
    flag = low_flag(office)
    office.decide(flag, "rejected")
    office.override(TERM, "45")
    queued = office.queued()
    assert office.land().decisions == 2
    term = office.term(TERM)
    assert (term.value, term.status, term.decided["decision"]) == ("45", "overridden", "overridden")
    assert office.queued() == queued and flag.name not in queued
    assert office.conflicts() == []


def test_another_desk_sees_it_too(office: Office):
    """Two processes may serve the same warehouse."""
    other = Desk(office.root, Store(office.root / "review"))
    assert other.queue().total == office.desk.queue().total
    office.decide(low_flag(office), "confirmed")
    assert other.queue().total == office.desk.queue().total
    other.close()


def test_undone_before_landing(office: Office):
    before = office.desk.queue().rows
    standing = office.decide(low_flag(office), "confirmed")
    office.reviewing.undo(ANN, standing.number)
    assert office.desk.queue().rows == before
    assert office.view.item("flag", standing.target_id).standing is None


def test_undone_after_landing(office: Office):
    """The flag is back in the queue as it was, though the warehouse that is shown has it confirmed still."""
    before = office.desk.queue().rows
    standing = office.decide(low_flag(office), "confirmed")
    office.land()
    assert office.desk.queue().total == len(before) - 1
    office.reviewing.undo(ANN, standing.number)
    assert [row.model_copy(update={"state": None}) for row in office.desk.queue().rows] == list(before)
    assert office.view.item("flag", standing.target_id).status == "proposed"
    office.land()
    assert office.desk.queue().rows == before
    assert office.view.item("flag", standing.target_id).status == "proposed"


def test_the_former_decision_stands_again(office: Office):
    """Of two landed decisions the later is taken back."""
    flag = low_flag(office)
    office.decide(flag, "rejected")
    office.land()
    later = office.decide(flag, "needs_info")
    office.land()
    assert flag.name in office.queued()
    office.reviewing.undo(ANN, later.number)
    assert flag.name not in office.queued() and office.view.item("flag", flag.id).status == "rejected"
    office.land()
    assert flag.name not in office.queued() and office.view.item("flag", flag.id).status == "rejected"


def test_decided_anew_after_landing(office: Office):
    """A settled flag that somebody wants to know more of is in the queue again, with all that the queue shows."""
    flag = low_flag(office)
    (was,) = [row for row in office.desk.queue().rows if row.flag_id == flag.id]
    office.decide(flag, "confirmed")
    office.land()
    office.decide(flag, "needs_info")
    (now,) = [row for row in office.desk.queue().rows if row.flag_id == flag.id]
    assert now == was.model_copy(update={"status": "needs_info", "state": "effective"})


def test_what_waits_for_a_second_person(read_once: Path, tmp_path: Path):
    shutil.copytree(read_once, tmp_path / "w")
    office = Office(tmp_path / "w", review_materiality=1.0)
    flag, before = low_flag(office), office.desk.queue().total
    standing = office.decide(flag, "confirmed")
    assert standing.state == "waiting"
    assert office.desk.queue().total == before - 1
    waiting = office.desk.queue(QueueFilters(state="waiting"))
    assert [(row.flag_id, row.status, row.state) for row in waiting.rows] == [(flag.id, "proposed", "waiting")]
    assert office.desk.queue(QueueFilters(state="all")).total == before
    assert office.view.item("flag", flag.id).status == "proposed"
    office.reviewing.decline(BEN, standing.number, "look at section 3")
    assert office.desk.queue().total == before
    office.reviewing.approve(BEN, office.decide(flag, "confirmed").number)
    assert office.desk.queue().total == before - 1
    assert office.view.item("flag", flag.id).status == "confirmed"
    office.desk.close()


def test_a_later_run_that_differs_makes_a_conflict(office: Office):
    office.override(TERM, "45")
    assert office.conflicts() == []
    office.read_again(changed("terms", {"value": "90", "value_number": 90.0}, term=TERM))
    (conflict,) = office.desk.conflicts()
    assert (conflict.kind, conflict.name, conflict.decided_value, conflict.seen_value) == ("value", TERM, "45", "60")
    assert (conflict.value, conflict.reviewer, conflict.target) == ("90", "Ann", "term")
    term = office.term(TERM)
    assert (term.value, term.row["value"], term.status, term.conflict) == ("45", "90", "overridden", True)


def test_so_does_one_after_landing(office: Office):
    office.override(TERM, "45")
    office.land()
    office.read_again(changed("terms", {"value": "90"}, term=TERM))
    assert office.conflicts() == [("value", TERM)]
    assert office.term(TERM).value == "45"
    office.decide(office.term(TERM), "confirmed")
    assert office.conflicts() == [] and office.term(TERM).value == "90"
    office.land()
    assert office.conflicts() == [] and office.term(TERM).value == "90"


def test_landing_into_a_changed_warehouse_keeps_the_conflict(office: Office):
    office.override(TERM, "45")
    office.read_again(changed("terms", {"value": "90"}, term=TERM))
    assert office.land().conflicts == 1
    assert office.conflicts() == [("value", TERM)]
    assert office.term(TERM).value == "45"


def test_other_words_for_the_same_value(office: Office):
    office.decide(office.term(TERM), "confirmed")
    office.read_again(changed("terms", {"quote": "within 60 days"}, term=TERM))
    assert office.conflicts() == [("evidence", TERM)]


def test_a_run_that_reads_the_same_is_no_conflict(office: Office):
    office.override(TERM, "45")
    office.decide(low_flag(office), "confirmed")
    office.land()
    office.read_again()
    assert office.conflicts() == []


def test_a_run_that_reads_what_was_put_in_is_no_conflict(office: Office):
    office.override(TERM, "45")
    office.read_again(changed("terms", {"value": "45", "quote": "45 days"}, term=TERM))
    assert office.conflicts() == []


@pytest.mark.parametrize(("decision", "met"), [("confirmed", ["gone"]), ("rejected", [])])
@pytest.mark.parametrize("is_landed", [False, True])
def test_a_flag_that_is_raised_no_more(office: Office, decision: str, met: list[str], is_landed: bool):
    flag = low_flag(office)
    office.decide(flag, decision)
    if is_landed:
        office.land()
    office.read_again(without("flags", flag_id=flag.id))
    assert [kind for kind, _ in office.conflicts()] == met


def test_what_was_looked_at_serves_on_after_landing(office: Office):
    """Landing decisions changes no contract, so none is read again; a run may."""
    held = office.desk._shown.contracts.get(office.contract_id) if office.view else None
    office.override(TERM, "45")
    office.land()
    assert office.desk._shown.contracts.get(office.contract_id) is held
    office.read_again()
    assert office.desk._shown.contracts.get(office.contract_id) is not held


def test_a_decision_in_the_workbook_comes_after(office: Office):
    """The last word counts, wherever it was said."""
    office.override(TERM, "45")
    term = office.term(TERM)
    given = {"target": "term", "target_id": term.id, "evidence_hash": term.evidence_hash, "reviewer": "Eve"}
    before = office.desk.publication()
    take(office.root, [Decision(**given, decision="overridden", new_value="30", reason_code="other")])
    office.wait(before)
    assert (office.term(TERM).value, office.term(TERM).standing) == ("30", None)


def test_a_rule_that_is_not_asked(office: Office):
    flag = low_flag(office)
    today = datetime.now(UTC).date()
    counterparty = office.view.contract["counterparty"] or office.view.contract["contract_type"]
    why = {"why": "agreed", "owner": "Ann", "effective_from": today}
    asked = office.reviewing.override_rule(ANN, flag.name, counterparty.upper(), **why)
    assert flag.name in office.queued()
    office.reviewing.approve(BEN, asked.number)
    assert flag.name not in office.queued()
    assert office.view.item("flag", flag.id).status == "not_applicable"
    office.reviewing.undo(BEN, asked.number)
    assert flag.name in office.queued()


def test_what_is_erased_is_gone_from_the_desk(office: Office):
    office.override(TERM, "45")
    assert office.term(TERM).value == "45"
    office.store.erase(office.contract_id, "Ben")
    assert office.term(TERM).value == "60"


def test_filters(office: Office):
    everything = office.desk.queue(size=500).rows
    first = everything[0]
    for filters, is_in in [
        (QueueFilters(severity=(first.severity,)), lambda row: row.severity == first.severity),
        (QueueFilters(rule_id=(first.rule_id, "R00")), lambda row: row.rule_id == first.rule_id),
        (QueueFilters(q="LIABILITY cap"), lambda row: all(word in said(row) for word in ("liability", "cap"))),
        (QueueFilters(q="100%_'"), lambda row: False),
        (QueueFilters(least_value=Decimal(10**9)), lambda row: False),
        (QueueFilters(older_than_days=1), lambda row: False),
        (QueueFilters(older_than_days=0), lambda row: False),
        (QueueFilters(contract_id=office.contract_id), lambda row: True),
        (QueueFilters(status=("confirmed",)), lambda row: False),
    ]:
        page = office.desk.queue(filters, size=500)
        assert [row.flag_id for row in page.rows] == [row.flag_id for row in everything if is_in(row)], filters
        assert page.total == len(page.rows)


def said(row) -> str:
    texts = (row.title, row.counterparty, row.rule_id, row.reason, row.found, row.quote, row.file_name)
    return " ".join(filter(None, texts)).lower()


def test_a_facet_counts_as_if_it_alone_were_not_set(office: Office):
    everything = office.desk.queue()
    (worst, count), *_ = everything.facets["severity"]
    chosen = office.desk.queue(QueueFilters(severity=(worst,)))
    assert chosen.facets["severity"] == everything.facets["severity"]
    assert chosen.total == count == sum(facet.count for facet in chosen.facets["rule_id"])
    assert sum(facet.count for facet in everything.facets["rule_id"]) == everything.total


def test_pages_of_the_queue(office: Office):
    everything = office.desk.queue(size=500).rows
    pages = [office.desk.queue(page=number, size=2) for number in range(1, 4)]
    assert [row for page in pages for row in page.rows] == list(everything[:6])
    assert pages[0].pages == -(-len(everything) // 2)
    assert office.desk.queue(page=99).rows == ()


def test_what_stands_before_and_after(office: Office):
    rows = office.desk.queue(sort="severity").rows
    around = office.desk.around(rows[1].flag_id, sort="severity")
    assert (around.previous, around.next, around.place, around.total) == (rows[0], rows[2], 2, len(rows))
    last = office.desk.around(rows[-1].flag_id, sort="severity")
    assert (last.previous, last.next) == (rows[-2], None)
    assert office.desk.around("f_unknown").next == office.desk.queue().rows[0]


def test_the_next_one_of_a_flag_that_was_just_decided(office: Office):
    rows = office.desk.queue().rows
    at = next(at for at, row in enumerate(rows) if at and row.severity != "critical")
    office.decide(office.view.item("flag", rows[at].flag_id), "confirmed")
    around = office.desk.around(rows[at].flag_id)
    assert (around.previous, around.place) == (rows[at - 1], None)
    assert around.next == (rows[at + 1] if at + 1 < len(rows) else None)


def test_facts_of_a_target(office: Office):
    flag = office.view.flags[0]
    facts = office.desk.target("flag", flag.id)
    assert (facts.contract_id, facts.field, facts.severity) == (office.contract_id, flag.name, flag.row["severity"])
    assert facts.evidence_hash == evidence_of("flag", flag.row) == flag.evidence_hash
    assert office.desk.target("flag", "f_unknown") is None
    assert office.desk.target("term", flag.id) is None
    fresh = Desk(office.root, office.store)  # which has looked at no contract yet
    assert fresh.target("flag", flag.id) == facts
    assert fresh.target("term", office.term(TERM).id).value == "60"
    fresh.close()


def test_the_list_of_contracts(office: Office):
    assert [row.contract_id for row in office.desk.contracts("HARBOR quarry").rows] == [office.contract_id]
    assert office.desk.contracts("nobody of that name").rows == ()
    assert office.desk.contracts(office.contract_id).total == 1


def test_in_force_is_as_the_view_has_it(office: Office):
    names = "term, value, set_by_contract_id, set_by_document_id, quote, page_number, effective_from"
    rows = query(office.root, f"SELECT {names} FROM contract_in_force")[1]
    shown = [tuple(row[name] for name in names.split(", ")) for row in office.view.in_force]
    assert sorted(shown, key=str) == sorted(rows, key=str) and len(shown) > 10


def test_a_contract_that_is_not_there(office: Office):
    with pytest.raises(ReviewError) as raised:
        office.desk.contract("c_0000000000000000")
    assert raised.value.code == "not_found" and raised.value.help


def test_no_warehouse_yet(tmp_path: Path):
    desk = Desk(tmp_path / "w", Store(tmp_path / "review"))
    for _ in range(2):
        with pytest.raises(WarehouseError) as raised:
            desk.queue()
        assert raised.value.code == "no_warehouse"
    desk.close()


def test_many_ask_and_decide_while_a_run_publishes(office: Office):
    """Whoever decided sees it from then on, whichever publication is shown by then."""
    flags = [item for item in office.view.flags if item.row["severity"] != "critical"]

    def work(number: int) -> list[bool]:
        flag, seen = flags[number % len(flags)], []
        for at in range(12):
            decision = ("needs_info", "escalated")[at % 2]
            standing = office.decide(flag, decision)
            shown = office.view.item("flag", flag.id).standing
            seen.append(shown.number >= standing.number)
            row = next(row for row in office.desk.queue().rows if row.flag_id == flag.id)
            seen.append(row.status in ("needs_info", "escalated"))
            office.desk.around(flag.id), office.desk.conflicts(), office.desk.contracts("harbor")
        return seen

    with ThreadPoolExecutor(6) as pool:
        working = [pool.submit(work, number) for number in range(6)]
        for _ in range(3):
            office.read_again()
        assert all(all(one.result()) for one in working)
    assert office.conflicts() == []


def test_what_was_seen_while_a_publication_is_broken(office: Office, caplog: pytest.LogCaptureFixture):
    """The former publication is shown on, and it is said why."""
    before = office.desk.queue().rows
    (office.root / "warehouse.duckdb").write_bytes(b"no catalogue")
    for manifest in (office.root / "manifests").iterdir():
        manifest.write_text("{}")
    assert office.desk.queue().rows == before
    office.desk.settle()
    assert office.desk.queue().rows == before
    assert "former publication" in caplog.text


def test_live_decisions_follow_the_store(office: Office):
    """Whoever starts late knows the same as whoever was there from the beginning."""
    early = Live(office.store)
    early.refresh()
    first = office.override(TERM, "45")
    office.decide(low_flag(office), "confirmed")
    early.refresh()
    office.reviewing.undo(ANN, first.number)
    early.refresh()
    late = Live(office.store)
    late.refresh()
    assert early.standing == late.standing and len(late.standing) == 1
    assert {("term", first.target_id), ("flag", low_flag(office).id)} <= set(early.changed)


def test_a_decision_approved_for_a_later_day_counts_from_then_on(office: Office, monkeypatch):
    office.read_again(changed("flags", {"severity": "low"}, rule_id="R01"))
    flag = office.flag("R01")
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    standing = office.reviewing.confirm_all(ANN, [flag.id], owner="Ann", effective_from=tomorrow)
    request = office.store.requests()[0]
    office.reviewing.approve(BEN, request.number)
    assert standing and flag.name in {row.rule_id for row in office.desk.queue(QueueFilters(state="all")).rows}
    assert office.view.item("flag", flag.id).status == "proposed"
    monkeypatch.setattr("review.live.datetime", Tomorrow)
    monkeypatch.setattr("review.store.datetime", Tomorrow)
    assert flag.name not in {row.rule_id for row in office.desk.queue(QueueFilters(state="all")).rows}
    assert office.view.item("flag", flag.id).status == "confirmed"


class Tomorrow(datetime):
    """A clock that is a day ahead."""

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(days=1)
