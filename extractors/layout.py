"""Columns of a page: words into the order a person reads them. Part of `read`.

A text layer keeps its own order unless running text clearly stands in columns and the layer jumps between
them. Tables, label and value pairs and signature blocks are no columns: they stay row by row.

The way is that of recursive cuts along white space (Nagy and Seth 1984; Breuel 2002): a gutter that no word of
several rows crosses, and above and below it the rows that cross it.
"""

import re
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from schemas.document import Box

GUTTER = 7.0
"""Points that must be free between two columns; blanks of justified text are mostly narrower."""

FEWEST_WORDS = 40
"""A page with fewer words has no columns of running text."""

SLAB = 1.1
"""Heights of a line that white across the page must have to part it; more than paragraphs are parted by."""

FEWEST_ROWS = 5
"""Rows that both columns must have somewhere on the page, so that a gutter is one."""

SCREEN = 0.75
"""Share of the words beside it that may cross a gutter: the rest of the page may run across it."""

IN_SMALL_LETTERS = 0.6
"""Share of the words of running text that begin with a small letter; names, cells and labels have fewer."""

DEEPEST = 3
"""How often columns are cut into columns."""

MOST_GUTTERS = 6
"""Places of a region that are tried for a gutter."""

NARROWEST = 90.0
"""Points; columns of running text are at least this wide."""

FILLED = 0.8
"""Share of its column that every third line of running text fills; fewer cells of tables do."""


CJK = "\u3040"
"""From here on letters are neither small nor capital."""


class PlacedWord(Protocol):
    """A word with its box in points, and the block and line that its source gave it."""

    text: str
    box: Box
    block: int
    line: int


W = TypeVar("W", bound=PlacedWord)

_LABEL = re.compile(r"(?:By|Name|Title|Date|Its|Signed|Signature|Print(?:ed)?|Address|Attn|Attention)\b.{0,20}:|_{5,}")
_EDGE_WORDS = 24


class _Part(NamedTuple):
    """Rows that are read one after the other: a column's, or rows across the page; each row is word indices."""

    rows: list[list[int]]
    is_column: bool


class _Ink(NamedTuple):
    """The boxes of words as columns of an array, after the slope of the lines was taken out."""

    x0: np.ndarray
    y0: np.ndarray
    x1: np.ndarray
    y1: np.ndarray
    height: float
    texts: list[str]
    lefts: list[float]


def in_columns(words: Sequence[W]) -> list[W]:
    """The words in reading order, columns one after the other; the same words as they came where none jump.

    Where the order changes, `block` and `line` are given anew (from 0), so that lines break inside a column.
    Takes NamedTuples with `text`, `box` (points), `block` and `line`, of a text layer or of OCR.
    """
    if len(words) < FEWEST_WORDS:
        return list(words)
    boxes = np.fromiter(chain.from_iterable([word.box for word in words]), np.float64, 4 * len(words)).reshape(-1, 4)
    if not _may_jump(boxes) or not _may_have_gutter(boxes):
        return list(words)
    ink = _ink(words, boxes)
    parts = _parts(ink, np.arange(len(words)), depth=0)
    if sum(part.is_column for part in parts) < 2 or _is_in_order(parts, ink):
        return list(words)
    return _numbered(words, parts, ink)


def _may_jump(boxes: np.ndarray) -> bool:
    """Whether the layer goes across a gap several times, or back up the page more than one column asks for."""
    before, after = boxes[:-1], boxes[1:]
    beside = (after[:, 1] < before[:, 3]) & (after[:, 3] > before[:, 1])
    if np.count_nonzero(beside & (after[:, 0] - before[:, 2] > GUTTER)) >= FEWEST_ROWS:
        return True
    up = after[:, 3] < before[:, 1] - 2 * (before[:, 3] - before[:, 1])
    # Many layers hold a page's header and footer first or last.
    up = up[_EDGE_WORDS:-_EDGE_WORDS]
    to_left = after[_EDGE_WORDS:-_EDGE_WORDS, 0] < before[_EDGE_WORDS:-_EDGE_WORDS, 0]
    return np.count_nonzero(up) >= 2 or bool((up & to_left).any())


