"""Check: which quotations are found, and which values their quotation proves."""

import time

import papers
import pytest

from extractors.check import FlatText, check, cite, critical_tokens
from schemas.contract import Clause, EngineInfo, Extraction, Term
from schemas.document import Document

FIRST = """1. Term
The initial term of this Agreement is thirty-six (36) months from the Effective Date.
It shall not renew automatically unless the parties agree"""
SECOND = """in writing ninety (90) days before its end. Payment is due within thirty (30) days of receipt.
Notice of thirty (30) days applies. Customer may terminate for convenience.
The fee is $1,200.50 a month for 130 days. The fees are payable in advance."""
CONTRACT = papers.document(FIRST, SECOND)
TEXT = CONTRACT.text


def checked(*terms: Term, document=CONTRACT) -> tuple[Term, ...]:
    engine = EngineInfo(extractor="embedded", model="test")
    return check(Extraction(engine=engine, terms=terms), document).terms


def term(name: str, value: str | None, quote: str | None, **fields) -> Term:
    return Term(term=name, value=value, quote=quote, confidence=0.8, **fields)


EXACT = {
    "word for word": ("The initial term of this Agreement", "The initial term of this Agreement"),
    "other blanks": ("  The  initial\nterm of\tthis Agreement ", "The initial term of this Agreement"),
    "across lines": ("Effective Date. It shall not renew", "Effective Date.\nIt shall not renew"),
    "across pages": ("unless the parties agree in writing", "unless the parties agree\n\f\nin writing"),
    "short": ("fee", "fee"),
    "up to a full stop": ("payable in advance", "payable in advance"),
}


@pytest.mark.parametrize(("quote", "there"), EXACT.values(), ids=EXACT.keys())
def test_exact_quotations(quote, there):
    start, end, score = FlatText(TEXT).find(quote)
    assert (TEXT[start:end], score) == (there, 1.0)


NEAR = {
    "misread letters": (
        "The initlal tern of this Agreernent is thirty-six (36) months",
        "The initial term of this Agreement is thirty-six (36) months",
    ),
    "words run together": (
        "unless the parties agreein writing ninety (90) days",
        "unless the parties agree\n\f\nin writing ninety (90) days",
    ),
    "another small word": (
        "The initial term of the Agreement is thirty-six (36) months",
        "The initial term of this Agreement is thirty-six (36) months",
    ),
    "other punctuation": (
        "Notice of thirty (30) days applies, Customer",
        "Notice of thirty (30) days applies. Customer",
    ),
}


@pytest.mark.parametrize(("quote", "there"), NEAR.values(), ids=NEAR.keys())
def test_near_quotations(quote, there):
    start, end, score = FlatText(TEXT).find(quote)
    assert TEXT[start:end] == there
    assert 0.85 <= score < 1


NOT_THERE = {
    "altered digit": "The initial term of this Agreement is thirty-six (38) months",
    "altered number word": "The initial term of this Agreement is thirty-five (36) months",
    "altered amount": "The fee is $1,200.60 a month for 130 days",
    "altered unit": "The fee is $1,200.50 a year for 130 days. The fees",
    "altered currency": "The fee is €1,200.50 a month for 130 days. The fees",
    "dropped not": "It shall renew automatically unless the parties agree",
    "added not": "Payment is not due within thirty (30) days of receipt",
    "doubled not": "It shall not not renew automatically unless the parties agree",
    "another negation": "It shall never renew automatically unless the parties agree",
    "another party": "Provider may terminate for convenience. The fee is $1,200.50",
    "another verb": "Customer must terminate for convenience. The fee is $1,200.50",
    "the opposite": "The fee is $1,200.50 a month for 130 days. The fees are payable in arrears.",
    "another contract": "Distributor shall purchase the Products exclusively from the Manufacturer",
    "a short near match": "thirty (30) dayz",
    "a part of a number": "30 days. The",
    "the end of an amount": "200.50 a month",
    "the start of an amount": "The fee is $1,200",
    "a part of a word": "vance",
    "parts with a gap": "The initial term … from the Effective Date.",
    "nothing": "",
    "blanks": " \n ",
    "longer than the contract": "The initial term " * 100,
}


