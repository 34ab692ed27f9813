"""CUAD: every candidate of the clause model for a folder of PDFs, and the scores of CUAD's own script.

The public set is CUAD v1 by The Atticus Project (CC BY 4.0, <https://www.atticusprojectai.org/cuad>). A CUAD
folder holds `contracts.parquet` (title, text), `annotations.parquet` (title, category, text, start, end) and
`answers.parquet` (title, category, answer). A prediction is a verbatim quotation with a confidence; the rule
by which it counts is that of `evaluate.py` in <https://github.com/TheAtticusProject/cuad>.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pandas as pd
import pymupdf

from benchmarks import cuad_values
from benchmarks.degrade import OWN, degraded
from benchmarks.pages import pdfs_in
from extractors.engines.trained.model import ClauseModel, Passage, Reading
from extractors.engines.trained.runs import grown
from extractors.read import Content, Limits, read
from extractors.retrieve import Index
from extractors.sentences import sentences
from schemas.clauses import CUAD_CATEGORIES
from schemas.contract import Term
from schemas.errors import DocumentError

FREE_ANSWERS = tuple(CUAD_CATEGORIES)[:8]
"""Categories answered by a name, a date or a place; the other 33 are yes or no."""

YES_NO = tuple(CUAD_CATEGORIES)[8:]
FLOOR = 0.005
COLUMNS = ["title", "category", "quote", "confidence", "present"]
_STOPS = str.maketrans("/", " ", ".,;:")


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the predictions for an inbox; with `--gold` prints their scores as tables and as JSON."""
    asked = _parser().parse_args(argv)
    with TemporaryDirectory() as folder:
        inbox = captured(asked.inbox, asked.capture, Path(folder), asked.workers) if asked.capture else asked.inbox
        readings = read_all(inbox, asked.workers, bool(asked.gold), tuple(BASELINES) if asked.baselines else ())
    table = predictions(readings)
    asked.predictions.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(asked.predictions, index=False)
    print(f"{len(table)} candidates of {table.title.nunique()} contracts in {asked.predictions}")
    if asked.gold:
        print(json.dumps(_report(readings, table, asked.gold, asked.baselines)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="contract-agent benchmark cuad", description=__doc__)
    parser.add_argument("--inbox", type=Path, required=True, help="folder of PDFs")
    parser.add_argument("--predictions", type=Path, required=True, help="the Parquet file to write")
    parser.add_argument("--gold", type=Path, help="CUAD folder to score against")
    parser.add_argument("--capture", choices=tuple(OWN), help="render and degrade the pages first; OCR then reads them")
    parser.add_argument("--baselines", action="store_true", help="score BM25 and the linear stage alone as well")
    parser.add_argument("--workers", type=int, default=1)
    return parser


def _report(
    readings: Sequence["ContractReading"], table: pd.DataFrame, folder: Path, baselines: bool
) -> dict[str, float]:
    """Prints the tables; returns the figures."""
    gold = read_gold(folder, [r.title for r in readings])
    result = scores(table, gold) | cuad_values.scores({r.title: r.values for r in readings}, folder)
    result |= {
        "seconds_per_contract": float(np.mean([r.seconds for r in readings])),
        "megabytes": float(max((r.megabytes for r in readings), default=0)),
    }
    if baselines:
        for name in BASELINES:
            rows = [row for r in readings for row in r.baselines[name]]
            figures = scores(pd.DataFrame(rows, columns=COLUMNS), gold)
            result |= {f"{name}_{key}": figures[key] for key in ("aupr_rule", "aupr_no_parties", "p80_rule")}
    print(per_category(table, gold).to_string(float_format="{:.3f}".format))
    print(reliability(table, gold).to_string(float_format="{:.3f}".format))
    for name, value in result.items():
        print(f"{name:32} {value:.4f}")
    return result


# Predictions


@dataclass(frozen=True)
class ContractReading:
    """What the engine says of one PDF. `seconds` are CPU seconds for all clauses and terms, reading the pages left
    out; `megabytes` the memory of the process at its highest."""

    title: str
    rows: list[tuple[str, str, str, float, bool]]
    baselines: dict[str, list[tuple[str, str, str, float, bool]]]
    values: dict[str, list[Term]]
    seconds: float
    megabytes: float


def titles_in(inbox: Path) -> dict[str, Path]:
    """The PDFs below a folder by title: the file's name without its ending, blanks at the ends stripped."""
    return {path.stem.strip(): path for path in pdfs_in(inbox)}


def captured(inbox: Path, condition: str, folder: Path, workers: int) -> Path:
    """A folder of the same contracts as images under a condition of `benchmarks.degrade`."""
    jobs = [(path, condition, folder / f"{title}.pdf") for title, path in titles_in(inbox).items()]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(_capture, jobs))
    return folder


