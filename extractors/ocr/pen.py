"""Pen marks on scans and photos: struck words, insertions between lines, and other handwriting.

The straightened page is brought to one size of letters, and each text line to a strip of its own with its base
line level. There print leaves gaps between letters; a strike runs through them. What is no strike and lies under
no print that was read with certainty is held against the page's own print: size, stroke, colour, place on a line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import cv2
import numpy as np

from extractors.ocr import ink
from extractors.ocr.handwriting import WEIGHTS, Lines, Seen, handwriting
from extractors.ocr.ink import Marks
from extractors.ocr.page import OcrWord
from extractors.ocr.straighten import Straight
from extractors.trees import trees_in

SIZE = 16  # pixels; the page is scaled so that its usual letter is that high
STRIP, BASE = 56, 38  # pixels; height of a line's strip, and where its base line lies
LETTER = 14  # pixels of a usual letter on a strip
Box = tuple[float, float, float, float]


class PenMark(NamedTuple):
    """A mark by pen: its box in pixels of the upright image, and the indices of the words that it touches.

    `confidence` is that of finding the mark, 0 to 1.
    """

    kind: Literal["strikethrough", "insertion", "handwriting"]
    box: Box
    confidence: float
    words: tuple[int, ...] = ()


@dataclass(frozen=True)
class PenMarks:
    """What was written on a page by pen.

    `written` are the indices of words that are readings of handwriting and no part of the print.
    """

    strikes: tuple[PenMark, ...] = ()
    handwriting: tuple[PenMark, ...] = ()
    written: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Sheet:
    """The straightened page with letters `SIZE` pixels high; `straight` leads back to the upright image."""

    straight: Straight
    colour: np.ndarray  # how far each pixel is from grey, 0-255

    @property
    def flat(self) -> np.ndarray:
        return self.straight.image

    @cached_property
    def ink(self) -> np.ndarray:
        return ink.ink_of(self.flat)

    @classmethod
    def of(cls, pixels: np.ndarray, straight: Straight, size: float) -> "Sheet":
        scale = float(np.clip(SIZE / max(size, 1.0), 0.2, 2.0))
        high, wide = (max(1, round(side * scale)) for side in straight.image.shape)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        flat = cv2.resize(straight.image, (wide, high), interpolation=method)
        grown = np.diag([scale, scale, 1.0])
        homography = grown @ straight.homography
        return cls(Straight(flat, homography), _chroma(pixels, homography, scale, (wide, high)))


def _chroma(pixels: np.ndarray, homography: np.ndarray, scale: float, size: tuple[int, int]) -> np.ndarray:
    """How coloured each pixel of the sheet is once its paper is made white; zero for a grey page."""
    if pixels.ndim == 2 or pixels.shape[2] < 3:
        return np.zeros(size[::-1], np.uint8)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(pixels[:, :, :3], None, fx=scale, fy=scale, interpolation=method)
    moved = homography @ np.diag([1 / scale, 1 / scale, 1.0])
    warped = cv2.warpPerspective(small, moved, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    white = [ink.flatten(np.ascontiguousarray(channel)) for channel in cv2.split(warped)]
    spread = cv2.subtract(
        cv2.max(cv2.max(white[0], white[1]), white[2]), cv2.min(cv2.min(white[0], white[1]), white[2])
    )
    return cv2.blur(spread, (3, 3))


def on_sheet(words: Sequence[OcrWord], sheet: Sheet) -> np.ndarray:
    """The words' boxes in pixels of the sheet, n x 4."""
    if not words:
        return np.zeros((0, 4))
    boxes = np.array([[w.x0, w.y0, w.x1, w.y1] for w in words], np.float64)
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 1, 2)
    moved = cv2.perspectiveTransform(corners, sheet.straight.homography).reshape(-1, 4, 2)
    # The middle of the sides: a box around a turned box would grow
    left, right = moved[:, [0, 3], 0].mean(axis=1), moved[:, [1, 2], 0].mean(axis=1)
    top, bottom = moved[:, [0, 1], 1].mean(axis=1), moved[:, [2, 3], 1].mean(axis=1)
    return np.stack([left, top, right, bottom], axis=1)


# Text lines


class Row(NamedTuple):
    """A text line on the sheet: base line y = `level` + `slope` * x from `x0` to `x1`, letters `size` high."""

    level: float
    slope: float
    size: float
    x0: float
    x1: float
    words: tuple[int, ...]


