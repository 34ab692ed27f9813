"""Families: which held document a reference means, and what holds in a family once its amendments are applied.

A link needs more than a name: the number or the date of the other document, a party in common beside ours, a title that
fits. What an amendment says of itself (its date, its signatures) is not the contract's; what it says of the contract
counts where it stands in words that come into the contract.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta

from extractors.amendments import OF_THE_DOCUMENT
from extractors.derive import deadlines
from extractors.values import last_day, plain_number
from schemas.contract import AmendmentEffect, Term
from schemas.families import Conflict, FamilyTerm, Head, Link, Member, Spoken
from schemas.terms import TERM_BY_NAME

SURE_ENOUGH = 0.75
"""From this confidence a reference is taken to mean a document that is held."""
_NUMBER, _DATE, _PARTY, _TITLE, _ALONE, _STRANGERS = 0.6, 0.5, 0.3, 0.2, 0.3, 0.4
_GENERIC = frozenset(
    {"agreement", "contract", "the", "of", "and", "for", "to", "terms", "a", "an", "amended", "restated"}
)
_DEADLINES = frozenset({"current_period_end", "notice_deadline", "accounting_term_end"})
_RECKONED = _DEADLINES | {"expiration_date"}


# --- Links


def best_link(spoken: Sequence[Spoken], candidates: Sequence[Head]) -> Link | None:
    """The likeliest parent of a contract among those held; None when none is likely enough or two are alike.

    `spoken` are the references of one contract that would name a parent, in the order of its text.
    """
    found = [Link(spoken=said, parent=head, confidence=_fit(said, head)) for said in spoken for head in candidates]
    best = max(found, key=lambda link: link.confidence, default=None)
    if best is None or best.confidence < SURE_ENOUGH:
        return None
    rivals = {link.parent.contract_id for link in found if link.confidence > best.confidence - 0.02}
    return best if len(rivals) == 1 else None


def _fit(said: Spoken, head: Head) -> float:
    child = said.child
    if head.contract_id == child.contract_id or (head.days and child.days and min(head.days) > max(child.days)):
        return 0.0
    if said.number and head.numbers and said.number not in head.numbers:
        return 0.0
    if said.dated and head.days and said.dated not in head.days:
        return 0.0
    if head.contract_type == "amendment" and "amendment" not in said.title.lower():
        return 0.0
    shared, likeness = bool(set(child.others) & set(head.others)), _likeness(said.title, head.title or "")
    are_strangers = bool(child.others and head.others) and not shared
    score = _NUMBER if said.number and said.number in head.numbers else 0.0
    score += _DATE if said.dated and said.dated in head.days else 0.0
    score += _PARTY * shared - _STRANGERS * are_strangers + _TITLE * likeness
    if not said.dated and not said.number:
        score += _ALONE * (shared and likeness > 0.5)
    return min(0.99, max(0.0, round(score, 4)))


def _likeness(one: str, other: str) -> float:
    """Share of the telling words of the shorter title that the other has; 1 where only generic words stand."""
    a, b = (set(re.findall(r"\w+", title.lower())) - _GENERIC for title in (one, other))
    return len(a & b) / min(len(a), len(b)) if a and b else float(not a)


# --- In force


def in_force(root: Member, members: Iterable[Member], today: date) -> list[FamilyTerm]:
    """Every term of a family as it holds on a day, each with the document that set it.

    Amendments and renewals apply in the order of their dates, those that take effect later not yet. Orders and
    statements of work stand for themselves: they only add what the master is silent about, where they agree.
    """
    held = _by_term(root.terms)
    changes = sorted((m for m in members if m.relation in ("restates", "amends", "renews")), key=_order)
    for member in changes:
        if member.effective_from is None or member.effective_from <= today:
            held = _applied(held, root, member)
    for name, values in _of_orders(members, today).items():
        held.setdefault(name, values)
    reckoned = _reckoned(held, root, today)
    return [term for name in TERM_BY_NAME for term in reckoned.get(name, ())]


def _by_term(terms: Iterable[FamilyTerm]) -> dict[str, list[FamilyTerm]]:
    held: dict[str, list[FamilyTerm]] = {}
    for term in terms:
        held.setdefault(term.term, []).append(term)
    return held


def _order(member: Member) -> tuple[date, str]:
    return member.effective_from or date.min, member.contract_id


def _applied(held: dict[str, list[FamilyTerm]], root: Member, member: Member) -> dict[str, list[FamilyTerm]]:
    said = _by_term(term for term in member.terms if term.evidence != "derived")
    if member.relation == "restates" or any(e.effect == "restates" and not e.section for e in member.effects):
        sides = {name: held[name] for name in ("parties", "counterparty", "our_entity", "our_role") if name in held}
        return sides | _by_term(term for term in member.terms if term.term not in _DEADLINES)
    held, before = dict(held), held.get("initial_term_months")
    for effect in member.effects:
        if effect.effect == "deletes":
            _delete(held, root, member, effect)
    brought = {name for effect in member.effects for name in effect.terms}
    for name, values in said.items():
        if name not in OF_THE_DOCUMENT and (name in brought or not member.effects or member.relation == "renews"):
            held[name] = values
    for effect in member.effects:
        if effect.old_text and effect.new_text:
            held |= _reworded(held, member, effect, brought)
    for effect in member.effects:
        if effect.months and "expiration_date" not in brought | said.keys():
            held.pop("expiration_date", None)
        if effect.months and before:
            held["initial_term_months"] = [_longer(before[0], effect, member)]
    return held


_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")


def _figures(text: str) -> set[float]:
    return {float(found.replace(",", "")) for found in _FIGURE.findall(text)}


def _reworded(
    held: dict[str, list[FamilyTerm]], member: Member, effect: AmendmentEffect, brought: Collection[str]
) -> dict[str, list[FamilyTerm]]:
    """Terms whose words an amendment exchanges: `30 days` for `60 days` where the quotation of 30 has them."""
    before, after = _figures(effect.old_text), _figures(effect.new_text)
    if len(before) != 1 or len(after) != 1:
        return {}
    (old,), (new,) = before, after
    words = " ".join(effect.old_text.split())
    changed: dict[str, list[FamilyTerm]] = {}
    for name, (first, *_) in held.items():
        has_words = _stands_in(words, " ".join((first.quote or "").split()))
        if name not in brought and first.value_number == old and has_words:
            value = {"value": plain_number(new), "value_number": new, "evidence": "derived"}
            changed[name] = [first.model_copy(update=_set_by(member, effect) | value)]
    return changed


def _longer(before: FamilyTerm, effect: AmendmentEffect, member: Member) -> FamilyTerm:
    """The initial term with what an amendment adds to it."""
    months = (before.value_number or 0) + effect.months
    return before.model_copy(
        update=_set_by(member, effect) | {"value": plain_number(months), "value_number": months, "evidence": "derived"}
    )


def _set_by(member: Member, effect: AmendmentEffect) -> dict:
    return {
        "contract_id": member.contract_id,
        "document_id": member.document_id,
        "effective_from": member.effective_from,
        "quote": effect.quote,
        "page_number": effect.page_number,
    }


def _delete(held: dict[str, list[FamilyTerm]], root: Member, member: Member, effect: AmendmentEffect) -> None:
    """Takes out what the deleted section of the root says; what silence means there is `none`."""
    section = " ".join(section_of(root.text, effect.section).split()) if effect.section else ""
    for name, values in list(held.items()):
        gone = [v for v in values if v.contract_id == root.contract_id and _stands_in(v.quote, section)]
        if not gone or name in OF_THE_DOCUMENT:
            continue
        if "none" in TERM_BY_NAME[name].choices:
            held[name] = [gone[0].model_copy(update=_set_by(member, effect) | {"value": "none", "evidence": "derived"})]
        else:
            del held[name]


def _stands_in(quote: str | None, section: str) -> bool:
    return bool(quote) and " ".join(quote.split()) in section


def section_of(text: str, number: str) -> str:
    """The text of a numbered section, up to the next one of its level or above; empty when it is not found."""
    opening = rf"^\s*(?:Section\s+|Article\s+|Clause\s+)?{re.escape(number)}[.)\s]"
    start = re.search(opening, text, re.MULTILINE | re.IGNORECASE)
    if not start:
        return ""
    deeper = rf"{re.escape(number)}\."
    end = re.search(rf"^\s*(?!{deeper})\d{{1,2}}(?:\.\d{{1,2}})*[.)]?\s+[A-Z\"“]", text[start.end() :], re.MULTILINE)
    return text[start.start() : start.end() + end.start() if end else len(text)]


def _of_orders(members: Iterable[Member], today: date) -> dict[str, list[FamilyTerm]]:
    """What orders and statements of work say in accord, or one of them alone."""
    said: dict[str, list[list[FamilyTerm]]] = {}
    for member in members:
        if member.relation == "under" and (member.effective_from is None or member.effective_from <= today):
            for name, values in _by_term(member.terms).items():
                if name not in OF_THE_DOCUMENT | _RECKONED:
                    said.setdefault(name, []).append(values)
    return {name: each[0] for name, each in said.items() if len({v[0].value for v in each}) == 1}


def _reckoned(held: dict[str, list[FamilyTerm]], root: Member, today: date) -> dict[str, list[FamilyTerm]]:
    """The terms with end and deadlines reckoned anew from what holds."""
    held = {name: values for name, values in held.items() if name not in _DEADLINES}
    own = _by_term(root.terms)
    months, end = held.get("initial_term_months"), held.get("expiration_date")
    start = _start(own)
    if months and start and (not end or _is_older(end[0], months[0])):
        day = last_day(start, months[0].value_number)
        update = {"term": "expiration_date", "value": day.isoformat(), "value_date": day, "value_number": None}
        held["expiration_date"] = [months[0].model_copy(update=update | {"unit": None, "evidence": "derived"})]
    terms = {name: Term(**values[0].model_dump(include=_TERM_FIELDS)) for name, values in held.items()}
    if (right := held.get("termination_for_convenience")) and right[0].effective_from and "effective_date" in terms:
        # A right that an amendment gave can be used from then on.
        since = max(right[0].effective_from, terms["effective_date"].value_date)
        terms["effective_date"] = terms["effective_date"].model_copy(update={"value_date": since})
    for term in deadlines(terms, today):
        source = _latest(held, term.quote) or root.terms[0]
        told = term.model_dump(include=_TERM_FIELDS)
        place = source.model_dump(include={"page_number", "contract_id", "document_id", "effective_from"})
        held[term.term] = [FamilyTerm(**told | place)]
    return held


_TERM_FIELDS = {"term", "value", "value_date", "value_number", "unit", "quote", "evidence", "confidence"}


def _latest(held: dict[str, list[FamilyTerm]], quote: str | None) -> FamilyTerm | None:
    return next((value for values in held.values() for value in values if quote and value.quote == quote), None)


def _start(own: dict[str, list[FamilyTerm]]) -> date | None:
    """The first day of the root's term: reckoned back from its end, else the day it takes effect."""
    end, months = own.get("expiration_date"), own.get("initial_term_months")
    if end and months and end[0].value_date and months[0].value_number:
        span = last_day(end[0].value_date + timedelta(days=1), -months[0].value_number)
        return span + timedelta(days=1)
    days = [own[name][0].value_date for name in ("effective_date", "agreement_date") if name in own]
    return days[0] if days else None


