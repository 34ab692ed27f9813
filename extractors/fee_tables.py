"""Fee tables to lines: item, quantity, unit price, how often it is paid, and the amount of one such payment.

A table is one of fees when a heading of it speaks of a price and cells below hold amounts. What sums up other rows
(subtotals, totals, tax for information) is no line; a discount is one, below zero. Part of `judge`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from extractors.rows import Row, rows_of
from extractors.values import amounts
from schemas.contract import Extraction, FeeLine
from schemas.document import Document

_LIKE_MONEY = re.compile(r"\d{1,3}(?:,\d{3})+|\d\.\d{2}\b|[$€£¥円]|\b[A-Z]{3}\s?\d")
"""Amounts are written so; counts, hours and telephone numbers are not."""
_WORD = re.compile(r"[^\W\d_]{3}|[\u3040-\u30ff\u3400-\u9fff]")
_ISO_CODE = re.compile(r"\b(?:USD|EUR|GBP|CHF|JPY|CAD|AUD|SEK|NOK|DKK|SGD|INR|BRL|MXN|CNY)\b")
_NUMBER = re.compile(r"\(?-?\s?(?:[A-Z]{3}|[$€£¥])?\s?(?P<number>\d{1,3}(?:[,' ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s?\)?")
_PRICE = re.compile(
    r"price|fee|amount|total|charge|rate|per\s+(?:year|month|quarter|annum)|annual|monthly|cost|value|"
    r"\b(?:USD|EUR|GBP|CHF|JPY|CAD|AUD)\b|[$€£]|料金|金額|単価",
    re.IGNORECASE,
)


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_HEADS = {
    "quantity": _words(
        r"\bq(?:ty|uantity)\b", r"\bunits?\b(?!\s*(?:price|fee|cost))", r"\b(?:users?|seats?|hours)\b", "数量"
    ),
    "unit_price": _words(r"unit|\beach\b|\brate\b", r"per\s+(?:user|seat|unit|hour|item)", r"list\s+price", "単価"),
}
_PERIODS = {
    "monthly": _words(r"\bmonth(?:ly)?\b(?!s)", "月額"),
    "quarterly": _words(r"\bquarter(?:ly)?\b"),
    "annual": _words(
        r"\b(?:annual(?:ly)?|yearly|per\s+(?:contract\s+)?year|per\s+annum|a\s+year)\b", r"/\s?(?:year|yr)\b", "年額"
    ),
}
_ONCE = _words(
    r"one[- ]?time|\bonce\b|set-?up|implementation|onboarding|activation|installation|fixed\s+price", "初期費用"
)
_MILESTONE = _words(r"milestone|accepted|completion|delivered|go-?live")
_BY_USE = _words(
    r"\boverage\b|\bexcess\b|\busage\b|\bmetered\b|per\s+(?:1,000|thousand|hour|message|call|transaction)|hourly",
    r"\boption\b|\bnot\s+ordered\b|\badditional\b|\babove\s+\d",
)
_SUM = re.compile(
    r"^\W*(?:sub-?\s?total|grand\s+total|total|net\s+(?:recurring|total|subscription|fees?)|amount\s+due|合計|小計)",
    re.IGNORECASE,
)
_TOTAL = _words(r"\b(?:grand\s+)?total\b", "合計")
_TAX = _words(r"\b(?:sales\s+)?tax\b|\bvat\b", "消費税")
_UNIT_BEHIND = re.compile(r"^\s*(?:(?:USD|EUR|GBP|CHF|JPY|CAD|AUD|円)\b|/|per\b|each\b|an?\b|\(|$)", re.IGNORECASE)
_MONTHS = {"monthly": 1, "quarterly": 3, "annual": 12}


class _Columns(NamedTuple):
    """Which column of a table holds what; `periods` says how often the amounts of a column are paid."""

    item: int
    quantity: int | None
    unit_price: int | None
    amount: int
    period: str | None


def fee_lines(extraction: Extraction, document: Document) -> tuple[FeeLine, ...]:
    """The lines of the fee tables, and what the engine read of one-time fees elsewhere; numbered from 1."""
    found = [line for number, grid in _grids(document) for line in _lines(number, grid, extraction)]
    told = {Decimal(line.amount) for line in found}
    found += [line for line in extraction.fee_lines if line.amount and Decimal(line.amount) not in told]
    unique = dict.fromkeys((line.page_number, line.item, line.amount) for line in found)
    first = {key: next(line for line in found if (line.page_number, line.item, line.amount) == key) for key in unique}
    return tuple(line.model_copy(update={"line": number}) for number, line in enumerate(first.values(), 1))


def _grids(document: Document) -> Iterator[tuple[int, list[list[str]]]]:
    """Tables as page number and rows of cells: those that the page draws, else those that its columns show."""
    for page, at in zip(document.pages, document.page_starts, strict=True):
        if not _LIKE_MONEY.search(page.text):
            continue
        drawn = [[[" ".join(cell.split()) for cell in row] for row in table.rows] for table in page.tables]
        priced = [grid for grid in drawn if any(_is_head(row) for row in grid[:3])]
        for grid in priced or _aligned(rows_of(page, at)):
            yield page.number, grid


_GAP = 0.62
"""Share of the letters' height between words from which they stand in two columns."""
_WITHOUT = 3
"""Rows without an amount after which a table is over."""


