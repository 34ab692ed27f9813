"""The parts of the loop by themselves: intervals, anchoring, opinions, calibrations, proposals."""

import random
from datetime import datetime

import pytest

from extractors.learned import SecondOpinion, words
from review.loop.agreement import agreement, anchoring
from review.loop.decided import Decided, same_value
from review.loop.lessons import Lesson
from review.loop.proposals import diff, proposals, with_proposal
from review.loop.sampling import interval, is_audited, is_blind, is_held_back
from review.loop.training import train
from schemas.contract import Citation, EngineInfo, Extraction, Flag, Term
from schemas.learned import Calibration, Learned, LearnedError, Opinion
from schemas.own_playbook import load_own
from schemas.playbook import load_playbooks


def decision(number: int, **more) -> Decided:
    """A decision on R01's flag of a contract of its own."""
    given = {
        "target": "flag",
        "target_id": f"f_{number}",
        "contract_id": f"c_{number}",
        "field": "R01",
        "decision": "rejected",
        "reason_code": "out_of_scope_rule",
        "reviewer": "Rosa",
        "decided_at": datetime(2026, 11, 2),
        "is_blind": False,
        "evidence_hash": "",
        "counterparty": f"Company {number}",
        "value": "60",
    }
    return Decided(**dict.fromkeys(Decided._fields) | given | more)


def test_intervals_are_wilsons():
    assert interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # Wilson 1927, as in R's binom.confint
    assert interval(0, 0) == (0.0, 1.0)


def test_draws_hang_on_the_id_alone_and_have_their_share():
    ids = [f"t_{number:016x}" for number in range(20_000)]
    for draw, share in ((is_blind, 0.05), (is_audited, 0.02), (is_held_back, 0.2)):
        assert sum(map(draw, ids)) / len(ids) == pytest.approx(share, abs=0.005)
        assert [draw(id) for id in ids[:100]] == [draw(id) for id in ids[:100]]


def test_anchoring_is_the_difference_with_its_interval():
    confirmed = {"decision": "confirmed"}
    shown = [decision(n, **confirmed if n < 90 else {}) for n in range(100)]
    blind = [decision(200 + n, is_blind=True, **confirmed if n < 30 else {}) for n in range(50)]
    found = anchoring(shown + blind)
    assert found.difference == 0.3 and 0.1 < found.low < 0.3 < found.high < 0.5
    assert anchoring(shown).difference is None
    rows = {row.value: row for row in agreement(shown + blind, ["shown"])}
    assert (rows["blind"].agreed, rows["shown"].share) == (30, 0.9)


def test_a_blind_answer_that_says_the_same_agrees():
    same = decision(1, target="term", field="payment_terms_days", decision="overridden", value="60", new_value="60.0")
    assert same.agrees and same_value("total_value", "1200", "1200.00") and not same_value("title", "A", None)


def lesson(number: int, text: str, right: int, confidence: float = 0.8) -> Lesson:
    given = (("customer", text), ("none", text))
    what = ("term", "termination_for_convenience", "embedded", f"c_{number}")
    return Lesson(*what, "digital", given, right, confidence)


ORDERS, ALL = (
    "Customer may cancel a single order for convenience",
    "Customer may end the whole agreement for convenience",
)


def test_a_pattern_is_learnt_and_chance_is_not():
    pattern = [lesson(n, (ORDERS, ALL)[n % 2], (1, 0)[n % 2]) for n in range(60)]
    training = train(pattern)
    assert [one.kept for one in training.verdicts] == [True]
    (opinion,) = training.learned.opinions
    assert opinion.values == ("none",) and opinion.instead == {"customer -> none": 30} and opinion.reliability > 0.9
    chance = random.Random(7)
    noise = [lesson(n, (ORDERS, ALL)[n % 2], chance.randrange(2)) for n in range(60)]
    training = train(noise)
    assert training.learned.opinions == () and not any(one.kept for one in training.verdicts)


def test_confidences_follow_agreement_where_enough_decided():
    said = [lesson(n, ALL, int(n % 10 >= 3), 0.9) for n in range(100)]
    (calibration,) = train(said, with_opinions=False).learned.calibrations
    assert calibration.capture_class is None and calibration.decisions == 100
    assert SecondOpinion(Learned(decisions=1, contracts=1, calibrations=(calibration,))).calibrated(
        "term", "termination_for_convenience", "scan", 0.9
    ) == pytest.approx(0.3, abs=0.05)
    assert train(said[:29], with_opinions=False).learned.calibrations == ()


def opinion(**more) -> SecondOpinion:
    given = {
        "target": "term",
        "field": "payment_terms_days",
        "extractor": "embedded",
        "decisions": 20,
        "corrections": 10,
        "vocabulary": ("the", "deposit", "is", "due", "in", "#", "days", "later", "invoices", "are"),
        "weights": {"deposit": -9.0, "later": 9.0},
    }
    return SecondOpinion(Learned(decisions=20, contracts=20, opinions=(Opinion(**given | more),)))


