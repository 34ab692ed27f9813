"""How well pages are laid out: reading order of columns, tables as cells, and pages that must stay as they are.

    python -m benchmarks.layout columns --pages 100 --family tuning
    python -m benchmarks.layout tables --pages 100 --family held_out --ocr
    python -m benchmarks.layout untouched PDF_FOLDER

Test pages are made from a seed. The family `held_out` has other fonts, page sizes, gutters, words and table
kinds than `tuning`, and nothing is tuned to it.
"""

import argparse
import json
import random
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pymupdf
from rapidfuzz.distance import Levenshtein

from benchmarks.layout_tables import cell_scores, table_page
from benchmarks.pages import pdfs_in
from extractors.layout import in_columns
from extractors.pdf import RawWord, native_page
from extractors.tables import tables

DPI = 200
NEAR = 0.02
"""Share of the words that OCR may misread on a page whose order is right."""

PROSE = {
    "tuning": """The Supplier shall provide the services with reasonable skill and care and in accordance with
    the terms of this Agreement. Each party agrees that it will keep the other party's information in confidence
    and will not disclose it to any third party without prior written consent. Payment is due within thirty days
    of the date of the invoice, and late amounts bear interest at the lower of one percent per month and the
    maximum rate permitted by law. Neither party is liable for indirect or consequential loss.""",
    "held_out": """Tenant must keep the premises in good repair throughout the lease and return them in the same
    condition, ordinary wear excepted. Where an event beyond a party's reasonable control prevents performance,
    that party is excused for as long as the event lasts, provided that notice is given promptly. Any dispute that
    cannot be settled by negotiation between senior officers is referred to arbitration seated in Geneva. The
    rights granted here are personal, may not be assigned, and end when the licence does.""",
}
FONTS = {"tuning": ("helv", "tiro"), "held_out": ("heit", "cour", "tiit", "tibo")}
SIZES = {"tuning": (8.0, 9.0, 10.0), "held_out": (7.5, 8.5, 9.5)}
PAPERS = {"tuning": (612, 792), "held_out": (595, 842)}
ORDERS = ("columns", "rows", "shuffled")


class Line(NamedTuple):
    """A line of a test page: its text, where its base line begins (points), and its font."""

    text: str
    x: float
    y: float
    font: str
    size: float


class Column(NamedTuple):
    """Where a column stands: its left end, its width and the height at which it begins, in points."""

    x: float
    wide: float
    top: float


class Made(NamedTuple):
    """A test page: its PDF and its lines in reading order."""

    pdf: pymupdf.Document
    lines: list[Line]

    @property
    def truth(self) -> list[str]:
        return [word for line in self.lines for word in line.text.split()]


def column_page(rng: random.Random, family: str) -> Made:
    """A page of two or three columns with a title, sometimes text across, footnotes and a footer."""
    font, size = rng.choice(FONTS[family]), rng.choice(SIZES[family])
    wide, high = PAPERS[family]
    margin, gutter = rng.uniform(40, 72), rng.uniform(12, 30)
    top, groups = margin + 10, []
    if rng.random() < 0.7:
        groups.append([_title(rng, font, wide, top)])
        top += 34
    for band in range(rng.choice((1, 1, 2))):
        if band or rng.random() < 0.4:
            block = _paragraph(rng, family, font, size, Column(margin, wide - 2 * margin, top), rng.randint(2, 5))
            groups.append(block)
            top = block[-1].y + 2.2 * size
        deepest = rng.randint(9, 18) if band == 0 else rng.randint(6, 14)
        columns = _columns(rng, wide, margin, gutter, top)
        blocks = [_column(rng, family, font, size, column, deepest) for column in columns]
        groups += blocks
        top = max(block[-1].y for block in blocks) + 2.2 * size
    if rng.random() < 0.5:
        groups.append(_footer(rng, font, wide, high, margin))
    return Made(_drawn(groups, rng, rng.choice(ORDERS), (wide, high)), [line for group in groups for line in group])


