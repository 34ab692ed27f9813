"""How well page images are read: pages of real PDFs, rendered, made worse, read, compared with their text.

    contract-agent benchmark ocr PDF_FOLDER --pages 30 [--family held-out] [--condition fax] [--reader accurate]
    contract-agent benchmark ocr --inbox FOLDER --predictions OUT.parquet [--gold GOLD.parquet]

The first measures: the truth is the PDF's own text layer (for Japanese, the text that was printed). Character and
word error rates are order-lenient: the better of reading order and row order, after NFKC, with quotes and dashes
folded and white space collapsed. The readers are the product (`fast`, `accurate`) and what one would use without it:
plain Tesseract, OCRmyPDF (`--rotate-pages --deskew`) and RapidOCR as it comes. CPU seconds count all processes, each
on one thread.

The second lets somebody else judge: it reads every document of a folder and writes a row a page (`file_name`,
`page_number`, `text`, `source`, `ocr_confidence`, `seconds`). GOLD has the columns `file_name`, `page_number`, `text`.
"""

import argparse
import json
import unicodedata
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

import numpy as np
import pandas as pd
import pymupdf
from rapidfuzz.distance import Levenshtein

from benchmarks import japanese, pen
from benchmarks.degrade import HELD_OUT, OWN, degraded
from benchmarks.pages import sample
from benchmarks.predict_pages import predictions
from benchmarks.readers import READERS, Read, cpu_seconds

FAMILIES = {"own": OWN, "held-out": HELD_OUT}
JAPANESE = ("ja-clean", "ja-photo")
MARKED = "pen"  # a photo with pen edits; the truth is the print
FOLDED = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‐": "-", "−": "-"})

Box = tuple[float, float, float, float, str]
"""x0, y0, x1, y1 and the word."""


class Sheet(NamedTuple):
    """A page to measure with: its PDF, its index there, and the printed words with their boxes."""

    name: str
    pdf: bytes
    number: int
    words: list[Box]

    @property
    def truth(self) -> tuple[str, str]:
        """The text in the layer's order and row by row."""
        return " ".join(word[4] for word in self.words), row_order(self.words)


