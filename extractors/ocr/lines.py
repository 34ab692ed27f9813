"""Text lines for the recogniser: cutting them into pieces, its characters into words, all into order."""

import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from extractors.ocr.page import OcrWord

HEIGHT = 48  # pixels; the recogniser's input
BLANK_AT_CUT = 0.6  # of the usual blank; the widest gap in reach was cut, and most often that is one
LONGEST = 18 * HEIGHT  # pixels of a piece; in longer ones the recogniser drops letters
STOPS = frozenset("、。，．！？；：」』）】〕")  # a Japanese word, for its box, ends after one of these


@dataclass(frozen=True)
class TextLines:
    """Text lines of a page: outlines n x 4 x 2 (top left, top right, bottom right, bottom left) in pixels.

    `bends` tells for each how far its middle hangs below its ends, as a share of its height: paper curls.
    """

    outlines: np.ndarray
    bends: np.ndarray

    @classmethod
    def straight(cls, outlines: np.ndarray) -> "TextLines":
        """Lines that aren't bent."""
        return cls(outlines, np.zeros(len(outlines), np.float32))

    def __len__(self) -> int:
        return len(self.outlines)

    def on_its_head(self, wide: int, high: int) -> "TextLines":
        """The same lines on the page turned by 180 degrees."""
        return TextLines(np.array([wide, high], np.float32) - self.outlines[:, [2, 3, 0, 1]], -self.bends)


