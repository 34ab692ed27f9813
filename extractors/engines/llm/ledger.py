"""The ledger: every request before it leaves, and its answer as soon as it is there. One SQLite file for all workers.

A request is known by a hash of all that its answer depends on. An answer that is in the ledger is never paid for
again, whatever killed the run that asked; budgets and the tokens of the last minute are counted here, over all workers.
"""

import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from extractors.engines.llm.outcomes import Reply, Usage
from extractors.engines.llm.requests import tokens_of

_TABLES = """
CREATE TABLE IF NOT EXISTS answers (request TEXT PRIMARY KEY, text TEXT, reply TEXT, run_id TEXT, at REAL);
CREATE TABLE IF NOT EXISTS attempts (
  id INTEGER PRIMARY KEY, request TEXT, run_id TEXT, contract_id TEXT, host TEXT, at REAL, body_sha256 TEXT,
  bytes INTEGER, tokens INTEGER, outcome TEXT, tokens_in INTEGER, tokens_cached INTEGER, tokens_out INTEGER, cost REAL
);
CREATE INDEX IF NOT EXISTS attempts_at ON attempts (at);
CREATE INDEX IF NOT EXISTS attempts_run ON attempts (run_id);
CREATE TABLE IF NOT EXISTS pauses (host TEXT PRIMARY KEY, until REAL);
CREATE TABLE IF NOT EXISTS planned (request TEXT PRIMARY KEY, contract_id TEXT, body TEXT, batch TEXT);
CREATE TABLE IF NOT EXISTS batches (batch TEXT PRIMARY KEY, name TEXT, run_id TEXT, is_done INTEGER DEFAULT 0);
"""
UNANSWERED = "sent"
"""The outcome of an attempt of which nothing came back: its process died."""


class Sent(NamedTuple):
    """What leaves the machine with an attempt."""

    request: str
    run_id: str
    contract_id: str
    host: str
    body_sha256: str
    size: int
    tokens: int  # estimated