def _may_have_gutter(boxes: np.ndarray) -> bool:
    """Whether somewhere in the middle far fewer words stand than at both sides of it."""
    return len(_valleys(boxes[:, 0], boxes[:, 2])) > 0


def _valleys(x0: np.ndarray, x1: np.ndarray) -> np.ndarray:
    """Left ends (points) of the strips, `GUTTER` wide, that few words cross."""
    left = float(x0.min())
    wide = int(x1.max() - left) + 2
    if wide < 12 * GUTTER:
        return np.empty(0)
    starts = np.bincount(np.clip(x0 - left, 0, wide - 1).astype(np.int64), minlength=wide)
    ends = np.bincount(np.clip(x1 - left + 1, 0, wide - 1).astype(np.int64), minlength=wide)
    cover = np.cumsum(starts - ends)
    strip = np.lib.stride_tricks.sliding_window_view(cover, int(GUTTER)).max(axis=1)
    low, high = int(0.12 * wide), int(0.88 * wide)
    peak_left = np.maximum.accumulate(cover)[: len(strip)]
    peak_right = np.maximum.accumulate(cover[::-1])[::-1][: len(strip)]
    found = np.flatnonzero(strip[low:high] <= SCREEN * np.minimum(peak_left, peak_right)[low:high]) + low
    return found + left


def _ink(words: Sequence[W], boxes: np.ndarray) -> _Ink:
    x0, y0, x1, y1 = boxes.T
    slope = _slope(words, boxes)
    drop = slope * (x0 + x1) / 2
    return _Ink(x0, y0 - drop, x1, y1 - drop, float(np.median(y1 - y0)), [word.text for word in words], x0.tolist())


def _slope(words: Sequence[W], boxes: np.ndarray) -> float:
    """How far lines fall per point to the right: scans are not quite straight; 0 for text layers."""
    slopes, start = [], 0
    for at in range(1, len(words) + 1):
        if at < len(words) and (words[at].block, words[at].line) == (words[start].block, words[start].line):
            continue
        wide = boxes[at - 1, 0] - boxes[start, 0]
        if wide > 100:
            slopes.append((boxes[at - 1, 3] - boxes[start, 3]) / wide)
        start = at
    slope = float(np.median(slopes)) if slopes else 0.0
    return slope if 0.002 < abs(slope) < 0.1 else 0.0


def _parts(ink: _Ink, region: np.ndarray, depth: int) -> list[_Part]:
    """The parts of a region in reading order; one part without columns when it has no gutter.

    What lies between the columns of the best gutter may have columns with another one.
    """
    gutter = _best_gutter(ink, region) if depth < DEEPEST else None
    if gutter is None:
        return [_Part(_rows(ink, region), depth > 0)]
    parts: list[_Part] = []
    rest: list[np.ndarray] = []
    elsewhere = _parted_elsewhere(ink, region, gutter)
    for band, is_across in _bands(ink, region, gutter):
        columns = [] if is_across or elsewhere[band].all() else _band_parts(ink, band, gutter, depth)
        if columns:
            parts += _rest_parts(ink, rest, depth)
            parts += columns
            rest = []
        else:
            rest.append(band)
    if not parts:  # each slab has a better gutter of its own
        return [part for slab in _slabs(ink, region) for part in _parts(ink, region[slab], depth)]
    return parts + _rest_parts(ink, rest, depth)


def _rest_parts(ink: _Ink, rest: list[np.ndarray], depth: int) -> list[_Part]:
    return _parts(ink, np.concatenate(rest), depth) if rest else []


