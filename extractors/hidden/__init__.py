"""Text that a PDF holds and a reader of the page does not see. Part of `read`, called page by page.

Three questions, each dearer than the one before and asked of fewer pages: does the page's program use anything
that text can be hidden with (`program`); does every word change the picture of the page (`picture`); and why does
this one not (`why`). The second compares the page drawn with its text and without: white on white, transparent,
clipped and covered text all leave no trace there, whatever the trick was.
"""

from collections.abc import Sequence

import numpy as np
import pymupdf

from extractors.hidden.layers import in_hidden_layers, whole_textpage
from extractors.hidden.picture import doubtful_words, page_program
from extractors.hidden.program import (
    DAMAGE,
    Program,
    has_covering_annotation,
    known_of,
    meets,
    page_traits,
)
from extractors.hidden.why import Trace
from extractors.hidden.words import Verdict, W, boxes_of, by_actual_text, by_box, frame_of, parted, without_zero_width
from schemas.document import HiddenText
from schemas.errors import DocumentError

__all__ = ["DAMAGE", "Program", "boxes_of", "hidden_text", "page_traits", "whole_textpage"]

FULL_PAGE_IMAGE = 0.8


def hidden_text(
    page: pymupdf.Page,
    words: Sequence[W],
    images: Sequence[dict],
    program: Program | None = None,
    boxes: np.ndarray | None = None,
) -> tuple[list[W], list[HiddenText]]:
    """The words that a reader of the page sees, and the text that is there besides.

    `words` and the result are in points of the page as it is shown; the visible ones are those given, in their
    order, without zero-width characters and hidden letters. `images` are those of the page's text page; `program`
    and `boxes` are asked for if the caller has them not. Pages that are one image are left alone: there the text is
    somebody's OCR, below the image or invisible on it.
    Raises DocumentError `damaged` for a page that can't be drawn.
    """
    words, found = without_zero_width(words)
    rect = page.rect
    if _is_page_image(rect, images):
        return words, found
    known = known_of(page)
    hidden: list[HiddenText] = []
    if words:
        boxes = boxes if boxes is not None and len(boxes) == len(words) else boxes_of(words)
        program = program or page_traits(page)
        frame = frame_of(boxes)
        verdicts = by_box(rect, words, boxes, frame)
        is_suspect = known.is_new(program, frame) or any(meets(image["bbox"], boxes) for image in images)
        if is_suspect or has_covering_annotation(page):
            verdicts = _drawn(page, words, boxes, program, images) | verdicts
            if "actual text" in program.traits:
                verdicts |= by_actual_text(page, words)
            if not verdicts:
                known.accept(program, frame, rect)
        words, hidden = parted(words, verdicts)
    return words, found + hidden + in_hidden_layers(page, known)


def _is_page_image(rect: pymupdf.Rect, images: Sequence[dict]) -> bool:
    area = abs(rect.width * rect.height) or 1.0
    return any((pymupdf.Rect(image["bbox"]) & rect).get_area() >= FULL_PAGE_IMAGE * area for image in images)


def _drawn(
    page: pymupdf.Page, words: Sequence[W], boxes: np.ndarray, program: Program, images: Sequence[dict]
) -> dict[int, Verdict]:
    """Verdicts on the words that leave no ink on the page, wholly or in part."""
    is_plain = program.is_plain and not images and not has_covering_annotation(page)
    try:
        shown = page_program(page)
        doubtful = doubtful_words(page, shown, words, boxes, is_plain)
        return Trace(page, shown, program.traits).verdicts(words, doubtful) if doubtful else {}
    except DAMAGE as error:
        raise DocumentError(
            f"Page {page.number + 1} is damaged: it can't be drawn ({error}).",
            help="Ask for the file again, or print it to PDF anew.",
            code="damaged",
        ) from error
