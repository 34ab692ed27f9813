"""The figures of the clause model in cross-validation, its thresholds, and its model card."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import cuad
from extractors.engines.trained.model import Passage
from extractors.engines.trained.names import SHORT, Candidate, short_candidates
from extractors.engines.trained.words import headings, place_features, tokens
from extractors.engines.trained.worth import by_cost
from schemas.clauses import CUAD_CATEGORIES

CATEGORIES = tuple(CUAD_CATEGORIES)
GRID = np.arange(2, 96) / 100
"""The thresholds to choose from."""
DRAW = 0.3
"""Thresholds of rare categories are drawn towards this."""
TOKEN_SHARES = (0.1, 0.2, 0.3, 0.4)


@dataclass(frozen=True)
class Contract:
    """A contract with its sentences and their labels, shape (sentences, categories)."""

    title: str
    text: str
    spans: list[tuple[int, int]]
    labels: np.ndarray
    gold: dict[str, list[str]]
    gold_spans: list[tuple[int, int]]

    @cached_property
    def quoted(self) -> list[str]:
        return [self.text[start:end] for start, end in self.spans]

    @cached_property
    def tokens(self) -> list[list[str]]:
        return [tokens(sentence) for sentence in self.quoted]

    @cached_property
    def headings(self) -> np.ndarray:
        return headings(self.quoted)

    @cached_property
    def place(self) -> np.ndarray:
        return place_features(self.quoted, self.spans, len(self.text))

    @cached_property
    def candidates(self) -> dict[str, list[Candidate]]:
        return {kind: short_candidates(self.text, kind) for kind in set(SHORT.values())}


@dataclass(frozen=True)
class HeldOut:
    """What models that had not seen a contract say of it; `linear` is what the first stage alone would quote."""

    contract: Contract
    passages: dict[str, list[Passage]]
    linear: dict[str, list[Passage]]
    worth: np.ndarray


# Thresholds


def best_thresholds(held_out: Sequence[HeldOut]) -> np.ndarray:
    """For each category the confidence with the best F1 of presence, drawn towards DRAW where it is rare.

    With n positive contracts the threshold counts n parts and DRAW counts 10. Nearly every contract has names
    and dates, so that for those the best F1 of spans decides instead.
    """
    found = []
    for category, name in CUAD_CATEGORIES.items():
        positive = sum(name in h.contract.gold for h in held_out)
        curve = (_span_f1 if category in SHORT else _presence_f1)(held_out, category)
        smooth = np.convolve(np.pad(curve, 2, mode="edge"), np.ones(5) / 5, "valid")
        found.append((positive * GRID[smooth.argmax()] + 10 * DRAW) / (positive + 10))
    return np.array(found)


def _presence_f1(held_out: Sequence[HeldOut], category: str) -> np.ndarray:
    best = np.array([max((p.confidence for p in h.passages[category]), default=0.0) for h in held_out])
    true = np.array([CUAD_CATEGORIES[category] in h.contract.gold for h in held_out])
    said = best[:, None] >= GRID
    return 2 * (true[:, None] & said).sum(axis=0) / np.maximum(1, true.sum() + said.sum(axis=0))


def _span_f1(held_out: Sequence[HeldOut], category: str) -> np.ndarray:
    found = _matches(held_out, category)
    hits = (found.found[:, None] >= GRID).sum(axis=0)
    said = hits + (found.false[:, None] >= GRID).sum(axis=0)
    return 2 * hits / np.maximum(1, said + len(found.found))


def _matches(held_out: Sequence[HeldOut], category: str) -> cuad.Matches:
    """Which spans of a category were found, each by a quotation about as long as it is."""
    gold = _gold(held_out)
    table = _table(held_out, [{category: h.passages[category]} for h in held_out])
    return cuad.matches(table, gold[gold.category == CUAD_CATEGORIES[category]], swallow=False)


def _table(
    held_out: Sequence[HeldOut], passages: Sequence[dict[str, list[Passage]]], limits: dict[str, float] | None = None
) -> pd.DataFrame:
    limits = limits or dict.fromkeys(CATEGORIES, 1.0)
    rows = [
        row
        for h, found in zip(held_out, passages, strict=True)
        for row in cuad.candidate_rows(h.contract.title, h.contract.text, found, limits)
    ]
    return pd.DataFrame(rows, columns=cuad.COLUMNS)


def _gold(held_out: Sequence[HeldOut]) -> pd.DataFrame:
    rows = [
        (h.contract.title, name, text) for h in held_out for name, texts in h.contract.gold.items() for text in texts
    ]
    return pd.DataFrame(rows, columns=["title", "category", "text"])


# Figures


def measure(folds: np.ndarray, held_out: Sequence[HeldOut]) -> dict[str, float]:
    """The figures of the model card. Thresholds for a fold's presence come from the other folds."""
    tables = []
    for fold in range(folds.max() + 1):
        inside = [h for h, number in zip(held_out, folds, strict=True) if number == fold]
        limits = best_thresholds([h for h, number in zip(held_out, folds, strict=True) if number != fold])
        tables.append(_table(inside, [h.passages for h in inside], dict(zip(CATEGORIES, limits, strict=True))))
    gold = _gold(held_out)
    figures = cuad.scores(pd.concat(tables), gold)
    linear = cuad.scores(_table(held_out, [h.linear for h in held_out]), gold)
    figures |= {f"linear_{name}": linear[name] for name in ("aupr_rule", "aupr_no_parties", "p80_rule")}
    return figures | selection([h.contract for h in held_out], [h.worth for h in held_out])


