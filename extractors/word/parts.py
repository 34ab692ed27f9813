"""The text of a Word file in the order it is printed, as HTML sheets for the layout, and the marks in it.

Part of reading Word files. Every mark has a number; a run of text that marks lie on carries their numbers, hidden
in its colour (so dark that it reads as black), and the layout finds them again by it.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from lxml import etree

from extractors.word.package import child, local, number, value
from schemas.document import HiddenKind, MarkKind, MarkSource

DEEPEST = 60
"""How deep tables, boxes and controls may lie in one another; deeper ones are left out."""

TWIPS = 20  # to the point
EMUS = 12_700  # to the point
PAPER = (612.0, 792.0)
MARGIN = 72.0
NEAR_WHITE = 0xF0
TINY_HALF_POINTS = 6
TAB = " &#160; &#160; "
PAGE_NUMBER = "\ue000"
"""Stands in headers and footers for the number of the page."""

# Wingdings and Wingdings 2 have no letters; these are the ones that forms are filled in with.
_SYMBOLS = {
    0xFE: "☒",
    0xA8: "☐",
    0x6F: "☐",
    0x71: "☐",
    0x78: "☒",
    0xFD: "☒",
    0xFC: "✓",
    0xFB: "✗",
    0x52: "☒",
    0xA3: "☐",
}
_SYMBOLS |= {0x50: "✓", 0x53: "☒", 0x54: "☒", 0x2A: "☐", 0xB7: "•", 0xA7: "•"}


_PRIVATE_LETTERS = {chr(at): "" for at in range(0xE000, 0xF900)} | {chr(0xF000 + at): c for at, c in _SYMBOLS.items()}
ROW = "\ue001"
"""Stands before and behind each row of a table in the HTML of a sheet."""


class Change(NamedTuple):
    """A mark before it has a place: what it is, and the note that stands in brackets behind its words."""

    kind: MarkKind
    source: MarkSource
    note: str


class Hidden(NamedTuple):
    """Text that is not printed, and why."""

    kind: HiddenKind
    text: str


class Marks:
    """All marks of a document by number, and the colours that sets of them have."""

    def __init__(self) -> None:
        self.all: list[Change | Hidden] = []
        self.points: set[int] = set()
        self._colours: dict[frozenset[int], int] = {frozenset(): 0}
        self._sets: list[frozenset[int]] = [frozenset()]

    def add(self, mark: Change | Hidden, is_point: bool = False) -> int:
        """The number of a new mark; a point mark lies on no words of its own, but before one."""
        self.all.append(mark)
        if is_point:
            self.points.add(len(self.all) - 1)
        return len(self.all) - 1

    def colour(self, numbers: frozenset[int]) -> str:
        """The colour of text that these marks lie on: 5 bits of each channel. Beyond 32,767 sets it is black."""
        at = self._colours.get(numbers)
        if at is None:
            if len(self._sets) >= 1 << 15:
                return "#000000"
            at = self._colours[numbers] = len(self._sets)
            self._sets.append(numbers)
        return f"#{at & 31:02x}{at >> 5 & 31:02x}{at >> 10:02x}"

    def numbers(self, colour: int) -> frozenset[int]:
        """The marks on text of a colour, as 0xRRGGBB."""
        at = (colour >> 16) | (colour >> 8 & 255) << 5 | (colour & 255) << 10
        return self._sets[at] if at < len(self._sets) else frozenset()


class Section(NamedTuple):
    """A section's paper in points, and its headers and footers (`default`, `first`, `even`) as HTML."""

    width: float = PAPER[0]
    height: float = PAPER[1]
    left: float = MARGIN
    top: float = MARGIN
    right: float = MARGIN
    bottom: float = MARGIN
    headers: Mapping[str, str] = MappingProxyType({})
    footers: Mapping[str, str] = MappingProxyType({})
    has_first: bool = False
    has_even: bool = False
    first_number: int | None = None
    is_continuous: bool = False


class Sheet(NamedTuple):
    """What stands between two page breaks. `is_page`: Word printed it on one page. `begins`: so does its section."""

    section: Section
    html: str
    is_page: bool
    begins: bool


