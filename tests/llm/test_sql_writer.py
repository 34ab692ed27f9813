"""`contract-agent ask --extractor openai` against the fake server: SQL that a model writes, checked and limited."""

import json
import sqlite3
import time
from pathlib import Path

import pytest
from frontdoor import AGREEMENT, call_here, write_pdf
from server import FakeServer, Fault

ENDLESS = "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"
CITING = """SELECT c.contract_id, c.governing_law, t.document_id, t.page_number, t.quote FROM contracts c
JOIN terms t ON t.contract_id = c.contract_id AND t.term = 'governing_law'"""


def written(sql: str, explanation: str = "What was asked.") -> dict:
    return {"cannot": False, "sql": sql, "explanation": explanation, "why": None}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Path:
    """A warehouse with one agreement."""
    folder = tmp_path_factory.mktemp("asked")
    write_pdf(folder / "inbox" / "agreement.pdf", AGREEMENT)
    ours = '["Harbor Light Software Inc"]'
    done = call_here("run", folder / "inbox", CONTRACT_AGENT_HOME=str(folder), CONTRACT_AGENT_OUR_ENTITIES=ours)
    assert done.code == 0, done.err
    return folder / "warehouse"


@pytest.fixture
def ask(agent_here, warehouse, server: FakeServer):
    """`ask` with a key and the fake server, which writes these statements one after the other."""

    def run(words: str, *statements: str | dict, arguments: tuple = (), **more: str):
        answers = [each if isinstance(each, dict) else written(each) for each in statements]
        server.answer = lambda body: answers.pop(0)
        key = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": server.url}
        return agent_here("ask", words, "--extractor", "openai", "--warehouse", warehouse, *arguments, **key | more)

    return run


def test_sql_rows_and_citations_are_shown(ask, server):
    done = ask("which law governs our deals", CITING)
    assert done.code == 0, done.err
    assert "SQL: SELECT c.contract_id" in done.out and "That is: What was asked." in done.out
    assert "New York" in done.out and "1 row" in done.out
    assert 'agreement.pdf, page 1: "' in done.out.split("Stands in:")[1]
    assert "Sent to 127.0.0.1: your question and the names of tables and columns, no rows" in done.out


def test_no_row_and_no_contract_text_leaves(ask, server):
    assert ask("what is our paper", CITING).code == 0
    body = server.calls[0].body
    sent = json.dumps(body)
    assert body["store"] is False and body["text"]["format"]["strict"] is True
    assert "what is our paper" in sent and "payment_terms_days" in sent and "nonstandard_terms" in sent
    for told in ("Quarry Lane", "Harbor Light", "agreement.pdf", "120,000", "New York"):
        assert told not in sent


def test_what_left_is_in_the_ledger_and_not_paid_twice(ask, server, warehouse):
    assert ask("how many contracts", "SELECT count(*) AS n FROM contracts").code == 0
    again = ask("how many contracts")
    assert again.code == 0 and "Nothing was sent" in again.out
    assert len(server.calls) == 1
    with sqlite3.connect(warehouse / "work" / "requests.sqlite") as ledger:
        bodies = ledger.execute("SELECT host, outcome FROM attempts WHERE bytes > 0 AND run_id LIKE 'ask-%'").fetchall()
    ledger.close()
    assert ("127.0.0.1", "answered") in bodies


def test_other_servers_are_asked_by_chat(ask, server):
    done = ask("count by chat", "SELECT count(*) AS n FROM contracts", CONTRACT_AGENT_OPENAI_API="chat")
    assert done.code == 0, done.err
    assert server.calls[0].path == "/v1/chat/completions"


