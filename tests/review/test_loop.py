"""The loop through the front door: decisions on systematic errors, what they teach, and what may not be adopted."""

import json
from collections import Counter
from pathlib import Path

import pytest
from loop_rounds import Round, first_night

from benchmarks.loop import FOLLOWS, RULE, TERMS, _decisions, _state, agreements
from review.loop.decided import decided
from review.loop.sampling import is_held_back
from schemas.learned import Learned, Opinion, save
from schemas.playbook import load_playbooks
from schemas.tables import TABLE_BY_NAME
from warehouse.decisions import take
from warehouse.history import record
from warehouse.read import query

CONTRACTS = 48


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """A warehouse on which the reviewer has decided; the tests change copies of it."""
    one = first_night(tmp_path_factory.mktemp("loop") / "round", CONTRACTS)
    taken = take(one.warehouse, list(_decisions(one.warehouse, one.truth)))
    assert taken.landed > 100 and not taken.refusals
    return one


@pytest.fixture(scope="module")
def learnt(reviewed: Round, tmp_path_factory: pytest.TempPathFactory) -> Round:
    """The same after Ada learnt from the decisions and Ben adopted it, before the next run."""
    one = reviewed.copy(tmp_path_factory.mktemp("learnt") / "round")
    done = one("learn", "train", "--by", "Ada")
    assert done.code == 0, done.err
    adopted = one.adopt(one.versions()[0], "Ben")
    assert adopted.code == 0, adopted.err
    return one


@pytest.fixture
def own(reviewed: Round, tmp_path: Path) -> Round:
    return reviewed.copy(tmp_path / "round")


def test_agreement_is_told_by_field_and_engine(reviewed: Round):
    rows = reviewed("learn", "agreement", "--by", "field", "--by", "rule", "--format", "json").rows
    said = Counter((one.field, one.agrees) for one in decided(reviewed.warehouse))
    for row in rows:
        assert row["agreed"] == said[row["value"], True] and row["decisions"] > row["agreed"]
        assert row["low"] < row["share"] < row["high"]
    assert {row["value"] for row in rows} == {*TERMS, RULE}
    engines = reviewed("learn", "agreement", "--by", "engine", "--format", "json").rows
    assert [row["value"].split()[0] for row in engines] == ["embedded"]


def test_an_unknown_kind_of_agreement_is_refused(reviewed: Round):
    done = reviewed("learn", "agreement", "--by", "colour")
    assert done.code == 1 and "Error [settings]" in done.err and "capture_class" in done.err


def test_the_next_run_agrees_more_and_nothing_falls(learnt: Round, reviewed: Round):
    before = _state(reviewed.warehouse)
    summary = learnt.run().summary
    after = _state(learnt.warehouse)
    assert summary["documents"] == CONTRACTS
    held_back = {id: one for id, one in learnt.truth.items() if is_held_back(id)}
    for row in agreements(held_back, before, after):
        assert row["items"] > 5 and row["after"] > row["before"] and row["after"] >= 0.9, row
    touched = {*TERMS, FOLLOWS}
    for id, term in before.terms.items():
        assert after.terms[id] == term or term["term"] in touched
    assert before.flags.keys() == after.flags.keys()
    for id, flag in before.flags.items():
        assert {**after.flags[id], "learned": None} == flag
    assert learnt.run().summary["documents"] == 0


def test_what_was_learnt_says_why_and_is_quoted_and_named(learnt: Round):
    learnt.run()
    version = learnt.versions()[0]
    sql = """SELECT term, t.value, t.quote, t.evidence, t.learned, t.model, p.text FROM terms t
        JOIN pages p USING (document_id, page_number) WHERE t.learned IS NOT NULL"""
    rows = query(learnt.warehouse, sql)[1]
    assert {row[0] for row in rows} == set(TERMS)
    for _, value, quote, evidence, why, model, page in rows:
        assert " ".join(quote.split()) in " ".join(page.split())
        assert evidence == "verified" and "decisions on" in why and value in why
        assert model.endswith(f"+{version}")
    ((count, highest, status),) = query(
        learnt.warehouse,
        "SELECT count(*), max(confidence), any_value(status) FROM flags WHERE learned IS NOT NULL",
    )[1]
    assert count > 10 and highest < 0.2 and status == "proposed"


def test_who_learnt_it_may_not_adopt_it(own: Round):
    assert own("learn", "train", "--by", "Ada").code == 0
    done = own.adopt(own.versions()[0], "ADA")
    assert done.code == 1 and "Error [second_person]" in done.err
    assert own.run().summary["documents"] == 0


def test_what_makes_anything_worse_is_not_adopted(own: Round):
    always_none = Opinion(
        target="term",
        field=TERMS[0],
        extractor="embedded",
        decisions=50,
        corrections=40,
        values=("none",),
        vocabulary=("terminate", "customer", "may", "this", "agreement", "for", "convenience", "upon", "notice"),
        weights={"none": 9.0},
    )
    bad = Learned(decisions=50, contracts=50, opinions=(always_none,))
    save(own.home, bad)
    record(own.warehouse, "learnt", bad.version, "Ada", "by hand")
    done = own.adopt(bad.version, "Ben")
    assert done.code == 1 and "Error [got_worse]" in done.err and "on gold" in done.err and "held back" in done.err
    rows = json.loads(done.out)
    assert {row["where"] for row in rows} == {"gold", "held back"}  # before and after are shown all the same
    assert own.run().summary["documents"] == 0


