"""Provisions: a `Document` cut into the clauses that a lawyer would number, for comparing two of them.

Unlike a chunk, which has the size that retrieval wants, a provision is as small as the paper makes it: a numbered
section, an item of a list, a paragraph of the preamble, a schedule. Where one begins must not hang on where lines and
pages happen to break, or a new print of the same contract would look like another one. So a line break alone opens
nothing: there must be a sentence's end, an empty line, or a line that was left before it was full.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from extractors.characters import clean
from extractors.chunk import heading_of
from extractors.furniture import body_text
from extractors.sentences import sentences
from schemas.document import Document

FULL_LINE = 0.85
"""Share of a page's usual line that a line must have, with the next word added, to have been full."""

CAPITAL = 0.3
"""How much wider a capital is than the usual small letter."""

LONGEST_HEADING = 12
"""Words; what is shorter and followed by a paragraph without a number is that paragraph's heading."""

_MARKERS = tuple(
    (style, re.compile(pattern))
    for style, pattern in (
        (
            "exhibit",
            r"(?P<label>(?:EXHIBIT|SCHEDULE|ANNEX|APPENDIX|ATTACHMENT|ADDENDUM|Exhibit|Schedule|Annex|Appendix|Attachment)"
            r"\s+[A-Z0-9][\w.-]{0,5}?)[.:]?(?=\s*\n|\s+[-(\"A-Z][^\n]{0,80}\n)",
        ),
        ("article", r"(?P<label>(?:ARTICLE|Article)\s+(?:[IVXLC]{1,6}|\d{1,3}))\b[.:]?(?=\s*\n|\s*[-(\"A-Z])"),
        ("japanese", r"(?P<label>第\s*[0-9一二三四五六七八九十百]+\s*条(?:の[0-9一二三四五六七八九十]+)?)"),
        (
            "section",
            r"(?:(?:Section|SECTION|Sec\.|Clause|CLAUSE)\s+|§\s*)(?P<label>\d{1,3}(?:\.\d{1,3})*)[.:)]?\s+(?=[\"(\[]?[A-Z])",
        ),
        ("section", r"(?P<label>\d{1,3}(?:\.\d{1,3})+)[.:)]?\s+(?=[\"(\[]{0,2}[A-Z\d])"),
        ("section", r"(?P<label>\d{1,3})[.)]\s+(?=[\"(\[]{0,2}[A-Z\d])"),
        ("section", r"(?P<label>\d{1,2})\s+(?=[A-Z]{3,}\b)"),
        ("(", r"\((?P<label>[a-z]{1,2}|[ivxl]{2,8}|[A-Z]{1,2}|[IVXL]{2,8}|\d{1,2})\)\s+(?=\S)"),
        ("(", r"(?P<label>[a-z]|[ivx]{1,4})[.)]\s+(?=[\"(\[]?[A-Za-z])"),
        (".", r"(?P<label>[A-Z])[.)]\s*(?=[\"(]{0,2}(?:[A-Za-z][a-z]|[A-Z]{3}))"),
    )
)
_LINE_START = re.compile(r"\n[ \t]*(?=[\d(§第]|[A-Za-z][.)]|[ivx]{2,4}[.)]|[A-Z][A-Za-z]+\.?\s+[\dIVXLCA-Z])")
_GOES_ON = re.compile(r"[.;:?!。！？][\"')\]]{0,3}$|[;,]\s*(?:and|or|and/or)$")
# A bare number as the first or last line of a page: where it counts something, a full stop or a title is with it.
_PAGE_NUMBER = re.compile(
    r"(?:(?<=\f\n)|\A)\s*-?\s?\d{1,4}\s?-?[ ]*(?=\n\s*\n)|(?<=\n)[ ]*-?\s?\d{1,4}\s?-?[ ]*(?=\s*(?:\f|\Z))"
)
_EMPTY_LINE = re.compile(r"\n[^\S\n]*\n")
_HYPHEN = re.compile(r"([^\W_]+)-\s*[\n\f]\s*([^\W_]+)")
_WORD = re.compile(r"[^\W\d_]+")
_CJK_BREAK = re.compile(r"(?<=[\u3000-\u30ff\u3400-\u9fff])\s+(?=[\u3000-\u30ff\u3400-\u9fff])")
_TITLE = re.compile(r"(?P<title>[\"'A-Z(][^\n.:;]{1,90}?)(?P<end>[.:]|\s*\n|$)")
_ROMAN = re.compile(r"[ivxl]+$", re.IGNORECASE)


