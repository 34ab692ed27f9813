"""Pages of a PDF: native words with boxes, form field values in place, and the marks put on the page.

Part of `read`. Whether a page needs OCR is decided here, page by page, cheap questions first.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import repeat
from typing import NamedTuple

import numpy as np
import pymupdf

from extractors.characters import clean, garbage_share
from extractors.hidden import DAMAGE, Program, boxes_of, hidden_text, page_traits, whole_textpage
from extractors.letters import has_lost_blanks, is_garbage
from schemas.document import Box, EditMark, HiddenText
from schemas.errors import DocumentError

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)

INK_DPI = 40
FEW_CHARACTERS = 30
FULL_PAGE_IMAGE = 0.8
LARGE_IMAGE = 0.3
SMALL_IMAGE = 0.05
SPARSE_TEXT = 300
GARBAGE_LIMIT = 0.02
# MuPDF goes on silently where a stream breaks off, and loses or changes the words behind that place. None of
# 306 sound contracts brings one of these warnings.
_BROKEN_STREAM = re.compile(
    r"zlib error|premature end of data|read error|page may not be correct|syntax error in content stream"
)


class RawWord(NamedTuple):
    """A word as it stands on the page: clean text, box in points, and its line and block in the page."""

    text: str
    box: Box
    block: int
    line: int
    confidence: float = 1.0


class NativePage(NamedTuple):
    """What the text layer of a page holds, and whether the page must be read by OCR instead.

    `fields` are the values filled into the page's form; `in_reading_order` puts them among the print.
    `is_broken` says that the bytes of the page are damaged: what it says may be less, or other, than it was.
    """

    words: list[RawWord]
    fields: list[RawWord]
    hidden: list[HiddenText]
    marks: list[EditMark]
    needs_ocr: bool
    is_page_image: bool
    has_image: bool
    is_broken: bool
    pictures: tuple[Box, ...] = ()


def native_page(page: pymupdf.Page, max_megapixels: int) -> NativePage:
    """Words, marks and the OCR decision for one page.

    Raises DocumentError `image_too_large` before anything that large is decoded.
    """
    marked = page.first_annot is not None or page.first_widget is not None
    pymupdf.TOOLS.reset_mupdf_warnings()
    # With annotations on the page, its text page would mix their text (and a check mark as the letter "3")
    # into the print.
    textpage = whole_textpage(page, annotations=not marked)
    is_broken = bool(_BROKEN_STREAM.search(pymupdf.TOOLS.mupdf_warnings()))
    program = page_traits(page)
    images = textpage.extractIMGINFO() if program.has_images else []
    _check_images(page, images, max_megapixels)
    words = _words_of_layer(textpage)
    boxes = boxes_of(words)
    words, hidden = hidden_text(page, words, images, program, boxes)
    words = _cleaned(words)
    image_share = _largest_share(page, images) if images else 0.0
    needs_ocr = _needs_ocr(page, words, image_share)
    marks = _annotation_marks(page, words) if marked else []
    if words and _may_be_struck(page, boxes, program):
        annotated = [mark.box for mark in marks if mark.kind == "strikethrough"]
        try:
            drawn = _drawn_strikeouts(page, words)
        except DAMAGE:  # the words stand; what is drawn among them can't be told
            drawn, is_broken = [], True
        marks += [m for m in drawn if not any(_covers(pymupdf.Rect(box), m.box) for box in annotated)]
    fields, field_marks = _form_fields(page) if marked and page.first_widget is not None else ([], [])
    return NativePage(
        words=words,
        fields=fields,
        hidden=hidden,
        marks=marks + field_marks,
        needs_ocr=needs_ocr,
        is_page_image=image_share >= FULL_PAGE_IMAGE,
        has_image=bool(images),
        is_broken=is_broken,
        pictures=_pictures(page, images),
    )


def _words_of_layer(textpage: pymupdf.TextPage) -> list[RawWord]:
    """All words, with their characters as they are: clean-up takes away what may hide text."""
    found = textpage.extractWORDS()
    if not found:
        return []
    x0, y0, x1, y1, texts, blocks, lines, _ = zip(*found, strict=True)
    return list(map(_raw_word, zip(texts, zip(x0, y0, x1, y1, strict=True), blocks, lines, repeat(1.0), strict=False)))


_raw_word = partial(tuple.__new__, RawWord)  # a third of the time that the class takes
_CONTROL = re.compile("[\x00-\x1f\x7f]")


def _cleaned(words: list[RawWord]) -> list[RawWord]:
    """The words with their characters cleaned up; most have nothing to clean."""
    text = "".join([word.text for word in words])
    if _CONTROL.search(text):
        odd = range(len(words))
    else:
        odd = [] if text.isascii() else [i for i, word in enumerate(words) if not word.text.isascii()]
    cleaned = list(words)
    for i in odd:
        cleaned[i] = words[i]._replace(text=clean(words[i].text).strip())
    return [word for word in cleaned if word.text] if odd else cleaned


def _check_images(page: pymupdf.Page, images: list[dict], max_megapixels: int) -> None:
    for image in images:
        megapixels = image["width"] * image["height"] / 1e6
        if megapixels > max_megapixels:
            raise DocumentError(
                f"Page {page.number + 1} holds an image of {megapixels:.0f} megapixels, more than the limit "
                f"of {max_megapixels}.",
                help="Save it smaller, or raise the setting max_megapixels.",
                code="image_too_large",
            )


def _pictures(page: pymupdf.Page, images: list[dict]) -> tuple[Box, ...]:
    """The parts of the page that are images and large enough to hold a passage of text."""
    area = abs(page.rect.width * page.rect.height) or 1.0
    parts = [pymupdf.Rect(image["bbox"]) & page.rect for image in images]
    return tuple(tuple(part) for part in parts if SMALL_IMAGE * area <= abs(part.get_area()) < FULL_PAGE_IMAGE * area)


def _largest_share(page: pymupdf.Page, images: list[dict]) -> float:
    area = abs(page.rect.width * page.rect.height) or 1.0
    shares = [abs((pymupdf.Rect(image["bbox"]) & page.rect).get_area()) / area for image in images]
    return max(shares, default=0.0)


def _needs_ocr(page: pymupdf.Page, words: list[RawWord], image_share: float) -> bool:
    """Whether the text layer can't stand for the page; order of questions by their cost."""
    texts = [word.text for word in words]
    text = " ".join(texts)
    if len(text) < FEW_CHARACTERS:
        return not _is_short_text(page, text, image_share) and _has_ink(page)
    if LARGE_IMAGE <= image_share < FULL_PAGE_IMAGE and len(text) < SPARSE_TEXT:
        return True
    return _has_garbage(text) or is_garbage(texts) or has_lost_blanks(texts)


