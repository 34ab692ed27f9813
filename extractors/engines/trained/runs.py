"""Runs of sentences as candidates for a clause, and what is known of each: the second stage of the clause model.

A clause starts and ends where a lawyer would say, not where a score passes a limit. So several runs around every
promising sentence are proposed, and trees trained on all categories at once tell how likely each is quoted right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from extractors.engines.trained.cues import cue_hits, looks
from extractors.engines.trained.words import FOLD, headings, is_heading, sigmoid

PROMISING = 0.01
"""A sentence this likely is looked at; the runs around it hold sentences at least so many times as likely:"""
SHARES = (0.7, 0.5, 0.3, 0.15, 0.05)
LEAST = 0.004
LONGEST = 12
"""A run reaches at most this many sentences to each side."""
EDGE = -9.0
"""Log odds of what is beyond the first and the last sentence."""


@dataclass(frozen=True)
class Scored:
    """A contract with what the first stage says: `logits` has shape (sentences, categories)."""

    text: str
    spans: Sequence[tuple[int, int]]
    logits: np.ndarray
    categories: tuple[str, ...]

    @cached_property
    def quoted(self) -> list[str]:
        return [self.text[start:end] for start, end in self.spans]

    @cached_property
    def headings(self) -> np.ndarray:
        """For each sentence the number of the heading above it, or -1."""
        return headings(self.quoted)

    @cached_property
    def starts(self) -> np.ndarray:
        return np.array([start for start, _ in self.spans])

    @cached_property
    def ends(self) -> np.ndarray:
        return np.array([end for _, end in self.spans])

    @cached_property
    def cues(self) -> np.ndarray:
        return cue_hits(self._plain, self.categories)

    @cached_property
    def looks(self) -> np.ndarray:
        return looks(self._plain)

    @cached_property
    def _plain(self) -> list[str]:
        return [" ".join(sentence.translate(FOLD).split()) for sentence in self.quoted]

    @cached_property
    def place(self) -> np.ndarray:
        """Place, size and looks as a heading of each sentence, shape (sentences, 8)."""
        count = len(self.spans)
        order = np.arange(count)
        columns = [
            order / count,
            self.starts / len(self.text),
            np.log1p(self.starts),
            np.log(self.ends - self.starts),
            [is_heading(sentence) for sentence in self.quoted],
            [sentence.isupper() for sentence in self.quoted],
            order - self.headings,
            np.full(count, np.log(count)),
        ]
        return np.stack(columns, axis=1).astype(np.float32)

    @cached_property
    def best_two(self) -> np.ndarray:
        """The numbers of the two likeliest categories of each sentence and their log odds, shape (sentences, 2, 2)."""
        order = np.argsort(-self.logits, axis=1, kind="stable")[:, :2]
        return np.stack([order, np.take_along_axis(self.logits, order, axis=1)], axis=2)


def candidate_runs(column: np.ndarray) -> np.ndarray:
    """First and last sentence of every run to weigh, shape (runs, 2), for the log odds of one category."""
    chances = sigmoid(column)
    found: set[tuple[int, int]] = set()
    for best in np.flatnonzero(chances >= PROMISING).tolist():
        found.add((best, best))
        for share in SHARES:
            found.add(grown(chances, best, max(LEAST, share * chances[best])))
    return np.array(sorted(found), np.intp).reshape(-1, 2)


def grown(chances: np.ndarray, best: int, least: float) -> tuple[int, int]:
    """The run around sentence `best` whose sentences all have at least `least` (first, last)."""
    first = last = best
    while first > 0 and chances[first - 1] >= least and best - first < LONGEST:
        first -= 1
    while last + 1 < len(chances) and chances[last + 1] >= least and last - best < LONGEST:
        last += 1
    return first, last


def run_features(scored: Scored, category: int, runs: np.ndarray, rate: float) -> np.ndarray:
    """What is known of each run, shape (runs, features). `rate` tells categories apart: how often a run is right."""
    first, last = runs[:, 0], runs[:, 1]
    best = _best_sentence(scored.logits[:, category], first, last)
    return np.hstack(
        [
            _of_scores(scored, category, first, last, best),
            _of_category(scored.logits[:, category], best),
            _of_place(scored, category, first, last, best),
            _of_cues(scored, category, first, last),
            _means(scored.looks, first, last),
            _of_others(scored, category, best),
            scored.logits[best],
            np.full((len(runs), 1), rate),
        ]
    ).astype(np.float32)


def _best_sentence(column: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    return np.array([a + int(column[a : b + 1].argmax()) for a, b in zip(first, last, strict=True)], np.intp)


def _sums(values: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0, dtype=float)])
    return total[last + 1] - total[first]


def _means(values: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    sums, sizes = _sums(values, first, last), last - first + 1
    return sums / (sizes if values.ndim == 1 else sizes[:, None])


def _of_scores(scored: Scored, category: int, first: np.ndarray, last: np.ndarray, best: np.ndarray) -> np.ndarray:
    """The category's log odds inside the run, at its ends and just outside of it."""
    column = scored.logits[:, category]
    around = np.pad(column, 3, constant_values=EDGE)
    lowest = np.array([column[a : b + 1].min() for a, b in zip(first, last, strict=True)])
    before = [around[first + i] for i in range(3)]
    after = [around[last + 4 + i] for i in range(3)]
    inside = [column[best], _means(column, first, last), lowest, column[first], column[last]]
    outside = [before[2], before[1], after[0], after[1], np.max([*before, *after], axis=0)]
    return np.stack([*inside, *outside, _sums(sigmoid(column), first, last)], axis=1)


