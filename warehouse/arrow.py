"""Rows as Arrow columns, with the types of the promised columns.

The arrays are built from buffers: `pyarrow.array` would import pandas first, which costs more than landing a
night without new contracts.
"""

from array import array
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.errors import WarehouseError
from schemas.tables import Table
from warehouse.rows import Row, utc

_SCALARS: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "DECIMAL(18,2)": pa.decimal128(18, 2),
    "BLOB": pa.binary(),
}
_FIRST_DAY = date(1970, 1, 1)
_FIRST_MOMENT = datetime(1970, 1, 1)
_MOST_CENTS = 10**18


def arrow_type(kind: str) -> pa.DataType:
    """The Arrow type of a DuckDB type of `schemas.tables`."""
    if kind.endswith("[]"):
        return pa.list_(arrow_type(kind[:-2]))
    if kind.startswith("STRUCT(") and kind.endswith(")"):
        fields = (field.split() for field in kind[len("STRUCT(") : -1].split(","))
        return pa.struct([(name, arrow_type(of)) for name, of in fields])
    return _SCALARS[kind]


def arrow_schema(table: Table) -> pa.Schema:
    """The columns of a table in the promised order."""
    return pa.schema([(name, arrow_type(kind)) for name, kind in table.columns.items()])


def arrow_table(name: str, schema: pa.Schema, rows: list[Row]) -> pa.Table:
    """Rows as Arrow. Raises WarehouseError for an unknown column or a value of the wrong type."""
    unknown = {column for row in rows for column in row} - set(schema.names)
    if unknown:
        raise WarehouseError(f"The table {name} has no column {', '.join(sorted(unknown))}.")
    columns = []
    for field in schema:
        try:
            columns.append(arrow_array([row.get(field.name) for row in rows], field.type))
        except (AttributeError, OverflowError, TypeError, ValueError) as error:
            raise WarehouseError(f"{name}.{field.name} can't hold a value: {error}.") from error
    return pa.Table.from_arrays(columns, schema=schema)


def arrow_array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Values as an array of exactly this type; None is null.

    Raises TypeError, ValueError or OverflowError for a value that is not of the type.
    """
    children = None
    if pa.types.is_list(kind):
        offsets = _offsets(len(value or ()) for value in values)
        inner = [item for value in values for item in value or ()]
        buffers, children = [offsets], [arrow_array(inner, kind.value_type)]
    elif pa.types.is_struct(kind):
        of = [kind.field(at) for at in range(kind.num_fields)]
        children = [arrow_array([v and v.get(f.name) for v in values], f.type) for f in of]
        buffers = []
    elif pa.types.is_string(kind) or pa.types.is_binary(kind):
        encoded = [value or b"" for value in values] if pa.types.is_binary(kind) else [_encoded(v) for v in values]
        buffers = [_offsets(map(len, encoded)), pa.py_buffer(b"".join(encoded))]
    else:
        buffers = [_FIXED[kind](values)]
    known = [value is not None for value in values]
    valid = None if all(known) else _bits(known)
    return pa.Array.from_buffers(kind, len(values), [valid, *buffers], children=children)


def _bits(values: Iterable[bool]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(np.fromiter(values, bool), bitorder="little").tobytes())


def _offsets(lengths: Iterable[int]) -> pa.Buffer:
    return pa.py_buffer(array("i", accumulate(lengths, initial=0)).tobytes())


def _encoded(value: str | None) -> bytes:
    """UTF-8; what has no encoding (lone surrogates of file names and damaged text layers) becomes `?`."""
    if value is None:
        return b""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value.encode("utf-8", "replace")


def _numbers(code: str, convert: Callable[[Any], Any] = lambda value: value) -> Callable[[list[Any]], pa.Buffer]:
    def pack(values: list[Any]) -> pa.Buffer:
        plain = array(code, (0 if value is None else convert(value) for value in values))
        return pa.py_buffer(plain.tobytes())

    return pack


def _flags(values: list[Any]) -> pa.Buffer:
    wrong = [value for value in values if value is not None and not isinstance(value, bool)]
    if wrong:
        raise TypeError(f"{wrong[0]!r} is neither true nor false")
    return _bits(bool(value) for value in values)


def _days(value: date) -> int:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise TypeError(f"{value!r} is no date")
    return (value - _FIRST_DAY).days


def _microseconds(value: datetime) -> int:
    since = utc(value) - _FIRST_MOMENT
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _money(values: list[Any]) -> pa.Buffer:
    return pa.py_buffer(b"".join(_cents(value).to_bytes(16, "little", signed=True) for value in values))


def _cents(value: Decimal | int | None) -> int:
    cents = Decimal(0 if value is None else value).scaleb(2)
    if isinstance(value, float) or cents != int(cents) or abs(cents) >= _MOST_CENTS:
        raise ValueError(f"{value!r} is no amount in cents that fits")
    return int(cents)


_FIXED: dict[pa.DataType, Callable[[list[Any]], pa.Buffer]] = {
    pa.int32(): _numbers("i"),
    pa.int64(): _numbers("q"),
    pa.float64(): _numbers("d"),
    pa.bool_(): _flags,
    pa.date32(): _numbers("i", _days),
    pa.timestamp("us"): _numbers("q", _microseconds),
    pa.decimal128(18, 2): _money,
}