def _has_garbage(text: str) -> bool:
    may_have = not text.isprintable() or "\ufffd" in text or "(cid:" in text  # cheap, and false of nearly every page
    return may_have and garbage_share(text) > GARBAGE_LIMIT


def _is_short_text(page: pymupdf.Page, text: str, image_share: float) -> bool:
    """Whether the few characters are all there is: a title page, not letters that are shapes or pixels."""
    return bool(text) and not image_share and not garbage_share(text) and not page.get_cdrawings()


def _has_ink(page: pymupdf.Page) -> bool:
    samples = page.get_pixmap(dpi=INK_DPI, colorspace=pymupdf.csGRAY, annots=False).samples
    return bool(samples) and min(samples) < 200


_ANNOTATION_KINDS = {
    "StrikeOut": "strikethrough",
    "Highlight": "highlight",
    "Underline": "annotation",
    "Squiggly": "annotation",
    "FreeText": "insertion",
    "Caret": "insertion",
    "Text": "annotation",
    "Stamp": "annotation",
    "Ink": "handwriting",
}
# Shapes say nothing unless somebody wrote a comment to them; printers to PDF leave thousands of PolyLines.
_SHAPES = ("Square", "Circle", "Line", "Polygon", "PolyLine", "Redact")
_ON_TEXT = ("StrikeOut", "Highlight", "Underline", "Squiggly")


def _annotation_marks(page: pymupdf.Page, words: list[RawWord]) -> list[EditMark]:
    marks = []
    for annotation in page.annots():
        name = annotation.type[1]
        comment = clean(annotation.info.get("content") or "").strip()
        kind = _ANNOTATION_KINDS.get(name) or ("annotation" if name in _SHAPES and comment else None)
        if kind is None or _is_hidden(annotation.flags):
            continue
        box = tuple(annotation.rect * page.rotation_matrix)
        struck = _text_below(annotation, words, page.rotation_matrix) if name in _ON_TEXT else ""
        text = f"{struck} [{comment}]" if struck and comment else struck or comment
        marks.append(EditMark(page_number=page.number + 1, kind=kind, source="annotation", text=text, box=box))
    return marks


