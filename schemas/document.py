"""A document as it was read: pages of words with boxes, and the marks on the paper."""

from bisect import bisect_right
from functools import cached_property
from typing import Literal, NamedTuple

from schemas.base import Frozen

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in PDF points, origin at the top left of the page as it is shown."""

Source = Literal["native", "ocr"]
CaptureClass = Literal["digital", "scan", "photo", "mixed"]
MarkKind = Literal["strikethrough", "insertion", "handwriting", "annotation", "highlight"]
MarkSource = Literal["form_field", "annotation", "drawing", "pen"]


class Word(NamedTuple):
    """A word of a page: half-open offsets into `Page.text`, its box, and OCR confidence.

    `confidence` is 0 to 1 and is the OCR engine's; 1.0 for native text.
    """

    start: int
    end: int
    x0: float
    y0: float
    x1: float
    y1: float
    confidence: float = 1.0

    @property
    def box(self) -> Box:
        return (self.x0, self.y0, self.x1, self.y1)


class EditMark(Frozen):
    """Something put on the page besides its print: struck, inserted, noted, or filled in.

    A mark is kept beside the text and never applied to it. `confidence` is that of finding the mark.
    """

    page_number: int
    kind: MarkKind
    source: MarkSource
    text: str
    box: Box
    confidence: float = 1.0


class Page(Frozen):
    """One page. `text` is the printed reading after character clean-up, words joined by blanks and
    line breaks; `words` maps its offsets back to the paper.

    `rotation` is how far the paper was turned clockwise (0, 90, 180, 270) to be read upright.
    `ocr_confidence` is 0 to 1, None for native text and for a blank page. `capture` says how this page
    reached us. `warnings` are codes: `needs_review` (it could not be read well enough, or its bytes are
    damaged), `ocr_layer` (the text layer is somebody's OCR below a page image).
    """

    number: int
    width: float
    height: float
    text: str
    words: tuple[Word, ...]
    source: Source = "native"
    capture: Literal["digital", "scan", "photo"] = "digital"
    ocr_confidence: float | None = None
    rotation: int = 0
    warnings: tuple[str, ...] = ()


PAGE_BREAK = "\n\f\n"


class Document(Frozen):
    """A document that was read. `contract_id` and `sha256` hang on its content alone."""

    contract_id: str
    sha256: str
    media_type: str
    pages: tuple[Page, ...]
    edit_marks: tuple[EditMark, ...] = ()
    language: str = "en"
    capture_class: CaptureClass = "digital"

    @cached_property
    def text(self) -> str:
        """All pages joined by `PAGE_BREAK`; every `char_start` and `char_end` points into it."""
        return PAGE_BREAK.join(page.text for page in self.pages)

    @cached_property
    def page_starts(self) -> list[int]:
        """Offset in `text` at which each page begins."""
        starts, at = [], 0
        for page in self.pages:
            starts.append(at)
            at += len(page.text) + len(PAGE_BREAK)
        return starts

    def page_at(self, offset: int) -> Page:
        """The page on which the character at `offset` stands."""
        return self.pages[max(0, bisect_right(self.page_starts, offset) - 1)]

    def words_between(self, start: int, end: int) -> list[tuple[int, Word]]:
        """Page number and word for every word that overlaps the half-open span."""
        found = []
        for page, at in zip(self.pages, self.page_starts, strict=True):
            if at >= end:
                break
            if at + len(page.text) > start:
                found += [(page.number, w) for w in page.words if at + w.start < end and at + w.end > start]
        return found

    @cached_property
    def ocr_confidence(self) -> float | None:
        """Mean over the pages that OCR read, weighted by their length; None when there are none."""
        read = [(p.ocr_confidence, len(p.text) + 1) for p in self.pages if p.ocr_confidence is not None]
        return sum(c * n for c, n in read) / sum(n for _, n in read) if read else None