def rows_of(words: Sequence[OcrWord], boxes: np.ndarray, letters: np.ndarray) -> list[Row]:
    """The text lines on which the words stand, fitted to the feet of their letters (n x 4: x, y, width, height)."""
    lines: dict[int, list[int]] = {}
    for index, word in enumerate(words):
        lines.setdefault(word.line, []).append(index)
    fitted = {line: _row(members, boxes, letters) for line, members in lines.items()}
    known = [row for row in fitted.values() if row is not None]
    if not known:
        return []
    return [row or _guessed(lines[line], boxes, known) for line, row in fitted.items()]


def _guessed(members: list[int], boxes: np.ndarray, known: list[Row]) -> Row:
    """A line none of whose letters stand alone, as when all of it is struck: like the line next to it."""
    x0, y0, x1, y1 = (float(v) for v in np.median(boxes[members], axis=0))
    x = (x0 + x1) / 2
    near = min(known, key=lambda row: abs(row.level + row.slope * x - y1))
    level = (y0 + y1) / 2 + 0.55 * near.size - near.slope * x
    ends = float(boxes[members, 0].min()), float(boxes[members, 2].max())
    return Row(level, near.slope, near.size, *ends, tuple(members))


def _row(members: list[int], boxes: np.ndarray, letters: np.ndarray) -> Row | None:
    own = boxes[members]
    x, foot = letters[:, 0] + letters[:, 2] / 2, letters[:, 1] + letters[:, 3]
    inside = np.zeros(len(letters), bool)
    middle = letters[:, 1] + letters[:, 3] / 2
    for x0, y0, x1, y1 in own:
        inside |= (x > x0) & (x < x1) & (middle > y0) & (middle < y1)
    if np.count_nonzero(inside) < 3:
        return None
    level, slope = _base_line(x[inside], foot[inside])
    on_line = inside & (np.abs(foot - level - slope * x) < 0.2 * SIZE)
    if np.count_nonzero(on_line) < 3:
        return None
    size = float(np.median(letters[on_line, 3]))
    return Row(level, slope, size, float(own[:, 0].min()), float(own[:, 2].max()), tuple(members))


def _base_line(x: np.ndarray, foot: np.ndarray) -> tuple[float, float]:
    """Level and slope of the line on which most feet stand; descenders and commas hang off it."""
    slope, level = 0.0, float(np.median(foot))
    for spread in (0.5 * SIZE, 0.25 * SIZE, 0.15 * SIZE):
        near = np.abs(foot - level - slope * x) < spread
        if np.count_nonzero(near) < 3:
            break
        if np.ptp(x[near]) > 8 * SIZE:
            slope, level = (float(v) for v in np.polyfit(x[near], foot[near], 1))
        else:
            level = float(np.median(foot[near] - slope * x[near]))
    return level, slope


@dataclass(frozen=True)
class Strips:
    """Text lines cut out, levelled and brought to letters `LETTER` high: `flat` is n x STRIP x width."""

    rows: tuple[Row, ...]
    flat: np.ndarray
    chroma: np.ndarray

    @classmethod
    def of(cls, sheet: Sheet, rows: Sequence[Row]) -> "Strips":
        wide = max(int((row.x1 - row.x0 + 4 * SIZE) * LETTER / row.size) for row in rows)
        flat = np.full((len(rows), STRIP, wide), 255, np.uint8)
        chroma = np.zeros((len(rows), STRIP, wide), np.uint8)
        for index, row in enumerate(rows):
            way = to_strip(row)
            cv2.warpAffine(sheet.flat, way, (wide, STRIP), flat[index], borderValue=255)
            cv2.warpAffine(sheet.colour, way, (wide, STRIP), chroma[index])
        return cls(tuple(rows), flat, chroma)


def to_strip(row: Row) -> np.ndarray:
    """The 2 x 3 way from the sheet to the row's strip, which starts two letters before the row."""
    scale = LETTER / row.size
    start = row.x0 - 2 * SIZE
    return np.array([[scale, 0, -start * scale], [-row.slope * scale, scale, BASE - row.level * scale]])


def path_lengths(dark: np.ndarray, step: int) -> np.ndarray:
    """Length in columns of the longest path of ink through each pixel, up or down at most `step` a column.

    `dark` is n x height x width of booleans. Paths of ink keep long thin strokes, bent ones too (path
    opening, Heijmans et al. 2005).
    """
    forth = _paths(dark, step)
    back = _paths(dark[:, :, ::-1], step)[:, :, ::-1]
    return np.where(dark, forth + back - 1, 0)


