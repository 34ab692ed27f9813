"""docs/questions.md: each named question with its parameters, its command, and what it answers on the sample contracts.

    contract-agent benchmark question_page [--warehouse DIR] [--out docs/questions.md]

Without a warehouse the night runs over the sample contracts first, with a fixed business date, from which all questions
count. What hangs on the run itself (ids, moments, lengths, cost) is left out: the page is the same from any folder on
any day.
"""

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from warehouse.questions import Question, ask, questions

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "questions.md"
MOST_ROWS = 8
LONGEST_CELL = 60
MOST_COLUMNS = 14
TODAY = date(2026, 11, 2)
_LEFT_OUT = re.compile(
    r"(?!rule_id).*_(id|key|at|hash|score)|.*(minutes|cost|seconds).*|days_waiting|target|version|playbook_version|parties"
)
_HEAD = """# The questions

Each question with its parameters, the command, and the first rows of its answer on the
[sample contracts](sample_contracts.md). Long texts are cut, columns with ids and times left out.
`contract-agent query NAME --explain` shows the SQL; `contract-agent ask "..."` finds the question nearest to your
words.

This page is written by `contract-agent benchmark question_page`; change it there. The run was of 2 November 2026.
"""


def page(root: Path) -> str:
    """The page as Markdown."""
    return "\n".join([_HEAD, *(line for question in questions() for line in _section(question, root))])


def head(question: Question) -> str:
    """What the page says of a question above its answer: all that does not need a warehouse.

    The mark at its end changes with the SQL, so that a page with answers of older SQL is seen to be old.
    """
    lines = [f"## {question.number}. {question.question}\n", f"    contract-agent query {question.name}\n"]
    for parameter in question.parameters:
        default = "none" if parameter.default is None else parameter.default
        lines.append(f"- `{parameter.name}={default}`: {parameter.sentence}")
    if question.reference:
        columns = ", ".join(f"`{name}`" for name in question.reference.columns)
        lines.append(f"- `{question.reference.name}=FILE.csv`: {question.reference.sentence}; its columns: {columns}")
    if question.parameters or question.reference:
        lines.append("")
    mark = hashlib.sha256(question.statement.encode()).hexdigest()[:12]
    return "\n".join([*lines, f"<!-- SQL {mark} -->\n"])


def _section(question: Question, root: Path) -> Iterator[str]:
    yield head(question)
    yield from _table(*ask(root, question.name))


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


@contextmanager
def _samples() -> Iterator[Path]:
    """A warehouse with the sample contracts, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="questions-") as folder:
        warehouse = Path(folder) / "warehouse"
        command = [
            Path(sys.executable).parent / "contract-agent",
            "run",
            ROOT / "sample_contracts",
            "--warehouse",
            warehouse,
        ]
        done = subprocess.run([*command, "--date", str(TODAY)], cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"The run failed: {done.stderr[-2000:]}")
        yield warehouse


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark question_page", description=__doc__.splitlines()[0])
    parser.add_argument("--warehouse", type=Path, help="one that holds the sample contracts and nothing else")
    parser.add_argument("--out", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    with nullcontext(options.warehouse) if options.warehouse else _samples() as warehouse:
        text = page(warehouse)
    options.out.write_text(text, encoding="utf-8")
    print(f"Wrote {options.out}")
