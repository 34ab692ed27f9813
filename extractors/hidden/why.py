"""Which kind of hidden a word is: one page looked at closely, letter by letter. Part of `extractors.hidden`."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pymupdf
from pymupdf import mupdf

from extractors.characters import clean
from extractors.hidden.picture import INK, picture, scale_for
from extractors.hidden.words import LETTERS, ZERO_WIDTH, Verdict, W, place
from schemas.document import Box, HiddenKind


class _Letter(NamedTuple):
    """A character as the page's program sets it: its place in the order of drawing, box, colour and size."""

    text: str
    order: int
    box: Box
    kind: HiddenKind | None
    colour: tuple[float, ...]
    opacity: float
    size: float


CLOSE_SCALE = 1.5  # pixels per point
SMALLEST_TYPE = 2.2  # points
CLEAR = 0.5  # opacity below which a text too pale to see is called transparent
CLOSE_INK = 16


class Trace:
    """One page looked at closely: every letter with how it was drawn, and the picture with and without text."""

    def __init__(self, page: pymupdf.Page, shown: mupdf.FzDisplayList, traits: frozenset[str]) -> None:
        self.page = page
        self.traits = traits
        self.letters = list(_letters(page))
        self.spelled = [ZERO_WIDTH.sub("", clean(letter.text)).strip() for letter in self.letters]
        self.kinds: dict[_Letter, HiddenKind | str | None] = {}
        self.scale = scale_for(page.rect, CLOSE_SCALE)
        boxes = np.array([letter.box for letter in self.letters], np.float32).reshape(-1, 4)
        self.centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        self.with_text, self.ground = (
            picture(page, shown, self.scale, mupdf.fz_device_rgb(), text) for text in (True, False)
        )
        self.change = np.maximum(self.with_text, self.ground) - np.minimum(self.with_text, self.ground)

    def verdicts(self, words: Sequence[W], doubtful: Sequence[int]) -> dict[int, Verdict]:
        same: dict[str, list[int]] = {}
        for i, word in enumerate(words):
            same.setdefault(word.text, []).append(i)
        twins = {i: [j for j in same[words[i].text] if _is_near(words[j].box, words[i].box)] for i in doubtful}
        found = {i: verdict for i in doubtful if (verdict := self._verdict(words[i], twins[i].index(i)))}
        # A shadow or an outline: the same word is seen in the same place.
        shadows = {i for i in found if any(j not in found for j in twins[i])}
        for i, verdict in found.items():
            is_clipped = verdict.kind == "tiny" and "unclipped" in vars(self)
            is_shadow = i in shadows and not _is_beside_covered(i, found, shadows)
            if is_shadow or (is_clipped and _ends_the_text(words, i, found)):
                found[i] = verdict._replace(hidden="")
        return found

    def _verdict(self, word: W, copy: int) -> Verdict | None:
        """How the word is hidden; `copy` counts the words of the same text drawn in its place before it."""
        letters = self._letters_of(word, copy)
        if not letters:
            return None if self._has_ink(word.box) else Verdict(self._unexplained(word), word.text)
        kinds = [self._kind(letter) for letter in letters if LETTERS.search(letter.text)]
        hidden = [kind for kind in kinds if kind]
        if not hidden:
            return None
        if len(hidden) < len(kinds):
            return self._partly(word, letters)
        known = [kind for kind in hidden if kind != "unexplained"]
        return Verdict(max(known, key=known.count) if known else self._unexplained(word), word.text)

    def _partly(self, word: W, letters: list[_Letter]) -> Verdict | None:
        kinds = [self._kind(letter) for letter in letters]
        kinds = [None if kind == "unexplained" else kind for kind in kinds]  # a letter cut off by the page's edge
        if not any(kinds):
            return None
        hidden = "".join(letter.text for letter, kind in zip(letters, kinds, strict=True) if kind)
        visible = "".join(letter.text for letter, kind in zip(letters, kinds, strict=True) if not kind)
        return Verdict(next(filter(None, kinds)), hidden, clean(visible))

    def _letters_of(self, word: W, copy: int) -> list[_Letter]:
        """The letters that spell the word, in its box: another text in the same place is not meant."""
        x0, y0, x1, y1 = word.box
        x, y = self.centres.T
        inside = np.flatnonzero((x >= x0 - 0.5) & (x <= x1 + 0.5) & (y >= y0 - 0.5) & (y <= y1 + 0.5)).tolist()
        letters = [self.letters[i] for i in inside]
        spelled = [self.spelled[i] for i in inside]
        text = "".join(spelled)
        at = text.find(word.text)
        if at < 0:
            return letters
        for _ in range(copy):
            at = max(at, text.find(word.text, at + 1))
        ends = np.cumsum([len(part) for part in spelled])
        return [
            letter
            for letter, part, end in zip(letters, spelled, ends.tolist(), strict=True)
            if part and at < end <= at + len(word.text)
        ]

    def _pixels(self, picture: np.ndarray, box: Box) -> np.ndarray:
        x0, y0, x1, y1 = (max(0, round(v * self.scale)) for v in box)
        return picture[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]

    def _has_ink(self, box: Box) -> bool:
        pixels = self._pixels(self.with_text, box)
        return bool(pixels.size) and int((pixels.max(axis=(0, 1)) - pixels.min(axis=(0, 1))).max()) >= 3 * INK

    def _kind(self, letter: _Letter) -> HiddenKind | str | None:
        """How the letter is hidden; None if it is seen."""
        if letter not in self.kinds:
            self.kinds[letter] = self._new_kind(letter)
        return self.kinds[letter]

    def _new_kind(self, letter: _Letter) -> HiddenKind | str | None:
        if letter.kind or not LETTERS.search(letter.text):
            return letter.kind
        ground = self._pixels(self.ground, letter.box)
        if not ground.size:
            return "off_page"
        changed = int(self._pixels(self.change, letter.box).max()) >= CLOSE_INK
        if self._is_covered(letter, changed):
            return "covered"
        if _is_faint(letter, np.median(ground.reshape(-1, 3), axis=0) / 255):
            return "transparent" if letter.opacity < CLEAR else "faint"
        return None if changed else "unexplained"

    def _is_covered(self, letter: _Letter, changed: bool) -> bool:
        x, y = _centre(letter.box)
        covers = [order for order, box in self.covers if order > letter.order and _holds(box, x, y)]
        if not changed or not covers:
            return bool(covers)
        # The change may be that of another text, put on top of the cover.
        return any(other.order > min(covers) and _overlap(other.box, letter.box) for other in self.letters)

    @cached_property
    def covers(self) -> list[tuple[int, Box]]:
        return list(_covers(self.page))

    @cached_property
    def unclipped(self) -> set[tuple[str, int, int]]:
        """The words that no clipping path cuts away."""
        clipped = self.page.get_textpage(flags=pymupdf.TEXTFLAGS_WORDS)
        return {place(text, (x0, y0, x1, y1)) for x0, y0, x1, y1, text, *_ in clipped.extractWORDS()}

    def _unexplained(self, word: W) -> HiddenKind:
        if "alpha" in self.traits:
            return "transparent"
        is_clipped = not self.page.rotation and place(word.text, word.box) not in self.unclipped
        return "tiny" if is_clipped else "invisible"


