"""Clauses, terms and sides that are told by their words, and what only denies them or bears their name."""

import papers
import pymupdf
import pytest

from extractors.check import check
from extractors.chunk import chunk
from extractors.document_references import document_references
from extractors.engines.embedded import EmbeddedEngine
from extractors.furniture import body
from extractors.sides import side_by_deeds
from schemas.contract import Extraction

HEAD = (
    'SERVICES AGREEMENT\n\nThis Services Agreement is made on January 15, 2026 by Alder Data, Inc. ("Provider") and '
    'Birch Foods LLC ("Customer").\n\n'
)


@pytest.fixture(scope="module")
def engine() -> EmbeddedEngine:
    return EmbeddedEngine("test")


def read(engine: EmbeddedEngine, words: str) -> Extraction:
    document = papers.document(HEAD + words)
    return check(engine.extract(document, chunk(document)), document)


FOUND = [
    (
        "service_credits",
        "4.1 Credits are set off against the next invoice and never exceed 15% of the fee for the month.",
    ),
    (
        "service_credits",
        "4.1 If Provider fails to meet a response time in clause 3.2 more than twice, Customer shall be entitled to a "
        "credit of 5% of the Charges for that quarter.",
    ),
    (
        "service_credits",
        "4.1 A service credit of 5% of the monthly fee is granted. No service credit shall exceed $900.",
    ),
    (
        "liquidated_damages",
        "5.2 If a delivery is more than ten (10) days late, Customer may claim a credit of 1% of the price of the "
        "delayed units for each full week of delay, but not more than 8% of that price.",
    ),
    (
        "non_compete",
        "7.2 Until June 30, 2027 Provider shall not deliver a forecast to any other hotel operator in Ohio.",
    ),
    (
        "exclusivity",
        "2.1 Provider hereby appoints Customer as the sole and exclusive distributor of the Services within the "
        "State of Ohio, and Customer accepts this. All prices are exclusive of tax.",
    ),
]


@pytest.mark.parametrize(("clause_type", "words"), FOUND)
def test_the_clause_is_found(engine, clause_type, words):
    assert clause_type in {clause.clause_type for clause in read(engine, words).clauses}


DENIED = [
    ("service_credits", "1.2 Provider shall begin work within one business day. No service credits are granted."),
    ("service_credits", "3.1 The credit card surcharge shall not exceed 3% of the fee for the month concerned."),
    ("liquidated_damages", "6. Nothing in this letter obliges either of us to pay liquidated damages."),
    ("liquidated_damages", "3.1 A late payment bears a compensation of 1% of the amount for each month of delay."),
    ("non_compete", "7.2 Customer shall not provide Confidential Information of Provider to any other company."),
    ("exclusivity", "3.4 Nothing in this Agreement makes Provider the exclusive source of gateways for Customer."),
    ("exclusivity", "4.4 All prices are exclusive of sales, use and like taxes, which a reseller shall bear."),
]


@pytest.mark.parametrize(("clause_type", "words"), DENIED)
def test_what_is_denied_or_of_another_sense_is_none(engine, clause_type, words):
    assert clause_type not in {clause.clause_type for clause in read(engine, words).clauses}


TERMS = [
    (
        "renewal_term_months",
        "36",
        "2. The agreement renews for three years at a time unless a party gives 60 days' notice before its end.",
    ),
    (
        "renewal_type",
        "auto",
        "2. The term lasts twelve months. This Agreement then renews for terms of one year each unless a party gives "
        "notice sixty (60) days before the end of the current term.",
    ),
    (
        "renewal_type",
        None,
        "4. Hours not used in one year roll over to the next, and again to each later year, without limit of time.",
    ),
    (
        "termination_fee",
        "250",
        "6. Customer may end this Agreement for any reason on sixty (60) days' notice with a wind-up charge of $250.",
    ),
]


@pytest.mark.parametrize(("name", "value", "words"), TERMS)
def test_the_term_is_read(engine, name, value, words):
    found = read(engine, words).term(name)
    assert (found.value if found else None) == value


SIDES = [
    (
        "customer",
        "Bills raised monthly shall be paid by the Company within forty-five days. The Packer shall pack the snacks.",
    ),
    (
        "customer",
        "The Packer shall pack the snacks and pay Rs. 5,000 for every hour of delay. Fees are payable by the Company.",
    ),
    ("provider", "The Company shall supply the film. Each invoice shall be paid by the Packer within thirty days."),
    (None, "The Packer shall pay the price of the film. Bills for packing shall be paid by the Company."),
]


@pytest.mark.parametrize(("side", "words"), SIDES)
def test_a_side_is_told_by_who_pays(side, words):
    ours, theirs = "Sahyadri Foods Limited", "Bhavani Packwell LLP"
    head = f'This Agreement is made between {theirs} (called "the Packer") and {ours} (called "the Company"). '
    assert side_by_deeds(head + words, ours, [theirs]) == side


