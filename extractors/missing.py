"""What a document says belongs to it and is not in it: exhibits attached by its words alone, pages of a count."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from schemas.document import Document

_PART = r"(?:Exhibit|Schedule|Annex|Appendix|Attachment)"
_NAMED = re.compile(rf"\b(?P<part>{_PART})\s+(?P<mark>[A-Z]{{1,2}}\b|\d{{1,2}}\b)(?:[-.]\d{{1,2}})?", re.IGNORECASE)
_ATTACHED = re.compile(
    r"attached|annexed|appended|hereto|set\s+(?:forth|out)\s+(?:in|on)|described\s+in|listed\s+(?:in|on)", re.IGNORECASE
)
_ATTACHED_BEHIND = re.compile(r"\W{0,3}(?:\w+\W+){0,3}(?:attached|hereto|annexed)", re.IGNORECASE)
_OTHERS = re.compile(r"\bof\s+the\s+(?!present|foregoing)[A-Z]|\bto\s+the\s+[A-Z]\w+\s+Agreement", re.IGNORECASE)
_HEADING = re.compile(
    rf"^[\s\"“(\[]*(?:{_PART})\s+(?P<mark>[A-Z]{{1,2}}|\d{{1,2}})\b(?![^\n]{{60}})(?!\s+(?:to|of)\s+(?:the|this)\b[^\n]*[.;]\s*$)",
    re.IGNORECASE | re.MULTILINE,
)
_PAGE_OF = re.compile(r"\bpage\s+(?P<number>\d{1,3})\s+of\s+(?P<all>\d{1,3})\b", re.IGNORECASE)
_AROUND = 80


class Missing(NamedTuple):
    """What is missing, in words, and where the document speaks of it (half-open offsets into its text)."""

    what: str
    start: int
    end: int


def missing_parts(document: Document) -> list[Missing]:
    """Exhibits and pages that the document says it has and does not have."""
    return [*_exhibits(document), *_pages(document)]


def _exhibits(document: Document) -> Iterator[Missing]:
    text = document.text
    there = {match["mark"].upper() for match in _HEADING.finditer(text)}
    told: set[str] = set()
    for match in _NAMED.finditer(text):
        mark, before = match["mark"].upper(), text[max(0, match.start() - _AROUND) : match.start()]
        behind = text[match.end() : match.end() + _AROUND]
        is_own = _ATTACHED.search(before[-40:]) or re.match(
            r"\W{0,3}(?:\w+\W+){0,3}(?:attached|hereto|annexed)", behind
        )
        if mark not in there | told and is_own and not _OTHERS.match(behind.lstrip()):
            told.add(mark)
            yield Missing(f"{match['part'].title()} {mark}", match.start(), match.end())


def _pages(document: Document) -> Iterator[Missing]:
    counts = [match for match in _PAGE_OF.finditer(document.text) if int(match["number"]) <= int(match["all"])]
    totals = {int(match["all"]) for match in counts}
    numbers = {int(match["number"]) for match in counts}
    if len(totals) != 1 or len(counts) < 2:
        return
    gone = [number for number in range(1, totals.pop() + 1) if number not in numbers]
    if gone and len(document.pages) < len(gone) + len(numbers):
        yield Missing(f"page{'s' * (len(gone) > 1)} {', '.join(map(str, gone))}", counts[-1].start(), counts[-1].end())
