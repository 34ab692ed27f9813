"""An answer to somebody's own words by the nearest named question: which one, with what, and what was left aside."""

from pathlib import Path
from typing import Any, NamedTuple

from warehouse.figures import told
from warehouse.nearest import Near, nearest
from warehouse.questions import Question, Value, ask
from warehouse.read import Row


class Understood(NamedTuple):
    """The question that was taken (None when none is near enough) with its parameters as the words give them.

    `near` are the three nearest, best first. `unused` are words and figures that the question has no place for.
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
    near = tuple(nearest(words))
    if not near or not near[0].is_near:
        return Understood(None, {}, near)
    best = near[0]
    said = told(best.question, words)
    if said.asks_for_other_side:
        return Understood(None, {}, near)
    return Understood(best.question, said.values, near, (*best.unused, *said.unused))


def answer(root: Path, understood: Understood) -> tuple[list[str], list[Row]]:
    """Column names and rows of the question that was taken. Raises QueryError as `questions.ask` does."""
    assert understood.taken
    given: dict[str, Any] = dict(understood.parameters)
    return ask(root, understood.taken.name, **given)
