"""Derive: terms that follow from other terms by arithmetic or by knowing who we are. Part of `check`.

A derived value has the evidence `derived` and quotes the term it was calculated from. The definitions
(which day is the last of a term, what counts back to a notice deadline) stand in docs/terms.md.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from rapidfuzz.distance.Levenshtein import distance

from extractors.exits import earliest_end, opening
from extractors.fee_tables import total_of
from extractors.names import RESELLING, normalised, role_side
from extractors.sides import side_by_deeds
from extractors.values import dates, last_day, plain_number
from schemas.contract import Extraction, Term
from schemas.document import Document
from schemas.terms import TERM_BY_NAME, TERMS

LONG_WORD = 8
"""Words of a company's name with this many letters may differ in one, as when OCR misread it."""

LAST_SIGNATURE = re.compile(
    r"(?:date|day)\s+(?:of|on\s+which)\s+(?:the\s+)?(?:last|latest|final)\s+(?:party\s+)?(?:to\s+)?(?:sign|of\s+the|date|execut)|"
    r"last\s+(?:date\s+of\s+)?signature|date\s+(?:it\s+is\s+)?(?:last\s+)?signed\s+by\s+(?:both|all|the\s+last)|"
    r"last\s+(?:party|of\s+the\s+parties)\s+(?:to\s+)?sign",
    re.IGNORECASE,
)


DATE_ABOVE = re.compile(
    r"(?:date|day)\s+(?:and\s+year\s+)?(?:first\s+)?(?:set\s+(?:forth|out)\s+|written\s+|stated\s+|mentioned\s+)?above|"
    r"\bdate\s+hereof\b|date\s+of\s+this\s+(?:agreement|contract|letter)|\bon\s+its\s+date\b",
    re.IGNORECASE,
)


def derive(extraction: Extraction, document: Document, our_entities: Sequence[str], today: date) -> Extraction:
    """The extraction with every term of the table: derived where the text allows, else absent.

    `today` decides which period is running. An engine's own value always stands; only absences are filled.
    """
    terms: dict[str, Term] = {}
    for term in extraction.terms:
        if term.value is not None and term.term != "parties":
            terms.setdefault(term.term, term)
    terms |= _one_time_fees(extraction)
    parties = [term for term in extraction.terms if term.term == "parties" and term.value]
    for step in (_sides, _start, _end, _silence, _value, _deadlines):
        for term in step(terms, parties, document, our_entities, today):
            terms.setdefault(term.term, term)
    terms.pop(ONE_TIME, None)
    for term in _of_lines(extraction, terms):
        terms.setdefault(term.term, term)
    return extraction.model_copy(update={"terms": tuple(_complete(extraction, terms))})


ONE_TIME = "one-time fees"


def _one_time_fees(extraction: Extraction) -> dict[str, Term]:
    """The sum of the fee lines that are paid once, as a value to calculate with."""
    once = [Decimal(line.amount) for line in extraction.fee_lines if line.frequency == "one_time" and line.amount]
    return {ONE_TIME: Term(term="total_value", value=str(sum(once)), confidence=0.7)} if once else {}


def _of_lines(extraction: Extraction, terms: dict[str, Term]) -> Iterable[Term]:
    """Total and annual value from the lines of the fee tables, where the text states no total."""
    months, lines = terms.get("initial_term_months"), extraction.fee_lines
    found = total_of(lines, months.value_number if months else None) if lines else None
    if found is None or all(line.frequency in ("one_time", "usage") for line in lines):
        return
    source = Term(term="total_value", quote=lines[0].quote, confidence=0.75)
    total, yearly = found
    if "total_value" not in terms:
        yield _derived("total_value", total, source)
        yield _derived("total_value_basis", "fixed", source)
    if yearly:
        yield _derived("annual_value", yearly, source)


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
    if role := _our_role(terms, ours, others) or _role_by_deeds(terms, document.text, ours, others):
        yield _derived("our_role", role, ours)


