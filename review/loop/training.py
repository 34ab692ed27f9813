"""Training: from lessons to opinions and calibrations. Each is kept only if it does good on contracts it has not seen.

An opinion is a conditional logit model (McFadden 1974): the options of a term, and that none of them is right, share
one unit of probability by the words they rest on. A calibration is an isotonic regression (Ayer and others 1955) whose
steps are drawn towards the engine's own confidence by a few decisions' weight.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from extractors.learned import (
    CHOSEN,
    NONE,
    SURE,
    Weighed,
    along,
    change,
    features,
    is_by_value,
    pairs,
    words,
)
from review.loop.lessons import Lesson
from review.loop.sampling import fold_of
from schemas.learned import Calibration, Learned, Opinion

LEAST_DECISIONS = 12
LEAST_CORRECTIONS = 4
"""Fewer decisions on a term or a rule, or corrections, teach nothing."""
LEAST_CONTRACTS = 3
"""A word must stand in so many contracts: names and what identifies a contract are not learnt."""
LEAST_TO_CALIBRATE = 30
FOLDS = 5
HARM = 0.1
"""Most harm that an opinion may do, as a share of the good it does, on contracts it has not seen."""
_PENALTY = 0.02
_TOWARDS = 4.0
"""Decisions' weight with which a step of a calibration is drawn towards the engine's confidence."""


class Tried(NamedTuple):
    """What became of a lesson on an opinion that had not seen its contract: the place that was chosen (as in `right`),
    whether the opinion spoke at all, and the confidence."""

    lesson: Lesson
    chosen: int
    spoke: bool
    confidence: float


class Verdict(NamedTuple):
    """What an opinion did on contracts it had not seen, and whether it is kept."""

    target: str
    field: str
    decisions: int
    corrections: int
    mended: int
    harmed: int
    kept: bool


class Training(NamedTuple):
    """What was learnt, and what was tried for it."""

    learned: Learned
    verdicts: tuple[Verdict, ...]


def train(lessons: Sequence[Lesson], *, with_opinions: bool = True) -> Training:
    """What can be learnt from the lessons; without opinions only calibrations."""
    groups: dict[tuple, list[Lesson]] = defaultdict(list)
    for lesson in lessons:
        groups[lesson.target, lesson.field, lesson.extractor].append(lesson)
    opinions, verdicts, tried = [], [], []
    for _, group in sorted(groups.items(), key=lambda item: tuple(map(str, item[0]))):
        opinion, verdict, outcomes = _learnt(group) if with_opinions else (None, None, _as_they_are(group))
        opinions += [opinion] if opinion else []
        verdicts += [verdict] if verdict else []
        tried += outcomes
    learned = Learned(
        decisions=len(lessons),
        contracts=len({lesson.contract_id for lesson in lessons}),
        opinions=tuple(opinions),
        calibrations=tuple(calibrations(tried)),
    )
    return Training(learned, tuple(verdicts))


def _as_they_are(group: Iterable[Lesson]) -> list[Tried]:
    return [Tried(lesson, 0, False, lesson.confidence) for lesson in group]


def _learnt(group: Sequence[Lesson]) -> tuple[Opinion | None, Verdict | None, list[Tried]]:
    """The opinion that a group of lessons teaches, None when it would not do good; what was tried."""
    corrections = [lesson for lesson in group if not lesson.is_agreed]
    if len(group) < LEAST_DECISIONS or len({lesson.contract_id for lesson in corrections}) < LEAST_CORRECTIONS:
        return None, None, _as_they_are(group)
    tried = list(_on_unseen(group, opinion_of, _try))
    mended = sum(one.spoke and not one.lesson.is_agreed and one.chosen == one.lesson.right for one in tried)
    harmed = sum(one.spoke and one.chosen != one.lesson.right for one in tried)
    kept = mended >= LEAST_CORRECTIONS and harmed <= HARM * mended
    first = group[0]
    verdict = Verdict(first.target, first.field, len(group), len(corrections), mended, harmed, kept)
    if not kept:
        return None, verdict, _as_they_are(group)
    reliability = round((mended + 1) / (mended + harmed + 2), 4)
    return opinion_of(group).model_copy(update={"reliability": reliability}), verdict, tried


def _on_unseen(group: Sequence[Lesson], fit: Callable, use: Callable) -> Iterator:
    """Each lesson as what was fitted on other contracts has it."""
    for fold in range(FOLDS):
        unseen = [lesson for lesson in group if fold_of(lesson.contract_id, FOLDS) == fold]
        if unseen:
            fitted = fit([lesson for lesson in group if fold_of(lesson.contract_id, FOLDS) != fold])
            yield from (use(fitted, lesson) for lesson in unseen)


def opinion_of(group: Sequence[Lesson]) -> Opinion:
    """The opinion fitted to lessons on one term of one extractor, or on one rule."""
    first = group[0]
    by_value = first.target == "term" and is_by_value(first.field)
    corrected = [lesson for lesson in group if not lesson.is_agreed]
    values = sorted({_right_value(lesson) for lesson in corrected} - {None}) if by_value else []
    vocabulary = _vocabulary(group)
    known = frozenset(vocabulary)
    items = [_narrowed(lesson, values) for lesson in group]
    weights = _fitted(
        [
            [
                features(first.target, value, text, known, chosen=at == 0, by_value=by_value)
                for at, (value, text) in enumerate(item.given)
            ]
            for item in items
        ],
        [item.right for item in items],
    )
    instead = Counter(
        change(lesson.given[0][0], _right_value(lesson)) for lesson in corrected if _right_value(lesson) is not None
    )
    return Opinion(
        target=first.target,
        field=first.field,
        extractor=first.extractor,
        decisions=len(group),
        corrections=len(corrected),
        instead=dict(sorted(instead.items())) if by_value else {},
        values=tuple(values),
        vocabulary=tuple(vocabulary),
        weights=weights,
    )


def _right_value(lesson: Lesson) -> str | None:
    return lesson.given[lesson.right][0] if lesson.right < len(lesson.given) else None


def _narrowed(lesson: Lesson, values: Sequence[str]) -> Lesson:
    """The lesson with those of its options that an opinion with these values gives."""
    quote = lesson.given[0][1]
    kept = [
        at
        for at, (value, text) in enumerate(lesson.given)
        if at == 0 or text != quote or value in values or lesson.target == "flag"
    ]
    right = kept.index(lesson.right) if lesson.right in kept else len(kept)
    return lesson._replace(given=tuple(lesson.given[at] for at in kept), right=right)


def _vocabulary(group: Sequence[Lesson]) -> list[str]:
    """The words and pairs of words that stand in enough contracts."""
    contracts: dict[str, set[str]] = defaultdict(set)
    for lesson in group:
        for _, text in lesson.given:
            for word in words(text) | pairs(text):
                contracts[word].add(lesson.contract_id)
    return sorted(word for word, of in contracts.items() if len(of) >= LEAST_CONTRACTS)


def _fitted(items: Sequence[Sequence[dict[str, float]]], right: Sequence[int]) -> dict[str, float]:
    """Weights that make the right options likely; the last option of each item, none of them, is added here."""
    given = [[*item, {NONE: 1.0}] for item in items]
    names = sorted({name for item in given for option in item for name in option} | {CHOSEN})
    column = {name: at for at, name in enumerate(names)}
    starts = np.cumsum([0, *(len(item) for item in given)])
    matrix = np.zeros((int(starts[-1]), len(names)))
    for row, option in enumerate(option for item in given for option in item):
        for name, size in option.items():
            matrix[row, column[name]] = size
    chosen = starts[:-1] + np.array(right)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        scores = matrix @ weights
        highest = np.maximum.reduceat(scores, starts[:-1])
        raised = np.exp(scores - np.repeat(highest, np.diff(starts)))
        sums = np.add.reduceat(raised, starts[:-1])
        chances = raised / np.repeat(sums, np.diff(starts))
        wrong = chances.copy()
        wrong[chosen] -= 1
        value = -np.log(np.maximum(chances[chosen], 1e-300)).sum() + _PENALTY / 2 * weights @ weights
        return float(value), matrix.T @ wrong + _PENALTY * weights

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    return {name: round(float(weight), 4) for name, weight in zip(names, found, strict=True) if abs(weight) >= 5e-5}


def _try(opinion: Opinion, lesson: Lesson) -> Tried:
    """What the opinion makes of a lesson, by the same rules as `extractors.learned`."""
    weighed = Weighed(opinion)
    could_be = _narrowed(lesson, opinion.values)
    known = [at for at, (_, text) in enumerate(could_be.given) if weighed.knows(text)]
    if not known or known[0] != 0:
        return Tried(lesson, 0, False, lesson.confidence)
    chances = weighed.chances([could_be.given[at] for at in known])
    best = int(np.argmax(chances))
    if best == 0 or chances[best] < SURE:
        return Tried(lesson, 0, False, lesson.confidence)
    if best == len(known):
        return Tried(lesson, len(lesson.given), True, min(lesson.confidence, chances[0]))
    return Tried(lesson, lesson.given.index(could_be.given[known[best]]), True, chances[best])


# --- calibration


def calibrations(tried: Iterable[Tried]) -> Iterator[Calibration]:
    """A calibration for each term and rule, and for each capture class of it with enough decisions, that makes
    confidences truer on contracts it has not seen. What an opinion spoke on has a confidence of its own."""
    groups: dict[tuple, list[Lesson]] = defaultdict(list)
    for one in tried:
        if not one.spoke:
            lesson = one.lesson
            groups[lesson.target, lesson.field, None].append(lesson)
            groups[lesson.target, lesson.field, lesson.capture_class].append(lesson)
    for (target, field, capture_class), group in sorted(groups.items(), key=lambda item: tuple(map(str, item[0]))):
        is_all = capture_class is not None and len(group) == len(groups[target, field, None])
        if is_all or len(group) < LEAST_TO_CALIBRATE or not _does_good(group):
            continue
        what = {"target": target, "field": field, "capture_class": capture_class}
        yield Calibration(**what, decisions=len(group), steps=_steps(group))


def _does_good(group: Sequence[Lesson]) -> bool:
    """Whether the squared error of confidences falls on contracts that were not seen."""
    steps = list(_on_unseen(group, _steps, lambda steps, lesson: (steps, lesson)))
    fitted = [(along(_line(steps), lesson.confidence) - lesson.is_agreed) ** 2 for steps, lesson in steps]
    plain = [(lesson.confidence - lesson.is_agreed) ** 2 for _, lesson in steps]
    return sum(fitted) < sum(plain)


def _line(steps: tuple[tuple[float, float], ...]) -> Calibration:
    return Calibration(target="term", field="", decisions=0, steps=steps)


def _steps(group: Sequence[Lesson]) -> tuple[tuple[float, float], ...]:
    """Pairs of confidence and share of agreement, rising: pooled adjacent violators over equal confidences."""
    if not group:
        return ((0.0, 0.0), (1.0, 1.0))
    agreed: dict[float, list[bool]] = defaultdict(list)
    for lesson in group:
        agreed[round(lesson.confidence, 3)].append(lesson.is_agreed)
    blocks: list[list[float]] = []  # confidence times weight, agreed, weight
    for confidence, these in sorted(agreed.items()):
        blocks.append([confidence * len(these), float(sum(these)), float(len(these))])
        while len(blocks) > 1 and _share(blocks[-2]) >= _share(blocks[-1]):
            last = blocks.pop()
            blocks[-1] = [one + other for one, other in zip(blocks[-1], last, strict=True)]
    return tuple((round(block[0] / block[2], 4), round(_share(block), 4)) for block in blocks)


def _share(block: Sequence[float]) -> float:
    confidence, agreed, weight = block
    return (agreed + _TOWARDS * confidence / weight) / (weight + _TOWARDS)
