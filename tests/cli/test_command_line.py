"""The front door: what a finance user types, and what comes back."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from frontdoor import Done, call_here, run_agent, small_inbox

COUNTS = ("documents", "pages", "edit_marks", "contracts", "terms", "clauses", "flags", "asc606", "chunks")
OURS = {"CONTRACT_AGENT_OUR_ENTITIES": '["Harbor Light Software Inc"]'}


def asked_after_a_run(folder: Path, **environment: str) -> Callable[..., Done]:
    """`contract-agent` over what a run of the inbox landed, for tests that only ask."""

    def ask(*arguments: object) -> Done:
        return call_here(*arguments, **given)

    given = environment | {"CONTRACT_AGENT_HOME": str(folder / "home")}
    assert run_agent("run", small_inbox(folder / "inbox"), **given).code == 0
    return ask


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Done]:
    """A run that knows nothing of who we are."""
    return asked_after_a_run(tmp_path_factory.mktemp("held"))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Done]:
    """A run that knows who we are."""
    return asked_after_a_run(tmp_path_factory.mktemp("ours"), **OURS)


def history(agent) -> dict[str, int]:
    statement = " UNION ALL ".join(f"SELECT '{t}' AS t, count(*) AS n FROM {t}_history" for t in COUNTS)
    return {row["t"]: row["n"] for row in agent("sql", statement, "--format", "json").rows}


def test_run_lands_copies_and_quarantines(agent, inbox):
    done = agent("run", inbox)
    assert done.code == 0, done.err
    summary = done.summary
    assert set(summary) == {
        "run_id", "documents", "contracts", "flags", "quarantined", "duplicates", "pages", "seconds"
    }  # fmt: skip
    assert (summary["documents"], summary["contracts"]) == (3, 1)
    assert (summary["duplicates"], summary["quarantined"]) == (1, 1)
    rows = agent("sql", "SELECT file_name, status, error_code FROM documents ORDER BY 1", "--format", "json").rows
    assert rows == [
        {"file_name": "agreement again.pdf", "status": "duplicate", "error_code": None},
        {"file_name": "agreement.pdf", "status": "landed", "error_code": None},
        {"file_name": "cut.pdf", "status": "quarantined", "error_code": "truncated"},
    ]


def test_terms_are_read_and_proven(ours):
    row = ours("sql", "SELECT * FROM contracts", "--format", "json").rows[0]
    expected = {
        "title": "MASTER SUBSCRIPTION AGREEMENT",
        "contract_type": "msa",
        "counterparty": "Quarry Lane Foods LLC",
        "our_entity": "Harbor Light Software, Inc.",
        "our_role": "seller",
        "effective_date": "2026-03-01",
        "expiration_date": "2029-02-28",
        "signed_date": "2026-02-23",
        "initial_term_months": 36.0,
        "renewal_type": "auto",
        "renewal_term_months": 12.0,
        "renewal_notice_days": 60,
        "notice_deadline": "2028-12-30",
        "termination_for_convenience": "customer",
        "termination_notice_days": 90,
        "governing_law": "New York",
        "currency": "USD",
        "annual_value": 120000,
        "total_value": 360000,
        "payment_terms_days": 60,
        "billing_frequency": "annual",
        "billing_timing": "advance",
        "late_fee_percent_per_month": 1.5,
        "liability_cap_type": "fees_multiple",
        "liability_cap_months": 12.0,
        "fully_executed": True,
    }
    assert {name: row[name] for name in expected} == expected
    unproven = ours(
        "sql",
        "SELECT term FROM terms WHERE value IS NOT NULL AND evidence = 'unverified'",
        "--format",
        "json",
    )
    assert unproven.rows == []
    absent = ours("sql", "SELECT DISTINCT absence FROM terms WHERE value IS NULL", "--format", "json").rows
    assert absent == [{"absence": "not_found"}]


def test_flags_have_reason_reference_and_quotation(ours):
    flags = ours("sql", "SELECT * FROM flags", "--format", "json").rows
    by_rule = {flag["rule_id"]: flag for flag in flags}
    assert "R01" in by_rule and "R19" in by_rule
    assert by_rule["R01"]["severity"] == "medium"  # 60 days: beyond 45, not beyond 60
    assert "60" in by_rule["R01"]["found"] and "sixty (60) days" in by_rule["R01"]["quote"].replace("\n", " ")
    assert all(flag["reason"] and flag["refs"] for flag in flags)
    unknown = ours(
        "sql",
        "SELECT r FROM (SELECT unnest(refs) AS r FROM flags) WHERE r NOT IN (SELECT key FROM evidence_refs)",
        "--format",
        "json",
    )
    assert unknown.rows == []


def test_second_run_adds_nothing(agent_here, inbox):
    agent_here("run", inbox)
    before = history(agent_here)
    again = agent_here("run", inbox)
    assert again.code == 0
    assert again.summary["documents"] == 0
    assert history(agent_here) == before


def test_another_playbook_makes_a_new_version_and_keeps_the_old(agent_here, inbox):
    agent_here("run", inbox)
    agent_here("run", inbox, "--playbook", "nda")
    versions = agent_here(
        "sql", "SELECT version, playbook_version FROM contracts_history ORDER BY 1", "--format", "json"
    )
    assert [row["version"] for row in versions.rows] == [1, 2]
    assert len({row["playbook_version"] for row in versions.rows}) == 2
    latest = agent_here("sql", "SELECT version FROM contracts", "--format", "json").rows
    assert latest == [{"version": 2}]


def test_new_documents_are_found_by_the_next_run(agent_here, inbox):
    agent_here("run", inbox)
    (inbox / "cut.pdf").write_bytes((inbox / "agreement.pdf").read_bytes())
    summary = agent_here("run", inbox).summary
    assert (summary["documents"], summary["duplicates"]) == (1, 1)


def test_business_date(agent_here, inbox):
    agent_here("run", inbox, "--date", "2026-05-04")
    rows = agent_here("sql", "SELECT business_date FROM runs", "--format", "json").rows
    assert rows == [{"business_date": "2026-05-04"}]


def test_the_inbox_may_say_whose_it_is(agent_here, inbox):
    (inbox / "contract-agent.toml").write_text('our_entities = ["Quarry Lane Foods, LLC"]\n')
    assert agent_here("run", inbox).summary["documents"] == 3
    row = agent_here("sql", "SELECT our_role, counterparty FROM contracts", "--format", "json").rows[0]
    assert row == {"our_role": "buyer", "counterparty": "Harbor Light Software, Inc."}


def test_an_unknown_side_is_said(held):
    assert held("sql", "SELECT our_role, counterparty FROM contracts", "--format", "json").rows == [
        {"our_role": None, "counterparty": None}
    ]
    rules = {row["rule_id"] for row in held("sql", "SELECT rule_id FROM flags", "--format", "json").rows}
    assert "M05" in rules and "R01" not in rules


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("run", "nowhere"), "no_inbox", "nowhere"),
        (("run", ".", "--extractor", "openai"), "extractor_unavailable", "OPENAI_API_KEY"),
        (("run", ".", "--playbook", "none-such"), "playbook", "revenue"),
        (("sql", "SELECT 1"), "no_warehouse", "contract-agent run"),
        (("brief",), "no_warehouse", "contract-agent run"),
    ],
)
def test_errors_name_the_next_move(agent, tmp_path, arguments, code, says):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = agent(*(empty if argument == "." else argument for argument in arguments))
    assert done.code == 1
    assert f"[{code}]" in done.err and says in done.err
    assert "Traceback" not in done.err


def test_a_setting_that_can_not_be_used_is_named(agent, inbox):
    done = agent("run", inbox, CONTRACT_AGENT_MAX_PAGES="many")
    assert done.code == 1
    assert "[settings]" in done.err and "max_pages" in done.err


@pytest.mark.parametrize("statement", ["DROP VIEW contracts", "COPY contracts TO 'x.csv'", "SELECT 1; SELECT 2"])
def test_only_reading_is_allowed(held, statement):
    done = held("sql", statement)
    assert done.code == 1 and "[query_refused]" in done.err


def test_no_progress_is_drawn_between_rows(held):
    shown = held("sql", "SELECT current_setting('enable_progress_bar') AS shown", "--format", "json").rows
    assert shown == [{"shown": False}]


def test_formats(held):
    statement = "SELECT file_name, page_count FROM documents WHERE status = 'landed'"
    table = held("sql", statement)
    assert "agreement.pdf" in table.out and "1 row" in table.out
    rows = list(csv.DictReader(io.StringIO(held("sql", statement, "--format", "csv").out)))
    assert rows == [{"file_name": "agreement.pdf", "page_count": "1"}]


def test_every_question_answers_without_parameters(held):
    lines = held("query", "--list").out.strip().splitlines()
    assert len(lines) >= 10
    for name in (line.split()[0] for line in lines[:4]):  # all of them are run in tests/warehouse
        assert held("query", name).code == 0
    late = held("query", "long_payment_terms", "days=59", "--format", "json").rows
    assert len(late) == 1
    assert held("query", "long_payment_terms", "days=60", "--format", "json").rows == []
    wrong = held("query", "long_payment_termz")
    assert wrong.code == 1 and "long_payment_terms" in wrong.err


def test_brief_and_workbook(ours, tmp_path):
    brief = ours("brief").out
    assert "cut.pdf" in brief and "R19" in brief
    assert ours("export", tmp_path / "morning.xlsx").code == 0
    with zipfile.ZipFile(tmp_path / "morning.xlsx") as book:
        names = book.read("xl/workbook.xml").decode()
    assert all(sheet in names for sheet in ("Brief", "Queue", "Contracts", "Non-standard", "Sources"))
    assert ours("export", tmp_path / "nowhere" / "morning.xlsx").code == 1


def test_backfill_modes(agent_here, inbox):
    agent_here("run", inbox)
    before = history(agent_here)
    assert agent_here("backfill", "--mode", "failed", "--dry-run").summary["documents"] == 1
    assert agent_here("backfill", "--mode", "missing").summary["documents"] == 0
    assert agent_here("backfill", "--mode", "stale").summary["documents"] == 0
    assert history(agent_here) == before
    everything = agent_here("backfill", "--mode", "all", "--from-stage", "flag").summary
    assert everything["documents"] == 3
    tomorrow = date.today().replace(year=date.today().year + 1).isoformat()
    assert agent_here("backfill", "--mode", "all", "--from", tomorrow, "--dry-run").summary["documents"] == 0
    contract = agent_here("sql", "SELECT contract_id, version FROM contracts", "--format", "json").rows[0]
    assert contract["version"] == 2
    one = agent_here("backfill", "--mode", "all", "--contract-id", contract["contract_id"], "--dry-run").summary
    assert one["documents"] == 2  # the original and its copy


def test_doctor_finds_the_engines(agent):
    done = agent("doctor")
    assert done.code == 0, done.out
    assert "Tesseract data jpn" in done.out and "our_entities" in done.out
