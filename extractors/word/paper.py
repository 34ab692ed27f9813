"""The sheets of a Word file on paper: a PDF in memory, and its marks found again there. Part of reading Word files."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import pymupdf

from extractors.characters import clean
from extractors.files import Limits
from extractors.word.parts import PAGE_NUMBER, ROW, Change, Hidden, Marks, Section, Sheet, Sheets, has_content
from schemas.document import Box, EditMark, HiddenText
from schemas.errors import DocumentError

CSS = """
body { font-family: serif; font-size: %spt; line-height: 1.5; margin: 0; overflow-wrap: break-word; }
p { margin: 0 0 0.5em 0; }
td { vertical-align: top; padding: 2pt 4pt 2pt 4pt; overflow-wrap: normal; }
table { border-collapse: collapse; margin: 0; }
"""
FONT_SIZE = 10.0
SMALLER = (10.0, 9.0, 8.0, 7.0, 6.0, 5.0)
"""Sizes tried until what Word printed on one page stands on one; its fonts may be narrower than ours."""

CUTS = (0.0, 1.7, 3.9, 6.1, 9.7, 14.3)
"""Points that a room is made lower by, one after the other, until the layout keeps to it."""

ENDLESS = 100_000.0
LEAST = 60.0
"""Points of a page that text is still begun on; in lower rooms MuPDF loses some."""

EDGE = 24.0
"""Points between the paper's edge and its header or footer."""


class Paper(NamedTuple):
    """A Word file as it is printed. `hidden` is the text that isn't, by the number of the page it stands on."""

    pdf: pymupdf.Document
    marks: list[EditMark]
    hidden: dict[int, tuple[HiddenText, ...]]


class _Found(NamedTuple):
    """A word that marks lie on: its block and line on the page, box in points, the marks' numbers."""

    place: tuple[int, int]
    text: str
    box: Box
    numbers: frozenset[int]


def laid_out(sheets: Sheets, limits: Limits) -> Paper:
    """The paper of a document; of at most one page more than `max_pages`. Raises DocumentError `damaged`."""
    file = io.BytesIO()
    try:
        writer = pymupdf.DocumentWriter(file)
        _Printer(writer, sheets.images, limits.max_pages + 1).print(sheets.sheets)
        writer.close()
        pdf = pymupdf.open("pdf", file.getvalue())
    except pymupdf.mupdf.FzErrorBase as error:
        raise DocumentError(
            f"It can't be laid out: {error}.", help="Open it in Word and print it to PDF.", code="damaged"
        ) from error
    marks: list[EditMark] = []
    hidden: dict[int, tuple[HiddenText, ...]] = {}
    for page in pdf if sheets.marks.all else ():
        words = list(_marked_words(page, sheets.marks))
        if page.number == pdf.page_count - 1:
            words += _behind(page, sheets.unplaced)
        marks += _edit_marks(page.number + 1, words, sheets.marks)
        found = tuple(_hidden_text(words, sheets.marks))
        if found:
            hidden[page.number + 1] = found
    return Paper(pdf, marks, hidden)