def _is_hidden(flags: int) -> bool:
    """Whether neither the screen nor the printer shows an annotation with these flags."""
    printed = flags & pymupdf.PDF_ANNOT_IS_PRINT
    return bool(flags & pymupdf.PDF_ANNOT_IS_HIDDEN or (flags & pymupdf.PDF_ANNOT_IS_NO_VIEW and not printed))


def _text_below(annotation: pymupdf.Annot, words: list[RawWord], turn: pymupdf.Matrix) -> str:
    points = annotation.vertices or []
    quads = [pymupdf.Quad(points[i : i + 4]).rect for i in range(0, len(points) - 3, 4)]
    areas = [quad * turn for quad in quads or [annotation.rect]]
    return " ".join(w.text for w in words if any(_covers(area, w.box) for area in areas))


def _covers(rect: pymupdf.Rect, box: Box, share: float = 0.5) -> bool:
    area = pymupdf.Rect(box).get_area()
    return area > 0 and (pymupdf.Rect(rect) & pymupdf.Rect(box)).get_area() >= share * area


# A strike runs through the middle of a word; an underline runs at or below its base line, which lies at about
# four fifths of the box that PyMuPDF gives a word.
STRIKE_BAND = (0.35, 0.72)
STRIKE_THICKNESS = 2.0
SHORTEST_STRIKE = 3.0
NEARLY = 0.05  # of the height of a word: lines this far beside the band are looked at
MANY_LINES = 200
STRIKE_OVERHANG = 12.0
TALLEST_WORD = 80.0


def _may_be_struck(page: pymupdf.Page, boxes: np.ndarray, program: Program) -> bool:
    """Whether a line that the program draws runs through the middle of a word: cheaper than to look at drawings."""
    if program.lines is None or page.rotation:
        return program.lines != ()
    level = {line for line in program.lines if abs(line[3] - line[1]) <= 2 * STRIKE_THICKNESS}
    if not level:
        return False
    a, b, c, d, e, f = page.transformation_matrix
    if b or c or len(level) > MANY_LINES:
        return True
    x0, y0, x1, y1 = np.array(list(level), np.float32).T[:, :, None]
    left, top, right, bottom = boxes.T
    height = bottom - top
    y = d * (y0 + y1) / 2 + f
    through = (y > top + (STRIKE_BAND[0] - NEARLY) * height) & (y < top + (STRIKE_BAND[1] + NEARLY) * height)
    return bool((through & (a * np.minimum(x0, x1) + e < right) & (a * np.maximum(x0, x1) + e > left)).any())


def _drawn_strikeouts(page: pymupdf.Page, words: list[RawWord]) -> list[EditMark]:
    strokes = list(_horizontal_strokes(page))
    if not strokes:
        return []
    by_top = sorted(words, key=lambda word: word.box[1])
    tops = [word.box[1] for word in by_top]
    marks = []
    for x0, x1, y in strokes:
        near = by_top[bisect_left(tops, y - TALLEST_WORD) : bisect_right(tops, y)]
        struck = sorted((w for w in near if _is_struck(w.box, x0, x1, y)), key=lambda word: word.box[0])
        # A rule that reaches far beyond the words it crosses belongs to a table or a page frame.
        if struck and x0 >= struck[0].box[0] - STRIKE_OVERHANG and x1 <= struck[-1].box[2] + STRIKE_OVERHANG:
            marks.append(_strikeout(page.number + 1, struck))
    return marks


def _strikeout(page_number: int, struck: list[RawWord]) -> EditMark:
    x0, y0, x1, y1 = zip(*(word.box for word in struck), strict=True)
    return EditMark(
        page_number=page_number,
        kind="strikethrough",
        source="drawing",
        text=" ".join(word.text for word in struck),
        box=(min(x0), min(y0), max(x1), max(y1)),
    )