PLACE = Citation(page_number=1, page_end=1, box=(0, 0, 1, 1), char_start=0, char_end=9)
FIRST = Term(
    term="payment_terms_days",
    value="14",
    quote="The deposit is due in 14 days.",
    citation=PLACE,
    evidence="verified",
    confidence=0.8,
)
SECOND = FIRST.model_copy(update={"value": "60", "quote": "Later invoices are due in 60 days."})


def extraction(term: Term, *alternatives: Term) -> Extraction:
    info = EngineInfo(extractor="embedded", model="m")
    return Extraction(engine=info, terms=(term,), alternatives=alternatives)


def test_only_a_proven_place_takes_the_others_place():
    changed = opinion().terms(extraction(FIRST, SECOND))["payment_terms_days"]
    assert (changed.value, changed.quote) == ("60", SECOND.quote) and "it was 14" in changed.learned
    unproven = SECOND.model_copy(update={"evidence": "unverified"})
    left = opinion().terms(extraction(FIRST, unproven))
    assert left == {} or left["payment_terms_days"].value == "14"


def test_other_wordings_and_other_engines_are_left_alone():
    strange = FIRST.model_copy(update={"quote": "Deposit monies become exigible fourteen sunsets hence."})
    assert opinion().terms(extraction(strange, SECOND)) == {}
    assert opinion(extractor="openai").terms(extraction(FIRST, SECOND)) == {}


def test_a_flag_is_doubted_and_stays():
    given = {"target": "flag", "field": "R46", "extractor": None, "reliability": 0.9}
    learned = opinion(**given, vocabulary=("exclusive", "right", "warrants"), weights={"(none)": 9.0})
    raised = Flag(
        rule_id="R46",
        rule_version="1",
        severity="high",
        clause_type="exclusivity",
        found="exclusivity",
        standard="none",
        reason="",
        refs=(),
        quote="warrants exclusive right",
        confidence=0.8,
    )
    (doubted,) = learned.flags([raised])
    assert doubted.status == "proposed" and doubted.confidence == pytest.approx(0.1)
    assert "10 of 20 decisions on R46" in doubted.learned
    settled = raised.model_copy(update={"status": "not_applicable"})
    assert learned.flags([settled]) == [settled]


def test_japanese_is_taken_in_pairs_of_characters():
    assert "独占" in words("独占的な権利") and "#" in words("within 30 days")


def test_steps_of_a_calibration_are_joined_by_lines():
    steps = Calibration(target="flag", field="R01", decisions=40, steps=((0.4, 0.2), (0.8, 0.6)))
    learned = SecondOpinion(Learned(decisions=40, contracts=40, calibrations=(steps,)))
    found = [learned.calibrated("flag", "R01", "digital", confidence) for confidence in (0.1, 0.6, 0.9)]
    assert found == [0.2, 0.4, 0.6]
    assert learned.calibrated("flag", "R02", "digital", 0.9) == 0.9


def values(of: dict[int, float]) -> dict[tuple[str, str], float]:
    return {(f"c_{number}", "payment_terms_days"): days for number, days in of.items()}


def test_a_limit_moves_to_where_people_draw_it(tmp_path):
    days = {n: 50.0 + n for n in range(6)} | {20: 75.0}
    said = [decision(n) for n in range(6)] + [decision(20, decision="confirmed", reason_code=None)]
    (found,) = proposals(said, load_playbooks(), values(days))
    assert found.kind == "limit moved" and found.entry["limits"] == [{"was": 45, "now": 55}]
    before = "# ours\noverrides:\n  - {rule: R48, disabled: true}  # never\n"
    after = with_proposal(before, found, "Ben")
    assert "# ours" in after and "# never" in after and after.count("\n  - ") == 2
    assert diff(before, after, "own.yaml").count("\n+") == 2  # the header and the entry
    file = tmp_path / "own.yaml"
    file.write_text(after, encoding="utf-8")
    assert next(rule for rule in load_own(file).rules if rule.id == "R01").version.endswith("+own")


def test_a_limit_does_not_move_past_flags_that_stand():
    days = {n: 50.0 + n for n in range(6)} | {20: 51.0}
    said = [decision(n) for n in range(6)] + [decision(20, decision="confirmed", reason_code=None)]
    assert proposals(said, load_playbooks(), values(days)) == []


def test_a_counterparty_gets_an_exception_and_its_approver_stands_in_it():
    said = [decision(n, counterparty="Pelican LLC") for n in range(6)] + [decision(20, decision="confirmed")]
    (found,) = proposals(said, load_playbooks(), {})
    assert found.kind == "exception"
    after = with_proposal("", found, "Ben")
    assert "approved_by: Ben" in after and "counterparty: Pelican LLC" in after


def test_what_tells_of_the_reading_proposes_nothing():
    assert proposals([decision(n, reason_code="ocr_error") for n in range(20)], load_playbooks(), {}) == []


def test_a_section_on_one_line_or_a_rule_overridden_already_is_told():
    (found,) = proposals([decision(n) for n in range(20)], load_playbooks(), {})
    assert found.kind == "rule disabled"
    with pytest.raises(LearnedError, match="one line"):
        with_proposal("overrides: []\n", found, "Ben")
    with pytest.raises(LearnedError, match="overrides R01 already"):
        with_proposal("overrides:\n  - {rule: R01, severity: low}\n", found, "Ben")
