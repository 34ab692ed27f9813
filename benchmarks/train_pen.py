"""Trains the trees that tell strikes by pen from print (`extractors/ocr/weights/pen.npz`).

    python -m benchmarks.train_pen PDF_FOLDER --pages 21

PDF_FOLDER holds PDFs with a text layer, such as those of CUAD v1 (The Atticus Project, CC BY 4.0). Strikes of the
family `TUNING` are drawn on their pages, which are then captured as scans, faxes and photos; the words come from
the text layer, so that no OCR is needed. Takes minutes on one core.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pymupdf
from sklearn.ensemble import GradientBoostingClassifier

from benchmarks import pen as drawn
from benchmarks.pages import sample
from extractors.ocr import ink, pen, route
from extractors.ocr.page import OcrWord
from extractors.ocr.straighten import Straight

FILE = Path(pen.__file__).parent / "weights" / "pen.npz"
CONDITIONS = ("clean", "office", "photo", "fax")
UNSURE = -1


def words_of(page: pymupdf.Page, dpi: int, to: Straight) -> tuple[OcrWord, ...]:
    """The words of the text layer, boxes on the captured picture."""
    lines: dict[tuple, int] = {}
    found = []
    for word in page.get_text("words"):
        line = lines.setdefault(word[5:7], len(lines))
        found.append(OcrWord(word[4], *to.back(tuple(v * dpi / 72 for v in word[:4])), 0.95, line, word[5]))
    return tuple(found)


def examples(page: pymupdf.Page, condition: str, is_edited: bool, rng: np.random.Generator) -> tuple[list, list]:
    """Features and labels (1 strike, 0 print, -1 partly) of the runs of ink on one captured page."""
    dpi = drawn.DPI[condition]
    edited = drawn.edited(page, dpi, drawn.TUNING, rng) if is_edited else drawn.Edited(drawn.render(page, dpi))
    image, way = drawn.CAPTURES[condition](edited.image, rng)
    to = Straight(image, np.linalg.inv(way))
    look = route.Look.at(ink.to_grey(image), 360)
    words = words_of(page, dpi, to)
    sheet = pen.Sheet.of(image, look.straight, look.marks.size)
    rows = pen.rows_of(words, pen.on_sheet(words, sheet), ink.marks_of(sheet.ink).boxes)
    if not rows:
        return [], []
    struck = [to.back(box) for strike in edited.strikes for box in strike.words]
    paths = pen.Paths.of(pen.Strips.of(sheet, rows))
    runs = paths.runs()
    return [pen.features_of(run, paths) for run in runs], [_label(run, rows, struck, sheet) for run in runs]


def _label(run: pen.Run, rows: list[pen.Row], struck: list, sheet: pen.Sheet) -> int:
    way, label = pen.to_strip(rows[run.row]), 0
    for box in struck:
        corners = np.array([[[box[0], box[1]], [box[2], box[3]]]], np.float64)
        (a, b), (c, d) = cv2.perspectiveTransform(corners, sheet.straight.homography)[0]
        (x0, y0), (x1, y1) = way @ [a, b, 1], way @ [c, d, 1]
        if abs((y0 + y1) / 2 - (pen.BASE - 7)) < 9:
            overlap = min(x1, run.end) - max(x0, run.start)
            if overlap > 0.3 * min(x1 - x0, run.end - run.start):
                return 1
            label = UNSURE if overlap > 0 else label
    return label


def as_arrays(model: GradientBoostingClassifier, features: np.ndarray) -> dict[str, np.ndarray]:
    """The model as the arrays of `extractors.ocr.pen.Trees`; raises AssertionError when they say something else."""
    trees = [of[0].tree_ for of in model.estimators_]
    nodes = max(tree.node_count for tree in trees)

    def filled(get, kind) -> np.ndarray:
        out = np.zeros((len(trees), nodes), kind)
        for at, tree in enumerate(trees):
            out[at, : tree.node_count] = get(tree)
        return out

    def child(which, tree) -> np.ndarray:
        return np.where(which < 0, np.arange(tree.node_count), which)

    arrays = {
        "feature": filled(lambda tree: np.maximum(tree.feature, 0), np.int16),
        "threshold": filled(lambda tree: tree.threshold, np.float32),
        "left": filled(lambda tree: child(tree.children_left, tree), np.int16),
        "right": filled(lambda tree: child(tree.children_right, tree), np.int16),
        "value": filled(lambda tree: tree.value[:, 0, 0] * model.learning_rate, np.float32),
        "depth": np.array(model.max_depth),
        "start": np.array(0.0),
    }
    chance = pen.Trees(**arrays).chance(features[:1])[0]
    arrays["start"] = np.array(model.decision_function(features[:1])[0] - np.log(chance / (1 - chance)))
    assert np.abs(pen.Trees(**arrays).chance(features) - model.predict_proba(features)[:, 1]).max() < 1e-3
    return arrays


def main(argv: list[str] | None = None) -> int:
    """Draws the examples, trains, writes the weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=21)
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--out", type=Path, default=FILE)
    asked = parser.parse_args(argv)
    rng = np.random.default_rng(asked.seed)
    features, labels = [], []
    for file, number in sample(asked.folder, asked.pages, asked.seed):
        with pymupdf.open(file) as pdf:
            for condition in CONDITIONS:
                for is_edited in (True, False):
                    of_page = examples(pdf[number], condition, is_edited, rng)
                    features, labels = features + of_page[0], labels + of_page[1]
    x, y = np.array(features, np.float32), np.array(labels)
    known = y != UNSURE
    model = GradientBoostingClassifier(
        n_estimators=120, max_depth=3, learning_rate=0.08, subsample=0.7, random_state=0, min_samples_leaf=15
    ).fit(x[known], y[known])
    np.savez_compressed(asked.out, **{f"strike_{name}": values for name, values in as_arrays(model, x).items()})
    print(f"{known.sum()} runs of ink, {int((y == 1).sum())} of them strikes; {asked.out.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
