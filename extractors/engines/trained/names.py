"""Document names, parties' names and dates: patterns propose them, a linear model weighs the words around them."""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from extractors.engines.trained.words import tokens

SHORT = {"document_name": "title", "parties": "name", "agreement_date": "date", "effective_date": "date"}
"""Categories whose gold is a name or a date, and the pattern that proposes candidates for them."""

SHORT_FEATURES = 1 << 15

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_BLANK = r"(?:_{1,40}+|\[[^\]\n]{0,5}\]|[•●]|\*{2,5})"
_DAY = rf"(?:\d{{1,2}}(?:\s?(?:s\s?t|n\s?d|r\s?d|t\s?h)\b)?|{_BLANK})"
_YEAR = rf"(?:(?:19|20)\d\d|(?:19|20)\d?_{{1,4}}|{_BLANK})"
_GAP = r"\s{0,5}"
_DATE = re.compile(
    rf"""(?<![\w])(?:
      {_MONTH}{_GAP}{_DAY}{_GAP},?{_GAP}{_YEAR}
    | {_DAY}{_GAP}(?:day\s{{1,5}})?(?:of\s{{1,5}})?(?:{_MONTH}|{_BLANK}){_GAP},?{_GAP}{_YEAR}
    | \d{{1,2}}[/.-]\d{{1,2}}[/.-](?:\d{{4}}|\d\d)\b
    | (?:19|20)\d\d-\d\d-\d\d\b
    | {_MONTH}{_GAP},?{_GAP}(?:19|20)\d\d)""",
    re.IGNORECASE | re.VERBOSE,
)
_YEAR_LIKE = re.compile(r"(?:19|20)\d|[_•●\]*]|\d[/.-]\d")
_FORM = (
    r"(?:Inc(?:orporated)?|INC(?:ORPORATED)?|Corp(?:oration)?|CORP(?:ORATION)?|LLC|L\.L\.C|Ltd|LTD|Limited|LIMITED"
    r"|L\.P|LP|LLP|PLC|plc|Plc|GmbH|GMBH|AG|S\.A|SA|N\.V|B\.V|BV|NV|Co|CO|Company|COMPANY|Bank|BANK|N\.A|Trust"
    r"|TRUST|Fund|FUND|University|UNIVERSITY|S\.p\.A|Partners|Holdings|Association)\b\.?"
)
_NAME_WORD = r"[A-Z0-9][\w&.'’/+-]{0,30}"
COMPANY_FORM = re.compile(_FORM)
_COMPANY = re.compile(
    rf"""(?<![\w.'’&/-])(?:
      (?:{_NAME_WORD},?\s{{1,2}}(?:(?:of|and|the|&|de|for)\s)?){{1,7}}{_FORM}(?:,?\s{_FORM}){{0,2}}
    | {_NAME_WORD}(?:\s(?:&\s)?{_NAME_WORD}){{0,6}}
      (?=,?\s{{0,4}}\((?:the\s|["“]|herein|together|collect|as\s|or\s)
        |,\s(?:an?|having|with|located|whose|acting|the\s)\b))""",
    re.VERBOSE,
)
_QUOTED = re.compile(r"[\"“]\s?([^\"“”\n]{1,60}?)[,.]?\s?[\"”]")
_KIND = (
    r"(?:AGREEMENT|Agreement|CONTRACT|Contract|AMENDMENT|Amendment|ADDENDUM|Addendum|LEASE|Lease|PLAN|Plan|LETTER"
    r"|Letter|STATEMENT|TERMS|Terms|POWER\sOF\sATTORNEY|Power\sof\sAttorney|ORDER\sFORM|Order\sForm)\b"
)
_TITLE_WORD = r"(?:[A-Z][\w&/'’-]{0,25},?|and|of|for|to|the|in|on|by|with|&|-|e-business|\#?\d{1,2})"
_TITLE = re.compile(
    rf"""(?<![\w'’/&-])(?:{_TITLE_WORD}(?:[ ]{{1,2}}|[ ]?\n)){{0,12}}{_KIND}
    (?:\s(?:(?:NO|No|Number|NUMBER)\.?\s?|\#\s?)\d{{1,3}})?
    (?:\s(?:AND|TO|to|and|FOR|for|OF|of)\s(?:{_TITLE_WORD}\s){{0,8}}{_KIND})?""",
    re.VERBOSE,
)
_LEAD = re.compile(r"(?:(?:this|the|these|an?|and|of|in|to|whereas|exhibit|[\d.-]+)\s+)+", re.IGNORECASE)
_HEAD = {"title": 6_000, "name": 8_000}
"""Names and titles are looked for in this many first characters."""


