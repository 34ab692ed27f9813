"""What Tesseract read badly or not at all on a page it reads well, read again by RapidOCR's recogniser.

Tesseract is quick and nearly always right on clean pages; where it isn't, it either says so (a word of low
confidence) or leaves the ink out: list letters, brackets, a label beside a table. Both places are found without a
second look at the whole page, and only their lines are read again.
"""

from collections.abc import Sequence
from itertools import groupby

import cv2
import numpy as np

from extractors.ocr import rapid
from extractors.ocr.ink import Marks
from extractors.ocr.lines import TextLines
from extractors.ocr.page import OcrWord, mean_confidence
from extractors.ocr.ruled import typed_rules

DOUBTFUL = 0.80  # confidence of a word below which its line is read again
BELIEVED = 0.90  # mean confidence of the second reading from which it counts
MARGIN = 0.2  # of a line's height, left around it as the recogniser has learned it
TALLEST = 5.0  # letters; a higher line is a picture, or several lines in one
NEAR = 1.5  # letters between marks of one group that was left out
MOST_GROUPS = 60  # on a page of which more was left out, this is not the place to mend it

Outline = tuple[float, float, float, float]


def mended(grey: np.ndarray, words: Sequence[OcrWord], marks: Marks) -> tuple[OcrWord, ...]:
    """The words with doubtful lines read anew and ink that was left out read and put in its place.

    `grey` is the straightened page, `words` Tesseract's reading of it and `marks` its letter-like marks.
    """
    lines = [list(line) for _, line in groupby(words, key=lambda word: (word.block, word.line))]
    lines = [_reread(grey, line, marks.size) if _is_doubtful(line) else line for line in lines]
    for left_out in _left_out([word for line in lines for word in line], marks):
        _insert(lines, _read(grey, left_out, marks.size))
    return _numbered(lines)


def with_rules(words: Sequence[OcrWord], ink: np.ndarray, size: float) -> tuple[OcrWord, ...]:
    """The words with the page's blanks and typed rules among them; `ink` is 1 where the page has ink."""
    rules = typed_rules(ink, words, size)
    if not rules:
        return tuple(words)
    lines = [list(line) for _, line in groupby(words, key=lambda word: (word.block, word.line))]
    for rule in sorted(rules, key=lambda rule: rule.y0):
        _insert(lines, [rule])
    return _numbered(lines)


def _numbered(lines: list[list[OcrWord]]) -> tuple[OcrWord, ...]:
    return tuple(word._replace(line=number, block=line[0].block) for number, line in enumerate(lines) for word in line)


def _is_doubtful(line: list[OcrWord]) -> bool:
    return any(word.confidence < DOUBTFUL for word in line)


def _reread(grey: np.ndarray, line: list[OcrWord], size: float) -> list[OcrWord]:
    new = _read(grey, _around(line), size)
    return [word._replace(block=line[0].block) for word in new] or line


def _around(line: Sequence[OcrWord]) -> Outline:
    return min(w.x0 for w in line), min(w.y0 for w in line), max(w.x1 for w in line), max(w.y1 for w in line)


def _read(grey: np.ndarray, outline: Outline, size: float) -> list[OcrWord]:
    """The words inside an outline, from left to right; none where the recogniser is not sure of them."""
    x0, y0, x1, y1 = outline
    if y1 - y0 > TALLEST * size:
        return []
    margin = max(MARGIN * (y1 - y0), 0.4 * size)
    x0, y0, x1, y1 = x0 - margin, y0 - margin, x1 + margin, y1 + margin
    corners = np.array([[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]], np.float32)
    read = rapid.read(grey, TextLines.straight(corners))
    return list(read) if (mean_confidence(read) or 0.0) >= BELIEVED else []


def _left_out(words: Sequence[OcrWord], marks: Marks) -> list[Outline]:
    """Boxes around groups of letter-like marks that stand in no word's box."""
    outside = ~_inside(words, marks)
    if not outside.any():
        return []
    boxes = marks.boxes[outside]
    reach = NEAR * marks.size
    high = int(boxes[:, 1].max() + boxes[:, 3].max()) + 2
    wide = int(boxes[:, 0].max() + boxes[:, 2].max()) + 2
    step = max(1.0, marks.size / 4)  # a coarse map is enough to see what stands together
    field = np.zeros((int(high / step) + 2, int(wide / step) + 2), np.uint8)
    for x, y, w, h in boxes / step:
        left = int(max(0, x - reach / step / 2))
        field[int(y) : int(y + h) + 1, left : int(x + w + reach / step / 2) + 1] = 1
    count, labels = cv2.connectedComponents(field)
    if count - 1 > MOST_GROUPS:
        return []
    group = labels[(boxes[:, 1] / step).astype(int), (boxes[:, 0] / step).astype(int)]
    return [_hull(boxes[group == number]) for number in range(1, count) if (group == number).any()]


def _hull(boxes: np.ndarray) -> Outline:
    x0, y0 = boxes[:, 0].min(), boxes[:, 1].min()
    x1, y1 = (boxes[:, 0] + boxes[:, 2]).max(), (boxes[:, 1] + boxes[:, 3]).max()
    return float(x0), float(y0), float(x1), float(y1)


def _inside(words: Sequence[OcrWord], marks: Marks) -> np.ndarray:
    """For each mark whether its centre lies in a word's box."""
    x, y = marks.centres.T
    inside = np.zeros(len(marks), bool)
    for word in words:
        inside |= (x >= word.x0 - 2) & (x <= word.x1 + 2) & (y >= word.y0 - 2) & (y <= word.y1 + 2)
    return inside


def _insert(lines: list[list[OcrWord]], new: list[OcrWord]) -> None:
    """Put words among the line that stands at their height, else as a line of their own below the one above."""
    if not new:
        return
    x0, y0, _, y1 = _around(new)
    beside = [i for i, line in enumerate(lines) if _beside(line, x0, y0, y1)]
    if beside:
        # the line nearest to the right or left: columns have lines at one height too
        at = min(beside, key=lambda i: min(abs(w.x0 - x0) for w in lines[i]))
        block = lines[at][0].block
        lines[at] = sorted([*lines[at], *(w._replace(block=block) for w in new)], key=lambda w: w.x0)
        return
    above = [i for i, line in enumerate(lines) if _around(line)[3] <= y1]
    at = max(above, key=lambda i: _around(lines[i])[3]) + 1 if above else 0
    block = lines[at - 1][0].block if above else -1
    lines.insert(at, [w._replace(block=block) for w in new])


def _beside(line: list[OcrWord], x0: float, y0: float, y1: float) -> bool:
    """Whether new words stand at the height of a line's words next to them."""
    near = min(line, key=lambda w: min(abs(w.x0 - x0), abs(w.x1 - x0)))
    if y1 - y0 < 0.4 * (near.y1 - near.y0):  # a rule: it lies at the foot of its line
        return near.y0 < y0 < near.y1 + 0.5 * (near.y1 - near.y0)
    return min(near.y1, y1) - max(near.y0, y0) >= 0.5 * min(near.y1 - near.y0, y1 - y0)