@dataclass(frozen=True)
class Strip:
    """A text line cut out, levelled and made `HEIGHT` pixels high.

    `homography` leads from the page to the strip of a line that isn't bent, `bend` is how many pixels the
    middle of the line hangs below its ends on that strip.
    """

    picture: np.ndarray
    ink: np.ndarray
    homography: np.ndarray
    bend: float = 0.0

    @classmethod
    def of(cls, grey: np.ndarray, outline: np.ndarray, bend: float = 0.0) -> "Strip":
        """The strip inside an outline (top left, top right, bottom right, bottom left)."""
        top_left, top_right, bottom_right, bottom_left = outline
        wide = max(np.linalg.norm(top_right - top_left), np.linalg.norm(bottom_right - bottom_left))
        high = max(np.linalg.norm(bottom_left - top_left), np.linalg.norm(bottom_right - top_right), 1.0)
        across = max(8, round(float(wide * HEIGHT / high)))
        corners = np.array([[0, 0], [across, 0], [across, HEIGHT], [0, HEIGHT]], np.float32)
        homography = cv2.getPerspectiveTransform(outline.astype(np.float32), corners)
        if bend:
            picture = _levelled(grey, homography, across, bend * HEIGHT)
        else:
            picture = _cut_out(grey, homography, across, max(1, int(high // HEIGHT)))
        return cls(picture, _strip_ink(picture), homography, bend * HEIGHT)

    def on_page(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        """The box around a box of the strip, in pixels of the page."""
        down = self.bend * float(_hang((x0 + x1) / 2, self.picture.shape[1]))
        y0, y1 = y0 + down, y1 + down
        corners = np.array([[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]], np.float64)
        points = cv2.perspectiveTransform(corners, np.linalg.inv(self.homography))[0]
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


def _cut_out(grey: np.ndarray, homography: np.ndarray, across: int, finer: int) -> np.ndarray:
    """The strip, cut out `finer` times as large and then shrunk, so that thin strokes of large print stay."""
    size = (across * finer, HEIGHT * finer)
    enlarged = np.diag([finer, finer, 1.0]) @ homography
    cut = cv2.warpPerspective(grey, enlarged, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(cut, (across, HEIGHT), interpolation=cv2.INTER_AREA)


def _hang(x: np.ndarray | float, across: int) -> np.ndarray | float:
    """The shape of a bent line: 2/3 at its ends up, 1/3 in its middle down, 0 on average."""
    return 2 / 3 - np.square(2 * np.asarray(x) / across - 1) - 1 / 3


def _levelled(grey: np.ndarray, homography: np.ndarray, across: int, bend: float) -> np.ndarray:
    """The strip along a bent line."""
    x, y = np.meshgrid(np.arange(across, dtype=np.float64), np.arange(HEIGHT, dtype=np.float64))
    y += bend * _hang(x, across)
    points = np.stack([x, y], axis=2).reshape(1, -1, 2)
    places = cv2.perspectiveTransform(points, np.linalg.inv(homography)).astype(np.float32)
    at = places.reshape(HEIGHT, across, 2)
    return cv2.remap(grey, at[:, :, 0], at[:, :, 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _strip_ink(picture: np.ndarray) -> np.ndarray:
    _, ink = cv2.threshold(picture, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    return ink


def pieces(strip: np.ndarray) -> list[tuple[int, int]]:
    """Half-open column ranges of at most `LONGEST` pixels, cut where there is no ink or the least."""
    profile = _strip_ink(strip).sum(axis=0)
    cuts, start, end = [0], 0, strip.shape[1]
    while end - start > LONGEST:
        start = _best_cut(profile, start + LONGEST // 2, start + LONGEST)
        cuts.append(start)
    return list(pairwise([*cuts, end]))


def cuts(strip: np.ndarray) -> list[tuple[int, int]]:
    """Where `pieces` cuts a strip, and how many columns without ink are there."""
    profile = _strip_ink(strip).sum(axis=0)
    return [(start, _gap_at(profile, start)) for start, _ in pieces(strip)[1:]]


def _gap_at(profile: np.ndarray, column: int) -> int:
    inked = np.flatnonzero(profile)
    at = np.searchsorted(inked, column)
    left = inked[at - 1] if at else -1
    right = inked[at] if at < len(inked) else len(profile)
    return int(right - left - 1) if profile[column] == 0 else 0


def _best_cut(profile: np.ndarray, low: int, high: int) -> int:
    """The middle of the widest gap between two columns, or else the column with the least ink."""
    gap = widest_gap(profile, low, high)
    return (gap[0] + gap[1]) // 2 if gap is not None else low + int(profile[low:high].argmin())


def widest_gap(profile: np.ndarray, low: int, high: int) -> tuple[int, int] | None:
    """The longest run of empty columns inside [low, high), half-open; None when there is none."""
    empty = np.concatenate([[0], (profile[low:high] == 0).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(empty))
    if not len(edges):
        return None
    starts, ends = edges[::2], edges[1::2]
    longest = int((ends - starts).argmax())
    return low + int(starts[longest]), low + int(ends[longest])


def _gap_between(profile: np.ndarray, left, right) -> int:
    """Columns without ink between two characters that were read."""
    gap = widest_gap(profile, int(left.x), max(int(left.x) + 1, int(right.x)))
    return gap[1] - gap[0] if gap else 0


def is_cjk(character: str) -> bool:
    """Whether the character is Chinese, Japanese or full-width: it takes no blank beside it."""
    return unicodedata.east_asian_width(character) in "WF"


class BlankWidth(NamedTuple):
    """Gaps in the ink, in strip pixels: that of the `usual` blank, and from which on a gap is `sure` to be one."""

    usual: float = 0.2 * HEIGHT
    sure: float = float("inf")


def blank_width(strips: list[Strip], texts: list) -> BlankWidth:
    """How wide the blanks of a page are; a guess where it shows too few of them."""
    inside, between = [], []
    for strip, text in zip(strips, texts, strict=True):
        profile = strip.ink.sum(axis=0)
        for left, right, spaced in _neighbours(text):
            if not (is_cjk(left.text) or is_cjk(right.text)):
                (between if spaced else inside).append(_gap_between(profile, left, right))
    between = [gap for gap in between if gap]  # the place of a character is not exact: its gap may lie beside it
    if len(between) < 5 or len(inside) < 20:
        return BlankWidth()
    usual, narrow = float(np.median(between)), float(np.median(inside))
    return BlankWidth(usual, max(usual, 2.5 * narrow, 5.0))


def _neighbours(text: list):
    """Pairs of printed characters that follow each other, and whether a space was read between them."""
    left, spaced = None, False
    for character in text:
        if character.text.isspace():
            spaced = True
            continue
        if left is not None:
            yield left, character, spaced
        left, spaced = character, False


def words_of(strip: Strip, text: list, blank: BlankWidth, line: int, block: int) -> list[OcrWord]:
    """The words of a strip, with boxes around their ink, in pixels of the page."""
    profile = strip.ink.sum(axis=0)
    groups = _groups(text, profile, blank)
    cuts = [0, *(_cut(profile, a[-1].x, b[0].x) for a, b in pairwise(groups)), strip.picture.shape[1]]
    return (
        [
            _word(strip, group, start, end, line, block)
            for group, (start, end) in zip(groups, pairwise(cuts), strict=True)
        ]
        if groups
        else []
    )


def _groups(text: list, profile: np.ndarray, blank: BlankWidth) -> list[list]:
    printed = [character for character in text if not character.text.isspace()]
    groups = [[printed[0]]] if printed else []
    for left, right, spaced in _neighbours(text):
        if spaced or left.text in STOPS or _lost_blank(profile, left, right, blank):
            groups.append([])
        groups[-1].append(right)
    return groups


def _lost_blank(profile: np.ndarray, left, right, blank: BlankWidth) -> bool:
    if is_cjk(left.text) or is_cjk(right.text):
        return False
    return _gap_between(profile, left, right) >= blank.sure


def _cut(profile: np.ndarray, left: float, right: float) -> int:
    gap = widest_gap(profile, int(left), max(int(left) + 1, int(right)))
    return (gap[0] + gap[1]) // 2 if gap else round((left + right) / 2)


def _word(strip: Strip, group: list, start: int, end: int, line: int, block: int) -> OcrWord:
    x0, y0, x1, y1 = _around_ink(strip.ink, start, end)
    confidence = float(np.mean([character.probability for character in group]))
    text = "".join(character.text for character in group)
    return OcrWord(text, *strip.on_page(x0, y0, x1, y1), min(1.0, confidence), line, block)


def _around_ink(ink: np.ndarray, start: int, end: int) -> tuple[int, int, int, int]:
    """The box around the ink between two columns; the whole height where there is none."""
    part = ink[:, start:end]
    columns, rows = np.flatnonzero(part.any(axis=0)), np.flatnonzero(part.any(axis=1))
    if not len(columns):
        return start, 0, max(start + 1, end), HEIGHT
    return start + int(columns[0]), int(rows[0]), start + int(columns[-1]) + 1, int(rows[-1]) + 1


def reading_order(outlines: np.ndarray) -> list[tuple[int, int, int]]:
    """Index of each outline with its line and block number, in reading order.

    Rows from top to bottom, left to right; two columns one after the other where a gutter parts them.
    """
    order, line, block = [], 0, 0
    for column in _columns(outlines):
        rows = _rows(outlines, column)
        for before, row in zip([None, *rows], rows, strict=False):
            if before is not None and _new_paragraph(outlines, before, row):
                block += 1
            order += [(index, line, block) for index in row]
            line += 1
        block += 1
    return order


def _columns(outlines: np.ndarray) -> list[np.ndarray]:
    """Indices of the outlines column by column, full-width parts in between as columns of their own."""
    everything = np.arange(len(outlines))
    if len(outlines) < 16:
        return [everything] if len(outlines) else []
    left, right = outlines[:, :, 0].min(axis=1), outlines[:, :, 0].max(axis=1)
    middle = _gutter(left, right)
    if middle is None:
        return [everything]
    return _parts(outlines, np.where(right <= middle, 0, np.where(left >= middle, 1, 2)))


def _gutter(left: np.ndarray, right: np.ndarray) -> float | None:
    """Where a gutter stands near the middle: long lines at both sides, nearly none across it."""
    start, end = left.min(), right.max()
    long = (right - left) > 0.3 * (end - start)
    for middle in np.linspace(start + 0.4 * (end - start), start + 0.6 * (end - start), 21):
        on_left, on_right = long & (right <= middle), long & (left >= middle)
        across = np.count_nonzero((left < middle) & (right > middle))
        if min(on_left.sum(), on_right.sum()) >= 8 and across <= 0.2 * len(left):
            return float(middle)
    return None


def _parts(outlines: np.ndarray, side: np.ndarray) -> list[np.ndarray]:
    """Left then right column between each two full-width lines (side 2), from the top."""
    middle = outlines[:, :, 1].mean(axis=1)
    bars = np.sort(middle[side == 2])
    parts = []
    for band in range(len(bars) + 1):
        inside = np.searchsorted(bars, middle) == band
        parts += [np.flatnonzero(inside & (side == s)) for s in (0, 1)]
        if band < len(bars):
            parts.append(np.flatnonzero((side == 2) & (middle == bars[band])))
    return [part for part in parts if len(part)]


def _rows(outlines: np.ndarray, column: np.ndarray) -> list[list[int]]:
    """Outlines that stand on one line, left to right; the lines from top to bottom."""
    rows: list[list[int]] = []
    for index in sorted(column, key=lambda i: outlines[i, :, 1].mean()):
        for row in rows[-4:]:
            if all(_same_row(outlines[index], outlines[other]) for other in row):
                row.append(int(index))
                break
        else:
            rows.append([int(index)])
    return [sorted(row, key=lambda i: outlines[i, 0, 0]) for row in rows]


def _same_row(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two outlines continue each other: side by side, their near ends at one height."""
    left, right = (one, other) if one[0, 0] <= other[0, 0] else (other, one)
    low = min(left[2, 1] - left[1, 1], right[3, 1] - right[0, 1])
    apart = abs(left[1:3, 1].mean() - right[[0, 3], 1].mean())
    return bool(right[0, 0] > left[1, 0] - low and apart < 0.5 * low)


def _new_paragraph(outlines: np.ndarray, before: list[int], row: list[int]) -> bool:
    """Whether more than about half a line is left empty between two rows."""
    high = np.median([outlines[i, 3, 1] - outlines[i, 0, 1] for i in row])
    gap = min(outlines[i, 0, 1] for i in row) - max(outlines[i, 3, 1] for i in before)
    return bool(gap > 0.6 * high or gap < -4 * high)
