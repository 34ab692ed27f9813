"""Termination without cause: who may, with what notice, at what price."""

import re
from collections.abc import Iterable
from functools import lru_cache

from extractors.engines.view import Sentence, View
from extractors.names import BUYER_ROLES, SELLER_ROLES
from extractors.values import amounts, durations, pattern, percents
from schemas.contract import Term

_TERMINATE = pattern(
    r"\b(?:terminat\w+|cancel\w*|withdraw from|(?:end|leave|determine|stop) (?:this|the|our) "
    r"(?:entire |whole )?(?:agreement|engagement|contract|letter|order|licen[cs]e|lease|services?|arrangement)|"
    r"bring (?:this|the) \w+ to an end)\b"
)
_WITHOUT_CAUSE = pattern(
    r"\bfor (?:its |their |his )?(?:sole |own )?convenience\b|\bwithout (?:any )?(?:cause|reason)\b|"
    r"\bwith or without (?:cause|reason)\b|\bfor any (?:or no )?reason\b|\bfor no reason\b|\bat will\b|"
    r"\bno-?fault\b|\bin its (?:sole|absolute) discretion\b|\bwhenever (?:it|you|we|they) (?:chooses?|wish(?:es)?|likes?|pleases?)\b|\bwithout (?:stating|giving|assigning) (?:any |a )?(?:reason|cause)s?\b|\bwith or without (?:a |any )?(?:reason|cause)\b|"
    r"\bfor any reason or no reason\b|\bany reason whatsoever\b|\bneed(?:s|ed)? (?:no|not (?:give|state) a) reason\b"
)
_AT_ANY_TIME = pattern(
    r"\b(?:terminat\w+|cancel\w*|end|ended)\b[^.;]{0,80}\b(?:at any time|upon|on|by giving|by|with)\b[^.;]{0,60}"
    r"\b(?:notice|notification)\b|\bat any time\b[^.;]{0,80}\bterminat"
)
_CAUSE = pattern(
    r"\bbreach\w*|\bdefault\w*|\binsolven\w*|\bbankrupt\w*|\bfail(?:s|ure|ed)? |\bcure|\bnon-?payment|\bforce majeure|"
    r"\bchange (?:of|in) control|\bshould (?:the|any|either|there)\b|\bother hands\b|\bin the event|\bif (?:the other|either|such|any|customer|provider|a|an|it|there|we|you)\b|"
    r"\bviolat\w+|\billegal|\bliquidat|\bceases? to|\bwhere (?:the other|a|an)\b|\bunless |\bmaterial|\boverdue|"
    r"\binfring|\bregulat|\bmisconduct|\bdeath|\brenew|\bemploy|\bfor cause\b"
)
_DENIED = pattern(
    r"\b(?:neither party|no party|not|nor|no right|without (?:the )?right|non-?cancell?able|may only|only (?:be )?terminat"
    r"\w+|solely|except as)\b"
)
_ENDS = r"(?:terminat|cancel|withdraw|determine (?:this|the)|end (?:this|the)|bring (?:this|the) \w+ to an end)"
_DENIED_RIGHT = pattern(
    rf"\b(?:neither party|no party)\b[^.;]{{0,80}}\b{_ENDS}|\b(?:may|shall|will|can) not\b[^.;]{{0,60}}\b"
    rf"{_ENDS}|\bno right (?:to|of)\b[^.;]{{0,50}}\b{_ENDS}|\bnot (?:be )?entitled to\b[^.;]{{0,40}}\b"
    rf"{_ENDS}|\bnon-?cancell?able\b|\bno (?:right of )?termination for convenience|"
    rf"\b(?:cannot|can't) (?:be )?{_ENDS}"
)
_EITHER = pattern(
    r"\b(?:either|each|any|both) (?:party|parties|of the parties|of us)\b|\bthe parties may\b|\beither side\b"
)
_FEE = pattern(
    r"\b(?:early )?(?:termination|cancellation|exit|wind-?(?:up|down)|leaving) (?:fee|charge|payment|penalty)|\bbuy-?out (?:fee|payment)|"
    r"\bremaining (?:subscription |committed |unpaid )?(?:fees|charges|payments)\b|\bbreak fee\b|"
    r"\b(?:fees|charges|payments|sums|amounts) (?:that|which) (?:remain|would (?:have )?(?:fall|fallen|be|been))\b|"
    r"\b(?:fees|charges) for the (?:remainder|rest|balance) of\b|"
    r"\bpay\b[^.;]{0,80}\bthrough the end of the\b"
)
_NO_FEE = pattern(r"\b(?:no|without (?:any )?) ?(?:early )?(?:termination|cancellation) (?:fee|charge|penalty)|without (?:penalty|"
                  r"liability|charge)")  # fmt: skip

