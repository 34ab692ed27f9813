"""What a page's program uses that text can be hidden with. Part of `extractors.hidden`.

Cheap, and wrong only to the side of drawing the page. The programs of one document resemble each other: fonts and
clipping paths of a page that was drawn and hid nothing are let through on the pages after it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

import numpy as np
import pymupdf
from pymupdf import mupdf

from extractors.hidden.words import Frame
from schemas.document import Box

# What PyMuPDF raises where an object of a file is damaged: an error of MuPDF as it is, turned into a RuntimeError
# by its fast half, or a ValueError for a reference to nowhere.
DAMAGE = (mupdf.FzErrorBase, RuntimeError, ValueError)
# Clipping paths (c) and fonts (F) are on every page; one page of a document that shows all its words vouches for
# those on the others. The other traits are asked about on each page.
_LEARNED = "cF"
_COMPONENTS = {b"g": 1, b"rg": 3, b"k": 4, b"sc": 0, b"scn": 0}
_FILLS = frozenset(b"f f* F B B* b b*".split())
_OPERATORS = _FILLS | frozenset(_COMPONENTS) | frozenset(b"q Q cm w BT ET Tr sh BI W W* Do n S s".split())
_PATH = frozenset(b"re l c v y".split())
_ENDS = frozenset(b"m l c v y".split())
MOST_LINES = 1000  # more are a drawing, which is looked at as it is drawn
LIGHT = 0.72  # luma of a colour that may be too faint on white
RULE = 3.0  # points; a thicker bar or stroke may cover a line of text
LONGEST_RULE = 100  # numbers and operators of a path that is asked whether it is but a rule
SMALLEST_FRAME = 10.0
HUGE = 1e9
INWARDS = 60.0  # points from the edge, where text may stand once a page has shown all its words
NEAR = 20.0  # points by which it may reach beyond that, or beyond the text of the honest pages


Line = tuple[float, float, float, float]  # from x, y to x, y
Matrix = tuple[float, ...]


class Program(NamedTuple):
    """What a content stream does; `is_pale` if it paints a light ground, harmless unless text was there before.

    `lines` are the level and upright lines of its paths, in its own space: some may strike words out. None if unknown.
    """

    traits: frozenset[str] = frozenset()
    has_text: bool = False
    is_pale: bool = False
    lines: tuple[Line, ...] | None = ()
    has_images: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it draws nothing but text and rules on white."""
        return not self.has_images and all(trait[0] in _LEARNED for trait in self.traits)


# A page whose program can't be read may do anything.
UNREADABLE = Program(frozenset({"damaged"}), has_text=True, lines=None, has_images=True)


class Resources(NamedTuple):
    """What a page or form can draw with."""

    traits: frozenset[str]
    forms: dict[bytes, int]


_NOTHING = Resources(frozenset(), {})


@dataclass
class Known:
    """What was learned about a document from the pages before."""

    forms: dict[int, Program] = field(default_factory=dict)
    resources: dict[str, Resources] = field(default_factory=dict)
    honest: set[str] = field(default_factory=set)
    frame: Frame | None = None
    without_layers: list[pymupdf.Document] | None = None

    def accept(self, program: Program, frame: Frame, rect: pymupdf.Rect) -> None:
        """Note that a page with this program shows all its words, in `frame`; `rect` is the page as shown."""
        self.honest |= {trait for trait in program.traits if trait[0] in _LEARNED}
        x0, y0, x1, y1 = frame
        inner = rect.x0 + INWARDS, rect.y0 + INWARDS, rect.x1 - INWARDS, rect.y1 - INWARDS
        a0, b0, a1, b1 = self.frame or inner
        self.frame = min(x0, a0), min(y0, b0), max(x1, a1), max(y1, b1)

    def is_new(self, program: Program, frame: Frame) -> bool:
        """Whether the page has a trait, or a word in a place, that no honest page had before."""
        if self.frame is None or not program.traits <= self.honest:
            return True
        x0, y0, x1, y1 = frame
        a0, b0, a1, b1 = self.frame
        return x0 < a0 - NEAR or y0 < b0 - NEAR or x1 > a1 + NEAR or y1 > b1 + NEAR


def known_of(page: pymupdf.Page) -> Known:
    """What is known of the document of the page."""
    # On the document itself, which takes no weak references: what was learned lives as long as it.
    return vars(page.parent).setdefault("known_to_hidden_text", Known())


