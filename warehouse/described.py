"""The warehouse in words, for somebody who has to write SQL on it: tables, columns, what they mean. No row is read."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from schemas.tables import TABLES
from schemas.terms import TERM_BY_NAME
from warehouse.catalogue import MORNING_VIEWS
from warehouse.read import query

_COLUMNS = """SELECT c.table_name, v.comment, c.column_name, c.data_type, c.comment
FROM duckdb_columns() c
JOIN duckdb_views() v ON v.database_name = c.database_name AND v.view_name = c.table_name
WHERE c.database_name = 'warehouse' AND NOT v.internal
ORDER BY c.table_name, c.column_index"""
_PUBLIC = (*(table.name for table in TABLES), *MORNING_VIEWS)
_LEFT_OUT = frozenset(("work_key", "likeness", "crop", "version", "run_id", "x0", "y0", "x1", "y1"))


def described(root: Path) -> str:
    """One line a public table or view, then its columns with their types; the same text for every warehouse."""
    _, rows = query(root, _COLUMNS)
    known = {name: list(group) for name, group in groupby(rows, key=lambda row: row[0])}
    return "\n".join(line for name in _PUBLIC for line in _lines(name, known[name]))


def _lines(name: str, columns: list[tuple]) -> Iterator[str]:
    yield f"{name}: {columns[0][1]}"
    for _, _, column, kind, comment in columns:
        if column not in _LEFT_OUT:
            yield f"  {column} {kind}{_meaning(name, column, comment)}"


def _meaning(table: str, column: str, comment: str | None) -> str:
    term = TERM_BY_NAME.get(column) if table == "contracts" else None
    parts = [comment or "", f"one of {', '.join(term.choices)}" if term and term.choices else ""]
    said = "; ".join(part for part in parts if part)
    return f" ({said})" if said else ""
