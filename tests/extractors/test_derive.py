"""Derive: what follows from other terms, and what must not be made up."""

from datetime import date

import papers
import pytest

from extractors.derive import derive, is_ours
from extractors.names import normalised, role_side
from schemas.contract import EngineInfo, Extraction, Term
from schemas.terms import TERM_BY_NAME, TERMS

TODAY = date(2026, 11, 23)
US = ("Northwind Analytics, Inc.",)
EMPTY = papers.document("")


def given(name: str, value, **fields) -> Term:
    kind = TERM_BY_NAME[name].type
    return Term(
        term=name,
        value=str(value),
        value_date=date.fromisoformat(value) if kind == "date" else None,
        value_number=float(value) if kind in ("number", "days", "money") else None,
        quote=f"quote of {name}",
        confidence=0.8,
        **fields,
    )


def party(name: str, role: str | None = None) -> Term:
    return given("parties", name, role=role)


def derived(*parties: Term, document=EMPTY, today: date = TODAY, us=US, **values) -> dict[str, Term]:
    terms = (*parties, *(given(name, value) for name, value in values.items()))
    engine = EngineInfo(extractor="embedded", model="test")
    found = derive(Extraction(engine=engine, terms=terms), document, us, today)
    return {term.term: term for term in found.terms if term.term != "parties"}


EXPIRATIONS = [
    ("2026-03-01", 36, "2029-02-28"),
    ("2026-01-01", 12, "2026-12-31"),
    ("2025-03-01", 36, "2028-02-29"),
    ("2028-02-29", 12, "2029-02-28"),
    ("2024-02-29", 48, "2028-02-28"),
    ("2026-01-31", 1, "2026-02-28"),
    ("2026-08-31", 6, "2027-02-28"),
    ("2026-01-15", 18, "2027-07-14"),
]


@pytest.mark.parametrize(("effective", "months", "end"), EXPIRATIONS)
def test_a_term_ends_on_its_last_day(effective, months, end):
    term = derived(effective_date=effective, initial_term_months=months)["expiration_date"]
    assert (term.value, term.value_date, term.evidence) == (end, date.fromisoformat(end), "derived")
    assert term.quote == "quote of initial_term_months"
    assert 0 < term.confidence < 0.8


def test_without_an_effective_date_the_agreement_date_starts_the_term():
    found = derived(agreement_date="2026-03-01", initial_term_months=12)
    assert found["expiration_date"].value == "2027-02-28"
    assert found["effective_date"].absence == "not_found"


@pytest.mark.parametrize(
    ("begin", "end", "months"),
    [
        ("2026-03-01", "2029-02-28", "36"),
        ("2026-03-01", "2029-03-01", "36"),
        ("2026-01-01", "2026-12-31", "12"),
        ("2026-01-31", "2026-02-28", "1"),
        ("2026-03-01", "2026-03-20", None),
        ("2026-03-01", "2026-02-01", None),
        ("2026-03-01", "2026-03-01", None),
    ],
)
def test_whole_months_between_two_dates(begin, end, months):
    assert derived(effective_date=begin, expiration_date=end)["initial_term_months"].value == months


NOTICES = [
    ("2026-12-31", 30, "2026-12-01"),
    ("2026-12-31", 60, "2026-11-01"),
    ("2028-03-30", 30, "2028-02-29"),
    ("2026-12-31", 0, "2026-12-31"),
]


@pytest.mark.parametrize(("end", "days", "deadline"), NOTICES)
def test_notice_deadline(end, days, deadline):
    found = derived(expiration_date=end, renewal_notice_days=days, renewal_type="auto", renewal_term_months=12)
    assert found["notice_deadline"].value == deadline
    assert found["notice_deadline"].quote == "quote of renewal_notice_days"