def page_traits(page: pymupdf.Page) -> Program:
    """What the program of the page uses; UNREADABLE where the objects of the file are damaged."""
    known = known_of(page)
    try:
        resources = _resources(page.parent, page.xref, known)
        return _Reader(page.parent, known, resources).read(page.read_contents())
    except DAMAGE:
        return UNREADABLE


def meets(box: Box, boxes: np.ndarray) -> bool:
    """Whether a picture of more than a rule's height lies over the middle of a word."""
    if box[2] - box[0] < 3 or box[3] - box[1] < 3:
        return False
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    return bool(((x > box[0]) & (x < box[2]) & (y > box[1]) & (y < box[3])).any())


class _Reader:
    """Follows a content stream as far as colours, text and painting go."""

    def __init__(self, document: pymupdf.Document, known: Known, resources: Resources, depth: int = 0) -> None:
        self.document, self.known, self.resources, self.depth = document, known, resources, depth
        self.traits = set(resources.traits)
        self.is_light = self.has_text = self.is_pale = self.has_images = False
        self.matrix = UNTURNED
        self.lines: list[Line] = []

    def read(self, program: bytes) -> Program:
        if b"/ActualText" in program:
            self.traits.add("actual text")
        for opening in (b"/", b"[", b"(", b"<"):
            program = program.replace(opening, b" " + opening)
        tokens = program.split()
        self._follow(tokens, compress(range(len(tokens)), map(_OPERATORS.__contains__, tokens)))
        lines = tuple(self.lines) if len(self.lines) <= MOST_LINES else None
        return Program(frozenset(self.traits), self.has_text, self.is_pale, lines, self.has_images)

    def _follow(self, tokens: list[bytes], places: Iterable[int]) -> None:
        texts = last = 0
        states: list[tuple[bool, Matrix]] = []
        for at in places:
            name = tokens[at]
            if name == b"q":
                states.append((self.is_light, self.matrix))
            elif name == b"Q":
                if states:
                    self.is_light, self.matrix = states.pop()
            elif name in _COMPONENTS:  # a colour may be set between a path and its painting
                self.is_light = _is_light(tuple(tokens[max(last, at - 4) : at]), _COMPONENTS[name])
                continue
            elif name == b"w":  # and so may a width
                self.traits |= {"thick"} if _number(tokens[at - 1]) * _scale(self.matrix) > RULE else set()
                continue
            elif name == b"BT" or name == b"ET":
                texts += 1 if name == b"BT" else -1
                self.has_text = True
                if self.is_light:
                    self.traits.add("light")
            elif not texts or name == b"Tr":  # there is no painting between BT and ET, only letters of the text
                self._do(name, tokens[last:at])
            last = at + 1
        if texts:  # words of a text that look like operators
            self.traits.add("odd")

    def _do(self, name: bytes, operands: list[bytes]) -> None:
        if name == b"Tr":
            self.traits |= {"mode"} if operands[-1:] != [b"0"] else set()
        elif name[:1] == b"W":
            self.traits.add(_clip_trait(tuple(operands)))
        elif name == b"Do":
            self._draw_form(operands[-1][1:] if operands else b"")
        elif name == b"cm":
            self.matrix = _product(tuple(map(_number, operands[-6:])), self.matrix)
        elif name in (b"sh", b"BI"):
            self.traits.add("paint")
            self.has_images = True
        elif not _PATH.isdisjoint(operands):
            if name in _FILLS:
                self._fill(operands)
            if name != b"n":
                self.lines += [_turned(line, self.matrix) for line in _rules(operands, self.matrix)]

    def _fill(self, path: list[bytes]) -> None:
        is_rule = _is_rule(path, RULE / _scale(self.matrix))
        if is_rule and not (self.is_light and self.has_text):  # many thin white bars cover as well as one
            return
        if self.is_light and not self.has_text:
            self.is_pale = True
        else:
            self.traits.add("paint")

    def _draw_form(self, name: bytes) -> None:
        xref = self.resources.forms.get(name)
        if xref is None:  # a name spelled in another way, or of nothing
            self.traits.add("odd")
            self.has_images = True
            return
        form = _form(self.document, xref, self.known, self.resources, self.depth)
        self.traits |= form.traits
        self.has_images |= form.has_images
        if (form.is_pale and self.has_text) or (form.lines != () and _scale(self.matrix) > LARGER):
            self.traits.add("paint")
        self.is_pale |= form.is_pale
        if form.has_text:
            self.has_text = True
            self.traits |= {"light"} if self.is_light else set()
        unknown = [NOWHERE] * (MOST_LINES + 1)
        self.lines += unknown if form.lines is None else [_turned(line, self.matrix) for line in form.lines]


