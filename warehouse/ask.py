"""An answer to somebody's own words by the nearest named question: which one, with what, and what was left aside."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from warehouse.figures import Told, told, without_figures
from warehouse.nearest import Near, nearest
from warehouse.questions import Question, Value, ask
from warehouse.read import Row

SHOWN = 3
"""So many questions are shown where none is near enough."""
WORTH_SHOWING = 0.1
"""Below this a question has nothing to do with the words."""
FIGURE_LEFT = 0.8
"""What is left of a score for each measure that the question has no place for."""
TOO_ALIKE = 0.95
"""Where a second question is nearly as near as the first, from this share on, neither is meant for sure."""
_LOOKED_AT = 10
_HOW_TO = re.compile(r"\s*how\s+(?:to|(?:do|can|could|should)\s+(?:i|we|you|one))\b", re.IGNORECASE)


class Understood(NamedTuple):
    """The question that was taken (None when none is near enough) with its parameters as the words give them.

    `near` are the nearest, three at most, best first. `unused` are words and figures without a place in the question.
    """

    taken: Question | None
    parameters: dict[str, Value]
    near: tuple[Near, ...]
    unused: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """How to ask the same again by its name."""
        given = "".join(f" {name}={value}" for name, value in self.parameters.items())
        return f"contract-agent query {self.taken.name}{given}" if self.taken else ""


def ask_offline(words: str) -> Understood:
    """What the words ask, as a named question."""
    ranked = sorted(_weighed(words), key=lambda each: (-each[0].score, each[0].question.number))
    near = tuple(near for near, _ in ranked[:SHOWN] if near.score >= WORTH_SHOWING)
    if not near or not near[0].is_near or _HOW_TO.match(words):
        return Understood(None, {}, near)
    best, said = ranked[0]
    if said.asks_for_other_side or any(other.score >= TOO_ALIKE * best.score for other in near[1:]):
        return Understood(None, {}, near)
    return Understood(best.question, said.values, near, (*best.unused, *said.unused))


def _weighed(words: str) -> Iterator[tuple[Near, Told]]:
    """The nearest questions, farther where figures are left over, and what the words say of their parameters."""
    for near in nearest(without_figures(words), _LOOKED_AT):
        said = told(near.question, words)
        yield near._replace(score=round(near.score * FIGURE_LEFT**said.missed, 4)), said


def answer_offline(root: Path, understood: Understood) -> tuple[list[str], list[Row]]:
    """Column names and rows of the question that was taken. Raises QueryError as `questions.ask` does."""
    assert understood.taken
    given: dict[str, Any] = dict(understood.parameters)
    return ask(root, understood.taken.name, **given)