REFUSED = {
    "drop": "DROP VIEW contracts",
    "copy": "COPY (SELECT 1) TO '/tmp/stolen.csv'",
    "attach": "ATTACH '/tmp/other.duckdb'",
    "pragma": "PRAGMA show_tables",
    "set": "SET memory_limit = '100GB'",
    "explain": "EXPLAIN ANALYZE SELECT count(*) FROM contracts",
    "two": "SELECT 1; DROP VIEW contracts",
    "hidden": "SELECT 1;\n-- harmless\nDELETE FROM contracts",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_anything_but_a_select_is_refused(kind, ask, server):
    done = ask(f"please {kind}", REFUSED[kind])
    assert done.code == 1
    assert "[query_refused]" in done.err
    assert len(server.calls) == 1  # no second chance


@pytest.mark.parametrize(
    "source",
    ["read_csv('/etc/passwd')", "read_parquet('/etc/*')", "glob('/etc/*')"],
)
def test_no_other_file_is_read(source, ask, server):
    done = ask(f"read {source}", f"SELECT * FROM {source}", f"SELECT * FROM {source}")
    assert done.code == 1
    assert "[query]" in done.err and "disabled" in done.err
    assert "root:" not in done.out + done.err
    assert "/etc" not in json.dumps(server.calls[1].body).replace(f"read {source}", "").replace(f"FROM {source}", "")


def test_an_endless_statement_is_stopped(ask):
    begun = time.monotonic()
    done = ask("count to infinity", ENDLESS, arguments=("--seconds", "1"))
    assert done.code == 1
    assert "[query_limit]" in done.err and "after 1 seconds" in done.err
    assert time.monotonic() - begun < 30


def test_a_million_rows_are_cut(ask):
    done = ask("very many rows", "SELECT * FROM range(1000000)", arguments=("--format", "json"))
    assert len(done.rows) == 200
    assert "Cut at --rows 200" in done.err


def test_a_failing_statement_is_asked_for_once_more(ask, server):
    done = ask("which titles", "SELECT titel FROM contracts", "SELECT title FROM contracts")
    assert done.code == 0, done.err
    assert "MASTER SUBSCRIPTION AGREEMENT" in done.out
    assert "titel" in json.dumps(server.calls[1].body) and "Binder Error" in json.dumps(server.calls[1].body)


def test_a_second_failure_is_the_end(ask, server):
    done = ask("which names", "SELECT nome FROM contracts", "SELECT nama FROM contracts")
    assert done.code == 1
    assert "[query]" in done.err and "nama" in done.err
    assert len(server.calls) == 2


def test_no_value_goes_back_with_an_error(ask, server):
    done = ask("titles as numbers", "SELECT title::INTEGER FROM contracts", "SELECT 1 AS n")
    assert done.code == 0, done.err
    assert "MASTER SUBSCRIPTION AGREEMENT" in done.out  # the person sees why it failed
    assert "MASTER SUBSCRIPTION" not in json.dumps(server.calls[1].body)


def test_the_model_may_say_that_it_cannot(ask):
    cannot = {"cannot": True, "sql": None, "explanation": None, "why": "There are no scores of matches."}
    done = ask("who won the match with payment terms", cannot)
    assert done.code == 1
    assert "[cannot_answer]" in done.err and "no scores" in done.err


@pytest.mark.parametrize(
    ("kind", "days"), [("500", 41), ("401", 42), ("refusal", 43), ("prose", 44), ("extra_key", 45)]
)
def test_where_the_provider_fails_the_nearest_question_answers(kind, days, ask, server):
    server.faults += [Fault(kind)] * 4
    more = {"CONTRACT_AGENT_OPENAI_ATTEMPTS": "2"}
    done = ask(f"who pays us later than {days} days", *["SELECT 1 AS n"] * 4, **more)
    assert done.code == 0, done.err
    assert "The nearest named question answers instead." in done.out
    assert f"contract-agent query long_payment_terms days={days}" in done.out


def test_a_host_that_is_not_allowed_gets_nothing(ask):
    done = ask("who pays us later than 50 days", OPENAI_BASE_URL="http://192.0.2.1/v1")
    assert done.code == 0
    assert "host_not_allowed" in done.out and "days=50" in done.out and "Sent to" not in done.out


def test_without_a_key_nothing_is_asked(agent_here, warehouse):
    done = agent_here("ask", "which law", "--extractor", "openai", "--warehouse", warehouse)
    assert done.code == 1
    assert "[extractor_unavailable]" in done.err


def test_numbers_of_persons_stay_here(ask, server):
    words = "where is the number 123-45-6789 of a person's SSN 123-45-6789"
    done = ask(words, "SELECT 1 AS n", CONTRACT_AGENT_OPENAI_REDACT="true")
    assert done.code == 0, done.err
    assert "123-45-6789" not in json.dumps(server.calls[0].body)