def _horizontal_strokes(page: pymupdf.Page) -> Iterator[tuple[float, float, float]]:
    """Thin horizontal lines and bars of the page as it is shown: x0, x1, y."""
    a, b, c, d, e, f = page.rotation_matrix
    for drawing in page.get_cdrawings():
        for item in drawing["items"]:
            if item[0] == "l":
                (ax, ay), (bx, by) = item[1:3]
            elif item[0] == "re":
                ax, ay, bx, by = item[1]
            else:
                continue
            rise = b * (ax - bx) + d * (ay - by)
            run = a * (ax - bx) + c * (ay - by)
            if abs(rise) <= STRIKE_THICKNESS and abs(run) > SHORTEST_STRIKE:
                left = a * bx + c * by + e
                yield min(left, left + run), max(left, left + run), b * bx + d * by + f + rise / 2


def _is_struck(box: Box, x0: float, x1: float, y: float) -> bool:
    height, width = box[3] - box[1], box[2] - box[0]
    if height <= 0 or width <= 0 or not STRIKE_BAND[0] <= (y - box[1]) / height <= STRIKE_BAND[1]:
        return False
    return min(x1, box[2]) - max(x0, box[0]) >= 0.7 * width


HIDDEN_FIELD = 1  # MuPDF's Display_Hidden: neither the screen nor the printer shows it


def _form_fields(page: pymupdf.Page) -> tuple[list[RawWord], list[EditMark]]:
    """Field values as words at their place, and each as a mark, so that filled-in text stays tellable."""
    words, marks = [], []
    for widget in page.widgets():
        text = "" if widget.field_display == HIDDEN_FIELD else _field_text(widget)
        if not text:
            continue
        rect = widget.rect * page.rotation_matrix
        words += _field_words(text, rect)
        marks.append(
            EditMark(
                page_number=page.number + 1,
                kind="insertion",
                source="form_field",
                text=f"{clean(widget.field_label or widget.field_name or '')}: {text}",
                box=tuple(rect),
            )
        )
    return words, marks


def _field_text(widget: pymupdf.Widget) -> str:
    if widget.field_type in (pymupdf.PDF_WIDGET_TYPE_CHECKBOX, pymupdf.PDF_WIDGET_TYPE_RADIOBUTTON):
        return "[x]" if widget.field_value not in (False, None, "", "Off") else "[ ]"
    value = widget.field_value
    text = ", ".join(value) if isinstance(value, list | tuple) else str(value or "")
    return clean(text).strip()


def _field_words(text: str, rect: pymupdf.Rect) -> list[RawWord]:
    """The words of a value spread over its field by their length; the field's own line, block -1."""
    words = ["[ ]"] if text == "[ ]" else text.split()
    total = sum(len(word) + 1 for word in words)
    at, placed = 0, []
    for word in words:
        x0 = rect.x0 + rect.width * at / total
        x1 = rect.x0 + rect.width * (at + len(word)) / total
        placed.append(RawWord(word, (x0, rect.y0, x1, rect.y1), -1, -1))
        at += len(word) + 1
    return placed


def in_reading_order(words: Sequence[RawWord], fields: Sequence[RawWord]) -> list[RawWord]:
    """The words with those of fields put behind the print on their left (else above them)."""
    ordered = list(words)
    for field_word in fields:
        at = _place_of(field_word, ordered)
        near = [word for word in ordered[max(0, at - 1) : at + 1] if _on_one_line(word.box, field_word.box)]
        before = ordered[at - 1] if at else RawWord("", (0, 0, 0, 0), 0, 0)
        block, line = (near[0].block, near[0].line) if near else (before.block, before.line + 0.5)
        ordered.insert(at, field_word._replace(block=block, line=line))
    return ordered


def _place_of(field_word: RawWord, ordered: list[RawWord]) -> int:
    left = [
        i
        for i, word in enumerate(ordered)
        if _on_one_line(word.box, field_word.box) and word.box[0] <= field_word.box[0]
    ]
    if left:
        return max(left, key=lambda i: ordered[i].box[0]) + 1
    right = [i for i, word in enumerate(ordered) if _on_one_line(word.box, field_word.box)]
    if right:
        return min(right, key=lambda i: ordered[i].box[0])
    above = [i for i, word in enumerate(ordered) if word.box[3] <= field_word.box[3]]
    return (max(above, key=lambda i: (ordered[i].box[3], i)) + 1) if above else 0


def _on_one_line(a: Box, b: Box) -> bool:
    overlap = min(a[3], b[3]) - max(a[1], b[1])
    return overlap >= 0.5 * min(a[3] - a[1], b[3] - b[1])