UNTURNED = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
NOWHERE = (0.0, 0.0, 0.0, 0.0)
LARGER = 1.5


def _product(first: Matrix, then: Matrix) -> Matrix:
    """The matrix that does what `first` does and `then` what the other does."""
    if len(first) < 6:
        return then
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _scale(matrix: Matrix) -> float:
    """At most so many points to one unit."""
    return max(map(abs, matrix[:4])) or 1.0


def _turned(line: Line, matrix: Matrix) -> Line:
    x0, y0, x1, y1 = line
    a, b, c, d, e, f = matrix
    return a * x0 + c * y0 + e, b * x0 + d * y0 + f, a * x1 + c * y1 + e, b * x1 + d * y1 + f


def _rules(path: list[bytes], matrix: Matrix) -> Iterator[Line]:
    """The straight lines of a path that may be level on the page as shown; of a rectangle, its diagonal."""
    steepest = RULE / _scale(matrix) if not (matrix[1] or matrix[2]) else HUGE
    here = (0.0, 0.0)
    for i, token in enumerate(path):
        if token == b"re" and i >= 4:
            x, y, wide, high = map(_number, path[i - 4 : i])
            if min(abs(wide), abs(high)) <= steepest:
                yield x, y, x + wide, y + high
        elif token in _ENDS and i >= 2:
            there = _number(path[i - 2]), _number(path[i - 1])
            if token == b"l" and min(abs(there[0] - here[0]), abs(there[1] - here[1])) <= steepest:
                yield *here, *there
            here = there


@lru_cache(4096)
def _is_light(operands: tuple[bytes, ...], count: int) -> bool:
    """Whether a colour operator may set a light colour; patterns and unknown colour spaces may."""
    values = [_number(value) for value in operands[-count:]] if count else []
    if len(values) < count:
        return False  # a word of the text that looks like an operator
    if len(values) == 4:
        values = [(1 - value) * (1 - values[3]) for value in values[:3]]
    if len(values) == 1:
        return values[0] > LIGHT
    return not values or 0.213 * values[0] + 0.715 * values[1] + 0.072 * values[2] > LIGHT


@lru_cache(4096)
def _clip_trait(path: tuple[bytes, ...]) -> str:
    """A name for a clipping path; large rectangles that differ in their height alone have the same."""
    corners = [path[i - 2 : i] for i, token in enumerate(path) if token in (b"m", b"l")]
    if path[-1:] == (b"re",) and len(path) >= 5:
        x, _, wide, high = path[-5:-1]
        if min(abs(_number(wide)), abs(_number(high))) >= SMALLEST_FRAME:
            return f"c{x.decode('latin-1')} {wide.decode('latin-1')}"
    elif len(corners) >= 4 and len(path) <= LONGEST_RULE:
        xs, ys = ({corner[axis] for corner in corners if len(corner) == 2} for axis in (0, 1))
        spread = [max(map(_number, values)) - min(map(_number, values)) for values in (xs, ys) if values]
        if len(xs) == len(ys) == 2 and min(spread) >= SMALLEST_FRAME:
            return "c" + b" ".join(sorted(xs)).decode("latin-1")
    return "c" + b" ".join(path[-5:]).decode("latin-1")


def _is_rule(path: list[bytes], thickest: float) -> bool:
    """Whether a path is but thin lines or specks, too thin to hide words or to stand below them."""
    if len(path) > LONGEST_RULE:
        return False
    points: list[tuple[float, float]] = []
    numbers: list[float] = []
    for token in path:
        if token == b"re" and len(numbers) >= 4:
            if min(map(abs, numbers[-2:])) > thickest:
                return False
        elif token in (b"m", b"l") and len(numbers) >= 2:
            points.append((numbers[-2], numbers[-1]))
        elif token in (b"c", b"v", b"y"):
            return False
        elif token[-1:].isdigit():
            numbers.append(_number(token))
    if not points:
        return bool(numbers)
    (x0, y0), (x1, y1) = map(min, zip(*points, strict=True)), map(max, zip(*points, strict=True))
    return min(x1 - x0, y1 - y0) <= thickest


def _number(token: bytes) -> float:
    """The value of a token; one that is no number may have any size."""
    try:
        value = float(token)
    except ValueError:
        return HUGE
    return value if abs(value) < HUGE else HUGE


