"""Read: file bytes to a `Document` of pages of words. The first step of the line.

Every page knows where its text came from (text layer or OCR), how sure that is, how far the paper was turned
and how it was captured. What can't be read raises a DocumentError whose code and message go to quarantine.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pymupdf

from extractors.characters import clean, is_cjk, language_of
from extractors.files import Content, Limits, media_type_of
from extractors.images import image_pages, page_count
from extractors.pdf import NativePage, RawWord, in_reading_order, native_page
from schemas.document import CaptureClass, Document, EditMark, Page, Word
from schemas.errors import DocumentError

OCR_DPI = 300
POINTS_PER_INCH = 72
_OBJECT = re.compile(rb"\d+\s+\d+\s+obj\b")


def read(content: Content, limits: Limits) -> Document:
    """The document that the bytes hold.

    Raises DocumentError with one of the codes `empty`, `truncated`, `damaged`, `encrypted`, `type_mismatch`,
    `unsupported_type`, `too_large`, `too_many_pages`, `image_too_large`, `no_pages`.
    """
    _check_size(content.paths, limits)
    media_types = [media_type_of(path) for path in content.paths]
    if media_types == ["application/pdf"]:
        pages, marks = _read_pdf(content.paths[0], limits)
    else:
        pages, marks = _read_images(content.paths, limits), []
    if not pages:
        raise DocumentError(f"{content.paths[0].name} has no pages.", help="Ask for it again.", code="no_pages")
    return Document(
        contract_id=content.contract_id,
        sha256=content.sha256,
        media_type=media_types[0],
        pages=tuple(pages),
        edit_marks=tuple(marks),
        language=language_of("\n".join(page.text for page in pages)),
        capture_class=_capture_class(pages),
    )


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


def _read_pdf(path: Path, limits: Limits) -> tuple[list[Page], list[EditMark]]:
    with _open_pdf(path) as pdf:
        _check_page_count(path, pdf.page_count, limits)
        pages, marks = [], []
        try:
            for number in range(pdf.page_count):
                page, page_marks = _read_pdf_page(pdf[number], limits)
                pages.append(page)
                marks += page_marks
        except (pymupdf.FileDataError, pymupdf.mupdf.FzErrorBase) as error:
            raise _broken_page(len(pages) + 1, str(error)) from error
        return pages, marks


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


def _read_pdf_page(page: pymupdf.Page, limits: Limits) -> tuple[Page, list[EditMark]]:
    native = native_page(page, limits.max_megapixels)
    read_page = _ocr_pdf_page(page, native, limits) if native.needs_ocr else _native_pdf_page(page, native)
    if native.is_broken:
        if not read_page.text:
            raise _broken_page(page.number + 1, "nothing of it can be read")
        codes = dict.fromkeys((*read_page.warnings, "needs_review"))
        read_page = read_page.model_copy(update={"warnings": tuple(codes)})
    return read_page, native.marks


def _native_pdf_page(page: pymupdf.Page, native: NativePage) -> Page:
    text, words = lay_out(in_reading_order(native.words, native.fields))
    layer = {"capture": "scan", "warnings": ("ocr_layer",)} if native.is_page_image and words else {}
    return Page(
        number=page.number + 1,
        width=page.rect.width,
        height=page.rect.height,
        text=text,
        words=words,
        rotation=page.rotation,
        **layer,
    )


def _ocr_pdf_page(page: pymupdf.Page, native: NativePage, limits: Limits) -> Page:
    dpi = min(OCR_DPI, POINTS_PER_INCH * (limits.max_megapixels * 1e6 / page.rect.get_area()) ** 0.5)
    pixmap = page.get_pixmap(dpi=max(1, int(dpi)), colorspace=pymupdf.csRGB, annots=False)
    pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)
    read_page = _ocr_page(pixels, page.number + 1, pixmap.width / page.rect.width, native.fields)
    # Without an image the page was drawn by a program whose letters are shapes: still born digital.
    return read_page if native.has_image else read_page.model_copy(update={"capture": "digital"})


def _read_images(paths: Sequence[Path], limits: Limits) -> list[Page]:
    _check_page_count(paths[0], sum(page_count(path) for path in paths), limits)
    pages: list[Page] = []
    for path in paths:
        for pixels, dpi in image_pages(path, limits.max_megapixels):
            pages.append(_ocr_page(pixels, len(pages) + 1, dpi / POINTS_PER_INCH))
    return pages


def _ocr_page(pixels: np.ndarray, number: int, pixels_per_point: float, fields: Sequence[RawWord] = ()) -> Page:
    """A page read by OCR, with the values of its form; boxes and size in points of the upright page."""
    from extractors.ocr import read_image  # heavy, and most documents never need it

    result = read_image(pixels)
    scale = 1 / pixels_per_point
    raw = [
        RawWord(
            clean(w.text).strip(),
            (w.x0 * scale, w.y0 * scale, w.x1 * scale, w.y1 * scale),
            w.block,
            w.line,
            w.confidence,
        )
        for w in result.words
    ]
    raw = [word for word in raw if word.text]
    text, words = lay_out(in_reading_order(raw, () if result.rotation else fields))
    return Page(
        number=number,
        width=result.width * scale,
        height=result.height * scale,
        text=text,
        words=words,
        source="ocr",
        capture=result.capture,
        ocr_confidence=result.confidence,
        rotation=result.rotation,
        warnings=("needs_review",) if result.needs_review else (),
    )


def lay_out(raw: Sequence[RawWord]) -> tuple[str, tuple[Word, ...]]:
    """Page text and the words with their offsets into it.

    Words of a line are joined by a blank (by nothing between Japanese ones), lines by a line break, blocks by
    an empty line.
    """
    parts: list[str] = []
    words: list[Word] = []
    at = 0
    previous: RawWord | None = None
    for word in raw:
        gap = _gap(previous, word)
        at += len(gap)
        parts += (gap, word.text)
        words.append(Word(at, at + len(word.text), *word.box, word.confidence))
        at += len(word.text)
        previous = word
    return "".join(parts), tuple(words)


def _gap(previous: RawWord | None, word: RawWord) -> str:
    if previous is None:
        return ""
    if previous.block != word.block:
        return "\n\n"
    if previous.line != word.line:
        return "\n"
    return "" if is_cjk(previous.text[-1]) and is_cjk(word.text[0]) else " "


def _capture_class(pages: Sequence[Page]) -> CaptureClass:
    """How the document reached us; blank pages don't speak, and one odd page makes it mixed."""
    kinds = {page.capture for page in pages if page.text} or {page.capture for page in pages}
    if len(kinds) == 1:
        return kinds.pop()
    return "mixed"
