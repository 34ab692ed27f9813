"""Boosted decision trees that weigh features of ink: strikes and handwriting. Trained by `benchmarks.train_pen`."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Trees(NamedTuple):
    """Boosted decision trees, all arrays trees x nodes; a leaf has itself for children."""

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    start: np.ndarray  # what the values are added to
    depth: np.ndarray

    def chance(self, features: np.ndarray) -> np.ndarray:
        """Probabilities, 0 to 1, for rows of features."""
        trees = np.arange(len(self.feature))
        at = np.zeros((len(features), len(trees)), np.intp)
        rows = np.arange(len(features))[:, None]
        for _ in range(int(self.depth)):
            low = features[rows, self.feature[trees, at]] <= self.threshold[trees, at]
            at = np.where(low, self.left[trees, at], self.right[trees, at])
        return 1 / (1 + np.exp(-float(self.start) - self.value[trees, at].sum(axis=1)))


@cache
def weights(name: str) -> Trees:
    """The trained trees of that name: `strike` or `hand`."""
    with np.load(Path(__file__).parent / "weights" / "pen.npz") as held:
        return Trees(*(held[f"{name}_{field}"] for field in Trees._fields))