def _cells(row: Row) -> list[tuple[float, float, str]]:
    """Left edge, right edge and text of what stands apart in a row."""
    cells: list[tuple[float, float, str]] = []
    for word, text in zip(row.words, row.texts, strict=True):
        if cells and word.x0 - cells[-1][1] < _GAP * (word.y1 - word.y0):
            cells[-1] = (cells[-1][0], word.x1, f"{cells[-1][2]} {text}")
        else:
            cells.append((word.x0, word.x1, text))
    return cells


def _aligned(page: Sequence[Row]) -> Iterator[list[list[str]]]:
    """Below each row of headings that speaks of a price, the rows whose cells stand in its columns."""
    at = 0
    while at < len(page):
        head = _cells(page[at])
        at += 1
        if len(head) < 2 or not _is_head([text for _, _, text in head]):
            continue
        grid, without = [[text for _, _, text in head]], 0
        while at < len(page) and without < _WITHOUT:
            cells = _placed(_cells(page[at]), head)
            has_amount = any(_amount(_leading(cell)) is not None for cell in cells[1:])
            if has_amount:
                grid.append(cells)
            elif len(grid) > 1 and not any(cells[2:]):  # the item goes on in the next line
                grid[-1] = [f"{one} {more}".strip() for one, more in zip(grid[-1], cells, strict=True)]
            without = 0 if has_amount else without + 1
            at += 1
            if has_amount and _SUM.search(" ".join(cells)) and _TOTAL.search(" ".join(cells)):
                break
        if len(grid) > 1:
            yield grid


def _placed(cells: Sequence[tuple[float, float, str]], head: Sequence[tuple[float, float, str]]) -> list[str]:
    """The texts of a row's cells below the headings they stand under."""
    placed = [""] * len(head)
    for left, right, text in cells:
        nearest = min(range(len(head)), key=lambda at: _distance((left, right), head[at][:2]))
        placed[nearest] = f"{placed[nearest]} {text}".strip()
    return placed


def _distance(cell: tuple[float, float], head: tuple[float, float]) -> float:
    """How far two stand apart from side to side; the nearer of their edges where they overlap."""
    gap = max(head[0] - cell[1], cell[0] - head[1], 0.0)
    return gap * 1000 + min(abs(cell[0] - head[0]), abs(cell[1] - head[1]))


def _lines(page_number: int, grid: Sequence[Sequence[str]], extraction: Extraction) -> Iterator[FeeLine]:
    heads = next(number for number, row in enumerate(grid) if _is_head(row))
    columns = _columns(grid[heads], grid[heads + 1 :])
    if columns is None:
        return
    priced = [row[columns.amount] for row in grid[heads + 1 :] if _amount(row[columns.amount]) is not None]
    if sum(bool(_LIKE_MONEY.search(cell)) for cell in priced) <= len(priced) / 2:
        return
    currency, headed = extraction.term("currency"), _ISO_CODE.search(" ".join(grid[heads]))
    usual = headed.group() if headed else currency.value if currency else None
    for row in grid[heads + 1 :]:
        line = _line(row, columns, page_number)
        if line:
            yield line.model_copy(update={"currency": line.currency or usual})