def is_ours(name: str | None, our_entities: Sequence[str]) -> bool:
    """Whether a party's name is one of ours, legal form, punctuation and a misread letter apart."""
    bare = normalised(name or "")
    return bool(bare) and any(_same_name(bare, normalised(own)) for own in our_entities)


def other_parties(extraction: Extraction, our_entities: Sequence[str]) -> Iterable[str]:
    """The names of the parties that are not ours, as names are compared."""
    names = (term.value for term in extraction.terms if term.term == "parties" and term.value)
    return dict.fromkeys(normalised(name) for name in names if not is_ours(name, our_entities))


def _same_name(a: str, b: str) -> bool:
    """Same words, but for one letter in long ones: `Acme 1` is not `Acme 2`, nor `Gas East` `Gas West`."""
    if a.replace(" ", "") == b.replace(" ", ""):
        return True
    pairs = list(zip(a.split(), b.split(), strict=False))
    return a.count(" ") == b.count(" ") and all(
        x == y or (min(len(x), len(y)) >= LONG_WORD and x.isalpha() and y.isalpha() and distance(x, y) == 1)
        for x, y in pairs
    )


def _our_role(terms: dict[str, Term], ours: Term, others: Sequence[Term]) -> str | None:
    kind = terms.get("contract_type")
    if kind and kind.value == "nda":
        return "mutual"
    side = role_side(ours.role)
    counter = role_side(others[0].role) if others else None
    if side == counter == "customer" and RESELLING & {ours.role, *(party.role for party in others)}:
        side = "provider" if ours.role in RESELLING else "customer"
    elif side is None:
        side = {"customer": "provider", "provider": "customer"}.get(counter or "")
    return {"customer": "buyer", "provider": "seller"}.get(side or "")


def _role_by_deeds(terms: dict[str, Term], text: str, ours: Term, others: Sequence[Term]) -> str | None:
    kind = terms.get("contract_type")
    if kind and kind.value == "nda":
        return None
    side = side_by_deeds(text, ours.value, [party.value for party in others])
    if side is None:  # the role of a third party is the weakest witness
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
            if re.search(r"effect|commence", around, re.IGNORECASE):
                yield _derived("effective_date", source.value_date, source)
                return


def _end(terms: dict[str, Term], parties, document, our_entities, today) -> Iterable[Term]:
    begin = _term_start(terms, document)
    months, end = terms.get("initial_term_months"), terms.get("expiration_date")
    if begin and months and not end:
        yield _derived("expiration_date", last_day(begin.value_date, months.value_number), months, begin)
    if begin and end and not months and (length := _whole_months(begin.value_date, end.value_date)):
        yield _derived("initial_term_months", length, end, begin)


_START_NAME = re.compile(
    r"(?:subscription|service|order|licen[cs]e|rental|term|support)?\s*(?:term\s+)?(?:start|commencement|go-live)\s+date",
    re.IGNORECASE,
)


def _term_start(terms: dict[str, Term], document: Document) -> Term | None:
    """Where the initial term starts: a start date of its own that its quotation names, else the effective date."""
    months = terms.get("initial_term_months")
    named = _START_NAME.search(months.quote) if months and months.quote else None
    if named:
        name = re.escape(" ".join(named.group().split())).replace(r"\ ", r"\s+")
        for match in re.finditer(name, document.text, re.IGNORECASE):
            after = document.text[match.end() : match.end() + 60]
            if found := dates(after):
                return Term(
                    term="effective_date",
                    value=str(found[0].value),
                    value_date=found[0].value,
                    confidence=0.8,
                )
    return terms.get("effective_date") or terms.get("agreement_date")


def _whole_months(first: date, last: date) -> int | None:
    """Months from the first to the last day of a term, None when they are not whole ones.

    Contracts write both `until 28 February` and `until 1 March` for the same year.
    """
    for end in (last + timedelta(days=1), last):
        span = relativedelta(end, first)
        if span.days == 0 and span.years * 12 + span.months > 0:
            return span.years * 12 + span.months
    return None


