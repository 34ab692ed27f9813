"""The numbers that Word prints before paragraphs and keeps nowhere: `1.1`, `(a)`, `Article IV`.

They are counted from numbering.xml (ECMA-376, part 1, 17.9); without them a contract's cross references point at
nothing. Part of reading Word files.
"""

import re
from typing import NamedTuple

from lxml import etree

from extractors.word.package import child, local, number, value

DEEPEST = 9
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"))
_ROMAN += ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_CARDINAL_WORDS = (
    "Zero One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Thirteen Fourteen Fifteen Sixteen "
    "Seventeen Eighteen Nineteen"
)
_ORDINAL_WORDS = (
    "Zeroth First Second Third Fourth Fifth Sixth Seventh Eighth Ninth Tenth Eleventh Twelfth Thirteenth Fourteenth "
    "Fifteenth Sixteenth Seventeenth Eighteenth Nineteenth"
)
_CARDINALS, _ORDINALS = _CARDINAL_WORDS.split(), _ORDINAL_WORDS.split()
_TENS = ("Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety")
_BULLET = "•"


class Level(NamedTuple):
    """A level of a list: its format, its text with `%1` for the number of level 1, and when it starts anew.

    `restart` is the number of the level (from 1) whose step begins it anew; 0 is never.
    """

    form: str
    text: str
    start: int = 1
    restart: int | None = None
    legal: bool = False
    suffix: str = "tab"
    indent: float = 0.0
    style: str | None = None


class Numbering:
    """Counts the lists of one document, in its order."""

    def __init__(self, root: etree._Element | None):
        abstracts = [part for part in root if local(part) == "abstractNum"] if root is not None else []
        self._levels = {value(part, "abstractNumId"): _levels(part) for part in abstracts}
        self._by_style = {value(child(part, "styleLink")): value(part, "abstractNumId") for part in abstracts}
        self._links = {value(part, "abstractNumId"): value(child(part, "numStyleLink")) for part in abstracts}
        self._nums: dict[str | None, tuple[str | None, dict[int, Level], dict[int, int]]] = {}
        for part in root if root is not None else ():
            if local(part) == "num":
                self._nums[value(part, "numId")] = self._num(part)
        self._counts: dict[str | None, list[int | None]] = {}
        self._begun: set[tuple[str, int]] = set()

    def _num(self, part: etree._Element) -> tuple[str | None, dict[int, Level], dict[int, int]]:
        abstract = value(child(part, "abstractNumId"))
        abstract = self._by_style.get(self._links.get(abstract), abstract) if self._links.get(abstract) else abstract
        levels, starts = dict(self._levels.get(abstract, {})), {}
        for override in part:
            at = number(override, "ilvl", -1)
            if local(override) != "lvlOverride" or at < 0:
                continue
            if child(override, "lvl") is not None:
                levels[at] = _level(child(override, "lvl"))
            if child(override, "startOverride") is not None:
                starts[at] = number(child(override, "startOverride"))
        return abstract, levels, starts

    def level_of_style(self, num_id: str | None, style: str) -> int:
        """The level of a list that belongs to a paragraph style; 0 when none does."""
        levels = self._nums.get(num_id, (None, {}, {}))[1]
        return next((at for at, level in levels.items() if level.style == style), 0)

    def indent(self, num_id: str | None, at: int) -> float:
        """How far the level stands in from the left, in points."""
        level = self._nums.get(num_id, (None, {}, {}))[1].get(at)
        return level.indent if level else 0.0

    def next(self, num_id: str | None, at: int) -> str:
        """The number of the next paragraph of a list at a level from 0; empty when the list prints none."""
        abstract, levels, starts = self._nums.get(num_id, (None, {}, {}))
        level = levels.get(at)
        if level is None or not 0 <= at < DEEPEST:
            return ""
        counts = self._counts.setdefault(abstract, [None] * DEEPEST)
        self._step(counts, at, level, num_id, starts)
        for deeper in range(at + 1, DEEPEST):
            below = levels.get(deeper)
            if below and (below.restart is None or 0 < at + 1 <= below.restart):
                counts[deeper] = None
        return _label(level, levels, counts, at)

    def _step(self, counts: list, at: int, level: Level, num_id: str | None, starts: dict[int, int]) -> None:
        if at in starts and (num_id, at) not in self._begun:
            self._begun.add((num_id, at))
            counts[at] = starts[at]
        else:
            counts[at] = level.start if counts[at] is None else counts[at] + 1


def _levels(abstract: etree._Element) -> dict[int, Level]:
    return {number(part, "ilvl"): _level(part) for part in abstract if local(part) == "lvl"}


def _level(part: etree._Element) -> Level:
    restart = child(part, "lvlRestart")
    indent = child(part, "pPr", "ind")
    return Level(
        form=value(child(part, "numFmt")) or "decimal",
        text=value(child(part, "lvlText")) or "",
        start=number(child(part, "start")),
        restart=None if restart is None else number(restart),
        legal=_is_on(child(part, "isLgl")),
        suffix=value(child(part, "suff")) or "tab",
        indent=number(indent, "left", number(indent, "start")) / 20,
        style=value(child(part, "pStyle")),
    )


def _is_on(element: etree._Element | None) -> bool:
    return element is not None and value(element) not in ("0", "false", "off")


def _label(level: Level, levels: dict[int, Level], counts: list, at: int) -> str:
    if level.form == "bullet":
        return _BULLET
    if level.form == "none" and "%" in level.text:
        return ""

    def counted(match: re.Match) -> str:
        which = int(match.group(1)) - 1
        of = levels.get(which, level)
        count = counts[which] if counts[which] is not None else of.start
        return written(count, "decimal" if level.legal else of.form)

    return re.sub(r"%([1-9])", counted, level.text)


def written(count: int, form: str) -> str:
    """A number in one of the formats of ECMA-376, 17.18.59; formats that are not known count as decimal."""
    if form in ("lowerRoman", "upperRoman"):
        text = _roman(count)
        return text.upper() if form == "upperRoman" else text
    if form in ("lowerLetter", "upperLetter"):
        letter = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1) if count > 0 else ""
        return letter.upper() if form == "upperLetter" else letter
    if form == "decimalZero":
        return f"{count:02d}"
    if form == "ordinal":
        return f"{count}{_ending(count)}"
    if form in ("cardinalText", "ordinalText") and 0 <= count < 100:
        return _in_words(count, _ORDINALS if form == "ordinalText" else _CARDINALS)
    return "" if form == "none" else str(count)


def _roman(count: int) -> str:
    text = ""
    for size, letters in _ROMAN:
        text += letters * (count // size)
        count %= size
    return text


def _ending(count: int) -> str:
    return "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")


def _in_words(count: int, words: list[str]) -> str:
    if count < 20:
        return words[count]
    tens, ones = _TENS[count // 10 - 2], count % 10
    if not ones:
        return tens if words is _CARDINALS else tens[:-1] + "ieth"
    return f"{tens}-{words[ones].lower()}"
