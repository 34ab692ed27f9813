"""Chunk: a `Document` cut along its own sections. The second step of the line.

Chunks follow each other without a gap, so nothing of the text is in none of them; each knows the headings
it stands under. A chunk runs across a page break where its section does.
"""

import re
from collections import Counter

from extractors.characters import count_cjk
from extractors.furniture import body
from schemas.contract import Chunk
from schemas.document import Document

MOST_WORDS = 250
"""A section longer than this is cut between sentences; about 330 tokens."""

LEAST_WORDS = 40
"""A heading opens a new chunk only when the one before it holds this much, so that no chunk is a bare title."""

LONGEST_ASIDE = 300
"""Characters; more than these between two sentences (a table of contents) are a chunk of their own."""

RUNNING_HEADER = 4
"""A heading that stands this often in a document is a running header."""

_TITLE = r"(?P<title>[\"'A-Z(][^\n.:;]{1,90}?)"
_EXHIBIT = re.compile(
    r"(?:EXHIBIT|SCHEDULE|ANNEX|APPENDIX|ATTACHMENT|ADDENDUM|Exhibit|Schedule|Annex|Appendix|Attachment)"
    r"\s+[A-Z0-9][\w.-]{0,5}\b[^\n]{0,80}$"
)
_ARTICLE = re.compile(r"(?:ARTICLE|Article)\s+[IVXLC\d]{1,6}\b[^\n]{0,80}")
_NUMBERED = re.compile(
    rf"(?:Section\s+|SECTION\s+|§\s*)?(?P<number>\d{{1,2}}(?:\.\d{{1,2}}){{0,3}})[.)]?\s+{_TITLE}[.:\n]"
)
_JAPANESE = re.compile(r"第\s*[0-9一二三四五六七八九十]+\s*条\s*(?:[（(][^）)]{1,30}[）)])?")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9 ,&/'()\-.]{3,80}$")
_CONTENTS_LINE = re.compile(r"\.{4,}\s*\d*\s*$|(?:\. ){4,}|^[^.]{3,90}\s\d{1,3}$")


def chunk(document: Document) -> tuple[Chunk, ...]:
    """The chunks of a document in its order; none for a document without text.

    Sections are found by their numbering, capitals and exhibit titles at the start of a sentence; a table of
    contents opens none. Lines alone can't be relied on: many contracts hold a page in one line.
    """
    text, spans = body(document)
    headings = [heading_of(text[begin:end]) for begin, end in spans]
    often = Counter(heading for heading in headings if heading)
    groups: list[tuple[int, int, tuple[str, ...]]] = []
    path: list[tuple[int, str]] = []
    above: tuple[str, ...] = ()
    start, words, last = 0, 0, 0
    for (begin, end), heading in zip(spans, headings, strict=True):
        heading = heading if heading and often[heading] < RUNNING_HEADER else None
        length = _length(text[begin:end])
        if begin - last > LONGEST_ASIDE:
            groups += [(start, last, above)] if words else []
            groups.append((last if words else start, begin, ()))
            start, words = begin, 0
        elif (heading and words >= LEAST_WORDS) or (words and words + length > MOST_WORDS):
            groups.append((start, begin, above))
            start, words = begin, 0
        if heading:
            path = [*(item for item in path if item[0] < heading[0]), heading]
        if words < LEAST_WORDS:
            above = tuple(title for _, title in path)
        words += length
        last = end
    if words:
        groups.append((start, len(text), above))
    return tuple(_chunk(document, i, *group) for i, group in enumerate(groups))


def _length(text: str) -> int:
    """Words of a text; of Japanese, which has no blanks, every other character is one."""
    return len(text.split()) + count_cjk(text) // 2


def heading_of(sentence: str) -> tuple[int, str] | None:
    """Level (0 an exhibit, 1 an article, deeper below) and title of the heading a sentence opens with."""
    first_line = sentence.split("\n", 1)[0].strip()
    if _CONTENTS_LINE.search(sentence):
        return None
    if _EXHIBIT.match(first_line):
        return 0, first_line
    if match := _ARTICLE.match(first_line):
        return 1, " ".join(match.group().split())
    if match := _NUMBERED.match(sentence + "\n"):
        title = match["title"].strip()
        if len(title.split()) <= 12:
            return 1 + match["number"].count("."), f"{match['number']} {title}"
    if match := _JAPANESE.match(first_line):
        return 1, match.group().rstrip()
    if _CAPITALS.match(first_line) and len(first_line.split()) <= 10:
        return 1, first_line
    return None


def _chunk(document: Document, number: int, start: int, end: int, path: tuple[str, ...]) -> Chunk:
    return Chunk(
        chunk_id=f"k{number:04d}",
        start=start,
        end=end,
        heading_path=path,
        page_first=document.page_at(start).number,
        page_last=document.page_at(max(start, end - 1)).number,
        text=document.text[start:end],
    )
