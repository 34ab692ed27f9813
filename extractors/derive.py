"""Derive: terms that follow from other terms by arithmetic or by knowing who we are. Part of `check`.

A derived value has the evidence `derived` and quotes the term it was calculated from. The definitions
(which day is the last of a term, what counts back to a notice deadline) stand in docs/terms.md.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from rapidfuzz import fuzz

from extractors.names import normalised, role_side
from extractors.values import last_day, plain_number
from schemas.contract import Extraction, Term
from schemas.document import Document
from schemas.terms import TERM_BY_NAME, TERMS

SAME_NAME = 92.0
"""Least similarity, in percent, of two company names without their legal forms to be one company."""

LAST_SIGNATURE = re.compile(
    r"(?:date|day)\s+(?:of|on\s+which)\s+(?:the\s+)?(?:last|latest|final)\s+(?:party\s+)?(?:to\s+)?(?:sign|of\s+the|date|execut)|"
    r"last\s+(?:date\s+of\s+)?signature|date\s+(?:it\s+is\s+)?(?:last\s+)?signed\s+by\s+(?:both|all|the\s+last)|"
    r"last\s+(?:party|of\s+the\s+parties)\s+(?:to\s+)?sign",
    re.IGNORECASE,
)


DATE_ABOVE = re.compile(
    r"(?:date|day)\s+(?:and\s+year\s+)?(?:first\s+)?(?:set\s+(?:forth|out)\s+|written\s+|stated\s+|mentioned\s+)?above|"
    r"\bdate\s+hereof\b|date\s+of\s+this\s+(?:agreement|contract|letter)",
    re.IGNORECASE,
)


def derive(
    extraction: Extraction, document: Document, our_entities: Sequence[str], today: date
) -> Extraction:
    """The extraction with every term of the table: derived where the text allows, else absent.

    `today` decides which period is running. An engine's own value always stands; only absences are filled.
    """
    terms = {
        term.term: term for term in extraction.terms if term.value is not None and term.term != "parties"
    }
    parties = [term for term in extraction.terms if term.term == "parties" and term.value]
    for step in (_sides, _start, _end, _renewal, _value, _deadlines):
        for term in step(terms, parties, document, our_entities, today):
            terms.setdefault(term.term, term)
    return extraction.model_copy(update={"terms": tuple(_complete(extraction, terms))})


def _complete(extraction: Extraction, terms: dict[str, Term]) -> Iterable[Term]:
    for spec in TERMS:
        given = [term for term in extraction.terms if term.term == spec.name]
        if spec.name == "parties" and given:
            yield from given
        elif spec.name in terms:
            yield terms[spec.name]
        else:
            yield given[0] if given else Term(term=spec.name, absence="not_found", unit=spec.unit)


def _derived(name: str, value: str | float | Decimal | date, *sources: Term) -> Term:
    """A derived term that quotes its first source with a quotation."""
    quoted = next((source for source in sources if source.quote), None)
    number = float(value) if isinstance(value, int | float | Decimal) else None
    return Term(
        term=name,
        value=plain_number(value) if number is not None else str(value),
        value_date=value if isinstance(value, date) else None,
        value_number=number,
        unit=TERM_BY_NAME[name].unit,
        quote=quoted.quote if quoted else None,
        start=quoted.start if quoted else None,
        citation=quoted.citation if quoted else None,
        evidence="derived",
        confidence=round(min((source.confidence for source in sources), default=0.5) * 0.95, 4),
    )


def _sides(terms, parties: Sequence[Term], document, our_entities: Sequence[str], today) -> Iterable[Term]:
    ours = next((party for party in parties if is_ours(party.value, our_entities)), None)
    if ours is None:
        return
    others = [party for party in parties if not is_ours(party.value, our_entities)]
    yield _derived("our_entity", ours.value, ours)
    if others:
        yield _derived("counterparty", others[0].value, others[0])
    if role := _our_role(terms, ours, others):
        yield _derived("our_role", role, ours)


def is_ours(name: str | None, our_entities: Sequence[str]) -> bool:
    """Whether a party's name is one of ours, legal form and punctuation apart."""
    bare = normalised(name or "")
    return any(bare and fuzz.ratio(bare, normalised(own)) >= SAME_NAME for own in our_entities)


def _our_role(terms: dict[str, Term], ours: Term, others: Sequence[Term]) -> str | None:
    kind = terms.get("contract_type")
    if kind and kind.value == "nda":
        return "mutual"
    side = role_side(ours.role)
    if side is None:
        counter = next((role_side(party.role) for party in others if role_side(party.role)), None)
        side = {"customer": "provider", "provider": "customer"}.get(counter or "")
    return {"customer": "buyer", "provider": "seller"}.get(side or "")