def _capture(job: tuple[Path, str, Path]) -> None:
    path, condition, target = job
    with pymupdf.open(path) as pdf, pymupdf.open() as images:
        for page in pdf:
            picture = degraded(page, OWN[condition], page.number)
            _, encoded = cv2.imencode(".png", picture[..., ::-1] if picture.ndim == 3 else picture)
            images.new_page(width=page.rect.width, height=page.rect.height).insert_image(
                page.rect, stream=encoded.tobytes()
            )
        images.save(target)


def read_all(
    inbox: Path, workers: int = 1, with_values: bool = False, baselines: tuple[str, ...] = ()
) -> list[ContractReading]:
    """What the engine says of every PDF of a folder; what can't be read is told and left out."""
    jobs = [(title, path, with_values, baselines) for title, path in titles_in(inbox).items()]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return [reading for reading in pool.map(_reading, jobs) if reading]


def _reading(job: tuple[str, Path, bool, tuple[str, ...]]) -> ContractReading | None:
    title, path, with_values, baselines = job
    try:
        document = read(Content((path,), "c_1", "0"), Limits())
    except DocumentError as error:
        print(f"{title}: {error}")
        return None
    model, text = ClauseModel.load(), document.text
    said = model.read(text, sentences(text))
    rows = candidate_rows(title, text, said.passages, model.thresholds)
    began = time.process_time()
    values = cuad_values.values(document) if with_values else {}
    spent = time.process_time() - began
    others = {name: candidate_rows(title, text, BASELINES[name](text, said), model.thresholds) for name in baselines}
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return ContractReading(title, rows, others, values, spent, highest)


def predictions(readings: Iterable[ContractReading]) -> pd.DataFrame:
    """Every candidate; its columns are COLUMNS."""
    return pd.DataFrame([row for reading in readings for row in reading.rows], columns=COLUMNS)


def candidate_rows(
    title: str, text: str, passages: dict[str, list[Passage]], thresholds: dict[str, float]
) -> list[tuple[str, str, str, float, bool]]:
    """Rows of COLUMNS for one contract."""
    return [
        (title, CUAD_CATEGORIES[category], text[p.start : p.end], p.confidence, _present(p, thresholds))
        for category, found in passages.items()
        for p in found
        if p.confidence >= FLOOR
    ]


def _present(passage: Passage, thresholds: dict[str, float]) -> bool:
    return passage.confidence >= thresholds[passage.category]


# Baselines


def linear(text: str, said: Reading) -> dict[str, list[Passage]]:
    """The first stage alone: runs of sentences with at least half of the chance of their best one."""
    spans = sentences(text)
    return {c: _runs(c, spans, said.scores[:, i].copy()) for i, c in enumerate(CUAD_CATEGORIES)} if spans else {}


def _runs(category: str, spans: Sequence[tuple[int, int]], chances: np.ndarray) -> list[Passage]:
    found = []
    while chances[best := int(chances.argmax())] >= FLOOR:
        confidence = float(chances[best])
        first, last = grown(chances, best, max(FLOOR, confidence / 2))
        found.append(Passage(category, spans[first][0], spans[last][1], confidence))
        chances[first : last + 1] = 0
    return found


def bm25(text: str, said: Reading) -> dict[str, list[Passage]]:
    """No training at all: sentences ranked by BM25 with the words of the category's name, the best ones told."""
    spans = sentences(text)
    index = Index([text[start:end] for start, end in spans])
    found = {}
    for category in CUAD_CATEGORIES:
        ranked = np.array(index.bm25(category.split("_")))
        best = np.argsort(-ranked, kind="stable")[:10]
        found[category] = [
            Passage(category, *spans[i], float(ranked[i] / (1 + ranked[i]))) for i in best if ranked[i] > 0
        ]
    return found


