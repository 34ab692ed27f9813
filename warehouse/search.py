"""Search: on which pages, or in which clauses, words stand; in all contracts, in the latest state.

The words are looked up in the indexes that were made at night (`warehouse.words`). A file that has none, because it is
small or new, is read through: more slowly, with the same result.
"""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from schemas.errors import QueryError
from schemas.tables import TABLE_BY_NAME
from warehouse.catalogue import literal, parquet_rows, superseded_on
from warehouse.manifest import current
from warehouse.read import connect
from warehouse.stage import index_of
from warehouse.words import NO_SPACES, folded, rows_with

MOST_PLACES = 100_000
"""Beyond so many, places are not counted."""
AROUND = 80
"""Characters that are shown before and after what was found."""
_TYPED = re.compile(r'["“”]([^"“”]+)["“”]|([^\s"“”]+)')
_WORD = re.compile(rf"[{NO_SPACES}]|[^\W_{NO_SPACES}]+")


class Place(NamedTuple):
    """A page, or a clause on it, with the words that were found and what stands before and after them."""

    contract_id: str
    title: str | None
    counterparty: str | None
    document_id: str
    file_name: str
    page_number: int
    clause_type: str | None
    before: str
    words: str
    after: str


class Found(NamedTuple):
    """The first places, by contract and page; how many there are in all, in how many contracts.

    `is_more` says that those beyond `MOST_PLACES` were not counted.
    """

    places: list[Place]
    total: int
    contracts: int
    is_more: bool


def phrases_of(text: str) -> list[str]:
    """What somebody typed into a field as phrases: what stands within quotation marks, and each other word."""
    return [quoted or word for quoted, word in _TYPED.findall(text)]


def search(root: Path, phrases: Sequence[str], table: str = "pages", most_rows: int = 50) -> Found:
    """Find the texts of a table (one of `warehouse.words.TEXTS`) in which all the phrases stand.

    Upper and lower case, accents, punctuation and line breaks make no difference; a star at a phrase's end stands for
    any ending. Raises QueryError where a phrase has no word, WarehouseError where there is no warehouse.
    """
    root = Path(root).resolve()
    con = connect(root)
    try:
        wanted = [_words_of(con, phrase) for phrase in phrases]
        is_more = _match(con, root, wanted, table)
        ((total, contracts),) = con.execute("SELECT count(*), count(DISTINCT contract_id) FROM matched").fetchall()
        return Found(_shown(con, root, wanted, table, most_rows), total, contracts, is_more)
    finally:
        con.close()


def _words_of(con: duckdb.DuckDBPyConnection, phrase: str) -> str:
    ((words,),) = con.execute(f"SELECT trim({folded('$phrase')})", {"phrase": phrase}).fetchall()
    if not words:
        raise QueryError(
            f"There is no word to search for in {phrase!r}.", help="Give words or numbers.", code="no_words"
        )
    return f"{words}*" if phrase.endswith("*") else words


def _match(con: duckdb.DuckDBPyConnection, root: Path, wanted: list[str], table: str) -> bool:
    """Make the table `matched` of the latest rows with all the words. Returns whether there may be more of them."""
    con.execute("CREATE TEMP TABLE matched (file VARCHAR, row BIGINT, contract_id VARCHAR)")
    through = "" if "contract_id" in TABLE_BY_NAME[table].columns else _THROUGH_DOCUMENTS
    manifest, left = current(root), MOST_PLACES
    for file in manifest.files.get(table, ()) if manifest else ():
        rows = _rows_with(con, root, table, file, wanted, left)
        left -= len(rows)
        con.execute(
            f"""INSERT INTO matched SELECT $file, t.file_row_number, contract_id
            FROM {parquet_rows(root / file, numbered=True)} t
            JOIN (SELECT unnest($rows::BIGINT[]) AS row) h ON h.row = t.file_row_number
            {through} ANTI JOIN {superseded_on(TABLE_BY_NAME[table])}""",
            {"file": file, "rows": rows},
        )
    return left == 0


