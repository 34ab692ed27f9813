"""Rows as the eye sees them: words side by side on a page, whatever order its text layer has.

Fee tables come out of a text layer cell by cell. Here the words of one height are one row again, so that a
label and the amount at its right are read together. Part of `extract`.
"""

from typing import NamedTuple

from schemas.document import Document, Page, Word

SAME_HEIGHT = 0.5
"""Share of the smaller height by which two words must overlap to be in one row."""


class Row(NamedTuple):
    """A row: its words from left to right, and the span of `Document.text` that holds them all."""

    page_number: int
    words: tuple[Word, ...]
    texts: tuple[str, ...]
    start: int
    end: int

    @property
    def text(self) -> str:
        """The words joined by blanks."""
        return " ".join(self.texts)


def rows(document: Document) -> list[Row]:
    """All rows of a document, page by page from the top."""
    return [row for page, at in zip(document.pages, document.page_starts, strict=True) for row in rows_of(page, at)]


def rows_of(page: Page, offset: int) -> list[Row]:
    """The rows of a page that starts at a character of `Document.text`, from the top."""
    found: list[list[Word]] = []
    for word in sorted(page.words, key=lambda w: (w.y0 + w.y1, w.x0)):
        if found and _beside(found[-1][0], word):
            found[-1].append(word)
        else:
            found.append([word])
    return [_row(page, offset, words) for words in found]


def _beside(a: Word, b: Word) -> bool:
    overlap = min(a.y1, b.y1) - max(a.y0, b.y0)
    return overlap >= SAME_HEIGHT * min(a.y1 - a.y0, b.y1 - b.y0)


def _row(page: Page, offset: int, words: list[Word]) -> Row:
    ordered = sorted(words, key=lambda w: w.x0)
    return Row(
        page_number=page.number,
        words=tuple(ordered),
        texts=tuple(page.text[w.start : w.end] for w in ordered),
        start=offset + min(w.start for w in words),
        end=offset + max(w.end for w in words),
    )