LETTERS = [
    ("provider", "Dear Anne,\n\nWe shall host the portal. You will pay us 500 a month against our invoice."),
    ("customer", "Dear Anne,\n\nYou deliver the paper to our mill. We pay your invoices within thirty days."),
    (None, "Dear Anne,\n\nWe met on Thursday, as you know."),
    (None, "We shall host the portal. You will pay us 500 a month."),  # no letter: nobody is `we`
]


@pytest.mark.parametrize(("side", "words"), LETTERS)
def test_who_writes_a_letter_is_we(side, words):
    head = "Kestrel Wharf Ltd.\n\n5 May 2026\n\nBukit Freight Ltd.\n\n"
    assert side_by_deeds(head + words, "Kestrel Wharf Ltd.", ["Bukit Freight Ltd."]) == side
    other = {"provider": "customer", "customer": "provider", None: None}[side]
    assert side_by_deeds(head + words, "Bukit Freight Ltd.", ["Kestrel Wharf Ltd."]) == other


CALLED = [
    (
        "provider",
        "between\n{us}, Ulm (in the following: Contractor)\nand\n{them}, Weilburg (in the following: Principal)",
    ),
    ("customer", '"We" means {them}. "You" means {us}. We run the cold store. You pay for 400 pallets every week.'),
]


@pytest.mark.parametrize(("side", "words"), CALLED)
def test_names_without_quotation_marks_and_before_them(side, words):
    us, them = "Alder Daten GmbH", "Birke Federn GmbH"
    assert side_by_deeds(words.format(us=us, them=them), us, [them]) == side


SIGNED_ON = [
    "/s/ Ann Roe, Director, on 2 June 2026\n\nSigned for the Customer by /s/ Ben Poe, on 2 June 2026",
    "/s/ Ann Roe\nChief Executive, for Alder Data, Inc.\n2 June 2026\n\n/s/ Ben Poe\nDirector, Birch LLC\n2 June 2026",
    "Ulm, 1 June 2026          Weilburg, 2 June 2026\n/s/ Ann Roe            /s/ Ben Poe",
    "THE COMMON SEAL was affixed on 2 June 2026 in the presence of:\n/s/ Ann Roe\n[L.S.]\n/s/ Ben Poe\n[L.S.]",
]


@pytest.mark.parametrize("block", SIGNED_ON)
def test_the_date_beside_a_signature(engine, block):
    found = read(engine, f"1. Services. Provider shall host the data for two years.\n\nIN WITNESS WHEREOF\n\n{block}")
    assert found.term("signed_date").value == "2026-06-02"


def test_empty_lines_above_a_signature_hide_no_date(engine, tmp_path):
    signed = "12 June 2026\n\n\nAlder Data, Inc.\n\n\n/s/ Ann Roe\n\n\n/s/ Ben Poe"
    with pymupdf.open() as pdf:
        text = f"{HEAD}1. Services. Provider hosts the data for two years.\n\n{signed}"
        pdf.new_page().insert_text((60, 60), text.split("\n"), fontsize=9)
        document = papers.read_pdf(tmp_path, pdf)
    assert engine.extract(document, chunk(document)).term("signed_date").value == "2026-06-12"


NO_RIGHT = [
    "9. Termination. The Customer has no right to bring this agreement to an end at will.",
    "9. Termination. The Customer shall not be entitled to determine this Agreement merely for its own convenience.",
]


@pytest.mark.parametrize("words", NO_RIGHT)
def test_a_right_that_is_denied_is_none(engine, words):
    assert read(engine, words).term("termination_for_convenience").value == "none"


LATE = [
    (
        "2",
        "3. Sums not received by then accrue a service charge of two percent (2%) for every month they are open.",
    ),
    ("2", "On anything paid later Customer will owe Provider two percent (2%) a month."),
    ("1.25", "An invoice not paid when due accrues a charge of 1.25% for each month until Customer pays it."),
]


@pytest.mark.parametrize(("percent", "words"), LATE)
def test_a_charge_for_paying_late(engine, percent, words):
    found = read(engine, f"3. Payment. Customer shall pay each invoice within thirty days of its date. {words}")
    assert found.term("late_fee_percent_per_month").value == percent


def test_the_sentence_that_grants_a_right_is_quoted_and_not_its_title(engine):
    found = read(
        engine,
        '3.1 Section 9.4 is replaced by: "Termination for Convenience by Customer. Customer may terminate this '
        "Agreement at any time, for any reason or for none, by giving Provider ninety (90) days' notice.\"",
    )
    right = found.term("termination_for_convenience")
    assert right.value == "customer"
    assert right.quote.startswith("Customer may terminate")


@pytest.mark.parametrize(
    ("words", "dated"),
    [
        ("This Order Form is placed under the Alder Subscription Terms of March 15, 2025.", "2025-03-15"),
        ("This Order Form is placed under the Master Agreement dated March 15, 2025.", "2025-03-15"),
        ("Fees under the Master Agreement of the parties are due on March 15, 2025.", None),
    ],
)
def test_terms_of_a_date_are_a_reference(engine, words, dated):
    document = papers.document("ORDER FORM\n\n" + words)
    extraction = check(engine.extract(document, chunk(document)), document)
    found = document_references(extraction, document, body(document))
    assert [str(one.dated) for one in found] == ([dated] if dated else [])
