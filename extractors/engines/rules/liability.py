"""The cap on liability: an amount, a multiple of fees, none, or none at all."""

import re
from collections.abc import Iterable

from extractors.engines.view import Sentence, View
from extractors.values import amounts, durations, number_from_words, pattern
from schemas.contract import Term

_CAP = pattern(
    r"\bliabilit(?:y|ies)\b[^.;]{0,260}\b(?:exceed|limited to|limited in (?:the )?aggregate|capped at|not be (?:greater|more) than|"
    r"be no (?:greater|more) than|shall be the|maximum)\b|\b(?:maximum|aggregate|total|entire|cumulative) (?:aggregate |cumulative "
    r"|total )?liability\b|\bin no event shall\b[^.;]{0,160}\b(?:liable|liability)\b[^.;]{0,160}\b(?:exceed|in excess|more than)\b|"
    r"\bliable\b[^.;]{0,120}\b(?:in excess|more than|exceeding)\b|\bamount recoverable\b[^.;]{0,160}\bexceed\b|\bliability cap\b|\bcap on liability\b"
)
_FEES = pattern(
    r"\b(?:fees?|amounts?|sums?|charges?|payments?|price|consideration|monies)\b[^.;]{0,100}\b(?:paid|payable|due|owed|received|invoiced)\b|"
    r"\b(?:paid|payable|due|received)\b[^.;]{0,90}\b(?:fees?|amounts?|charges?|sums?)?\b[^.;]{0,40}\b(?:under|pursuant|by|for|in|to)\b|"
    r"\b(?:annual|monthly|months?'?) (?:of )?(?:subscription |service )?fees\b|\bfees\b"
)
_UNLIMITED = pattern(
    r"\bliabilit\w*\b[^.;]{0,80}\b(?:is|are|shall be|will be|remains?) (?:unlimited|uncapped|without limit)|"
    r"\bunlimited liability\b|\bno (?:limit|limitation|cap)\b[^.;]{0,40}\bliabilit|\bliabilit\w*\b[^.;]{0,60}\b(?:shall|will) not be "
    r"(?:limited|capped)|\bnot (?:be )?(?:subject to|limited by) any (?:cap|limit)"
)
_CARVE_OUT = pattern(
    r"\b(?:do(?:es)? not|shall not|will not|not) (?:apply|limit|exclude|cap)|\bexcept|\bother than\b|\bnothing in\b|\bfor "
    r"(?:breach|death|fraud|personal injury|its indemn|indemnif|data)|\bexclusions?\b|\barising (?:from|out of) (?:its )?"
    r"(?:gross|fraud|indemn)|\bsuper-?cap|\bdata (?:protection|breach)|\bconfidential"
)
_TIMES = pattern(
    r"\b(?:(?P<digits>\d+(?:\.\d+)?)\s*(?:x|times)|(?P<words>two|three|four|five|ten) times|(?P<twice>twice|double))\b"
)


def terms(view: View) -> Iterable[Term]:
    """Type, amount, months and basis of the general cap; super-caps and carve-outs are passed over."""
    for sentence in view.about("liability"):
        if cap := _CAP.search(sentence.text):
            yield from _cap(view, sentence, cap)
        if (match := _UNLIMITED.search(sentence.text)) and not _CARVE_OUT.search(sentence.text):
            yield view.found("liability_cap_type", "uncapped", sentence, match.span(), confidence=0.75)


def _cap(view: View, sentence: Sentence, cap: re.Match[str]) -> Iterable[Term]:
    text = sentence.text
    money = [m for m in amounts(text) if m.end > cap.start()]
    fees = _FEES.search(text, cap.start())
    sure = 0.85 - 0.35 * bool(_special(text, cap))
    if fees and re.search(r"paid|payable|received|months?|annual|times|twice|fees", fees.group(), re.I):
        span = (cap.start(), min(len(text), max(fees.end(), cap.end())))
        yield view.found("liability_cap_type", "fees_multiple", sentence, span, confidence=sure)
        if months := _months(text, cap.start()):
            yield view.found("liability_cap_months", months, sentence, span, confidence=sure)
        if basis := _basis(text[cap.start() :]):
            yield view.found("liability_cap_basis", basis, sentence, span, confidence=sure - 0.05)
    elif money:
        span = (cap.start(), max(cap.end(), money[0].end))
        yield view.found("liability_cap_type", "amount", sentence, span, confidence=sure)
    if money:
        span = (cap.start(), max(cap.end(), money[0].end))
        yield view.found("liability_cap_amount", money[0].amount, sentence, span, confidence=sure - 0.05)


def _special(text: str, cap: re.Match[str]) -> bool:
    """Whether the cap is one for data breaches or indemnities, beside the general one."""
    around = text[max(0, cap.start() - 140) : cap.end()]
    return bool(re.search(r"super-?cap|enhanced|data (?:breach|protection)|security incident|indemnif\w+ obligations|confidentiality",
                          around, re.I)) and not re.search(r"except (?:for|as)|other than|excluding|save for", around, re.I)  # fmt: skip


def _months(text: str, start: int) -> float | None:
    months = next((d.months for d in durations(text[start:]) if d.unit in ("month", "year") and d.months >= 1), None)
    times = _TIMES.search(text, start)
    factor = 1.0
    if times:
        factor = 2.0 if times["twice"] else float(times["digits"] or number_from_words(times["words"]) or 1)
    if months is None and re.search(
        r"\bannual (?:subscription |service )?(?:fees|charges)|\bper year", text[start:], re.I
    ):
        months = 12.0
    return months * factor if months else None


def _basis(text: str) -> str | None:
    paid = [word for word in ("paid", "payable") if re.search(rf"\b{word}\b", text, re.I)]
    if re.search(r"(?:preceding|prior|previous|before|last)\b", text, re.I) and re.search(r"month|year", text, re.I):
        scope = ["lookback"]
    elif re.search(r"\bunder (?:this|the)\b|\bduring the term|\bhereunder\b|\bapplicable order", text, re.I):
        scope = ["term"]
    else:
        scope = []
    return "; ".join([" or ".join(paid)] * bool(paid) + scope) or None
