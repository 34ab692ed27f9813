"""Handwriting on a page: ink that is no print. Notes, insertions, initials, signatures.

The ink of the straightened page is taken apart into connected pieces, coloured ink apart from black, and the
pieces are gathered by the word that was read of them, or by standing close together. What each group looks like
beside the print of the same page (size, stroke, colour, slant, place on a line, how surely it was read) is
weighed by trained trees.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from extractors.trees import trees_in

Box = tuple[float, float, float, float]
WEIGHTS = Path(__file__).parent / "weights" / "pen.npz"
"""The trained trees `hand` and `strike`."""

COLOURED = 24  # of 255: how far a pixel is from grey
INKED = 215  # of 255: how dark a coloured pixel is at least
SPECK = 0.3  # letters; smaller pieces are none
RULE = 3.0  # letters: length of a straight piece of ink that no pen drew within a word
STRAIGHT = 0.6  # letters: length of a straight stroke of print
SURE = 0.9  # confidence from which a word is surely print, to compare with
NEAR = 0.7  # letters between pieces of one word
REACH = 1.5  # letters between words of one note
THIN, SMALLEST, TALLEST = 0.3, 2.0, 6.0  # letters, letters squared, times its width: what is no note
WRITTEN = 0.05  # probability from which a group is handwriting
DIAGONAL = 0.5  # cosine of four times the angle, from which an edge is level or upright
FEATURES = (
    "confidence", "high", "wide", "chroma", "pale", "stroke", "uneven", "dense", "pieces_per_letter", "widest",
    "tallest", "letters", "axis", "lean", "square", "level", "lean_square", "straight", "ragged", "off_line",
    "beside", "above", "crowded", "from_base", "row", "rim", "pieces", "print_chroma", "coloured", "over_strike",
)  # fmt: skip


class Lines(NamedTuple):
    """Base lines of the page's text: y = `level` + `slope` * x from `x0` to `x1`, letters `size` high."""

    level: np.ndarray
    slope: np.ndarray
    x0: np.ndarray
    x1: np.ndarray
    size: np.ndarray


class Seen(NamedTuple):
    """A straightened page and what was read on it, in its pixels.

    `flat` is the page in grey, `colour` how far each pixel is from grey (0 to 255), `ink` 1 where there is ink,
    `paper` 1 on the sheet. `words` is n x 4 boxes with the number of `letters` in each and its confidence `sure`.
    `struck` are boxes whose ink is print and a strike through it. `size` is a letter's height.
    """

    flat: np.ndarray
    colour: np.ndarray
    ink: np.ndarray
    paper: np.ndarray
    words: np.ndarray
    letters: np.ndarray
    sure: np.ndarray
    struck: Sequence[Box]
    lines: Lines
    size: float


class Groups(NamedTuple):
    """Pieces of ink by group: `of_pixel` the group of each pixel of `mask` (-1 none), pieces with their own group."""

    mask: np.ndarray
    coloured: np.ndarray
    of_pixel: np.ndarray
    stats: np.ndarray  # pieces x (x, y, width, height, area)
    of_piece: np.ndarray
    rim: np.ndarray  # of each piece, the share of its ink along the edges of its box
    word: np.ndarray  # of each group, the word read of it; -1 for none
    boxes: np.ndarray


def handwriting(seen: Seen) -> list[tuple[Box, float]]:
    """Boxes of handwriting in pixels of the page, with the probability that each is."""
    groups = groups_of(seen)
    if not len(groups.boxes):
        return []
    chances = trees_in(WEIGHTS, "hand").chance(features_of(seen, groups))
    chosen = chances >= WRITTEN
    return _notes(groups.boxes[chosen], chances[chosen], seen.flat.shape, seen.size)


def groups_of(seen: Seen) -> Groups:
    """The ink of the page in groups, each a word or what stands together."""
    coloured = ((seen.colour >= COLOURED) & (seen.flat <= INKED)).astype(np.uint8)
    mask = np.maximum(_without_rules(seen.ink, seen.size), coloured) & seen.paper
    for x0, y0, x1, y1 in seen.struck:
        mask[max(0, int(y0)) : int(y1) + 1, max(0, int(x0)) : int(x1) + 1] = 0
    labels, stats = _pieces(mask, coloured)
    large = np.maximum(stats[:, 2], stats[:, 3]) >= SPECK * seen.size
    large[0] = False
    word = _words_of(labels, stats, seen)
    group = np.where(large & (word >= 0), word, -1)
    unread = np.flatnonzero(large & (word < 0))
    group[unread] = len(seen.words) + _standing_together(_boxes(stats[unread]), seen.flat.shape, seen.size)
    used, of_piece = np.unique(group, return_inverse=True)
    if len(used) and used[0] < 0:
        used, of_piece = used[1:], of_piece - 1
    boxes = _hulls(_boxes(stats), of_piece, len(used))
    rim = _along_edges(labels, stats, seen.size)
    read = np.where(used < len(seen.words), used, -1)
    return Groups(mask, coloured, of_piece[labels], stats, of_piece, rim, read, boxes)


