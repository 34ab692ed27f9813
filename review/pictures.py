"""Pictures of pages, and where words stand on them.

The file of a page is found by what the warehouse says of its document, never by what a request says, and is shown only
while its SHA-256 is still the landed one.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Protocol

from rapidfuzz import fuzz

from extractors.check import NEAR, FlatText
from extractors.files import Content, Limits
from extractors.inbox import Item as Arrived
from extractors.inbox import identify, item_at
from extractors.page_images import Turned, as_jpeg, flat_box, flattened, page_pixels
from review.published import Filed
from review.shown import ContractView, PageInfo, PageWords, Picture, QuoteBox, WordBox
from schemas.base import Frozen
from schemas.document import Document, Word
from schemas.errors import DocumentError
from schemas.review import ReviewError
from schemas.settings import Settings, is_remote
from warehouse.keep import Keep

PictureKind = Literal["page", "straight", "original"]
"""`page` is the page upright: words and boxes are measured on it. `straight` is a photo or scan flattened; `original`
is the picture as it came, neither turned nor flattened."""

KEEP_FOLDER = "work"
WIDTHS = (400, 800, 1200, 1600, 2400)
"""Pixels; the next larger one is drawn, so that few pictures of a page are kept."""
MOST_READINGS = 32
LEANING = 1.5
"""Heights of its tallest word that the box of a line may have; beyond them the line leans."""
_VERSION = "1"
"""Raised when the same page would be drawn differently; part of the pictures' tags."""


class Documents(Protocol):
    """Who knows what was published of a document: the desk."""

    def document(self, document_id: str) -> Filed | None:
        """Where a document came from, and its pages."""

    def crop(self, document_id: str, number: int) -> bytes | None:
        """The picture of a mark."""


class Flattening(Frozen):
    """How a page was flattened: the size of its flat picture, and the homography from pixels of the upright one, with
    their number on a point of the page."""

    width: int
    height: int
    pixels_per_point: float
    homography: tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]


