"""What is printed on the pages and belongs to none of their sentences.

Running headers and footers, page numbers, line numbers, tables of contents, and footnotes that a sentence
running over to the next page would have to pass. They are blanked out for reading, character by character,
so that every offset stays that of `Document.text`. A quotation never holds them.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from extractors.sentences import sentences
from schemas.document import PAGE_BREAK, Document, Page, Word

EDGE_LINES = 3
"""How many lines at the top and at the bottom of a page may be furniture."""

LONGEST_LINE = 130
_PAGE_NUMBER = re.compile(r"^\W*(?:page\s*)?\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?\W*$", re.IGNORECASE)


SMALL_PRINT = 0.9
"""A footnote is set in letters at most this much of the page's; smaller than this share of their height."""

LONGEST_NOTES = 0.4
"""Share of a page's words that its footnotes may be."""

FEWEST_ENTRIES = 3
"""Entries that follow the title of a table of contents."""

ENTRY_LINES = 3
"""Lines that an entry may have before its page number."""

_LINE_NUMBERS = re.compile(r"\n\n((?:\d{1,4} ){3,}\d{1,4})\Z")
_NOTE_MARK = re.compile(r"(?:\(?\d{1,2}[).]?|[*†‡§]{1,3}|\[\d{1,2}\])(?=\s|[A-Z])")
_SENTENCE_END = '.;:?!"”。'
_CONTENTS = re.compile(
    r"^[^\S\n]*(?:TABLE\s+OF\s+CONTENTS|CONTENTS|INHALTSVERZEICHNIS|TABLE\s+DES\s+MATI[EÈ]RES|SOMMAIRE|ÍNDICE|目\s*次)"
    r"[^\S\n]*(?:\(?cont(?:inued|['’]d|\.)\)?)?[^\S\n]*(?=\n|$)",
    re.IGNORECASE | re.MULTILINE,
)
_LINE = re.compile(r"[^\n\f]*\S[^\n\f]*")
# A clause's number alone on its line (`2.1`, `3.`) is no page number: its title follows.
_ENTRY_END = re.compile(r"(?:^|[\s.…·-])(?<!\d\.)(\d{1,3})[^\w.)]*$")
_ATTACHED = re.compile(r"\s*(?:Exhibit|Schedule|Annex|Appendix|Attachment|Page\b|Section\W*$)", re.IGNORECASE)
LONGEST_ENTRY_LINE = 120
_SIGNING = re.compile(r"(?:By|Signature|Signed(?:\s+by)?|Name|Title|Its|Date[d]?)\s*[:：]", re.IGNORECASE)
_SIGNED = re.compile(r"\b(?:By|Signature|Signed(?:\s+by)?)\s*:|/s/|\bSd/-|署名|記名押印", re.IGNORECASE)
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_DATE_ALONE = re.compile(
    rf"\W*(?:\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH}|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?),?\s+\d{{4}}\W*", re.IGNORECASE
)
SIGNING_LINES = 4
"""Lines of a signature block above or below the one that is signed."""


class Body(NamedTuple):
    """What a document says: its text without furniture, and the spans of its sentences."""

    text: str
    sentences: list[tuple[int, int]]


def body(document: Document) -> Body:
    """The text and sentences that every later step reads; worked out once for a contract and handed on."""
    text = body_text(document)
    return Body(text, sentences(text))