BASELINES: dict[str, Callable[[str, Reading], dict[str, list[Passage]]]] = {"linear": linear, "bm25": bm25}


# Scores


def read_gold(folder: Path, titles: Iterable[str] | None = None) -> pd.DataFrame:
    """Title, category and text of every gold span of these contracts (all when None)."""
    gold = pd.read_parquet(folder / "annotations.parquet", columns=["title", "category", "text"])
    gold = gold.assign(title=gold.title.str.strip())
    return gold if titles is None else gold[gold.title.isin(list(titles))]


def scores(table: pd.DataFrame, gold: pd.DataFrame) -> dict[str, float]:
    """Area under precision and recall, precision at 80 % recall, and presence F1.

    `rule` is CUAD's: a span is found by a Jaccard index of words of 0.5; a party also by any longer quotation
    that holds it. `strict` leaves that exception out, `no_parties` the category. `table` has COLUMNS.
    """
    result: dict[str, float] = {}
    for name, swallow, parties in (
        ("rule", True, True),
        ("strict", False, True),
        ("no_parties", True, False),
    ):
        kept = [frame if parties else frame[frame.category != "Parties"] for frame in (table, gold)]
        curve = Curve.of(matches(*kept, swallow=swallow))
        result |= {f"aupr_{name}": curve.area(), f"p80_{name}": curve.precision_at(0.8)}
    return result | presence(table, gold) | calibration(table, gold)


@dataclass(frozen=True)
class Matches:
    """For each gold span the best confidence that found it (0 when none); those of the false candidates."""

    found: np.ndarray
    false: np.ndarray


def matches(table: pd.DataFrame, gold: pd.DataFrame, swallow: bool = True) -> Matches:
    """Which candidates find which gold spans of the same contract and category."""
    candidates = dict(_grouped(table, ["quote", "confidence"]))
    wanted = {key: [text for (text,) in rows] for key, rows in _grouped(gold, ["text"])}
    found: list[float] = []
    false: list[float] = []
    for key in sorted(candidates.keys() | wanted.keys()):
        best, wrong = _matched(candidates.get(key, []), wanted.get(key, []), swallow and key[1] == "Parties")
        found += best
        false += wrong
    return Matches(np.array(found), np.array(false))


def _grouped(frame: pd.DataFrame, columns: list[str]):
    for key, rows in frame.groupby(["title", "category"]):
        yield key, list(rows[columns].itertuples(index=False, name=None))


def _matched(candidates: list[tuple[str, float]], wanted: list[str], swallow: bool) -> tuple[list[float], list[float]]:
    best, wrong = [0.0] * len(wanted), []
    for quote, confidence in candidates:
        hits = [i for i, text in enumerate(wanted) if is_match(text, quote, swallow)]
        for i in hits:
            best[i] = max(best[i], confidence)
        if not hits:
            wrong.append(confidence)
    return best, wrong


def is_match(gold: str, quote: str, swallow: bool = False) -> bool:
    """Whether a quotation finds a gold span by CUAD's rule; `swallow`: also when it holds all of it."""
    if swallow and " ".join(gold.split()) in " ".join(quote.split()):
        return True
    return jaccard(_bag(gold), _bag(quote)) >= 0.5


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Share of the words of both that are in each."""
    return len(one & other) / max(1, len(one | other))


@lru_cache(maxsize=200_000)
def _bag(text: str) -> frozenset[str]:
    return frozenset(text.lower().translate(_STOPS).split())


@dataclass(frozen=True)
class Curve:
    """Recalls in rising order, and for each the best precision at that recall or a higher one."""

    recall: np.ndarray
    precision: np.ndarray

    @classmethod
    def of(cls, found: Matches) -> "Curve":
        """The curve over CUAD's thresholds, 0.99 to 0 in steps of 0.01."""
        recall, precision = [0.0], [1.0]
        for threshold in np.maximum(np.arange(99, -1, -1) / 100, FLOOR):
            true, wrong = (found.found >= threshold).sum(), (found.false >= threshold).sum()
            if true + wrong:
                recall.append(true / max(1, len(found.found)))
                precision.append(true / (true + wrong))
        return cls(np.array(recall), np.maximum.accumulate(np.array(precision)[::-1])[::-1])

    def area(self) -> float:
        """Area under the curve, by trapezoids."""
        return float(np.trapezoid(self.precision, self.recall))

    def precision_at(self, recall: float) -> float:
        """Precision at the first point with this recall, 0 when none has it."""
        reached = self.recall >= recall
        return float(self.precision[np.argmax(reached)]) if reached.any() else 0.0