def _columns(rng: random.Random, wide: float, margin: float, gutter: float, top: float) -> list[Column]:
    inner = wide - 2 * margin
    if rng.random() < 0.25:
        each = (inner - 2 * gutter) / 3
        return [Column(margin + i * (each + gutter), each, top) for i in range(3)]
    left = (inner - gutter) * rng.choice((0.5, 0.5, 0.5, 0.4, 0.6))
    shift = rng.choice((0.0, 0.0, rng.uniform(1, 6)))
    return [Column(margin, left, top), Column(margin + left + gutter, inner - gutter - left, top + shift)]


def _title(rng: random.Random, font: str, wide: float, y: float) -> Line:
    text = rng.choice(("MASTER SERVICES AGREEMENT", "GENERAL TERMS AND CONDITIONS OF SALE", "Lease of Premises"))
    size = rng.choice((13.0, 15.0, 17.0))
    return Line(text, (wide - pymupdf.get_text_length(text, font, size)) / 2, y, font, size)


def _footer(rng: random.Random, font: str, wide: float, high: float, margin: float) -> list[Line]:
    y = high - rng.uniform(20, 32)
    left = Line("Confidential", margin, y, font, 8)
    centre = Line(f"Page {rng.randint(1, 9)} of 12", wide / 2 - 20, y, font, 8)
    return rng.choice(([centre], [left], [left, centre]))


def _column(rng: random.Random, family: str, font: str, size: float, column: Column, lines: int) -> list[Line]:
    """Paragraphs with a heading now and then, about `lines` lines of them, a footnote below sometimes."""
    found: list[Line] = []
    at, number = column, rng.randint(1, 9)
    while len(found) < lines:
        if rng.random() < 0.5:
            found.append(Line(f"{number}. {rng.choice(('Term', 'Fees', 'Notices'))}", at.x, at.top + size, font, size))
            at, number = at._replace(top=at.top + 1.5 * size), number + 1
        block = _paragraph(rng, family, font, size, at, rng.randint(2, 6))
        found += block
        at = at._replace(top=block[-1].y + rng.choice((0.3, 0.8)) * size)
    if rng.random() < 0.15:
        found += _paragraph(rng, family, font, size - 2, at._replace(top=at.top + size), 2)
    return found


def _paragraph(rng: random.Random, family: str, font: str, size: float, column: Column, lines: int) -> list[Line]:
    """Lines of prose broken to a width; the last one is mostly short."""
    words = PROSE[family].split()
    at = rng.randrange(len(words))
    stream = (words[at:] + words * 8)[: rng.randint(4, 9) * lines + 3]
    made: list[str] = [""]
    for word in stream:
        longer = f"{made[-1]} {word}".strip()
        if pymupdf.get_text_length(longer, font, size) <= column.wide:
            made[-1] = longer
        elif len(made) == lines:
            break
        else:
            made.append(word)
    return [Line(text, column.x, column.top + size + 1.25 * size * i, font, size) for i, text in enumerate(made)]


def _drawn(groups: list[list[Line]], rng: random.Random, order: str, size: tuple[float, float]) -> pymupdf.Document:
    """A PDF whose layer has the lines by columns, row by row, or its paragraphs in any order."""
    pdf = pymupdf.open()
    page = pdf.new_page(width=size[0], height=size[1])
    lines = [line for group in groups for line in group]
    if order == "rows":
        lines = sorted(lines, key=lambda line: (round(line.y / 7), line.x))
    elif order == "shuffled":
        blocks = [group[at : at + 7] for group in groups for at in range(0, len(group), 7)]
        rng.shuffle(blocks)
        lines = [line for block in blocks for line in block]
    for line in lines:
        page.insert_text((line.x, line.y), line.text, fontname=line.font, fontsize=line.size)
    return pymupdf.open("pdf", pdf.tobytes())


