"""Trains the clause model of the embedded engine and measures it by cross-validation.

    python -m benchmarks.train_embedded CUAD_FOLDER [--out DIR] [--folds 5]

The data is CUAD v1 by The Atticus Project (CC BY 4.0, <https://www.atticusprojectai.org/cuad>), in the layout
that `benchmarks/cuad.py` describes. Everything is seeded: equal data gives equal weights. Contracts
that nearly repeat each other stay in one fold; all figures in the model card are of contracts not trained on.
"""

import argparse
import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
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
from extractors.engines import clause_model as cm
from extractors.sentences import sentences
from schemas.clauses import CUAD_CATEGORIES

CATEGORIES = tuple(CUAD_CATEGORIES)
NUMBER = {name: i for i, name in enumerate(CUAD_CATEGORIES.values())}
SEED = 0
RARE = 3
"""Words and pairs in fewer sentences than this are left out."""
STRENGTH = 10.0
STAGE_STRENGTH = 0.1
SHORT_STRENGTH = 2.0
UNLABELLED = 0.5
"""Share of the sentences without any label that is trained on; they then weigh the inverse."""
SCALES = {"self": 1.0, "before": 0.3, "after": 0.3, "heading": 0.7}
"""Weights of the context in the second of the two averaged regressions; the first sees the sentence alone."""
MIX = 0.5
PRUNE = 0.002
"""Coefficients below this share of their category's largest are dropped."""
GRID = np.arange(2, 96) / 100
"""The thresholds to choose from."""
TOKEN_SHARES = (0.1, 0.2, 0.3, 0.4)


@dataclass(frozen=True)
class Contract:
    """A contract with its sentences and their labels, shape (sentences, categories)."""

    title: str
    text: str
    spans: list[tuple[int, int]]
    labels: np.ndarray
    gold: dict[str, list[str]]

    @cached_property
    def quoted(self) -> list[str]:
        return [self.text[start:end] for start, end in self.spans]

    @cached_property
    def tokens(self) -> list[list[str]]:
        return [cm.tokens(sentence) for sentence in self.quoted]

    @cached_property
    def headings(self) -> np.ndarray:
        return cm.headings(self.quoted)

    @cached_property
    def place(self) -> np.ndarray:
        return cm.place_features(self.quoted, self.spans, len(self.text))

    @cached_property
    def candidates(self) -> dict[str, list[cm.Candidate]]:
        return {kind: cm.short_candidates(self.text, kind) for kind in set(cm.SHORT.values())}


