"""When money falls due and who has to do what by when: the billing schedule and the obligations of a contract.

Both follow from what is stated and are never more exact than that. An invoice date is the first day of a period (in
advance) or the day after its last (in arrears); it falls due after the payment term, in calendar days. What has no date
has a rule in words. Part of `judge`.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal

from dateutil.relativedelta import relativedelta

from extractors.check import cite
from extractors.furniture import Body
from extractors.sides import aliases
from extractors.values import amounts, dates
from schemas.contract import Bill, Extraction, FeeLine, Obligation, Term
from schemas.document import Document

_MONTHS = {"monthly": 1, "quarterly": 3, "annual": 12}
_CENT = Decimal("0.01")
MOST_BILLS = 240
"""Bills of a schedule at most: twenty years of months."""


def billing_schedule(extraction: Extraction) -> tuple[Bill, ...]:
    """The fixed fees of the initial term as bills in the order of their dates; empty where they can't be reckoned."""
    terms = {term.term: term for term in extraction.terms if term.value is not None}
    lines = [line for line in extraction.fee_lines if line.amount and line.frequency != "usage"]
    start, end = _start(terms), _day(terms, "expiration_date")
    days = int(terms["payment_terms_days"].value_number) if "payment_terms_days" in terms else None
    bills = [*_once(lines, start, days), *_recurring(terms, lines, start, end, days)]
    stated = next((line.currency for line in lines if line.currency), None)
    currency = terms["currency"].value if "currency" in terms else stated
    dated = sorted(bills, key=lambda bill: (bill.due_date is None, bill.due_date or date.max, bill.basis))
    return tuple(bill.model_copy(update={"currency": bill.currency or currency}) for bill in dated[:MOST_BILLS])


def _day(terms: dict[str, Term], name: str) -> date | None:
    return terms[name].value_date if name in terms else None


def _start(terms: dict[str, Term]) -> date | None:
    """The first day of the initial term: reckoned back from its end where length and end are known."""
    end, months = _day(terms, "expiration_date"), terms.get("initial_term_months")
    if end and months and float(months.value_number).is_integer():
        return end + timedelta(days=1) - relativedelta(months=int(months.value_number))
    return _day(terms, "effective_date") or _day(terms, "agreement_date")


def _once(lines: Sequence[FeeLine], start: date | None, days: int | None) -> Iterator[Bill]:
    for line in lines:
        if line.frequency == "one_time":
            due = start + timedelta(days=days or 0) if start else None
            yield Bill(due_date=due, amount=line.amount, currency=line.currency, basis=f"once: {line.item}")
        elif line.frequency == "milestone":
            yield Bill(due_date=None, amount=line.amount, currency=line.currency, basis=f"milestone: {line.item}")


def _recurring(
    terms: dict[str, Term], lines: Sequence[FeeLine], start: date | None, end: date | None, days: int | None
) -> Iterator[Bill]:
    """Equal parts of the yearly fees, one a billing period; the first takes what can't be divided evenly."""
    yearly = _yearly(terms, lines)
    frequency = terms["billing_frequency"].value if "billing_frequency" in terms else None
    months = _MONTHS.get(frequency or "")
    if not (yearly and months and start and end):
        return
    part = (yearly * months / 12).quantize(_CENT, ROUND_DOWN)
    in_arrears = "billing_timing" in terms and terms["billing_timing"].value == "arrears"
    first = start
    while first <= end:
        last = min(first + relativedelta(months=months) - timedelta(days=1), end)
        invoiced = last + timedelta(days=1) if in_arrears else first
        share = part if last - first > timedelta(days=27 * months) else _share(part, first, last, months)
        yield Bill(
            due_date=invoiced + timedelta(days=days or 0),
            amount=format(share, "f"),
            basis=f"{frequency} {'in arrears' if in_arrears else 'in advance'}: {first} to {last}, invoiced {invoiced}",
        )
        first = last + timedelta(days=1)


def _share(part: Decimal, first: date, last: date, months: int) -> Decimal:
    whole = (first + relativedelta(months=months) - first).days
    return (part * ((last - first).days + 1) / whole).quantize(_CENT)