class Pictures:
    """Pictures, words and boxes of the documents of one warehouse; any number of threads may ask."""

    def __init__(self, root: Path, settings: Settings, documents: Documents):
        self._folder = Path(root) / KEEP_FOLDER
        self._settings = settings
        self._documents = documents
        self._limits = Limits(
            max_pages=settings.max_pages,
            max_megapixels=settings.max_megapixels,
            max_megabytes=settings.max_megabytes,
            reading=settings.reading,
        )
        self._drawing = Lock()  # MuPDF may be used by one thread at a time
        self._readings = lru_cache(maxsize=MOST_READINGS)(_read)

    def tag(self, document_id: str, page_number: int, *, kind: PictureKind = "page", width: int = 1200) -> str:
        """What the picture of a page is told apart by, without drawing it. Raises ReviewError `not_found`."""
        filed = self._filed(document_id)
        page = _page(filed, page_number)
        parts = (_VERSION, filed.sha256, page_number, _turn(page, kind), kind, _width(width))
        return sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]

    def page(self, document_id: str, page_number: int, *, kind: PictureKind = "page", width: int = 1200) -> Picture:
        """A page as a JPEG, about `width` pixels wide. Raises ReviewError: `not_found` (no such document or page),
        `no_original` (its file is not there any more), `changed_original` (it is another one now)."""
        filed, tag = self._filed(document_id), self.tag(document_id, page_number, kind=kind, width=width)
        content = self._content(filed)
        keep, step = self._keep(filed), _step(page_number, kind, width)
        data = keep.load_bytes(step, tag)
        if data is None:
            data = self._drawn(filed, content, _page(filed, page_number), kind, _width(width))
            if keep.latest_file("read"):  # else the contract was forgotten meanwhile, and nothing of it may be kept
                keep.save_bytes(step, tag, data)
        return Picture(data, "image/jpeg", tag)

    def words(self, document_id: str, page_number: int, *, kind: Literal["page", "straight"] = "page") -> PageWords:
        """The words of a page, measured on its picture of that kind. Raises ReviewError `not_found`, or `no_reading`
        when the reading is kept no longer; for a flat picture as `page` does, too."""
        filed = self._filed(document_id)
        page = _page(filed, page_number)
        reading = self._reading(filed)
        if reading is None or not any(read.number == page_number for read in reading.document.pages):
            raise ReviewError(
                "What was read of this document is kept no longer.",
                help="Run the night again with `contract-agent backfill --mode all --from-stage read`.",
                code="no_reading",
            )
        read = reading.document.pages[page_number - 1]
        words = tuple(WordBox(read.text[w.start : w.end], *w.box) for w in read.words)
        found = PageWords(
            document_id=document_id, page_number=page_number, width=page.width, height=page.height, words=words
        )
        return found if kind == "page" else self._flat_words(found, filed, page)

    def mark(self, document_id: str, number: int) -> Picture:
        """The picture of a mark as a PNG; `number` as in `Mark`. Raises ReviewError `not_found`."""
        crop = self._documents.crop(document_id, number)
        if crop is None:
            raise _not_found("picture of this mark")
        return Picture(crop, "image/png", sha256(crop).hexdigest()[:32])

    def boxes(self, view: ContractView) -> dict[str, tuple[QuoteBox, ...]]:
        """Where the quotations of the contract's terms, flags and topics stand, a box a line, by the item's id.

        The pages are those of the document that the item's row names. Without the kept reading it is the landed box
        alone. Items without a place are left out.
        """
        items = [item for item in (*view.terms, *view.flags, *view.topics) if item.row["quote"]]
        readings = {id: self._reading_of(id) for id in {item.row["document_id"] for item in items}}
        placed = {item.id: tuple(_placed(item.row, readings[item.row["document_id"]])) for item in items}
        return {id: boxes for id, boxes in placed.items() if boxes}

    def _reading_of(self, document_id: str | None) -> "_Reading | None":
        filed = self._documents.document(document_id) if document_id else None
        return self._reading(filed) if filed else None

    def _filed(self, document_id: str) -> Filed:
        filed = self._documents.document(document_id)
        if filed is None:
            raise _not_found("document")
        return filed

    def _keep(self, filed: Filed) -> Keep:
        return Keep(self._folder, filed.contract_id)

    def _reading(self, filed: Filed) -> "_Reading | None":
        file = self._keep(filed).latest_file("read")
        try:
            stamp = file.stat().st_mtime_ns if file else None
        except FileNotFoundError:
            stamp = None
        return self._readings(self._folder, filed.contract_id, str(file), stamp) if stamp is not None else None

    # --- The original

    def _content(self, filed: Filed) -> Content:
        """The file as it was landed. Raises ReviewError when it is not there, or another one is."""
        found = [item for inbox, uri in self._places(filed) if (item := _arrived(inbox, uri))]
        for item in found:
            content = _identified(item)
            if content is not None and content.sha256 == filed.sha256:
                return content
        if found:
            raise ReviewError(
                f"{filed.file_name} is another file now than the one that was read.",
                help="Run the night again; it is read anew as a document of its own.",
                code="changed_original",
            )
        raise ReviewError(
            f"{filed.file_name} is not in the inbox any more.",
            help="Put it back where it was; what was read of it stays as it is.",
            code="no_original",
        )

    def _places(self, filed: Filed) -> Iterator[tuple[Path, str]]:
        """Inboxes that may hold the file and its path below them: where it was found, and where the inbox is today."""
        for inbox in dict.fromkeys((filed.inbox, str(self._settings.inbox or self._settings.home / "inbox"))):
            if inbox and filed.source_uri:
                below = f"{inbox.rstrip('/')}/" if is_remote(inbox) else ""
                yield self._settings.local_folder(inbox), filed.source_uri.removeprefix(below)

    # --- Drawing

    def _drawn(self, filed: Filed, content: Content, page: PageInfo, kind: PictureKind, width: int) -> bytes:
        # Whether flattened for a small picture or a large one, it has to be flattened in the same way.
        pixels = self._pixels(filed, content, page, kind, WIDTHS[-1] if kind == "straight" else width)
        if kind == "straight":
            flat = flattened(pixels)
            self._keep_flattening(filed, page, pixels, flat)
            pixels = flat.pixels
        return as_jpeg(pixels, _longest(width, pixels.shape[1], pixels.shape[0]))

    def _pixels(self, filed: Filed, content: Content, page: PageInfo, kind: PictureKind, width: int) -> Any:
        turned = Turned(page.page_number, _turn(page, kind))
        longest = _longest(width, page.width, page.height)
        try:
            with self._drawing:
                return page_pixels(content, turned, self._limits, longest)
        except (DocumentError, IndexError) as error:
            raise ReviewError(
                f"Page {page.page_number} of {filed.file_name} can't be drawn.",
                help="Open the file itself; `contract-agent doctor` tells what is missing here.",
                code="no_original",
            ) from error

    def _keep_flattening(self, filed: Filed, page: PageInfo, pixels: Any, flat: Any) -> None:
        keep = self._keep(filed)
        held = Flattening(
            width=flat.pixels.shape[1],
            height=flat.pixels.shape[0],
            pixels_per_point=pixels.shape[1] / page.width,
            homography=tuple(tuple(map(float, row)) for row in flat.homography),
        )
        if keep.latest_file("read"):
            keep.save(f"flat{page.page_number}", _flat_key(filed), held)

    def _flat_words(self, words: PageWords, filed: Filed, page: PageInfo) -> PageWords:
        """The words on the flat picture, whose size is in points of the upright page."""
        held = self._keep(filed).load(f"flat{page.page_number}", _flat_key(filed), Flattening)
        if held is None:
            self.page(words.document_id, words.page_number, kind="straight")
            held = self._keep(filed).load(f"flat{page.page_number}", _flat_key(filed), Flattening)
        if held is None:
            raise _not_found("flat picture of this page")
        import numpy as np

        scale, homography = held.pixels_per_point, np.array(held.homography)

        def moved(word: WordBox) -> WordBox:
            box = tuple(edge * scale for edge in word[1:])
            return WordBox(word.text, *(edge / scale for edge in flat_box(box, homography)))

        size = {"width": held.width / scale, "height": held.height / scale}
        return words.model_copy(update={"words": tuple(map(moved, words.words)), **size})


