"""`playbook`, `compare`, `diff`, `summary` and the calendar, as a reviewer uses them."""

import json
from pathlib import Path

import pytest
from frontdoor import AGREEMENT, write_pdf
from icalendar import Calendar

OURS = {"CONTRACT_AGENT_OUR_ENTITIES": json.dumps(["Harbor Light Software, Inc."])}
OWN = """overrides:
  - {rule: R01, limits: [{was: 45, now: 60}]}
  - {rule: R19, severity: medium}
rules:
  - id: X01
    version: "1"
    title: Governing law
    section: ACME-9
    clause: governing_law
    standard: Delaware
    fallback: Ohio
    references: [PB-5.1]
    when:
      - if: {term: governing_law, is_not: [Delaware, Ohio]}
        severity: low
        found: law of {found}
        reason: The law of {found} governs.
exceptions:
  - {rule: R19, counterparty: Quarry Lane Foods LLC, approved_by: M. Ito, reason: strategic, until: 2027-12-31}
"""


@pytest.fixture
def held(tmp_path: Path, agent_here):
    """A warehouse with one agreement, and a way to run commands on it."""
    write_pdf(tmp_path / "inbox" / "agreement.pdf", AGREEMENT)
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")

    def run(*arguments: object):
        return agent_here(*arguments, "--warehouse", tmp_path / "wh", **OURS)

    assert run("run", tmp_path / "inbox").code == 0
    return run


def flags(held) -> dict[str, tuple[str, str]]:
    rows = held("sql", "SELECT rule_id, severity, status FROM flags", "--format", "json").rows
    return {row["rule_id"]: (row["severity"], row["status"]) for row in rows}


def test_a_playbook_of_ones_own_is_tried_before_it_is_adopted(held, tmp_path):
    before = flags(held)
    assert before["R01"] == ("medium", "proposed")
    tried = held("playbook", "backtest", tmp_path / "own.yaml", "--format", "json")
    changes = {row["rule_id"]: row["change"] for row in tried.rows}
    assert changes == {"R01": "gone", "R19": "changed", "X01": "new"}
    assert "1 contracts judged: 1 new, 1 gone, 1 changed." in tried.err
    assert flags(held) == before  # nothing was written
    assert held("run", tmp_path / "inbox", "--playbook", tmp_path / "own.yaml").code == 0
    after = flags(held)
    assert "R01" not in after
    assert (after["R19"], after["X01"]) == (("medium", "not_applicable"), ("low", "proposed"))
    causes = held(
        "sql", """SELECT DISTINCT cause FROM changes_since_last_run WHERE "table" = 'flags'""", "--format", "json"
    )
    assert [row["cause"] for row in causes.rows] == ["rule_change"]


def test_an_exception_names_who_approved_it(held, tmp_path):
    held("run", tmp_path / "inbox", "--playbook", tmp_path / "own.yaml")
    reason = held("sql", "SELECT reason FROM flags WHERE rule_id = 'R19'", "--format", "json").rows[0]["reason"]
    assert "Exception approved by M. Ito until 2027-12-31: strategic." in reason


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("overrides:\n  - {rule: R01, limits: [{was: 44, now: 60}]}\n", 2, "R01 has no limit of 44"),
        ("overrides:\n  - {rule: R99}\n", 2, "there is no rule R99"),
        ("rules:\n  - id: X01\n    titel: Law\n", 2, "version"),
        ("rules:\n  - id: R01\n    version: '1'\n", 2, ""),
        ("exceptions:\n  - {rule: R19, approved_by: me, reason: so}\n", 2, "contract_id or a counterparty"),
        ("overrides:\n  - rule: R01\n   disabled: [\n", 3, ""),
        ("mine: 1\n", 1, "mine"),
    ],
)
def test_a_bad_playbook_is_refused_with_its_line(text, line, problem, tmp_path, agent_here):
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    done = agent_here("playbook", "check", file)
    assert done.code == 1
    assert f"bad.yaml, line {line}: " in done.err
    assert problem in done.err
    assert len(done.err.strip().splitlines()) == 2  # what is wrong, and what to do


def test_terms_side_by_side(held, tmp_path):
    other = write_pdf(tmp_path / "other" / "other.pdf", AGREEMENT.replace("sixty (60) days of", "thirty (30) days of"))
    done = held("compare", "agreement.pdf", other, "--terms", "payment_terms_days,governing_law", "--format", "json")
    assert [row["term"] for row in done.rows] == ["payment_terms_days", "governing_law"]
    first = done.rows[0]
    assert (first["agreement.pdf"], first["other.pdf"], first["other.pdf (page)"]) == ("60", "30", 1)
    assert "thirty (30) days" in first["other.pdf (quote)"]


@pytest.mark.parametrize("arguments", [("compare", "nothing.pdf", "agreement.pdf"), ("summary", "nothing.pdf")])
def test_what_is_not_there_is_said(arguments, held):
    done = held(*arguments)
    assert done.code == 1
    assert "nothing.pdf" in done.err
    assert "Traceback" not in done.err


def test_an_unknown_term_is_said(held):
    assert "There is no term price." in held("compare", "agreement.pdf", "agreement.pdf", "--terms", "price").err


def test_a_redline_says_what_it_means(tmp_path, agent_here):
    old = write_pdf(tmp_path / "old.pdf", AGREEMENT.replace("sixty (60) days of the", "thirty (30) days of the"))
    new = write_pdf(tmp_path / "new.pdf", AGREEMENT)
    done = agent_here("diff", old, new, "--html", tmp_path / "redline.html", **OURS)
    assert done.code == 0
    assert "changed" in done.out
    assert "R01" in done.out  # 60 days are beyond our position, 30 were not
    page = (tmp_path / "redline.html").read_text(encoding="utf-8")
    assert "<del>" in page and "<ins>" in page and "<script" not in page
    same = agent_here("diff", old, old, "--format", "json", **OURS)
    assert same.rows == []


def test_one_contract_on_a_page(held):
    page = held("summary", "agreement.pdf").out
    assert "Invoices are due after 60 days. (page 1:" in page
    assert "R19" in page
    assert "no legal advice" in page


def test_the_calendar_has_the_deadlines(held, tmp_path):
    assert held("export", tmp_path / "dates.ics").code == 0
    events = Calendar.from_ical((tmp_path / "dates.ics").read_bytes()).walk("VEVENT")
    said = {str(event["summary"]).split(":")[0]: event["dtstart"].dt.isoformat() for event in events}
    assert said["Contract period ends"] == "2029-02-28"
    assert said["Last day to give notice"] == "2028-12-29"  # 30 December is a Saturday
    assert held("export", tmp_path / "no" / "dates.ics").code == 1