def _start(terms: dict[str, Term], parties, document: Document, our_entities, today) -> Iterable[Term]:
    """`the date of last signature` and `the date first written above`, resolved where that date is known."""
    if "effective_date" in terms:
        return
    for phrase, name in ((LAST_SIGNATURE, "signed_date"), (DATE_ABOVE, "agreement_date")):
        source = terms.get(name)
        match = phrase.search(document.text) if source else None
        if source and match:
            around = document.text[max(0, match.start() - 200) : match.end() + 100]
            if re.search(r"effective|commence", around, re.IGNORECASE):
                yield _derived("effective_date", source.value_date, source)
                return


def _end(terms: dict[str, Term], parties, document, our_entities, today) -> Iterable[Term]:
    begin = terms.get("effective_date") or terms.get("agreement_date")
    months, end = terms.get("initial_term_months"), terms.get("expiration_date")
    if begin and months and not end:
        yield _derived("expiration_date", last_day(begin.value_date, months.value_number), months, begin)
    if begin and end and not months and (length := _whole_months(begin.value_date, end.value_date)):
        yield _derived("initial_term_months", length, end, begin)


def _whole_months(first: date, last: date) -> int | None:
    """Months from the first to the last day of a term, None when they are not whole ones.

    Contracts write both `until 28 February` and `until 1 March` for the same year.
    """
    for end in (last + timedelta(days=1), last):
        span = relativedelta(end, first)
        if span.days == 0 and span.years * 12 + span.months > 0:
            return span.years * 12 + span.months
    return None


def _renewal(terms: dict[str, Term], parties, document, our_entities, today) -> Iterable[Term]:
    """A fixed term about whose renewal the text says nothing ends: `none`."""
    fixed = terms.get("initial_term_months") or terms.get("expiration_date")
    kind = terms.get("contract_type")
    if fixed and "renewal_type" not in terms and not (kind and kind.value == "amendment"):
        yield _derived("renewal_type", "none", fixed)


def _value(terms: dict[str, Term], parties, document, our_entities, today) -> Iterable[Term]:
    total, annual = terms.get("total_value"), terms.get("annual_value")
    months, minimum = terms.get("initial_term_months"), terms.get("minimum_commitment")
    length = Decimal(str(months.value_number)) if months else None
    if total and length and not annual and length >= 12:
        yield _derived("annual_value", _cents(Decimal(total.value) * 12 / length), total, months)
    if annual and length and not total:
        yield _derived("total_value", _cents(Decimal(annual.value) * length / 12), annual, months)
        yield _derived("total_value_basis", "fixed", annual)
    if minimum and not total and not annual:
        yield from _committed(terms, minimum, length)


def _committed(terms: dict[str, Term], minimum: Term, length: Decimal | None) -> Iterable[Term]:
    period = terms.get("minimum_commitment_period")
    per_year = {"annual": 1, "quarterly": 4, "monthly": 12}.get(period.value if period else "")
    if per_year and length:
        yield _derived("total_value", _cents(Decimal(minimum.value) * per_year * length / 12), minimum)
    elif period and period.value == "initial term":
        yield _derived("total_value", Decimal(minimum.value), minimum)
    else:
        return
    yield _derived("total_value_basis", "fixed_plus_minimum", minimum)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


def _deadlines(terms: dict[str, Term], parties, document, our_entities, today: date) -> Iterable[Term]:
    end = terms.get("expiration_date")
    if end:
        running = _running_end(terms, end.value_date, today)
        yield _derived("current_period_end", running, end)
        notice, renewal = terms.get("renewal_notice_days"), terms.get("renewal_type")
        if notice and not (renewal and renewal.value == "none"):
            yield _derived("notice_deadline", running - timedelta(days=int(notice.value_number)), notice, end)
    yield from _accounting_end(terms, end)


def _running_end(terms: dict[str, Term], end: date, today: date) -> date:
    """End of the initial term, or of the renewal that is running today when it renews by itself."""
    renewal, length = terms.get("renewal_type"), terms.get("renewal_term_months")
    if not (renewal and renewal.value == "auto" and length and length.value_number):
        return end
    begin = end + timedelta(days=1)
    while end < today:
        end = last_day(begin, length.value_number)
        begin = end + timedelta(days=1)
    return end


def _accounting_end(terms: dict[str, Term], end: Term | None) -> Iterable[Term]:
    """End of the non-cancellable period (ASC 606-10-25-3): where the customer may leave without a fee of
    substance, notice from the first day on; else the stated end."""
    right, fee = terms.get("termination_for_convenience"), terms.get("termination_fee")
    begin, notice = terms.get("effective_date"), terms.get("termination_notice_days")
    cancellable = right is not None and right.value in ("either", "customer") and fee is None
    if cancellable and begin and notice:
        last = begin.value_date + timedelta(days=int(notice.value_number))
        yield _derived(
            "accounting_term_end", min(last, end.value_date) if end else last, right, notice, begin
        )
    elif end and not cancellable:
        yield _derived("accounting_term_end", end.value_date, end)
