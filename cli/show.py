"""Rows and progress on a terminal."""

import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

WIDEST_CELL = 60


def rows_as(format: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows as a table, as CSV, or as a JSON array of objects."""
    {"table": _table, "csv": _csv, "json": _json}[format](columns, rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[i], int | float | Decimal | None) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", max_width=WIDEST_CELL)
    for row in rows:
        table.add_row(*(Text("" if value is None else _plain(value)) for value in row))
    width = None if sys.stdout.isatty() else 40 + WIDEST_CELL * len(columns)
    console = Console(width=width, highlight=False)
    console.print(table)
    console.print(f"{len(rows)} row{'' if len(rows) == 1 else 's'}")


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, dict):
        return " ".join(_plain(item) for item in value.values() if item is not None)
    return " ".join(str(value).split())


def _csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(columns)
    writer.writerows([["" if value is None else _cell(value) for value in row] for row in rows])


def _cell(value: Any) -> Any:
    return json.dumps(value, default=_simple, ensure_ascii=False) if isinstance(value, list | dict) else value


def _json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    objects = [dict(zip(columns, row, strict=True)) for row in rows]
    print(json.dumps(objects, default=_simple, ensure_ascii=False, indent=1))


def _simple(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


@contextmanager
def progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, a line now and then in a log; both on standard error."""
    if sys.stderr.isatty():
        with _bar() as watch:
            yield watch
    else:
        yield _log_line


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Reading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("documents", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _log_line(done: int, total: int) -> None:
    step = max(1, total // 10)
    if done % step == 0 or done == total:
        print(f"{done} of {total} documents", file=sys.stderr, flush=True)
