"""Trains the trees that tell strikes and handwriting from print (`extractors/ocr/weights/pen.npz`).

    python -m benchmarks.train_pen PDF_FOLDER [strike] [hand]

PDF_FOLDER holds PDFs with a text layer, such as those of CUAD v1 (The Atticus Project, CC BY 4.0). Strikes and notes
of the family `TUNING` are drawn on their pages, which are then captured as scans, faxes and photos. For strikes the
words come from the text layer: minutes on one core. Handwriting is told by how it is read, so those pages are read
as the product reads them: a quarter of an hour.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pymupdf
from sklearn.ensemble import GradientBoostingClassifier

from benchmarks import pen as drawn
from benchmarks.pages import sample
from extractors.ocr import handwriting, ink, pen, route
from extractors.ocr.page import OcrWord
from extractors.ocr.straighten import Straight
from extractors.trees import Trees

FILE = Path(pen.__file__).parent / "weights" / "pen.npz"
CONDITIONS = ("clean", "office", "photo", "fax")
UNSURE = -1
SEED, STRIKE_PAGES, HAND_PAGES = 21, 21, 40


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
    """The model as the arrays of `extractors.trees.Trees`; raises AssertionError when they say something else."""
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
    chance = Trees(**arrays).chance(features[:1])[0]
    arrays["start"] = np.array(model.decision_function(features[:1])[0] - np.log(chance / (1 - chance)))
    assert np.abs(Trees(**arrays).chance(features) - model.predict_proba(features)[:, 1]).max() < 1e-3
    return arrays


def hand_examples(edited: drawn.Edited, page: drawn.Seen) -> tuple[list, list]:
    """Features and labels (1 handwriting, 0 print, -1 partly) of the groups of ink on a captured page."""
    sheet = pen.Sheet.of(page.pixels, page.straight, page.marks.size)
    boxes = pen.on_sheet(page.words, sheet)
    rows = pen.rows_of(page.words, boxes, ink.marks_of(sheet.ink).boxes)
    if not rows:
        return [], []
    runs = [run for run, _ in pen.strike_runs(pen.Paths.of(pen.Strips.of(sheet, rows)))]
    paper = pen.paper_on_sheet(ink.to_grey(page.pixels), page.marks, sheet)
    seen = pen.seen_on(sheet, page.words, boxes, rows, paper, runs)
    groups = handwriting.groups_of(seen)
    if not len(groups.boxes):
        return [], []
    notes = [note.box for note in edited.notes]
    struck = [box for strike in edited.strikes for box in strike.words]
    labels = [_hand_label(sheet.straight.back(tuple(box)), notes, struck) for box in groups.boxes]
    return list(handwriting.features_of(seen, groups)), labels


def _hand_label(box: drawn.Box, notes: list, struck: list) -> int:
    written = max((pen.share(box, note) for note in notes), default=0.0)
    if written >= 0.5:
        return 1
    return UNSURE if written > 0.1 or any(pen.share(box, word) > 0.5 for word in struck) else 0


def _strikes(folder: Path, rng: np.random.Generator) -> tuple[list, list]:
    features, labels = [], []
    for file, number in sample(folder, STRIKE_PAGES, SEED):
        with pymupdf.open(file) as pdf:
            for condition in CONDITIONS:
                for is_edited in (True, False):
                    of_page = examples(pdf[number], condition, is_edited, rng)
                    features, labels = features + of_page[0], labels + of_page[1]
    return features, labels


def _hands(folder: Path, rng: np.random.Generator) -> tuple[list, list]:
    features, labels = [], []
    for at, (file, number) in enumerate(sample(folder, HAND_PAGES, SEED)):
        with pymupdf.open(file) as pdf:
            for condition in ("photo", "office", ("fax", "clean", "photo")[at % 3]):
                plain = drawn.edited(pdf[number], drawn.DPI[condition], drawn.TUNING, rng)
                edited = drawn.captured(plain, condition, rng)
                of_page = hand_examples(edited, drawn.seen(edited.image))
                features, labels = features + of_page[0], labels + of_page[1]
    return features, labels


def trained(features: list, labels: list, depth: int, trees: int) -> dict[str, np.ndarray]:
    """The arrays of trees that tell label 1 from 0."""
    x, y = np.array(features, np.float32), np.array(labels)
    known = y != UNSURE
    model = GradientBoostingClassifier(
        n_estimators=trees, max_depth=depth, learning_rate=0.08, subsample=0.7, random_state=0, min_samples_leaf=15
    ).fit(x[known], y[known])
    print(f"{known.sum()} examples, {int((y == 1).sum())} of them written")
    return as_arrays(model, x[:: max(1, len(x) // 2000)])


def main(argv: list[str] | None = None) -> int:
    """Draws the examples, trains, writes the weights; those not asked for stay."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", nargs="*", choices=("strike", "hand"), default=["strike", "hand"])
    parser.add_argument("--out", type=Path, default=FILE)
    asked = parser.parse_args(argv)
    held = dict(np.load(asked.out)) if asked.out.exists() else {}
    if "strike" in asked.what:
        found = trained(*_strikes(asked.folder, np.random.default_rng(SEED)), depth=3, trees=120)
        held |= {f"strike_{name}": values for name, values in found.items()}
    if "hand" in asked.what:
        found = trained(*_hands(asked.folder, np.random.default_rng(SEED)), depth=4, trees=200)
        held |= {f"hand_{name}": values for name, values in found.items()}
    np.savez_compressed(asked.out, **held)
    print(f"{asked.out.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
