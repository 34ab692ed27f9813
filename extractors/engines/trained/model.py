"""The trained part of the embedded engine: which passages of a contract are which of CUAD's clauses.

Two stages. A linear model scores every sentence for every category (`words`). Trees then weigh what may be quoted:
runs of sentences (`runs`), names and dates (`names`, `answers`), and say how likely each is quoted as an expert
would. A third set of trees tells which sentences are worth reading at all (`worth`). How the weights came about
stands in `weights/MODEL_CARD.md`; `benchmarks/train_embedded.py` makes them.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from extractors.engines.trained.answers import answers
from extractors.engines.trained.names import SHORT, Weighed, short_candidates, weighed
from extractors.engines.trained.runs import Scored, apart, candidate_runs, run_features
from extractors.engines.trained.words import Linear, sigmoid
from extractors.engines.trained.worth import worth_features
from extractors.trees import Trees

WEIGHTS = Path(__file__).parent.parent / "weights" / "clauses.npz"
FLOOR = 0.005
"""Passages with a lower probability are not told."""
OVERLAP = 0.3
"""Runs of one category share at most this much (Jaccard index of their sentences)."""


@dataclass(frozen=True)
class Passage:
    """What may be quoted for a category: `text[start:end]`, and a probability from 0 to 1."""

    category: str
    start: int
    end: int
    confidence: float


class ClauseModel:
    """Finds clauses of the 41 categories. Made by `ClauseModel.load()`; never changes afterwards."""

    def __init__(self, arrays: dict[str, np.ndarray], fingerprint: str = "") -> None:
        self.categories: tuple[str, ...] = tuple(str(c) for c in arrays["categories"])
        self.thresholds: dict[str, float] = dict(
            zip(self.categories, arrays["thresholds"].astype(float).tolist(), strict=True)
        )
        self.fingerprint = fingerprint
        self._linear = Linear(arrays, len(self.categories))
        self._short = arrays["short"].astype(np.float32)
        self._second = SecondStage.of(arrays, self.categories)

    @classmethod
    def load(cls, path: Path | None = None) -> "ClauseModel":
        """The model in a weights file, by default the one that is shipped; read once per process."""
        return _load(cls, Path(path or WEIGHTS))

    def read(self, text: str, spans: Sequence[tuple[int, int]]) -> "Reading":
        """What the model says of one contract `text`.

        The sentences `spans` are half-open, in order, and cover the contract: neighbours and place count.
        """
        return Reading(self._second, scored(self._linear, text, spans, self.categories), weighed_in(text, self._short))


def scored(linear: Linear, text: str, spans: Sequence[tuple[int, int]], categories: tuple[str, ...]) -> Scored:
    """A contract with the log odds of its sentences."""
    logits = np.zeros((0, len(categories)), np.float32)
    if spans:
        logits = linear.logits([text[start:end] for start, end in spans], spans, len(text))
    return Scored(text, spans, logits, categories)


def weighed_in(text: str, weights: np.ndarray) -> dict[str, list[Weighed]]:
    """The weighed names and dates of a text for each of SHORT."""
    by_kind = {kind: weighed(short_candidates(text, kind), weights) for kind in dict.fromkeys(SHORT.values())}
    return {category: by_kind[kind] for category, kind in SHORT.items()}


class SecondStage(NamedTuple):
    """The trees, and for each category how often a candidate run is right."""

    categories: tuple[str, ...]
    rates: np.ndarray
    runs: Trees
    answers: Trees
    worth: Trees

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], categories: tuple[str, ...]) -> "SecondStage":
        """The second stage in the arrays of a weights file."""
        return cls(categories, arrays["rates"], *(Trees.of(arrays, name) for name in ("runs", "answers", "worth")))


class Reading:
    """One contract as the model sees it."""

    def __init__(self, second: SecondStage, scored: Scored, short: Mapping[str, Sequence[Weighed]]) -> None:
        self._second, self._scored, self._short = second, scored, short

    @cached_property
    def scores(self) -> np.ndarray:
        """The first stage's probabilities, shape (sentences, categories)."""
        return sigmoid(self._scored.logits)

    @cached_property
    def passages(self) -> dict[str, list[Passage]]:
        """Every candidate of every category, best first; confidences are those `thresholds` are for."""
        if not self._scored.spans:
            return {category: [] for category in self._second.categories}
        runs = self._runs()
        return {c: self._answers(c) if c in SHORT else runs[c] for c in self._second.categories}

    @cached_property
    def worth(self) -> np.ndarray:
        """The probability that something that is asked for stands in a sentence, shape (sentences,)."""
        if not self._scored.spans:
            return np.zeros(0)
        return self._second.worth.chance(worth_features(self._scored, self._short))

    def _answers(self, category: str) -> list[Passage]:
        found = answers(self._scored, self._short, category)
        if not found.spans:
            return []
        chances = self._second.answers.chance(found.features)
        order = np.argsort(-chances, kind="stable")
        return [Passage(category, *found.spans[i], float(chances[i])) for i in order if chances[i] >= FLOOR]

    def _runs(self) -> dict[str, list[Passage]]:
        """The passages of each category but those of SHORT; all are weighed in one go, which is faster."""
        scored, second = self._scored, self._second
        proposed = {i: candidate_runs(scored.logits[:, i]) for i, c in enumerate(second.categories) if c not in SHORT}
        features = [run_features(scored, i, runs, second.rates[i]) for i, runs in proposed.items() if len(runs)]
        chances = second.runs.chance(np.concatenate(features)) if features else np.zeros(0)
        parts = np.split(chances, np.cumsum([len(runs) for runs in proposed.values()])[:-1])
        return {
            second.categories[i]: [
                Passage(
                    second.categories[i],
                    scored.spans[runs[at][0]][0],
                    scored.spans[runs[at][1]][1],
                    float(part[at]),
                )
                for at in apart(runs, part, FLOOR, OVERLAP)
            ]
            for (i, runs), part in zip(proposed.items(), parts, strict=True)
        }


@lru_cache(maxsize=4)
def _load(cls: type[ClauseModel], path: Path) -> ClauseModel:
    content = path.read_bytes()
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return cls(arrays, hashlib.sha256(content).hexdigest()[:12])