_THROUGH_DOCUMENTS = """JOIN (
    SELECT document_id, contract_id FROM documents WHERE status IS DISTINCT FROM 'duplicate'
) USING (document_id)"""
"""A re-scan keeps its pages, but is no contract of its own; what it says stands in its original, too."""


def _rows_with(
    con: duckdb.DuckDBPyConnection, root: Path, table: str, file: str, wanted: list[str], most: int
) -> list[int]:
    index = index_of(root, table, file)
    if index.is_file():
        return rows_with(index, wanted, most)
    stands = " AND ".join(f"contains(said, {literal(_between(words))})" for words in wanted)
    source = parquet_rows(root / file, numbered=True)
    sql = f"""SELECT row FROM (SELECT file_row_number AS row, {folded("text")} AS said FROM {source})
        WHERE {stands} ORDER BY row LIMIT {most}"""
    return [row for (row,) in con.execute(sql).fetchall()]


def _between(words: str) -> str:
    """How words stand in a folded text."""
    return f" {words[:-1]}" if words.endswith("*") else f" {words} "


def _shown(con: duckdb.DuckDBPyConnection, root: Path, wanted: list[str], table: str, most: int) -> list[Place]:
    order = "contract_id, file, row"
    first = con.execute(f"SELECT {order} FROM matched ORDER BY {order} LIMIT {most}").fetchall()
    if not first:
        return []
    # Ids and numbers in the statement itself: so only the groups of rows are opened in which these stand.
    of_these = f"contract_id IN ({', '.join(literal(contract_id) for contract_id, _, _ in first)})"
    clause_type = "clause_type" if table == "clauses" else "NULL AS clause_type"
    texts = [
        f"""SELECT document_id, page_number, {clause_type}, text, file_row_number
        FROM {parquet_rows(root / file, numbered=True)}
        WHERE file_row_number IN ({", ".join(str(row) for _, of, row in first if of == file)})"""
        for file in dict.fromkeys(file for _, file, _ in first)
    ]
    place = ", ".join(Place._fields[:7])
    sql = f"""SELECT {place}, text
        FROM ({" UNION ALL ".join(texts)})
        LEFT JOIN (SELECT contract_id, document_id, file_name FROM documents WHERE {of_these}) USING (document_id)
        LEFT JOIN (SELECT contract_id, title, counterparty FROM contracts WHERE {of_these}) USING (contract_id)
        ORDER BY contract_id, file_name, page_number, clause_type, file_row_number"""
    return [Place(*told, *around(text, wanted)) for *told, text in con.execute(sql).fetchall()]


def around(text: str, wanted: Sequence[str]) -> tuple[str, str, str]:
    """The first of the phrases (folded words) that stands in a text, with whole words before and after it, on one
    line. Without one it is the beginning of the text."""
    places = [(match.start(), match.end()) for match in _WORD.finditer(text)]
    said = [_folded(text[start:end]) for start, end in places]
    for phrase in wanted:
        words = phrase.removesuffix("*").split(" ")
        for at in range(len(said) - len(words) + 1):
            *before, last = said[at : at + len(words)]
            if before == words[:-1] and (last == words[-1] or (phrase.endswith("*") and last.startswith(words[-1]))):
                return _cut(text, places, places[at][0], places[at + len(words) - 1][1])
    return _cut(text, places, 0, 0)


def _cut(text: str, places: list[tuple[int, int]], start: int, end: int) -> tuple[str, str, str]:
    since = min((first for first, _ in places if first >= start - AROUND), default=start)
    until = max((last for _, last in places if last <= end + AROUND), default=end)
    since, until = min(since, start), max(until, end)
    is_cut = text[:since].strip(), len(text[until:].strip()) > 1  # more than the full stop
    before, after = text[since if is_cut[0] else 0 : start], text[end : until if is_cut[1] else len(text)]
    return (
        ("... " if is_cut[0] else "") + _on_one_line(before).lstrip(),
        _on_one_line(text[start:end]),
        _on_one_line(after).rstrip() + (" ..." if is_cut[1] else ""),
    )


def _on_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _folded(word: str) -> str:
    """A single word as `warehouse.words.folded` gives it."""
    apart = unicodedata.normalize("NFKC" if ord(word[0]) > 0x3000 else "NFD", word.lower())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
