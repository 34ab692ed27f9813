"""Parquet files: reading them whole, and a writer that stays small."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.tables import TABLE_BY_NAME, Table
from warehouse.arrow import arrow_schema, arrow_table
from warehouse.rows import Row

GROUP_ROWS = 8_192
GROUP_BYTES = 1_000_000
"""What waits of each table until a row group is full: little, so that a night of ten thousand takes no more memory than
one of a thousand. Compacting makes the groups large again."""
PACKED_ROWS = 150
"""Rows that wait as Python objects; more are packed into Arrow, which takes a tenth of the memory."""


def write_file(path: Path, table: pa.Table) -> None:
    """Write a small table in one go."""
    pq.write_table(table, path, compression="zstd")


def row_count(path: Path) -> int:
    """How many rows a file has."""
    with pq.ParquetFile(path) as file:
        return file.metadata.num_rows


def read_columns(path: Path, columns: list[str] | None = None) -> pa.Table:
    """A file's columns as they are. (`ParquetFile`, as `read_table` takes a second to import pandas.)"""
    with pq.ParquetFile(path) as file:
        return file.read(columns=columns)


def read_file(path: Path, table: Table) -> pa.Table:
    """A file's rows with all columns of today; those it lacks are null."""
    held = read_columns(path)
    schema = arrow_schema(table)
    columns = [
        held[field.name].cast(field.type) if field.name in held.column_names else pa.nulls(len(held), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


class TableWriter:
    """Writes one table's rows into one file, a sorted row group at a time."""

    def __init__(self, path: Path, name: str):
        self.path = path
        self.table = TABLE_BY_NAME[name]
        self.rows = 0
        self._schema = arrow_schema(self.table)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._buffer: list[Row] = []
        self._packed: list[pa.Table] = []
        self._packed_rows = self._packed_bytes = 0
        self._order = "contract_id" if self.table.level == "contract" else next(iter(self.table.columns))

    def add(self, rows: list[Row]) -> None:
        """Take rows; they reach the file when a row group is full."""
        self._buffer += rows
        if len(self._buffer) >= PACKED_ROWS:
            self._pack()
        if self._packed_rows >= GROUP_ROWS or self._packed_bytes >= GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is left and finish the file."""
        self._flush()
        self._writer.close()

    def abandon(self) -> None:
        """Close the file without finishing its rows."""
        self._writer.close()

    def _pack(self) -> None:
        if self._buffer:
            packed = arrow_table(self.table.name, self._schema, self._buffer)
            self._packed.append(packed)
            self._packed_rows += len(packed)
            self._packed_bytes += packed.nbytes
            self._buffer = []

    def _flush(self) -> None:
        self._pack()
        if self._packed:
            table = pa.concat_tables(self._packed)
            table = table.take(pc.sort_indices(table[self._order]))
            self._writer.write_table(table, row_group_size=len(table))
            self.rows += len(table)
            self._packed, self._packed_rows, self._packed_bytes = [], 0, 0
