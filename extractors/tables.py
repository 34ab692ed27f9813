"""Tables as rows with cells: order forms, price lists, payment schedules. Part of `read`.

Found by what the eye goes by: lines of words with wide gaps in them whose pieces stand below each other. That works
for drawn frames and without, for text layers and for OCR. Rules between the rows, where the page has them, decide
which lines are one row.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from statistics import median
from typing import NamedTuple, Protocol

import numpy as np

from schemas.document import Box, Cell, Table

GAP = 0.85  # of a line's height: a wider gap parts two cells
FEWEST_ROWS = 3
CROSSED = 0.12  # share of the lines that may run across a gutter: titles and totals
NEAR = 2.6  # of a line's height: what stands further below is no part of the table
TIGHT = 0.55  # of a line's height: a line as close as that goes on with the cell above it
HEADS = 2  # lines that a head may have
PROSE = 5  # words of a usual cell in two columns: such columns are running text
RULED = 0.5  # share of the table's width from which on a rule parts rows
_NUMBER = re.compile(r"\d")
_AMOUNT = re.compile(
    r"^(?:[A-Z]{3}\s*)?[($€£¥]*\s*\d[\d,.]*\s*[%)]*$|^\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}$|^(?:included|waived|n/a|tbd|-)$",
    re.IGNORECASE,
)
_SIGNING = re.compile(r"^(?:by|name|title|date|signature|its|print(?:ed)? name|for)\b\s*:?_*", re.IGNORECASE)
_LEADER = re.compile(r"\.{4,}|(?:\. ){3,}")
_LIST_MARK = re.compile(r"^(?:\(?[a-z0-9ivx]{1,4}[.)]|\d+(?:\.\d+)+\.?|[•·o-])$", re.IGNORECASE)

Rule = tuple[float, float, float]
"""A horizontal rule: x0, x1, y in points."""


class PlacedWord(Protocol):
    """A word with its box in points."""

    text: str
    box: Box


class _Piece(NamedTuple):
    """Words of a line that stand close together."""

    x0: float
    y0: float
    x1: float
    y1: float
    text: str


Line = list[_Piece]


def tables(words: Sequence[PlacedWord], rules: Callable[[], Iterable[Rule]] = tuple) -> tuple[Table, ...]:
    """The tables of a page, from the top. `rules` gives its horizontal rules; it is asked only where needed."""
    if len(words) < 2 * FEWEST_ROWS or not _may_hold_one(words):
        return ()
    lines = _lines(words)
    if sum(len(line) > 1 for line in lines) < FEWEST_ROWS:
        return ()
    found = [table for block in _blocks(lines) if (table := _table(block, rules)) is not None]
    return tuple(found)


def _may_hold_one(words: Sequence[PlacedWord]) -> bool:
    """Whether some lines have wide gaps; a rough look that spares most pages the exact one."""
    boxes = np.fromiter(chain.from_iterable(word.box for word in words), float, 4 * len(words)).reshape(-1, 4)
    high = float(np.median(boxes[:, 3] - boxes[:, 1])) or 1.0
    line = np.round((boxes[:, 1] + boxes[:, 3]) / high).astype(int)  # in halves of a line's height
    order = np.lexsort((boxes[:, 0], line))
    line, left, right = line[order], boxes[order, 0], boxes[order, 2]
    wide = (left[1:] - right[:-1] > GAP * high) & (line[1:] == line[:-1])
    return len(np.unique(line[1:][wide])) >= FEWEST_ROWS


def _lines(words: Sequence[PlacedWord]) -> list[Line]:
    """The words of a page in lines, each cut where its gaps are wide."""
    rows: list[list[PlacedWord]] = []
    tops = bottoms = 0.0  # sums over the row
    for word in sorted(words, key=_middle):
        _, y0, _, y1 = word.box
        count = len(rows[-1]) if rows else 1
        top, bottom = tops / count, bottoms / count
        overlap = (bottom if bottom < y1 else y1) - (top if top > y0 else y0)
        if not rows or overlap < 0.5 * (bottom - top if bottom - top < y1 - y0 else y1 - y0):
            rows.append([])
            tops = bottoms = 0.0
        rows[-1].append(word)
        tops, bottoms = tops + y0, bottoms + y1
    return [_pieces(sorted(row, key=_left)) for row in rows]


def _middle(word: PlacedWord) -> tuple[float, float]:
    x0, y0, _, y1 = word.box
    return y0 + y1, x0


def _left(word: PlacedWord) -> float:
    return word.box[0]


def _pieces(row: list[PlacedWord]) -> Line:
    highs = sorted([word.box[3] - word.box[1] for word in row])
    widest = GAP * highs[len(highs) // 2]
    groups: list[list[PlacedWord]] = [[row[0]]]
    end = row[0].box[2]
    for word in row[1:]:
        gap = word.box[0] - end
        end = word.box[2]
        if gap > widest and not (_is_list_mark(groups) and gap < 4 * widest / GAP and not word.text[:1].isdigit()):
            groups.append([word])
        else:
            groups[-1].append(word)
    return [_piece(group) for group in groups]


def _is_list_mark(groups: list[list[PlacedWord]]) -> bool:
    return len(groups) == 1 and len(groups[0]) == 1 and bool(_LIST_MARK.match(groups[0][0].text))


def _piece(words: list[PlacedWord]) -> _Piece:
    x0, y0, x1, y1 = zip(*(w.box for w in words), strict=True)
    return _Piece(min(x0), min(y0), max(x1), max(y1), " ".join(w.text for w in words))


def _blocks(lines: list[Line]) -> list[list[Line]]:
    """Runs of lines that may be a table: with cells, or close to one and not across it."""
    blocks: list[list[Line]] = []
    block: list[Line] = []
    for line in lines:
        if block and not _continues(block, line):
            blocks.append(block)
            block = []
        if block or len(line) > 1:
            block.append(line)
    return [_trimmed(b) for b in [*blocks, block] if sum(len(line) > 1 for line in b) >= FEWEST_ROWS]


def _continues(block: list[Line], line: Line) -> bool:
    last = block[-1]
    high = median(p.y1 - p.y0 for p in last)
    if min(p.y0 for p in line) - max(p.y1 for p in last) > NEAR * high:
        return False
    if len(line) > 1:
        return True
    left, right = _ends(block)
    return line[0].x1 - line[0].x0 < 0.6 * (right - left) and line[0].x0 >= left - high


def _ends(block: list[Line]) -> tuple[float, float]:
    return min(p.x0 for line in block for p in line), max(p.x1 for line in block for p in line)


def _trimmed(block: list[Line]) -> list[Line]:
    """Without single pieces at the end, which stand below the table and are none of it."""
    high = median(p.y1 - p.y0 for line in block for p in line)
    while len(block) > 1 and len(block[-1]) == 1:
        gap = block[-1][0].y0 - max(p.y1 for p in block[-2])
        if gap <= TIGHT * high and not _is_first_column(block, block[-1][0]):
            break
        block = block[:-1]
    return block


def _is_first_column(block: list[Line], piece: _Piece) -> bool:
    return piece.x0 <= min(p.x0 for line in block for p in line) + 2


def _table(block: list[Line], rules: Callable[[], Iterable[Rule]]) -> Table | None:
    columns = _columns(block)
    if len(columns) < 2:
        return None
    filled = [_placed(line, columns) for line in block]
    if _is_something_else(block, filled, len(columns)):
        return None
    left, right = _ends(block)
    across = [y for x0, x1, y in rules() if min(x1, right) - max(x0, left) >= RULED * (right - left)]
    rows = _rows(block, filled, across)
    if sum(len(row) > 1 for row in rows) < FEWEST_ROWS:
        return None
    cells = [_cell(r, c, pieces) for r, row in enumerate(rows) for c, pieces in sorted(row.items())]
    top, bottom = min(cell.y0 for cell in cells), max(cell.y1 for cell in cells)
    return Table(box=(left, top, right, bottom), cells=tuple(cells))


def _columns(block: list[Line]) -> list[tuple[float, float]]:
    """Left and right edge of each column: what is left between gutters that hardly a line runs across."""
    left, right = _ends(block)
    many = [line for line in block if len(line) > 1]
    used = np.zeros(int(right - left) + 2)
    for line in many:
        for piece in line:
            used[int(piece.x0 - left) : int(np.ceil(piece.x1 - left)) + 1] += 1
    open_ = used > CROSSED * len(many)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], open_.astype(np.int8), [0]])))
    return _joined([(left + a, left + b) for a, b in zip(edges[::2], edges[1::2], strict=True)], many)


def _joined(columns: list[tuple[float, float]], lines: list[Line]) -> list[tuple[float, float]]:
    """The columns with those made one of which no line fills both: a head at the left of amounts at the right."""
    filled = [set(_placed(line, columns)) for line in lines]
    joined: list[tuple[float, float]] = []
    members: list[set[int]] = []
    for at, (x0, x1) in enumerate(columns):
        apart = not members or any(at in line and members[-1] & line for line in filled)
        few = bool(members) and min(sum(at in f for f in filled), sum(bool(members[-1] & f) for f in filled)) <= HEADS
        if apart or not few:
            joined.append((x0, x1))
            members.append({at})
        else:
            joined[-1] = (joined[-1][0], x1)
            members[-1].add(at)
    return joined


def _placed(line: Line, columns: list[tuple[float, float]]) -> dict[int, list[_Piece]]:
    """The pieces of a line by column; one that spans several stands in the first of them."""
    cells: dict[int, list[_Piece]] = {}
    for piece in line:
        overlaps = [min(piece.x1, b) - max(piece.x0, a) for a, b in columns]
        meets = [at for at, overlap in enumerate(overlaps) if overlap > 0]
        at = meets[0] if meets else int(np.argmax(overlaps))
        cells.setdefault(at, []).append(piece)
    return cells


def _is_something_else(block: list[Line], filled: list[dict[int, list[_Piece]]], columns: int) -> bool:
    """Whether it is running text in columns, a signature block, a table of contents or an address beside another."""
    pieces = [piece for line in block for piece in line]
    texts = [piece.text for piece in pieces]
    if any(_LEADER.search(text) for text in texts):
        return True
    if sum(bool(_SIGNING.match(text)) for text in texts) >= max(3, 0.3 * len(texts)):
        return True
    words = [median(len(p.text.split()) for p in of) for of in _by_column(block, filled, columns) if of]
    prose = sum(count >= PROSE for count in words)
    numbers = sum(bool(_NUMBER.search(text)) for text in texts) / len(texts)
    if prose >= 2 and numbers < 0.5:
        return True
    amounts = sum(bool(_AMOUNT.match(text)) for text in texts) / len(texts)
    if columns == 2:
        return amounts < 0.25 or _is_numbered(filled)
    return amounts < 0.08 and numbers < 0.15


def _by_column(block: list[Line], filled: list[dict[int, list[_Piece]]], columns: int) -> list[list[_Piece]]:
    return [[piece for cells in filled for piece in cells.get(at, ())] for at in range(columns)]


def _is_numbered(filled: list[dict[int, list[_Piece]]]) -> bool:
    """Whether the second of two columns holds rising page numbers: a table of contents."""
    right = [cells[1][0].text for cells in filled if 1 in cells and 0 in cells]
    pages = [int(text) for text in right if text.isdigit() and len(text) <= 3]
    return len(pages) >= 0.8 * len(right) and pages == sorted(pages) and len(set(pages)) > 2


def _rows(
    block: list[Line], filled: list[dict[int, list[_Piece]]], across: list[float]
) -> list[dict[int, list[_Piece]]]:
    """Rows of cells: lines that go on with the row above them are put into it."""
    high = median(p.y1 - p.y0 for line in block for p in line)
    is_ruled = len(across) >= FEWEST_ROWS
    rows: list[dict[int, list[_Piece]]] = []
    for line, cells in zip(block, filled, strict=True):
        if rows and _goes_on(rows[-1], line, cells, high, across if is_ruled else None):
            for at, pieces in cells.items():
                rows[-1].setdefault(at, []).extend(pieces)
        else:
            rows.append({at: list(pieces) for at, pieces in cells.items()})
    return rows


def _goes_on(
    row: dict[int, list[_Piece]], line: Line, cells: dict[int, list[_Piece]], high: float, across: list[float] | None
) -> bool:
    above = max(p.y1 for pieces in row.values() for p in pieces)
    top = min(p.y0 for p in line)
    if across is not None:
        middle_above = above - high / 2
        return not any(middle_above < y < top + high / 2 for y in across)
    if top - above > TIGHT * high or not set(cells) <= set(row):
        return False
    texts = [p.text for pieces in cells.values() for p in pieces]
    return len(cells) < len(row) and not any(_AMOUNT.match(text) for text in texts)


def _cell(row: int, column: int, pieces: list[_Piece]) -> Cell:
    text = " ".join(piece.text for piece in pieces)
    return Cell(
        row,
        column,
        text,
        min(p.x0 for p in pieces),
        min(p.y0 for p in pieces),
        max(p.x1 for p in pieces),
        max(p.y1 for p in pieces),
    )
