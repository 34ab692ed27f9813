"""What words and their boxes alone give away: characters without width, places off the page, tiny type, letters
that the file says to be others. Part of `extractors.hidden`, like the names that its modules share.
"""

import re
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple, TypeVar

import numpy as np
import pymupdf

from extractors.characters import clean, garbage_share
from schemas.document import Box, HiddenKind, HiddenText

EVERYWHERE = pymupdf.Rect(-1e6, -1e6, 1e6, 1e6)
# Without MEDIABOX_CLIP, MuPDF gives also the text outside of the page and of clipping paths.
TEXT_FLAGS = pymupdf.TEXTFLAGS_WORDS & ~pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_PRESERVE_IMAGES
LETTERS = re.compile(r"[^\W_]")


class Word(NamedTuple):
    """What is asked of a word; `extractors.pdf.RawWord` has it."""

    text: str
    box: Box


W = TypeVar("W", bound=Word)


class Verdict(NamedTuple):
    """How a word, or some of its letters, is hidden; `visible` is what is left of it on the page."""

    kind: HiddenKind
    hidden: str
    visible: str = ""


def parted(words: Sequence[W], verdicts: dict[int, Verdict]) -> tuple[list[W], list[HiddenText]]:
    """The visible words, and the hidden ones as runs: neighbours hidden in the same way are one text."""
    if not verdicts:
        return list(words), []
    seen: list[W] = []
    runs: list[list] = []
    last = -2
    for i, word in enumerate(words):
        verdict = verdicts.get(i)
        if verdict is None or verdict.visible:
            seen.append(word if verdict is None else word._replace(text=verdict.visible))
        if verdict is None or not verdict.hidden:
            continue
        if last == i - 1 and runs and runs[-1][0] == verdict.kind:
            runs[-1][1].append(verdict.hidden)
            runs[-1][2] |= pymupdf.Rect(word.box)
        else:
            runs.append([verdict.kind, [verdict.hidden], pymupdf.Rect(word.box)])
        last = i
    return seen, [HiddenText(kind=kind, text=" ".join(texts), box=tuple(box)) for kind, texts, box in runs]


# Characters without width or ink. Honest ones stand alone: a chance to break a line behind a slash, a soft
# hyphen, the byte order mark of a pasted text, a joiner between letters.
ZERO_WIDTH = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\U000e0000-\U000e01ef]"
)
_CARRIED = re.compile(
    "[\u202d\u202e\U000e0001-\U000e01ef]"  # overrides turn the letters round, tags and selectors spell text
    "|[\u200b-\u200f\u2060-\u2064\ufeff\ufe00-\ufe0f]{2}"
    "|(?<=[0-9A-Za-z])[\u200b\u200e\u200f\u2060-\u2064\ufeff]+(?=[0-9A-Za-z])"
    "|(?<=[0-9])[\u00ad\u200c\u200d]+(?=[0-9])"
)
_TAG = 0xE0000


def without_zero_width(words: Sequence[W]) -> tuple[list[W], list[HiddenText]]:
    """The words without zero-width characters, and what those that spell or part something carry."""
    odd = [i for i, word in enumerate(words) if not word.text.isascii() and ZERO_WIDTH.search(word.text)]
    if not odd:
        return list(words), []
    seen, found, last = [], [], 0
    for i in odd:
        word = words[i]
        seen += words[last:i]
        last = i + 1
        visible = ZERO_WIDTH.sub("", word.text)
        if _CARRIED.search(word.text):
            found.append(HiddenText(kind="zero_width", text=_spelled(word.text), box=tuple(word.box)))
        if visible:
            seen.append(word._replace(text=visible))
    return [*seen, *words[last:]], found


def _spelled(text: str) -> str:
    """What tag characters of a word spell; without them, the word as it is in the file."""
    tags = "".join(chr(ord(c) - _TAG) for c in text if _TAG + 0x20 <= ord(c) <= _TAG + 0x7E)
    return tags or text


# The box of a word is as high as its font, which is 1.1 to 1.5 times the size of its type.
LOWEST_BOX = 3.0
NARROWEST_LETTER = 0.7
NARROWEST_SHARE = 0.06  # of the height, for a letter that may be an l
SEEN_SHARE = 0.35  # of a word's box that must lie on the page


def boxes_of(words: Sequence[W]) -> np.ndarray:
    """The boxes of the words, n x 4."""
    return np.fromiter(chain.from_iterable([word.box for word in words]), np.float32).reshape(-1, 4)


Frame = tuple[float, float, float, float]


def frame_of(boxes: np.ndarray) -> Frame:
    """The smallest box around all of at least one."""
    return *boxes.min(axis=0).tolist()[:2], *boxes.max(axis=0).tolist()[2:]


def by_box(rect: pymupdf.Rect, words: Sequence[W], boxes: np.ndarray, frame: Frame) -> dict[int, Verdict]:
    """Verdicts on the words outside of `rect`, the page, and on those in type too small to see.

    `frame` is the box around all of them.
    """
    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    is_inside = frame[0] >= rect.x0 and frame[1] >= rect.y0 and frame[2] <= rect.x1 and frame[3] <= rect.y1
    if is_inside and wide.min() >= LOWEST_BOX and high.min() >= LOWEST_BOX:
        return {}
    inside_x = np.minimum(boxes[:, 2], rect.x1) - np.maximum(boxes[:, 0], rect.x0)
    inside_y = np.minimum(boxes[:, 3], rect.y1) - np.maximum(boxes[:, 1], rect.y0)
    outside = (inside_x < SEEN_SHARE * wide) | (inside_y < SEEN_SHARE * high)
    outside |= (inside_x < 0) | (inside_y < 0)
    lowest = np.minimum(wide, high)
    verdicts: dict[int, Verdict] = {}
    for i in np.flatnonzero(outside | (lowest < LOWEST_BOX)).tolist():
        text = words[i].text
        if outside[i]:
            verdicts[i] = Verdict("off_page", text)
        elif LETTERS.search(text) and _is_tiny(float(wide[i]), float(high[i]), len(text)):
            verdicts[i] = Verdict("tiny", text)
    return verdicts


def _is_tiny(wide: float, high: float, letters: int) -> bool:
    along, across = max(wide, high), min(wide, high)
    if letters <= 2:  # a narrow letter says nothing about the size of its type
        return high < LOWEST_BOX or wide < NARROWEST_SHARE * high * letters
    return across < LOWEST_BOX or along < NARROWEST_LETTER * letters


def by_actual_text(page: pymupdf.Page, words: Sequence[W]) -> dict[int, Verdict]:
    """Words that the file says to be read otherwise than they are printed (PDF 32000-1, 14.9.4).

    Honest files name hyphens and ornaments in this way; letters and digits are what they are.
    """
    if page.rotation:
        return {}
    printed = page.get_textpage(clip=EVERYWHERE, flags=TEXT_FLAGS | pymupdf.TEXT_IGNORE_ACTUALTEXT).extractWORDS()
    by_corner = {(round(x0), round(y0)): clean(text).strip() for x0, y0, _, _, text, *_ in printed}
    verdicts = {}
    for i, word in enumerate(words):
        shown = by_corner.get((round(word.box[0]), round(word.box[1])))
        said, seen = (LETTERS.findall(clean(text)) for text in (word.text, shown or ""))
        if seen and said != seen and not garbage_share(shown):
            verdicts[i] = Verdict("wrong_letters", word.text, shown)
    return verdicts


def place(text: str, box: Box) -> tuple[str, int, int]:
    """What tells a word from the others of its page, in another text page too."""
    return clean(text).strip(), round(box[0]), round(box[1])
