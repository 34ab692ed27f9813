"""Which other documents a contract speaks of, and how it stands to them: what links families of contracts.

A reference is a title with a date or a number beside it (`the Master Services Agreement dated March 1, 2024`), or in
an amendment's own heading the title alone. How the two stand to each other is told by the words around it. Part of
`judge`: it reads the document's text, costs milliseconds and no engine.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import zip_longest
from typing import NamedTuple

from extractors.check import cite
from extractors.furniture import Body
from extractors.values import dates
from schemas.contract import PARENTAL, DocumentReference, Extraction, Relation
from schemas.document import Document


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_KIND = (
    r"Agreement|Contract|Terms(?:\s+of\s+(?:Service|Use|Sale|Business))?(?:\s+and\s+Conditions)?|Order\s+Form|Purchase\s+Order|"
    r"Statement\s+of\s+Work|SOW|Work\s+Order|Change\s+Order|Amendment|Addendum|Lease|Licen[cs]e|Undertaking|MSA|NDA|Deed"
)
_JOINER = r"of|and|for|the|to|&|on"
_TITLE = re.compile(
    rf"\b(?:(?!(?:This|The|That|Such|Each|Said|In|Under|Section|Article|Clause)\b)[A-Z][\w'’/-]*(?:\s+(?:{_JOINER}))*\s+){{0,7}}?"
    rf"(?:{_KIND}|AGREEMENT|CONTRACT|LEASE|ORDER\s+FORM)\b(?!['’]s)(?!\s+(?:Effective|Start|Commencement|Date|Term|Year)\b)"
    rf"(?:\s+(?:[Nn]o\.?|[Nn]umber|#)\s?(?P<ordinal>[\w/.-]*\w)|\s+(?P<number>(?=[\w/-]*\d)[A-Z][\w/-]{{2,}}))?"
)
_OWN = re.compile(r"\b(?:this|the\s+present)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_DATED = re.compile(
    r"\b(?:dated|dates?\s+(?:from|of)|made|entered|effective|executed|signed|concluded|as\s+of|with\s+date)\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"\b(?:no\.?|number|reference|ref\.?|#)\s*:?\s*(?P<number>(?=[\w/-]*\d)[\w/-]{3,})", re.IGNORECASE
)
_TO = re.compile(r"\bto\s+(?:the\s+)?$")
_REACH = 160
"""Characters behind a title in which its date or number stands."""
_BEFORE, _BEHIND = 170, 110
"""Characters around a title whose words tell the relation."""
_HEADING = 400
"""Characters of a document's start in which its own heading stands."""

_WORDS: tuple[tuple[Relation, re.Pattern[str]], ...] = (
    ("restates", _words(r"amend(?:s|ed)?\s+and\s+restate[sd]?")),
    (
        "amended_by",
        _words(
            r"\b(?:as|and)\s+(?:so\s+)?(?:amended|changed|modified)\s+(?:it\s+)?by\W*(?:\w+\W+){0,3}$",
            r"changed\s+it\s+by\W*$",
        ),
    ),
    (
        "replaces",
        _words(
            r"supersed|replaces?\b|in\s+place\s+of|terminates?\s+the",
            r"\b(?:previous|earlier|prior|former)\s+(?:\w+\s+)?$",
            r"not\s+amended|does\s+not\s+(?:amend|change)|unrelated|separate\s+from",
        ),
    ),
    ("amends", _words(r"\bamend(?:s|ed|ing|ment)?\b|\bmodif(?:y|ies|ied)\b|\bsupplements?\b|\bvar(?:y|ies)\b")),
    ("renews", _words(r"\brenew(?:s|ed|al\s+of)?\b|\bextends?\b")),
    (
        "under",
        _words(
            r"\bunder\b|\bpursuant\s+to\b|govern|subject\s+to|incorporat|part\s+of|in\s+accordance\s+with",
            r"issued|placed|accompan|attached\s+to|in\s+connection\s+with|annex",
        ),
    ),
)
_OVER = _words(
    r"supersed|expired|which\s+ended|was\s+completed|no\s+longer|no\s+effect",
    r"(?:is|was|has\s+been)\s+(?:hereby\s+)?(?:replaced|terminated)\b",
)
"""Words behind a title that say it is over."""
_ISSUED = _words(
    r"\b(?:issued|placed|made|entered\s+into|executed|delivered|governed|subject)\b[^.;]{0,40}"
    r"\b(?:under|pursuant\s+to|by|to)\W*(?:\w+\W+){0,3}$",
    r"\b(?:part\s+of|incorporat\w+(?:\s+by\s+reference)?\s+(?:in|into)|supplements?\s+to|in\s+connection\s+with|"
    r"annex\w*\s+to|schedule\s+to)\W*(?:\w+\W+){0,3}$",
)
"""What makes a document of another kind than an order or statement of work run under the one named behind it."""
_CHILDREN = frozenset({"amendment", "sow", "order_form"})
_LATER = re.compile(r"amendment|addendum|change\s+order", re.IGNORECASE)