def selection(contracts: Sequence[Contract], worth: Sequence[np.ndarray]) -> dict[str, float]:
    """Share of the gold spans of which half is read, when the sentences most worth their words are.

    `worth` has an array for each contract, a number for each of its sentences.
    """
    words = [np.array([len(sentence.split()) for sentence in contract.quoted]) for contract in contracts]
    ends = np.cumsum([len(w) for w in words])
    order = by_cost(np.concatenate(worth), np.concatenate(words))
    cost = np.cumsum(np.concatenate(words)[order])
    result = {}
    for share in TOKEN_SHARES:
        chosen = np.zeros(len(order), bool)
        chosen[order[cost <= share * cost[-1]]] = True
        read = [_read(contract, part) for contract, part in zip(contracts, np.split(chosen, ends[:-1]), strict=True)]
        result[f"selection_recall_at_{share:.0%}"] = float(np.mean(np.concatenate(read)))
    return result


def _read(contract: Contract, chosen: np.ndarray) -> np.ndarray:
    """For each gold span whether at least half of its characters are in chosen sentences."""
    inside = np.zeros(len(contract.text) + 1, np.int64)
    for (start, end), is_read in zip(contract.spans, chosen, strict=True):
        inside[start + 1 : end + 1] = is_read
    total = np.cumsum(inside)
    return np.array([2 * (total[end] - total[start]) >= end - start for start, end in contract.gold_spans], bool)


# The card


def model_card(weights: Path, figures: dict[str, float], held_out: Sequence[HeldOut], folds: int) -> str:
    """Markdown: data and licence, recipe, cross-validated figures, limits, hash."""
    content = weights.read_bytes()
    return _CARD.format(
        file=weights.name,
        sha=hashlib.sha256(content).hexdigest(),
        size=len(content) / 1e6,
        day=date.today().isoformat(),
        contracts=len(held_out),
        sentences=sum(len(h.contract.spans) for h in held_out),
        folds=folds,
        table="\n".join(f"| {name} | {value:.3f} |" for name, value in figures.items()),
        rows="\n".join(_category_row(held_out, category) for category in CATEGORIES),
    )


def _category_row(held_out: Sequence[HeldOut], category: str) -> str:
    name, found = CUAD_CATEGORIES[category], _matches(held_out, category)
    positive = sum(name in h.contract.gold for h in held_out)
    return f"| {name} | {positive} | {len(found.found)} | {cuad.Curve.of(found).area():.3f} |"


_CARD = """\
# Model card: the clause model of the embedded engine

`{file}`, {size:.1f} MB, written {day}; sha256 `{sha}`. Arrays of numbers and one of text, no pickles. It
is made by `python -m benchmarks.train_embedded CUAD_FOLDER` and read by
`extractors/engines/trained/model.py`.

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
2. First stage: TF-IDF of words and pairs of words (in 3 sentences or more), and place, length and looks of
   the sentence. Two logistic regressions for each of the 41 categories (liblinear, C = 10), one on the
   sentence alone and one that also sees the words of its neighbours and of its heading. Their mean is
   one linear model; its small coefficients are dropped and the others stored in 16 bits.
3. Second stage: runs of sentences around each promising one are proposed, several of different length.
   Boosted trees (500 of 31 leaves, one model for all categories) say how likely a run is quoted as the
   experts did (Jaccard index of words of 0.5). They see the scores of all categories in and around the
   run, its size and place, and cues: words a lawyer would search for (`cues.py`). A category is known to
   them by the share of its runs that are right, so that rare categories learn from the others.
4. Document names, parties and dates are quoted alone: patterns propose them, a logistic regression on the
   words around them and boosted trees on how they stand beside each other decide; whole sentences
   compete with them. A whole sentence counts for a party that it names, as CUAD's rule has it.
5. A third set of trees says which sentences are worth reading at all, for retrieval.
6. Both later stages learn from scores of contracts that the first had not seen. Confidences are the
   trees' own; a category's threshold gives the best F1 of presence in cross-validation (of spans, for
   names and dates), drawn towards 0.3 where it is rare.

## Figures

Cross-validation, {folds} folds by contract; near duplicates (cosine of word trigrams above 0.5) share a
fold. Presence thresholds for a fold come from the other folds. One reservation: the second stage of a
fold learns from first stages that had seen the fold's contracts, as usual in stacking. Some choices (C, the
number of trees, the cues) were made on folds of the same data, so new contracts may do slightly worse.

| figure | value |
|---|---|
{table}

`aupr_rule` follows CUAD's script, by which a longer quotation absorbs a party's name; `strict` leaves
that out, `no_parties` leaves out the category. `p80` is the precision at 80 % recall, 0 where that is
never reached. Thresholds go by steps of 0.01. Presence is over the 33 yes/no categories.
`calibration_error` is the expected calibration error of all candidates in ten bins; `error_at_50%` the
share that is wrong of the surer half of the candidates at or above their thresholds. `linear` is the
first stage alone. `selection_recall_at_30%` is the share of gold spans of which half is read when 30 % of
all words are. This is not CUAD's official test split: do not compare with published figures.

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
  as "we" or "you" and names of people are often missed among the parties. A sentence that introduces
  the parties is told beside their names, which `strict` counts as wrong.
- Names and titles are looked for in the first 8,000 and 6,000 characters.
- Confidences are probabilities for sentences of contracts like these, not for other documents.
"""