class _Printer:
    """Draws sheets page by page, with the headers and footers of their sections.

    MuPDF loses text where a table runs over the end of a page. So each row of a table is laid out by itself, and a
    row that is higher than a page as text.
    """

    def __init__(self, writer: pymupdf.DocumentWriter, images: dict[str, bytes], most_pages: int):
        self._writer, self._most_pages = writer, most_pages
        self._archive = pymupdf.Archive()
        for name, data in images.items():
            self._archive.add(data, name)
        self._pages, self._number, self._at = 0, 0, 0.0
        self._section, self._device, self._is_first = Section(), None, True

    def print(self, sheets: Sequence[Sheet]) -> None:
        """All sheets; an empty document is one empty page."""
        for sheet in sheets or (Sheet(Section(), "", False, True),):
            self._section, self._is_first = sheet.section, sheet.begins
            if sheet.begins and sheet.section.first_number is not None:
                self._number = sheet.section.first_number - 1
            size = self._size(sheet)
            self._begin_page()
            for html, is_row in _pieces(sheet.html):
                self._row(html, size) if is_row else self._text(html, size)
            self._end_page()

    def _size(self, sheet: Sheet) -> float:
        """The largest size in which the sheet fits its page, if Word printed it on one."""
        for size in SMALLER if sheet.is_page else ():
            room = _room(sheet.section)
            pieces = (_height(self._story(html, size), room.width) for html, _ in _pieces(sheet.html))
            if sum(pieces) <= room.height - CUTS[-1]:
                return size
        return FONT_SIZE

    def _story(self, html: str, size: float) -> pymupdf.Story:
        return pymupdf.Story(html, user_css=CSS % size, archive=self._archive)

    def _begin_page(self) -> None:
        if self._pages >= self._most_pages:
            return
        section = self._section
        self._pages, self._number, self._at = self._pages + 1, self._number + 1, section.top
        self._device = self._writer.begin_page(pymupdf.Rect(0, 0, section.width, section.height))
        self._edge(section.headers, EDGE, section.top)

    def _end_page(self) -> None:
        if self._device is not None:
            self._edge(self._section.footers, self._section.height - self._section.bottom, self._section.height - EDGE)
            self._writer.end_page()
            self._device, self._is_first = None, False

    @property
    def _free(self) -> pymupdf.Rect:
        """What is left of the page."""
        room = _room(self._section)
        return pymupdf.Rect(room.x0, self._at, room.x1, room.y1)

    @property
    def _is_fresh(self) -> bool:
        return self._at == self._section.top

    def _text(self, html: str, size: float) -> None:
        story, more = self._story(html, size), True
        while more and self._device is not None:
            if self._free.height < LEAST:
                self._end_page()
                self._begin_page()
                continue
            before, was_fresh = self._at, self._is_fresh
            more, self._at = _place(story, self._free)
            if self._at > self._free.y1 and not was_fresh:
                self._end_page()
                self._begin_page()
                continue
            story.draw(self._device)
            if more:
                if was_fresh and self._at <= before:  # what finds no place on an empty page finds none on the next
                    return
                self._end_page()
                self._begin_page()

    def _row(self, html: str, size: float) -> None:
        height = _height(self._story(html, size), self._free.width)
        if height > self._free.height and not self._is_fresh:
            self._end_page()
            self._begin_page()
        if height > self._free.height:
            self._text(_in_lines(html), size)
        elif self._device is not None:
            story, free = self._story(html, size), self._free
            story.place(pymupdf.Rect(free.x0, free.y0, free.x1, free.y0 + ENDLESS))
            story.draw(self._device)
            self._at += height

    def _edge(self, htmls: Mapping[str, str], top: float, bottom: float) -> None:
        section = self._section
        kind = "first" if self._is_first and section.has_first else "default"
        if section.has_even and self._number % 2 == 0 and kind == "default":
            kind = "even"
        place = pymupdf.Rect(section.left, top, section.width - section.right, bottom)
        html = htmls.get(kind, "").replace(PAGE_NUMBER, str(self._number)).replace(ROW, "")
        if html and not place.is_empty:
            self._fitted(html, place).draw(self._device)

    def _fitted(self, html: str, place: pymupdf.Rect) -> pymupdf.Story:
        for size in SMALLER:
            story = self._story(html, size)
            if not _place(story, place)[0]:
                break
        return story


def _pieces(html: str) -> Iterator[tuple[str, bool]]:
    """The pieces of a sheet: running text, and rows of tables."""
    for at, piece in enumerate(html.split(ROW)):
        if has_content(piece):
            yield piece, at % 2 == 1


def _height(story: pymupdf.Story, width: float) -> float:
    """Points that the story takes where nothing ends the paper."""
    return story.place(pymupdf.Rect(0, 0, width, ENDLESS))[1][3]