_OWN_NUMBER = re.compile(
    r"\b(?:agreement|contract|order(?:\s+form)?|quote|purchase\s+order|p\.?o\.?|statement\s+of\s+work|sow|document|reference)\s*"
    r"(?:no\.?|number|id|#|ref\.?)\s*:?\s*(?P<number>(?=[\w/-]*\d)[A-Za-z0-9][\w/-]{2,})",
    re.IGNORECASE,
)
_HEAD = 1500
"""Characters of a document's start in which its own number stands."""


def own_numbers(document: Document) -> tuple[str, ...]:
    """The numbers under which others may speak of this document."""
    return tuple(dict.fromkeys(match["number"] for match in _OWN_NUMBER.finditer(document.text, 0, _HEAD)))


class _Place(NamedTuple):
    """A title in the text with what stands beside it."""

    title: str
    start: int
    end: int
    number: str | None
    dated: date | None


def document_references(extraction: Extraction, document: Document, body: Body) -> tuple[DocumentReference, ...]:
    """The documents that are spoken of with a date or a number, each once, in the order of the text."""
    kind = extraction.term("contract_type")
    own = {term.value_date for term in extraction.terms if term.term in ("agreement_date", "signed_date")}
    found: dict[tuple[str | None, date | None, str], DocumentReference] = {}
    for start, end in body.sentences:
        for place in _places(body.text, start, end):
            relation = _relation(body.text, place, start, end, kind.value if kind else None)
            if place.dated in own and relation in ("mentions", "amended_by") and not place.number:
                continue
            key = (place.number, place.dated, "" if place.number or place.dated else place.title.lower())
            citation = cite(document, place.start, place.end)
            reference = DocumentReference(
                relation=relation,
                title=place.title,
                number=place.number,
                dated=place.dated,
                quote=document.text[place.start : place.end],
                page_number=citation.page_number,
                citation=citation,
            )
            if key not in found or _RANK[relation] < _RANK[found[key].relation]:
                found[key] = reference
    return tuple(_one_parent(list(found.values()), kind.value if kind else None))


_RANK: dict[Relation, int] = {
    name: rank
    for rank, name in enumerate(("restates", "amends", "renews", "under", "amended_by", "replaces", "mentions"))
}


def _places(text: str, start: int, end: int) -> Iterator[_Place]:
    matches = [match for match in _TITLE.finditer(text, start, end) if not _is_own(text, match, start)]
    for match, behind in zip_longest(matches, matches[1:]):
        limit = min(end, match.end() + _REACH, behind.start() if behind else end)
        after = text[match.end() : limit]
        day = next((d for d in dates(after) if _is_its_date(after[: d.start])), None)
        numbered = _NUMBERED.search(after[: day.start if day else 60])
        number = match["number"] or (numbered["number"] if numbered else None)
        title = " ".join(match.group().split())
        heads = match.start() < _HEADING and re.search(
            r"\bto\s+(?:the\s+)?$", text[max(start, match.start() - 8) : match.start()]
        )
        if day or number or heads:
            last = match.end() + max(day.end if day else 0, numbered.end() if numbered else 0)
            yield _Place(title, match.start(), last, number, day.value if day else None)


def _is_its_date(between: str) -> bool:
    """Whether what stands between a title and a date makes it the title's: `dated`, or `Terms of January 15, 2026`."""
    return bool(_DATED.search(between)) or between.split() == ["of"]


def _is_own(text: str, match: re.Match[str], start: int) -> bool:
    """Whether the title is the document's own: `this Amendment No. 1`, or the first of `Amendment to the Agreement`."""
    before = text[max(start, match.start() - 40) : match.start()]
    return bool(_OWN.search(before))


def _relation(text: str, place: _Place, start: int, end: int, kind: str | None) -> Relation:
    before = text[max(start, place.start - _BEFORE) : place.start]
    if _OVER.search(text[place.end : min(end, place.end + _BEHIND)]):
        return "replaces"
    told = next((name for name, words in _WORDS if words.search(before)), "mentions")
    if _LATER.match(place.title) and told != "replaces":
        return "amended_by" if kind == "amendment" else "mentions"
    if kind == "amendment":
        return told if told in ("restates", "replaces", "renews") else "amends"
    if told == "under" and kind not in _CHILDREN and not _ISSUED.search(before):
        return "mentions"
    return "mentions" if told == "amended_by" else told


def _one_parent(found: Sequence[DocumentReference], kind: str | None) -> Iterator[DocumentReference]:
    """An amendment changes one agreement: the first it names; others of other titles are only named."""
    parents = [reference for reference in found if reference.relation in PARENTAL]
    dated = {reference.title.lower() for reference in parents if reference.dated or reference.number}
    for reference in found:
        is_bare = not (reference.dated or reference.number)
        if is_bare and reference.title.lower() in dated:
            continue
        other = parents and not _same_title(reference.title, parents[0].title)
        if kind == "amendment" and reference.relation in PARENTAL and other:
            reference = reference.model_copy(update={"relation": "mentions"})
        yield reference


def _same_title(one: str, other: str) -> bool:
    a, b = (set(title.lower().split()) for title in (one, other))
    return a <= b or b <= a
