"""How often the nearest named question is the right one, and how often what no question answers is refused.

    contract-agent benchmark ask [--wrong]

The wordings in benchmarks/samples/asked.yaml, three for each question, were written before the ranking was tuned, and
every third was left out of the tuning. Those in asked_second.yaml were written after it from the questions' sentences
alone, measured, and then tuned to. Those in asked_unseen.yaml are for measuring only: expect of your own words what
they show. `--wrong` shows what went wrong; of the unseen it tells nothing, lest somebody tune to them.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from warehouse.ask import ask_offline

SAMPLES = Path(__file__).parent / "samples"
HALVES = ("tuning", "testing", "second", "unseen")
_EVERY = 3  # the last of three wordings is for testing


class Asked(NamedTuple):
    """Words, the question they mean (None where no question does), and what they say of its parameters."""

    words: str
    name: str | None
    parameters: dict[str, Any]
    half: str


class Score(NamedTuple):
    """Figures of one half: shares of what was asked, and of what had to be refused."""

    half: str
    asked: int
    top_1: float
    top_3: float
    answered_right: float
    answered_wrong: float
    parameters_right: float
    foreign: int
    refused: float


def asked() -> Iterator[Asked]:
    """All words of both files."""
    yield from _held("asked.yaml", _half)
    yield from _held("asked_second.yaml", lambda place: "second")
    yield from _held("asked_unseen.yaml", lambda place: "unseen")


def _held(name: str, half: Callable[[int], str]) -> Iterator[Asked]:
    held = yaml.safe_load((SAMPLES / name).read_text(encoding="utf-8"))
    for name, wordings in held["questions"].items():
        for place, said in enumerate(wordings):
            words = said if isinstance(said, str) else said["say"]
            given = {} if isinstance(said, str) else said["with"]
            yield Asked(words, name, {key: _plain(value) for key, value in given.items()}, half(place))
    for place, words in enumerate(held["foreign"]):
        yield Asked(words, None, {}, half(place))


def _half(place: int) -> str:
    return HALVES[place % _EVERY == _EVERY - 1]


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def measure(half: str, wrong: list[str]) -> Score:
    """The figures of one half; what went wrong is added to `wrong`."""
    first = third = right = false = values = refused = 0
    meant = [each for each in asked() if each.half == half and each.name]
    foreign = [each for each in asked() if each.half == half and not each.name]
    for each in meant:
        found = ask_offline(each.words)
        names = [near.question.name for near in found.near]
        first += names[:1] == [each.name]
        third += each.name in names
        taken = found.taken.name if found.taken else None
        right += taken == each.name
        false += taken not in (None, each.name)
        values += taken == each.name and found.parameters == each.parameters
        if taken != each.name or found.parameters != each.parameters:
            wrong.append(f"{half}: {each.words!r} is {each.name} {each.parameters}, got {taken} {found.parameters}")
    for each in foreign:
        taken = ask_offline(each.words).taken
        refused += taken is None
        if taken:
            wrong.append(f"{half}: {each.words!r} is nothing, got {taken.name}")
    shares = [round(count / len(meant), 4) for count in (first, third, right, false)]
    return Score(half, len(meant), *shares, round(values / max(1, right), 4), len(foreign), refused / len(foreign))


def main(arguments: Sequence[str]) -> None:
    """Print the figures as a table and as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark ask", description=__doc__.splitlines()[0])
    parser.add_argument("--wrong", action="store_true", help="show what went wrong")
    options = parser.parse_args(arguments)
    wrong: list[str] = []
    scores = [measure(half, wrong) for half in HALVES]
    titles = ("half", "asked", "top 1", "top 3", "answered right", "answered wrong", "parameters", "foreign", "refused")
    print("  ".join(f"{title:>14}" for title in titles))
    for score in scores:
        cells = [f"{value:.1%}" if isinstance(value, float) else str(value) for value in score]
        print("  ".join(f"{cell:>14}" for cell in cells))
    if options.wrong:
        print("\n".join(line for line in wrong if not line.startswith("unseen")))
    print(json.dumps([score._asdict() for score in scores]))