LONGEST_TITLE = 12
"""Words."""
_GRANTS = pattern(r"\b(?:may|can|shall|will|is|are|has|have|yes|days?|months?|notice)\b")


def terms(view: View) -> Iterable[Term]:
    """Who may terminate without cause, the notice, and the fee; `none` where only cause is a reason."""
    sentences = view.about("termination")
    rights = list(_rights(view, sentences))
    yield from rights
    granted = [right for right in rights if right.term == "termination_for_convenience" and right.value != "none"]
    if granted:
        yield from _fee(view, sentences)
    elif not rights:
        yield from _only_for_cause(view, sentences)


def _rights(view: View, sentences: list[Sentence]) -> Iterable[Term]:
    for i, sentence in enumerate(sentences):
        match = _TERMINATE.search(sentence.text)
        if not match:
            continue
        for clause_start, clause in _clauses(sentence.text):
            yield from _right(view, sentence, clause_start, clause, sentences[i + 1 : i + 2])


def _clauses(text: str) -> Iterable[tuple[int, str]]:
    """A sentence cut at semicolons, since one list item grants a right and the next denies it."""
    at = 0
    for part in re.split(r"(?<=;)", text):
        yield at, part
        at += len(part)


def _right(view: View, sentence: Sentence, offset: int, clause: str, following: list[Sentence]) -> Iterable[Term]:
    match = _TERMINATE.search(clause)
    if not match:
        return
    if re.search(r"\bnothing in\b", clause, re.IGNORECASE):
        return  # it neither grants nor denies
    reason = _WITHOUT_CAUSE.search(clause)
    if reason and _DENIED_RIGHT.search(clause):
        yield view.found(
            "termination_for_convenience", "none", sentence, _shift(reason.span(), offset), confidence=0.85
        )
        return
    loose = None if reason or _CAUSE.search(clause) else _AT_ANY_TIME.search(clause)
    if loose and (_DENIED.search(clause) or not re.search(r"\bmay\b|right to|entitled|can\b", clause, re.I)):
        loose = None
    evidence = reason or loose
    if evidence is None:
        return
    who = holder(view, clause, evidence.start())
    if who is None:
        return
    span = _shift((min(match.start(), evidence.start()), max(match.end(), evidence.end())), offset)
    sure = 0.5 if _is_title(clause) else 0.85 if reason else 0.6
    yield view.found("termination_for_convenience", who, sentence, span, confidence=sure)
    yield from _notice(view, sentence, following)


def _is_title(clause: str) -> bool:
    """Whether the words are but the title of a clause that grants the right in a sentence of its own."""
    words = re.findall(r"[A-Za-z][\w’'-]*", clause)
    long = [word for word in words if len(word) > 3]
    return len(words) <= LONGEST_TITLE and all(word[0].isupper() for word in long) and not _GRANTS.search(clause)


def _shift(span: tuple[int, int], by: int) -> tuple[int, int]:
    return span[0] + by, span[1] + by


