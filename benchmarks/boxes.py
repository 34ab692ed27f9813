"""Boxes: whether what is marked on a page covers the words that a term or flag quotes, by how the page reached us.

    contract-agent benchmark boxes FOLDER [--contracts 12] [--pages 6] [--seed 1] [--capture digital office fax photo]

The folder holds digital PDFs, whose letters tell where each word stands. They are read as they are (`digital`), and
from pictures made of them (see `benchmarks/degrade.py`), for which the letters' places are carried over to the
picture; each in a warehouse of its own. `covered` is the share of quotations of which at least 97 % of the letters lie
in the boxes that the review page draws, in their whole height; `alien` says how many letters of other words lie in them
for each of their own. `whole` are the quotations found in the PDF in one piece; of others, as in forms, each word is
looked for by itself, and what was read wrongly counts as not covered.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
import pymupdf
from rapidfuzz import fuzz

from benchmarks.degrade import OWN, Condition, render
from benchmarks.pages import ENOUGH, pdfs_in
from extractors.characters import clean
from review.desk import Desk
from review.pictures import Pictures
from review.shown import ContractView, Item, PageInfo, QuoteBox
from review.store import Store
from schemas.settings import Settings

CAPTURES = ("digital", "office", "fax", "photo")
COVERED = 0.97  # of the letters
EDGE = 1.0  # points that a letter may stick out
SMALL, TALL = 0.45, 0.65  # height of small and of tall letters, as a share of the type's size
TALL_ONES = frozenset("bdfhklt")
LIKE = 80.0  # least share of equal letters, in percent, of a quotation that OCR misread
SHORTEST_LIKE = 12  # letters; shorter ones are like anything
AGENT = Path(sys.executable).parent / "contract-agent"


class Letter(NamedTuple):
    """A letter of a document: its page from 1 and, in points, the box of its print."""

    sign: str
    page: int
    box: tuple[float, float, float, float]


class Marked(NamedTuple):
    """A quotation and the boxes that are drawn for it."""

    item: Item
    boxes: tuple[QuoteBox, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the shares by capture and by kind of target, as a table and as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark boxes", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--contracts", type=int, default=12)
    parser.add_argument("--pages", type=int, default=6, help="longer documents are left out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--capture", nargs="+", choices=CAPTURES, default=CAPTURES)
    parser.add_argument("--show", action="store_true", help="print the quotations that are not covered")
    asked = parser.parse_args(argv)
    files = _chosen(asked.folder, asked.contracts, asked.pages, asked.seed)
    rows = [row for capture in asked.capture for row in measure(files, capture, asked.seed)]
    if asked.show:
        for row in rows:
            if not row["covered"]:
                print(json.dumps(row))
    table = _table(pd.DataFrame(rows))
    print(table.to_string(float_format="{:.4f}".format))
    print(json.dumps(table.reset_index().to_dict("records")))
    return 0


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    groups = [rows.assign(target="all"), rows]
    grouped = pd.concat(groups).groupby(["capture", "target"], sort=False)
    return grouped.apply(
        lambda one: pd.Series(
            {
                "quotations": len(one),
                "whole": one.is_whole.mean(),
                "covered": one.covered.mean(),
                "alien": one.alien.mean(),
                "boxes": one.boxes.mean(),
            }
        ),
        include_groups=False,
    )


def _chosen(folder: Path, count: int, pages: int, seed: int) -> list[Path]:
    """Short PDFs every page of which has text."""
    files = pdfs_in(folder)
    random.Random(seed).shuffle(files)
    chosen = []
    for file in files:
        if len(chosen) == count:
            break
        try:
            with pymupdf.open(file) as pdf:
                texts = [len(page.get_text()) for page in pdf] if not pdf.needs_pass else []
        except pymupdf.FileDataError:
            continue
        if 0 < len(texts) <= pages and sum(texts) >= ENOUGH * len(texts) and min(texts) > 0:
            chosen.append(file)
    return chosen


def measure(files: Sequence[Path], capture: str, seed: int) -> Iterator[dict[str, Any]]:
    """A row for each quotation of the documents as they reach us in one way."""
    with tempfile.TemporaryDirectory(prefix="contract-agent-boxes-") as folder:
        inbox, root = Path(folder) / "inbox", Path(folder) / "warehouse"
        letters = {}
        for number, file in enumerate(files):
            name, *placed = _put(file, inbox, capture, 1000 * seed + number)
            letters[name] = placed
        command = [str(AGENT), "run", str(inbox), "--warehouse", str(root)]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        desk = Desk(root, Store(root / "review"))
        pictures = Pictures(root, Settings(), desk)
        for row in desk.contracts(size=len(files)).rows:
            view = desk.contract(row.contract_id)
            placed = Placed(*letters[view.documents[0]["file_name"]], view.pages)
            for marked in _marked(view, pictures):
                yield {"capture": capture, "file": row.file_name} | _judged(marked, placed, capture != "digital")
        desk.close()


def _marked(view: ContractView, pictures: Pictures) -> Iterator[Marked]:
    boxes = pictures.boxes(view)
    for item in (*view.terms, *view.flags):
        if item.row["quote"] and item.row["document_id"] == view.documents[0]["document_id"]:
            yield Marked(item, boxes.get(item.id, ()))


# --- What stands where


def _letters(pdf: pymupdf.Document) -> list[Letter]:
    """All letters and digits, in the order in which the file has them, folded as they are compared."""
    found = []
    for page in pdf:
        turn = page.rotation_matrix
        for block in page.get_text("rawdict")["blocks"]:
            for line in block.get("lines", ()):
                for span in line["spans"]:
                    for char in span["chars"]:
                        box = _printed_part(char, span["size"]) * turn
                        found += [Letter(sign, page.number + 1, tuple(box)) for sign in _folded(char["c"])]
    return found


def _printed_part(char: dict[str, Any], size: float) -> pymupdf.Rect:
    """The part of a letter's box that has print: from its line up to its height, the middle half of its width, as
    letters overhang."""
    x0, y0, x1, y1 = char["bbox"]
    base, sign = min(char["origin"][1], y1), char["c"]
    high = TALL if sign.isupper() or sign.isdigit() or sign in TALL_ONES else SMALL
    quarter = (x1 - x0) / 4
    return pymupdf.Rect(x0 + quarter, max(y0, base - high * size), x1 - quarter, base - 0.05 * size)


def _folded(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", clean(text)).casefold() if sign.isalnum())


def _put(file: Path, inbox: Path, capture: str, seed: int) -> tuple[str, list[Letter], list[float] | None]:
    """Put a document into the inbox as it reaches us. Its name there and its letters; where it is pictures, these are
    in pixels, and the pictures' widths stand behind them."""
    inbox.mkdir(parents=True, exist_ok=True)
    with pymupdf.open(file) as pdf:
        pdf.bake()  # what was filled into a form becomes print
        letters = _letters(pdf)
        if capture == "digital":
            target = inbox / f"{seed}-{file.name}"
            target.write_bytes(file.read_bytes())
            return target.name, letters, None
        pictures, placed = [], []
        for page in pdf:
            picture, way = _pictured(page, OWN[capture], seed + page.number)
            pictures.append(picture)
            placed += [_moved(letter, way) for letter in letters if letter.page == page.number + 1]
    widths = [float(picture.shape[1]) for picture in pictures]
    return _written(inbox / f"{seed}-{file.stem}", pictures, capture, seed), placed, widths


