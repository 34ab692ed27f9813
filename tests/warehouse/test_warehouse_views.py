"""What the morning views and the named questions say."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import duckdb
import pytest
from dateutil.relativedelta import relativedelta
from landing_samples import DAY, batch, filed, land_numbers, land_run

from schemas.errors import QueryError
from warehouse.catalogue import VIEW_FOLDER
from warehouse.lake import Linked
from warehouse.questions import ask, questions
from warehouse.read import query
from warehouse.rows import document_rows

TODAY = DAY + timedelta(days=1)
"""The business date of the second run, and of those that nothing is compared with."""


def test_changes(small: Path):
    land_run(small, "r2", [batch(1, "r2", 2, payment_terms_days="45"), batch(9, "r2")], business_date=TODAY)
    sql = 'SELECT contract_id, "table", field, old_value, new_value, cause FROM changes_since_last_run'
    assert query(small, sql)[1] == [
        ("c_0000000000000001", "flags", "R01", "high: 60", "high: 45", "re_extraction"),
        ("c_0000000000000001", "terms", "payment_terms_days", "60", "45", "re_extraction"),
        ("c_0000000000000009", "contracts", "title", None, "Master Agreement", "new_document"),
    ]


def test_changes_by_other_rules(small: Path):
    changed = [batch(1, "r2", 2, severity="low", playbook="p2", rule_version="2")]
    land_run(small, "r2", changed, business_date=TODAY)
    sql = "SELECT field, old_value, new_value, cause FROM changes_since_last_run"
    assert query(small, sql)[1] == [("R01", "high: 60", "low: 60", "rule_change")]


def test_changes_by_amendments_and_decisions(small: Path):
    """An amendment that came in says what it set, and a decision what it was, until the next business date is done."""
    master = f"c_{1:016x}"
    held = {"family_id": master, "contract_id": master}

    def family(value: str, by: str):
        def link(con, run_id: str) -> Linked:
            row = held | {"run_id": run_id, "term": "payment_terms_days", "value": value, "set_by_contract_id": by}
            return Linked({"family_members": [held | {"run_id": run_id}], "family_terms": [row]}, frozenset({master}))

        return link

    decision = {"review_id": "v", "contract_id": master, "target": "flag", "target_id": "f_1", "decision": "rejected"}
    sql = 'SELECT "table", field, old_value, new_value FROM changes_since_last_run WHERE cause = $cause'
    land_run(small, "r2", [batch(8, "r2")], link=family("45", "c_8"), business_date=TODAY)
    assert query(small, sql, {"cause": "amendment"})[1] == [("contract_in_force", "payment_terms_days", "60", "45")]
    later = TODAY + timedelta(days=1)
    land_run(small, "r3", [batch(9, "r3")], link=family("30", "c_9"), business_date=later)
    assert query(small, sql, {"cause": "amendment"})[1] == [("contract_in_force", "payment_terms_days", "45", "30")]
    land_run(small, "v1", [{"reviews": [decision | {"decided_at": datetime.now(UTC)}]}], trigger="review")
    assert query(small, sql, {"cause": "decision"})[1] == [("flags", "decision", None, "rejected")]
    land_run(small, "r4", [batch(7, "r4")], business_date=later + timedelta(days=1))
    assert query(small, sql, {"cause": "amendment"})[1] == []


def test_changes_stay_until_the_next_business_date(small: Path):
    land_run(small, "r2", [batch(1, "r2", 2, currency="EUR")], business_date=TODAY)
    land_run(small, "r3", business_date=TODAY)
    land_run(small, "v1", business_date=TODAY + timedelta(days=1), trigger="review")
    assert len(query(small, "FROM changes_since_last_run")[1]) == 1
    land_run(small, "r4", business_date=TODAY + timedelta(days=1))
    assert query(small, "FROM changes_since_last_run")[1] == []


def test_in_force(root: Path):
    """Contracts alone hold as they are; families as what was worked out for them."""
    land_run(root, "r1", [batch(1, "r1", governing_law="Delaware"), batch(2, "r1", governing_law="Texas")])
    member = {"family_id": f"c_{1:016x}", "contract_id": f"c_{1:016x}", "run_id": "r2"}
    term = member | {"term": "governing_law", "value": "Ohio", "set_by_contract_id": "c_9"}

    def link(con, run_id: str) -> Linked:
        return Linked({"family_members": [member], "family_terms": [term]}, frozenset({member["family_id"]}))

    land_run(root, "r2", [batch(3, "r2")], link=link)
    sql = "SELECT contract_id[-1:], value, set_by_contract_id[-1:] FROM contract_in_force WHERE term = 'governing_law'"
    assert sorted(query(root, sql)[1]) == [("1", "Ohio", "9"), ("2", "Texas", "2")]
    land_run(root, "r3", [batch(3, "r3", 2)], link=lambda con, run_id: Linked({}, frozenset({member["family_id"]})))
    assert sorted(query(root, sql)[1]) == [("1", "Delaware", "1"), ("2", "Texas", "2")]


def renewing(number: int, ends: date, **values: str) -> dict:
    dates = {
        "current_period_end": ends.isoformat(),
        "notice_deadline": (ends - timedelta(days=30)).isoformat(),
    }
    return batch(number, "r1", renewal_notice_days="30", **dates | values)


def test_renewals(root: Path):
    ahead, past = DAY + timedelta(days=40), DAY - timedelta(days=40)
    rolling = {"renewal_type": "auto", "renewal_term_months": "12"}
    land_run(root, "r1", [renewing(1, ahead), renewing(2, past, **rolling), renewing(3, past)])
    rows = query(root, "SELECT contract_id[-1:], event, due_date, days_left, renewed_since FROM renewals")[1]
    assert rows[:2] == [
        ("1", "notice_deadline", DAY + timedelta(days=10), 10, False),
        ("1", "period_end", ahead, 40, False),
    ]
    assert [(row[0], row[1], row[4]) for row in rows[2:]] == [
        ("2", "notice_deadline", True),
        ("2", "period_end", True),
    ]
    assert rows[3][2] - rows[2][2] == timedelta(days=30)
    assert 300 < rows[3][3] <= 366


def test_a_renewed_period_ends_ahead():
    days = (1, 27, 28, 29, 30, 31, 59, 364, 365, 366, 731, 1000)
    cases = [(TODAY - timedelta(days=day), months) for day in days for months in (1, 3, 12, 24)]
    assert rolled(cases) == [next_end(*case) for case in cases]


def next_end(ends: date, months: int) -> date:
    is_last = (ends + timedelta(days=1)).day == 1
    steps = (ends + relativedelta(months=at * months, day=31 if is_last else None) for at in count(1))
    return next(end for end in steps if end >= TODAY)


def rolled(cases: list[tuple[date, int]]) -> list[date]:
    """What the view makes of the ends and renewal terms, without landing a contract for each."""
    columns = {"expiration_date": "NULL::DATE", "notice_deadline": "NULL::DATE", "renewal_notice_days": "30"}
    columns |= {"renewal_type": "'auto'"}
    rows = ", ".join(f"({at}, DATE '{ends}', {months}::DOUBLE)" for at, (ends, months) in enumerate(cases))
    con = duckdb.connect()
    con.execute(
        f"CREATE VIEW agreements AS SELECT *, {', '.join(f'{sql} AS {name}' for name, sql in columns.items())}"
        f" FROM (VALUES {rows}) c (contract_id, current_period_end, renewal_term_months)"
    )
    con.execute(f"CREATE VIEW business_day AS SELECT DATE '{TODAY}' AS today")
    view = (VIEW_FOLDER / "running_periods.sql").read_text()
    found = con.execute(f"SELECT period_end FROM ({view}) ORDER BY contract_id").fetchall()
    con.close()
    return [row[0] for row in found]


def test_queue_is_ordered_and_open(root: Path):
    land_run(root, "r1", [batch(1, "r1", severity="low"), batch(2, "r1"), batch(3, "r1", total_value="9000000")])
    assert [row[0][-1] for row in query(root, "SELECT contract_id FROM review_queue")[1]] == ["3", "2", "1"]
    flag = query(root, "SELECT flag_id FROM review_queue LIMIT 1")[1][0][0]
    for at, (decision, left) in enumerate([("needs_info", 3), ("confirmed", 2), ("reopened", 3)]):
        row = {"review_id": f"v{at}", "target": "flag", "target_id": flag, "decision": decision}
        land_run(root, f"v{at}", [{"reviews": [row | {"decided_at": minute_of_today(at)}]}])
        assert len(query(root, "FROM review_queue")[1]) == left


def minute_of_today(minute: int) -> datetime:
    return datetime(TODAY.year, TODAY.month, TODAY.day, 12, minute)


def test_nonstandard_terms_say_what_references_mean(held: Path):
    row = query(held, "SELECT reference_titles, page_number, quote, file_name FROM nonstandard_terms LIMIT 1")[1][0]
    assert row == ("Payment terms; Financing", 1, "Net 60 days", "0.pdf")


def test_a_topic_says_what_was_concluded_and_by_whom(small: Path):
    ((topic, contract_id, proposal),) = query(small, "SELECT asc606_id, contract_id, proposal FROM asc606 LIMIT 1")[1]

    def concluded() -> list[tuple]:
        sql = "SELECT conclusion, preparer, approver, approved_at FROM asc606_checklist WHERE asc606_id = $id"
        return query(small, sql, {"id": topic})[1]

    at = datetime(2026, 11, 20, 12)
    said = {
        "review_id": "v1",
        "contract_id": contract_id,
        "target": "asc606",
        "target_id": topic,
        "old_value": proposal,
    }
    said |= {"decision": "needs_info", "reviewer": "Ann", "decided_at": at}
    signed = {"sign_off_id": "s1", "contract_id": contract_id, "action": "signed_off", "preparer": "Cleo"}
    signed |= {"approver": "Ben", "signed_at": at, "done_at": at + timedelta(hours=1)}
    withdrawn = signed | {"sign_off_id": "s2", "action": "withdrawn", "done_at": at + timedelta(hours=2)}
    steps = (
        ({"reviews": [said]}, (None, None, None, None)),
        (
            {"reviews": [said | {"review_id": "v2", "decision": "confirmed", "decided_at": at + timedelta(minutes=1)}]},
            (proposal, "Ann", None, None),
        ),
        ({"sign_offs": [signed]}, (proposal, "Cleo", "Ben", at)),
        ({"sign_offs": [withdrawn]}, (proposal, "Ann", None, None)),
    )
    for number, (rows, expected) in enumerate(steps):
        land_run(small, f"v{number}", [rows], trigger="review")
        assert concluded() == [expected], number


def test_quarantine_says_what_to_do(root: Path):
    failed = filed(1, "r1", status="quarantined", error_code="encrypted", error_message="It has a password.")
    land_run(root, "r1", [document_rows(failed, None)])
    row = query(root, "SELECT error_code, error_message, next_move FROM quarantine")[1][0]
    assert row == ("encrypted", "It has a password.", "Put a copy without a password into the inbox.")


def test_morning_brief_figures(held: Path):
    rows = query(held, "SELECT section, metric, value, detail FROM morning_brief")[1]
    figures = {(row[0], row[1]): row[2] for row in rows}
    assert figures["arrived", "contracts"] == 3
    assert figures["new_flags", "high"] == 3
    assert figures["new_flags", "critical"] == 0
    assert figures["value", "total_value"] == 360000
    assert str(DAY) in rows[0][3]


def test_there_are_enough_questions():
    assert len(questions()) >= 24
    assert len({question.number for question in questions()}) == len(questions())
    assert all(1 <= question.number <= 45 and question.question.endswith("?") for question in questions())


@pytest.mark.parametrize("state", ["bare", "held"])
def test_every_question_is_answered(request: pytest.FixtureRequest, state: str):
    root = request.getfixturevalue(state)
    for question in questions():
        columns, rows = ask(root, question.name)
        assert columns, question.name
        lists_nothing = not rows or question.name == "run_cost" or rows[0][0].startswith("no list given")
        assert state == "held" or lists_nothing, question.name


def test_answers(held: Path):
    assert len(ask(held, "long_payment_terms")[1]) == 0
    columns, rows = ask(held, "long-payment-terms", days="59")
    assert len(rows) == 3 and "quote" in columns and "page_number" in columns
    assert [row[-1] for row in ask(held, "flag_reasons")[1]] == ["proposed"] * 3
    assert len(ask(held, "financing_candidates")[1]) == 3
    assert len(ask(held, "arrived_unreviewed", days=100_000)[1]) == 3
    assert ask(held, "rule_hits")[1] == [("R01", 3, 3, 0, 0, None)]


def test_as_of(small: Path):
    land_numbers(small, "r2", [1], 2, payment_terms_days="45", finished_at=None)
    assert len(ask(small, "record_as_of")[1]) == 3
    assert ask(small, "record_as_of", date="2020-01-01")[1] == []


def test_remaining_obligations_are_spread_by_days(root: Path):
    first, last = date(DAY.year + 1, 1, 1), date(DAY.year + 2, 12, 31)
    spans = {
        "effective_date": str(first),
        "expiration_date": str(last),
        "our_role": "seller",
        "total_value": "731",
    }
    land_run(
        root,
        "r1",
        [batch(1, "r1", **spans), batch(2, "r1", **spans, accounting_term_end=f"{first.year}-01-31")],
    )
    rows = ask(root, "remaining_obligations_by_year")[1]
    assert [row[:3] for row in rows] == [(first.year, "USD", 2), (last.year, "USD", 1)]
    whole = (last - first).days + 1
    assert rows[1][3] == round(731 * ((last - date(last.year, 1, 1)).days + 1) / whole, 2)


def test_unknown_questions_and_parameters(held: Path):
    with pytest.raises(QueryError, match=r"Near it: .*long_payment_terms"):
        ask(held, "long_paymnt")
    with pytest.raises(QueryError, match="no parameter weeks"):
        ask(held, "long_payment_terms", weeks=3)
    with pytest.raises(QueryError, match="longest term"):
        ask(held, "long_payment_terms", days="many")
