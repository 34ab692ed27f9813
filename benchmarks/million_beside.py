"""The same contracts in DuckDB over the lake, SQLite, Postgres and pandas: the same questions, side by side.

SQLite and Postgres have an index for each question that can use one; their loading and indexing is measured apart, as
is reading the files into frames. Postgres runs as it is installed, on loopback, on this machine.
"""

import asyncio
import os
import pwd
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.million_rows import fill
from warehouse.catalogue import publish
from warehouse.manifest import current
from warehouse.read import connect

TIMES = 5
TABLES = {
    "contracts": "contract_id title counterparty our_role currency total_value payment_terms_days notice_deadline",
    "flags": "flag_id contract_id rule_id severity reason quote confidence status",
    "reviews": "target target_id decision decided_at",
    "terms": "term_id contract_id term value quote page_number",
    "clauses": "contract_id clause_type heading text",
}
INDEXES = (
    "CREATE INDEX i1 ON contracts (contract_id)",
    "CREATE INDEX i2 ON contracts (payment_terms_days)",
    "CREATE INDEX i3 ON contracts (notice_deadline)",
    "CREATE INDEX i4 ON flags (contract_id)",
    "CREATE INDEX i5 ON reviews (target_id)",
    "CREATE INDEX i6 ON terms (contract_id, term)",
    "CREATE INDEX i7 ON clauses (contract_id)",
)
_CLOSING = "('confirmed', 'overridden', 'rejected', 'not_applicable')"
QUESTIONS = {
    "open flags, the 100 worth most": f"""
        SELECT f.flag_id, f.severity, f.reason, f.quote, c.title, c.counterparty, c.total_value
        FROM flags f JOIN contracts c ON c.contract_id = f.contract_id
        WHERE NOT EXISTS (SELECT 1 FROM reviews r WHERE r.target_id = f.flag_id AND r.decision IN {_CLOSING})
        ORDER BY coalesce(c.total_value, 0) DESC, f.flag_id LIMIT 100""",
    "payment terms beyond 60 days, first 1,000": """
        SELECT c.contract_id, c.title, c.payment_terms_days, t.quote FROM contracts c
        JOIN terms t ON t.contract_id = c.contract_id AND t.term = 'payment_terms_days'
        WHERE c.payment_terms_days > 60 ORDER BY c.payment_terms_days DESC, c.contract_id LIMIT 1000""",
    "value by counterparty and currency": """
        SELECT counterparty, currency, count(*) AS n, sum(total_value) AS v FROM contracts WHERE our_role = 'seller'
        GROUP BY counterparty, currency ORDER BY coalesce(sum(total_value), 0) DESC, counterparty LIMIT 1000""",
    "notices due in 90 days": """
        SELECT contract_id, title, notice_deadline FROM contracts
        WHERE notice_deadline >= '2026-11-20' AND notice_deadline <= '2027-02-18'
        ORDER BY notice_deadline, contract_id LIMIT 1000""",
    "values that are absent, by term": """
        SELECT term, count(*) AS n FROM terms WHERE value IS NULL GROUP BY term ORDER BY term""",
    "terms of one contract": "SELECT term, value, quote FROM terms WHERE contract_id = '{contract_id}'",
    "text search, count": "SELECT count(*) FROM clauses WHERE text LIKE '%dedicated server%'",
}
Ask = Callable[[str], list[Any]]


def compare(folder: Path, contracts: int) -> dict[str, Any]:
    """Milliseconds of each question in each of the four, the median of five, and what loading took."""
    root = folder / "warehouse"
    if current(root) is None:
        fill(root, contracts)
        publish(root)
    con = connect(root)
    contract_id = con.execute("SELECT contract_id FROM flags ORDER BY flag_id LIMIT 1").fetchall()[0][0]
    asked = {name: sql.replace("{contract_id}", contract_id) for name, sql in QUESTIONS.items()}
    files = _exported(con, folder / "csv")
    measured = {"DuckDB": _asked(asked, lambda sql: con.execute(sql).fetchall())}
    con.close()
    load: dict[str, float] = {}
    with _sqlite(folder / "beside.sqlite", files, load) as ask:
        measured["SQLite"] = _asked(asked, ask)
    with _postgres(files, load) as ask:
        measured["Postgres"] = _asked(asked, ask) if ask else {}
    measured["pandas"] = _pandas(root, contract_id, load)
    shutil.rmtree(folder / "csv")
    rows = {name: {engine: found.get(name) for engine, found in measured.items()} for name in QUESTIONS}
    return {"contracts": contracts, "seconds to load": load, "milliseconds": rows}


def _exported(con: Any, folder: Path) -> dict[str, Path]:
    folder.mkdir(exist_ok=True)
    files = {}
    for name, columns in TABLES.items():
        files[name] = folder / f"{name}.csv"
        rows = con.execute(f"SELECT {', '.join(columns.split())} FROM {name}").to_arrow_reader(100_000)
        _write_csv(files[name], rows)
    return files


def _write_csv(path: Path, rows: Any) -> None:
    import pyarrow.csv as pa_csv

    with pa_csv.CSVWriter(path, rows.schema, write_options=pa_csv.WriteOptions(include_header=False)) as writer:
        for batch in rows:
            writer.write_batch(batch)


def _asked(asked: dict[str, str], ask: Ask) -> dict[str, float]:
    return {name: _median(lambda sql=sql: ask(sql)) for name, sql in asked.items()}