def _written(target: Path, pictures: Sequence[np.ndarray], capture: str, seed: int) -> str:
    """Photos as a folder of them, every second one turned; scans as a PDF of pictures."""
    if capture == "photo":
        target.mkdir()
        for number, picture in enumerate(pictures):
            turned = np.rot90(picture, (seed + number) % 4 if number % 2 else 0)
            cv2.imwrite(str(target / f"page {number + 1}.jpg"), turned[:, :, ::-1])
        return target.name
    with pymupdf.open() as pdf:
        for picture in pictures:
            page = pdf.new_page(width=612, height=612 * picture.shape[0] / picture.shape[1])
            page.insert_image(page.rect, stream=cv2.imencode(".png", picture)[1].tobytes())
        pdf.save(target.with_name(f"{target.name}.pdf"))
    return f"{target.name}.pdf"


def _pictured(page: pymupdf.Page, condition: Condition, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The page as a picture, and the way (3 x 3) from points of the page to its pixels.

    The same is made of an empty page with six black squares; where they come to lie tells the way.
    """
    dpi = condition.dpi[0]
    grey = render(page, dpi)
    empty, probe = np.full_like(grey, 255), np.full_like(grey, 255)
    high, wide = grey.shape
    half = round(0.012 * wide)
    points = [(round(x * wide), round(y * high)) for y in (0.2, 0.5, 0.8) for x in (0.2, 0.8)]
    for x, y in points:
        probe[y - half : y + half, x - half : x + half] = 0
    picture, blank, dotted = (condition.make(image, np.random.default_rng(seed)) for image in (grey, empty, probe))
    found = _centres(blank, dotted, len(points))
    way, _ = cv2.findHomography((np.array(points, np.float64) - 0.5) * 72 / dpi, found)
    return picture, way


def _centres(blank: np.ndarray, dotted: np.ndarray, count: int) -> np.ndarray:
    """The centres of the squares, row by row from the left."""
    apart = cv2.absdiff(blank, dotted)
    apart = apart if apart.ndim == 2 else apart.max(axis=2)
    _, _, stats, centres = cv2.connectedComponentsWithStats((apart > 50).astype(np.uint8))
    largest = sorted(range(1, len(stats)), key=lambda one: -stats[one, cv2.CC_STAT_AREA])[:count]
    in_rows = sorted((centres[one] for one in largest), key=lambda centre: centre[1])
    return np.array([c for row in range(0, count, 2) for c in sorted(in_rows[row : row + 2], key=lambda c: c[0])])


def _moved(letter: Letter, way: np.ndarray) -> Letter:
    """The letter on the picture, in pixels; of a leaning one the box around its middle."""
    x0, y0, x1, y1 = letter.box
    middle = (y0 + y1) / 2
    ends = np.array([[[x0, middle], [x1, middle], [(x0 + x1) / 2, y0], [(x0 + x1) / 2, y1]]], np.float64)
    (left, right, top, bottom) = cv2.perspectiveTransform(ends, way)[0]
    return letter._replace(box=(left[0], top[1], right[0], bottom[1]))


class Placed:
    """The letters of a document and where they lie, in points of the pages that the product shows."""

    def __init__(self, letters: Sequence[Letter], widths: Sequence[float] | None, pages: Sequence[PageInfo]):
        """`widths` are those of the pictures in pixels, None where the letters are in points already."""
        across = {page.page_number: page.width for page in pages}
        scale = [across.get(one.page, 0.0) / widths[one.page - 1] if widths else 1.0 for one in letters]
        self.text = "".join(letter.sign for letter in letters)
        self._pages = np.array([letter.page for letter in letters])
        self._boxes = np.array([letter.box for letter in letters], float) * np.array(scale)[:, None]

    def places(self, quote: str, is_read: bool) -> list[tuple[int, int]]:
        """Where the quotation stands; of what OCR read, where it stands nearly so."""
        wanted = _folded(quote)
        found, at = [], self.text.find(wanted) if wanted else -1
        while at >= 0:
            found.append((at, at + len(wanted)))
            at = self.text.find(wanted, at + 1)
        if not found and is_read and len(wanted) >= SHORTEST_LIKE:
            near = fuzz.partial_ratio_alignment(wanted, self.text, score_cutoff=LIKE)
            found = [(near.dest_start, near.dest_end)] if near else []
        return found

    def covered(self, place: tuple[int, int], boxes: Sequence[QuoteBox]) -> tuple[float, float]:
        """The share of the letters of a place that lie in the boxes, and how many others do for each of them."""
        inside = self._inside(boxes)
        own = slice(*place)
        count = place[1] - place[0]
        return float(inside[own].mean()), float((inside.sum() - inside[own].sum()) / count)

    def covered_in_pieces(self, quote: str, boxes: Sequence[QuoteBox]) -> tuple[float, float]:
        """The same of a quotation whose words stand in another order in the file: each is looked for by itself."""
        inside = self._inside(boxes)
        own = np.zeros(len(inside), bool)
        words = [folded for word in quote.split() if len(folded := _folded(word)) > 1]
        for word in words:
            at = self.text.find(word)
            while at >= 0 and not (inside[at : at + len(word)].all() and not own[at]):
                at = self.text.find(word, at + 1)
            own[at : at + len(word)] = at >= 0
        count = max(1, sum(map(len, words)))
        return float(own.sum() / count), float((inside.sum() - own.sum()) / count)

    def _inside(self, boxes: Sequence[QuoteBox]) -> np.ndarray:
        x0, y0, x1, y1 = self._boxes.T
        inside = np.zeros(len(self._boxes), bool)
        for box in boxes:
            in_box = (x0 >= box.x0 - EDGE) & (x1 <= box.x1 + EDGE) & (y0 >= box.y0 - EDGE) & (y1 <= box.y1 + EDGE)
            inside |= in_box & (self._pages == box.page_number)
        return inside


def _judged(marked: Marked, placed: Placed, is_read: bool) -> dict[str, Any]:
    """Of several places of the same words, the one that is covered best."""
    row = marked.item.row
    judged = [placed.covered(place, marked.boxes) for place in placed.places(row["quote"], is_read)]
    share, alien = max(judged) if judged else placed.covered_in_pieces(row["quote"], marked.boxes)
    return {
        "target": marked.item.target,
        "name": marked.item.name,
        "quote": row["quote"],
        "is_whole": bool(judged),
        "share": round(share, 4),
        "covered": share >= COVERED,
        "alien": alien,
        "boxes": len(marked.boxes),
    }


if __name__ == "__main__":
    raise SystemExit(main())