class _Reading:
    """A kept reading, and where quotations stand in it."""

    def __init__(self, document: Document):
        self.document = document
        self._flat: FlatText | None = None

    def span(self, row: Mapping[str, Any]) -> tuple[int, int] | None:
        """The span of a row's quotation in the document's text; None where it isn't found."""
        start, end = row.get("char_start"), row.get("char_end")
        if start is not None and end is not None and self._says(start, end, row["quote"]):
            return start, end
        if self._flat is None:
            self._flat = FlatText(self.document.text)
        near = self._near(row)
        found = self._flat.find(row["quote"], near) or self._flat.locate(row["quote"])
        return (found[0], found[1]) if found else None

    def _says(self, start: int, end: int, quote: str) -> bool:
        """Whether the quotation, or nearly it, stands at a span: a reading may be newer than the landed rows."""
        there, quoted = (" ".join(text.split()) for text in (self.document.text[start:end], quote))
        return there == quoted or fuzz.ratio(there, quoted) >= NEAR

    def _near(self, row: Mapping[str, Any]) -> int:
        """Where to look first: at the landed box, else on the landed page."""
        number = row["page_number"]
        if not number or number > len(self.document.pages):
            return 0
        page, begins = self.document.pages[number - 1], self.document.page_starts[number - 1]
        if row.get("x0") is None:
            return begins
        inside = (word.start for word in page.words if _is_in(word, row))
        return begins + next(inside, 0)