DEEPEST = 12  # forms within forms, and levels of the tree of pages
_SECTION = re.compile(r"/(ExtGState|XObject|Font|Pattern)\b")
_REFERENCE = re.compile(r"(\d+) 0 R")
_ENTRY = re.compile(r"/([^\s/<>\[\]()]+) ?(\d+) 0 R")
_MATRIX = re.compile(r"/Matrix ?\[([^\]]*)\]")
_NUMBERS = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")
_SEE_THROUGH = re.compile(r"/(?:ca|CA) ?(?:0?\.[0-8]|0[\s/>])|/SMask ?(?!/None)|/BM ?(?!/(?:Normal|Compatible))")


def _resources(document: pymupdf.Document, xref: int, known: Known) -> Resources:
    """The resources of a page, else those that it takes from the tree of pages."""
    described = document.xref_object(xref, compressed=True)
    if described.count("/Resources") == 1:  # nearly always, and faster
        own = described.partition("/Resources")[2]
        reference = _REFERENCE.match(own.lstrip())
        return _listed_once(document, reference.group() if reference else own, known)
    for _ in range(DEEPEST):
        kind, value = document.xref_get_key(xref, "Resources")
        parent = document.xref_get_key(xref, "Parent") if kind == "null" else ("null", "")
        if parent[0] != "xref":
            return _NOTHING if kind == "null" else _listed_once(document, value, known)
        xref = int(parent[1].split()[0])
    return _NOTHING


def _listed_once(document: pymupdf.Document, value: str, known: Known) -> Resources:
    if value not in known.resources:
        is_reference = _REFERENCE.fullmatch(value.strip())
        text = document.xref_object(int(is_reference.group(1)), compressed=True) if is_reference else value
        known.resources[value] = _listed(document, text)
    return known.resources[value]


def _listed(document: pymupdf.Document, text: str) -> Resources:
    traits: set[str] = set()
    forms: dict[bytes, int] = {}
    for section, part in _sections(document, text):
        entries = [(name, int(xref)) for name, xref in _ENTRY.findall(part)]
        if section == "XObject":
            forms |= {name.encode("latin-1", "replace"): xref for name, xref in entries}
        elif section == "Font":
            traits |= {f"F{xref}" for _, xref in entries} | ({f"F{part}"} if "<<" in part[2:] else set())
        elif section == "Pattern":
            traits.add("paint")
        else:
            states = [part, *(document.xref_object(xref, compressed=True) for _, xref in entries)]
            traits |= {"alpha"} if any(map(_SEE_THROUGH.search, states)) else set()
    return Resources(frozenset(traits), forms)


def _sections(document: pymupdf.Document, text: str) -> Iterator[tuple[str, str]]:
    names = list(_SECTION.finditer(text))
    for match, after in zip(names, [*names[1:], None], strict=False):
        part = text[match.end() : after.start() if after else len(text)].strip()
        if reference := _REFERENCE.match(part):
            part = document.xref_object(int(reference.group(1)), compressed=True)
        yield match.group(1), part


def _form(document: pymupdf.Document, xref: int, known: Known, callers: Resources, depth: int) -> Program:
    if xref in known.forms:
        return known.forms[xref]
    known.forms[xref] = Program()  # a form may name itself
    text = document.xref_object(xref, compressed=True)
    if "/Subtype/Form" not in text:
        known.forms[xref] = Program(has_images=True)
    elif depth >= DEEPEST:
        known.forms[xref] = UNREADABLE
    else:
        _, name, own = text.partition("/Resources")
        reference = _REFERENCE.match(own.strip())
        own = reference.group() if reference else own
        resources = _listed_once(document, own, known) if name else callers
        form = _Reader(document, known, resources, depth + 1).read(document.xref_stream(xref) or b"")
        matrix = _product(tuple(map(float, _NUMBERS.findall("".join(_MATRIX.findall(text)[:1])))), UNTURNED)
        lines = form.lines and tuple(_turned(line, matrix) for line in form.lines)
        known.forms[xref] = form._replace(lines=lines)
    return known.forms[xref]


_COVERING = {
    getattr(pymupdf, f"PDF_ANNOT_{name}")
    for name in ("SQUARE", "CIRCLE", "POLYGON", "FREE_TEXT", "STAMP", "INK", "REDACT", "HIGHLIGHT")
}


def has_covering_annotation(page: pymupdf.Page) -> bool:
    """Whether an annotation of the page may lie on words."""
    return page.first_annot is not None and any(kind in _COVERING for _, kind, _ in page.annot_xrefs())