def test_a_changed_file_is_not_used(own: Round):
    assert own("learn", "train", "--by", "Ada").code == 0
    file = own.home / "learned" / f"{own.versions()[0]}.json"
    file.write_text(file.read_text().replace('"decisions": ', '"decisions": 1', 1))
    done = own.adopt(own.versions()[0], "Ben")
    assert done.code == 1 and "Error [learned]" in done.err


def test_withdrawn_it_counts_no_longer(learnt: Round, reviewed: Round, tmp_path: Path):
    own = learnt.copy(tmp_path / "round")
    own.run()
    frozen = own("learn", "cases")
    assert frozen.code == 0 and "cases added" in frozen.out
    assert own("benchmark", "cases").code == 0
    assert own("learn", "withdraw", "--by", "Ben", "--reason", "trial is over").code == 0
    regressed = own("benchmark", "cases")
    assert regressed.code == 1 and regressed.summary["regressions"] > 15 and regressed.summary["not_kept"] == 0
    own.run()
    assert _state(own.warehouse) == _state(reviewed.warehouse)
    again = own("learn", "withdraw", "--by", "Ben", "--reason", "again")
    assert again.code == 1 and "Error [nothing_learnt]" in again.err


def test_without_decisions_nothing_is_learnt(tmp_path: Path):
    """Six contracts are too few for any opinion or calibration."""
    few = first_night(tmp_path / "few", 6)
    assert take(few.warehouse, list(_decisions(few.warehouse, few.truth))).landed > 15
    done = few("learn", "train", "--by", "Ada")
    assert done.code == 1 and "Error [nothing_learnt]" in done.err
    assert few.versions() == []


def test_cases_hold_no_words_of_the_contract_and_go_when_it_is_forgotten(own: Round):
    own("learn", "cases")
    examples = own("learn", "examples", "--by", "Ada").rows
    approved = own("learn", "examples", "--approve", examples[0]["example_id"], "--approver", "Ben")
    assert approved.code == 0, approved.err
    folder = own.home / "learned"
    assert "payable" not in (folder / "cases.json").read_text()
    gone = examples[0]["contract_id"]
    assert gone in (folder / "cases.json").read_text() and gone in (folder / "examples.json").read_text()
    assert own("forget", gone, "--by", "Ada", "--reason", "asked to").code == 0
    assert own("forget", gone, "--approve", "--by", "Ben").code == 0
    assert gone not in (folder / "cases.json").read_text() and gone not in (folder / "examples.json").read_text()
    assert own("learn", "cases").out.startswith("0 cases added, 0 removed")


def test_examples_are_redacted_never_of_what_measures_and_approved_by_another(own: Round):
    examples = own("learn", "examples", "--by", "Ada").rows
    names = [row[0] for row in query(own.warehouse, "SELECT value FROM terms WHERE term = 'parties'")[1]]
    assert len(examples) > 5
    for example in examples:
        assert not is_held_back(example["contract_id"])
        assert example["quote"] in example["passage"]
        assert not any(name in example["passage"] for name in names)
    done = own("learn", "examples", "--approve", examples[0]["example_id"], "--approver", "ada")
    assert done.code == 1 and "Error [second_person]" in done.err
    none = own("learn", "examples", "--benchmark", own.folder / "inbox")
    assert none.rows == []


def test_a_rule_that_is_always_rejected_is_proposed_to_be_disabled_with_its_backtest(own: Round):
    flags = [row for row in _state(own.warehouse).flags.values() if row["rule_id"] == RULE]
    said = [one.model_copy(update={"reviewer": "Sam"}) for one in _decisions(own.warehouse, own.truth)]
    against = {"decision": "rejected", "reason_code": "out_of_scope_rule"}
    taken = take(own.warehouse, [one.model_copy(update=against) for one in said if one.target == "flag"])
    assert taken.landed == len(flags)
    shown = own("learn", "proposals", "--by", "Ada")
    assert shown.code == 0, shown.err
    assert "+  - {rule: R46, disabled: true}" in shown.out
    assert f"Backtest: {CONTRACTS} contracts judged, flags: 0 new, {len(flags)} gone, 0 changed" in shown.out
    proposal_id = shown.out.split()[0]
    assert own("learn", "proposals", "--approve", proposal_id, "--approver", "Ada").code == 1
    approved = own("learn", "proposals", "--approve", proposal_id, "--approver", "Ben")
    assert approved.code == 0, approved.err
    file = own.home / "learned" / "playbook.yaml"
    assert RULE not in {rule.id for rule in load_playbooks(str(file)).rules}
    audit = query(own.warehouse, "SELECT action, actor, approver FROM audit ORDER BY number")[1]
    assert audit[-1] == ("playbook_approved", "Ada", "Ben")


def test_the_columns_that_the_loop_reads_are_there():
    wanted = {"approver", "event_number", "seconds", "keystrokes", "is_blind", "batch"}
    assert wanted <= set(TABLE_BY_NAME["reviews"].columns)
