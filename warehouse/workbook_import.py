"""The workbook as it comes back: what reviewers filled in becomes decisions. Nothing is judged here."""

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from schemas.errors import WarehouseError
from schemas.review import TargetName
from warehouse.decisions import TARGETS, Decision
from warehouse.sheets import SHEETS
from warehouse.workbook import HASH_COLUMN, REVIEWERS_COLUMNS

_FILLED = tuple(name for name in REVIEWERS_COLUMNS if name != "reviewer")
_LOWER = ("decision", "reason_code")  # codes; people may begin them with a capital
_ESCAPED = re.compile(r"_x00([01][0-9A-F])_")
_UNREADABLE = (OSError, EOFError, KeyError, ValueError, SyntaxError, zlib.error)  # SyntaxError: XML that isn't
_UNREADABLE += (zipfile.BadZipFile, InvalidFileException)


def filled_in(path: Path, reviewer: str | None = None) -> list[Decision]:
    """A decision for each row in which a reviewer filled in more than a name, in the order of sheets and rows.

    `reviewer` stands for whoever left that column empty. Raises WarehouseError when the file can't be read, or when no
    sheet or not every column is there that `export` wrote; columns may have moved and rows been sorted or removed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that openpyxl does not know
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            try:
                names = [name for name, sheet in SHEETS.items() if sheet.target and name in book.sheetnames]
                given = [decision for name in names for decision in _decisions(book[name], reviewer)]
            finally:
                book.close()
    except _UNREADABLE as error:
        raise WarehouseError(
            f"{path} can't be read as a workbook: {error}.",
            help="Give the .xlsx file that `contract-agent export` wrote, saved as .xlsx again.",
            code="workbook",
        ) from error
    if not names:
        raise _not_ours(path.name, "it has none of the sheets that take decisions")
    return given


def _decisions(sheet: Any, reviewer: str | None) -> Iterator[Decision]:
    target = SHEETS[sheet.title].target
    sheet.reset_dimensions()  # some programs write wrong ones
    rows = sheet.iter_rows()
    columns = _columns(sheet.title, target, next(rows, ()))
    for number, cells in enumerate(rows, 2):
        said = {name: _typed(cells[at]) if at < len(cells) else None for name, at in columns.items()}
        if any(said[name] is not None for name in _FILLED):
            yield _decision(said, target, reviewer, sheet.title, number)


def _columns(sheet: str, target: TargetName, header: Sequence[Any]) -> dict[str, int]:
    """Name of each column that is needed -> where it stands."""
    there = {str(cell.value or "").strip().lower().replace(" ", "_"): at for at, cell in enumerate(header)}
    needed = (TARGETS[target].id, *REVIEWERS_COLUMNS, HASH_COLUMN)
    if missing := [name for name in needed if name not in there]:
        raise _not_ours(f"The sheet {sheet}", f"it has no column {', '.join(missing)}")
    return {name: there[name] for name in needed}


def _decision(said: dict[str, str | None], target: TargetName, reviewer: str | None, sheet: str, row: int) -> Decision:
    values = {name: said[name] for name in (*REVIEWERS_COLUMNS, HASH_COLUMN)}
    values |= {name: values[name].strip().lower() for name in _LOWER if values[name]}
    values["reviewer"] = (values["reviewer"] or reviewer or "").strip() or None
    target_id = (said[TARGETS[target].id] or "").strip()
    return Decision(target=target, target_id=target_id, sheet=sheet, row=row, **values)


def _typed(cell: Any) -> str | None:
    """What a person typed, also where the program made a date or a number of it; None of an empty cell."""
    match cell.value:
        case None:
            return None
        case bool() as value:
            return "true" if value else "false"
        case datetime() as value:
            day = value.time() == datetime.min.time()
            return value.date().isoformat() if day else value.isoformat(sep=" ")
        case date() as value:
            return value.isoformat()
        case int() | float() as value:
            return _number(value, "%" in (cell.number_format or ""))
        case value:
            text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), str(value)).replace("\r\n", "\n")
            return text if text.strip() else None


def _number(value: float, is_share: bool) -> str:
    """The shortest number that is this one; a share as the cell shows it, with its sign."""
    exact = Decimal(repr(value)) * (100 if is_share else 1)
    text = f"{exact:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text}%" if is_share else text


def _not_ours(what: str, why: str) -> WarehouseError:
    return WarehouseError(
        f"{what} can't be taken: {why}.",
        help="Export again and fill in the coloured columns; keep the sheets' and columns' names.",
        code="workbook",
    )