def _is_head(row: Sequence[str]) -> bool:
    """A heading row: a price is spoken of, and no cell is an amount."""
    prices = any(len(cell) < _LONGEST_HEAD and _PRICE.search(cell) for cell in row)
    return prices and max(map(len, row)) < 2 * _LONGEST_HEAD and not any(_amount(cell) is not None for cell in row)


_LONGEST_HEAD = 30
"""Letters of a heading that says what a column of amounts is."""


def _amount(cell: str) -> Decimal | None:
    """The amount that a cell holds and nothing else of weight; below zero in brackets."""
    match = _NUMBER.match(cell.strip())
    if not match or len(cell) > 40 or not _UNIT_BEHIND.match(cell.strip()[match.end() :]):
        return None
    value = Decimal(re.sub(r"[,' ]", "", match["number"]))
    return -value if cell.strip().startswith(("(", "-")) else value


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> _Columns | None:
    counts = [sum(_amount(row[at]) is not None for row in rows) for at in range(len(head))]
    priced = [at for at, cell in enumerate(head) if counts[at] and _PRICE.search(cell)]
    quantity = next((at for at, cell in enumerate(head) if counts[at] and _HEADS["quantity"].search(cell)), None)
    unit = next((at for at in priced if at != quantity and _HEADS["unit_price"].search(head[at])), None)
    totals = [at for at in priced if at not in (quantity, unit)]
    if not totals and unit is None:
        return None
    periodic = next((at for at in totals if _period(head[at])), None)
    amount = periodic if periodic is not None else totals[-1] if totals else unit
    texts = [at for at in range(len(head)) if at not in (quantity, unit, amount)]
    longest = max(texts, key=lambda at: sum(len(row[at]) for row in rows if _amount(row[at]) is None), default=None)
    if longest is None:
        return None
    return _Columns(longest, quantity, unit if unit != amount else None, amount, _period(head[amount]))


def _period(text: str) -> str | None:
    return next((name for name, words in _PERIODS.items() if words.search(text)), None)


def _line(row: Sequence[str], columns: _Columns, page_number: int) -> FeeLine | None:
    item, said = row[columns.item], " ".join(row)
    value = _amount(row[columns.amount])
    last = next((v for cell in reversed(row) if (v := _amount(cell)) is not None), None)
    if not _WORD.search(item) or _SUM.search(item) or _TAX.search(item) or (value is None and last is None):
        return None
    is_once = value is None or bool(_ONCE.search(said))
    period = _period(said) or columns.period or ("milestone" if _MILESTONE.search(said) else None)
    period = "usage" if _BY_USE.search(said) else "one_time" if is_once else period
    money = amounts(said)
    return FeeLine(
        line=0,
        item=item[:200],
        quantity=_plain(_amount(row[columns.quantity])) if columns.quantity is not None else None,
        unit_price=_plain(_amount(_leading(row[columns.unit_price]))) if columns.unit_price is not None else None,
        currency=money[0].currency if money else None,
        frequency=period,
        amount=_plain(value if value is not None else last),
        quote=said,
        page_number=page_number,
    )


def _leading(cell: str) -> str:
    """The amount of `960.00 per user per year` alone."""
    match = _NUMBER.match(cell)
    return match.group() if match else cell


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


_PAID_ONCE = ("one_time", "milestone")


def total_of(lines: Iterable[FeeLine], months: float | None) -> tuple[Decimal, Decimal] | None:
    """What the lines come to over the initial term, and a year of what recurs; None where a line can't be reckoned."""
    total, yearly = Decimal(0), Decimal(0)
    for line in lines:
        if line.frequency == "usage":
            continue
        if line.amount is None or line.frequency not in (*_MONTHS, *_PAID_ONCE):
            return None
        if line.frequency in _PAID_ONCE:
            total += Decimal(line.amount)
        elif months is None:
            return None
        else:
            total += Decimal(line.amount) * Decimal(str(months)) / _MONTHS[line.frequency]
            yearly += Decimal(line.amount) * 12 / _MONTHS[line.frequency]
    return total.quantize(Decimal("0.01")), yearly.quantize(Decimal("0.01"))
