"""How well page images are read: pages of real PDFs, rendered, made worse, read, compared with their text.

    python -m benchmarks.ocr PDF_FOLDER --pages 6 --condition all

The truth is the PDF's own text layer. Character and word error rates are order-lenient: the better of
reading order and row order, after NFKC, with quotes and dashes folded and white space collapsed.
"""

import argparse
import json
import os
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median

import cv2
import numpy as np
import pymupdf
from rapidfuzz.distance import Levenshtein

from extractors.ocr import OcrWord, read_image, tesseract

CONDITIONS = ("clean", "office", "fax", "photo")
DPI = {"clean": 300, "office": 200, "fax": 170, "photo": 220}
ENOUGH = 600  # characters; shorter pages say little
FOLDED = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‐": "-", "−": "-"})


def render(page: pymupdf.Page, dpi: int) -> np.ndarray:
    """The page in grey."""
    pixels = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
    return np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width).copy()


def skewed(grey: np.ndarray, degrees: float) -> np.ndarray:
    """The page turned clockwise by a few degrees, white behind it."""
    high, wide = grey.shape
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), -degrees, 1)
    return cv2.warpAffine(grey, turn, (wide, high), flags=cv2.INTER_CUBIC, borderValue=255)


def noisy(image: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """The image with Gaussian noise of `amount` grey levels."""
    return np.clip(image + rng.normal(0, amount, image.shape), 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """The image after JPEG compression."""
    _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(coded, cv2.IMREAD_UNCHANGED)


def office(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A copy of a copy: crooked, pale, blurred, noisy, compressed."""
    page = skewed(grey, rng.uniform(-1.5, 1.5))
    page = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.5, 0.9))
    page = page * rng.uniform(0.6, 0.85) + rng.uniform(25, 40)
    return jpeg(noisy(np.clip(page, 0, 255), rng.uniform(4, 9), rng), int(rng.integers(45, 70)))


def fax(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Black and white, crooked, with worn and thickened strokes and specks."""
    page = cv2.GaussianBlur(skewed(grey, rng.uniform(-1, 1)), (0, 0), 0.7)
    page = noisy(page, 25, rng)
    page = np.where(page < rng.integers(130, 175), 0, 255).astype(np.uint8)
    specks = rng.random(page.shape)
    page[specks < 0.0015] = 0
    page[specks > 0.9985] = 255
    return page


def photo(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A phone's picture of a sheet on a table, in colour: perspective, light from one side, a hard shadow."""
    high, wide = grey.shape
    size = (round(wide * 1.12), round(high * 1.1))
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    shift = rng.uniform(-0.035, 0.035, (4, 2)) * [wide, high]
    placed = (corners + np.array([wide * 0.06, high * 0.05]) + shift).astype(np.float32)
    lens = cv2.getPerspectiveTransform(corners, placed)
    table = cv2.GaussianBlur(rng.normal(80, 60, (size[1], size[0])).astype(np.float32), (0, 0), 6)
    sheet = cv2.warpPerspective(grey, lens, size, flags=cv2.INTER_AREA)
    inside = cv2.warpPerspective(np.full_like(grey, 255), lens, size) / 255.0
    scene = (sheet * inside + table * (1 - inside)) * _light(size, rng)
    scene = cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.5, 1.0))
    coloured = np.stack([scene, scene * 0.96, scene * 0.86], axis=2)
    return jpeg(noisy(coloured, 5, rng), 80)


def _light(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Light that falls off to one side, and a straight shadow over a part."""
    x, y = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    angle = rng.uniform(0, 2 * np.pi)
    light = 0.82 + 0.3 * ((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle))
    edge = (x - rng.uniform(0.3, 0.7)) * np.cos(angle + 1) + (y - 0.5) * np.sin(angle + 1)
    return light * (1 - 0.4 * cv2.GaussianBlur((edge > 0.15).astype(np.float32), (0, 0), 15))


MAKERS: dict[str, Callable] = {"clean": lambda grey, rng: grey, "office": office, "fax": fax, "photo": photo}


def degraded(grey: np.ndarray, condition: str, seed: int) -> np.ndarray:
    """The page as it looks under one of `CONDITIONS`; every second photo is also turned."""
    rng = np.random.default_rng(seed)
    image = MAKERS[condition](grey, rng)
    turns = int(rng.integers(0, 4)) if condition == "photo" and seed % 2 else 0
    return np.ascontiguousarray(np.rot90(image, turns))


def folded(text: str) -> str:
    """The text as it is compared."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(FOLDED).split())


def row_order(words: list[tuple[float, float, float, float, str]]) -> str:
    """The words in rows from top to bottom, whatever their columns."""
    if not words:
        return ""
    step = 0.5 * median(y1 - y0 for _, y0, _, y1, _ in words)
    rows: list[list[tuple]] = []
    for word in sorted(words, key=lambda w: (w[1] + w[3]) / 2):
        middle = (word[1] + word[3]) / 2
        if rows and abs(middle - (rows[-1][0][1] + rows[-1][0][3]) / 2) < step:
            rows[-1].append(word)
        else:
            rows.append([word])
    return " ".join(word[4] for row in rows for word in sorted(row))


def errors(truth: tuple[str, str], read: tuple[str, str]) -> tuple[float, float]:
    """Character and word error rate, each the best over both orders of truth and reading."""
    pairs = [(folded(t), folded(r)) for t in truth for r in read]
    characters = min(Levenshtein.distance(t, r) / max(1, len(t)) for t, r in pairs)
    words = min(Levenshtein.distance(t.split(), r.split()) / max(1, len(t.split())) for t, r in pairs)
    return characters, words


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _both_orders(words: tuple[OcrWord, ...]) -> tuple[str, str]:
    boxes = [(w.x0, w.y0, w.x1, w.y1, w.text) for w in words]
    return " ".join(w.text for w in words), row_order(boxes)


def by_router(image: np.ndarray) -> tuple[tuple[str, str], dict]:
    """The product's own reading."""
    page = read_image(image)
    facts = {
        "engine": page.engine,
        "confidence": page.confidence,
        "coverage": page.coverage,
        "capture": page.capture,
        "rotation": page.rotation,
        "needs_review": page.needs_review,
    }
    return _both_orders(page.words), facts


def by_tesseract(image: np.ndarray) -> tuple[tuple[str, str], dict]:
    """Tesseract on the image as it comes."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return _both_orders(tesseract.read(grey, "en", 300)), {}


READERS = {"router": by_router, "tesseract": by_tesseract}


def sample(folder: Path, count: int, seed: int) -> list[tuple[Path, int]]:
    """`count` pages of as many documents, with text enough to count; the same for the same seed."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() == ".pdf")
    rng = random.Random(seed)
    rng.shuffle(files)
    chosen: list[tuple[Path, int]] = []
    for file in files:
        with pymupdf.open(file) as pdf:
            full = [page.number for page in pdf if len(page.get_text()) >= ENOUGH]
        if full:
            chosen.append((file, rng.choice(full)))
        if len(chosen) == count:
            break
    return chosen


def measure(file: Path, number: int, condition: str, seed: int, readers: list[str]) -> list[dict]:
    """One row per reader for one page under one condition."""
    with pymupdf.open(file) as pdf:
        page = pdf[number]
        grey = render(page, DPI[condition])
        words = [(w[0], w[1], w[2], w[3], w[4]) for w in page.get_text("words")]
    truth = " ".join(w[4] for w in words), row_order(words)
    image = degraded(grey, condition, seed)
    rows = []
    for reader in readers:
        before = _cpu()
        read, facts = READERS[reader](image)
        seconds = _cpu() - before
        cer, wer = errors(truth, read)
        row = {"file": file.name, "page": number + 1, "condition": condition, "reader": reader}
        rows.append({**row, "cer": cer, "wer": wer, "cpu_seconds": seconds, **facts})
    return rows


def table(rows: list[dict]) -> str:
    """Mean and worst errors in per cent, and CPU seconds a page."""
    out = [
        f"{'condition':10}{'reader':11}{'pages':>6}{'CER':>8}{'median':>8}{'worst':>8}"
        f"{'WER':>8}{'CPU s':>8}{'review':>8}"
    ]
    for condition, reader in sorted({(r["condition"], r["reader"]) for r in rows}):
        mine = [r for r in rows if (r["condition"], r["reader"]) == (condition, reader)]
        cer = [100 * r["cer"] for r in mine]
        out.append(
            f"{condition:10}{reader:11}{len(mine):6}{mean(cer):8.2f}{median(cer):8.2f}{max(cer):8.2f}"
            f"{100 * mean(r['wer'] for r in mine):8.2f}{mean(r['cpu_seconds'] for r in mine):8.1f}"
            f"{sum(r.get('needs_review', False) for r in mine):8}"
        )
    return "\n".join(out)


def main(argv: list[str] | None = None) -> int:
    """Measures, prints the table, then all rows as JSON (to `--out` when given)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=6)
    parser.add_argument("--condition", choices=[*CONDITIONS, "all"], default="all")
    parser.add_argument("--reader", choices=[*READERS, "all"], default="all")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(argv)
    conditions = CONDITIONS if asked.condition == "all" else (asked.condition,)
    readers = list(READERS) if asked.reader == "all" else [asked.reader]
    rows = []
    for index, (file, number) in enumerate(sample(asked.folder, asked.pages, asked.seed)):
        for condition in conditions:
            rows += measure(file, number, condition, 1000 * asked.seed + index, readers)
    print(table(rows))
    text = json.dumps(rows, indent=1)
    if asked.out:
        asked.out.write_text(text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
