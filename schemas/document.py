"""A document as it was read: pages of words with boxes, and the marks on the paper."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Annotated, Literal, NamedTuple

from pydantic import WrapValidator

from schemas.base import Frozen

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in PDF points, origin at the top left of the page as it is shown."""

Source = Literal["native", "ocr"]
CaptureClass = Literal["digital", "scan", "photo", "mixed"]
MarkKind = Literal["strikethrough", "insertion", "handwriting", "annotation", "highlight"]
MarkSource = Literal["form_field", "annotation", "drawing", "pen", "tracked_change"]
HiddenKind = Literal[
    "faint",
    "tiny",
    "transparent",
    "invisible",
    "covered",
    "off_page",
    "hidden_layer",
    "zero_width",
    "wrong_letters",
    "layer_differs",
]


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


def _as_words(value: object, validated: Callable[[object], tuple[Word, ...]]) -> tuple[Word, ...]:
    """The words of a page; those that are words already are taken as they are, as a page has hundreds."""
    if isinstance(value, tuple) and set(map(type, value)) <= {Word}:
        return value
    return validated(value)


class EditMark(Frozen):
    """Something put on the page besides its print: struck, inserted, noted, or filled in.

    A mark is kept beside the text and never applied to it. `confidence` is that of finding the mark. `crop` is
    its picture as a PNG, for marks that were found on a picture.
    """

    page_number: int
    kind: MarkKind
    source: MarkSource
    text: str
    box: Box
    confidence: float = 1.0
    crop: bytes | None = None


class HiddenText(Frozen):
    """Text that the file holds and a reader of the page does not see; it is not part of `Page.text`.

    `kind` says how it is hidden. `wrong_letters` is text whose letters are others than those printed, and
    `layer_differs` a text layer that says something else than the picture of the page.
    """

    kind: HiddenKind
    text: str
    box: Box


class Cell(NamedTuple):
    """A cell of a table: row and column from 0, its text (empty cells have none), its box in points."""

    row: int
    column: int
    text: str
    x0: float
    y0: float
    x1: float
    y1: float


class Table(Frozen):
    """A table on a page, its cells by row and column. A cell's words stay part of `Page.text`."""

    box: Box
    cells: tuple[Cell, ...]

    @property
    def rows(self) -> list[list[str]]:
        """The text of the cells, row by row; all rows are of the same length."""
        high = max((cell.row for cell in self.cells), default=-1) + 1
        wide = max((cell.column for cell in self.cells), default=-1) + 1
        filled = [[""] * wide for _ in range(high)]
        for cell in self.cells:
            filled[cell.row][cell.column] = cell.text
        return filled


class SignatureArea(Frozen):
    """A place for a signature or initials, and whether the picture of the page shows something in it.

    `label` is the print beside it, such as `By:` or `Initials`.
    """

    page_number: int
    kind: Literal["signature", "initials"]
    label: str
    state: Literal["present", "absent", "uncertain"]
    box: Box


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
    words: Annotated[tuple[Word, ...], WrapValidator(_as_words)]
    source: Source = "native"
    capture: Literal["digital", "scan", "photo"] = "digital"
    ocr_confidence: float | None = None
    rotation: int = 0
    warnings: tuple[str, ...] = ()
    language: str | None = None
    hidden: tuple[HiddenText, ...] = ()
    tables: tuple[Table, ...] = ()

    @property
    def is_unread(self) -> bool:
        """Whether it could not be read well enough: a person has to look."""
        return "needs_review" in self.warnings


def marked_text(page: Page, marks: Iterable[EditMark]) -> str | None:
    """The page as whoever marked it wants it read: without what was struck; None where nothing was.

    What was written in stands behind the word before it, in braces: `{sixty}`. Notes and highlights change
    nothing and are left out.
    """
    on_page = [mark for mark in marks if mark.page_number == page.number and mark.source != "form_field"]
    struck = [mark.box for mark in on_page if mark.kind == "strikethrough"]
    written = [
        m for m in on_page if m.text and m.kind in ("insertion", "handwriting") and m.source != "tracked_change"
    ]  # those stand in the text already
    if not struck and not written:
        return None
    parts, at = [], 0
    behind: dict[int, list[str]] = {}
    for mark in written:
        behind.setdefault(_word_before(page, mark.box), []).append("{" + mark.text + "}")
    for index, word in enumerate(page.words):
        text = page.text[word.start : word.end]
        kept = "" if any(_lies_in(word.box, box) for box in struck) else text
        parts += [page.text[at : word.start], kept, *(f" {note}" for note in behind.get(index, ()))]
        at = word.end
    return "".join(parts) + page.text[at:] + "".join(f" {note}" for note in behind.get(-1, ()))


def _lies_in(word: Box, mark: Box) -> bool:
    across = min(word[2], mark[2]) - max(word[0], mark[0])
    down = min(word[3], mark[3]) - max(word[1], mark[1])
    return across > 0.5 * (word[2] - word[0]) and down > 0.2 * (word[3] - word[1])


def _word_before(page: Page, box: Box) -> int:
    """Index of the last word that begins before the box on its line or just below it; -1 when there is none."""
    middle = (box[1] + box[3]) / 2
    near = [
        (abs((w.y0 + w.y1) / 2 - middle), -w.x0, i)
        for i, w in enumerate(page.words)
        if w.x0 <= box[0] + 2 and abs((w.y0 + w.y1) / 2 - middle) <= 1.5 * (w.y1 - w.y0)
    ]
    return min(near)[2] if near else -1


PAGE_BREAK = "\n\f\n"


class Document(Frozen):
    """A document that was read. `contract_id` and `sha256` hang on its content alone."""

    contract_id: str
    sha256: str
    media_type: str
    pages: tuple[Page, ...]
    edit_marks: tuple[EditMark, ...] = ()
    signature_areas: tuple[SignatureArea, ...] = ()
    warnings: tuple[str, ...] = ()
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
