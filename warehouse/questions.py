"""Named questions: one SQL file each in `queries/`, with its question and parameters in the first lines.

-- number: 6
-- question: Which have payment terms beyond 60 days?
-- also: late payers; net 90 days
-- parameter: days = 60 ; longest term that is still fine

`also` has other wordings of the question, for whoever asks in words of their own (see `warehouse.nearest`).

What needs data from outside has a reference: a CSV file given by its name, which the query reads as `reference`.

-- reference: crm ; customer VARCHAR, amount DOUBLE, closed_on DATE ; the closed and won deals of the CRM
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv

from schemas.base import Frozen
from schemas.errors import QueryError
from warehouse.read import Row, query

QUERY_FOLDER = Path(__file__).parent / "queries"
_HEADER = re.compile(r"-- (number|question|also|parameter|reference): (.*)")
_ARROW = {"VARCHAR": pa.string(), "DOUBLE": pa.float64(), "DATE": pa.date32()}
_PARAMETER = re.compile(r"(\w+)\s*=\s*(.*?)\s*;\s*(.+)")

Value = int | float | str | None


class Parameter(Frozen):
    """A parameter of a question. Its default says its type too; None stands for an optional text."""

    name: str
    default: Value
    sentence: str


class Outside(Frozen):
    """A list from outside that a question compares with: its name, columns with their types, and what it is."""

    name: str
    columns: dict[str, str]
    sentence: str


class Question(Frozen):
    """A question that reviewers ask, and the query that answers it; `number` is its place in the list."""

    name: str
    number: int
    question: str
    also: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...]
    reference: Outside | None = None
    sql: str

    @property
    def statement(self) -> str:
        """The SQL without its header."""
        return "\n".join(line for line in self.sql.splitlines() if not _HEADER.fullmatch(line))


@cache
def questions() -> tuple[Question, ...]:
    """All questions by number."""
    read = [_read(path) for path in QUERY_FOLDER.glob("*.sql")]
    return tuple(sorted(read, key=lambda question: (question.number, question.name)))


def ask(root: Path, name: str, *, as_of: str | None = None, **parameters: Any) -> tuple[list[str], list[Row]]:
    """Column names and rows that answer a question; what is not given has its default. `as_of` is a date or a run's id.

    Raises QueryError for an unknown name, naming near ones, and for an unknown or unfit parameter.
    """
    question = named(name)
    known = {parameter.name: parameter for parameter in question.parameters}
    tables = {}
    if question.reference:
        tables["reference"] = outside(question.reference, parameters.pop(question.reference.name, None))
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise QueryError(
            f"The question {question.name} has no parameter {', '.join(unknown)}.",
            help=f"It takes {', '.join(known)}." if known else "It takes none.",
        )
    values = fitted(question, parameters)
    is_usual = not tables and values == fitted(question, {})
    return query(root, question.sql, values, tables, as_of, answer=name if is_usual else None)


def explained(question: Question) -> str:
    """The question in full: sentence, other wordings, parameters with their defaults, columns of its CSV, SQL."""
    lines = [f"{question.number}. {question.question}", ""]
    if question.also:
        lines += [f"Also: {'; '.join(question.also)}", ""]
    for parameter in question.parameters:
        default = "none" if parameter.default is None else parameter.default
        lines.append(f"{parameter.name}={default}  {parameter.sentence}")
    if question.reference:
        columns = ", ".join(f"{name} {kind}" for name, kind in question.reference.columns.items())
        lines.append(f"{question.reference.name}=FILE.csv  {question.reference.sentence}; its columns: {columns}")
    if not question.parameters and not question.reference:
        lines.append("It takes no parameters.")
    return "\n".join([*lines, "", question.statement])


def outside(reference: Outside, file: str | None) -> pa.Table:
    """The rows of the file, none without one. Raises QueryError when it can't be read or lacks a column."""
    schema = pa.schema([(name, _ARROW[kind]) for name, kind in reference.columns.items()])
    if file is None:
        return schema.empty_table()
    columns = ", ".join(reference.columns)
    help = f"It has to be a CSV file with the columns {columns}: {reference.sentence}."
    try:
        options = csv.ConvertOptions(column_types=schema, include_columns=schema.names)
        return csv.read_csv(file, convert_options=options)
    except OSError as error:
        raise QueryError(f"{file} can't be read: {error.strerror or error}.", help=help) from error
    except (pa.ArrowInvalid, KeyError) as error:
        raise QueryError(f"{file} can't be taken: {str(error).splitlines()[0].strip(chr(39))}.", help=help) from error


def named(name: str) -> Question:
    """The question of that name. Raises QueryError when there is none, naming near ones."""
    known = {question.name: question for question in questions()}
    wanted = name.strip().lower().replace("-", "_")
    if wanted in known:
        return known[wanted]
    near = get_close_matches(wanted, known, n=3, cutoff=0.4)
    help = f"Near it: {', '.join(near)}." if near else "`contract-agent query --list` shows all."
    raise QueryError(f"There is no question called {name}.", help=help, code="unknown_question")


def fitted(question: Question, given: Mapping[str, Any]) -> dict[str, Value]:
    """The value of each parameter: as given, of the parameter's type, else its default. Raises QueryError."""
    return {each.name: _fit(each, given.get(each.name, each.default)) for each in question.parameters}


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
        also=tuple(wording.strip() for wording in of["also"].split(";")) if "also" in of else (),
        parameters=tuple(_parameter(line) for kind, line in header if kind == "parameter"),
        reference=_reference(of["reference"]) if "reference" in of else None,
        sql=text,
    )


def _reference(line: str) -> Outside:
    name, columns, sentence = (part.strip() for part in line.split(";"))
    return Outside(name=name, columns=dict(column.split() for column in columns.split(",")), sentence=sentence)


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
