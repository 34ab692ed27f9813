"""kill -9 at any moment of deciding, under load, while others read and decisions are landed.

    contract-agent benchmark review-kills [--kills 100] [--threads 8] [--seed 7]

A process in which several reviewers decide, undo and approve without end is killed at a random moment, over and over.
Each writes down what was acknowledged to it. A second process lands the decisions in a small warehouse, and is killed
too, now and then. After each kill: everything acknowledged since the last one is there. At the end: everything
acknowledged is there, the chain of hashes holds, what stands follows from the events; and after one more landing every
effective decision has its row, and none has two.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from review.landing import land_decisions, witnesses
from review.store import Store
from schemas.review import NewEvent
from warehouse.decisions import evidence_hash
from warehouse.lake import land
from warehouse.read import query

TERMS = 40
CONTRACT = "c_0000000000000001"
LANDINGS_KILLED = 0.4


def main(argv: Sequence[str] | None = None) -> int:
    """Prints counts as a table and as JSON; the exit code is 1 when anything was lost, doubled or broken."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark review-kills", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--threads", type=int, default=8, help="reviewers in the process that is killed")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="review-kills-"))
    try:
        result = measure(folder, asked.kills, asked.threads, asked.seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, value in result.items():
        print(f"{name:28} {value}")
    print(json.dumps(result))
    return int(bool(result["lost"] or result["doubled"] or result["not_landed"]))


def measure(folder: Path, kills: int, threads: int, seed: int) -> dict[str, Any]:
    """What was acknowledged, and what was wrong after the kills."""
    root, review, log = folder / "warehouse", folder / "review", folder / "acknowledged"
    _fill(root)
    log.touch()
    starter = multiprocessing.get_context("forkserver")
    starter.set_forkserver_preload(["benchmarks.review_kills"])
    chance, lost, checked, landings_killed = random.Random(seed), 0, 0, 0
    landing = None
    for number in range(kills):
        if landing is None:
            landing = _started(starter, land_on, root, review)
        deciding = _started(starter, decide_on, review, log, threads, number)
        time.sleep(chance.uniform(0.0, 0.7))
        if chance.random() < LANDINGS_KILLED:
            _kill(landing)
            landing, landings_killed = None, landings_killed + 1
        _kill(deciding)
        lines = log.read_text().splitlines()
        lost += _lost(review, lines[checked:])
        checked = len(lines)
    if landing:
        _kill(landing)
    store = Store(review)
    landed = land_decisions(root, store)
    lost += _lost(review, lines)
    store.verify(witnesses(root))
    waits = [float(line.split()[2]) for line in lines]
    return {
        "kills": kills,
        "landings_killed": landings_killed,
        "landings": len(store.landings()),
        "acknowledged": len(waits),
        "lost": lost,
        "landed_last": landed.decisions,
        **_wrong_rows(root, store),
        "decide_ms_median": round(1_000 * statistics.median(waits), 1),
        "decide_ms_p95": round(1_000 * statistics.quantiles(waits, n=20)[-1], 1),
    }


def _started(starter: BaseContext, work: Callable[..., None], *given: object) -> BaseProcess:
    ready = starter.Event()
    process = starter.Process(target=work, args=(*given, ready))
    process.start()
    ready.wait(timeout=60)
    return process


def _kill(process: BaseProcess) -> None:
    process.kill()
    process.join()


def decide_on(review: Path, log: Path, threads: int, number: int, ready: Event) -> None:
    """Several reviewers who decide without end, and write down what was acknowledged to them."""
    store = Store(review)
    acknowledged = os.open(log, os.O_WRONLY | os.O_APPEND)

    def keep(event: NewEvent) -> int:
        began = time.perf_counter()
        (kept,) = store.append(event)
        os.write(acknowledged, f"{kept.number} {kept.sha256} {time.perf_counter() - began:.6f}\n".encode())
        ready.set()
        return kept.number

    def review_on(at: int) -> None:
        chance = random.Random(number * 1_000 + at)
        while True:
            made = keep(_decided(chance, f"Reviewer {at}"))
            if chance.random() < 0.3:
                action = chance.choice(("undone", "approved", "declined"))
                keep(NewEvent(actor="Ben", action=action, contract_id=CONTRACT, refers_to=(made,)))
            keep(NewEvent(actor=f"Reviewer {at}", action="viewed", contract_id=CONTRACT))

    for at in range(threads):
        threading.Thread(target=review_on, args=(at,)).start()


def land_on(root: Path, review: Path, ready: Event) -> None:
    """The landing, without end."""
    store = Store(review)
    ready.set()
    while True:
        land_decisions(root, store)


def _decided(chance: random.Random, actor: str) -> NewEvent:
    at = chance.randrange(TERMS)
    body = {
        "decision": chance.choice(("confirmed", "rejected")),
        "old_value": str(at),
        "evidence_hash": evidence_hash(f"quote {at}", str(at)),
        "comment": "x" * chance.randrange(400),
        "is_waiting": chance.random() < 0.2,
    }
    return NewEvent(actor=actor, action="decided", contract_id=CONTRACT, target="term", target_id=f"t_{at}", body=body)


def _fill(root: Path) -> None:
    row = {"contract_id": CONTRACT, "run_id": "r1", "document_id": "d_1"}
    terms = [
        row | {"term_id": f"t_{at}", "term": f"term {at}", "value": str(at), "quote": f"quote {at}"}
        for at in range(TERMS)
    ]
    land(root, {"run_id": "r1"}, [{"contracts": [row | {"version": 1, "status": "landed"}], "terms": terms}])


def _lost(review: Path, acknowledged: Sequence[str]) -> int:
    """How much of what was acknowledged is not there."""
    if not acknowledged:
        return 0
    store, pairs = Store(review), [line.split()[:2] for line in acknowledged]
    first = min(int(number) for number, _ in pairs)
    held = {event.number: event.sha256 for event in store.events(after=first - 1)}
    store.close()
    return sum(held.get(int(number)) != own for number, own in pairs)


def _wrong_rows(root: Path, store: Store) -> dict[str, int]:
    """Effective decisions without a row, and decisions with two; and the targets where the last row is another one."""
    sql = "SELECT event_number, count(*) FROM reviews WHERE decision <> 'withdrawn' GROUP BY 1"
    rows = dict(query(root, sql)[1])
    decided = {event.number for event in store.events(actions=["decided"])}
    effective = [standing for standing in store.standing() if standing.state == "effective"]
    last = dict(query(root, "SELECT target_id, decision || ' ' || reviewer FROM standing_decisions")[1])
    stands = {
        id: f"{of.decision} {of.reviewer}"
        for id in (f"t_{at}" for at in range(TERMS))
        if (of := store.last_effective("term", id))
    }
    return {
        "effective": len(effective),
        "not_landed": sum(of.number not in rows for of in effective) + (last != stands),
        "doubled": sum(count > 1 for number, count in rows.items() if number in decided),
    }