def read_words(page: pymupdf.Page, by_ocr: bool) -> list[RawWord]:
    """The words of the text layer, or of the page's picture at `DPI`; boxes in points."""
    if not by_ocr:
        return native_page(page, 200).words
    from extractors.ocr import read_image

    scale = 72 / DPI
    return [
        RawWord(w.text, (w.x0 * scale, w.y0 * scale, w.x1 * scale, w.y1 * scale), w.block, w.line, w.confidence)
        for w in read_image(rendered(page)).words
    ]


def rendered(page: pymupdf.Page) -> np.ndarray:
    """The page in grey at `DPI`."""
    pixels = page.get_pixmap(dpi=DPI, colorspace=pymupdf.csGRAY)
    return np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width).copy()


def order_scores(pages: int, family: str, by_ocr: bool, seed: int = 0) -> dict:
    """Share of the pages whose words come in the right order, before and after `in_columns`.

    From the text layer the order must be exact; from OCR at most `NEAR` of the words may differ.
    """
    before = after = 0
    wrong = []
    for number in range(pages):
        made = column_page(random.Random(f"{family} {seed} {number}"), family)
        words = read_words(made.pdf[0], by_ocr)
        allowed = NEAR if by_ocr else 0.0
        before += _is_right(words, made.truth, allowed)
        right = _is_right(in_columns(words), made.truth, allowed)
        after += right
        if not right:
            wrong.append(number)
    return {"pages": pages, "as_read": before / pages, "in_columns": after / pages, "wrong": wrong}


def table_scores(pages: int, family: str, by_ocr: bool, seed: int = 0) -> dict:
    """Precision, recall and F1 of the cells of one table a page, without a look at its rules."""
    right = found = there = 0
    for number in range(pages):
        made = table_page(f"{family} {seed} {number}", family)
        of_page = cell_scores(tables(read_words(made.pdf[0], by_ocr)), made.rows)
        right, found, there = right + of_page[0], found + of_page[1], there + of_page[2]
    return {
        "pages": pages,
        "precision": right / max(1, found),
        "recall": right / max(1, there),
        "f1": 2 * right / max(1, found + there),
    }


def _is_right(words: list[RawWord], truth: list[str], allowed: float) -> bool:
    return Levenshtein.normalized_distance([word.text for word in words], truth) <= allowed


def untouched_scores(folder: Path, pages: int | None) -> dict:
    """How many pages of real PDFs `in_columns` changes, and its time beside that of reading the text layer."""
    seen, changed, reading, ordering = 0, [], 0.0, 0.0
    for path in pdfs_in(folder):
        with pymupdf.open(path) as pdf:
            for page in pdf:
                start = time.process_time()
                words = native_page(page, 200).words
                reading += time.process_time() - start
                start = time.process_time()
                if in_columns(words) != words:
                    changed.append(f"{path.name} {page.number + 1}")
                ordering += time.process_time() - start
                seen += 1
                if pages and seen >= pages:
                    return {"pages": seen, "changed": changed, "time_share": ordering / reading}
    return {"pages": seen, "changed": changed, "time_share": ordering / max(reading, 1e-9)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("columns", "tables", "untouched"))
    parser.add_argument("folder", nargs="?", type=Path, help="PDFs, for `untouched`")
    parser.add_argument("--pages", type=int, help="how many pages; 50 unless told, all for `untouched`")
    parser.add_argument("--family", choices=tuple(FONTS), default="tuning")
    parser.add_argument("--ocr", action="store_true", help="read the pages' pictures instead of their text layers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.what == "untouched" and options.folder is None:
        parser.error("untouched needs a folder of PDFs")
    scores = _scores(options)
    print(json.dumps(scores) if options.json else "\n".join(f"{name}: {value}" for name, value in scores.items()))


def _scores(options: argparse.Namespace) -> dict:
    if options.what == "columns":
        return order_scores(options.pages or 50, options.family, options.ocr, options.seed)
    if options.what == "tables":
        return table_scores(options.pages or 50, options.family, options.ocr, options.seed)
    return untouched_scores(options.folder, options.pages)


if __name__ == "__main__":
    main()