def _paths(dark: np.ndarray, step: int) -> np.ndarray:
    lengths = np.zeros(dark.shape, np.int16)
    columns = np.ascontiguousarray(dark.transpose(2, 0, 1))
    before = np.zeros(columns.shape[1:], np.int16)
    for at, column in enumerate(columns):
        longest = before.copy()
        for shift in range(1, step + 1):
            np.maximum(longest[:, shift:], before[:, :-shift], out=longest[:, shift:])
            np.maximum(longest[:, :-shift], before[:, shift:], out=longest[:, :-shift])
        before = (longest + 1) * column
        lengths[:, :, at] = before
    return lengths


# Strikes

TOP, FOOT = BASE - 20, BASE - 1  # rows of a strip between which a strike runs
SHORTEST = 1.6  # letters; shorter paths of ink are letters
FEATURES = (
    "straight", "steep", "wide", "thick", "uneven", "level", "wander", "rough", "above", "below", "alone",
    "colour", "pale", "dense", "crossed", "joined",
)  # fmt: skip


class Run(NamedTuple):
    """A piece of a strip, columns `start` to `end`, through which ink runs without a gap."""

    row: int
    start: int
    end: int


@dataclass(frozen=True)
class Paths:
    """The paths of ink on the strips of a page: `even` go up or down one pixel a column, `steep` three."""

    strips: Strips
    dark: np.ndarray
    even: np.ndarray
    steep: np.ndarray

    @classmethod
    def of(cls, strips: Strips) -> "Paths":
        print_level = float(np.median(strips.flat[strips.flat < ink.INK_CEILING]))
        dark = strips.flat < print_level + 0.4 * (255 - print_level)
        band = dark.copy()
        band[:, :TOP] = band[:, FOOT:] = False
        return cls(strips, dark, path_lengths(band, 1), path_lengths(band, 3))

    def runs(self) -> list[Run]:
        """Where a path is at least `SHORTEST` letters long."""
        long = (self.steep >= SHORTEST * LETTER).any(axis=1)
        edges = np.diff(np.pad(long.astype(np.int8), ((0, 0), (1, 1))), axis=1)
        starts, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
        return [Run(int(row), int(a), int(b)) for (row, a), (_, b) in zip(starts, ends, strict=True)]

    @cached_property
    def joined(self) -> float:
        """How long paths are in the print of this page, in letters: blurred or bold letters touch."""
        longest = self.even.max(axis=1)
        inked = longest[longest > 0]
        return float(np.percentile(inked, 75)) / LETTER if len(inked) else 0.0

    @cached_property
    def usual(self) -> tuple[float, float, float, float]:
        """Usual colour and paleness of the print, its density in the band, its dark runs per column."""
        band = self.dark[:, TOP:FOOT]
        columns = band.any(axis=1)
        return (
            float(np.median(self.strips.chroma[self.dark])),
            float(np.median(self.strips.flat[self.dark])),
            float(band.sum() / max(1, columns.sum())),
            float(_crossings(band).sum() / max(1, columns.sum())),
        )


def _crossings(band: np.ndarray) -> np.ndarray:
    """Number of dark runs in each column; rows are the second to last axis."""
    padded = np.concatenate([np.zeros_like(band[..., :1, :]), band], axis=-2)
    return np.count_nonzero(padded[..., 1:, :] & ~padded[..., :-1, :], axis=-2)


