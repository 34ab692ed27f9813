"""The words of contract texts: what makes two spellings the same word, and an index of who says them where.

A large file of texts gets an index of its own beside the lake, in SQLite's FTS5: the places of every word, not the
texts. Landed files never change, so an index holds as long as its file is there, and goes with it.
"""

import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from schemas.errors import WarehouseError
from warehouse.catalogue import QUIET, parquet_rows
from warehouse.manifest import LOCK_SECONDS, current, publishing, settle
from warehouse.stage import WORDS, index_of, new_run_id, staging

TEXTS = ("pages", "clauses")
"""The tables whose column `text` is searched."""
LEAST_ROWS = 2_000
"""A file of fewer texts is read through as quickly."""
_ROWS_AT_ONCE = 5_000
_HASH_BYTES = 64 * 2**20
"""Words that wait in memory to be sorted."""
NO_SPACES = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Kana and Chinese characters, as a pattern's class: written without spaces, so each counts as a word."""
_WIDE = "\uff10-\uff5a"
_PLAIN = {
    sign: unicodedata.normalize("NFKD", sign)[0]
    for sign in map(chr, (*range(0xC0, 0x250), *range(0x1E00, 0x1F00), *range(0xFF10, 0xFF5B)))
    if unicodedata.normalize("NFKD", sign)[0].isascii()
}
"""Latin letters without their accents, and wide ones as narrow ones."""


def folded(text: str) -> str:
    """SQL: the words of a text (an SQL expression), small, without accents, a space before, between and after them.

    `strip_accents` is many times as quick as `translate`, but takes a kana's voicing for an accent.
    """
    plain = ("".join(signs).replace("'", "''") for signs in (_PLAIN, _PLAIN.values()))
    same = (
        f"CASE WHEN regexp_matches({text}, '[{NO_SPACES}{_WIDE}]') "
        f"THEN translate(nfc_normalize({text}), '{next(plain)}', '{next(plain)}') ELSE strip_accents({text}) END"
    )
    apart = f"regexp_replace(lower({same}), '([{NO_SPACES}])', ' \\1 ', 'g')"
    return f"(' ' || trim(regexp_replace({apart}, '[^\\pL\\pN]+', ' ', 'g')) || ' ')"


def index_words(root: Path, *, least: int = LEAST_ROWS, timeout: float = LOCK_SECONDS) -> int:
    """Index every file of at least `least` texts that has no index, and give back how many were made.

    Readers and runs go on meanwhile. Raises WarehouseError when another run holds the lock for `timeout` seconds, and
    when an index can't be written.
    """
    root = Path(root).resolve()
    if not (wanted := list(_without_index(root, least))):
        return 0
    made = 0
    with staging(root, new_run_id(datetime.now(UTC), WORDS), timeout) as stage:
        for table, file in wanted:
            staged = stage / index_of(root, table, file).name
            try:
                _write(root / file, staged)
            except (sqlite3.Error, duckdb.Error) as error:
                why = str(error).splitlines()[0].rstrip(".")
                raise WarehouseError(f"The words of {file} can't be indexed: {why}.") from error
            with publishing(root, timeout):
                if (root / file).is_file():  # it may have been compacted, or forgotten, meanwhile
                    settle(staged, index_of(root, table, file))
                    made += 1
    return made


def rows_with(index: Path, phrases: list[str], most: int) -> list[int]:
    """The numbers of the first rows of a file, from 0, in which all the phrases stand.

    A phrase is folded words; a star after the last one stands for any ending.
    """
    wanted = " AND ".join(f'"{phrase.removesuffix("*")}"{"*" if phrase.endswith("*") else ""}' for phrase in phrases)
    with closing(sqlite3.connect(f"{index.as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        found = db.execute("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid LIMIT ?", (wanted, most))
        return [row for (row,) in found]


def _without_index(root: Path, least: int) -> Iterator[tuple[str, str]]:
    from warehouse.parquet import row_count  # slow to import; who searches has no need of it

    manifest = current(root)
    for table in TEXTS if manifest else ():
        for file in manifest.files.get(table, ()):
            if not index_of(root, table, file).is_file() and row_count(root / file) >= least:
                yield table, file


def _write(file: Path, target: Path) -> None:
    """The index of a file. Nothing of it needs to survive a crash: it is made in the stage."""
    with closing(sqlite3.connect(target, isolation_level=None)) as db, closing(duckdb.connect(":memory:")) as con:
        con.execute(QUIET)
        for setting in ("journal_mode = off", "synchronous = off", "locking_mode = exclusive"):
            db.execute(f"PRAGMA {setting}")
        db.execute("CREATE VIRTUAL TABLE words USING fts5(text, content = '', columnsize = 0, tokenize = 'ascii')")
        # All is written once and put in order at the end; sorting it on the way would be for nothing.
        for name, value in (("hashsize", _HASH_BYTES), ("automerge", 0), ("crisismerge", 1_999)):
            db.execute("INSERT INTO words (words, rank) VALUES (?, ?)", (name, value))
        source = parquet_rows(file, numbered=True)
        said = con.execute(f"SELECT file_row_number, {folded('text')} FROM {source} WHERE text IS NOT NULL")
        db.execute("BEGIN")
        while rows := said.fetchmany(_ROWS_AT_ONCE):
            db.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", rows)
        db.execute("INSERT INTO words (words) VALUES ('optimize')")
        db.execute("COMMIT")