def _pieces(mask: np.ndarray, coloured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels and stats of the connected pieces; coloured ink and black are apart where they touch."""
    pen = cv2.morphologyEx(coloured & mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) & mask
    count, ours, stats, _ = cv2.connectedComponentsWithStats(pen, connectivity=8)
    _, others, more, _ = cv2.connectedComponentsWithStats(mask & (1 - pen), connectivity=8)
    return np.where(others > 0, others + count - 1, ours), np.concatenate([stats, more[1:]])


def _without_rules(ink: np.ndarray, size: float) -> np.ndarray:
    """The ink without long level and upright lines, as around the cells of a table; they may lean a little."""
    long = round(RULE * size)
    thick = cv2.dilate(ink, np.ones((3, 3), np.uint8))
    rules = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    rules |= cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((long, 1), np.uint8))
    return ink & (1 - rules)


def _boxes(stats: np.ndarray) -> np.ndarray:
    x, y, wide, high = stats[:, :4].T
    return np.stack([x, y, x + wide, y + high], axis=1).astype(np.float64)


def _words_of(labels: np.ndarray, stats: np.ndarray, seen: Seen) -> np.ndarray:
    """For each piece the word in whose box most of its ink lies; -1 where that is less than half of it."""
    word_at = np.zeros(labels.shape, np.int64)
    for i in np.argsort(seen.sure, kind="stable"):  # the surest word has the last say
        x0, y0, x1, y1 = seen.words[i].round().astype(int)
        word_at[max(0, y0 - 1) : max(0, y1 + 2), max(0, x0 - 1) : max(0, x1 + 2)] = i + 1
    held = (labels > 0) & (word_at > 0)
    many = len(seen.words) + 1
    pairs, counts = np.unique(labels[held].astype(np.int64) * many + word_at[held], return_counts=True)
    piece, word = pairs // many, pairs % many - 1
    owner = np.full(len(stats), -1)
    order = np.argsort(counts, kind="stable")  # the last one written is the one with the most ink
    most = order[2 * counts[order] >= stats[piece[order], cv2.CC_STAT_AREA]]
    owner[piece[most]] = word[most]
    return owner


def _standing_together(boxes: np.ndarray, shape: tuple[int, ...], size: float, reach: float = NEAR) -> np.ndarray:
    """The number of the cluster to which each box belongs."""
    step = size / 4
    field = np.zeros((int(shape[0] / step) + 2, int(shape[1] / step) + 2), np.uint8)
    aside = reach * size
    for x0, y0, x1, y1 in boxes:
        top, left = int(max(0, y0 - aside / 4) / step), int(max(0, x0 - aside) / step)
        field[top : int((y1 + aside / 4) / step) + 1, left : int((x1 + aside) / step) + 1] = 1
    _, labels = cv2.connectedComponents(field)
    return labels[(boxes[:, 1] / step).astype(int), (boxes[:, 0] / step).astype(int)]


def _hulls(boxes: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    hulls = np.tile([np.inf, np.inf, -np.inf, -np.inf], (count, 1))
    held = group >= 0
    for axis, combine in enumerate((np.minimum, np.minimum, np.maximum, np.maximum)):
        combine.at(hulls[:, axis], group[held], boxes[held, axis])
    return hulls


def _along_edges(labels: np.ndarray, stats: np.ndarray, size: float) -> np.ndarray:
    """For each piece the share of its ink near the edges of its box: frames, stamps; 0 for small pieces."""
    shares = np.zeros(len(stats))
    large = (stats[:, cv2.CC_STAT_WIDTH] > 3 * size) & (stats[:, cv2.CC_STAT_HEIGHT] > 1.5 * size)
    large[0] = False
    rim = max(3, round(0.25 * size))
    for at in np.flatnonzero(large):
        x, y, wide, high, area = stats[at]
        piece = labels[y : y + high, x : x + wide] == at
        is_grid = area < 0.16 * wide * high and high > 4 * size
        shares[at] = 1.0 if is_grid else 1 - piece[rim : high - rim, rim : wide - rim].sum() / area
    return shares


def _notes(boxes: np.ndarray, chances: np.ndarray, shape: tuple[int, ...], size: float) -> list[tuple[Box, float]]:
    """Groups of handwriting that stand close together as one note."""
    if not len(boxes):
        return []
    _, note = np.unique(_standing_together(boxes, shape, size, REACH / 2), return_inverse=True)
    hulls = _hulls(boxes, note, note.max() + 1).tolist()
    return [(tuple(h), float(chances[note == at].max())) for at, h in enumerate(hulls) if _is_note(h, size)]


def _is_note(box: Sequence[float], size: float) -> bool:
    """Whether a box is large enough for a note, and no remnant of a rule or edge of the paper."""
    wide, high = box[2] - box[0], box[3] - box[1]
    return min(wide, high) >= THIN * size and wide * high >= SMALLEST * size**2 and high < TALLEST * wide


# Features


def features_of(seen: Seen, groups: Groups) -> np.ndarray:
    """The numbers named in `FEATURES`, a row a group; lengths in letters, colour and stroke beside the print's."""
    size, (x0, y0, x1, y1) = seen.size, groups.boxes.T
    wide, high = x1 - x0, y1 - y0
    confidence, letters = (np.where(groups.word >= 0, values[groups.word], 0.0) for values in (seen.sure, seen.letters))
    is_print = confidence >= SURE
    ink = _Ink(groups)
    colour, grey = ink.mean(seen.colour), ink.mean(seen.flat)
    stroke, uneven = ink.strokes()
    axis, lean, square, level, lean_square = _edges(seen.flat, groups)
    straight = ink.mean(_straight(groups.mask, size))
    print_colour = _usual(colour, is_print, 0.0)
    columns = [
        confidence,
        np.log(high / size),
        np.log(wide / size),
        (colour - print_colour) / 64,
        (grey - _usual(grey, is_print, 100.0)) / 64,
        stroke / max(_usual(stroke, is_print, 2.0), 1e-3),
        uneven,
        ink.area / (wide * high),
        ink.pieces * size / wide,
        _largest(groups, groups.stats[:, 2]) / size,
        _largest(groups, groups.stats[:, 3]) / size,
        letters * size / wide,
        axis - _usual(axis, is_print, 0.5),
        lean,
        square - _usual(square, is_print, 0.0),
        level,
        lean_square,
        straight - _usual(straight, is_print, 0.0),
        *_raggedness(groups, size),
        *_surroundings(seen, groups),
        *_place(seen.lines, groups, size),
        _largest(groups, groups.rim),
        np.log1p(ink.pieces),
        np.full(len(wide), print_colour / 64),
        ink.mean(groups.coloured),
        _over_strike(seen.struck, groups.boxes, size),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _usual(values: np.ndarray, is_print: np.ndarray, otherwise: float) -> float:
    """What is usual of the page's print."""
    return float(np.median(values[is_print])) if is_print.any() else otherwise


class _Ink:
    """Sums over the ink of each group."""

    def __init__(self, groups: Groups) -> None:
        self._count = len(groups.boxes)
        self._mask = groups.mask
        group = np.where(groups.mask.ravel() > 0, groups.of_pixel.ravel(), -1)
        self._at = np.flatnonzero(group >= 0)
        self._group = group[self._at]
        self.area = self._sum(np.ones(len(self._at)))
        self.pieces = np.bincount(groups.of_piece[groups.of_piece >= 0], minlength=self._count)

    def _sum(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self._group, weights=values, minlength=self._count)

    def mean(self, image: np.ndarray) -> np.ndarray:
        """Mean of an image over the ink of each group."""
        return self._sum(image.ravel()[self._at].astype(float)) / self.area

    def strokes(self) -> tuple[np.ndarray, np.ndarray]:
        """Width of the strokes of each group in pixels, and how uneven it is beside that width."""
        depth = cv2.distanceTransform(self._mask, cv2.DIST_L2, 3)
        is_ridge = (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)) - 1e-6).ravel()[self._at].astype(float)
        own = depth.ravel()[self._at]
        count = np.maximum(1, self._sum(is_ridge))
        width = 2 * self._sum(own * is_ridge) / count
        spread = np.sqrt(np.maximum(0, 4 * self._sum(own**2 * is_ridge) / count - width**2))
        return width, spread / np.maximum(width, 0.5)