@pytest.mark.parametrize("quote", NOT_THERE.values(), ids=NOT_THERE.keys())
def test_quotations_that_are_not_there(quote):
    assert FlatText(TEXT).find(quote) is None


def test_an_empty_document_holds_no_quotation():
    assert FlatText("").find("The initial term of this Agreement") is None


@pytest.mark.parametrize("anchor", ["Payment", "Notice", "The fee is"])
def test_of_several_places_the_nearest_to_the_hint_is_taken(anchor):
    places = [at for at in range(len(TEXT)) if TEXT.startswith("thirty (30) days", at)]
    hint = TEXT.index(anchor)
    start, _, _ = FlatText(TEXT).find("thirty (30) days", hint)
    assert start == min(places, key=lambda at: abs(at - hint))
    assert len(places) == 2


def test_japanese_quotations_need_no_blanks_around_them():
    text = "本契約の有効期間は、締結日から1年間とする。"
    assert FlatText(text).find("締結日から1年間とする")[:2] == (10, 21)


def test_a_citation_names_pages_and_covers_the_words():
    start = TEXT.index("thirty-six")
    found = cite(CONTRACT, start, start + len("thirty-six (36) months"))
    assert (found.page_number, found.page_end) == (1, 1)
    words = [w for n, w in CONTRACT.words_between(found.char_start, found.char_end)]
    assert len(words) == 3
    assert found.box == (words[0].x0, words[0].y0, words[-1].x1, words[-1].y1)


def test_a_citation_across_pages_has_its_box_on_the_first():
    (found,) = checked(
        term("renewal_type", "none", "shall not renew automatically unless the parties agree in writing")
    )
    assert (found.citation.page_number, found.citation.page_end) == (1, 2)
    assert found.citation.box[1:4:2] == (72 + 28, 84 + 28)


def test_a_value_is_as_sure_as_its_words_were_read():
    page = papers.page_of(1, SECOND)
    unsure = page.model_copy(update={"words": tuple(w._replace(confidence=0.5) for w in page.words)})
    contract = Document(contract_id="c_1", sha256="0", media_type="image/png", pages=(unsure,))
    (found,) = checked(term("payment_terms_days", "30", "within thirty (30) days"), document=contract)
    assert found.confidence == 0.4


SUPPORTED = [
    ("agreement_date", "2026-03-01", "made on March 1, 2026", "made on March 2, 2026"),
    ("renewal_notice_days", "60", "sixty (60) days before its end", "ninety (90) days before its end"),
    ("payment_terms_days", "45", "payable net 45", "payable net 30"),
    ("payment_terms_days", "0", "due upon receipt", "due in thirty days"),
    ("payment_terms_days", "30", "請求書受領後30日以内", "請求書受領後60日以内"),
    ("initial_term_months", "36", "a term of three (3) years", "a term of two (2) years"),
    ("renewal_term_months", "12", "successive one-year periods", "successive two-year periods"),
    (
        "liability_cap_months",
        "24",
        "two times the fees of the last twelve months",
        "the fees of the last twelve months",
    ),
    ("total_value", "120000", "a total of $120,000.00", "a total of $12,000.00"),
    ("annual_value", "12000", "$1,000 per month", "$1,100 per month"),
    (
        "liability_cap_amount",
        "1000000",
        "shall not exceed one million dollars",
        "shall not exceed two million dollars",
    ),
    ("late_fee_percent_per_month", "1.5", "one and one-half percent per month", "one percent per month"),
    ("price_increase_cap_percent", "5", "by at most five percent (5%)", "by at most seven percent (7%)"),
    ("currency", "EUR", "EUR 500", "USD 500"),
    ("governing_law", "New York", "the laws of the State of New York", "the laws of the State of Ohio"),
    ("governing_law", "Oman", "the laws of Oman", "the laws of Romania"),
    ("governing_law", "England and Wales", "English law", "Scottish law"),
    ("governing_law", "日本", "日本国の法律に準拠する", "中国の法律に準拠する"),
    ("parties", "Acme, Inc.", 'Acme, Inc. ("Provider")', 'Apex, Inc. ("Provider")'),
    ("title", "Lease", "LEASE", "RELEASE"),
    ("contract_type", "nda", "MUTUAL NON-DISCLOSURE AGREEMENT", "MASTER SERVICES AGREEMENT"),
    ("contract_type", "lease", "Equipment Lease", "Reseller Agreement"),
    ("termination_fee", "5000", "a fee of $5,000", "a fee of $6,000"),
    ("minimum_commitment_period", "annual", "each contract year", "each quarter"),
    ("renewal_type", "auto", "shall automatically renew", "shall expire"),
    ("billing_frequency", "quarterly", "invoiced quarterly", "invoiced monthly"),
    ("billing_timing", "advance", "paid in advance", "paid in arrears"),
    ("price_increase_type", "uncapped", "at the then-current price", "at the agreed rate"),
    ("liability_cap_type", "fees_multiple", "the fees paid", "one million dollars"),
    (
        "liability_cap_basis",
        "paid; lookback",
        "fees paid in the preceding months",
        "fees payable in the preceding months",
    ),
    ("fully_executed", "true", "/s/ Ada Moreno", "to be agreed"),
]


