"""The workbook: the morning's views as typed sheets for reviewers who live in a spreadsheet.

Reviewers fill in the coloured columns; `warehouse.workbook_import` takes them back.
"""

import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import duckdb
import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.format import Format
from xlsxwriter.url import Url
from xlsxwriter.worksheet import Worksheet

from schemas.errors import WarehouseError
from schemas.review import DECISIONS, REASON_CODES
from warehouse.decisions import evidence_of
from warehouse.links import Links
from warehouse.manifest import settle
from warehouse.read import connect
from warehouse.sheets import SHEETS, Sheet

REVIEWERS_COLUMNS = ("decision", "new_value", "reason_code", "comment", "reviewer")
HASH_COLUMN = "evidence_hash"

_ROWS = 1_048_575  # that a sheet takes below its header
_LINKS = 65_530  # that a sheet takes
_CHARACTERS = 32_767  # that a cell takes
_EXCEL_BEGINS = 1900
_WIDE = {"reason", "quote", "text", "reference_titles", "proposal", "error_message", "detail", "parties", "comment"}
_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "constant_memory": True,
}
_LISTS = {"decision": DECISIONS, "reason_code": REASON_CODES}
_HINT = {
    "validate": "any",
    "input_title": "New value",
    "input_message": "A date as 2026-01-31, a number or amount as 1200.50, a choice as the other rows write it.",
}
_FORMATS = {
    "header": {"bold": True, "bg_color": "#DDE6F0", "bottom": 1, "valign": "top"},
    "date": {"num_format": "yyyy-mm-dd"},
    "moment": {"num_format": "yyyy-mm-dd hh:mm"},
    "money": {"num_format": "#,##0.00"},
    "link": {"font_color": "#0563C1", "underline": 1},
    # Text, so that Excel keeps what is typed: 2026-01-31 stays that and becomes no number of days.
    "reviewer": {"bg_color": "#FFF8DC", "num_format": "@"},
    "reviewer_header": {"bold": True, "bg_color": "#FFD966", "bottom": 1, "valign": "top"},
    "grey": {"font_color": "#999999"},
}


def export(root: Path, path: Path) -> Path:
    """Write the workbook and give back its path; an older file of that name is replaced in one step.

    Raises WarehouseError when the folder is missing or can't be written, or there is no warehouse.
    """
    path = Path(path).absolute()
    if path.is_dir() or not path.parent.is_dir():
        reason = "it is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise WarehouseError(
            f"{path} can't be written: {reason}.",
            help="Give the path of an .xlsx file in a folder that exists.",
        )
    con = connect(root)
    built = path.with_name(f".{path.name}-{uuid4().hex}.tmp")
    try:
        _write(con, built)
        settle(built, path)
    except (OSError, XlsxWriterException) as error:
        raise WarehouseError(
            f"{path} can't be written: {error}.", help="Close it elsewhere, or give another name."
        ) from error
    finally:
        con.close()
        built.unlink(missing_ok=True)
    return path


class _Book(NamedTuple):
    """What all sheets share."""

    con: duckdb.DuckDBPyConnection
    formats: dict[str, Format]
    links: Links