def features_of(run: Run, paths: Paths) -> np.ndarray:
    """The numbers named in `FEATURES`, lengths in letters."""
    part = np.s_[run.row, :, run.start : run.end]
    even, steep, dark = paths.even[part], paths.steep[part], paths.dark[part]
    core = even >= 0.9 * even.max() if even.max() > 0.6 * steep.max() else steep >= 0.9 * steep.max()
    core &= dark
    columns = np.flatnonzero(core.any(axis=0))
    core, inner = core[:, columns], dark[:, columns]
    rows = np.arange(STRIP)[:, None]
    thick = core.sum(axis=0)
    centre = (core * rows).sum(axis=0) / thick
    above = (inner & (rows < centre - thick / 2 - 1.5) & (rows > BASE - 1.5 * LETTER)).any(axis=0)
    below = (inner & (rows > centre + thick / 2 + 1.5) & (rows <= BASE)).any(axis=0)
    smooth = np.convolve(np.pad(centre, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    trend = np.polyval(np.polyfit(columns, centre, 1), columns) if len(columns) > 3 else centre
    colour, pale, density, crossed = paths.usual
    band = dark[TOP:FOOT]
    return np.array(
        [
            np.log(max(even.max(), 1) / LETTER),
            np.log(max(steep.max(), 1) / LETTER),
            np.log((run.end - run.start) / LETTER),
            np.median(thick) / LETTER,
            np.std(thick) / max(1.0, float(np.median(thick))),
            (BASE - np.median(centre)) / LETTER,
            np.std(smooth - trend) / LETTER,
            np.mean(np.abs(centre - smooth)) / LETTER,
            above.mean(),
            below.mean(),
            (~above & ~below).mean(),
            (np.median(paths.strips.chroma[part][:, columns][core]) - colour) / 64,
            (np.median(paths.strips.flat[part][:, columns][core]) - pale) / 64,
            band.sum() / band.shape[1] / density - 1,
            _crossings(band).mean() / crossed - 1,
            paths.joined,
        ],
        np.float32,
    )


SURE_STRIKE = 0.6  # probability from which a run of ink is a strike
APART = 1.5  # letters; strikes on one line that are closer belong to one


def strike_runs(paths: Paths) -> list[tuple[Run, float]]:
    """The runs that are strikes, with their probability; neighbours on a line as one."""
    runs = paths.runs()
    if not runs:
        return []
    chances = trees_in(WEIGHTS, "strike").chance(np.stack([features_of(run, paths) for run in runs]))
    found: list[tuple[Run, float]] = []
    for run, chance in zip(runs, chances, strict=True):
        if chance < SURE_STRIKE:
            continue
        if found and found[-1][0].row == run.row and run.start - found[-1][0].end < APART * LETTER:
            before, best = found.pop()
            run, chance = before._replace(end=run.end), max(best, chance)
        found.append((run, float(chance)))
    return found


def _strike(run: Run, chance: float, rows: Sequence[Row], boxes: np.ndarray, straight: Straight) -> PenMark:
    """The struck run as a mark; its words are those of the line that lie in it by half."""
    row = rows[run.row]
    back = cv2.invertAffineTransform(to_strip(row))
    corners = np.array([[[run.start, BASE - 1.5 * LETTER], [run.end, BASE + 0.4 * LETTER]]])
    (x0, y0), (x1, y1) = cv2.transform(corners, back)[0]
    inside = np.minimum(boxes[:, 2], x1) - np.maximum(boxes[:, 0], x0)
    struck = tuple(index for index in row.words if inside[index] > 0.5 * (boxes[index, 2] - boxes[index, 0]))
    return PenMark("strikethrough", straight.back((x0, y0, x1, y1)), chance, struck)


def pen_marks(pixels: np.ndarray, straight: Straight, words: Sequence[OcrWord], marks: Marks) -> PenMarks:
    """What was written by pen on a page.

    `pixels` is the upright image, grey or RGB; `straight` the same with its lines level and its paper white.
    `words` and `marks` have their boxes in pixels of the upright image, and so has what comes back.
    """
    if not words or not len(marks):
        return PenMarks()
    sheet = Sheet.of(pixels, straight, marks.size)
    letters = ink.marks_of(sheet.ink).boxes
    boxes = on_sheet(words, sheet)
    rows = rows_of(words, boxes, letters)
    if not rows:
        return PenMarks()
    paths = Paths.of(Strips.of(sheet, rows))
    runs = strike_runs(paths)
    found = (_strike(run, chance, rows, boxes, sheet.straight) for run, chance in runs)
    strikes = tuple(strike for strike in found if strike.words)
    seen = seen_on(
        sheet, words, boxes, rows, paper_on_sheet(ink.to_grey(pixels), marks, sheet), [run for run, _ in runs]
    )
    notes = _handwriting(seen, sheet.straight, strikes)
    return PenMarks(strikes, notes, frozenset(at for note in notes for at in note.words))


# Handwriting


ALONE = 0.15
"""Probability below which handwriting away from any strike may well be print, and is left to the print."""
STRUCK = (1.15, 0.35)  # letters above and below a base line that are struck print; what stands higher is written


def seen_on(
    sheet: Sheet,
    words: Sequence[OcrWord],
    boxes: np.ndarray,
    rows: Sequence[Row],
    paper: np.ndarray,
    struck: Sequence[Run],
) -> Seen:
    """What `handwriting` is asked about: the sheet, its words and lines, and where it is struck."""
    return Seen(
        flat=sheet.flat,
        colour=sheet.colour,
        ink=sheet.ink,
        paper=paper,
        words=boxes,
        letters=np.array([len(word.text) for word in words]),
        sure=np.array([word.confidence for word in words], float),
        struck=[_struck_box(run, rows[run.row]) for run in struck],
        lines=Lines(*(np.array([getattr(row, name) for row in rows], float) for name in Lines._fields)),
        size=SIZE,
    )


def _struck_box(run: Run, row: Row) -> Box:
    ends = np.array([[[run.start, 0.0], [run.end, 0.0]]])
    (x0, _), (x1, _) = cv2.transform(ends, cv2.invertAffineTransform(to_strip(row)))[0]
    base = row.level + row.slope * (x0 + x1) / 2
    return x0, base - STRUCK[0] * row.size, x1, base + STRUCK[1] * row.size


def _handwriting(seen: Seen, straight: Straight, strikes: Sequence[PenMark]) -> tuple[PenMark, ...]:
    """Notes as marks; one that lies on a strike is that strike, one right above or beside it an insertion.

    What stands next to a strike is written far more often than what stands alone, so less is asked of it.
    """
    notes = []
    for place, chance in handwriting(seen):
        box = straight.back(place)
        if any(share(box, strike.box) > 0.5 for strike in strikes):
            continue
        near = any(share(_grown(box, 2 * (box[3] - box[1])), strike.box) > 0 for strike in strikes)
        if not near and chance < ALONE:
            continue
        read = tuple(at for at, b in enumerate(seen.words) if share(tuple(b), place) > 0.5)
        notes.append(PenMark("insertion" if near else "handwriting", box, chance, read))
    return tuple(notes)


def paper_on_sheet(grey: np.ndarray, marks: Marks, sheet: Sheet) -> np.ndarray:
    """1 where the straightened page shows paper: all of a scan, of a photo what is not the table, less its rim."""
    shape = sheet.flat.shape[::-1]
    if ink.shade(ink.paper(grey)) >= ink.PHOTO_SHADE:
        return np.ones(sheet.flat.shape, np.uint8)
    area = paper_area(grey, marks.boxes)
    warped = cv2.warpPerspective(area, sheet.straight.homography, shape, flags=cv2.INTER_NEAREST)
    return cv2.erode(warped, np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8))


RIM = 12  # pixels of the sheet along its edges, where shadows are


def share(a: Box, b: Box) -> float:
    """Share of the first box that lies in the second."""
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return across * down / max(1.0, (a[2] - a[0]) * (a[3] - a[1])) if across > 0 and down > 0 else 0.0


def _grown(box: Box, by: float) -> Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def paper_area(grey: np.ndarray, letters: np.ndarray) -> np.ndarray:
    """1 where the sheet lies, 0 on the table around it; `grey` is not flattened, letters are n x 4 on it.

    The sheet grows from the letters over whatever changes in brightness only by degrees, and is convex.
    """
    bright = ink.paper(grey).astype(np.float32) + 1
    scale = bright.shape[0] / grey.shape[0]
    light = np.log(cv2.blur(bright, (3, 3)))
    step = np.maximum(np.abs(cv2.Sobel(light, cv2.CV_32F, 1, 0)), np.abs(cv2.Sobel(light, cv2.CV_32F, 0, 1))) / 8
    smooth = (step < EDGE).astype(np.uint8)
    _, parts = cv2.connectedComponents(smooth, connectivity=4)
    at = ((letters[:, :2] + letters[:, 2:] / 2) * scale).astype(int)
    at = np.clip(at, 0, np.array(parts.shape[::-1]) - 1)
    votes = np.bincount(parts[at[:, 1], at[:, 0]], minlength=parts.max() + 1)
    votes[0] = 0
    chosen = np.isin(parts, np.flatnonzero(votes > 0.05 * votes.sum())).astype(np.uint8)
    area = np.zeros_like(chosen)
    points = cv2.findNonZero(chosen)
    if points is not None:
        cv2.fillConvexPoly(area, cv2.convexHull(points), 1)
    return cv2.resize(area, grey.shape[::-1], interpolation=cv2.INTER_NEAREST)


EDGE = 0.05  # change of the log of brightness per pixel of `ink.paper` that ends the sheet
