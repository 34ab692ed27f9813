"""The workbook: the morning's views as typed sheets for reviewers who live in a spreadsheet."""

import math
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from schemas.errors import WarehouseError
from warehouse.manifest import settle
from warehouse.read import connect

SHEETS: dict[str, str] = {
    "Brief": "SELECT * FROM morning_brief",
    "Queue": "SELECT * FROM review_queue",
    "Contracts": "SELECT * FROM contracts ORDER BY counterparty, title, contract_id",
    "Non-standard": "SELECT * EXCLUDE (x0, y0, x1, y1) FROM nonstandard_terms",
    "ASC 606": "SELECT * FROM asc606_checklist",
    "Obligations": """SELECT c.title, c.counterparty, o.* FROM obligations o
        LEFT JOIN contracts c ON c.contract_id = o.contract_id ORDER BY o.due_date, c.title, o.obligation""",
    "Renewals": "SELECT * FROM renewals",
    "Billing": """SELECT c.title, c.counterparty, b.* FROM billing_schedule b
        LEFT JOIN contracts c ON c.contract_id = b.contract_id ORDER BY b.due_date, c.title""",
    "Changes": "SELECT * FROM changes_since_last_run",
    "Sources": """SELECT c.title, c.counterparty, t.term, t.value, t.unit, t.absence, t.quote, t.page_number,
            d.file_name, t.evidence, t.match_score, t.confidence, t.extractor, t.model, t.term_id,
            t.contract_id
        FROM terms t LEFT JOIN contracts c ON c.contract_id = t.contract_id
        LEFT JOIN documents d ON d.document_id = t.document_id
        ORDER BY c.counterparty, c.title, t.contract_id, t.term""",
}
"""Name of each sheet -> what it shows."""

_ROWS = 1_048_575  # that a sheet takes below its header
_CHARACTERS = 32_767  # that a cell takes
_EXCEL_BEGINS = 1900
_WIDE = {"reason", "quote", "text", "reference_titles", "proposal", "error_message", "detail", "parties"}
_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "constant_memory": True,
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


def _write(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    book = xlsxwriter.Workbook(str(path), _OPTIONS)
    formats = {
        "header": book.add_format({"bold": True, "bg_color": "#DDE6F0", "bottom": 1, "valign": "top"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        "money": book.add_format({"num_format": "#,##0.00"}),
    }
    for name, sql in SHEETS.items():
        _sheet(book.add_worksheet(name), con, sql, formats)
    book.close()


def _sheet(sheet: Worksheet, con: duckdb.DuckDBPyConnection, sql: str, formats: dict[str, Format]) -> None:
    con.execute(f"SELECT * FROM ({sql}) LIMIT {_ROWS}")
    names = [column[0] for column in con.description or ()]
    sheet.freeze_panes(1, 0)
    for at, name in enumerate(names):
        sheet.set_column(at, at, 60 if name in _WIDE else max(12, min(30, len(name) + 4)))
        sheet.write_string(0, at, name.replace("_", " ").capitalize(), formats["header"])
    last = 0
    while rows := con.fetchmany(5_000):
        for row in rows:
            last += 1
            for at, value in enumerate(row):
                _cell(sheet, last, at, value, formats)
    sheet.autofilter(0, 0, last, len(names) - 1)


def _cell(sheet: Worksheet, row: int, at: int, value: Any, formats: dict[str, Format]) -> None:
    """Write one value with its type. Text is always written as text, whatever sign it begins with."""
    match value:
        case None:
            return
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
