"""From values to rows: ids that don't hang on values, typed columns, no bad value that breaks a run."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from landing_samples import batch, document, filed

from schemas.contract import ContractReading, EngineInfo, Extraction, Term
from schemas.terms import TERMS
from warehouse.rows import contract_rows, document_rows, exact_money, money, utc


def contract_with(*terms: Term) -> dict:
    extraction = Extraction(engine=EngineInfo(extractor="embedded", model="m"), terms=terms)
    reading = ContractReading(extraction=extraction)
    return contract_rows(filed(1, "r1"), document(1), [], reading, 1)["contracts"][0]


def test_ids_stay_when_values_change():
    before, after = batch(1, "r1"), batch(1, "r2", 2, payment_terms_days="45", severity="low")
    for table, key in (("terms", "term_id"), ("flags", "flag_id"), ("asc606", "asc606_id")):
        assert [row[key] for row in before[table]] == [row[key] for row in after[table]]
        assert len({row[key] for row in before[table]}) == len(before[table])


def test_ids_differ_between_contracts():
    assert not {row["term_id"] for row in batch(1, "r1")["terms"]} & {row["term_id"] for row in batch(2, "r1")["terms"]}


def test_every_term_has_a_row():
    rows = batch(1, "r1")["terms"]
    assert {row["term"] for row in rows} == {spec.name for spec in TERMS}
    absent = next(row for row in rows if row["term"] == "governing_law")
    assert (absent["absence"], absent["value"]) == ("not_found", None)
    assert next(row for row in rows if row["term"] == "title")["absence"] is None


def test_contract_columns_are_typed():
    row = batch(1, "r1")["contracts"][0]
    assert row["total_value"] == Decimal("120000.00")  # halves go to the even cent
    assert (row["payment_terms_days"], row["fully_executed"], row["title"]) == (60, True, "Master Agreement")
    assert row["parties"] == [{"name": "Acme Inc.", "role": "customer"}, {"name": "Ours", "role": None}]
    assert row["family_id"] == row["contract_id"] and row["parent_contract_id"] is None


@pytest.mark.parametrize(
    ("term", "value", "cell"),
    [
        ("effective_date", "2026-01-31", date(2026, 1, 31)),
        ("effective_date", "31 January", None),
        ("payment_terms_days", "60.0", 60),
        ("payment_terms_days", "99999999999", None),
        ("payment_terms_days", "sixty", None),
        ("total_value", "NaN", None),
        ("total_value", "1e40", None),
        ("total_value", "1234.5", Decimal("1234.50")),
        ("initial_term_months", "1e999999", None),
        ("initial_term_months", "18", 18.0),
        ("fully_executed", "False", False),
        ("fully_executed", "perhaps", None),
        ("termination_fee", "50 % of the rest", "50 % of the rest"),
    ],
)
def test_cells(term: str, value: str, cell: object):
    assert contract_with(Term(term=term, value=value))[term] == cell


def test_first_stated_value_counts():
    row = contract_with(
        Term(term="currency", absence="conflicting"),
        Term(term="currency", value="EUR"),
        Term(term="currency", value="USD"),
    )
    assert row["currency"] == "EUR"


def test_rates_are_not_rounded_away():
    assert exact_money("0.0042") is None
    assert exact_money("0.50") == Decimal("0.50")
    assert money("0.0042") == Decimal("0.00")


def test_document_without_pages():
    rows = document_rows(filed(1, "r1", status="quarantined", error_code="damaged"), None)
    assert list(rows) == ["documents"]
    assert rows["documents"][0]["error_code"] == "damaged"


def test_moments_are_utc_without_a_zone():
    east = timezone(timedelta(hours=2))
    assert utc(datetime(2026, 1, 1, 1, tzinfo=east)) == datetime(2025, 12, 31, 23)
    assert utc(datetime(2026, 1, 1, tzinfo=UTC)) == utc(datetime(2026, 1, 1)) == datetime(2026, 1, 1)
