"""Whether prices may rise, and by how much."""

import re
from collections.abc import Iterable

from extractors.engines.view import Sentence, View
from extractors.values import pattern, percents
from schemas.contract import Term

_PRICE = pattern(r"\b(?:prices?|pricing|fees?|charges?|rates?|rent)\b")
_RISE = pattern(
    r"\bmore than\b[^.;]{0,40}\babove\b|\bhigher than\b|\bincreas\w*|\braise[sd]?\b|\buplift\w*|\badjust\w*|\bescalat\w*|\bindex(?:ed|ation)?\b"
)
_CAP = pattern(
    r"\bno (?:such )?(?:\w+ )?(?:increase|rise|adjustment|uplift)s?\b[^.;]{0,60}\bexceed|\b(?:not|never|no event)\b[^.;]{0,60}\b(?:exceed|more than|greater|above)|\bup to\b|\bno more than\b|"
    r"\bnot more than\b|\bcapped at\b|\bmaximum\b|\bat most\b|\bthe lesser of\b|\blimited to\b|\bdoes not exceed\b|\bcap of\b|"
    r"\bshall be increased by\b|\bwill increase by\b|\bincrease of\b|\bincrease by\b|\buplift of\b"
)
_INDEX = pattern(r"\bCPI\b|\bconsumer price index\b|\bRPI\b|\bprice index\b|\brate of inflation\b|\bindexation\b")
_FIXED = pattern(
    r"\b(?:prices?|pricing|fees?|charges?|rates?)\b[^.;]{0,60}\b(?:shall|will|are|is)? ?(?:remain (?:fixed|firm|locked)\b|(?:fixed|firm|locked) (?:for|during|throughout|until)\b)|"
    r"\b(?:shall|will|may|does|do) not (?:be )?(?:increase|raise|adjust|change)|\bno (?:price )?increase"
)
_FREE = pattern(
    r"\b(?:may|reserves? the right to|is entitled to|shall be entitled to|can)\b[^.;]{0,60}\b(?:increase|raise|adjust|change|"
    r"modify|revise)\b|\bthen[- ]current (?:list )?(?:prices?|pricing|fees|rates)"
)
_LIST_PRICE = pattern(r"then[- ]current (?:list )?(?:prices?|pricing|fees|rates)")
_NOT_PRICE = pattern(
    r"\binterest rate|\blate\b|\bexchange rate|\bcredit|\bliabilit|\binsurance|\bpremium|\btax(?:es)?\b|\bdamages|"
    r"\bquantit|\bheadcount|\buser count|\bmanufacturing cost|\bdiscount (?:of|rate)"
)


def terms(view: View) -> Iterable[Term]:
    """`price_increase_type` and the cap; a cap on an index counts as capped, an index alone as index."""
    for sentence in view.about("price"):
        text = sentence.text
        if not _PRICE.search(text + " " + sentence.heading) or _NOT_PRICE.search(text):
            continue
        if _FIXED.search(text) and not _cap(text):
            match = _FIXED.search(text)
            yield view.found("price_increase_type", "none", sentence, match.span(), confidence=0.7)
        elif rise := _RISE.search(text):
            yield from _rise(view, sentence, rise)
        elif (match := _LIST_PRICE.search(text)) and re.search(r"renew", text, re.IGNORECASE):
            yield view.found("price_increase_type", "uncapped", sentence, match.span(), confidence=0.5)


def _rise(view: View, sentence: Sentence, rise: re.Match[str]) -> Iterable[Term]:
    text = sentence.text
    cap = _cap(text)
    if cap is not None:
        span = (min(rise.start(), cap[1]), max(rise.end(), cap[2]))
        yield view.found("price_increase_type", "capped", sentence, span, confidence=0.85)
        yield view.found("price_increase_cap_percent", cap[0], sentence, span, confidence=0.85)
    elif match := _INDEX.search(text):
        yield view.found("price_increase_type", "index", sentence, match.span(), confidence=0.75)
    elif match := _FREE.search(text):
        yield view.found("price_increase_type", "uncapped", sentence, match.span(), confidence=0.65)


def _cap(text: str) -> tuple[float, int, int] | None:
    """The percentage that a rise may not exceed: the last one after words of a cap."""
    if not _RISE.search(text):
        return None
    for percent in reversed(percents(text)):
        before = text[max(0, percent.start - 150) : percent.start]
        if _CAP.search(before) and not re.search(r"CPI|index", text[max(0, percent.start - 12) : percent.start]):
            return percent.value, percent.start, percent.end
        if re.match(r"\s*(?:cap|per (?:year|annum)|annually|or less)", text[percent.end :], re.I):
            return percent.value, percent.start, percent.end
    return None