@dataclass(frozen=True)
class Candidate:
    """A possible name or date, `text[start:end]`, and the numbers of its features below SHORT_FEATURES."""

    start: int
    end: int
    features: np.ndarray


def short_candidates(text: str, kind: str) -> list[Candidate]:
    """Candidates of a kind (`title`, `name` or `date`) in the order of the text."""
    spans = sorted(set(_PROPOSERS[kind](text)))
    spellings = [" ".join(text[start:end].split()) for start, end in spans]
    often = Counter(spellings)
    return [
        Candidate(start, end, _numbers(kind, _features(text, start, end, order, often[spelling])))
        for order, ((start, end), spelling) in enumerate(zip(spans, spellings, strict=True))
        if spelling
    ]


def _titles(text: str) -> Iterator[tuple[int, int]]:
    for match in _TITLE.finditer(text, 0, _HEAD["title"]):
        lead = _LEAD.match(text, *match.span())
        yield (lead.end() if lead else match.start()), match.end()


def _names(text: str) -> Iterator[tuple[int, int]]:
    for match in _COMPANY.finditer(text, 0, _HEAD["name"]):
        yield match.span()
    for match in _QUOTED.finditer(text, 0, _HEAD["name"]):
        yield match.span(1)


def _dates(text: str) -> Iterator[tuple[int, int]]:
    for start, end in _around_years(text):
        for match in _DATE.finditer(text, start, end):
            yield match.span()


def _around_years(text: str) -> Iterator[tuple[int, int]]:
    """Parts of the text that may hold a date; to look at those alone takes a fraction of the time."""
    start = end = 0
    for match in _YEAR_LIKE.finditer(text):
        if match.start() - 80 > end:
            yield start, end
            start = match.start() - 80
        end = match.end() + 50
    yield start, end


_PROPOSERS: dict[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "title": _titles,
    "name": _names,
    "date": _dates,
}


def _features(text: str, start: int, end: int, order: int, often: int) -> list[str]:
    inside = tokens(text[start:end])[:10]
    left, right = tokens(text[max(0, start - 80) : start])[-8:], tokens(text[end : end + 80])[:8]
    place = [
        f"at{int(np.log2(start + 50))}",
        f"order{min(order, 12)}",
        f"often{min(often, 6)}",
        f"capitals{text[start:end].isupper()}",
        f"share{10 * start // len(text)}",
    ]
    words = [f"in {word}" for word in inside] + [f"l {word}" for word in left] + [f"r {word}" for word in right]
    near = [f"l{i} {word}" for i, word in enumerate(left[:-4:-1])] + [f"r{i} {w}" for i, w in enumerate(right[:3])]
    ends = [
        f"size{len(inside)}",
        f"first {inside[:1]}",
        f"last {inside[-1:]}",
        f"ll {left[-2:]}",
        f"rr {right[:2]}",
    ]
    marks = ["pl" + text[max(0, start - 3) : start].strip(), "pr" + text[end : end + 3].strip()]
    return place + words + near + ends + marks


def _numbers(kind: str, features: list[str]) -> np.ndarray:
    return np.unique([zlib.crc32(f"{kind} {feature}".encode()) % SHORT_FEATURES for feature in ["", *features]])


class Weighed(NamedTuple):
    """A possible name or date with the log odds that it is each of SHORT, in that order."""

    start: int
    end: int
    logits: tuple[float, ...]


def weighed(candidates: Sequence[Candidate], weights: np.ndarray) -> list[Weighed]:
    """Candidates with what `weights`, shape (SHORT_FEATURES, categories of SHORT), say of them."""
    return [
        Weighed(c.start, c.end, tuple((weights[c.features].sum(axis=0) / np.sqrt(len(c.features))).tolist()))
        for c in candidates
    ]
