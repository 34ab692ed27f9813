"""Names and dates ranked: which spelling, which date, or which whole sentence answers best.

Trees weigh each candidate beside the others of its contract: whether a better one overlaps it or spells it out,
how far it stands from the best, what the sentence around it says. Whole sentences compete too, since a contract may
describe its effective date without naming one, and one sentence may introduce all parties.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from extractors.engines.trained.names import COMPANY_FORM, SHORT, Weighed
from extractors.engines.trained.runs import EDGE, PROMISING, SHARES, Scored, grown
from extractors.engines.trained.words import sigmoid

FLOOR = -6.0
"""Names and dates with lower log odds are left out."""
MOST = 60
SENTENCES = 2
"""So many runs of sentences compete with the names and dates."""
_OPENING_QUOTES = frozenset('"“')
_FIGURE = re.compile(r"\d")


@dataclass(frozen=True)
class Answers:
    """Candidates of one category, `text[start:end]`, with their features; `is_run` marks whole sentences."""

    spans: list[tuple[int, int]]
    is_run: np.ndarray
    features: np.ndarray


@dataclass(frozen=True)
class _Spelling:
    """A name or date where it scores best, and how often it is spelled so."""

    text: str
    place: Weighed
    often: int


def answers(scored: Scored, short: Mapping[str, Sequence[Weighed]], category: str) -> Answers:
    """Every candidate of a category of SHORT. `short` are the weighed names and dates of each of SHORT."""
    column = tuple(SHORT).index(category)
    spellings = _spellings(scored.text, short[category], column)
    names = [_name_features(scored, spellings, rank, column) for rank in range(len(spellings))]
    runs = list(_runs(scored.logits[:, scored.categories.index(category)]))
    whole = [_run_features(scored, spellings, run, column) for run in runs]
    return Answers(
        [(s.place.start, s.place.end) for s in spellings] + [(_span(scored, run)) for run in runs],
        np.array([False] * len(names) + [True] * len(whole), bool),
        np.array(names + whole, np.float32),
    )


def _span(scored: Scored, run: tuple[int, int]) -> tuple[int, int]:
    return scored.spans[run[0]][0], scored.spans[run[1]][1]


def _spellings(text: str, short: Sequence[Weighed], column: int) -> list[_Spelling]:
    """Each spelling once, likeliest first."""
    best: dict[str, Weighed] = {}
    often: Counter[str] = Counter()
    for one in short:
        spelling = " ".join(text[one.start : one.end].split())
        often[spelling] += 1
        if spelling not in best or best[spelling].logits[column] < one.logits[column]:
            best[spelling] = one
    ranked = sorted(best.items(), key=lambda item: -item[1].logits[column])
    return [_Spelling(name, one, often[name]) for name, one in ranked if one.logits[column] > FLOOR][:MOST]


def _runs(column: np.ndarray) -> Iterator[tuple[int, int]]:
    """The SENTENCES best runs of sentences, none of which overlap."""
    chances = sigmoid(column)
    taken = chances < 2 * PROMISING
    for _ in range(SENTENCES):
        if taken.all():
            return
        best = int(np.where(taken, -1, chances).argmax())
        first, last = grown(np.where(taken, 0, chances), best, max(2 * PROMISING, SHARES[1] * chances[best]))
        taken[first : last + 1] = True
        yield first, last


def _name_features(scored: Scored, ranked: Sequence[_Spelling], rank: int, column: int) -> list[float]:
    one = ranked[rank]
    start, end, logits = one.place
    better = ranked[:rank]
    row = max(0, int(np.searchsorted(scored.starts, start, "right")) - 1)
    around = scored.logits[row]
    apart = start - ranked[0].place.start
    lower = one.text.lower()
    over = [b.place.logits[column] for b in better if b.place.start < end and start < b.place.end]
    before = scored.text[max(0, start - 2) : start].strip()[-1:]
    return [
        0,
        *logits,
        rank,
        ranked[0].place.logits[column] - logits[column],
        ranked[1].place.logits[column] if len(ranked) > 1 else EDGE,
        around[scored.categories.index(tuple(SHORT)[column])],
        around.max(),
        np.log(start + 50),
        row,
        end - start,
        len(one.text.split()),
        one.often,
        len(ranked),
        max(over, default=EDGE),
        any(lower in b.text.lower() for b in better),
        any(b.text.lower() in lower for b in better),
        before in _OPENING_QUOTES,
        one.text.isupper(),
        COMPANY_FORM.search(one.text) is not None,
        np.log(abs(apart) + 1) * np.sign(apart),
        one.text[:1].isupper(),
        _FIGURE.search(one.text) is not None,
        0,
        0,
        0,
        column,
    ]


def _run_features(scored: Scored, ranked: Sequence[_Spelling], run: tuple[int, int], column: int) -> list[float]:
    first, last = run
    own = scored.logits[:, scored.categories.index(tuple(SHORT)[column])]
    start, end = _span(scored, run)
    inside = [s.place.logits[column] for s in ranked if start <= s.place.start and s.place.end <= end]
    return [
        1,
        *[EDGE] * len(SHORT),
        0,
        0,
        ranked[0].place.logits[column] if ranked else EDGE,
        own[first : last + 1].max(),
        scored.logits[first : last + 1].max(),
        np.log(start + 50),
        first,
        end - start,
        len(scored.text[start:end].split()),
        0,
        len(ranked),
        max(inside, default=EDGE),
        *[0] * 8,
        last - first + 1,
        own[first : last + 1].mean(),
        own.max() - own[first : last + 1].max(),
        column,
    ]