def _silence(terms: dict[str, Term], parties, document, our_entities, today) -> Iterable[Term]:
    """What silence means: a fixed term about whose renewal the text says nothing ends, and a contract that
    says nothing of liability has no cap. An amendment's silence means nothing."""
    fixed = terms.get("initial_term_months") or terms.get("expiration_date")
    kind = terms.get("contract_type")
    if kind and kind.value in ("amendment", "order_form", "sow"):
        return
    if fixed and "renewal_type" not in terms:
        yield _derived("renewal_type", "none", fixed)
    if kind and "liability_cap_type" not in terms:
        yield _derived("liability_cap_type", "none")


def _value(terms: dict[str, Term], parties, document, our_entities, today) -> Iterable[Term]:
    total, annual = terms.get("total_value"), terms.get("annual_value")
    months, minimum = terms.get("initial_term_months"), terms.get("minimum_commitment")
    length = Decimal(str(months.value_number)) if months else None
    once = terms.get(ONE_TIME)
    if total and length and not annual and length >= 12:
        recurring = Decimal(total.value) - (Decimal(once.value) if once else 0)
        yield _derived("annual_value", _cents(recurring * 12 / length), total, months)
    if annual and length and not total:
        recurring = Decimal(annual.value) * length / 12
        yield _derived("total_value", _cents(recurring + (Decimal(once.value) if once else 0)), annual, months)
        yield _derived("total_value_basis", "fixed", annual)
    if minimum and not total and not annual:
        yield from _committed(terms, minimum, length, Decimal(once.value) if once else Decimal(0))


def _committed(terms: dict[str, Term], minimum: Term, length: Decimal | None, once: Decimal) -> Iterable[Term]:
    period = terms.get("minimum_commitment_period")
    # The minimum is what is fixed: a year of it is the annual value.
    per_year = {"annual": 1, "quarterly": 4, "monthly": 12}.get(period.value if period else "")
    if per_year and length:
        yield _derived("total_value", _cents(Decimal(minimum.value) * per_year * length / 12 + once), minimum)
        yield _derived("annual_value", Decimal(minimum.value) * per_year, minimum)
    elif period and period.value == "initial term":
        yield _derived("total_value", Decimal(minimum.value) + once, minimum)
    else:
        return
    yield _derived("total_value_basis", "fixed_plus_minimum", minimum)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


def _deadlines(terms: dict[str, Term], parties, document, our_entities, today: date) -> Iterable[Term]:
    return deadlines(terms, today)


def deadlines(terms: dict[str, Term], today: date) -> Iterable[Term]:
    """End of the running period, notice deadline and end of the non-cancellable period, as far as the terms tell."""
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
        following = last_day(begin, length.value_number)
        if following <= end:  # a renewal of less than a day
            return end
        end, begin = following, following + timedelta(days=1)
    return end


def _accounting_end(terms: dict[str, Term], end: Term | None) -> Iterable[Term]:
    """End of the non-cancellable period (ASC 606-10-25-3): where the customer may leave without a fee of
    substance, notice from the first day on or from the point at which the right opens; else the stated end."""
    right, fee = terms.get("termination_for_convenience"), terms.get("termination_fee")
    begin, notice = terms.get("effective_date"), terms.get("termination_notice_days")
    cancellable = right is not None and right.value in ("either", "customer") and fee is None
    if cancellable and begin and notice:
        last = begin.value_date + timedelta(days=int(notice.value_number))
        if opens := opening(right.quote or ""):
            first, stated = _first_day(terms, begin.value_date), end.value_date if end else None
            last = max(last, earliest_end(opens, first, int(notice.value_number), stated) or last)
        yield _derived("accounting_term_end", min(last, end.value_date) if end else last, right, notice, begin)
    elif end and not cancellable:
        yield _derived("accounting_term_end", end.value_date, end)


def _first_day(terms: dict[str, Term], otherwise: date) -> date:
    """The first day of the initial term, reckoned back from its end where that is known."""
    end, months = terms.get("expiration_date"), terms.get("initial_term_months")
    if end and months and float(months.value_number).is_integer():
        return end.value_date + timedelta(days=1) - relativedelta(months=int(months.value_number))
    return otherwise