def quote_boxes(document: Document, char_start: int, char_end: int) -> tuple[QuoteBox, ...]:
    """The boxes of a half-open span of `Document.text`: one a line, on as many pages as it runs over; of a line that
    leans, as on photos, several in steps, so that they keep off the lines beside it."""
    boxes: list[QuoteBox] = []
    before: tuple[int, Word] | None = None
    tallest = 0.0
    for number, word in document.words_between(char_start, char_end):
        box, high = QuoteBox(number, *word.box), word.y1 - word.y0
        if before and _is_same_line(document, before, (number, word)):
            both = _around(boxes[-1], word)
            if both.y1 - both.y0 <= LEANING * max(tallest, high):
                box, high = both, max(tallest, high)
                boxes.pop()
        boxes.append(box)
        before, tallest = (number, word), high
    return tuple(boxes)


def _is_same_line(document: Document, before: tuple[int, Word], after: tuple[int, Word]) -> bool:
    """Whether a word goes on the line of the word before it: in the text, and on the paper."""
    (number, one), (other_number, other) = before, after
    if number != other_number or "\n" in document.pages[number - 1].text[one.end : other.start]:
        return False
    shared = min(one.y1, other.y1) - max(one.y0, other.y0)
    return 2 * shared >= min(one.y1 - one.y0, other.y1 - other.y0) and other.x1 > one.x0


def _around(box: QuoteBox, word: Word) -> QuoteBox:
    return QuoteBox(
        box.page_number, min(box.x0, word.x0), min(box.y0, word.y0), max(box.x1, word.x1), max(box.y1, word.y1)
    )


def _is_in(word: Word, row: Mapping[str, Any]) -> bool:
    across, down = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return row["x0"] <= across <= row["x1"] and row["y0"] <= down <= row["y1"]


def _placed(row: Mapping[str, Any], reading: "_Reading | None") -> Iterable[QuoteBox]:
    span = reading.span(row) if reading else None
    return quote_boxes(reading.document, *span) if reading and span else _landed_box(row)


def _landed_box(row: Mapping[str, Any]) -> tuple[QuoteBox, ...]:
    edges = [row.get(edge) for edge in ("x0", "y0", "x1", "y1")]
    if row["page_number"] is None or None in edges or edges[2] <= edges[0] or edges[3] <= edges[1]:
        return ()
    return (QuoteBox(row["page_number"], *edges),)


def _read(folder: Path, contract_id: str, file: str, stamp: int) -> _Reading | None:
    """The reading that is kept of a contract; file and stamp tell it from a newer one."""
    document = Keep(folder, contract_id).latest("read", Document)
    return _Reading(document) if document else None


def _page(filed: Filed, page_number: int) -> PageInfo:
    page = next((page for page in filed.pages if page.page_number == page_number), None)
    if page is None:
        raise _not_found("page of this number")
    return page


def _turn(page: PageInfo, kind: PictureKind) -> int:
    return page.rotation if page.source == "ocr" and kind != "original" else 0


def _width(asked: int) -> int:
    return next((width for width in WIDTHS if width >= asked), WIDTHS[-1])


def _longest(width: int, across: float, down: float) -> int:
    """The longer side of a picture of that width."""
    return round(width * max(1.0, down / across)) if across and down else width


def _step(page_number: int, kind: PictureKind, width: int) -> str:
    return f"shown{page_number}.{kind}{_width(width)}"


def _flat_key(filed: Filed) -> str:
    return f"{_VERSION}{filed.sha256[:16]}"


def _arrived(inbox: Path, source_uri: str) -> Arrived | None:
    try:
        return item_at(inbox, source_uri) if inbox.is_dir() else None
    except (OSError, DocumentError):
        return None


def _identified(item: Arrived) -> Content | None:
    """The item's content; None where it can't be opened."""
    try:
        stamps = tuple((stat.st_mtime_ns, stat.st_size) for stat in (path.stat() for path in item.paths))
        return _content_of(item, stamps)
    except (OSError, DocumentError):
        return None


@lru_cache(maxsize=1024)
def _content_of(item: Arrived, stamps: tuple[tuple[int, int], ...]) -> Content:
    """Hashing costs a second for large files; the same sizes and times are taken for the same bytes."""
    return identify(item)


def _not_found(what: str) -> ReviewError:
    return ReviewError(f"There is no {what}.", help="Go back to the contract and load it again.", code="not_found")