def body_text(document: Document) -> str:
    """`Document.text` with what is none of its sentences as blanks; of the same length."""
    edges = [_edge_lines(page) for page in document.pages]
    often = Counter(key for lines in edges for key in {_key(page_line[2]) for page_line in lines})
    needed = max(2, len(document.pages) // 3)
    pages = [
        _blanked(page.text, [line[:2] for line in lines if _is_furniture(page, line, often, needed)])
        for page, lines in zip(document.pages, edges, strict=True)
    ]
    pages = [_without_line_numbers(text) for text in pages]
    for at in range(len(pages) - 1):
        pages[at] = _without_interrupting_notes(document.pages[at], pages[at], pages[at + 1])
    text = PAGE_BREAK.join(pages)
    return _blanked(text, _contents(text))


def _without_line_numbers(text: str) -> str:
    """Without the block in which reading puts the line numbers of a page."""
    match = _LINE_NUMBERS.search(text.rstrip())
    if not match or any(int(one) >= int(next_) for one, next_ in pairwise(match[1].split())):
        return text
    return _blanked(text, [match.span(1)])


def _without_interrupting_notes(page: Page, text: str, following: str) -> str:
    """A page's text without its footnotes, where a sentence of the page goes on on the next one."""
    start = _notes_start(page, text) if following.lstrip()[:1].islower() else None
    before = text[:start].rstrip()
    if start is None or not before or before[-1] in _SENTENCE_END:
        return text
    return _blanked(text, [(start, len(text))])


def _notes_start(page: Page, text: str) -> int | None:
    """Where the footnotes begin: small print at the foot of the page whose first line opens with a mark."""
    words = [word for word in page.words if not text[word.start : word.end].isspace()]
    lines = _lines_of(page, words)
    if len(lines) < 3:
        return None
    usual = float(np.median([word.y1 - word.y0 for word in words]))
    found, held = None, 0
    for line in reversed(lines):
        held += len(line)
        if float(np.median([word.y1 - word.y0 for word in line])) > SMALL_PRINT * usual:
            break
        if held > LONGEST_NOTES * len(words):
            return None
        if _NOTE_MARK.match(page.text, line[0].start):
            found = line[0].start
    return found


def _lines_of(page: Page, words: Sequence[Word]) -> list[list[Word]]:
    lines: list[list[Word]] = []
    for word in words:
        if lines and "\n" not in page.text[lines[-1][-1].end : word.start]:
            lines[-1].append(word)
        else:
            lines.append([word])
    return lines


def _contents(text: str) -> list[tuple[int, int]]:
    """The tables of contents: a title and entries, each with a page number that is none of those before it."""
    found: list[tuple[int, int]] = []
    for title in _CONTENTS.finditer(text):
        if found and title.start() < found[-1][1]:
            continue
        end = _contents_end(text, title.end())
        if end is not None:
            found.append((title.start(), end))
    return found


def _contents_end(text: str, start: int) -> int | None:
    """Where the entries after a title end; None when too few follow."""
    entries, last, waiting, end = 0, 0, 0, start
    for line in _LINE.finditer(text, start):
        words = line.group()
        number = _ENTRY_END.search(words)
        if number and int(number[1]) >= last and len(words) <= LONGEST_ENTRY_LINE:
            waiting, end = 0, line.end()
            entries, last = entries + 1, int(number[1])
        elif len(words) > LONGEST_ENTRY_LINE or waiting >= ENTRY_LINES or words.lstrip()[0].islower():
            break
        elif _ATTACHED.match(words) and entries >= FEWEST_ENTRIES:
            waiting, end = 0, line.end()
        else:
            waiting += 1
    return end if entries >= FEWEST_ENTRIES else None


def _edge_lines(page: Page) -> list[tuple[int, int, str]]:
    """Start, end and text of the first and last lines of a page that are not empty."""
    lines = [(m.start(), m.end(), m.group()) for m in _LINE.finditer(page.text)]
    if len(lines) <= EDGE_LINES:
        return lines[-1:]
    return [*lines[:EDGE_LINES], *lines[max(EDGE_LINES, len(lines) - EDGE_LINES) :]]


def _key(line: str) -> str:
    return re.sub(r"\d+", "#", " ".join(line.split()).lower())


def _is_furniture(page: Page, line: tuple[int, int, str], often: Counter[str], needed: int) -> bool:
    start, end, text = line
    if text.strip().isdigit():
        beside = _beside(page, start, end)
        return not beside or often[_key(beside)] >= needed
    if _PAGE_NUMBER.match(text):
        return True
    if _of_signature(page, start, end):
        return False
    return len(text) <= LONGEST_LINE and often[_key(text)] >= needed and bool(re.search(r"[A-Za-z#\d]", text))


def _of_signature(page: Page, start: int, end: int) -> bool:
    """Whether a line is one of a signature block: dates of signatures that end two pages are alike but for digits."""
    line = page.text[start:end].strip()
    if not (_SIGNING.match(line) or _DATE_ALONE.fullmatch(line)):
        return False
    above = page.text[:start].rstrip("\n").split("\n")[-SIGNING_LINES:]
    below = page.text[end:].lstrip("\n").split("\n")[:SIGNING_LINES]
    return any(_SIGNED.search(line) for line in (*above, page.text[start:end], *below))


def _beside(page: Page, start: int, end: int) -> str:
    """What else stands in the row of a number: a header or footer, or the item that it numbers."""
    own = [word for word in page.words if start <= word.start < end]
    y0, y1 = min(word.y0 for word in own), max(word.y1 for word in own)
    others = (word for word in page.words if not start <= word.start < end)
    return " ".join(page.text[w.start : w.end] for w in others if min(w.y1, y1) - max(w.y0, y0) > 0.5 * (y1 - y0))


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with blanks for what the spans hold; line and page breaks stay."""
    for start, end in spans:
        text = text[:start] + re.sub(r"\S", " ", text[start:end]) + text[end:]
    return text
