"""Boosted decision trees as plain arrays: what the trained parts of reading and extraction decide by."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROWS = 4096
"""Rows that are weighed at once; bounds the memory."""


class Trees(NamedTuple):
    """Boosted decision trees, all arrays trees x nodes; a leaf has itself for children."""

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    start: np.ndarray  # what the values are added to
    depth: np.ndarray

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], name: str) -> "Trees":
        """The trees whose arrays are called `name_feature`, `name_threshold` and so on."""
        return cls(*(arrays[f"{name}_{field}"] for field in cls._fields))

    def chance(self, features: np.ndarray) -> np.ndarray:
        """Probabilities, 0 to 1, for rows of features."""
        parts = [self._chance(features[at : at + ROWS]) for at in range(0, len(features), ROWS)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _chance(self, features: np.ndarray) -> np.ndarray:
        trees = np.arange(len(self.feature))
        at = np.zeros((len(features), len(trees)), np.intp)
        rows = np.arange(len(features))[:, None]
        for _ in range(int(self.depth)):
            low = features[rows, self.feature[trees, at]] <= self.threshold[trees, at]
            at = np.where(low, self.left[trees, at], self.right[trees, at])
        return 1 / (1 + np.exp(-float(self.start) - self.value[trees, at].sum(axis=1)))


@cache
def trees_in(file: Path, name: str) -> Trees:
    """The trees of that name in an npz file."""
    with np.load(file) as held:
        return Trees.of(held, name)
