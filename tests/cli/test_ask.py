"""`contract-agent ask` without a model, and `query --explain`: which question is taken, and what is refused."""

import json
from pathlib import Path

import pytest
from frontdoor import AGREEMENT, call_here, write_pdf

from benchmarks.ask import HALVES, asked, measure
from benchmarks.question_page import PAGE, head
from warehouse.ask import ask_offline
from warehouse.described import described
from warehouse.questions import explained, questions


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Path:
    """A warehouse with one agreement, whose invoices are due after sixty days."""
    folder = tmp_path_factory.mktemp("asked")
    write_pdf(folder / "inbox" / "agreement.pdf", AGREEMENT)
    ours = '["Harbor Light Software Inc"]'
    done = call_here("run", folder / "inbox", CONTRACT_AGENT_HOME=str(folder), CONTRACT_AGENT_OUR_ENTITIES=ours)
    assert done.code == 0, done.err
    return folder / "warehouse"


def test_the_nearest_question_answers_and_says_which_it_is(agent_here, warehouse):
    done = agent_here("ask", "who", "pays us later than 45 days", "--warehouse", warehouse)
    assert done.code == 0, done.err
    assert "Question: Which have payment terms beyond 60 days?" in done.out
    assert "The same again: contract-agent query long_payment_terms days=45" in done.out
    assert "1 row" in done.out
    assert 'agreement.pdf, page 1: "' in done.out.split("Stands in:")[1]


def test_rows_alone_go_to_standard_output_for_a_program(agent_here, warehouse):
    done = agent_here("ask", "who pays us later than 45 days", "--format", "json", "--warehouse", warehouse)
    assert [row["payment_terms_days"] for row in done.rows] == [60]
    assert "long_payment_terms days=45" in done.err


def test_what_no_question_answers_is_refused_with_the_nearest(agent_here, warehouse):
    done = agent_here("ask", "which agreements have a data protection addendum", "--warehouse", warehouse)
    assert done.code == 1
    assert done.out == ""
    assert "[no_near_question]" in done.err and "price_protection" in done.err
    assert "contract-agent search" in done.err


def test_far_questions_are_not_shown(agent_here, warehouse):
    done = agent_here("ask", "translate the first contract into French", "--warehouse", warehouse)
    assert done.code == 1
    assert "query --list" in done.err and "The nearest are" not in done.err


def test_many_rows_are_cut(agent_here, warehouse):
    done = agent_here("ask", "explain the flags", "--rows", "1", "--format", "json", "--warehouse", warehouse)
    assert len(done.rows) == 1
    assert "Cut at --rows 1" in done.err


def test_a_query_explains_itself(agent_here):
    shown = agent_here("query", "billing_differences", "--explain").out
    assert "34. Where does the billing system" in shown
    assert "billing=FILE.csv" in shown and "start_date DATE" in shown and "SELECT " in shown
    assert "days=60  longest term that is still fine" in agent_here("query", "long_payment_terms", "--explain").out


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.name)
def test_every_question_has_other_wordings_and_finds_itself(question):
    assert question.also
    found = ask_offline(question.question)
    assert found.taken == question
    assert "-- " not in explained(question).split("\n\n")[0]


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("what renews next quarter", "renewals_ahead days=90"),
        ("top five oldest flags", "oldest_unreviewed rows=5"),
        ("liability over EUR 2m", "high_liability amount=2000000"),
        ("liability over $1.5 million", "high_liability amount=1500000"),
        ("vendor price increases above three percent", "vendor_price_increases percent=3.0"),
        ("payment terms of at least 90 days", "long_payment_terms days=89"),
        ("record as of March 1st, 2026", "record_as_of date=2026-03-01"),
        ("contracts not in pounds", "foreign_currency currency=GBP"),
        ("contracts that are not in EUR", "foreign_currency currency=EUR"),
        ("libility without cap", "high_liability"),
    ],
)
def test_figures_become_parameters(words, command):
    assert ask_offline(words).command == f"contract-agent query {command}"


@pytest.mark.parametrize(
    "words",
    [
        "payment terms under 30 days",
        "renewals in more than 90 days",
        "which don't have a change of control clause",
        "which contracts are not exclusive",
        "how do I change the playbook",
        "what is our revenue this year",
        "hello",
    ],
)
def test_the_opposite_and_what_is_not_asked_of_rows_is_never_answered(words):
    assert ask_offline(words).taken is None


def test_figures_without_a_place_are_told():
    found = ask_offline("most favoured nation clauses of 2027")
    assert found.taken.name == "price_protection"
    assert "2027" in found.unused


def test_the_measured_wordings_are_understood():
    wrong: list[str] = []
    for half in ("tuning", "testing", "second"):
        score = measure(half, wrong)
        assert score.asked >= 45 and score.answered_wrong == 0, wrong
        assert score.top_1 >= 0.95 and score.answered_right >= 0.9 and score.refused >= 0.9, wrong


def test_words_that_were_not_tuned_to_are_mostly_understood():
    score = measure("unseen", [])
    assert (score.asked, score.foreign) == (90, 30)
    assert score.top_1 >= 0.85 and score.answered_wrong <= 0.05 and score.refused >= 0.8


def test_every_question_is_measured_by_each_set():
    for half in HALVES:
        assert {each.name for each in asked() if each.half == half and each.name} == {q.name for q in questions()}


def test_the_benchmark_prints_a_table_and_json(agent_here):
    done = agent_here("benchmark", "ask")
    assert done.code == 0, done.err
    assert [half["half"] for half in json.loads(done.out.splitlines()[-1])] == list(HALVES)


def test_the_description_holds_no_values(warehouse):
    told = described(warehouse)
    assert "contracts: One row a contract" in told
    assert "governing_law VARCHAR (Which law governs?)" in told
    assert "_history:" not in told
    for value in ("Quarry Lane", "New York", "agreement.pdf"):
        assert value not in told


def test_the_page_of_questions_is_of_their_present_sql():
    text = PAGE.read_text(encoding="utf-8")
    old = [question.name for question in questions() if head(question) not in text]
    assert not old, "contract-agent benchmark question_page writes it anew"
    assert text.count("\n## ") == len(questions())
