"""Fee tables, bills and obligations; deadlines against a calendar counted day by day."""

import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pymupdf
import pytest

from extractors.check import check
from extractors.chunk import chunk
from extractors.derive import deadlines
from extractors.engines.embedded import EmbeddedEngine
from extractors.fee_tables import total_of
from extractors.files import Content, Limits
from extractors.read import read
from extractors.schedule import billing_schedule
from extractors.values import last_day
from flows.line import judge
from schemas.contract import ContractReading, EngineInfo, Extraction, FeeLine, Term
from schemas.playbook import load_playbooks

HEAD = """ORDER FORM

This Order Form is made as of March 1, 2026 between Harbor Light Software, Inc., a Delaware corporation ("Provider"),
and Quarry Lane Foods LLC, an Ohio limited liability company ("Customer").

1. Term. The initial term is twenty-four (24) months from March 1, 2026.

2. Fees (USD). Fees are invoiced annually in advance. Invoices are due within 30 days after the invoice date.
"""
COLUMNS = (60, 260, 330, 430)


def reading_of(tmp_path: Path, *rows: tuple[str, ...], below: str = "") -> ContractReading:
    path = tmp_path / "order.pdf"
    with pymupdf.open() as pdf:
        page, y = pdf.new_page(), 60
        for line in HEAD.split("\n"):
            page.insert_text((60, y), line, fontsize=9)
            y += 12
        for row in rows:
            for at, cell in zip(COLUMNS, row, strict=False):
                page.insert_text((at, y), cell, fontsize=9)
            y += 14
        for line in below.split("\n"):
            page.insert_text((60, y), line, fontsize=9)
            y += 12
        pdf.save(path)
    document = read(Content((path,), "c_1", "0"), Limits())
    extraction = check(EmbeddedEngine("test").extract(document, chunk(document)), document)
    return judge(extraction, document, load_playbooks(), ("Harbor Light Software, Inc.",), date(2026, 6, 1))


TABLE = (
    ("Product", "Quantity", "Unit price", "Per year (USD)"),
    ("Ledger, hosted", "40", "300.00 per user", "12,000.00"),
    ("Discount for two years", "", "", "(1,000.00)"),
    ("Subtotal, recurring", "", "", "11,000.00"),
    ("Set-up, one time", "1", "2,500.00", "2,500.00"),
    ("Overage per 1,000 calls", "", "", "0.40"),
)


def lines(reading: ContractReading) -> list[tuple]:
    return [(line.item, line.quantity, line.frequency, line.amount) for line in reading.extraction.fee_lines]


def test_a_table_becomes_lines_and_adds_up(tmp_path):
    reading = reading_of(tmp_path, *TABLE)
    assert lines(reading) == [
        ("Ledger, hosted", "40", "annual", "12000.00"),
        ("Discount for two years", None, "annual", "-1000.00"),
        ("Set-up, one time", "1", "one_time", "2500.00"),
        ("Overage per 1,000 calls", None, "usage", "0.40"),
    ]
    values = {term.term: term.value for term in reading.extraction.terms}
    assert (values["total_value"], values["annual_value"]) == ("24500", "11000")


def test_bills_follow_from_the_lines(tmp_path):
    bills = reading_of(tmp_path, *TABLE).bills
    assert [(bill.due_date, bill.amount) for bill in bills] == [
        (date(2026, 3, 31), "11000.00"),
        (date(2026, 3, 31), "2500.00"),
        (date(2027, 3, 31), "11000.00"),
    ]
    assert all(bill.currency == "USD" for bill in bills)


@pytest.mark.parametrize(
    "rows",
    [
        (("City", "Offices", "Since", "Staff"), ("Duluth", "2", "1999", "40")),
        (("Service", "Response", "Hours", "Level"), ("Critical", "4 hours", "24", "99.5")),
    ],
)
def test_a_table_of_something_else_has_no_lines(rows, tmp_path):
    assert lines(reading_of(tmp_path, *rows)) == []


def test_a_line_that_cannot_be_reckoned_gives_no_total():
    known = FeeLine(line=1, item="a", frequency="annual", amount="100", quote="a 100")
    unknown = known.model_copy(update={"frequency": None})
    assert total_of([known], 24) == (Decimal("200.00"), Decimal("100.00"))
    assert total_of([known, unknown], 24) is None
    assert total_of([known], None) is None


def test_obligations_have_a_party_and_a_time(tmp_path):
    below = (
        "3. Reports. Provider shall send Customer a usage report within ten (10) days after the end of each month.\n"
        "4. Launch. Provider shall deliver the first release by May 15, 2026.\n"
        "5. Care. Customer shall not copy the software within ten (10) days."
    )
    due = [(one.party, one.due_date, one.due_rule) for one in reading_of(tmp_path, below=below).obligations]
    provider = "Harbor Light Software, Inc."
    assert (provider, None, "within ten (10) days after the end of each month") in due
    assert (provider, date(2026, 5, 15), None) in due
    assert not [one for one in due if one[0] == "Quarry Lane Foods LLC"]


def test_unequal_periods_are_shared_by_days():
    terms = (
        Term(term="annual_value", value="1200", value_number=1200),
        Term(term="billing_frequency", value="annual"),
        Term(term="effective_date", value="2026-01-01", value_date=date(2026, 1, 1)),
        Term(term="expiration_date", value="2027-06-30", value_date=date(2027, 6, 30)),
    )
    bills = billing_schedule(Extraction(engine=EngineInfo(extractor="embedded", model="m"), terms=terms))
    assert [bill.amount for bill in bills] == ["1200.00", "595.07"]


# --- Deadlines, counted by hand


def added(day: date, months: int) -> date:
    """The same day so many months later, or the last of a shorter month: counted month by month."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day.day, last))


CHANCE = random.Random(7)
CASES = [
    (
        (date(2023, 1, 1) + timedelta(days=CHANCE.randrange(900))).replace(day=CHANCE.randint(1, 28)),
        CHANCE.choice((12, 24, 36)),
        CHANCE.choice((1, 6, 12, 24)),
        CHANCE.choice((0, 30, 45, 60, 90, 120)),
        date(2026, 1, 1) + timedelta(days=CHANCE.randrange(900)),
    )
    for _ in range(200)
]


@pytest.mark.parametrize(("start", "months", "renewal", "notice", "today"), CASES)
def test_notice_is_due_so_many_days_before_the_running_period_ends(start, months, renewal, notice, today):
    begin, end = start, added(start, months)
    while end <= today:  # `end` is the first day after the period
        begin, end = end, added(end, renewal)
    first_day = added(start, months)
    last = first_day - timedelta(days=1)
    terms = {
        "expiration_date": Term(term="expiration_date", value=str(last), value_date=last),
        "renewal_type": Term(term="renewal_type", value="auto"),
        "renewal_term_months": Term(term="renewal_term_months", value=str(renewal), value_number=renewal),
        "renewal_notice_days": Term(term="renewal_notice_days", value=str(notice), value_number=notice),
    }
    found = {term.term: term.value_date for term in deadlines(terms, today)}
    assert begin <= max(today, begin)
    assert found["current_period_end"] == end - timedelta(days=1)
    assert found["notice_deadline"] == end - timedelta(days=1) - timedelta(days=notice)


def test_a_period_from_the_31st_ends_with_the_month():
    assert last_day(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert last_day(date(2026, 3, 1), 1) == date(2026, 3, 31)
