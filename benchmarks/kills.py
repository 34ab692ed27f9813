"""kill -9 at any moment of landing, publishing, compacting, going back and forgetting, while others read.

    contract-agent benchmark kills [--kills 1000] [--seed 7]

A process works on a small warehouse without end and writes down each step when it is done; it is killed at a random
moment, over and over. After each kill the warehouse is looked at: every run that was written down is there with all its
rows, once; what was forgotten is gone; a contract has exactly one latest version. All the while another process opens
the published catalogue as any client would and looks for half a state.
"""

import argparse
import json
import multiprocessing
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import duckdb

from warehouse.catalogue import publish
from warehouse.compact import compact
from warehouse.forget import ask_to_forget, forget
from warehouse.history import roll_back
from warehouse.lake import Linked, land
from warehouse.manifest import CATALOGUE
from warehouse.read import query
from warehouse.rows import Rows

EACH = 3
TERMS = 4
CONTRACTS = 60
"""As many contracts there are; runs bring some of them again as new versions."""


def main(argv: Sequence[str] | None = None) -> int:
    """Prints counts as a table and as JSON; the exit code is 1 when anything was torn, lost or doubled."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark kills", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    try:
        result = measure(folder, asked.kills, asked.seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, value in result.items():
        print(f"{name:24} {value}")
    print(json.dumps(result))
    return int(bool(result["torn_reads"] or result["lost"] or result["doubled"]))


def measure(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """How often which step was killed, and what was wrong afterwards."""
    root, log, stop, report = (folder / name for name in ("warehouse", "log", "stop", "report"))
    starter = multiprocessing.get_context("forkserver")
    starter.set_forkserver_preload(["benchmarks.kills"])
    publish(root)
    log.touch()
    reader = starter.Process(target=read_on, args=(root / CATALOGUE, stop, report))
    reader.start()
    chance, ready = random.Random(seed), starter.Event()
    killed_in: Counter[str] = Counter()
    lost = doubled = 0
    for number in range(kills):
        worker = starter.Process(target=work_on, args=(root, log, number, seed, ready))
        worker.start()
        ready.wait()
        ready.clear()
        time.sleep(chance.uniform(0.0, 2.5))
        worker.kill()
        worker.join()
        killed_in[_last_step(log)] += 1
        missing, twice = wrong_in(root, log)
        lost, doubled = lost + missing, doubled + twice
    stop.touch()
    reader.join()
    reads, torn, interrupted = report.read_text().split()
    steps = Counter(line.split()[1] for line in _lines(log) if line.startswith("end"))
    return {
        "kills": kills,
        "killed_while": dict(killed_in),
        "done": dict(steps),
        "reads": int(reads),
        "torn_reads": int(torn),
        "interrupted_reads": int(interrupted),
        "lost": lost,
        "doubled": doubled,
    }


def work_on(root: Path, log: Path, number: int, seed: int, ready: Event) -> None:
    """One step after another, each written down before and after; until killed."""
    chance = random.Random(f"{seed} {number}")
    with log.open("a", encoding="utf-8", buffering=1) as noted:
        ready.set()
        for at in range(10_000):
            step = chance.choices(("land", "compact", "forget", "back"), (6, 2, 1, 1))[0]
            noted.write(f"begin {step}\n")
            told = _STEPS[step](root, chance, f"{number}-{at}")
            noted.write(f"end {step} {told}\n")


def _land(root: Path, chance: random.Random, name: str) -> str:
    run_id, gone = f"r-{name}", _forgotten(root)
    numbers = [number for number in chance.sample(range(CONTRACTS), EACH) if f"c_{number}" not in gone]
    run = {"run_id": run_id, "business_date": date(2026, 1, 1)}
    land(root, run, (_rows(number, run_id) for number in numbers))
    publish(root)
    return ",".join([run_id, *(f"c_{number}" for number in numbers)])


def _compact(root: Path, chance: random.Random, name: str) -> str:
    if query(root, "SELECT count(*) FROM runs")[1] != [(0,)]:
        compact(root, keep_days=chance.choice([0, 7]))
    return name


def _forget(root: Path, chance: random.Random, name: str) -> str:
    there = [row[0] for row in query(root, "SELECT contract_id FROM contracts ORDER BY 1")[1]]
    if len(there) < CONTRACTS // 4:
        return ""
    contract = chance.choice(there)
    ask_to_forget(root, contract, "ada", "measured")
    forget(root, contract, "ben", relink=lambda also: _no_links)
    return contract


def _back(root: Path, chance: random.Random, name: str) -> str:
    runs = [row[0] for row in query(root, "SELECT run_id FROM runs WHERE trigger IS NULL ORDER BY number DESC")[1]]
    if len(runs) < 3:
        return ""
    roll_back(root, runs[1], "ada", "measured")
    return runs[1]


_STEPS = {"land": _land, "compact": _compact, "forget": _forget, "back": _back}


def _no_links(con: duckdb.DuckDBPyConnection, run_id: str) -> Linked:
    return Linked({}, frozenset())


def _forgotten(root: Path) -> set[str]:
    return {row[0] for row in query(root, "SELECT subject FROM audit WHERE action = 'forgotten'")[1]}


def _rows(number: int, run_id: str) -> Rows:
    ids = {"document_id": f"d_{number}", "contract_id": f"c_{number}", "run_id": run_id}
    held = ids | {"version": 1}
    return {
        "documents": [ids | {"source_uri": f"{number}.pdf", "sha256": f"{number:064x}", "status": "landed"}],
        "pages": [{"document_id": f"d_{number}", "run_id": run_id, "page_number": 1, "text": f"Agreement {number}"}],
        "contracts": [held | {"title": f"Agreement {number}", "status": "landed"}],
        "terms": [held | {"term_id": f"t_{number}_{at}", "term": "title", "value": run_id} for at in range(TERMS)],
    }


def wrong_in(root: Path, log: Path) -> tuple[int, int]:
    """How many rows are lost and how many are doubled, by what was written down and by what must always hold."""
    landed = [line.split()[2].split(",") for line in _lines(log) if line.startswith("end land")]
    said = {(run_id, contract) for run_id, *contracts in landed for contract in contracts}
    gone = _forgotten(root)
    held = {(run, contract): (n, terms) for run, contract, n, terms in query(root, _HISTORY)[1]}
    runs = {row[0] for row in query(root, "SELECT run_id FROM runs_history")[1]}
    lost = sum(run_id not in runs for run_id, *_ in landed)
    lost += sum(held.get(key, (0, 0)) < (1, TERMS) for key in said if key[1] not in gone)
    doubled = sum(contract in gone or found > (1, TERMS) for (_, contract), found in held.items())
    for latest, terms, documents, pages in query(root, _LATEST)[1]:
        lost += not latest or min(terms - TERMS, documents - 1, pages - 1) < 0
        doubled += max(terms - TERMS, documents - 1, pages - 1) > 0
    return lost, doubled


_HISTORY = """
SELECT c.run_id, c.contract_id, count(DISTINCT c.version), count(t.term_id)
FROM contracts_history c
LEFT JOIN terms_history t ON t.run_id = c.run_id AND t.contract_id = c.contract_id
GROUP BY ALL
"""
_LATEST = """
WITH expected AS (
    SELECT h.contract_id, arg_max(h.run_id, r.number) AS run_id
    FROM contracts_history h JOIN runs r ON r.run_id = h.run_id
    GROUP BY h.contract_id
)
SELECT coalesce(c.run_id = e.run_id, false),
    (SELECT count(*) FROM terms t WHERE t.contract_id = e.contract_id AND t.run_id = e.run_id),
    (SELECT count(*) FROM documents d WHERE d.contract_id = e.contract_id),
    (SELECT count(*) FROM pages p WHERE p.document_id = replace(e.contract_id, 'c_', 'd_'))