def _is_older(one: FamilyTerm, other: FamilyTerm) -> bool:
    return (one.effective_from or date.min) < (other.effective_from or date.min)


# --- Conflicts

_ITS_OWN = frozenset(
    {"total_value", "total_value_basis", "annual_value", "initial_term_months", "currency", "minimum_commitment"}
    | {"minimum_commitment_period", "counterparty", "our_entity", "our_role"}
)
"""Terms that an order settles for itself; another value than the master's is none against it."""
_PREVAILS = r"(?:shall |will )?(?:controls?|prevails?|governs?|takes? precedence)"
_ORDER_PREVAILS = re.compile(
    rf"\b(?:this|the|such|each|an) (?:order(?: form)?|sow|statement of work|work order)\b[^.;,]{{0,30}}\b{_PREVAILS}",
    re.IGNORECASE,
)
_MASTER_PREVAILS = re.compile(
    rf"\b(?:agreement|master terms|terms of service|msa|master)\b[^.;,]{{0,30}}\b{_PREVAILS}", re.IGNORECASE
)


def conflicts(held: Iterable[FamilyTerm], root: Member, members: Iterable[Member]) -> Iterator[Conflict]:
    """Where orders and statements of work say other than what holds, and which of both prevails by their own words."""
    in_force = {term.term: term for term in held}
    for member in members:
        if member.relation != "under":
            continue
        prevails, quote = _precedence((*member.precedence, *root.precedence))
        for term in member.terms:
            other = in_force.get(term.term)
            own = term.term in _ITS_OWN | OF_THE_DOCUMENT | _RECKONED or term.evidence == "derived"
            if other and not own and other.contract_id != member.contract_id and other.value != term.value:
                yield Conflict(
                    term=term.term,
                    contract_id=member.contract_id,
                    value=term.value,
                    held=other,
                    prevails=prevails,
                    quote=quote,
                )


def _precedence(clauses: Iterable[str]) -> tuple[str | None, str | None]:
    """Which document prevails, and the clause that says so; the order's own clause is asked first."""
    for clause in clauses:
        if _ORDER_PREVAILS.search(clause):
            return "order", clause
        if _MASTER_PREVAILS.search(clause):
            return "master", clause
    return None, None
