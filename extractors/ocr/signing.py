"""Places for signatures and initials on a picture, and whether something stands in them.

A place is found by its label in print; whether it is filled is seen in the ink at it, not read: nobody's signature
is legible. What can't be told is uncertain.
"""

import re
from collections.abc import Sequence

import cv2
import numpy as np

from extractors.ocr.page import OcrWord, PageArea

_LABEL = re.compile(
    r"^(?P<signature>by\s*:|signature\s*:?|signed\s*:|sign\s+here:?|x_+|署名\s*[:：]?)$|^(?P<initials>initials|initials?\s*:)$",
    re.IGNORECASE,
)
_TYPED = re.compile(r"^/s/|^docusigned|^\(?signed\)?$", re.IGNORECASE)
_NEXT = re.compile(r"^(?:by|name|title|date|its|signature|initials?|print(?:ed)?)\s*:$", re.IGNORECASE)
WIDE, NARROW = 22.0, 7.0  # letters: how far a signature and initials reach
ABOVE, BELOW = 2.2, 0.9  # letters over and under the label's base line
TALL = 1.1  # letters; ink as high as that is no dirt
LEVEL = 0.35  # letters; a rule is not higher
Box = tuple[float, float, float, float]


def signature_areas(
    words: Sequence[OcrWord], ink: np.ndarray, size: float, written: Sequence[Box] = ()
) -> tuple[PageArea, ...]:
    """The places on a page. `ink` is 1 where the upright page has ink, `size` the usual height of a letter in
    pixels, `written` the boxes of handwriting that was found."""
    places = [(at, kind) for at, word in enumerate(words) if (kind := _kind(word.text)) is not None]
    return tuple(_area(words, at, kind, ink, size, written) for at, kind in places)


def is_label(text: str) -> bool:
    """Whether a word of print stands before a place for a signature or initials."""
    return _kind(text) is not None


def _kind(text: str) -> str | None:
    match = _LABEL.match(text.strip())
    return None if match is None else "signature" if match["signature"] else "initials"


def _area(
    words: Sequence[OcrWord], at: int, kind: str, ink: np.ndarray, size: float, written: Sequence[Box]
) -> PageArea:
    label = words[at]
    box = _place(words, at, kind, ink.shape, size)
    inside = [w for i, w in enumerate(words) if i != at and _middle_in((w.x0, w.y0, w.x1, w.y1), box)]
    if any(_TYPED.match(word.text) for word in inside) or any(_meets(place, box) for place in written):
        state = "present"
    else:
        state = _seen(ink, box, inside, size)
    return PageArea(kind, label.text, state, box)


def _place(words: Sequence[OcrWord], at: int, kind: str, shape: tuple[int, ...], size: float) -> Box:
    """From the label to the next one on its line, and over it as high as a signature stands."""
    label = words[at]
    end = label.x1 + (WIDE if kind == "signature" else NARROW) * size
    beside = [w.x0 for w in words if w.x0 > label.x1 and _NEXT.match(w.text) and _one_line(w, label)]
    right = min([end, float(shape[1]), *(x - 0.3 * size for x in beside)])
    above = [w.y1 for w in words if w.y1 <= label.y0 and w.x0 < right and w.x1 > label.x1]
    top = max([0.0, label.y1 - ABOVE * size, *above])
    return label.x1 + 0.3 * size, top, max(right, label.x1 + size), min(float(shape[0]), label.y1 + BELOW * size)


def _one_line(a: OcrWord, b: OcrWord) -> bool:
    return min(a.y1, b.y1) - max(a.y0, b.y0) > 0.5 * min(a.y1 - a.y0, b.y1 - b.y0)


def _middle_in(inner: Box, outer: Box) -> bool:
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


def _meets(a: Box, b: Box) -> bool:
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return across > 0 and down > 0 and across * down >= 0.2 * (a[2] - a[0]) * (a[3] - a[1])


def _seen(ink: np.ndarray, box: Box, inside: Sequence[OcrWord], size: float) -> str:
    """Present when strokes stand there that are neither print nor rule nor dirt; absent when none do."""
    x0, y0, x1, y1 = (round(v) for v in box)
    part = ink[max(0, y0) : y1, max(0, x0) : x1].copy()
    if not part.size:
        return "uncertain"
    for word in inside:
        if word.confidence >= 0.9:
            part[
                max(0, int(word.y0) - y0) : int(word.y1) - y0 + 1, max(0, int(word.x0) - x0) : int(word.x1) - x0 + 1
            ] = 0
    _, _, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    high, wide = stats[1:, cv2.CC_STAT_HEIGHT], stats[1:, cv2.CC_STAT_WIDTH]
    strokes = (high >= TALL * size) & (wide >= 0.5 * size)
    if strokes.any():
        return "present"
    if any(w.confidence >= 0.9 and any(c.isalpha() for c in w.text) and not _NEXT.match(w.text) for w in inside):
        return "uncertain"  # a printed name in the place: perhaps an e-signature
    dirt = (high > LEVEL * size) & (wide > LEVEL * size)
    return "uncertain" if dirt.any() else "absent"