def _median(call: Callable[[], Any]) -> float:
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - begun))
    return round(statistics.median(taken), 1)


@contextmanager
def _sqlite(path: Path, files: dict[str, Path], load: dict[str, float]) -> Iterator[Ask]:
    begun = time.perf_counter()
    path.unlink(missing_ok=True)
    con = sqlite3.connect(path)
    con.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000;")
    for name, file in files.items():
        con.execute(f"CREATE TABLE {name} ({_columns(name)})")
        marks = ", ".join("?" for _ in TABLES[name].split())
        con.executemany(f"INSERT INTO {name} VALUES ({marks})", _rows_of(file))
    for sql in (*INDEXES, "ANALYZE"):
        con.execute(sql)
    con.commit()
    load["SQLite"] = round(time.perf_counter() - begun, 1)
    try:
        yield lambda sql: con.execute(sql).fetchall()
    finally:
        con.close()
        path.unlink()


_KINDS = {"total_value": "NUMERIC", "payment_terms_days": "INTEGER", "page_number": "INTEGER", "confidence": "REAL"}


def _columns(name: str) -> str:
    return ", ".join(f"{column} {_KINDS.get(column, 'TEXT')}" for column in TABLES[name].split())


def _rows_of(file: Path) -> Iterator[list[Any]]:
    from pyarrow import csv

    convert = csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    with csv.open_csv(file, csv.ReadOptions(autogenerate_column_names=True), convert_options=convert) as reader:
        for batch in reader:
            columns = [[_plain(value) for value in column.to_pylist()] for column in batch.columns]
            yield from zip(*columns, strict=True)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else str(value)


@contextmanager
def _postgres(files: dict[str, Path], load: dict[str, float]) -> Iterator[Ask | None]:
    """None where Postgres is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    programs = found[-1] if found else Path(shutil.which("initdb") or "").parent
    if not (programs / "initdb").is_file():
        yield None
        return
    user = "postgres" if os.getuid() == 0 and "postgres" in {e.pw_name for e in pwd.getpwall()} else None
    folder = Path(tempfile.mkdtemp(prefix="contract-agent-postgres-"))
    if user:
        shutil.chown(folder, user)
    make = [programs / "initdb", "-D", folder / "data", "-U", "asker", "--auth=trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(make, check=True, user=user, cwd="/", stdout=subprocess.DEVNULL)
    start = [programs / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses="]
    start += ["-c", "shared_buffers=1GB", "-c", "work_mem=256MB", "-c", "fsync=off"]
    server = subprocess.Popen(start, user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    loop = asyncio.new_event_loop()
    try:
        begun = time.perf_counter()
        con = loop.run_until_complete(_loaded(folder, files))
        load["Postgres"] = round(time.perf_counter() - begun, 1)
        yield lambda sql: loop.run_until_complete(con.fetch(sql))
        loop.run_until_complete(con.close())
    finally:
        server.terminate()
        server.wait()
        loop.close()
        shutil.rmtree(folder, ignore_errors=True)


async def _loaded(folder: Path, files: dict[str, Path]) -> Any:
    import asyncpg

    for _ in range(100):
        try:
            con = await asyncpg.connect(host=str(folder), user="asker", database="postgres")
            break
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(0.1)
    else:
        raise RuntimeError("Postgres does not answer.")
    for name, file in files.items():
        await con.execute(f"CREATE TABLE {name} ({_columns(name)})")
        await con.copy_to_table(name, source=file, format="csv")
    for sql in (*INDEXES, "ANALYZE"):
        await con.execute(sql, timeout=600)
    return con


def _pandas(root: Path, contract_id: str, load: dict[str, float]) -> dict[str, float]:
    import pandas

    begun = time.perf_counter()
    con = connect(root)
    frames = {name: con.execute(f"SELECT {', '.join(c.split())} FROM {name}").df() for name, c in TABLES.items()}
    con.close()
    load["pandas"] = round(time.perf_counter() - begun, 1)
    c, f, r, t, l = (frames[name] for name in ("contracts", "flags", "reviews", "terms", "clauses"))  # noqa: E741
    closing = ["confirmed", "overridden", "rejected", "not_applicable"]

    def open_flags() -> Any:
        left = f[~f.flag_id.isin(r[r.decision.isin(closing)].target_id)].merge(c, on="contract_id")
        return left.assign(v=left.total_value.fillna(0)).sort_values(["v", "flag_id"], ascending=[False, True])[:100]

    def long_terms() -> Any:
        late = c[c.payment_terms_days > 60].sort_values(["payment_terms_days", "contract_id"], ascending=[False, True])
        return late.merge(t[t.term == "payment_terms_days"], on="contract_id")[:1000]

    def values() -> Any:
        sold = c[c.our_role == "seller"]
        return (
            sold.groupby(["counterparty", "currency"], dropna=False)
            .total_value.agg(["size", "sum"])
            .nlargest(1000, "sum")
        )

    def notices() -> Any:
        near = c[(c.notice_deadline >= pandas.Timestamp(2026, 11, 20)) & (c.notice_deadline <= "2027-02-18")]
        return near.sort_values(["notice_deadline", "contract_id"])[:1000]

    calls = (
        open_flags,
        long_terms,
        values,
        notices,
        lambda: t[t.value.isna()].groupby("term").size(),
        lambda: t[t.contract_id == contract_id],
        lambda: l.text.str.contains("dedicated server", regex=False).sum(),
    )
    return {name: _median(call) for name, call in zip(QUESTIONS, calls, strict=True)}