def holder(view: View, clause: str, at: int) -> str | None:
    """Whose right a clause states: either, customer or provider; None when nobody is named.

    The subject of "may" counts most, then who stands behind "by", then the first who is named.
    """
    mentions = sorted(_mentions(view, clause))
    subjects = [side for _, end, side in mentions if _HAS_RIGHT.match(clause, end)]
    agents = [side for start, _, side in mentions if re.search(r"\bby\s+(?:the\s+)?$", clause[:start], re.IGNORECASE)]
    named = subjects or agents or [side for start, _, side in mentions if start <= at] or [s for _, _, s in mentions]
    if {"customer", "provider"} <= set(named[:2]):
        return "either"
    return named[0] if named else None


_HAS_RIGHT = pattern(
    r"(?:'s)?[^.;]{0,40}?\b(?:may|can|shall (?:also )?(?:have|be entitled)|will have|has|have|is entitled|reserves?)\b"
)


def _mentions(view: View, clause: str) -> Iterable[tuple[int, int, str]]:
    for match in _EITHER.finditer(clause):
        yield match.start(), match.end(), "either"
    sides = _sides(view)
    for match in _any_of(tuple(sides)).finditer(clause):
        if side := sides.get(match.group().lower()):
            yield match.start(), match.end(), side


@lru_cache(maxsize=64)
def _any_of(names: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)


def _sides(view: View) -> dict[str, str]:
    sides = dict.fromkeys(BUYER_ROLES, "customer") | dict.fromkeys(SELLER_ROLES, "provider")
    known = {party.side for party in view.parties if party.side}
    for party in view.parties:
        side = party.side
        if side is None and len(view.parties) == 2 and len(known) == 1:
            side = "provider" if "customer" in known else "customer"
        if side:
            sides |= {name.lower(): side for name in (*party.aliases, party.name)}
    return sides


def _notice(view: View, sentence: Sentence, following: list[Sentence]) -> Iterable[Term]:
    for distance, place in enumerate([sentence, *following]):
        if distance and not _TERMINATE.search(place.text):
            continue
        for duration in durations(place.text):
            around = place.text[max(0, duration.start - 80) : duration.end + 60]
            if re.search(r"notice|notif|advance|prior", around, re.I) and not re.search(r"cure|remed", around, re.I):
                span = (duration.start, duration.end)
                yield view.found("termination_notice_days", duration.days, place, span, confidence=0.8 - 0.2 * distance)
                return


def _fee(view: View, sentences: list[Sentence]) -> Iterable[Term]:
    for sentence in sentences:
        match = _FEE.search(sentence.text)
        if (
            not match
            or _NO_FEE.search(sentence.text)
            or not re.search(r"pay|owe|due|equal|liable|(?:fee|charge|penalty) of", sentence.text, re.I)
        ):
            continue
        if money := amounts(sentence.text):
            yield view.found("termination_fee", money[0].amount, sentence, match.span(), confidence=0.7)
        elif percent := percents(sentence.text):
            text = sentence.text[percent[0].start : match.end()] if percent[0].start < match.start() else match.group()
            yield view.found("termination_fee", text, sentence, match.span(), confidence=0.6)
        else:
            yield view.found("termination_fee", match.group(), sentence, match.span(), confidence=0.5)


def _only_for_cause(view: View, sentences: list[Sentence]) -> Iterable[Term]:
    """`none`: the text grants termination for cause and nowhere without one."""
    for sentence in sentences:
        granted = re.search(
            r"\b(?:may|right to|entitled to)\b[^.;]{0,60}\bterminat|\bterminat\w+ (?:this|the) (?:agreement|contract)[^.;]{0,40}"
            r"\b(?:if|upon|for)\b",
            sentence.text,
            re.IGNORECASE,
        )
        if granted and _CAUSE.search(sentence.text):
            yield view.found("termination_for_convenience", "none", sentence, granted.span(), confidence=0.55)
            return