class Provision(NamedTuple):
    """A clause: its text in one line without its number, and where it stands.

    `number` is in full (`4.2(a)`), `mark` as printed before the text (`(a)`). `heading` is its own or the one it stands
    under; `is_title` says that it is nothing but the heading of the paragraph that follows. `start` and `end` are
    half-open offsets into `Document.text`; `page` is the one it begins on.
    """

    number: str | None
    mark: str
    heading: str
    text: str
    page: int
    start: int
    end: int
    is_title: bool = False


class _Marker(NamedTuple):
    """A number that opens a clause: its style, what it says, and where the text behind it begins."""

    style: str
    label: str
    end: int


def provisions(document: Document) -> tuple[Provision, ...]:
    """The provisions of a document in its order; they hold all of its body text."""
    text = _PAGE_NUMBER.sub(lambda match: " " * len(match[0]), body_text(document))
    openings = _openings(_Paper(text, document.page_starts))
    known = {word.lower() for word in _WORD.findall(text)}
    numbering, headings = _Numbering(), _Headings()
    found = []
    for start, end in pairwise([*openings, len(text)]):
        marker = _marker_at(text, start)
        at = marker.end if marker else start
        heading = headings.of(marker, _title(text, start, at, end))
        said = _in_one_line(text[at:end], known) or (marker.label if marker else "")
        mark = " ".join(text[start:at].split()) if at < end else ""
        page = document.page_at(start).number
        one = Provision(numbering.full(marker), mark, heading, said, page, start, end)
        found += [one._replace(is_title=_is_title(text, start, end))] if said else []
    return tuple(found)


class _Paper:
    """The body text of a document with what its lines tell about paragraphs."""

    def __init__(self, text: str, page_starts: Sequence[int]):
        self.text = text
        self._starts = page_starts
        self._widths = [
            _usual_width(text[a:b]) for a, b in zip(page_starts, [*page_starts[1:], len(text)], strict=True)
        ]

    def before(self, at: int) -> int:
        """The offset behind the last character before `at` that is not white space."""
        while at > 0 and self.text[at - 1].isspace():
            at -= 1
        return at

    def left_early(self, end: int, at: int) -> bool:
        """Whether the line that ends at `end` had room for the word at `at`: then its writer wanted a break."""
        line = self.text[self.text.rfind("\n", 0, end) + 1 : end]
        word = self.text[at : at + 40].split(None, 1)[0]
        width = self._widths[max(0, bisect_right(self._starts, end - 1) - 1)]
        return _width(line.strip()) + 1 + _width(word) <= FULL_LINE * width


def _usual_width(page: str) -> float:
    """Width of a full line of the page: nine in ten are no wider."""
    widths = sorted(_width(line.strip()) for line in page.split("\n") if line.strip())
    return widths[int(0.9 * (len(widths) - 1))] if widths else 0.0


def _width(text: str) -> float:
    """About how wide a text is, in small letters; capitals take more room."""
    return len(text) + CAPITAL * sum(c.isupper() for c in text)


def _openings(paper: _Paper) -> list[int]:
    """Where the provisions begin."""
    text = paper.text
    at_sentences = {start for start, _ in sentences(text)}
    at_lines = {match.end() for match in _LINE_START.finditer(text)}
    found: list[int] = []
    for at in sorted(at_sentences | at_lines):
        if not found or _opens(paper, at, _marker_at(text, at)):
            found.append(at)
    return found


def _opens(paper: _Paper, at: int, marker: _Marker | None) -> bool:
    """Whether a provision begins at a place where a sentence or a line does."""
    text, end = paper.text, paper.before(at)
    gap = text[end:at]
    ended = bool(_GOES_ON.search(text, max(0, end - 10), end))
    early = "\n" in gap and paper.left_early(end, at)
    apart = "\f" not in gap and bool(_EMPTY_LINE.search(gap))
    if marker:
        return ended or early or apart
    if early and (_exhibit_at(text, at) or heading_of(_line_at(text, at))):
        return True
    return (apart and (ended or early)) or ("\f" in gap and ended and early)


def _line_at(text: str, at: int) -> str:
    end = text.find("\n", at)
    return text[at : end if end >= 0 else len(text)]


def _exhibit_at(text: str, at: int) -> bool:
    marker = _marker_at(text, at)
    return marker is not None and marker.style == "exhibit"