class Sheets(NamedTuple):
    """A document before it is laid out; `images` are its pictures by their names in the HTML.

    `unplaced` are point marks behind its last word.
    """

    sheets: list[Sheet]
    marks: Marks
    images: dict[str, bytes]
    unplaced: frozenset[int]


class Styles:
    """The styles of a document: properties by inheritance."""

    def __init__(self, root: etree._Element | None):
        parts = [part for part in root if local(part) == "style"] if root is not None else []
        self._styles = {value(part, "styleId"): part for part in parts}
        default = [part for part in parts if value(part, "default") in ("1", "true", "on")]
        self._defaults = {value(part, "type"): value(part, "styleId") for part in default}

    def default(self, kind: str) -> str | None:
        """The style of what names none: of a `paragraph`, a `character`, a `table`."""
        return self._defaults.get(kind)

    def find(self, style: str | None, *path: str) -> etree._Element | None:
        """A property of a style, or of the nearest it is based on that has it."""
        for _ in range(20):
            part = self._styles.get(style)
            if part is None:
                return None
            found = child(part, *path)
            if found is not None:
                return found
            style = value(child(part, "basedOn"))
        return None


def is_on(element: etree._Element | None) -> bool:
    """Whether a switch such as `w:b` is there and not off."""
    return element is not None and value(element) not in ("0", "false", "off", "none")


def is_near_white(colour: str | None) -> bool:
    """Whether a colour RRGGBB can't be told from paper."""
    if not colour or not re.fullmatch(r"[0-9A-Fa-f]{6}", colour):
        return False
    return all(int(colour[i : i + 2], 16) >= NEAR_WHITE for i in (0, 2, 4))


def is_shaded(properties: etree._Element | None) -> bool:
    """Whether text stands on a coloured ground by these properties."""
    shade = child(properties, "shd")
    fill = value(shade, "fill") or "auto"
    return shade is not None and ((fill != "auto" and not is_near_white(fill)) or value(shade) == "solid")


def symbol(code: str | None) -> str:
    """The character of a `w:sym` as others write it; nothing when no letter is known for it."""
    if not code or not re.fullmatch(r"[0-9A-Fa-f]{1,4}", code):
        return ""
    at = int(code, 16)
    low = at - 0xF000 if 0xF000 <= at <= 0xF0FF else at
    return _SYMBOLS.get(low, chr(at) if at < 0xE000 and at >= 0x20 else "")


def printable_letters(text: str) -> str:
    """The text without control characters, and letters of symbol fonts as others write them."""
    return "".join(_PRIVATE_LETTERS.get(letter, letter) for letter in text if letter >= " " or letter in "\t\n")


def section_of(properties: etree._Element | None) -> Section:
    """The paper of a section, by its `w:sectPr`; letter paper with an inch of margin where it doesn't say."""
    size, margins, start = (child(properties, name) for name in ("pgSz", "pgMar", "pgNumType"))
    width, height = number(size, "w") / TWIPS or PAPER[0], number(size, "h") / TWIPS or PAPER[1]
    width, height = max(144.0, min(width, 4000.0)), max(144.0, min(height, 4000.0))
    left, right = (_margin(margins, side, width) for side in ("left", "right"))
    top, bottom = (_margin(margins, side, height) for side in ("top", "bottom"))
    first = number(start, "start") if value(start, "start") else None
    return Section(
        width,
        height,
        left,
        top,
        right,
        bottom,
        has_first=is_on(child(properties, "titlePg")),
        first_number=first,
        is_continuous=value(child(properties, "type")) == "continuous",
    )


def _margin(margins: etree._Element | None, side: str, length: float) -> float:
    """At most a third of the paper, so that there is always room for text."""
    return min(max(abs(number(margins, side, int(MARGIN * TWIPS))) / TWIPS, 18.0), length / 3)


def has_content(html: str) -> bool:
    """Whether there is anything to see in it."""
    return "<img" in html or bool(re.sub(r"<[^>]*>", "", html).strip())
