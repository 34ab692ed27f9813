"""Boosted trees trained with scikit-learn, as the arrays of `extractors.trees.Trees`."""

from typing import NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from extractors.trees import Trees

SEED = 0


class Boosting(NamedTuple):
    """How trees are grown: how many, how large, how fast, and the share of features each split may choose from."""

    trees: int
    leaves: int
    rate: float
    share: float


def boosted(name: str, features: np.ndarray, labels: np.ndarray, how: Boosting) -> dict[str, np.ndarray]:
    """Trees that tell True from False, as arrays called `name_feature` and so on."""
    model = HistGradientBoostingClassifier(
        max_iter=how.trees,
        max_leaf_nodes=how.leaves,
        learning_rate=how.rate,
        max_features=how.share,
        l2_regularization=5.0,
        min_samples_leaf=40,
        early_stopping=False,
        random_state=SEED,
    ).fit(features, labels)
    arrays = _as_arrays(model)
    some = features[:: max(1, len(features) // 2000)]
    assert np.abs(Trees(**arrays).chance(some) - model.predict_proba(some)[:, 1]).max() < 1e-3
    return {f"{name}_{field}": values for field, values in arrays.items()}


def _as_arrays(model: HistGradientBoostingClassifier) -> dict[str, np.ndarray]:
    # The trees are reached through a private name: scikit-learn has no public one.
    trees = [of[0].nodes for of in model._predictors]
    size = max(len(nodes) for nodes in trees)
    arrays = {
        name: np.zeros((len(trees), size), kind)
        for name, kind in (
            ("feature", np.int16),
            ("threshold", np.float32),
            ("left", np.int16),
            ("right", np.int16),
            ("value", np.float32),
        )
    }
    for at, nodes in enumerate(trees):
        leaf, own, filled = nodes["is_leaf"].astype(bool), np.arange(len(nodes)), np.s_[at, : len(nodes)]
        arrays["feature"][filled] = np.where(leaf, 0, nodes["feature_idx"])
        arrays["threshold"][filled] = _rounded_down(np.where(leaf, 0, nodes["num_threshold"]))
        arrays["left"][filled] = np.where(leaf, own, nodes["left"])
        arrays["right"][filled] = np.where(leaf, own, nodes["right"])
        arrays["value"][filled] = np.where(leaf, nodes["value"], 0)
    depth = max(int(nodes["depth"].max()) for nodes in trees)
    return arrays | {"start": np.array(model._baseline_prediction.item()), "depth": np.array(depth)}


def _rounded_down(thresholds: np.ndarray) -> np.ndarray:
    """The largest float32 not above each threshold: float32 features then fall on the same side as before."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