@pytest.mark.parametrize(
    ("today", "end", "deadline"),
    [
        (date(2024, 6, 1), "2024-12-31", "2024-12-01"),
        (date(2024, 12, 31), "2024-12-31", "2024-12-01"),
        (date(2025, 1, 1), "2025-12-31", "2025-12-01"),
        (date(2026, 11, 23), "2026-12-31", "2026-12-01"),
        (date(2031, 2, 1), "2031-12-31", "2031-12-01"),
    ],
)
def test_the_renewal_that_is_running(today, end, deadline):
    found = derived(
        expiration_date="2024-12-31",
        renewal_type="auto",
        renewal_term_months=12,
        renewal_notice_days=30,
        today=today,
    )
    assert (found["current_period_end"].value, found["notice_deadline"].value) == (end, deadline)


def test_monthly_renewals_keep_to_the_ends_of_months():
    found = derived(expiration_date="2026-01-31", renewal_type="auto", renewal_term_months=1, today=date(2026, 4, 2))
    assert found["current_period_end"].value == "2026-04-30"


@pytest.mark.parametrize("renewal", ["optional", "none", "evergreen"])
def test_what_does_not_renew_by_itself_ended(renewal):
    found = derived(expiration_date="2024-12-31", renewal_type=renewal, renewal_term_months=12)
    assert found["current_period_end"].value == "2024-12-31"


@pytest.mark.parametrize("length", [0, 0.01])
def test_a_renewal_of_no_length_does_not_hang(length):
    found = derived(expiration_date="2024-12-31", renewal_type="auto", renewal_term_months=length)
    assert found["current_period_end"].value == "2024-12-31"


def test_no_notice_deadline_where_nothing_renews():
    found = derived(expiration_date="2026-12-31", renewal_type="none", renewal_notice_days=30)
    assert found["notice_deadline"].absence == "not_found"


def test_a_fixed_term_without_a_word_on_renewal_ends():
    assert derived(expiration_date="2026-12-31")["renewal_type"].value == "none"
    assert derived(expiration_date="2026-12-31", contract_type="amendment")["renewal_type"].value is None
    assert derived(effective_date="2026-01-01")["renewal_type"].value is None


ACCOUNTING = [
    ({"termination_for_convenience": "none"}, "2028-12-31"),
    ({}, "2028-12-31"),
    ({"termination_for_convenience": "provider", "termination_notice_days": 90}, "2028-12-31"),
    ({"termination_for_convenience": "customer", "termination_notice_days": 90}, "2026-04-01"),
    ({"termination_for_convenience": "either", "termination_notice_days": 30}, "2026-01-31"),
    ({"termination_for_convenience": "customer", "termination_notice_days": 9_999}, "2028-12-31"),
    (
        {
            "termination_for_convenience": "customer",
            "termination_notice_days": 90,
            "termination_fee": "all fees",
        },
        "2028-12-31",
    ),
    ({"termination_for_convenience": "customer"}, None),
]


@pytest.mark.parametrize(("values", "end"), ACCOUNTING)
def test_end_of_the_period_that_binds(values, end):
    found = derived(effective_date="2026-01-01", expiration_date="2028-12-31", **values)
    assert found["accounting_term_end"].value == end


OPENINGS = [
    ("with effect from the end of the eighteenth month of the term, by giving 90 days' written notice", "2027-06-30"),
    ("with effect from the first or the second anniversary, by 90 days' notice", "2026-12-31"),
    ("by notice to expire on or after the second anniversary of the Start Date", "2027-12-31"),
    ("at any time after the first anniversary of the Effective Date on 90 days' notice", "2027-03-31"),
    ("on 90 days' notice at any time after the first twelve (12) months of the term", "2027-03-31"),
    ("from the 13th month on 90 days' notice", "2027-03-31"),
    ("after month 18, on 90 days' notice", "2027-09-28"),
    ("after January 1, 2027 on 90 days' notice", "2027-04-01"),
    ("after the Initial Term on 90 days' notice", "2028-12-31"),
    ("after five years, on 90 days' notice", "2028-12-31"),
    ("at any time upon three (3) months' written notice", "2026-04-01"),
    ("on ninety days' notice at the end of a calendar month", "2026-04-01"),
    ("at any time after the Effective Date on 90 days' notice", "2026-04-01"),
]


