"""A page as a picture, upright, for those who look: a model that is asked about an unreadable page, or a person."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pymupdf
from PIL import Image

from extractors.files import DOCX, Content, Limits, media_type_of
from extractors.images import image_pages, page_count
from extractors.mail import materialised
from schemas.document import Box, Page

LONGEST = 1536
"""Pixels of the longer side: print of 8 points is still read at it, and providers shrink what is larger."""
_QUALITY = 80


class Turned(NamedTuple):
    """Which page, and how far clockwise its picture has to be turned to be upright (0, 90, 180, 270)."""

    number: int
    degrees: int


class Flat(NamedTuple):
    """A picture that was flattened and the homography (3 x 3) that takes the upright picture's pixels to its own."""

    pixels: np.ndarray
    homography: np.ndarray


def page_image(content: Content, page: Page, limits: Limits, longest: int = LONGEST) -> bytes:
    """The page as a JPEG whose longer side has at most `longest` pixels.

    Raises DocumentError when the file can't be read any more.
    """
    turned = Turned(page.number, page.rotation if page.source == "ocr" else 0)
    return as_jpeg(page_pixels(content, turned, limits, 2 * longest), longest)  # drawn larger: smoother letters


def page_pixels(content: Content, page: Turned, limits: Limits, longest: int) -> np.ndarray:
    """The picture of a page, height x width x 3 (RGB): of a photo all its pixels, else drawn with `longest` on its
    longer side. Raises DocumentError when the file can't be read any more."""
    with materialised(content) as files:
        pixels = _pixels(files, page.number, limits, longest)
    return np.ascontiguousarray(np.rot90(pixels, -page.degrees // 90))


def as_jpeg(pixels: np.ndarray, longest: int) -> bytes:
    """The picture as a JPEG whose longer side has at most `longest` pixels."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=_QUALITY)
    return held.getvalue()


def flattened(pixels: np.ndarray) -> Flat:
    """An upright photo or scan as a flat sheet: its outline cut out where one is seen, and its lines level."""
    import cv2  # heavy, and most pages never need it

    from extractors.ocr import ink, straighten

    grey = ink.to_grey(pixels)
    homography, size = np.eye(3), (grey.shape[1], grey.shape[0])
    marks = ink.marks_of(ink.ink_of(ink.flatten(grey, ink.paper(grey))))
    if len(marks):
        is_photo = ink.shade(ink.paper(grey)) < ink.PHOTO_SHADE
        corners = straighten.page_outline(grey, marks) if is_photo else None
        sheet = straighten.dewarped(grey, corners) if corners is not None else straighten.Straight(grey, homography)
        below = ink.paper(sheet.image)
        level = ink.marks_of(ink.ink_of(ink.flatten(sheet.image, below)))
        straight = straighten.deskewed(sheet.image, straighten.skew(level)) if len(level) else sheet
        homography = straighten.after(sheet, straight).homography if straight is not sheet else sheet.homography
        size = (straight.image.shape[1], straight.image.shape[0])
    flat = cv2.warpPerspective(pixels, homography, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return Flat(flat, homography)


def flat_box(box: Box, homography: np.ndarray) -> Box:
    """The box around a box after a homography, both in pixels."""
    x0, y0, x1, y1 = box
    corners = np.array([[x0, y0, 1], [x1, y0, 1], [x1, y1, 1], [x0, y1, 1]], np.float64) @ homography.T
    points = corners[:, :2] / corners[:, 2:]
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


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
    return _of_images(files.paths, number, limits)


def _of_images(paths: Sequence[Path], number: int, limits: Limits) -> np.ndarray:
    """The page of that number; files before it are counted and not decoded."""
    for path in paths:
        held = page_count(path)
        if number <= held:
            pictures = enumerate(image_pages(path, limits.max_megapixels), start=1)
            return next(pixels for at, (pixels, _) in pictures if at == number)
        number -= held
    raise IndexError("the document has fewer pages")


def _rendered(page: pymupdf.Page, longest: int) -> np.ndarray:
    scale = longest / max(page.rect.width, page.rect.height)
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB)
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)