def _is_title(text: str, start: int, end: int) -> bool:
    """Whether a provision is the title of the next one, which has no number of its own."""
    said = text[start:end].strip()
    if end == len(text) or _marker_at(text, end):
        return False
    if len(said) > 120 or len(said.split()) > LONGEST_HEADING or said[-1] in ";,?!":
        return False
    marker = _marker_at(text, start)
    if marker is None:
        return bool(heading_of(said)) and said == said.upper()
    title = said[marker.end - start :].rstrip(".:").strip()
    return said[-1] not in ".:" or (marker.style not in "(." and ". " not in title and _is_titled(title.split()))


def _marker_at(text: str, at: int) -> _Marker | None:
    for style, pattern in _MARKERS:
        if match := pattern.match(text, at):
            return _Marker(style, " ".join(match["label"].split()), match.end())
    return None


def _in_one_line(text: str, known: set[str]) -> str:
    """The text without line breaks; a word cut by one is whole again where the document has it whole elsewhere."""

    def joined(match: re.Match[str]) -> str:
        whole = match[1] + match[2]
        return whole if whole.lower() in known else f"{match[1]}-{match[2]}"

    return _CJK_BREAK.sub("", " ".join(clean(_HYPHEN.sub(joined, text)).split())).lstrip(".:- ")


def _title(text: str, start: int, at: int, end: int) -> str | None:
    """The heading that a provision opens with, without its number; None where it opens with a sentence."""
    match = _TITLE.match(text, at + len(text[at:end]) - len(text[at:end].lstrip(" \n\t.:-")), end)
    if match is None:
        return None
    words = match["title"].split()
    if not _is_titled(words) or len(words) > LONGEST_HEADING:
        return None
    if at == start and match["title"] != match["title"].upper():
        return None
    if match["end"].endswith("\n") and text[match.end() : match.end() + 9].lstrip()[:1].islower():
        return None
    return " ".join(words).strip("\"'( ")


def _is_titled(words: Sequence[str]) -> bool:
    """Whether the words are written as a title: most of the long ones with a capital."""
    long = [word for word in words if len(word) > 3 and word[0].isalpha()]
    return len(words) <= 2 or sum(word[0].isupper() for word in long) > 0.6 * max(1, len(long))


class _Headings:
    """Knows the headings that stand above, each with its level: 0 a schedule, 1 an article or a section, 2 a 4.2."""

    def __init__(self) -> None:
        self._above: list[tuple[int, str]] = []

    def of(self, marker: _Marker | None, own: str | None) -> str:
        """The heading of the next provision: its own, or the one it stands under; empty where there is none."""
        if marker and marker.style in "(.":
            return own or self._last()
        if marker or own:
            level = self._level(marker)
            self._above = [item for item in self._above if item[0] < level]
        if own:
            self._above.append((level, own))
        return self._last()

    def _last(self) -> str:
        return self._above[-1][1] if self._above else ""

    @staticmethod
    def _level(marker: _Marker | None) -> int:
        if marker is None or marker.style == "article":
            return 1
        return 0 if marker.style == "exhibit" else 2 + marker.label.count(".")


class _Numbering:
    """Makes the number of an item full: `(a)` below 4.2 is 4.2(a), and `(i)` below that 4.2(a)(i)."""

    def __init__(self) -> None:
        self._section = ""
        self._below: list[tuple[str, str]] = []

    def full(self, marker: _Marker | None) -> str | None:
        """The full number of the next provision; None when it has none."""
        if marker is None:
            return None
        if marker.style not in "(.":
            is_own = marker.style == "section"
            self._section, self._below = marker.label if is_own else "", []
            return marker.label
        kind = self._kind(marker)
        kinds = [kind_above for kind_above, _ in self._below]
        depth = kinds.index(kind) if kind in kinds else len(kinds)
        shown = f"({marker.label})" if marker.style == "(" else f".{marker.label}" if self._section else marker.label
        self._below = [*self._below[:depth], (kind, shown)]
        return self._section + "".join(label for _, label in self._below)

    def _kind(self, marker: _Marker) -> str:
        """Letters or Roman numbers, large or small: `(i)` is a letter only behind `(h)`."""
        label = marker.label
        if label.isdigit():
            return "digits"
        case = "small" if label.islower() else "large"
        if _ROMAN.match(label) and not self._follows(label):
            return f"{case} roman{marker.style}"
        return f"{case} letters{marker.style}"

    def _follows(self, label: str) -> bool:
        letters = [shown.strip("().") for kind, shown in self._below if "letters" in kind]
        return len(label) == 1 and bool(letters) and letters[-1] == chr(ord(label) - 1)
