"""Running headers and footers: what stands at the edge of every page and belongs to none of its sentences.

They are blanked out for reading, character by character, so that every offset stays that of `Document.text`.
A quotation never holds them.
"""

import re
from collections import Counter

from schemas.document import PAGE_BREAK, Document, Page

EDGE_LINES = 3
"""How many lines at the top and at the bottom of a page may be furniture."""

LONGEST_LINE = 130
_PAGE_NUMBER = re.compile(r"^\W*(?:page\s*)?\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?\W*$", re.IGNORECASE)


def body_text(document: Document) -> str:
    """`Document.text` with running headers, footers and page numbers as blanks; of the same length."""
    edges = [_edge_lines(page) for page in document.pages]
    often = Counter(key for lines in edges for key in {_key(page_line[2]) for page_line in lines})
    needed = max(2, len(document.pages) // 3)
    return PAGE_BREAK.join(
        _blanked(page.text, [line for line in lines if _is_furniture(line[2], often, needed)])
        for page, lines in zip(document.pages, edges, strict=True)
    )


def _edge_lines(page: Page) -> list[tuple[int, int, str]]:
    """Start, end and text of the first and last lines of a page that are not empty."""
    lines = [(m.start(), m.end(), m.group()) for m in re.finditer(r"[^\n]*\S[^\n]*", page.text)]
    if len(lines) <= EDGE_LINES:
        return lines[-1:]
    return [*lines[:EDGE_LINES], *lines[max(EDGE_LINES, len(lines) - EDGE_LINES) :]]


def _key(line: str) -> str:
    return re.sub(r"\d+", "#", " ".join(line.split()).lower())


def _is_furniture(line: str, often: Counter[str], needed: int) -> bool:
    if _PAGE_NUMBER.match(line):
        return True
    return len(line) <= LONGEST_LINE and often[_key(line)] >= needed and bool(re.search(r"[A-Za-z#\d]", line))


def _blanked(text: str, lines: list[tuple[int, int, str]]) -> str:
    for start, end, _ in lines:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