FROM expected e
FULL JOIN contracts c ON c.contract_id = e.contract_id
"""


def _lines(log: Path) -> list[str]:
    """The whole lines; the last one may have been cut."""
    return log.read_text(encoding="utf-8").split("\n")[:-1]


def _last_step(log: Path) -> str:
    last = (_lines(log) or ["begin nothing"])[-1].split()
    return last[1] if last[0] == "begin" else "nothing"


def read_on(path: Path, stop: Path, report: Path) -> None:
    """Open the catalogue as any client would, over and over; report the reads, how many saw half a state, and how many
    found their files gone and had to be opened again."""
    reads = torn = interrupted = 0
    while not stop.exists():
        try:
            with duckdb.connect(str(path), read_only=True) as con:  # left open, it would be handed out again
                ((contracts, ids, terms, documents, pages),) = con.execute(_SEEN).fetchall()
        except duckdb.IOException:  # its files went between opening and reading: forgotten, or compacted at once
            interrupted += 1
            continue
        reads += 1
        torn += not (contracts == ids == documents == pages and terms == TERMS * contracts)
    report.write_text(f"{reads}\n{torn}\n{interrupted}\n")


_SEEN = """
SELECT (SELECT count(*) FROM contracts), (SELECT count(DISTINCT contract_id) FROM contracts),
    (SELECT count(*) FROM terms), (SELECT count(*) FROM documents), (SELECT count(*) FROM pages)
"""
