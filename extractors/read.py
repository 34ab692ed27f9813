"""Read: file bytes to a `Document` of pages of words. The first step of the line.

Every page knows where its text came from (text layer or OCR), how sure that is, how far the paper was turned
and how it was captured. What can't be read raises a DocumentError whose code and message go to quarantine.
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate, chain, pairwise
from operator import add
from pathlib import Path

import numpy as np
import pymupdf

from extractors.characters import is_cjk, language_of
from extractors.files import DOCX, Content, Limits, media_type_of
from extractors.images import image_pages, page_count
from extractors.layer import layer_differences
from extractors.layout import in_columns
from extractors.line_numbers import without_line_numbers
from extractors.pdf import NativePage, RawWord, in_reading_order, native_page
from extractors.pictures import Picture, PictureKeep, PictureReader
from extractors.several import suspected_starts
from extractors.tables import Rule, tables
from schemas.document import Box, CaptureClass, Document, EditMark, Page, SignatureArea, Word
from schemas.errors import DocumentError

OCR_DPI = 300
LEGIBLE = 0.9  # confidence of what is read in a part of a page; logos and photos of things have less
OTHER_BLOCKS = 10_000  # blocks of a picture are none of those of the text around it
POINTS_PER_INCH = 72
_OBJECT = re.compile(rb"\d+\s+\d+\s+obj\b")


def read(content: Content, limits: Limits, keep: PictureKeep | None = None) -> Document:
    """The document that the bytes hold. `keep` holds readings of pictures, so that none is read twice.

    Raises DocumentError with one of the codes `empty`, `truncated`, `damaged`, `encrypted`, `type_mismatch`,
    `unsupported_type`, `too_large`, `too_many_pages`, `image_too_large`, `no_pages`.
    """
    _check_size(content.paths, limits)
    media_types = [media_type_of(path) for path in content.paths]
    reader = _Reader(limits, PictureReader(limits.reading, keep))
    if media_types == ["application/pdf"]:
        reader.add_pdf(content.paths[0])
    elif media_types == [DOCX]:
        reader.add_word(content.paths[0])
    else:
        reader.add_images(content.paths)
    if not reader.pages:
        raise DocumentError(f"{content.paths[0].name} has no pages.", help="Ask for it again.", code="no_pages")
    return reader.document(content, media_types[0])


def _check_size(paths: Sequence[Path], limits: Limits) -> None:
    megabytes = sum(path.stat().st_size for path in paths) / 1e6
    if megabytes > limits.max_megabytes:
        raise DocumentError(
            f"{paths[0].name} has {megabytes:.0f} MB, more than the limit of {limits.max_megabytes}.",
            help="Split it, or raise the setting max_megabytes.",
            code="too_large",
        )


def _check_page_count(path: Path, count: int, limits: Limits) -> None:
    if count > limits.max_pages:
        raise DocumentError(
            f"{path.name} has {count} pages, more than the limit of {limits.max_pages}.",
            help="Split it, or raise the setting max_pages.",
            code="too_many_pages",
        )


def _broken_page(number: int, reason: str) -> DocumentError:
    return DocumentError(
        f"Page {number} is damaged: {reason}.",
        help="Ask for the file again, or print it to PDF anew.",
        code="damaged",
    )


def _open_pdf(path: Path) -> pymupdf.Document:
    try:
        pdf = pymupdf.open(path, filetype="pdf")
        if pdf.needs_pass:
            raise DocumentError(
                f"{path.name} is protected by a password.",
                help="Save a copy without the password into the inbox.",
                code="encrypted",
            )
        broken = not _ends_properly(path, pdf.is_repaired) or (pdf.is_repaired and pdf.page_count == 0)
    except (pymupdf.FileDataError, pymupdf.mupdf.FzErrorBase) as error:
        raise _broken(path) from error
    if broken:
        raise _broken(path)
    return pdf


def _broken(path: Path) -> DocumentError:
    if _ends_properly(path, is_repaired=True):
        return DocumentError(
            f"{path.name} is a damaged PDF.",
            help="Ask for the file again, or print it to PDF anew.",
            code="damaged",
        )
    return DocumentError(
        f"{path.name} breaks off before its end.",
        help="Ask for the file again: it was probably cut short while copying.",
        code="truncated",
    )


def _ends_properly(path: Path, is_repaired: bool) -> bool:
    """Whether no object follows the last end mark; without a mark, whether MuPDF found its way all the same.

    Mail gateways leave any amount of junk behind the mark. A PDF made for the web has one near its start, and
    one that was changed later has one before each change: what was cut off there would go unnoticed.
    """
    data = path.read_bytes()
    mark = data.rfind(b"%%EOF")
    return not is_repaired if mark < 0 else not _OBJECT.search(data, mark)


class _Reader:
    """Gathers the pages of one document and what is on them besides their text."""

    def __init__(self, limits: Limits, pictures: PictureReader):
        self.pages: list[Page] = []
        self._limits = limits
        self._pictures = pictures
        self._marks: list[EditMark] = []
        self._areas: list[SignatureArea] = []

    def document(self, content: Content, media_type: str) -> Document:
        """The pages as a document."""
        starts = suspected_starts(self.pages)
        pages = [_warned(page, "second_contract") if page.number in starts else page for page in self.pages]
        return Document(
            contract_id=content.contract_id,
            sha256=content.sha256,
            media_type=media_type,
            pages=tuple(pages),
            edit_marks=tuple(self._marks),
            signature_areas=tuple(self._areas),
            warnings=tuple(dict.fromkeys(code for page in pages for code in page.warnings)),
            language=language_of("\n".join(page.text for page in pages)),
            capture_class=_capture_class(pages),
        )

    def add_pdf(self, path: Path) -> None:
        """The pages of a PDF file."""
        with _open_pdf(path) as pdf:
            _check_page_count(path, pdf.page_count, self._limits)
            try:
                for number in range(pdf.page_count):
                    self._add_pdf_page(pdf[number])
            except (pymupdf.FileDataError, pymupdf.mupdf.FzErrorBase) as error:
                raise _broken_page(len(self.pages) + 1, str(error)) from error

    def add_word(self, path: Path) -> None:
        """The pages of a Word file as they are printed."""
        from extractors.word import printed  # lxml, and most documents never need it

        paper = printed(path, self._limits)
        with paper.pdf:
            _check_page_count(path, paper.pdf.page_count, self._limits)
            for page in paper.pdf:
                self._add_pdf_page(page)
        self.pages = [p.model_copy(update={"hidden": (*p.hidden, *paper.hidden.get(p.number, ()))}) for p in self.pages]
        self._marks = sorted([*self._marks, *paper.marks], key=lambda mark: mark.page_number)

    def add_images(self, paths: Sequence[Path]) -> None:
        """Photos and scans, page by page."""
        _check_page_count(paths[0], sum(page_count(path) for path in paths), self._limits)
        for path in paths:
            for pixels, dpi in image_pages(path, self._limits.max_megapixels):
                picture = self._pictures.read(pixels, len(self.pages) + 1, dpi / POINTS_PER_INCH)
                self._add_picture(picture)

    def _add_pdf_page(self, page: pymupdf.Page) -> None:
        native = native_page(page, self._limits.max_megapixels)
        self._marks += native.marks
        if native.needs_ocr or native.is_page_image:
            self._add_page_image(page, native)
        else:
            self._add_native(page, native)
        if native.is_broken:
            if not self.pages[-1].text:
                raise _broken_page(page.number + 1, "nothing of it can be read")
            self.pages[-1] = _warned(self.pages[-1], "needs_review")

    def _add_native(self, page: pymupdf.Page, native: NativePage) -> None:
        words, warnings = native.words, ()
        for box in native.pictures:
            inside = self._read_region(page, box)
            words = [*words, *(word for word in inside if not any(_meet(word.box, w.box) for w in native.words))]
            warnings = ("picture_text",) if inside else warnings
        text, placed = lay_out(in_reading_order(without_line_numbers(in_columns(words)), native.fields))
        self.pages.append(
            Page(
                number=page.number + 1,
                width=page.rect.width,
                height=page.rect.height,
                text=text,
                words=placed,
                rotation=page.rotation,
                hidden=tuple(native.hidden),
                language=language_of(text) if text else None,
                warnings=warnings,
                tables=tables(words, lambda: _rules(page)),
            )
        )

    def _read_region(self, page: pymupdf.Page, box: Box) -> list[RawWord]:
        """The words in a part of a page that is a picture, in points of the page; pictures of nothing have none."""
        pixels, per_point = _rendered(page, self._limits, pymupdf.Rect(box))
        picture = self._pictures.read(pixels, page.number + 1, per_point)
        if picture.rotation or (picture.confidence or 0.0) < LEGIBLE:
            return []
        return [
            word._replace(box=tuple(v + box[i % 2] for i, v in enumerate(word.box)), block=word.block + OTHER_BLOCKS)
            for word in picture.words
        ]

    def _add_page_image(self, page: pymupdf.Page, native: NativePage) -> None:
        pixels, per_point = _rendered(page, self._limits)
        picture = self._pictures.read(pixels, page.number + 1, per_point)
        self._add_picture(picture, native.fields)
        read = self.pages[-1]
        if native.is_page_image and native.words:
            differs = () if picture.rotation or picture.needs_review else layer_differences(native.words, picture.words)
            read = _warned(read, "ocr_layer").model_copy(update={"hidden": (*native.hidden, *differs)})
        elif not native.has_image:
            # Without an image the page was drawn by a program whose letters are shapes: still born digital.
            read = read.model_copy(update={"capture": "digital", "hidden": tuple(native.hidden)})
        self.pages[-1] = read

    def _add_picture(self, picture: Picture, fields: Sequence[RawWord] = ()) -> None:
        """A page read by OCR, with the values of its form; boxes and size in points of the upright page."""
        ordered = without_line_numbers(in_columns(picture.words))
        text, words = lay_out(in_reading_order(ordered, () if picture.rotation else fields))
        self._marks += picture.marks
        self._areas += picture.areas
        self.pages.append(
            Page(
                number=len(self.pages) + 1,
                width=picture.width,
                height=picture.height,
                text=text,
                words=words,
                source="ocr",
                capture=picture.capture,
                ocr_confidence=picture.confidence,
                rotation=picture.rotation,
                warnings=("needs_review",) if picture.needs_review else (),
                language=picture.language if text else None,
                tables=tables(picture.words),
            )
        )


def _rendered(page: pymupdf.Page, limits: Limits, clip: pymupdf.Rect | None = None) -> tuple[np.ndarray, float]:
    """A page or a part of it as pixels (RGB), and how many of them are a point."""
    part = clip or page.rect
    dpi = max(1, int(min(OCR_DPI, POINTS_PER_INCH * (limits.max_megapixels * 1e6 / part.get_area()) ** 0.5)))
    pixmap = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csRGB, annots=False, clip=clip)
    pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)
    return pixels, pixmap.width / part.width


def _rules(page: pymupdf.Page) -> Iterator[Rule]:
    """The horizontal lines and edges that the page draws."""
    for drawing in page.get_cdrawings():
        for item in drawing["items"]:
            if item[0] == "l" and abs(item[1][1] - item[2][1]) < 1:
                yield min(item[1][0], item[2][0]), max(item[1][0], item[2][0]), item[1][1]
            elif item[0] == "re":
                x0, y0, x1, y1 = item[1][:4]
                yield x0, x1, y0
                yield x0, x1, y1


def _warned(page: Page, code: str) -> Page:
    return page.model_copy(update={"warnings": tuple(dict.fromkeys((*page.warnings, code)))})


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def lay_out(raw: Sequence[RawWord]) -> tuple[str, tuple[Word, ...]]:
    """Page text and the words with their offsets into it.

    Words of a line are joined by a blank (by nothing between Japanese ones), lines by a line break, blocks by
    an empty line.
    """
    if not raw:
        return "", ()
    texts = [word.text for word in raw]
    places = [(word.block, word.line) for word in raw]
    gaps = ["" if place == before else _break(before, place) for before, place in pairwise(places)]
    has_cjk = not all(map(str.isascii, texts)) and is_cjk("".join(texts))
    for i, gap in enumerate(gaps):
        if not gap and not (has_cjk and is_cjk(texts[i][-1]) and is_cjk(texts[i + 1][0])):
            gaps[i] = " "
    starts = list(accumulate(map(add, map(len, texts), map(len, gaps)), initial=0))
    words = [
        _placed((start, start + len(word.text), *word.box, word.confidence))
        for start, word in zip(starts, raw, strict=True)
    ]
    return "".join(chain.from_iterable(zip(texts, [*gaps, ""], strict=True))), tuple(words)


_placed = partial(tuple.__new__, Word)  # half the time that the class takes


def _break(before: tuple[int, float], place: tuple[int, float]) -> str:
    return "\n\n" if before[0] != place[0] else "\n"


def _capture_class(pages: Sequence[Page]) -> CaptureClass:
    """How the document reached us; blank pages don't speak, and one odd page makes it mixed."""
    kinds = {page.capture for page in pages if page.text} or {page.capture for page in pages}
    if len(kinds) == 1:
        return kinds.pop()
    return "mixed"