def _place(story: pymupdf.Story, room: pymupdf.Rect) -> tuple[bool, float]:
    """Put as much of the story as fits into the room; whether there is more, and where it ends.

    That is below the room when nothing could be put there without loss.

    Where a paragraph ends on the last point of the room, MuPDF 1.28 takes all that follows as placed and draws it
    below the room, out of the page; in a slightly lower room it does not.
    """
    for cut in CUTS:
        lower = pymupdf.Rect(room.x0, room.y0, room.x1, max(room.y0, room.y1 - cut))
        more, filled = story.place(lower)
        if filled[3] <= lower.y1 + 1:
            break
    return bool(more), filled[3]


def _in_lines(html: str) -> str:
    """The same without pictures, the cells of its tables below one another."""
    return re.sub(r"<(/?)(?:table|tr|td)\b[^>]*>", r"<\1div>", re.sub(r"<img[^>]*>", "", html))


def _room(section: Section) -> pymupdf.Rect:
    return pymupdf.Rect(section.left, section.top, section.width - section.right, section.height - section.bottom)


def _marked_words(page: pymupdf.Page, marks: Marks) -> Iterator[_Found]:
    """The words of a page whose colour names marks; letters of two colours are two words."""
    for block_number, block in enumerate(page.get_text("rawdict", flags=pymupdf.TEXTFLAGS_WORDS)["blocks"]):
        for line_number, line in enumerate(block.get("lines", ())):
            letters = [(letter, span["color"]) for span in line["spans"] for letter in span["chars"]]
            for (colour, is_blank), group in groupby(letters, key=lambda pair: (pair[1], pair[0]["c"].isspace())):
                numbers = marks.numbers(colour & 0xFFFFFF)
                if numbers and not is_blank:
                    word = [letter for letter, _ in group]
                    box = _union([tuple(letter["bbox"]) for letter in word])
                    text = clean("".join(letter["c"] for letter in word))
                    yield _Found((block_number, line_number), text, box, numbers)


def _behind(page: pymupdf.Page, numbers: frozenset[int]) -> list[_Found]:
    """An empty place behind the last word of a page, for marks that no word follows."""
    words = page.get_text("words")
    x1, y0, y1 = (words[-1][2], words[-1][1], words[-1][3]) if words else (0.0, 0.0, 0.0)
    return [_Found((len(words), 0), "", (x1, y0, x1, y1), numbers)] if numbers else []


def _union(boxes: Sequence[Box]) -> Box:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return (min(x0), min(y0), max(x1), max(y1))


def _edit_marks(page_number: int, words: Sequence[_Found], marks: Marks) -> Iterator[EditMark]:
    """The marks on a page, by their place. One that runs over several lines is up to three, so that no box holds
    words of its first or last line that it does not lie on.
    """
    numbers = dict.fromkeys(number for word in words for number in sorted(word.numbers))
    for number in numbers:
        mark = marks.all[number]
        if isinstance(mark, Hidden):
            continue
        mine = [word for word in words if number in word.numbers]
        for part in _first_middle_last(mine):
            text = " ".join(word.text for word in part)
            text = "" if number in marks.points else text
            yield _edit_mark(page_number, mark, text, _union([word.box for word in part]))


def _edit_mark(page_number: int, mark: Change, text: str, box: Box) -> EditMark:
    note = f"[{mark.note}]" if mark.note else ""
    whole = " ".join(part for part in (text, note) if part)
    return EditMark(page_number=page_number, kind=mark.kind, source=mark.source, text=whole, box=box)


def _first_middle_last(words: Sequence[_Found]) -> list[list[_Found]]:
    lines = [list(group) for _, group in groupby(words, key=lambda word: word.place)]
    if len(lines) <= 2:
        return lines
    return [lines[0], [word for line in lines[1:-1] for word in line], lines[-1]]


def _hidden_text(words: Sequence[_Found], marks: Marks) -> Iterator[HiddenText]:
    """Hidden text at the left edge of the word before which it stands."""
    seen: set[int] = set()
    for word in words:
        for number in sorted(word.numbers - seen):
            mark = marks.all[number]
            if isinstance(mark, Hidden):
                seen.add(number)
                x0, y0, _, y1 = word.box
                yield HiddenText(kind=mark.kind, text=clean(mark.text).strip(), box=(x0, y0, x0, y1))