@pytest.mark.parametrize(("words", "end"), OPENINGS)
def test_a_right_that_opens_late_binds_until_then(words, end):
    right = given("termination_for_convenience", "customer").model_copy(
        update={"quote": f"Customer may terminate {words}"}
    )
    dated = {"effective_date": "2026-01-01", "expiration_date": "2028-12-31", "termination_notice_days": 90}
    found = derived(right, **dated)
    assert found["accounting_term_end"].value == end


NAMES = [
    ("Northwind Analytics, Inc.", True),
    ("Northwind Analytics Inc", True),
    ("NORTHWIND ANALYTICS, INC.", True),
    ("Northwind Analytics,Inc.", True),
    ("Northwind Analytics", True),
    ("Northwind  Analytics,\nIncorporated", True),
    ("North-wind Analytics Inc.", True),
    ("Northwlnd Analytics, Inc.", True),  # misread by OCR
    ("Northwind Analytics Holdings GmbH", False),
    ("Northwind Analytics Holdings, Inc.", False),
    ("Northwind, Inc.", False),
    ("Southwind Analytics, Inc.", False),
    ("Northwind Analysis, Inc.", False),
    ("Northwind Analytics 2, Inc.", False),
    ("Analytics Northwind, Inc.", False),
    ("Inc.", False),
    ("", False),
    (None, False),
]


@pytest.mark.parametrize(("name", "ours"), NAMES)
def test_which_names_are_ours(name, ours):
    assert is_ours(name, US) is ours


@pytest.mark.parametrize(
    ("ours", "other"),
    [
        ("Pacific Gas Transmission East LLC", "Pacific Gas Transmission West LLC"),
        ("Global Solutions Services 1 Ltd.", "Global Solutions Services 2 Ltd."),
        ("ABC Ltd.", "ABD Ltd."),
        ("Müller AG", "Möller AG"),
    ],
)
def test_names_a_letter_apart_are_others(ours, other):
    assert is_ours(ours, (ours,)) and not is_ours(other, (ours,))


def test_nobody_is_ours_when_nobody_was_named():
    assert not is_ours("Northwind Analytics, Inc.", ())
    assert not is_ours("Northwind Analytics, Inc.", ("", "Inc."))


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("Acme, Inc.", "acme"),
        ("ACME GMBH", "acme"),
        ("Acme Co., Ltd.", "acme"),
        ("Acme S.p.A.", "acme"),
        ("The Acme Company", "the acme"),
        ("Acme & Sons, L.L.C.", "acme sons"),
        ("株式会社北風", "北風"),
        ("北風株式会社", "北風"),
        ("Ørsted A/S", "ørsted"),
        ("AG Insurance", "ag insurance"),
    ],
)
def test_names_without_their_legal_form(name, bare):
    assert normalised(name) == bare


SIDES = [
    ("Provider", "Customer", "services", "seller"),
    ("Customer", "Provider", "services", "buyer"),
    ("Licensee", "Licensor", "license", "buyer"),
    ("Supplier", "Distributor", "reseller", "seller"),
    (None, "Customer", "msa", "seller"),
    (None, "Vendor", "msa", "buyer"),
    ("Company", "Contractor", "services", "buyer"),
    ("Disclosing Party", "Receiving Party", "nda", "mutual"),
    ("Provider", "Customer", "nda", "mutual"),
    ("Company", "Partner", "other", None),
    (None, None, "msa", None),
]


@pytest.mark.parametrize(("our_role", "their_role", "kind", "side"), SIDES)
def test_our_side(our_role, their_role, kind, side):
    found = derived(party("Acme LLC", their_role), party("Northwind Analytics Inc", our_role), contract_type=kind)
    assert found["our_role"].value == side
    assert (found["our_entity"].value, found["counterparty"].value) == ("Northwind Analytics Inc", "Acme LLC")