def _edges(flat: np.ndarray, groups: Groups) -> list[np.ndarray]:
    """How the edges of each group run: share of level and upright ones, then means of the angle's harmonics."""
    near = cv2.dilate((groups.of_pixel + 1).astype(np.float32), np.ones((3, 3), np.uint8)).ravel()
    at = np.flatnonzero(near > 0)
    group = near[at].astype(np.int64) - 1
    gx, gy = (cv2.Scharr(flat, cv2.CV_32F, *axis).ravel()[at] for axis in ((1, 0), (0, 1)))
    strength = np.maximum(np.hypot(gx, gy), 1e-6)
    gx, gy = gx / strength, gy / strength
    lean, level = 2 * gx * gy, gx * gx - gy * gy  # sine and cosine of twice the angle
    square, lean_square = level * level - lean * lean, 2 * lean * level  # and of four times
    count = len(groups.boxes)
    total = np.maximum(1, np.bincount(group, weights=strength, minlength=count))
    looks = (square > DIAGONAL, lean, square, level, lean_square)
    return [np.bincount(group, weights=strength * look, minlength=count) / total for look in looks]


def _straight(mask: np.ndarray, size: float) -> np.ndarray:
    """1 on level and upright strokes of some length."""
    long = max(3, round(STRAIGHT * size))
    level = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    return np.maximum(level, cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((long, 1), np.uint8)))


