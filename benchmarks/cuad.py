"""CUAD: every candidate of the clause model for a folder of PDFs, and the scores of CUAD's own script.

The public set is CUAD v1 by The Atticus Project (CC BY 4.0, <https://www.atticusprojectai.org/cuad>). A CUAD
folder holds `contracts.parquet` (title, text), `annotations.parquet` (title, category, text, start, end) and
`answers.parquet` (title, category, answer). A prediction is a verbatim quotation with a confidence; the rule
by which it counts is that of `evaluate.py` in <https://github.com/TheAtticusProject/cuad>.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.pages import pdfs_in
from extractors.engines.clause_model import ClauseModel, Passage
from extractors.read import Content, Limits, read
from extractors.sentences import sentences
from schemas.clauses import CUAD_CATEGORIES

FREE_ANSWERS = tuple(CUAD_CATEGORIES)[:8]
"""Categories answered by a name, a date or a place; the other 33 are yes or no."""

YES_NO = tuple(CUAD_CATEGORIES)[8:]
FLOOR = 0.005
COLUMNS = ["title", "category", "quote", "confidence", "present"]
_STOPS = str.maketrans("/", " ", ".,;:")


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the predictions for an inbox; with `--gold` prints their scores as a table and as JSON."""
    arguments = _parser().parse_args(argv)
    table = predictions(arguments.inbox)
    arguments.predictions.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(arguments.predictions, index=False)
    print(f"{len(table)} candidates of {table.title.nunique()} contracts in {arguments.predictions}")
    if arguments.gold:
        _print_scores(scores(table, read_gold(arguments.gold, titles_in(arguments.inbox))))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="contract-agent benchmark cuad", description=__doc__)
    parser.add_argument("--inbox", type=Path, required=True, help="folder of PDFs")
    parser.add_argument("--predictions", type=Path, required=True, help="the Parquet file to write")
    parser.add_argument("--gold", type=Path, help="CUAD folder to score against")
    return parser


def _print_scores(result: dict[str, float]) -> None:
    for name, value in result.items():
        print(f"{name:28} {value:.4f}")
    print(json.dumps(result))


# Predictions


def titles_in(inbox: Path) -> dict[str, Path]:
    """The PDFs below a folder by title: the file's name without its ending, blanks at the ends stripped."""
    return {path.stem.strip(): path for path in pdfs_in(inbox)}


def predictions(inbox: Path) -> pd.DataFrame:
    """Every candidate from FLOOR on for every PDF of a folder; its columns are COLUMNS."""
    model = ClauseModel.load()
    rows = []
    for title, path in titles_in(inbox).items():
        text = _text(path)
        rows += candidate_rows(title, text, model.passages(text, sentences(text)), model.thresholds)
    return pd.DataFrame(rows, columns=COLUMNS)


def _text(path: Path) -> str:
    return read(Content((path,), "", ""), Limits()).text


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
    return result | presence(table, gold)


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


def _pairs(frame: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(frame.title, frame.category, strict=True))


def _counts(said: set[tuple[str, str]], true: set[tuple[str, str]], name: str) -> tuple[int, int, int]:
    ours, gold = ({title for title, category in pairs if category == name} for pairs in (said, true))
    return len(ours & gold), len(ours), len(gold)


def _f1(both: int, ours: int, gold: int) -> float:
    return 2 * both / max(1, ours + gold)


if __name__ == "__main__":
    raise SystemExit(main())
