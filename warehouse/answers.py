"""Answers worked out ahead: what everybody asks in the morning is asked at night, once, and kept until the next change.

All views and questions are functions of the landed rows alone (days count from the last run's business date), so what
was worked out for a manifest holds exactly as long as that manifest is the current one. Before that, and with other
parameters, the same views and questions are answered from the rows themselves: more slowly, never differently.
"""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from schemas.errors import WarehouseError
from warehouse.catalogue import ANSWERS, KEPT_VIEWS, answer_folder, literal, over_answer, put_in_place, seen
from warehouse.manifest import LOCK_SECONDS, current, publishing, sync
from warehouse.questions import fitted, questions
from warehouse.stage import new_run_id, staging

LEAST_CONTRACTS = 5_000
"""With fewer, every view answers in a moment."""
_GROUP_ROWS = 16_384
"""So many values may stand in a group's dictionary, too: all. Then it has a Bloom filter, and who looks for a contract
passes over the groups that lack it."""
_MOST_MEMORY = "2GB"


def work_out(root: Path, *, least: int = LEAST_CONTRACTS, timeout: float = LOCK_SECONDS) -> bool:
    """Ask the views and questions of the current state, keep what they say, and publish that.

    Readers go on meanwhile. Returns whether anything was kept: not where there are fewer than `least` contracts, where
    it was done before, or where another state was landed in the meantime. Raises WarehouseError when another run holds
    the lock for `timeout` seconds.
    """
    root = Path(root).resolve()
    manifest = current(root)
    if manifest is None or (root / answer_folder(manifest)).is_dir():
        return False
    with staging(root, new_run_id(datetime.now(UTC), "answers"), timeout) as stage:
        with seen(root, manifest) as con:
            if con.execute("SELECT count(*) FROM contracts").fetchall()[0][0] < least:
                return False
            try:
                _ask_all(con, stage)
            except duckdb.Error as error:
                why = str(error).splitlines()[0].rstrip(".")
                raise WarehouseError(f"The answers of {root} can't be worked out: {why}.") from error
        with publishing(root, timeout):
            if current(root) != manifest:
                return False
            _keep(stage / ANSWERS, root / answer_folder(manifest))
            put_in_place(root)
    return True


def _ask_all(con: duckdb.DuckDBPyConnection, stage: Path) -> None:
    """Write the answers into the stage; each view that is done serves those after it."""
    folder = stage / ANSWERS
    folder.mkdir()
    con.execute(f"SET temp_directory = {literal(stage / 'spill')}")
    con.execute(f"SET memory_limit = '{_MOST_MEMORY}'")
    for name in KEPT_VIEWS:
        path = folder / f"{name}.parquet"
        _write(con, f"FROM {name}", path)
        con.execute(f"CREATE OR REPLACE VIEW {name} AS {over_answer(path)}")
    for question in questions():
        if question.reference is None:
            _write(con, question.statement, folder / f"{ANSWERS}.{question.name}.parquet", fitted(question, {}))


def _write(con: duckdb.DuckDBPyConnection, sql: str, path: Path, parameters: dict | None = None) -> None:
    size = f"ROW_GROUP_SIZE {_GROUP_ROWS}, DICTIONARY_SIZE_LIMIT {_GROUP_ROWS}"
    con.execute(f"COPY ({sql}) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd, {size})", parameters or {})


def _keep(staged: Path, folder: Path) -> None:
    for file in staged.iterdir():
        sync(file)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staged.replace(folder)
    sync(folder.parent)