def presence(table: pd.DataFrame, gold: pd.DataFrame) -> dict[str, float]:
    """F1 of "does the contract have this clause" over the 33 yes/no categories, micro and macro."""
    names = [CUAD_CATEGORIES[category] for category in YES_NO]
    said = _pairs(table[table.present])
    true = _pairs(gold)
    counts = [_counts(said, true, name) for name in names]
    per_category = [_f1(*count) for count in counts]
    micro = _f1(*(sum(column) for column in zip(*counts, strict=True)))
    return {"presence_micro": micro, "presence_macro": float(np.mean(per_category))}


def per_category(table: pd.DataFrame, gold: pd.DataFrame) -> pd.DataFrame:
    """For each category its gold spans, the area under its curve, and F1 of presence."""
    said, true = _pairs(table[table.present]), _pairs(gold)
    rows = {}
    for name in CUAD_CATEGORIES.values():
        found = matches(table[table.category == name], gold[gold.category == name])
        rows[name] = (len(found.found), Curve.of(found).area(), _f1(*_counts(said, true, name)))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["spans", "aupr", "presence_f1"])


BINS = 10


def calibration(table: pd.DataFrame, gold: pd.DataFrame) -> dict[str, float]:
    """Expected calibration error of all candidates' confidence (BINS equal bins) and the error at coverage.

    `error_at_50%` is the share that is wrong of the surer half of the candidates said to be present.
    """
    said = judged(table, gold)
    gaps = [abs(part.confidence.mean() - part.right.mean()) * len(part) for _, part in said.groupby(_bins(said))]
    present = said[said.present].sort_values("confidence", ascending=False, kind="stable")
    errors = {
        f"error_at_{share:.0%}": float(1 - present.right.head(max(1, round(share * len(present)))).mean())
        for share in (0.25, 0.5, 0.75, 1.0)
        if len(present)
    }
    return {"calibration_error": float(sum(gaps) / max(1, len(said)))} | errors


def reliability(table: pd.DataFrame, gold: pd.DataFrame) -> pd.DataFrame:
    """For each bin of confidence: candidates, their mean confidence, the share that is right."""
    said = judged(table, gold)
    grouped = said.groupby(_bins(said))
    return pd.DataFrame(
        {"candidates": grouped.size(), "confidence": grouped.confidence.mean(), "right": grouped.right.mean()}
    )


def judged(table: pd.DataFrame, gold: pd.DataFrame) -> pd.DataFrame:
    """The candidates with a column `right`: whether each counts by CUAD's rule."""
    wanted = {key: [text for (text,) in rows] for key, rows in _grouped(gold, ["text"])}
    right = [
        any(is_match(text, row.quote, row.category == "Parties") for text in wanted.get((row.title, row.category), []))
        for row in table.itertuples()
    ]
    return table.assign(right=np.array(right, bool))


def _bins(table: pd.DataFrame) -> pd.Series:
    return (table.confidence * BINS).astype(int).clip(upper=BINS - 1).rename("bin")


def _pairs(frame: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(frame.title, frame.category, strict=True))


def _counts(said: set[tuple[str, str]], true: set[tuple[str, str]], name: str) -> tuple[int, int, int]:
    ours, gold = ({title for title, category in pairs if category == name} for pairs in (said, true))
    return len(ours & gold), len(ours), len(gold)


def _f1(both: int, ours: int, gold: int) -> float:
    return 2 * both / max(1, ours + gold)


if __name__ == "__main__":
    raise SystemExit(main())