@pytest.mark.parametrize(("name", "value", "quote", "other"), SUPPORTED)
def test_a_value_is_proven_by_its_own_quotation_alone(name, value, quote, other):
    contract = papers.document(f"It says: {quote} here.\nElsewhere it says: {other} there.")
    proven, unproven = checked(term(name, value, quote), term(name, value, other), document=contract)
    assert (proven.evidence, proven.citation.score) == ("verified", 1.0)
    assert (unproven.evidence, unproven.value, unproven.quote) == ("unverified", value, other)
    assert unproven.citation.page_number == 1  # still shown where it was read


def test_a_value_whose_quotation_is_not_there_is_unverified():
    (found,) = checked(term("initial_term_months", "38", "The initial term of this Agreement is (38) months"))
    assert (found.value, found.evidence, found.citation) == ("38", "unverified", None)


@pytest.mark.parametrize("quote", [None, ""])
def test_a_value_without_a_quotation_is_never_verified(quote):
    (found,) = checked(term("initial_term_months", "36", quote, evidence="verified"))
    assert (found.evidence, found.value) == ("unverified", "36")


def test_absences_and_derived_values_pass_unchanged():
    given = (
        Term(term="governing_law", absence="not_found"),
        term("our_role", "seller", None, evidence="derived"),
    )
    assert checked(*given) == given


def test_clauses_keep_their_text():
    texts = ("Notice of thirty  (30)\ndays applies.", "Something that nobody wrote in this contract at all.")
    engine = EngineInfo(extractor="embedded", model="test")
    clauses = tuple(Clause(clause_type="payment_terms", text=text) for text in texts)
    found = check(Extraction(engine=engine, clauses=clauses), CONTRACT).clauses
    assert [clause.text for clause in found] == list(texts)
    assert found[0].citation.page_number == 2 and found[1].citation is None


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("sixty (60) days", "60 (sixty) days", True),
        ("sixty days", "ninety days", False),
        ("1,000.00.", "1,000.00", True),
        ("1,000", "10,00", False),
        ("shall not", "shall", False),
        ("licensee", "licensor", False),
        ("includes", "excludes", False),
        ("can't pay", "cant pay", False),
        ("unlimited", "limited", False),
        ("the fee", "that fee", True),
    ],
)
def test_what_must_not_differ(a, b, same):
    assert (critical_tokens(a) == critical_tokens(b)) is same


def test_a_long_contract_is_searched_in_good_time():
    contract = "\n".join(f"Clause {i}. The parties agree to item {i} of the schedule as amended." for i in range(5_000))
    flat = FlatText(contract)
    begun = time.perf_counter()
    assert flat.find("Clause 4999. The parties agreeto item 4999 of the schedule") is not None
    assert flat.find("The Distributor must buy a hundred thousand pieces in each contract year") is None
    assert time.perf_counter() - begun < 5