def _band_parts(ink: _Ink, band: np.ndarray, gutter: float, depth: int) -> list[_Part]:
    """Columns of a band that no word crosses, with rows of its edges that belong to both; none without columns."""
    head, body, foot = _without_edges(ink, band, gutter)
    left, right = _sides(ink, body, gutter)
    if not _are_columns(ink, left, right, 2):
        return []
    sides = [part._replace(is_column=True) for side in (left, right) for part in _parts(ink, side, depth + 1)]
    return [*([_Part(head, False)] if head else []), *sides, *([_Part(foot, False)] if foot else [])]


def _sides(ink: _Ink, region: np.ndarray, gutter: float) -> tuple[np.ndarray, np.ndarray]:
    on_left = (ink.x0[region] + ink.x1[region]) / 2 < gutter
    return region[on_left], region[~on_left]


def _best_gutter(ink: _Ink, region: np.ndarray) -> float | None:
    """The middle of the strip that parts the most running text; None when there is none."""
    if len(region) < FEWEST_WORDS // 2:
        return None
    best, most = None, 0
    for gutter in _gutters(ink.x0[region], ink.x1[region]):
        parted = _parted(ink, region, gutter)
        if parted > most:
            best, most = gutter, parted
    return best


def _gutters(x0: np.ndarray, x1: np.ndarray) -> list[float]:
    """The middles of the strips that fewer words cross than those beside them, the `MOST_GUTTERS` clearest ones."""
    strips = _valleys(x0, x1)
    runs = np.split(strips, np.flatnonzero(np.diff(strips) > 1.5) + 1) if len(strips) else []
    found: list[tuple[int, float]] = []
    for run in runs:
        crossed = ((x0[None] < run[:, None] + GUTTER) & (x1[None] > run[:, None])).sum(axis=1)
        steps = np.flatnonzero(np.diff(crossed)) + 1
        levels = [int(crossed[part[0]]) for part in np.split(np.arange(len(run)), steps)]
        for at, part in enumerate(np.split(run, steps)):
            if levels[at] <= min(levels[max(0, at - 1) : at + 2]):
                found.append((levels[at], float(part[len(part) // 2]) + GUTTER / 2))
    return [gutter for _, gutter in sorted(found)[:MOST_GUTTERS]]


def _parted(ink: _Ink, region: np.ndarray, gutter: float) -> int:
    """How many words stand in columns at both sides of a gutter."""
    total = 0
    for band, is_across in _bands(ink, region, gutter):
        if not is_across:
            _, body, _ = _without_edges(ink, band, gutter)
            left, right = _sides(ink, body, gutter)
            if _are_columns(ink, left, right, FEWEST_ROWS):
                total += len(body)
    return total


def _bands(ink: _Ink, region: np.ndarray, gutter: float) -> list[tuple[np.ndarray, bool]]:
    """The region from the top, cut into rows that cross the gutter (True) and bands that don't."""
    crossing = region[(ink.x0[region] < gutter + GUTTER / 2) & (ink.x1[region] > gutter - GUTTER / 2)]
    across = _beside_any(ink, region, crossing)
    slabs = _slabs(ink, region)
    rows = [len(_rows(ink, region[slab])) for slab in slabs]
    for at, slab in enumerate(slabs):
        is_followed = max(rows[at + 1 :], default=0) > 1
        across[slab] |= _is_across(ink, region[slab], across[slab], gutter, rows[at] == 1 and is_followed)
    middle = (ink.y0[region] + ink.y1[region]) / 2
    order = np.argsort(middle, kind="stable")
    cuts = np.flatnonzero(np.diff(across[order].astype(np.int8))) + 1
    groups = [group for group in np.split(order, cuts) if len(group)]
    return [(region[group], bool(across[group[0]])) for group in groups]


def _slabs(ink: _Ink, region: np.ndarray) -> list[np.ndarray]:
    """Places in the region of the words between white that runs across all of it; one slab has none."""
    order = np.argsort(ink.y0[region], kind="stable")
    reach = np.maximum.accumulate(ink.y1[region][order])
    cuts = np.flatnonzero(ink.y0[region][order][1:] - reach[:-1] > SLAB * ink.height) + 1
    return np.split(order, cuts) if len(cuts) else []


def _parted_elsewhere(ink: _Ink, region: np.ndarray, gutter: float) -> np.ndarray:
    """For each word of the page whether its slab is crossed by the gutter and parted better by another one."""
    found = np.zeros(len(ink.texts), bool)
    for slab in (region[part] for part in _slabs(ink, region)):
        is_crossed = ((ink.x0[slab] < gutter) & (ink.x1[slab] > gutter)).any()
        other = _best_gutter(ink, slab) if is_crossed else None
        found[slab] = other is not None and _parted(ink, slab, other) > _parted(ink, slab, gutter)
    return found


def _is_across(ink: _Ink, slab: np.ndarray, across: np.ndarray, gutter: float, is_line: bool) -> bool:
    """Whether a slab is one text across the page: a line between columns, or some lines don't reach the gutter."""
    return not (ink.x1[slab][~across] > gutter).any() and (is_line or bool(across.any()))


def _beside_any(ink: _Ink, region: np.ndarray, crossing: np.ndarray) -> np.ndarray:
    """For each word of the region whether it stands in a row with one of the crossing words."""
    if not len(crossing):
        return np.zeros(len(region), bool)
    top = np.maximum(ink.y0[region][:, None], ink.y0[crossing][None, :])
    bottom = np.minimum(ink.y1[region][:, None], ink.y1[crossing][None, :])
    heights = np.minimum((ink.y1[region] - ink.y0[region])[:, None], (ink.y1[crossing] - ink.y0[crossing])[None, :])
    return (bottom - top > 0.5 * heights).any(axis=1)


def _rows(ink: _Ink, region: np.ndarray) -> list[list[int]]:
    """The rows of a region from the top, the words of each from left to right."""
    tops, bottoms = ink.y0[region], ink.y1[region]
    order = np.argsort(tops + bottoms, kind="stable")
    rows: list[list[int]] = []
    above = below = 0.0  # of the first word of the row
    for word, top, bottom in zip(region[order].tolist(), tops[order].tolist(), bottoms[order].tolist(), strict=True):
        overlap = (below if below < bottom else bottom) - (above if above > top else top)
        if rows and overlap >= 0.5 * (below - above if below - above < bottom - top else bottom - top):
            rows[-1].append(word)
        else:
            rows.append([word])
            above, below = top, bottom
    left = ink.lefts
    return [sorted(row, key=left.__getitem__) for row in rows]


def _without_edges(ink: _Ink, band: np.ndarray, gutter: float) -> tuple[list[list[int]], np.ndarray, list[list[int]]]:
    """Rows above the columns of a band, the words of the columns, and rows below them (footers, signatures)."""
    rows = _rows(ink, band)
    start, stop = 0, len(rows)
    gaps = [_gap(ink, above, below) for above, below in pairwise(rows)]
    for at in range(min(2, len(gaps))):
        if gaps[at] >= 1.5 * ink.height and sum(map(len, rows[: at + 1])) <= _EDGE_WORDS:
            start = at + 1
    for at in range(max(start, len(gaps) - 2), len(gaps)):
        if gaps[at] >= 1.5 * ink.height and sum(map(len, rows[at + 1 :])) <= _EDGE_WORDS:
            stop = at + 1
            break
    stop = _signatures_from(ink, rows, gaps, start, stop, gutter)
    body = [word for row in rows[start:stop] for word in row]
    return rows[:start], np.array(body, dtype=np.int64), rows[stop:]


def _gap(ink: _Ink, above: list[int], below: list[int]) -> float:
    return float(min(ink.y0[i] for i in below) - max(ink.y1[i] for i in above))


def _signatures_from(ink: _Ink, rows: list[list[int]], gaps: list[float], start: int, stop: int, gutter: float) -> int:
    """The row with which two signature blocks side by side begin; `stop` when there are none."""
    labelled = [at for at in range(start, stop) if _is_labelled_twice(ink, rows[at], gutter)]
    if len(labelled) < 2:
        return stop
    first = labelled[0]
    while first > start and gaps[first - 1] < ink.height:
        first -= 1
    return first if first > start or labelled[0] - start < 4 else labelled[0]


def _is_labelled_twice(ink: _Ink, row: list[int], gutter: float) -> bool:
    sides = ([i for i in row if ink.x0[i] < gutter], [i for i in row if ink.x0[i] >= gutter])
    return all(side and _LABEL.match(" ".join(ink.texts[i] for i in side)) for side in sides)


def _are_columns(ink: _Ink, left: np.ndarray, right: np.ndarray, fewest: int) -> bool:
    """Whether two sides of a gutter are running text, each to be read on its own."""
    if not len(left) or not len(right):
        return False
    rows_left, rows_right = _rows(ink, left), _rows(ink, right)
    if len(rows_left) < fewest or len(rows_right) < max(1, fewest - 1):
        return False
    if not (_is_running(ink, left, rows_left) and _is_running(ink, right, rows_right)):
        return False
    return not _are_cells(ink, rows_left, rows_right)


def _is_running(ink: _Ink, side: np.ndarray, rows: list[list[int]]) -> bool:
    """Whether most lines have several words, most of them in small letters, and fill their column."""
    first = [ink.texts[i].lstrip("\"'“‘([")[:1] for i in side.tolist()]
    if sum(c.islower() or c >= CJK for c in first) < IN_SMALL_LETTERS * len(first):
        return False
    wide = ink.x1[side].max() - ink.x0[side].min()
    if wide < NARROWEST:
        return False
    widths = [ink.x1[row[-1]] - ink.x0[row[0]] for row in rows]
    return np.quantile(widths, 2 / 3) >= FILLED * wide and np.median([len(row) for row in rows]) >= 2.5


def _are_cells(ink: _Ink, left: list[list[int]], right: list[list[int]]) -> bool:
    """Whether paragraphs at both sides begin at the same heights, as the cells of a table's rows do."""
    one, other = _paragraph_tops(ink, left), _paragraph_tops(ink, right)
    if min(len(one), len(other)) < 3:
        return False
    shared = sum(any(abs(a - b) <= 0.35 * ink.height for b in other) for a in one)
    return shared >= 0.75 * max(len(one), len(other))


def _paragraph_tops(ink: _Ink, rows: list[list[int]]) -> list[float]:
    """Heights at which rows begin after more white than between most rows."""
    gaps = [_gap(ink, above, below) for above, below in pairwise(rows)]
    usual = float(np.median(gaps)) if gaps else 0.0
    tops = [float(min(ink.y0[i] for i in row)) for row in rows]
    return [top for at, top in enumerate(tops) if at == 0 or gaps[at - 1] > usual + 0.25 * ink.height]


def _is_in_order(parts: list[_Part], ink: _Ink) -> bool:
    """Whether the source's own order goes through the columns without jumping back or up."""
    place = {}
    for number, part in enumerate(parts):
        if part.is_column:
            for row_number, row in enumerate(part.rows):
                place |= dict.fromkeys(row, (number, row_number))
    visited = [place[word] for word in range(len(ink.texts)) if word in place]
    return all(
        after[0] > before[0] or (after[0] == before[0] and after[1] >= before[1] - 1)
        for before, after in pairwise(visited)
    )


def _numbered(words: Sequence[W], parts: list[_Part], ink: _Ink) -> list[W]:
    ordered: list[W] = []
    block = line = -1
    for part in parts:
        before: list[int] | None = None
        for row in part.rows:
            line += 1
            if before is None or _gap(ink, before, row) > 0.6 * ink.height:
                block += 1
            ordered += [words[i]._replace(block=block, line=line) for i in row]
            before = row
    return ordered