def _yearly(terms: dict[str, Term], lines: Sequence[FeeLine]) -> Decimal | None:
    recurring = [line for line in lines if line.frequency in _MONTHS]
    if recurring:
        return sum((Decimal(line.amount) * 12 / _MONTHS[line.frequency] for line in recurring), Decimal(0))
    return Decimal(terms["annual_value"].value) if "annual_value" in terms else None


# --- Obligations

_SHALL = (
    r"\s+(?:shall|will|must|agrees?\s+to|undertakes?\s+to|is\s+(?:obliged|required)\s+to)\s+"
    r"(?:also\s+|promptly\s+|then\s+)?"
)
_NOT = re.compile(
    r"^(?:not|in\s+no\s+event|never|have\s+(?:no|the\s+right)|be\s+(?:entitled|deemed|liable|governed|construed))\b",
    re.IGNORECASE,
)
_WITHIN = re.compile(
    r"\b(?:within|no\s+later\s+than|not\s+later\s+than|at\s+least|by)\s+(?:\w+\s+)?\(?\w+\)?\s+"
    r"(?:business\s+|calendar\s+|working\s+)?(?:days?|weeks?|months?|hours?)\b[^.;,]{0,80}|"
    r"\b(?:each|every|per)\s+(?:calendar\s+|contract\s+)?(?:day|week|month|quarter|year)\b|"
    r"\b(?:monthly|quarterly|annually|weekly|yearly|promptly|immediately|upon\s+(?:request|demand|termination|"
    r"expiration|expiry))\b[^.;,]{0,40}",
    re.IGNORECASE,
)
_BY_DATE = re.compile(
    r"\b(?:by|before|on|no\s+later\s+than|not\s+later\s+than|until|on\s+or\s+before)\s*$", re.IGNORECASE
)
LONGEST = 240
"""Letters of an obligation as it is told; its quotation has all of them."""


def obligations(extraction: Extraction, document: Document, body: Body) -> tuple[Obligation, ...]:
    """What each party has to do by a date or within a time, in the order of the text; then what ends or renews."""
    parties = [term for term in extraction.terms if term.term == "parties" and term.value]
    labels = _labels(document.text, parties)
    found = list(_promised(document, body, labels)) if labels else []
    return (*found, *_of_terms(extraction))


def _labels(text: str, parties: Sequence[Term]) -> dict[str, str]:
    """Short name or role in lower case -> the party's full name."""
    labels: dict[str, str] = {}
    for party in parties:
        rivals = [other.value for other in parties if other.value != party.value]
        names = {party.value, *aliases(text, party.value, rivals), *([party.role] if party.role else [])}
        labels |= {name.lower(): party.value for name in names if len(name) > 2}
    return labels


def _promised(document: Document, body: Body, labels: dict[str, str]) -> Iterator[Obligation]:
    either = "|".join(re.escape(name) for name in sorted(labels, key=len, reverse=True))
    promise = re.compile(rf"\b(?:the\s+)?(?P<party>{either}){_SHALL}(?P<deed>[^;]+)", re.IGNORECASE)
    for start, end in body.sentences:
        match = promise.search(body.text, start, end)
        if not match or _NOT.match(match["deed"]):
            continue
        deed = " ".join(match["deed"].split())
        day = next((d.value for d in dates(deed) if _BY_DATE.search(deed[: d.start])), None)
        rule = _WITHIN.search(deed)
        if not (day or rule):
            continue
        money = amounts(deed)
        citation = cite(document, start, end)
        yield Obligation(
            party=labels[match["party"].lower()],
            obligation=deed[:LONGEST],
            due_date=day,
            due_rule=" ".join(rule.group().split()) if rule else None,
            amount=str(money[0].amount) if money else None,
            currency=money[0].currency if money else None,
            quote=document.text[start:end],
            page_number=citation.page_number,
        )


def _of_terms(extraction: Extraction) -> Iterator[Obligation]:
    """The notice that keeps a contract from renewing: the one date that nobody promises and all must know."""
    deadline = extraction.term("notice_deadline")
    notice = extraction.term("renewal_notice_days")
    if deadline and deadline.value_date:
        yield Obligation(
            party=None,
            obligation="tell the other party if the contract is not to renew",
            due_date=deadline.value_date,
            due_rule=f"{notice.value} days before the running period ends" if notice else None,
            quote=deadline.quote or "",
            page_number=deadline.citation.page_number if deadline.citation else None,
        )
