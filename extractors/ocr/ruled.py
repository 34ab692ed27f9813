"""Blanks to fill in (`____`) and typed rules (`-----`): print that both engines leave out.

A sentence with a blank in it is not finished, so the blank belongs to the text. Underlines, frames of tables, lines
for signatures and across the page are drawn, not typed, and stay out.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from extractors.ocr.page import OcrWord

THIN = 0.35  # letters; a rule is not higher
LONG = 4.0  # letters; a blank is not shorter
DASHES = 6  # that follow each other
LONGEST = 0.62  # of the width of the print; a longer line is drawn across the page
UNDERLINE = 0.5  # share of a line below print from which on it underlines it
UNEVEN = 0.3  # deviation of typed strokes' lengths and steps, as a share of their mean
TOUCHING = 0.8  # share of a row that is ink when it consists of underscores
BLANK = "____"  # stands for a line of any length: whether and how often `_` was typed, it does not show
CONFIDENCE = 0.9


class Stroke(NamedTuple):
    """A thin level piece of ink: left, top, right, bottom in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float


def typed_rules(ink: np.ndarray, words: Sequence[OcrWord], size: float) -> list[OcrWord]:
    """Blanks and typed rules as words of `_` and `-`, in no order; `size` is the usual height of a letter."""
    if not words or size <= 0:
        return []
    strokes = _strokes(ink, size)
    span = max(w.x1 for w in words) - min(w.x0 for w in words)
    blanks = [s for s in strokes if LONG * size <= s.x1 - s.x0 <= LONGEST * span and _is_blank(s, words, size)]
    rows = [row for row in _rows([s for s in strokes if s.x1 - s.x0 < 3 * size], size) if not _touched(row, words)]
    return [_word(BLANK, s) for s in blanks] + [
        _word(_typed(row), Stroke(row[0].x0, row[0].y0, row[-1].x1, row[-1].y1)) for row in rows
    ]


def _word(text: str, stroke: Stroke) -> OcrWord:
    return OcrWord(text, *stroke, CONFIDENCE, 0, 0)


def _typed(row: list[Stroke]) -> str:
    """The row as it was typed: underscores all but touch each other, hyphens don't."""
    start, end = row[0].x0, row[-1].x1
    touching = sum(s.x1 - s.x0 for s in row) > TOUCHING * (end - start)
    step = float(np.median([b.x0 - a.x0 for a, b in pairwise(row)]))
    return ("_" if touching else "-") * max(len(row), round((end - start) / step))


def _strokes(ink: np.ndarray, size: float) -> list[Stroke]:
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    x, y, wide, high, area = stats[1:].T
    thin = (high <= max(3, THIN * size)) & (wide >= 0.3 * size) & (wide >= 2 * high) & (area >= 0.6 * wide * high)
    return [Stroke(*map(float, box)) for box in np.stack([x, y, x + wide, y + high], axis=1)[thin]]


def _is_blank(stroke: Stroke, words: Sequence[OcrWord], size: float) -> bool:
    """Whether a line stands within a sentence, to be filled in: print before and behind it, none on it."""
    covered, before, behind = 0.0, False, False
    for word in words:
        overlap = min(word.x1, stroke.x1) - max(word.x0, stroke.x0)
        if overlap > 0 and -0.8 * size <= stroke.y0 - word.y1 <= 0.8 * size:
            covered += overlap
        if word.y0 < stroke.y0 < word.y1 + 0.5 * size:
            before = before or -size <= stroke.x0 - word.x1 <= 2 * size
            behind = behind or -size <= word.x0 - stroke.x1 <= 2 * size
    return before and behind and covered < UNDERLINE * (stroke.x1 - stroke.x0)


def _rows(strokes: list[Stroke], size: float) -> list[list[Stroke]]:
    """Chains of short strokes that follow each other at one height."""
    rows: list[list[Stroke]] = []
    for stroke in sorted(strokes, key=lambda s: (s.x0, s.y0)):
        row = next((r for r in rows if _continues(r[-1], stroke, size)), None)
        if row is None:
            rows.append([stroke])
        else:
            row.append(stroke)
    return [row for row in rows if len(row) >= DASHES and _is_typed(row)]


def _is_typed(row: list[Stroke]) -> bool:
    """Whether the strokes are of one length in one step: a drawn line breaks up at random."""
    lengths = np.array([s.x1 - s.x0 for s in row])
    steps = np.diff([s.x0 for s in row])
    return bool(lengths.std() < UNEVEN * lengths.mean() and steps.std() < UNEVEN * steps.mean())


def _continues(last: Stroke, stroke: Stroke, size: float) -> bool:
    return abs(stroke.y0 - last.y0) <= 0.25 * size and -1 <= stroke.x0 - last.x1 <= 1.2 * size


def _touched(row: list[Stroke], words: Sequence[OcrWord]) -> bool:
    """Whether the engine has read the row itself, or it underlines print."""
    x0, x1, y = row[0].x0, row[-1].x1, row[0].y0
    on = sum(max(0.0, min(w.x1, x1) - max(w.x0, x0)) for w in words if w.y0 <= y <= w.y1)
    return on > UNDERLINE * (x1 - x0)
