"""Named questions: one SQL file each in `queries/`, with its question and parameters in the first lines.

-- number: 6
-- question: Which have payment terms beyond 60 days?
-- parameter: days = 60 ; longest term that is still fine
"""

import re
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from schemas.base import Frozen
from schemas.errors import QueryError
from warehouse.read import Row, query

QUERY_FOLDER = Path(__file__).parent / "queries"
_HEADER = re.compile(r"-- (number|question|parameter): (.*)")
_PARAMETER = re.compile(r"(\w+)\s*=\s*(.*?)\s*;\s*(.+)")

Value = int | float | str | None


class Parameter(Frozen):
    """A parameter of a question. Its default says its type too; None stands for an optional text."""

    name: str
    default: Value
    sentence: str


class Question(Frozen):
    """A question that reviewers ask, and the query that answers it; `number` is its place in the list."""

    name: str
    number: int
    question: str
    parameters: tuple[Parameter, ...]
    sql: str


@cache
def questions() -> tuple[Question, ...]:
    """All questions by number."""
    read = [_read(path) for path in QUERY_FOLDER.glob("*.sql")]
    return tuple(sorted(read, key=lambda question: (question.number, question.name)))


def ask(root: Path, name: str, **parameters: Any) -> tuple[list[str], list[Row]]:
    """Column names and rows that answer a question; what is not given has its default.

    Raises QueryError for an unknown name, naming near ones, and for an unknown or unfit parameter.
    """
    question = _named(name)
    known = {parameter.name: parameter for parameter in question.parameters}
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise QueryError(
            f"The question {question.name} has no parameter {', '.join(unknown)}.",
            help=f"It takes {', '.join(known)}." if known else "It takes none.",
        )
    values = {key: _fit(known[key], parameters.get(key, known[key].default)) for key in known}
    return query(root, question.sql, values)


def _named(name: str) -> Question:
    known = {question.name: question for question in questions()}
    wanted = name.strip().lower().replace("-", "_")
    if wanted in known:
        return known[wanted]
    near = get_close_matches(wanted, known, n=3, cutoff=0.4)
    help = f"Near it: {', '.join(near)}." if near else "`contract-agent query --list` shows all."
    raise QueryError(f"There is no question called {name}.", help=help, code="unknown_question")


def _fit(parameter: Parameter, value: Any) -> Value:
    if parameter.default is None or value is None:
        return value
    try:
        return type(parameter.default)(value)
    except ValueError as error:
        raise QueryError(
            f"{value!r} can't be the parameter {parameter.name}: {parameter.sentence}.",
            help=f"Its default is {parameter.default}.",
        ) from error


def _read(path: Path) -> Question:
    text = path.read_text(encoding="utf-8")
    header = [match.groups() for match in map(_HEADER.fullmatch, text.splitlines()) if match]
    of = dict(header)
    return Question(
        name=path.stem,
        number=int(of["number"]),
        question=of["question"],
        parameters=tuple(_parameter(line) for kind, line in header if kind == "parameter"),
        sql=text,
    )


def _parameter(line: str) -> Parameter:
    match = _PARAMETER.fullmatch(line)
    if match is None:
        raise QueryError(f"A query's header has a parameter that can't be read: {line}.")
    return Parameter(name=match[1], default=_default(match[2]), sentence=match[3])


def _default(text: str) -> Value:
    if text == "null":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