def _of_category(column: np.ndarray, best: np.ndarray) -> np.ndarray:
    """How the run's best sentence stands among all the contract's for the category."""
    order = np.argsort(-column, kind="stable")
    rank = np.empty(len(column))
    rank[order] = np.arange(len(column))
    top = np.append(column[order[:3]], [EDGE] * 3)[:3]
    columns = [np.log1p(rank[best]), top[0] - column[best]]
    alike = [np.full(len(best), value) for value in (sigmoid(column).sum(), *top)]
    return np.stack([*columns, *alike], axis=1)


def _of_place(scored: Scored, category: int, first: np.ndarray, last: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Size of the run and of its best sentence, the heading above it, place in the contract."""
    size = scored.ends[last] - scored.starts[first]
    of_best = scored.ends[best] - scored.starts[best]
    above = scored.headings[first]
    heading = np.where(above >= 0, scored.logits[np.maximum(above, 0), category], EDGE)
    place = scored.place
    sizes = [last - first + 1, np.log(size), np.log(of_best), of_best / size, heading]
    return np.stack([*sizes, place[first, 4], place[last, 4], place[best, 0], place[best, 2], place[best, 7]], axis=1)


def _of_cues(scored: Scored, category: int, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Cues of the category in the run, around it, in its heading, in the contract; those of all categories in it."""
    hits = _sums(scored.cues, first, last)
    own = scored.cues[:, category]
    above = scored.headings[first]
    columns = [
        hits[:, category],
        hits[:, category] / (last - first + 1),
        np.full(len(first), own.sum()),
        np.where(above >= 0, own[np.maximum(above, 0)], -1),
        own[np.maximum(first - 1, 0)],
        own[np.minimum(last + 1, len(own) - 1)],
    ]
    return np.hstack([np.stack(columns, axis=1), hits > 0])


def _of_others(scored: Scored, category: int, best: np.ndarray) -> np.ndarray:
    """Log odds of the likeliest other category of the run's best sentence."""
    pairs = scored.best_two[best]
    return np.where(pairs[:, :1, 0] == category, pairs[:, 1:, 1], pairs[:, :1, 1])


def apart(runs: np.ndarray, chances: np.ndarray, floor: float, overlap: float) -> list[int]:
    """Numbers of the runs to keep, likeliest first: each shares at most `overlap` (Jaccard) with a likelier one."""
    kept: list[int] = []
    for number in np.argsort(-chances, kind="stable").tolist():
        if chances[number] < floor:
            break
        if all(_jaccard(runs[number], runs[other]) <= overlap for other in kept):
            kept.append(number)
    return kept


def _jaccard(one: np.ndarray, other: np.ndarray) -> float:
    shared = min(one[1], other[1]) - max(one[0], other[0]) + 1
    return max(0, shared) / (max(one[1], other[1]) - min(one[0], other[0]) + 1)