def _write(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    file = xlsxwriter.Workbook(str(path), _OPTIONS)
    book = _Book(con, {name: file.add_format(of) for name, of in _FORMATS.items()}, Links(con))
    pages = {name: file.add_worksheet(name) for name in SHEETS}
    cut = []
    for name in sorted(SHEETS, key=lambda name: name == "Brief"):  # last, as it tells what the others left out
        left_out = _sheet(pages[name], SHEETS[name], book, cut if name == "Brief" else ())
        if left_out:
            cut.append(("workbook", "rows_left_out", left_out, f"of the sheet {name}, which takes {_ROWS:,}"))
    file.close()


def _sheet(page: Worksheet, sheet: Sheet, book: _Book, more: Sequence[tuple[Any, ...]] = ()) -> int:
    """Write the sheet's rows and `more`; returns how many did not fit."""
    book.con.execute(sheet.sql)
    names = [column[0] for column in book.con.description or ()]
    writer = _Writer(page, sheet, names, book)
    left_out = 0
    while rows := book.con.fetchmany(5_000):
        fit = rows[: max(0, _ROWS - writer.row)]
        for row in fit:
            writer.add(row)
        left_out += len(rows) - len(fit)
    for row in more:
        writer.add(row)
    writer.finish()
    return left_out


class _Writer:
    """Writes one sheet from top to bottom: the columns of its rows, the link to the page, the reviewer's columns."""

    def __init__(self, page: Worksheet, sheet: Sheet, names: list[str], book: _Book):
        self.row = 0
        self._page, self._sheet, self._names, self._book = page, sheet, names, book
        self._links = 0
        self._columns = list(names)
        self._place = self._hash_at = None
        if {"document_id", "page_number"} <= set(names):
            self._place = names.index("document_id"), names.index("page_number")
            self._columns.append("link")
        if sheet.target:
            self._columns += [*REVIEWERS_COLUMNS, HASH_COLUMN]
            self._hash_at = len(self._columns) - 1
        self._head()

    def add(self, row: Sequence[Any]) -> None:
        self.row += 1
        for at, value in enumerate(row):
            if value is not None:
                _cell(self._page, self.row, at, value, self._book.formats)
        if self._place:
            document, page_number = (row[at] for at in self._place)
            self._link(self._book.links.page(document, page_number), page_number)
        if self._sheet.target:
            seen = evidence_of(self._sheet.target, dict(zip(self._names, row, strict=True)))
            self._page.write_string(self.row, self._hash_at, seen, self._book.formats["grey"])

    def finish(self) -> None:
        self._page.autofilter(0, 0, self.row, len(self._columns) - 1)
        if self._sheet.target:
            for name, source in _LISTS.items():
                self._validate(name, {"validate": "list", "source": list(source)})
            self._validate("new_value", _HINT)

    def _head(self) -> None:
        formats = self._book.formats
        self._page.freeze_panes(1, 0)
        for at, name in enumerate(self._columns):
            own = at >= len(self._names) and name in REVIEWERS_COLUMNS
            width = 60 if name in _WIDE else max(12, min(30, len(name) + 4))
            options = {"hidden": True} if at == self._hash_at else {}
            self._page.set_column(at, at, width, formats["reviewer"] if own else None, options)
            head = formats["reviewer_header" if own else "header"]
            self._page.write_string(0, at, name.replace("_", " ").capitalize(), head)

    def _link(self, uri: str | None, page_number: int | None) -> None:
        if uri is None:
            return
        at = len(self._names)
        self._links += 1
        if self._links <= _LINKS and (url := _url(uri)):
            url.text = f"page {page_number}" if page_number else "open"
            self._page.write_url(self.row, at, url, self._book.formats["link"])
        else:
            self._page.write_string(self.row, at, _text(uri))

    def _validate(self, name: str, rule: dict[str, Any]) -> None:
        at = self._columns.index(name, len(self._names))
        self._page.data_validation(1, at, max(1, self.row), at, rule)


class _FileUrl(Url):
    """A file URI as it is; xlsxwriter takes those of POSIX for relative paths of Windows."""

    def _target(self) -> str:
        return self._original_url.partition("#")[0]


def _url(uri: str) -> Url | None:
    try:
        return _FileUrl(uri)
    except ValueError:  # longer than Excel takes
        return None


def _cell(sheet: Worksheet, row: int, at: int, value: Any, formats: dict[str, Format]) -> None:
    """Write one value with its type. Text is always written as text, whatever sign it begins with."""
    match value:
        case bool():
            sheet.write_boolean(row, at, value)
        case Decimal():
            sheet.write_number(row, at, float(value), formats["money"])
        case int() | float() if math.isfinite(value):
            sheet.write_number(row, at, value)
        case datetime() if value.year >= _EXCEL_BEGINS:
            sheet.write_datetime(row, at, value, formats["moment"])
        case date() if value.year >= _EXCEL_BEGINS:
            sheet.write_datetime(row, at, datetime(value.year, value.month, value.day), formats["date"])
        case _:
            sheet.write_string(row, at, _text(value))


def _text(value: Any) -> str:
    if isinstance(value, list):
        text = "; ".join(map(_text, value))
    elif isinstance(value, dict):
        text = " ".join(f"({part})" if at else str(part) for at, part in enumerate(value.values()) if part)
    else:
        text = str(value)
    return text if len(text) <= _CHARACTERS else text[: _CHARACTERS - 1] + "…"