def _letters(page: pymupdf.Page) -> Iterator[_Letter]:
    turn = page.rotation_matrix
    for span in page.get_texttrace():
        kind = "invisible" if span["type"] == 3 else "tiny" if span["size"] < SMALLEST_TYPE else None
        colour = tuple(span["color"])
        colour = colour if len(colour) == 3 else (*colour, 0, 0, 0)[:1] * 3
        for code, _, _, box in span["chars"]:
            shown = tuple(pymupdf.Rect(box) * turn) if page.rotation else box
            yield _Letter(chr(code), span["seqno"], shown, kind, colour, span["opacity"], span["size"])


THICK_STROKE = 3.0
OPAQUE = 0.9


def _covers(page: pymupdf.Page) -> Iterator[tuple[int, Box]]:
    """What may hide the text drawn before it: its place in the order of drawing, and its box."""
    turn = page.rotation_matrix
    for drawing in page.get_cdrawings():
        rect = pymupdf.Rect(drawing["rect"])
        if "f" in drawing["type"] and (drawing.get("fill_opacity") or 0) >= OPAQUE:
            yield drawing["seqno"], tuple(rect * turn)
        elif drawing["type"] == "s" and drawing["width"] >= THICK_STROKE and len(drawing["items"]) == 1:
            half = drawing["width"] / 2
            grown = pymupdf.Rect(rect.x0 - half, rect.y0 - half, rect.x1 + half, rect.y1 + half)
            yield drawing["seqno"], tuple(grown * turn)
    for order, (kind, box) in enumerate(page.get_bboxlog()):
        if kind in ("fill-image", "fill-imgmask", "fill-shade"):
            yield order, tuple(pymupdf.Rect(box) * turn)


FAINT = 1.18  # contrast as in WCAG 2: light grey print of 0.93 on white
FAINT_LARGE = 1.08
LARGE_TYPE = 24.0
COLOURFUL = 0.25  # difference in a single channel that is seen as a colour: yellow on white


def _is_faint(letter: _Letter, ground: np.ndarray) -> bool:
    """Whether a letter is too near in colour to what it stands on. Large letters, a watermark, are seen sooner."""
    colour = np.array(letter.colour) * letter.opacity + ground * (1 - letter.opacity)
    if np.abs(colour - ground).max() >= COLOURFUL:
        return False
    lighter, darker = sorted((_luminance(colour), _luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05) < (FAINT_LARGE if letter.size >= LARGE_TYPE else FAINT)


def _luminance(colour: np.ndarray) -> float:
    """Relative luminance of sRGB, 0 to 1, as in WCAG 2."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _holds(box: Box, x: float, y: float) -> bool:
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


PAGE_BREAK = 25.0  # points without text


def _ends_the_text(words: Sequence[W], i: int, hidden: dict[int, Verdict]) -> bool:
    """Whether a clipped word stands where the text ends: browsers print one long text and clip it to each page."""
    top, bottom = words[i].box[1], words[i].box[3]
    seen = [word.box for j, word in enumerate(words) if j not in hidden]
    above = any(top - PAGE_BREAK < box[3] <= top + 2 for box in seen)
    below = any(bottom - 2 <= box[1] < bottom + PAGE_BREAK for box in seen)
    return not (above and below)


def _overlap(a: Box, b: Box) -> bool:
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.1 and min(a[3], b[3]) - max(a[1], b[1]) > 0.5 * (b[3] - b[1])


def _is_beside_covered(i: int, found: dict[int, Verdict], shadows: set[int]) -> bool:
    """Whether a covered word belongs to a covered text of which other words are not to be seen anywhere."""
    for step in (-1, 1):
        j = i
        while j in found and found[j].kind == "covered":
            if j not in shadows:
                return True
            j += step
    return False


def _is_near(a: Box, b: Box) -> bool:
    (ax, ay), (bx, by) = _centre(a), _centre(b)
    return abs(ax - bx) <= 4 and abs(ay - by) <= 4