def folded(text: str) -> str:
    """The text as it is compared."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(FOLDED).split())


def row_order(words: list[Box]) -> str:
    """The words in rows from top to bottom, whatever their columns."""
    if not words:
        return ""
    step = 0.5 * median(y1 - y0 for _, y0, _, y1, _ in words)
    rows: list[list[Box]] = []
    for word in sorted(words, key=lambda w: (w[1] + w[3]) / 2):
        middle = (word[1] + word[3]) / 2
        if rows and abs(middle - (rows[-1][0][1] + rows[-1][0][3]) / 2) < step:
            rows[-1].append(word)
        else:
            rows.append([word])
    return " ".join(word[4] for row in rows for word in sorted(row))


def errors(truth: Iterable[str], read: Iterable[str]) -> tuple[float, float]:
    """Character and word error rate, each the best over the orders of truth and reading."""
    read = [folded(text) for text in read]
    pairs = [(folded(t), r) for t in truth for r in read]
    characters = min(Levenshtein.distance(t, r) / max(1, len(t)) for t, r in pairs)
    words = min(Levenshtein.distance(t.split(), r.split()) / max(1, len(t.split())) for t, r in pairs)
    return characters, words


def sheets(folder: Path, count: int, seed: int) -> list[Sheet]:
    """The pages to measure with, each as a PDF of its own."""
    found = []
    for file, number in sample(folder, count, seed):
        with pymupdf.open(file) as pdf:
            words = [tuple(word[:5]) for word in pdf[number].get_text("words")]
            pdf.select([number])
            found.append(Sheet(f"{file.name} p. {number + 1}", pdf.tobytes(garbage=3), 0, words))
    return found


def japanese_sheets(count: int, seed: int) -> list[Sheet]:
    """Printed Japanese contract pages; their text has no blanks, so only characters count."""
    made = []
    for index in range(count):
        pdf, text = japanese.page(seed + index)
        made.append(Sheet(f"japanese {index}", pdf, 0, [(0.0, 0.0, 0.0, 0.0, text)]))
    return made


def measure(job: tuple[Sheet, str, str, int, tuple[str, ...]]) -> list[dict]:
    """One row for each reader of one page under one condition of a family."""
    sheet, family, condition, seed, readers = job
    with pymupdf.open("pdf", sheet.pdf) as pdf:
        image = _image(pdf[sheet.number], family, condition, seed)
    rows = []
    for reader in readers:
        before = cpu_seconds()
        read = READERS[reader](image, "ja" if condition in JAPANESE else "en")
        spent = cpu_seconds() - before
        cer, wer = _scored(sheet, read, condition in JAPANESE)
        row = {"page": sheet.name, "family": family, "condition": condition, "reader": reader}
        rows.append({**row, "cer": cer, "wer": wer, "cpu_seconds": spent, **read.facts})
    return rows


def _image(page: pymupdf.Page, family: str, condition: str, seed: int) -> np.ndarray:
    if condition == MARKED:
        return pen.marked_photo(page, family, seed)
    return degraded(page, FAMILIES[family][condition.removeprefix("ja-")], seed)


def _scored(sheet: Sheet, read: Read, is_japanese: bool) -> tuple[float, float]:
    if is_japanese:
        truth, text = ("".join(folded(t).split()) for t in (sheet.words[0][4], read.text))
        return Levenshtein.distance(truth, text) / max(1, len(truth)), float("nan")
    return errors(sheet.truth, (read.text, row_order(read.words)))


def table(rows: list[dict]) -> str:
    """Mean, median and worst errors in per cent, and CPU seconds a page."""
    out = [
        f"{'family':9} {'condition':9} {'reader':10} {'pages':>5} {'CER':>7} {'median':>7} {'worst':>7} {'WER':>7}"
        f" {'CPU s':>6} {'review':>6} {'unseen':>6}"
    ]
    keys = dict.fromkeys((r["family"], r["condition"], r["reader"]) for r in rows)
    for key in keys:
        mine = [r for r in rows if (r["family"], r["condition"], r["reader"]) == key]
        cer = [100 * r["cer"] for r in mine]
        flagged = [bool(r.get("needs_review")) for r in mine]
        bad = sum(r["cer"] > 0.3 and not r.get("needs_review", False) for r in mine)
        out.append(
            f"{key[0]:9} {key[1]:9} {key[2]:10} {len(mine):5} {mean(cer):7.2f} {median(cer):7.2f} {max(cer):7.2f}"
            f" {100 * mean(r['wer'] for r in mine):7.2f} {mean(r['cpu_seconds'] for r in mine):6.1f}"
            f" {sum(flagged):6} {bad:6}"
        )
    return "\n".join(out)


def _jobs(asked: argparse.Namespace) -> list[tuple[Sheet, str, str, int, tuple[str, ...]]]:
    readers = tuple(READERS) if asked.reader == "all" else tuple(asked.reader.split(","))
    conditions = [*OWN, MARKED, *JAPANESE] if asked.condition == "all" else asked.condition.split(",")
    english = sheets(asked.folder, asked.pages, asked.seed) if set(conditions) - set(JAPANESE) else []
    printed = japanese_sheets(asked.pages, asked.seed) if set(conditions) & set(JAPANESE) else []
    return [
        (sheet, asked.family, condition, 1000 * asked.seed + index, readers)
        for condition in conditions
        for index, sheet in enumerate(printed if condition in JAPANESE else english)
    ]


def _measured(jobs: list, workers: int) -> list[dict]:
    if workers == 1:
        return [row for job in jobs for row in measure(job)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return [row for rows in pool.map(measure, jobs) for row in rows]


def scores(predicted: pd.DataFrame, gold: pd.DataFrame) -> dict[str, float]:
    """Mean character and word error rate over the pages of the gold; a page that was not read counts 1."""
    joined = gold.merge(predicted, on=["file_name", "page_number"], how="left", suffixes=("_gold", ""))
    pairs = [errors([row.text_gold], [row.text if isinstance(row.text, str) else ""]) for row in joined.itertuples()]
    return {
        "pages": len(pairs),
        "cer": float(np.mean([cer for cer, _ in pairs])),
        "wer": float(np.mean([wer for _, wer in pairs])),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="contract-agent benchmark ocr", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="PDFs with a text layer")
    parser.add_argument("--pages", type=int, default=30)
    parser.add_argument("--family", choices=list(FAMILIES), default="own")
    parser.add_argument("--condition", default="all", help=f"of {', '.join([*OWN, MARKED, *JAPANESE])}")
    parser.add_argument("--reader", default="fast", help=f"of {', '.join(READERS)}, or all")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="all rows as JSON")
    parser.add_argument("--inbox", type=Path)
    parser.add_argument("--predictions", type=Path)
    parser.add_argument("--gold", type=Path)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Measures and prints a table and JSON; or reads an inbox and writes predictions."""
    parser = _parser()
    asked = parser.parse_args(argv)
    if asked.inbox:
        predicted = predictions(asked.inbox, asked.workers)
        if asked.predictions:
            predicted.to_parquet(asked.predictions, index=False)
        print(f"{len(predicted)} pages of {predicted['file_name'].nunique()} documents read")
        if asked.gold:
            print(json.dumps(scores(predicted, pd.read_parquet(asked.gold)), indent=1))
        return 0
    if not asked.folder:
        parser.error("name a folder of PDFs, or an --inbox")
    rows = _measured(_jobs(asked), asked.workers)
    print(table(rows))
    if asked.out:
        asked.out.write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