def main(argv: Sequence[str] | None = None) -> int:
    """Cross-validates, trains on everything, and writes the weights and the model card."""
    arguments = _parser().parse_args(argv)
    began = time.monotonic()
    contracts = read_contracts(arguments.folder)
    folds = fold_numbers(contracts, arguments.folds)
    print(f"{len(contracts)} contracts, {arguments.folds} folds of {np.bincount(folds).tolist()}", flush=True)
    held_out = cross_validate(contracts, folds)
    thresholds = best_thresholds(contracts, held_out)
    figures = measure(contracts, folds, held_out)
    for name, value in figures.items():
        print(f"{name:32} {value:.4f}")
    stage = fit_stage(contracts, [h.first for h in held_out])
    arrays = fit_first(contracts) | {"stage": stage, "mix": np.float32(MIX), "short": fit_short(contracts)}
    arrays |= {"categories": np.array(CATEGORIES), "thresholds": thresholds.astype(np.float32)}
    write(arguments.out, arrays)
    card = model_card(arguments.out / cm.WEIGHTS.name, contracts, figures, held_out, arguments.folds)
    (arguments.out / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    print(f"{(time.monotonic() - began) / 60:.1f} minutes; weights in {arguments.out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train_embedded", description=__doc__)
    parser.add_argument("folder", type=Path, help="CUAD folder")
    parser.add_argument("--out", type=Path, default=cm.WEIGHTS.parent, help="where the weights go")
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
    return Contract(title, text, spans, labels, gold)


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
    keys = sorted((int(cm.pair_key(ids[a], ids[b])), count) for (a, b), count in pairs.items() if count >= RARE)
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
    vocabulary = cm.Vocabulary(arrays)
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
    end = columns + cm.PLACE_FEATURES
    blocks = [(one[:columns] + two[:columns]) / 2]
    for i, name in enumerate(("before", "after", "heading")):
        block = np.zeros((columns, one.shape[1]))
        block[:words] = two[end + i * words : end + (i + 1) * words] * SCALES[name] / 2
        blocks.append(block)
    return cm.packed(pruned(np.hstack(blocks))) | {
        "place": ((one[columns:end] + two[columns:end]) / 2).astype(np.float32),
        "bias": ((one[-1] + two[-1]) / 2).astype(np.float32),
    }


def pruned(weights: np.ndarray) -> np.ndarray:
    """Weights without those that are small beside the largest of their column."""
    return np.where(np.abs(weights) < PRUNE * np.abs(weights).max(axis=0), 0, weights)


# Second stage, names and dates


def fit_stage(contracts: list[Contract], first: list[np.ndarray]) -> np.ndarray:
    """Coefficients of the second stage from first-stage logits of contracts the first stage had not seen."""
    around = np.concatenate([cm.own_features(logits) for logits in first])
    labels = np.vstack([contract.labels for contract in contracts])
    near = np.random.default_rng(SEED).random(len(labels)) < 0.1
    return np.stack([_fit_near(around[:, :, i], labels[:, i], near) for i in range(labels.shape[1])], axis=1).astype(
        np.float32
    )


def _fit_near(features: np.ndarray, labels: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Hopeless sentences are thinned out to a tenth, which then weighs ten times."""
    close = (features[:, cm.NEIGHBOURS] > -5) | labels
    rows = close | near
    if not labels.any():
        return np.append(np.zeros(features.shape[1]), -8.0)
    model = LogisticRegression(C=STAGE_STRENGTH, max_iter=300)
    model.fit(features[rows], labels[rows], sample_weight=np.where(close, 1.0, 10.0)[rows])
    return np.append(model.coef_[0], model.intercept_[0])


def fit_short(contracts: list[Contract]) -> np.ndarray:
    """Weights of the features of names and dates, shape (SHORT_FEATURES, categories of SHORT)."""
    columns = []
    for category, kind in cm.SHORT.items():
        found = [candidate for contract in contracts for candidate in contract.candidates[kind]]
        labels = np.array([hit for contract in contracts for hit in _hits(contract, category, kind)])
        fitted = _fit(_short_table(found), labels, None, SHORT_STRENGTH, 0.01, intercept=False)
        columns.append(fitted[:-1])
    return np.stack(columns, axis=1).astype(np.float16)


def _hits(contract: Contract, category: str, kind: str) -> list[bool]:
    gold = contract.gold.get(CUAD_CATEGORIES[category], [])
    quotes = [contract.text[c.start : c.end] for c in contract.candidates[kind]]
    return [any(cuad.is_match(text, quote) for text in gold) for quote in quotes]


def _short_table(candidates: list[cm.Candidate]) -> sparse.csr_matrix:
    sizes = np.array([len(c.features) for c in candidates])
    values = np.repeat(1 / np.sqrt(sizes), sizes)
    columns = np.concatenate([c.features for c in candidates])
    starts = np.append(0, np.cumsum(sizes))
    return sparse.csr_matrix((values, columns, starts), (len(candidates), cm.SHORT_FEATURES))


# Cross-validation


@dataclass(frozen=True)
class HeldOut:
    """What models that had not seen a contract say of it: first-stage logits, scores, passages."""

    first: np.ndarray
    scores: np.ndarray
    passages: dict[str, list[cm.Passage]]


def cross_validate(contracts: list[Contract], folds: np.ndarray) -> list[HeldOut]:
    """One HeldOut a contract. The second stage learns from the first stages of the other folds."""
    first: list[np.ndarray] = [np.zeros(0)] * len(contracts)
    short: list[dict[str, list[cm.Passage]]] = [{}] * len(contracts)
    for fold in range(folds.max() + 1):
        began = time.monotonic()
        model = _model_without(contracts, folds, fold)
        for i in np.flatnonzero(folds == fold):
            first[i] = model.first_stage(contracts[i].text, contracts[i].spans)
            short[i] = model.short_passages(contracts[i].text)
        print(f"fold {fold}: {time.monotonic() - began:.0f} s", flush=True)
    final = _stage_scores(contracts, folds, first)
    return [_held_out(*each) for each in zip(contracts, first, final, short, strict=True)]


def _model_without(contracts: list[Contract], folds: np.ndarray, fold: int) -> cm.ClauseModel:
    kept = [contract for contract, number in zip(contracts, folds, strict=True) if number != fold]
    count = len(CATEGORIES)
    rest = {"stage": np.zeros((cm.own_count() + 1, count)), "mix": 0.0, "thresholds": np.zeros(count)}
    return cm.ClauseModel(fit_first(kept) | rest | {"short": fit_short(kept), "categories": np.array(CATEGORIES)})


def _stage_scores(contracts: list[Contract], folds: np.ndarray, first: list[np.ndarray]) -> list[np.ndarray]:
    final: list[np.ndarray] = [np.zeros(0)] * len(contracts)
    for fold in range(folds.max() + 1):
        others = np.flatnonzero(folds != fold)
        stage = fit_stage([contracts[i] for i in others], [first[i] for i in others])
        for i in np.flatnonzero(folds == fold):
            final[i] = cm.sigmoid(cm.mixed(first[i], stage, MIX))
    return final


def _held_out(contract: Contract, first: np.ndarray, scores: np.ndarray, short: dict) -> HeldOut:
    long = cm.select(scores, contract.spans, CATEGORIES)
    return HeldOut(first, scores, long | cm.merged(long, short))


def best_thresholds(contracts: list[Contract], held_out: list[HeldOut]) -> np.ndarray:
    """For each category the confidence with the best F1 of presence, drawn towards 0.4 where it is rare.

    With n positive contracts the threshold counts n parts and 0.4 counts 10. Nearly every contract has names
    and dates, so that for those the best F1 of spans decides instead.
    """
    found = []
    for category, name in CUAD_CATEGORIES.items():
        positive = sum(name in contract.gold for contract in contracts)
        curve = _span_f1 if category in cm.SHORT else _presence_f1
        smooth = np.convolve(np.pad(curve(contracts, held_out, category), 2, mode="edge"), np.ones(5) / 5, "valid")
        best = GRID[smooth.argmax()]
        found.append((positive * best + 10 * 0.4) / (positive + 10))
    return np.array(found)


def _presence_f1(contracts: list[Contract], held_out: list[HeldOut], category: str) -> np.ndarray:
    best = np.array([max((p.confidence for p in h.passages[category]), default=0.0) for h in held_out])
    true = np.array([CUAD_CATEGORIES[category] in contract.gold for contract in contracts])
    said = best[:, None] >= GRID
    return 2 * (true[:, None] & said).sum(axis=0) / np.maximum(1, true.sum() + said.sum(axis=0))


def _span_f1(contracts: list[Contract], held_out: list[HeldOut], category: str) -> np.ndarray:
    found = _matches(contracts, held_out, category)
    hits = (found.found[:, None] >= GRID).sum(axis=0)
    said = hits + (found.false[:, None] >= GRID).sum(axis=0)
    return 2 * hits / np.maximum(1, said + len(found.found))


def _matches(contracts: list[Contract], held_out: list[HeldOut], category: str) -> cuad.Matches:
    """Which spans of a category were found, each by a quotation about as long as it is."""
    name, limits = CUAD_CATEGORIES[category], dict.fromkeys(CATEGORIES, 1.0)
    rows = [
        row
        for c, h in zip(contracts, held_out, strict=True)
        for row in cuad.candidate_rows(c.title, c.text, {category: h.passages[category]}, limits)
    ]
    gold = _gold(contracts)
    return cuad.matches(pd.DataFrame(rows, columns=cuad.COLUMNS), gold[gold.category == name], swallow=False)


def measure(contracts: list[Contract], folds: np.ndarray, held_out: list[HeldOut]) -> dict[str, float]:
    """The figures of the model card. Thresholds for a fold's presence come from the other folds."""
    rows = []
    for fold in range(folds.max() + 1):
        others = np.flatnonzero(folds != fold)
        limits = best_thresholds([contracts[i] for i in others], [held_out[i] for i in others])
        named = dict(zip(CATEGORIES, limits, strict=True))
        for i in np.flatnonzero(folds == fold):
            rows += cuad.candidate_rows(contracts[i].title, contracts[i].text, held_out[i].passages, named)
    figures = cuad.scores(pd.DataFrame(rows, columns=cuad.COLUMNS), _gold(contracts))
    return figures | _selection(contracts, held_out)


def _gold(contracts: list[Contract]) -> pd.DataFrame:
    rows = [(c.title, name, text) for c in contracts for name, texts in c.gold.items() for text in texts]
    return pd.DataFrame(rows, columns=["title", "category", "text"])


def _selection(contracts: list[Contract], held_out: list[HeldOut]) -> dict[str, float]:
    """Share of the labelled sentences that is read, when the best sentences are, at shares of the text."""
    result = {}
    sizes = [np.array([end - start for start, end in c.spans]) for c in contracts]
    for share in TOKEN_SHARES:
        read = [_read(h.scores.max(axis=1), size, share) for h, size in zip(held_out, sizes, strict=True)]
        hits = sum(c.labels[chosen].sum() for c, chosen in zip(contracts, read, strict=True))
        result[f"selection_recall_at_{share:.0%}"] = hits / sum(c.labels.sum() for c in contracts)
    return {name: float(value) for name, value in result.items()}


def _read(best: np.ndarray, sizes: np.ndarray, share: float) -> np.ndarray:
    """Which sentences are read: the best with a neighbour on each side, up to a share of the characters."""
    chosen, budget = np.zeros(len(best), bool), share * sizes.sum()
    for i in np.argsort(-best, kind="stable"):
        window = slice(max(0, i - 1), i + 2)
        budget -= sizes[window][~chosen[window]].sum()
        if budget < 0:
            break
        chosen[window] = True
    return chosen


# Writing


def write(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    """The weights file: plain arrays, no pickles, the same bytes for the same arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / cm.WEIGHTS.name, **arrays)


def model_card(
    weights: Path, contracts: list[Contract], figures: dict[str, float], held_out: list[HeldOut], folds: int
) -> str:
    """Markdown: data and licence, recipe, cross-validated figures, limits, hash."""
    content = weights.read_bytes()
    table = "\n".join(f"| {name} | {value:.3f} |" for name, value in figures.items())
    rows = "\n".join(_category_row(contracts, held_out, category) for category in CATEGORIES)
    return _CARD.format(
        file=weights.name,
        sha=hashlib.sha256(content).hexdigest(),
        size=len(content) / 1e6,
        day=date.today().isoformat(),
        contracts=len(contracts),
        sentences=sum(len(c.spans) for c in contracts),
        folds=folds,
        table=table,
        rows=rows,
    )


def _category_row(contracts: list[Contract], held_out: list[HeldOut], category: str) -> str:
    name, found = CUAD_CATEGORIES[category], _matches(contracts, held_out, category)
    positive = sum(name in c.gold for c in contracts)
    return f"| {name} | {positive} | {len(found.found)} | {cuad.Curve.of(found).area():.3f} |"


_CARD = """\
# Model card: the clause model of the embedded engine

`{file}`, {size:.1f} MB, written {day}; sha256 `{sha}`. Arrays of numbers and one of text, no pickles. It
is made by `python -m benchmarks.train_embedded CUAD_FOLDER` and read by
`extractors/engines/clause_model.py`.

## Data and licence

Trained on {contracts} contracts ({sentences} sentences) of CUAD v1, the Contract Understanding Atticus
Dataset by The Atticus Project, licensed CC BY 4.0; paper: Hendrycks, Burns, Chen, Ball, "CUAD: An
Expert-Annotated NLP Dataset for Legal Contract Review", NeurIPS 2021,
<https://arxiv.org/abs/2103.06268>. The contracts are public filings on the SEC's EDGAR. Nothing else was
trained on; the rest of CUAD's 510 contracts was not looked at. What the weights hold of the data are
words, pairs of words and their coefficients; the list of words includes names that occur in the
contracts.

## Recipe

1. Sentences as in `extractors/sentences.py`; characters folded, lower case, numbers by their count of
   digits.
2. TF-IDF of words and pairs of words (in 3 sentences or more), and place, length and looks of the
   sentence. Two logistic regressions for each of the 41 categories (liblinear, C = 10), one on the
   sentence alone and one that also sees the words of its neighbours and of its heading. Their mean is
   one linear model; its small coefficients are dropped and the others stored in 8 bits.
3. A second logistic regression a category on those logits: of 3 neighbours on each side and of the
   contract's best sentence. It learns from logits of contracts the first had not seen. The answer is the
   mean of both logits.
4. Passages are runs of sentences with at least half of the probability of their best one. Document
   names, parties and agreement dates are quoted alone: patterns propose them, a logistic regression on
   the words around them decides; the sentence that introduces the parties is a candidate too, at half of its
   probability. Effective dates are quoted alone where there is a date.
5. A category's threshold gives the best F1 of presence in cross-validation (of spans, for names and
   dates), drawn towards 0.4 where it is rare.

## Figures

Cross-validation, {folds} folds by contract; near duplicates (cosine of word trigrams above 0.5) share a
fold. Presence thresholds for a fold come from the other folds. One reservation: the second stage of a
fold learns from first stages that had seen the fold's contracts, as usual in stacking; it has 11
coefficients a category. Some choices (C, the mix, the number of neighbours) were made on folds of the
same data, so new contracts may do slightly worse.

| figure | value |
|---|---|
{table}

`aupr_rule` follows CUAD's script, by which a longer quotation absorbs a party's name; `strict` leaves
that out, `no_parties` leaves out the category. `p80` is the precision at 80 % recall, 0 where that is
never reached. Thresholds go by steps of 0.01. Presence is over the 33 yes/no categories.
`selection_recall_at_30%` is the share of labelled sentences that is read when the best sentences with
their neighbours make up 30 % of the characters. This is not CUAD's official test split: do not compare
with published figures.

| category | contracts | spans | AUPR (strict) |
|---|---|---|---|
{rows}

## Limits

- English contracts of US public companies, mostly 1996 to 2020: commercial, no consumer terms, few
  leases or loans.
- Categories with few positives (Price Restrictions, Unlimited License, Third Party Beneficiary, Most
  Favored Nation) are unreliable. Words are matched, not meaning: a clause in unusual words is missed, a
  negated one may be found.
- Spans are whole sentences: a gold span that is part of a long one may not count as found. Aliases such
  as "we" or "you" and names of people are often missed among the parties.
- Names and titles are looked for in the first 8,000 and 6,000 characters.
- Confidences are probabilities for sentences of contracts like these, not for other documents.
"""


if __name__ == "__main__":
    raise SystemExit(main())
