"""docs/questions.md: each named question with its parameters, its command, and what it answers on the sample contracts.

    python -m benchmarks.question_page WAREHOUSE [--out docs/questions.md]

The warehouse is that of `contract-agent run sample_contracts --warehouse WAREHOUSE --date 2026-11-02`. What counts from
today is counted from that date, and what hangs on the run itself (ids, moments, lengths, cost) is left out: the page is
the same from any folder on any day.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from warehouse.catalogue import VIEW_FOLDER
from warehouse.questions import Question, fitted, outside, questions
from warehouse.read import Row, query

PAGE = Path(__file__).resolve().parent.parent / "docs" / "questions.md"
MOST_ROWS = 8
LONGEST_CELL = 60
MOST_COLUMNS = 14
TODAY = date(2026, 11, 2)
_LEFT_OUT = re.compile(
    r"(?!rule_id).*_(id|key|at|hash|score)|.*(minutes|cost|seconds).*|days_waiting|target|version|playbook_version|parties"
)
_WITH = {"record_as_of": {"date": "2999-12-31"}}
"""Parameters instead of the defaults: whenever the warehouse was made, that was before this day."""
_HEAD = """# The questions

Each question with its parameters, the command, and the first rows of its answer on the
[sample contracts](sample_contracts.md). Long texts are cut, columns with ids and times left out.
`contract-agent query NAME --explain` shows the SQL; `contract-agent ask "..."` finds the question nearest to your words.

This page is written by `python -m benchmarks.question_page WAREHOUSE`; correct it there. Its today is 2 November 2026.
"""


def page(root: Path) -> str:
    """The page as Markdown."""
    return "\n".join([_HEAD, *(line for question in questions() for line in _section(question, root))])


def _section(question: Question, root: Path) -> Iterator[str]:
    yield f"## {question.number}. {question.question}\n"
    yield f"    contract-agent query {question.name}\n"
    for parameter in question.parameters:
        default = "none" if parameter.default is None else parameter.default
        yield f"- `{parameter.name}={default}`: {parameter.sentence}"
    if question.reference:
        columns = ", ".join(f"`{name}`" for name in question.reference.columns)
        yield f"- `{question.reference.name}=FILE.csv`: {question.reference.sentence}; its columns: {columns}"
    if question.parameters or question.reference:
        yield ""
    yield from _table(*_answer(question, root))


def _answer(question: Question, root: Path) -> tuple[list[str], list[Row]]:
    """Columns and rows as they were on the fixed day: in the question, and in the view that counts days ahead."""
    renewals = (VIEW_FOLDER / "renewals.sql").read_text(encoding="utf-8")
    sql = re.sub(r"\bFROM renewals\b", lambda _: f"FROM (\n{renewals}\n) AS renewals", question.sql)
    sql = re.sub(r"\bcurrent_date\b", f"DATE '{TODAY}'", sql)
    tables = {}
    if question.reference:
        tables["reference"] = outside(question.reference, None)
    return query(root, sql, fitted(question, _WITH.get(question.name, {})), tables)


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    shown = [place for place, name in enumerate(columns) if not _LEFT_OUT.fullmatch(name)]
    left = len(shown[MOST_COLUMNS:])
    shown = shown[:MOST_COLUMNS]
    if not rows:
        yield "No rows on the sample contracts.\n"
        return
    yield f"| {' | '.join(columns[place] for place in shown)} |"
    yield f"|{'---|' * len(shown)}"
    for row in rows[:MOST_ROWS]:
        yield f"| {' | '.join(_cell(row[place]) for place in shown)} |"
    yield f"\n{_count(len(rows))}{f' {left} more columns.' if left else ''}\n"


def _count(rows: int) -> str:
    counted = "1 row" if rows == 1 else f"{rows} rows"
    return f"{counted}, the first {MOST_ROWS} shown." if rows > MOST_ROWS else f"{counted}."


def _cell(value: Any) -> str:
    """The value as Markdown takes it: one line, no bars, not long."""
    if isinstance(value, list):
        return _cell(", ".join(map(str, value)))
    if isinstance(value, float | Decimal):
        return f"{value:,.2f}".removesuffix(".00")
    if isinstance(value, datetime) or value is None:
        return ""
    text = " ".join(str(value).split())
    cut = text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL].rstrip()}..."
    return cut.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.question_page", description=__doc__.splitlines()[0])
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("--out", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    options.out.write_text(page(options.warehouse), encoding="utf-8")
    print(f"Wrote {options.out}")


if __name__ == "__main__":
    main()
