"""One sheet of the workbook, or any table or view, as CSV or Parquet."""

import csv
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import WarehouseError
from warehouse.manifest import settle
from warehouse.read import connect
from warehouse.sheets import SHEETS

SUFFIXES = (".csv", ".parquet")
_BATCH = 20_000
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_flat(root: Path, path: Path, name: str) -> Path:
    """Write the rows of a sheet, table or view and give back the path; an older file is replaced in one step.

    Parquet has the types and values of the warehouse. CSV is for spreadsheets: lists are JSON, and text that a
    spreadsheet would take for a formula has an apostrophe before it. Raises WarehouseError when there is nothing of
    that name or the file can't be written.
    """
    path = Path(path).absolute()
    if path.is_dir() or not path.parent.is_dir():
        raise WarehouseError(f"{path} can't be written.", help="Give the path of a file in a folder that exists.")
    con = connect(root)
    built = path.with_name(f".{path.name}-{uuid4().hex}.tmp")
    try:
        (_parquet if path.suffix.lower() == ".parquet" else _csv)(con, _sql(con, name), built)
        settle(built, path)
    except OSError as error:
        raise WarehouseError(
            f"{path} can't be written: {error}.", help="Close it elsewhere, or give another name."
        ) from error
    finally:
        con.close()
        built.unlink(missing_ok=True)
    return path


def _sql(con: duckdb.DuckDBPyConnection, name: str) -> str:
    sheets = {_key(sheet): of.sql for sheet, of in SHEETS.items()}
    if _key(name) in sheets:
        return sheets[_key(name)]
    views = [
        row[0]
        for row in con.execute(
            "SELECT view_name FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal"
        ).fetchall()
    ]
    if name not in views:
        raise WarehouseError(
            f"There is no sheet, table or view {name}.",
            help=f"Sheets: {', '.join(SHEETS)}. Tables and views: {', '.join(sorted(views))}.",
        )
    return f'FROM "{name}"'


def _key(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())


def _parquet(con: duckdb.DuckDBPyConnection, sql: str, path: Path) -> None:
    reader: pa.RecordBatchReader = con.sql(sql).to_arrow_reader(_BATCH)
    with pq.ParquetWriter(path, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)


def _csv(con: duckdb.DuckDBPyConnection, sql: str, path: Path) -> None:
    con.execute(sql)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(column[0] for column in con.description or ())
        while rows := con.fetchmany(_BATCH):
            writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value, default=str, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(_BEGINS_FORMULA):
        return f"'{value}"
    return value