def _largest(groups: Groups, values: np.ndarray) -> np.ndarray:
    """The largest of the values of each group's pieces."""
    largest = np.zeros(len(groups.boxes))
    held = groups.of_piece >= 0
    np.maximum.at(largest, groups.of_piece[held], values[held])
    return largest


def _spread(values: np.ndarray, groups: Groups) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of a number over each group's pieces."""
    held = groups.of_piece >= 0
    group, own = groups.of_piece[held], values[held].astype(float)
    count = np.maximum(1, np.bincount(group, minlength=len(groups.boxes)))
    mean = np.bincount(group, weights=own, minlength=len(groups.boxes)) / count
    square = np.bincount(group, weights=own**2, minlength=len(groups.boxes)) / count
    return mean, np.sqrt(np.maximum(0, square - mean**2))


def _raggedness(groups: Groups, size: float) -> list[np.ndarray]:
    """How much the pieces of each group differ in height and in where they stand."""
    feet = groups.stats[:, 1] + groups.stats[:, 3]
    return [_spread(groups.stats[:, 3], groups)[1] / size, _spread(feet, groups)[1] / size]


def _surroundings(seen: Seen, groups: Groups) -> list[np.ndarray]:
    """Share of sure print beside and above each group, and of any ink around it."""
    size, (x0, y0, x1, y1) = seen.size, groups.boxes.T
    printed = np.zeros(seen.flat.shape, np.uint8)
    for left, top, right, bottom in seen.words[seen.sure >= SURE].round().astype(int):
        printed[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = 1
    of_print, of_ink = cv2.integral(printed), cv2.integral(groups.mask)
    outer, inner = (x1 - x0 + 2 * size) * (y1 - y0 + 2 * size), (x1 - x0) * (y1 - y0)
    around = _share(of_ink, x0 - size, y0 - size, x1 + size, y1 + size) * outer - _share(of_ink, x0, y0, x1, y1) * inner
    return [
        _share(of_print, x0 - 3 * size, y0, x1 + 3 * size, y1),
        _share(of_print, x0, y0 - 2.2 * size, x1, y1 + 2.2 * size),
        around / np.maximum(1, outer - inner),
    ]


def _over_strike(struck: Sequence[Box], boxes: np.ndarray, size: float) -> np.ndarray:
    """How far above struck words each group stands, where it is written into the line for them; 9 elsewhere."""
    found = np.full(len(boxes), 9.0)
    for x0, y0, x1, _ in struck:
        beside = (boxes[:, 0] < x1 + 2 * size) & (boxes[:, 2] > x0 - 2 * size)
        gap = (y0 - boxes[:, 3]) / size
        found = np.where(beside & (gap > -1.5) & (gap < 3), np.minimum(found, np.abs(gap)), found)
    return found


def _share(total: np.ndarray, x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray) -> np.ndarray:
    """Mean of an image over boxes, from its integral."""
    x0, x1 = (np.clip(x.round().astype(int), 0, total.shape[1] - 1) for x in (x0, x1))
    y0, y1 = (np.clip(y.round().astype(int), 0, total.shape[0] - 1) for y in (y0, y1))
    return (total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]) / np.maximum(1, (x1 - x0) * (y1 - y0))


def _place(lines: Lines, groups: Groups, size: float) -> list[np.ndarray]:
    """How far the feet of each group stand off the nearest base line, and the size of that line's letters."""
    if not len(lines.level):
        return [np.full(len(groups.boxes), 9.0), np.ones(len(groups.boxes))]
    x0, _, x1, y1 = groups.boxes.T
    middle = ((x0 + x1) / 2)[:, None]
    feet = np.minimum(_spread(groups.stats[:, 1] + groups.stats[:, 3], groups)[0], y1)[:, None]
    beside = (middle > lines.x0 - size) & (middle < lines.x1 + size)
    away = np.where(beside, np.abs(feet - lines.level - lines.slope * middle), 1e6)
    return [np.minimum(9, away.min(axis=1) / size), lines.size[away.argmin(axis=1)] / size]