class Ledger:
    """Opened by each worker process; every call is a transaction of its own."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        with self._open() as held:
            held.execute("PRAGMA journal_mode=WAL")
            held.executescript(_TABLES)

    def erase(self, contract_ids: Collection[str]) -> None:
        """Remove all that was sent and answered about these contracts, and overwrite its place in the file."""
        of_these = f"contract_id IN ({', '.join('?' * len(contract_ids))})"
        requests = " UNION ".join(f"SELECT request FROM {table} WHERE {of_these}" for table in ("attempts", "planned"))
        with self._open() as held:
            held.execute(f"DELETE FROM answers WHERE request IN ({requests})", [*contract_ids, *contract_ids])
            for table in ("attempts", "planned"):
                held.execute(f"DELETE FROM {table} WHERE {of_these}", [*contract_ids])
        connection = sqlite3.connect(self._file, timeout=60, isolation_level=None)
        try:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._file, timeout=60)
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    def answer(self, request: str) -> Reply | None:
        """The answer of an earlier attempt, if there is one."""
        with self._open() as held:
            row = held.execute("SELECT text, reply FROM answers WHERE request = ?", (request,)).fetchone()
        if row is None:
            return None
        said = json.loads(row[1])
        return Reply("answered", row[0], Usage(*said.pop("usage")), **said)

    def begin(self, sent: Sent) -> int:
        """Notes an attempt before its bytes leave; returns its number."""
        with self._open() as held:
            return held.execute(
                "INSERT INTO attempts (request, run_id, contract_id, host, at, body_sha256, bytes, tokens, outcome)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*sent[:4], time.time(), *sent[4:], UNANSWERED),
            ).lastrowid

    def end(self, number: int, request: str, run_id: str, reply: Reply, prices: tuple[float, float, float]) -> None:
        """Notes how an attempt ended, and keeps its answer."""
        with self._open() as held:
            held.execute(
                "UPDATE attempts SET outcome = ?, tokens_in = ?, tokens_cached = ?, tokens_out = ?, cost = ?"
                " WHERE id = ?",
                (reply.outcome, *reply.usage, reply.usage.cost(prices), number),
            )
            if reply.outcome == "answered":
                said = {
                    "usage": reply.usage,
                    "response_id": reply.response_id,
                    "tier": reply.tier,
                    "model": reply.model,
                }
                held.execute(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)",
                    (request, reply.text, json.dumps(said), run_id, time.time()),
                )

    def plan(self, request: str, contract_id: str, body: str) -> None:
        """Notes a request that a batch may answer before it is asked by itself."""
        with self._open() as held:
            held.execute("INSERT OR IGNORE INTO planned VALUES (?, ?, ?, NULL)", (request, contract_id, body))

    def unanswered(self) -> list[tuple[str, str, str]]:
        """Request, contract and body of what is planned, has no answer and is in no batch."""
        with self._open() as held:
            return held.execute(
                "SELECT request, contract_id, body FROM planned WHERE batch IS NULL"
                " AND request NOT IN (SELECT request FROM answers) ORDER BY request"
            ).fetchall()

    def take_plans(self) -> list[tuple[int, int]]:
        """Bytes and estimated tokens of each request that is planned and that no batch has; the plans are dropped."""
        with self._open() as held:
            found = held.execute(
                "SELECT CAST(body AS BLOB) FROM planned WHERE batch IS NULL"
                " AND request NOT IN (SELECT request FROM answers)"
            )
            sizes = [(len(body), tokens_of(body)) for (body,) in found]
            held.execute("DELETE FROM planned WHERE batch IS NULL")
            return sizes

    def open_batch(self, batch: str, requests: Sequence[str], run_id: str) -> None:
        """Notes a batch and its rows before the provider hears of it."""
        with self._open() as held:
            held.execute("INSERT OR REPLACE INTO batches VALUES (?, NULL, ?, 0)", (batch, run_id))
            held.executemany("UPDATE planned SET batch = ? WHERE request = ?", [(batch, each) for each in requests])

    def name_batch(self, batch: str, name: str) -> None:
        """Notes the provider's name of a batch: from now on it is paid for."""
        with self._open() as held:
            held.execute("UPDATE batches SET name = ? WHERE batch = ?", (name, batch))

    def batches(self) -> list[tuple[str, str | None]]:
        """The batches that are not done: ours and the provider's name, None where it was not heard of."""
        with self._open() as held:
            return held.execute("SELECT batch, name FROM batches WHERE NOT is_done ORDER BY rowid").fetchall()

    def rows_of(self, batch: str) -> dict[str, tuple[str, int]]:
        """The requests of a batch that have no answer yet, each with its contract and the length of its body."""
        with self._open() as held:
            found = held.execute(
                "SELECT request, contract_id, length(body) FROM planned WHERE batch = ?"
                " AND request NOT IN (SELECT request FROM answers)",
                (batch,),
            )
            return {request: (contract_id, size) for request, contract_id, size in found}

    def close_batch(self, batch: str) -> None:
        """Notes that a batch is done; rows without an answer are free again, bodies are dropped."""
        with self._open() as held:
            held.execute("UPDATE batches SET is_done = 1 WHERE batch = ?", (batch,))
            held.execute("UPDATE planned SET batch = NULL WHERE batch = ?", (batch,))
            held.execute("DELETE FROM planned WHERE request IN (SELECT request FROM answers)")

    def forget(self, request: str) -> None:
        """Drops an answer that turned out to be unusable, so that it is asked for again."""
        with self._open() as held:
            held.execute("DELETE FROM answers WHERE request = ?", (request,))

    def paid(self, request: str, run_id: str) -> tuple[int, Usage, float]:
        """Attempts, tokens and US dollars of a request in a run: those of its row in a batch."""
        with self._open() as held:
            count, *tokens, cost = held.execute(
                "SELECT count(*), coalesce(sum(tokens_in), 0), coalesce(sum(tokens_cached), 0),"
                " coalesce(sum(tokens_out), 0), coalesce(sum(cost), 0) FROM attempts WHERE request = ? AND run_id = ?",
                (request, run_id),
            ).fetchone()
        return count, Usage(*tokens), cost

    def spent(self, run_id: str, contract_id: str | None = None) -> float:
        """US dollars spent by a run, or on one contract in it."""
        with self._open() as held:
            return held.execute(
                "SELECT coalesce(sum(cost), 0) FROM attempts WHERE run_id = ? AND (? IS NULL OR contract_id = ?)",
                (run_id, contract_id, contract_id),
            ).fetchone()[0]

    def tokens_since(self, moment: float) -> int:
        """Estimated tokens of the attempts begun since a moment, of all workers."""
        with self._open() as held:
            return held.execute("SELECT coalesce(sum(tokens), 0) FROM attempts WHERE at > ?", (moment,)).fetchone()[0]

    def pause(self, host: str, until: float) -> None:
        """Asks all workers to leave a host alone until a moment."""
        with self._open() as held:
            held.execute(
                "INSERT INTO pauses VALUES (?, ?) ON CONFLICT (host) DO UPDATE SET until = max(until, excluded.until)",
                (host, until),
            )

    def paused_until(self, host: str) -> float:
        """The moment until which a host is left alone; 0 when it is not."""
        with self._open() as held:
            row = held.execute("SELECT until FROM pauses WHERE host = ?", (host,)).fetchone()
        return row[0] if row else 0.0
