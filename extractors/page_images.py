"""A page as a picture, upright, for those who look: a model that is asked about an unreadable page, or a person."""

import io

import numpy as np
import pymupdf
from PIL import Image

from extractors.files import DOCX, Content, Limits, media_type_of
from extractors.images import image_pages
from extractors.mail import materialised
from schemas.document import Page

LONGEST = 1536
"""Pixels of the longer side: print of 8 points is still read at it, and providers shrink what is larger."""
_QUALITY = 80


def page_image(content: Content, page: Page, limits: Limits, longest: int = LONGEST) -> bytes:
    """The page as a JPEG whose longer side has at most `longest` pixels.

    Raises DocumentError when the file can't be read any more.
    """
    with materialised(content) as files:
        pixels = _pixels(files, page.number, limits, longest)
    if page.source == "ocr":
        pixels = np.rot90(pixels, -page.rotation // 90)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=_QUALITY)
    return held.getvalue()


def _pixels(files: Content, number: int, limits: Limits, longest: int) -> np.ndarray:
    """Height x width x 3 (RGB)."""
    kind = media_type_of(files.paths[0])
    if kind == "application/pdf":
        with pymupdf.open(files.paths[0], filetype="pdf") as pdf:
            return _rendered(pdf[number - 1], longest)
    if kind == DOCX:
        from extractors.word import printed  # lxml, and most documents never need it

        paper = printed(files.paths[0], limits)
        with paper.pdf:
            return _rendered(paper.pdf[number - 1], longest)
    pictures = (pixels for path in files.paths for pixels, _ in image_pages(path, limits.max_megapixels))
    return next(pixels for at, pixels in enumerate(pictures, start=1) if at == number)


def _rendered(page: pymupdf.Page, longest: int) -> np.ndarray:
    scale = 2 * longest / max(page.rect.width, page.rect.height)  # drawn larger and shrunk: smoother letters
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB)
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)