def test_no_side_when_no_party_is_ours():
    found = derived(party("Acme LLC", "Provider"), party("Northwind Analytics Holdings GmbH", "Customer"))
    assert [found[name].absence for name in ("our_entity", "counterparty", "our_role")] == ["not_found"] * 3


@pytest.mark.parametrize(
    ("role", "side"), [("Customer", "customer"), (" VENDOR ", "provider"), ("Partner", None), (None, None)]
)
def test_role_side(role, side):
    assert role_side(role) == side


VALUES = [
    ({"total_value": 360_000, "initial_term_months": 36}, {"annual_value": "120000"}),
    ({"total_value": 100_000, "initial_term_months": 36}, {"annual_value": "33333.33"}),
    ({"total_value": 60_000, "initial_term_months": 6}, {"annual_value": None}),
    (
        {"annual_value": 120_000, "initial_term_months": 36},
        {"total_value": "360000", "total_value_basis": "fixed"},
    ),
    ({"annual_value": 120_000, "initial_term_months": 18}, {"total_value": "180000"}),
    ({"annual_value": 120_000}, {"total_value": None, "total_value_basis": None}),
    ({"total_value": 360_000}, {"annual_value": None}),
    (
        {"minimum_commitment": 10_000, "minimum_commitment_period": "monthly", "initial_term_months": 24},
        {"total_value": "240000", "total_value_basis": "fixed_plus_minimum"},
    ),
    (
        {"minimum_commitment": 50_000, "minimum_commitment_period": "initial term"},
        {"total_value": "50000", "total_value_basis": "fixed_plus_minimum"},
    ),
    ({"minimum_commitment": 50_000}, {"total_value": None}),
    ({"minimum_commitment": 50_000, "minimum_commitment_period": "annual"}, {"total_value": None}),
]


@pytest.mark.parametrize(("values", "expected"), VALUES)
def test_total_and_annual_value(values, expected):
    found = derived(**values)
    assert {name: found[name].value for name in expected} == expected


START = [
    ("This Agreement is effective as of the date of last signature.", "2026-02-23"),
    ("It becomes effective on the date last signed by both parties.", "2026-02-23"),
    ("This Agreement shall commence on the date first written above.", "2026-02-20"),
    ("This Agreement is effective as of the date hereof.", "2026-02-20"),
    ("Notices are sent to the address written above.", None),
    ("The date of last signature is of no importance.", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "effective"), START)
def test_an_effective_date_that_points_to_another_date(text, effective):
    found = derived(document=papers.document(text), signed_date="2026-02-23", agreement_date="2026-02-20")
    assert found["effective_date"].value == effective


def test_nothing_is_made_up():
    found = derived()
    assert list(found) == [spec.name for spec in TERMS if spec.name != "parties"]
    assert all((term.value, term.absence) == (None, "not_found") for term in found.values())


def test_what_the_engine_read_always_stands():
    values = {
        "effective_date": "2026-01-01",
        "initial_term_months": 12,
        "expiration_date": "2027-06-30",
        "renewal_type": "evergreen",
        "total_value": 5,
        "annual_value": 7,
    }
    found = derived(**values)
    assert {name: found[name].value for name in values} == {name: str(v) for name, v in values.items()}
    assert all(found[name].evidence != "derived" for name in values)


def test_of_two_values_the_first_stands():
    engine = EngineInfo(extractor="embedded", model="test")
    terms = (given("governing_law", "Ohio"), given("governing_law", "Texas"))
    found = derive(Extraction(engine=engine, terms=terms), EMPTY, US, TODAY)
    assert found.term("governing_law").value == "Ohio"


def test_an_absence_of_the_engine_keeps_its_reason():
    engine = EngineInfo(extractor="embedded", model="test")
    terms = (Term(term="governing_law", absence="illegible"),)
    found = derive(Extraction(engine=engine, terms=terms), EMPTY, US, TODAY)
    assert [t.absence for t in found.terms if t.term == "governing_law"] == ["illegible"]
