"""Trains the clause model of the embedded engine and measures it by cross-validation.

    python -m benchmarks.train_embedded CUAD_FOLDER [--out DIR] [--folds 5]

The data is CUAD v1 by The Atticus Project (CC BY 4.0, <https://www.atticusprojectai.org/cuad>), in the layout
that `benchmarks/cuad.py` describes. Everything is seeded: equal data gives equal weights. Contracts
that nearly repeat each other stay in one fold; all figures in the model card are of contracts not trained on.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression

from benchmarks import cuad
from benchmarks.forests import Boosting, boosted
from benchmarks.model_card import CATEGORIES, Contract, HeldOut, best_thresholds, measure, model_card
from extractors.engines.trained.answers import Answers, answers
from extractors.engines.trained.model import WEIGHTS, Reading, SecondStage, scored, weighed_in
from extractors.engines.trained.names import SHORT, SHORT_FEATURES, Candidate, Weighed
from extractors.engines.trained.runs import Scored, candidate_runs, run_features
from extractors.engines.trained.words import (
    PLACE_FEATURES,
    Linear,
    Vocabulary,
    packed,
    pair_key,
)
from extractors.engines.trained.worth import worth_features
from extractors.sentences import sentences
from schemas.clauses import CUAD_CATEGORIES

NUMBER = {name: i for i, name in enumerate(CUAD_CATEGORIES.values())}
SEED = 0
RARE = 3
"""Words and pairs in fewer sentences than this are left out."""
STRENGTH = 10.0
SHORT_STRENGTH = 2.0
UNLABELLED = 0.5
"""Share of the sentences without any label that is trained on; they then weigh the inverse."""
SCALES = {"self": 1.0, "before": 0.3, "after": 0.3, "heading": 0.7}
"""Weights of the context in the second of the two averaged regressions; the first sees the sentence alone."""
PRUNE = 0.0005
"""Coefficients below this share of their category's largest are dropped."""
RUN_TREES = Boosting(trees=500, leaves=31, rate=0.04, share=0.15)
ANSWER_TREES = Boosting(trees=150, leaves=15, rate=0.05, share=0.6)
WORTH_TREES = Boosting(trees=200, leaves=31, rate=0.05, share=0.5)


