"""Papers made on the spot for the tests of reading, and documents of given text for the steps behind it."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pymupdf
from PIL import Image

from extractors.files import Content, Limits
from extractors.pdf import RawWord
from extractors.read import lay_out, read
from schemas.document import Document, Page

LINES = (
    "This Agreement is made on 1 March 2026 between Alpha and Beta.",
    "The fee is 500 EUR a month and shall be paid in advance.",
    "The term is three years from the date of this Agreement.",
)


def read_file(path: Path, **limits: int) -> Document:
    return read(Content((path,), "c_1", "0"), Limits(**limits))


def read_pdf(tmp_path: Path, pdf: pymupdf.Document, **limits: int) -> Document:
    return read_file(written(tmp_path / "paper.pdf", pdf.tobytes()), **limits)


def written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def typed(rotation: int = 0, lines: tuple[str, ...] = LINES) -> tuple[pymupdf.Document, pymupdf.Page]:
    """A page whose lines stand upright as it is shown, however its paper is turned."""
    pdf = pymupdf.open()
    page = pdf.new_page()
    page.set_rotation(rotation)
    for i, line in enumerate(lines):
        at = pymupdf.Point(72, 72 + 40 * i) * page.derotation_matrix
        page.insert_text(at, line, fontsize=11, rotate=rotation)
    return pdf, page


def paper() -> bytes:
    """A sound PDF of one page."""
    return typed()[0].tobytes()


def shown(page: pymupdf.Page, *corners: float) -> pymupdf.Rect:
    """A rectangle of the page as shown, in the coordinates that PyMuPDF draws in."""
    return pymupdf.Rect(corners) * page.derotation_matrix


def word_box(text: str) -> pymupdf.Rect:
    """Where words of LINES stand on the page as shown."""
    _, page = typed()
    return page.search_for(text)[0]


def picture(kind: str, size: tuple[int, int] = (300, 400), **options) -> bytes:
    """An image file with noise on it, so that it compresses badly and can be cut anywhere."""
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, kind, **options)
    return file.getvalue()


def declared_png(width: int, height: int) -> bytes:
    """A small PNG whose header claims any size."""

    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(b"\0" * 10_000)) + part(b"IEND", b"")
    )


def scanned(rotation: int = 0, layer: bool = False, declared: tuple[int, int] | None = None) -> pymupdf.Document:
    """A PDF whose page is one image, with somebody's OCR below it or without; its size may be a lie."""
    pdf = pymupdf.open()
    page = pdf.new_page()
    xref = page.insert_image(page.rect, stream=picture("PNG"), keep_proportion=False)
    if declared:
        size = f"/Width {declared[0]}/Height {declared[1]}"
        pdf.update_object(xref, f"<</Type/XObject/Subtype/Image{size}/ColorSpace/DeviceGray/BitsPerComponent 8>>")
        pdf.update_stream(xref, b"\0" * 10_000)
    for i, line in enumerate(LINES if layer else ()):
        page.insert_text((72, 72 + 40 * i), line, render_mode=3)
    page.set_rotation(rotation)
    return pymupdf.open("pdf", pdf.tobytes())


def page_of(number: int, text: str) -> Page:
    """A page on which each line of `text` is a line; a letter is 6 points wide, a line 14 high."""
    raw = []
    for line, content in enumerate(text.split("\n")):
        x = 72.0
        for word in content.split():
            raw.append(RawWord(word, (x, 72 + 14 * line, x + 6 * len(word), 84 + 14 * line), 0, line))
            x += 6 * len(word) + 6
    laid, words = lay_out(raw)
    return Page(number=number, width=612, height=792, text=laid, words=words)


def document(*pages: str, **fields) -> Document:
    """A document of these pages' text."""
    made = tuple(page_of(number, text) for number, text in enumerate(pages, 1))
    return Document(contract_id="c_1", sha256="0", media_type="application/pdf", pages=made, **fields)
