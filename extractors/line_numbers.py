"""Line numbers in the margin of drafts and pleadings: words of the paper, not of any sentence. Part of `read`.

They are moved to the end of the page, so that no sentence runs through them and nothing printed is lost.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from extractors.layout import W

FEWEST = {1: 8, 5: 4}
"""Numbers that a margin must hold, by what they count by."""

MARGIN = 0.2
"""Share of the width of the print, at its left or right, in which the numbers stand below each other."""

EVEN = 0.3
"""Lines that a number may stand off the place that its value gives it."""

PARAGRAPH = 1.4
"""Lines this much further apart than most belong to two paragraphs."""

NUMBERED = 0.75
"""Share of the rows of print beside which a number must stand, where every line is counted."""

LONGEST = 4  # digits


def without_line_numbers(words: Sequence[W]) -> list[W]:
    """The words with line numbers behind all others, as a block of their own; as they came without any."""
    numbers = [i for i, word in enumerate(words) if word.text.isdigit() and len(word.text) <= LONGEST]
    if len(numbers) < min(FEWEST.values()):
        return list(words)
    boxes = np.array([word.box for word in words])
    margin = _margin(words, boxes, np.array(numbers))
    if margin is None:
        return list(words)
    taken = set(margin)
    rest = _in_paragraphs([word for i, word in enumerate(words) if i not in taken])
    block = rest[-1].block + 1 if rest else 0
    return rest + [words[i]._replace(block=block, line=0) for i in margin]


def _in_paragraphs(words: Sequence[W]) -> list[W]:
    """The words with blocks given anew: beside a number, text layers take each line for a block."""
    starts = [i for i, word in enumerate(words) if i == 0 or not _in_one_row(words[i - 1], word)]
    tops = [words[i].box[1] for i in starts]
    gaps = [below - above for above, below in pairwise(tops)]
    usual = float(np.median([gap for gap in gaps if gap > 0] or [0.0]))
    blocks = np.cumsum([0, *(not 0 < gap <= PARAGRAPH * usual for gap in gaps)])
    line_of = np.searchsorted(starts, range(len(words)), side="right") - 1
    return [word._replace(block=int(blocks[line]), line=int(line)) for word, line in zip(words, line_of, strict=True)]


def _in_one_row(before: W, word: W) -> bool:
    (_, above, right, below), (left, top, _, bottom) = before.box, word.box
    return left >= right - 1 and min(below, bottom) - max(above, top) > 0.5 * min(below - above, bottom - top)


def _margin(words: Sequence[W], boxes: np.ndarray, numbers: np.ndarray) -> list[int] | None:
    """Indices of the line numbers from the top; None without any."""
    left, right = boxes[:, 0].min(), boxes[:, 2].max()
    reach = MARGIN * (right - left)
    at_left = _counted(words, boxes, numbers[boxes[numbers, 2] < left + reach])
    at_right = _counted(words, boxes, numbers[boxes[numbers, 0] > right - reach])
    left_of = boxes[:, 0] < boxes[at_left, 2].max(initial=left)
    right_of = boxes[:, 2] > boxes[at_right, 0].min(initial=right)
    for found, beyond in ((at_left, left_of), (at_right, right_of)):
        if found and _stand_alone(boxes, found, beyond) and _number_the_rows(words, boxes, found):
            return found
    return None


def _counted(words: Sequence[W], boxes: np.ndarray, side: np.ndarray) -> list[int]:
    """The numbers of a margin whose value tells how far down the page they stand."""
    if len(side) < min(FEWEST.values()):
        return []
    side = side[np.argsort(boxes[side, 1], kind="stable")]
    values = np.array([int(words[i].text) for i in side])
    tops = boxes[side, 1]
    steps, gaps = np.diff(values), np.diff(tops)
    sound = np.isin(steps, list(FEWEST)) & (gaps > 0)
    if not sound.any():
        return []
    pitch = float(np.median(gaps[sound] / steps[sound]))
    start = float(np.median(tops - pitch * values))
    return side[np.abs((tops - start) / pitch - values) <= EVEN].tolist()


def _stand_alone(boxes: np.ndarray, found: list[int], beyond: np.ndarray) -> bool:
    """Whether hardly anything else stands among the numbers, or between them and the edge of the paper."""
    y0, y1 = boxes[found, 1].min(), boxes[found, 3].max()
    return np.count_nonzero(beyond & (boxes[:, 1] >= y0) & (boxes[:, 3] <= y1)) <= 1.2 * len(found)


def _number_the_rows(words: Sequence[W], boxes: np.ndarray, found: list[int]) -> bool:
    """Whether the numbers count the rows of print beside them, and not the items of a list."""
    step = int(np.median(np.diff([int(words[i].text) for i in found]))) if len(found) > 1 else 0
    if len(found) < FEWEST.get(step, len(words)):
        return False
    others = np.setdiff1d(np.arange(len(words)), found)
    height = float(np.median(boxes[found, 3] - boxes[found, 1]))
    middles = np.sort((boxes[others, 1] + boxes[others, 3]) / 2)
    y0, y1 = boxes[found, 1].min(), boxes[found, 3].max()
    rows = middles[np.flatnonzero(np.diff(middles, prepend=-np.inf) > 0.5 * height)]
    beside = np.count_nonzero((rows >= y0) & (rows <= y1))
    if step == 1:
        return beside >= NUMBERED * len(found) and len(found) >= NUMBERED * len(rows)
    return beside >= NUMBERED * step * (len(found) - 1)
