"""Tables on pages: cells by row and column, with rules and without; prose, signatures and contents are none."""

import pymupdf
import pytest

from extractors.files import Limits
from extractors.pdf import RawWord
from extractors.read import Content, read
from extractors.tables import tables

PRICES = [
    ["Item", "Qty", "Unit price", "Amount"],
    ["Platform subscription", "25", "$40.00", "$1,000.00"],
    ["Premium support", "", "$250.00", "$250.00"],
    ["Training days", "2", "$900.00", "$1,800.00"],
    ["Total", "", "", "$3,050.00"],
]


def drawn(rows: list[list[str]], pitch: float = 20, ruled: bool = False, lines: int = 1) -> pymupdf.Page:
    """A page with a table at x = 60, 260, 330, 430; `lines` > 1 puts the first column's words below each other."""
    page = pymupdf.open().new_page()
    top = 100.0
    for row in rows:
        parts = row[0].split(" ", lines - 1)
        for column, text in enumerate(row):
            for number, part in enumerate(parts if column == 0 else [text]):
                page.insert_text(((60, 260, 330, 430)[column], top + 11 * number), part, fontsize=10)
        deep = pitch + 11 * (len(parts) - 1)
        if ruled:
            page.draw_line((55, top - 12), (500, top - 12))
        top += deep
    if ruled:
        page.draw_line((55, top - 12), (500, top - 12))
    return page


def words_of(page: pymupdf.Page) -> list[RawWord]:
    return [RawWord(w[4], tuple(w[:4]), w[5], w[6]) for w in page.get_text("words")]


@pytest.mark.parametrize("pitch", [14, 20, 28])
def test_rows_and_cells_without_rules(pitch):
    (table,) = tables(words_of(drawn(PRICES, pitch)))
    assert table.rows == PRICES


def test_a_cell_of_two_lines_is_one_cell():
    (table,) = tables(words_of(drawn(PRICES, lines=2)))
    assert table.rows == PRICES


def test_rules_decide_which_lines_are_one_row():
    rows = [[f"Licence\n{number}", "1", f"${number}0.00", f"${number}0.00"] for number in range(1, 6)]
    rows.append(["Total", "5", "", "$150.00"])
    page = pymupdf.open().new_page()
    for at, row in enumerate(rows):
        for x, text in zip((60, 260, 330, 430), row, strict=True):
            for line, part in enumerate(text.split("\n")):
                page.insert_text((x, 100 + 30 * at + 12 * line), part, fontsize=10)
    rules = [(55.0, 500.0, 88.0 + 30 * at) for at in range(7)]
    (table,) = tables(words_of(page), lambda: rules)
    assert table.rows == [[row[0].replace("\n", " "), *row[1:]] for row in rows]
    assert tables(words_of(page)) != (table,)  # without them a bare number below looks like a row of its own


def test_the_boxes_lie_on_the_words():
    (table,) = tables(words_of(drawn(PRICES)))
    cell = next(cell for cell in table.cells if cell.text == "$250.00" and cell.column == 3)
    assert 428 <= cell.x0 <= 432 and 125 <= cell.y0 < cell.y1 <= 146


def _prose(page: pymupdf.Page) -> None:
    text = "The Supplier shall deliver the Services with reasonable skill and care and within the agreed time. " * 12
    page.insert_textbox((60, 60, 550, 700), text, fontsize=10, align=pymupdf.TEXT_ALIGN_JUSTIFY)


def _two_columns(page: pymupdf.Page) -> None:
    text = "The Supplier shall deliver the Services with reasonable skill and care and within the agreed time. " * 9
    page.insert_textbox((60, 60, 290, 700), text, fontsize=9)
    page.insert_textbox((320, 60, 550, 700), text, fontsize=9)


def _signatures(page: pymupdf.Page) -> None:
    for number, label in enumerate(("By: ____________", "Name: Jane Roe", "Title: CEO", "Date: 1 May 2026")):
        page.insert_text((60, 400 + 20 * number), label)
        page.insert_text((330, 400 + 20 * number), label)


def _contents(page: pymupdf.Page) -> None:
    for number, title in enumerate(("Definitions", "Services", "Fees and payment", "Term", "Liability")):
        page.insert_text((60, 100 + 18 * number), f"{number + 1}. {title}")
        page.insert_text((500, 100 + 18 * number), str(3 + 2 * number))


def _list(page: pymupdf.Page) -> None:
    for number, text in enumerate(("first the goods", "then the 2 invoices", "last the 30 days", "and so on")):
        page.insert_text((60, 100 + 16 * number), f"({'abcd'[number]})")
        page.insert_text((90, 100 + 16 * number), text)


@pytest.mark.parametrize("draw", [_prose, _two_columns, _signatures, _contents, _list])
def test_these_are_no_tables(draw):
    page = pymupdf.open().new_page()
    draw(page)
    assert len(page.get_text("words")) > 9
    assert tables(words_of(page)) == ()


def test_a_document_holds_the_tables_of_its_pages(tmp_path):
    path = tmp_path / "order.pdf"
    drawn(PRICES, ruled=True).parent.save(path)
    document = read(Content((path,), "c_1", "0"), Limits())
    assert document.pages[0].tables[0].rows == PRICES
