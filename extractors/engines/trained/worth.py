"""Which sentences of a contract are worth reading at all: the retriever that both engines share.

Trees weigh the scores of all categories for a sentence and those around it; they give the probability that any
clause, name or date stands in it. Reading costs tokens, so a long sentence must be likelier to be chosen.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from extractors.engines.trained.names import SHORT, Weighed
from extractors.engines.trained.runs import EDGE, Scored
from extractors.engines.trained.words import sigmoid

NEIGHBOURS = (-3, -2, -1, 1, 2, 3)


def worth_features(scored: Scored, short: Mapping[str, Sequence[Weighed]]) -> np.ndarray:
    """What is known of each sentence, shape (sentences, features). `short` are the weighed names and dates."""
    logits = scored.logits
    highest = -np.sort(-logits, axis=1)[:, :4]
    anything = np.log(1e-4 + 1 - np.prod(1 - 0.9 * sigmoid(logits), axis=1))
    columns = [anything, (logits - logits.max(axis=0)).max(axis=1)]
    columns += [_beside(values, offset) for values in (anything, highest[:, 0]) for offset in NEIGHBOURS]
    return np.hstack([logits, highest, np.stack(columns, axis=1), _of_short(scored, short), scored.place]).astype(
        np.float32
    )


def _beside(values: np.ndarray, offset: int) -> np.ndarray:
    """The value `offset` sentences earlier (later when negative)."""
    moved = np.full_like(values, EDGE)
    if offset > 0:
        moved[offset:] = values[:-offset]
    else:
        moved[:offset] = values[-offset:]
    return moved


def _of_short(scored: Scored, short: Mapping[str, Sequence[Weighed]]) -> np.ndarray:
    """The likeliest name and date of each kind in each sentence."""
    found = np.full((len(scored.spans), len(SHORT)), EDGE)
    for column, category in enumerate(SHORT):
        for one in short[category]:
            row = max(0, int(np.searchsorted(scored.starts, one.start, "right")) - 1)
            found[row, column] = max(found[row, column], one.logits[column])
    return found


def by_cost(chances: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """The order to read sentences in: chance over the root of the cost (words or tokens), best first."""
    return np.argsort(-chances / np.sqrt(np.maximum(costs, 1)), kind="stable")