def main(argv: Sequence[str] | None = None) -> int:
    """Cross-validates, trains on everything, and writes the weights and the model card."""
    arguments = _parser().parse_args(argv)
    began = time.monotonic()
    contracts = read_contracts(arguments.folder)
    folds = fold_numbers(contracts, arguments.folds)
    print(f"{len(contracts)} contracts, {arguments.folds} folds of {np.bincount(folds).tolist()}", flush=True)
    seen = first_stages(contracts, folds)
    held_out = cross_validate(seen, folds)
    thresholds = best_thresholds(held_out)
    figures = measure(folds, held_out)
    for name, value in figures.items():
        print(f"{name:32} {value:.4f}")
    arrays = fit_first(contracts) | {"short": fit_short(contracts)} | fit_second(seen)
    arrays |= {"categories": np.array(CATEGORIES), "thresholds": thresholds.astype(np.float32)}
    write(arguments.out, arrays)
    card = model_card(arguments.out / WEIGHTS.name, figures, held_out, arguments.folds)
    (arguments.out / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    print(f"{(time.monotonic() - began) / 60:.1f} minutes; weights in {arguments.out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train_embedded", description=__doc__)
    parser.add_argument("folder", type=Path, help="CUAD folder")
    parser.add_argument("--out", type=Path, default=WEIGHTS.parent, help="where the weights go")
    parser.add_argument("--folds", type=int, default=5)
    return parser


# Data


def read_contracts(folder: Path) -> list[Contract]:
    """All contracts of a CUAD folder, in the order of their titles."""
    texts = pd.read_parquet(folder / "contracts.parquet", columns=["title", "text"]).sort_values("title")
    spans = pd.read_parquet(folder / "annotations.parquet")
    by_title = dict(list(spans.groupby("title")))
    return [_contract(title, text, by_title[title]) for title, text in texts.itertuples(index=False)]


def _contract(title: str, text: str, annotations: pd.DataFrame) -> Contract:
    spans = sentences(text)
    labels = np.zeros((len(spans), len(CATEGORIES)), bool)
    gold: dict[str, list[str]] = {}
    for row in annotations.itertuples(index=False):
        gold.setdefault(row.category, []).append(row.text)
        labels[_covered(spans, row.start, row.end), NUMBER[row.category]] = True
    places = list(annotations[["start", "end"]].itertuples(index=False, name=None))
    return Contract(title, text, spans, labels, gold, places)


def _covered(spans: list[tuple[int, int]], start: int, end: int) -> list[int]:
    """Sentences of which at least half is in a gold span, or which hold at least half of it."""
    found = []
    for i, (first, last) in enumerate(spans):
        shared = min(end, last) - max(start, first)
        if shared > 0 and 2 * shared >= min(last - first, end - start):
            found.append(i)
    return found


def fold_numbers(contracts: list[Contract], folds: int) -> np.ndarray:
    """A fold for each contract. Near duplicates (cosine of word trigrams above 0.5) share one."""
    groups = near_duplicates([contract.text for contract in contracts])
    sizes = np.bincount(groups)
    order = np.random.default_rng(SEED).permutation(len(sizes))
    numbers, filled = np.zeros(len(contracts), int), np.zeros(folds, int)
    for group in sorted(order, key=lambda g: -sizes[g]):
        fold = int(filled.argmin())
        numbers[groups == group] = fold
        filled[fold] += sizes[group]
    return numbers


def near_duplicates(texts: list[str]) -> np.ndarray:
    """A group number for each text."""
    trigrams = HashingVectorizer(
        ngram_range=(3, 3), n_features=2**20, alternate_sign=False, norm=None, token_pattern="[A-Za-z]+"
    )
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(trigrams.transform(texts))
    return connected_components(weighted @ weighted.T > 0.5, directed=False)[1]


# First stage


def fit_vocabulary(contracts: list[Contract]) -> dict[str, np.ndarray]:
    """The arrays of `Vocabulary`: words and pairs in at least RARE sentences, and their idf."""
    words, pairs = Counter(), Counter()
    for found in (tokens for contract in contracts for tokens in contract.tokens):
        words.update(set(found))
        pairs.update(set(pairwise(found)))
    kept = sorted(word for word, count in words.items() if count >= RARE)
    ids = {word: i for i, word in enumerate(kept)}
    keys = sorted((int(pair_key(ids[a], ids[b])), count) for (a, b), count in pairs.items() if count >= RARE)
    total = sum(len(contract.spans) for contract in contracts)
    often = np.array([words[word] for word in kept] + [count for _, count in keys], float)
    return {
        "vocabulary": np.frombuffer("\n".join(kept).encode(), np.uint8),
        "pairs": np.array([key for key, _ in keys], np.int64),
        "idf": (np.log((1 + total) / (1 + often)) + 1).astype(np.float16),
    }


def fit_first(contracts: list[Contract]) -> dict[str, np.ndarray]:
    """The arrays of the first stage: the mean of a regression on sentences and one on their context too."""
    arrays = fit_vocabulary(contracts)
    vocabulary = Vocabulary(arrays)
    labels = np.vstack([contract.labels for contract in contracts])
    rows, weights = _sample(labels)
    tables = [vocabulary.matrix(contract.quoted) for contract in contracts]
    place = sparse.csr_matrix(np.vstack([contract.place for contract in contracts]))
    alone = sparse.hstack([sparse.vstack(tables), place]).tocsr()[rows]
    words = vocabulary.words
    around = [_context(table[:, :words], contract) for table, contract in zip(tables, contracts, strict=True)]
    wide = sparse.hstack([alone, sparse.vstack(around).tocsr()[rows]]).tocsr()
    one = _fit_all(alone, labels[rows], weights)
    two = _fit_all(wide, labels[rows], weights)
    return arrays | _averaged(one, two, tables[0].shape[1], words)


def _sample(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on, and their weights: all with a label, UNLABELLED of the others."""
    labelled = labels.any(axis=1)
    rows = np.flatnonzero(labelled | (np.random.default_rng(SEED).random(len(labels)) < UNLABELLED))
    return rows, np.where(labelled[rows], 1.0, 1 / UNLABELLED)


def _context(words: sparse.csr_matrix, contract: Contract) -> sparse.csr_matrix:
    """The words of the sentence before, the one after, and the heading, side by side."""
    order = np.arange(len(contract.spans))
    after = np.where(order + 1 < len(order), order + 1, -1)
    picked = {"before": order - 1, "after": after, "heading": contract.headings}
    return sparse.hstack([_picked(words, rows) * SCALES[name] for name, rows in picked.items()]).tocsr()


def _picked(words: sparse.csr_matrix, rows: np.ndarray) -> sparse.csr_matrix:
    known = np.flatnonzero(rows >= 0)
    ones = np.ones(len(known), np.float32)
    return sparse.csr_matrix((ones, (known, rows[known])), (len(rows), words.shape[0])) @ words


def _fit_all(table: sparse.csr_matrix, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Coefficients of one regression a category, the bias last; shape (columns + 1, categories)."""
    table.sum_duplicates()  # it would be done in place, and what the workers share is read-only
    fits = Parallel(2)(delayed(_fit)(table, labels[:, i], weights, STRENGTH, 0.1) for i in range(labels.shape[1]))
    return np.stack(fits, axis=1)


def _fit(
    table: sparse.csr_matrix,
    labels: np.ndarray,
    weights: np.ndarray | None,
    strength: float,
    tolerance: float,
    intercept: bool = True,
) -> np.ndarray:
    if not labels.any():
        return np.append(np.zeros(table.shape[1]), -8.0)
    model = LogisticRegression(
        C=strength,
        solver="liblinear",
        dual=True,
        tol=tolerance,
        max_iter=500,
        random_state=SEED,
        fit_intercept=intercept,
    )
    model.fit(table, labels, sample_weight=weights)
    return np.append(model.coef_[0], model.intercept_)


def _averaged(one: np.ndarray, two: np.ndarray, columns: int, words: int) -> dict[str, np.ndarray]:
    """Both regressions as one: a mean of logits is a logit of mean coefficients."""
    end = columns + PLACE_FEATURES
    blocks = [(one[:columns] + two[:columns]) / 2]
    for i, name in enumerate(("before", "after", "heading")):
        block = np.zeros((columns, one.shape[1]))
        block[:words] = two[end + i * words : end + (i + 1) * words] * SCALES[name] / 2
        blocks.append(block)
    return packed(pruned(np.hstack(blocks))) | {
        "place": ((one[columns:end] + two[columns:end]) / 2).astype(np.float32),
        "bias": ((one[-1] + two[-1]) / 2).astype(np.float32),
    }


def pruned(weights: np.ndarray) -> np.ndarray:
    """Weights without those that are small beside the largest of their column."""
    return np.where(np.abs(weights) < PRUNE * np.abs(weights).max(axis=0), 0, weights)


# Names and dates, second stage


def fit_short(contracts: list[Contract]) -> np.ndarray:
    """Weights of the features of names and dates, shape (SHORT_FEATURES, categories of SHORT)."""
    columns = []
    for category, kind in SHORT.items():
        found = [candidate for contract in contracts for candidate in contract.candidates[kind]]
        labels = np.array([hit for contract in contracts for hit in _hits(contract, category, kind)])
        fitted = _fit(_short_table(found), labels, None, SHORT_STRENGTH, 0.01, intercept=False)
        columns.append(fitted[:-1])
    return np.stack(columns, axis=1).astype(np.float16)


def _hits(contract: Contract, category: str, kind: str) -> list[bool]:
    gold = contract.gold.get(CUAD_CATEGORIES[category], [])
    quotes = [contract.text[c.start : c.end] for c in contract.candidates[kind]]
    return [any(cuad.is_match(text, quote) for text in gold) for quote in quotes]


def _short_table(candidates: list[Candidate]) -> sparse.csr_matrix:
    sizes = np.array([len(c.features) for c in candidates])
    values = np.repeat(1 / np.sqrt(sizes), sizes)
    columns = np.concatenate([c.features for c in candidates])
    starts = np.append(0, np.cumsum(sizes))
    return sparse.csr_matrix((values, columns, starts), (len(candidates), SHORT_FEATURES))


@dataclass(frozen=True)
class Seen:
    """A contract as first stages see it that were not trained on it."""

    contract: Contract
    scored: Scored
    short: dict[str, list[Weighed]]

    @cached_property
    def runs(self) -> dict[int, np.ndarray]:
        """The candidate runs of each category that has some, by its number."""
        found = {i: candidate_runs(self.scored.logits[:, i]) for i, c in enumerate(CATEGORIES) if c not in SHORT}
        return {i: runs for i, runs in found.items() if len(runs)}

    @cached_property
    def runs_right(self) -> dict[int, list[bool]]:
        """Whether each of them would count as a gold span."""
        return {
            i: [self._is_right(CATEGORIES[i], self._quote(*run)) for run in runs.tolist()]
            for i, runs in self.runs.items()
        }

    def _quote(self, first: int, last: int) -> str:
        return self.contract.text[self.contract.spans[first][0] : self.contract.spans[last][1]]

    def _is_right(self, category: str, quote: str, swallow: bool = False) -> bool:
        gold = self.contract.gold.get(CUAD_CATEGORIES[category], [])
        return any(cuad.is_match(text, quote, swallow) for text in gold)

    @cached_property
    def answers(self) -> dict[str, Answers]:
        return {category: answers(self.scored, self.short, category) for category in SHORT}

    @cached_property
    def answers_right(self) -> dict[str, list[bool]]:
        """Whether each of them would count; a whole sentence counts for a party that it names."""
        return {
            category: [
                self._is_right(category, self.contract.text[start:end], category == "parties" and bool(is_run))
                for (start, end), is_run in zip(found.spans, found.is_run, strict=True)
            ]
            for category, found in self.answers.items()
        }

    @cached_property
    def worth(self) -> np.ndarray:
        return worth_features(self.scored, self.short)


def fit_second(seen: Sequence[Seen]) -> dict[str, np.ndarray]:
    """The arrays of the second stage, learned from contracts the first stage had not seen."""
    rates = run_rates(seen)
    runs = [run_features(s.scored, i, runs, rates[i]) for s in seen for i, runs in s.runs.items()]
    right = [hit for s in seen for i in s.runs for hit in s.runs_right[i]]
    named = [s.answers[category].features for s in seen for category in SHORT if s.answers[category].spans]
    hits = [hit for s in seen for category in SHORT for hit in s.answers_right[category]]
    wanted = np.concatenate([s.contract.labels.any(axis=1) for s in seen])
    return {
        "rates": rates,
        **boosted("runs", np.concatenate(runs), np.array(right), RUN_TREES),
        **boosted("answers", np.concatenate(named), np.array(hits), ANSWER_TREES),
        **boosted("worth", np.concatenate([s.worth for s in seen]), wanted, WORTH_TREES),
    }


def run_rates(seen: Sequence[Seen]) -> np.ndarray:
    """Share of each category's candidate runs that are right, a little towards 0.2."""
    right, total = np.ones(len(CATEGORIES)), np.full(len(CATEGORIES), 5.0)
    for s in seen:
        for i, hits in s.runs_right.items():
            right[i] += sum(hits)
            total[i] += len(hits)
    return (right / total).astype(np.float32)


# Cross-validation


def cross_validate(seen: Sequence[Seen], folds: np.ndarray) -> list[HeldOut]:
    """One HeldOut a contract. The second stage learns from the first stages of the other folds."""
    found: list[HeldOut | None] = [None] * len(seen)
    for fold in range(folds.max() + 1):
        second = fit_second([s for s, number in zip(seen, folds, strict=True) if number != fold])
        for i in np.flatnonzero(folds == fold):
            reading = Reading(SecondStage.of(second, CATEGORIES), seen[i].scored, seen[i].short)
            found[i] = HeldOut(
                seen[i].contract, reading.passages, cuad.linear(seen[i].contract.text, reading), reading.worth
            )
        print(f"second stage without fold {fold}", flush=True)
    return [held for held in found if held is not None]


def first_stages(contracts: list[Contract], folds: np.ndarray) -> list[Seen]:
    """Every contract as the first stages see it that were trained on the other folds."""
    found: list[Seen | None] = [None] * len(contracts)
    for fold in range(folds.max() + 1):
        began = time.monotonic()
        kept = [contract for contract, number in zip(contracts, folds, strict=True) if number != fold]
        linear, short = Linear(fit_first(kept), len(CATEGORIES)), fit_short(kept).astype(np.float32)
        for i in np.flatnonzero(folds == fold):
            c = contracts[i]
            found[i] = Seen(c, scored(linear, c.text, c.spans, CATEGORIES), weighed_in(c.text, short))
        print(f"first stage without fold {fold}: {time.monotonic() - began:.0f} s", flush=True)
    return [seen for seen in found if seen is not None]


# Writing


def write(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    """The weights file: plain arrays, no pickles, the same bytes for the same arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / WEIGHTS.name, **arrays)


if __name__ == "__main__":
    raise SystemExit(main())
