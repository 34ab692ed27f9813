"""Reading order of columns, whatever the order in which a text layer holds them."""

import pymupdf
import pytest

from extractors.layout import in_columns
from extractors.pdf import RawWord

LEFT = [f"left{number} the supplier shall deliver" for number in range(24)]
RIGHT = [f"right{number} the customer shall pay" for number in range(24)]


def words_of(page: pymupdf.Page) -> list[RawWord]:
    return [RawWord(w[4], tuple(w[:4]), w[5], w[6]) for w in page.get_text("words")]


def page_with(order: str) -> pymupdf.Page:
    """Two columns of 24 lines, written column by column, row by row, or the right column first."""
    page = pymupdf.open().new_page()
    places = {
        "columns": [(60, i, t) for i, t in enumerate(LEFT)] + [(320, i, t) for i, t in enumerate(RIGHT)],
        "rows": [at for i in range(24) for at in ((60, i, LEFT[i]), (320, i, RIGHT[i]))],
        "right first": [(320, i, t) for i, t in enumerate(RIGHT)] + [(60, i, t) for i, t in enumerate(LEFT)],
    }[order]
    for x, row, text in places:
        page.insert_text((x, 100 + 14 * row), text, fontsize=10)
    return page


@pytest.mark.parametrize("order", ["columns", "rows", "right first"])
def test_columns_are_read_one_after_the_other(order):
    read = " ".join(word.text for word in in_columns(words_of(page_with(order))))
    assert read == " ".join(LEFT + RIGHT)


def test_lines_end_at_the_gutter():
    words = in_columns(words_of(page_with("rows")))
    first = [word.text for word in words if (word.block, word.line) == (words[0].block, words[0].line)]
    assert " ".join(first) == LEFT[0]


def test_a_page_without_columns_keeps_its_order():
    page = pymupdf.open().new_page()
    page.insert_textbox((60, 60, 540, 700), "The Supplier shall deliver the Services with care and on time. " * 40)
    words = words_of(page)
    assert len(words) > 300
    assert in_columns(words) == words


def test_a_price_list_stays_row_by_row():
    page = pymupdf.open().new_page()
    for row in range(20):
        page.insert_text((60, 100 + 16 * row), f"Item {row}", fontsize=10)
        page.insert_text((400, 100 + 16 * row), f"${row},000.00", fontsize=10)
    words = words_of(page)
    assert in_columns(words) == words


def test_sections_may_have_gutters_of_their_own():
    page = pymupdf.open().new_page()
    narrow = [f"word{row}{column} the supplier shall" for column in range(3) for row in range(12)]
    wide = [f"text{row}{column} the customer shall pay the fees in full" for column in range(2) for row in range(12)]
    across = "This passage stands between the two and runs over some of their columns"
    lines = [(60 + 170 * (i // 12), 80 + 14 * (i % 12), text) for i, text in enumerate(narrow)]
    lines += [(60, 290, across)]
    lines += [(60 + 255 * (i // 12), 330 + 14 * (i % 12), text) for i, text in enumerate(wide)]
    for x, y, text in sorted(lines, key=lambda line: (line[1], line[0])):
        page.insert_text((x, y), text, fontsize=10)
    read = " ".join(word.text for word in in_columns(words_of(page)))
    assert read == " ".join([*narrow, across, *wide])


def test_columns_of_short_paragraphs_are_columns():
    page = pymupdf.open().new_page()
    for row in range(24):
        for x, column in ((60, LEFT), (320, RIGHT)):
            page.insert_text((x, 100 + 14 * row), column[row] if row % 2 else column[row].split()[0], fontsize=10)
    read = [word.text for word in in_columns(words_of(page))]
    assert read.index("left23") < read.index("right0")
