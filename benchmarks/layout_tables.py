"""Order-form tables to measure with: drawn with and without rules, and the cells that a person reads in them."""

import random
from collections.abc import Sequence
from typing import NamedTuple

import pymupdf

from schemas.document import Table

_ITEMS = [
    "Platform subscription",
    "Onboarding package",
    "Premium support, 24x7 with a named engineer",
    "Data storage per terabyte",
    "Sandbox environment",
    "Training days on site",
    "API calls, block of one million",
    "Migration of existing records from the former system",
]
_HEADS = ["Item", "Description", "Qty", "Unit price", "Start date", "End date", "Discount", "Amount"]
_FAMILIES = {
    "tuning": {"fonts": ["helv", "tiro"], "sizes": (8.5, 10.5), "pitch": (1.7, 2.3), "gap": (14, 30)},
    "held_out": {"fonts": ["cour", "tibo", "heit"], "sizes": (7.5, 12.0), "pitch": (1.5, 3.0), "gap": (10, 44)},
}


class Made(NamedTuple):
    """A page with one table and its rows of cells."""

    pdf: pymupdf.Document
    rows: list[list[str]]


def table_page(seed: str, family: str) -> Made:
    """A page with a table and some prose around it."""
    rng = random.Random(seed)
    look = _FAMILIES[family]
    font, size = rng.choice(look["fonts"]), rng.uniform(*look["sizes"])
    heads = ["Item", *sorted(rng.sample(_HEADS[1:-1], rng.randint(1, 5)), key=_HEADS.index), "Amount"]
    rows = [heads] + [_row(heads, rng) for _ in range(rng.randint(3, 9))]
    if rng.random() < 0.6:
        rows.append(["Total", *[""] * (len(heads) - 2), _amount(rng)])
    pdf = pymupdf.open()
    page = pdf.new_page(width=842 if len(heads) > 5 else 612, height=792)
    _draw(page, rows, font, size, rng, look)
    return Made(pdf, rows)


def _row(heads: Sequence[str], rng: random.Random) -> list[str]:
    made = {
        "Item": rng.choice(_ITEMS),
        "Description": rng.choice(["Annual fee", "One-time fee", "Per user and month", "Usage, billed in arrears", ""]),
        "Qty": rng.choice(["1", "5", "25", "1,000", ""]),
        "Unit price": _amount(rng),
        "Start date": f"{rng.randint(1, 12):02d}/{rng.randint(1, 28):02d}/2026",
        "End date": rng.choice(["12/31/2027", "06/30/2028", ""]),
        "Discount": rng.choice(["10%", "0%", "12.5 %", ""]),
        "Amount": rng.choice([_amount(rng), _amount(rng), "Included"]),
    }
    return [made[head] for head in heads]


def _amount(rng: random.Random) -> str:
    value = rng.choice([rng.uniform(10, 999), rng.uniform(1_000, 250_000)])
    return rng.choice(["${:,.2f}", "USD {:,.2f}", "EUR {:,.0f}", "{:,.2f}"]).format(value)


def _draw(page: pymupdf.Page, rows: list[list[str]], font: str, size: float, rng: random.Random, look: dict) -> None:
    style = rng.choice(["ruled", "boxed", "plain", "shaded"])
    wrapped = [_wrapped(row, font, size) for row in rows]
    gap = rng.uniform(*look["gap"])
    widths = [
        max(pymupdf.get_text_length(line, font, size) for row in wrapped for line in row[at] or [""]) + gap
        for at in range(len(rows[0]))
    ]
    scale = min(1.0, (page.rect.width - 90) / sum(widths))
    size, widths = size * scale, [w * scale for w in widths]
    page.insert_text((50, 70), "The fees for the services are set out below and are payable in advance.", fontsize=10)
    top, left = 110.0, 50.0
    pitch = size * rng.uniform(*look["pitch"])
    for number, row in enumerate(wrapped):
        deep = (max(len(lines) for lines in row) - 1) * size * 1.15 + pitch
        if style == "shaded" and number % 2 == 0:
            page.draw_rect(
                (left, top - size * 1.05, left + sum(widths), top - size * 1.05 + deep), fill=(0.9,) * 3, color=None
            )
        _draw_row(page, row, (left, top), widths, font, size, number > 0)
        edge = top - size * 1.05
        if style in ("ruled", "boxed"):
            page.draw_line((left - 3, edge), (left + sum(widths), edge), width=0.5)
        top += deep
    if style in ("ruled", "boxed"):
        page.draw_line((left - 3, top - size * 1.05), (left + sum(widths), top - size * 1.05), width=0.5)
    page.insert_text((50, top + 50), "Invoices are due within thirty days of receipt by the customer.", fontsize=10)


def _wrapped(row: list[str], font: str, size: float) -> list[list[str]]:
    """Each cell's text in lines of at most 24 characters."""
    cells = []
    for text in row:
        lines: list[str] = []
        for word in text.split():
            if lines and len(lines[-1]) + len(word) < 24:
                lines[-1] += " " + word
            else:
                lines.append(word)
        cells.append(lines)
    return cells


def _draw_row(
    page, row: list[list[str]], at: tuple[float, float], widths: list[float], font: str, size: float, is_body: bool
) -> None:
    x, top = at
    for column, (lines, wide) in enumerate(zip(row, widths, strict=True)):
        right = is_body and column == len(row) - 1
        for number, line in enumerate(lines):
            indent = wide - 8 - pymupdf.get_text_length(line, font, size) if right else 0
            page.insert_text((x + indent, top + number * size * 1.15), line, fontname=font, fontsize=size)
        x += wide


def cell_scores(found: Sequence[Table], rows: list[list[str]]) -> tuple[int, int, int]:
    """Right cells, cells found and cells there; a cell is right when row, column and text agree."""
    there = {(r, c, text) for r, row in enumerate(rows) for c, text in enumerate(row) if text}
    best = (0, sum(len(table.cells) for table in found), len(there))
    for table in found:
        right = {(cell.row, cell.column, cell.text) for cell in table.cells} & there
        best = max(best, (len(right), best[1], len(there)))
    return best
