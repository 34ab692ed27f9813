"""The desk behind the review page on a warehouse of made-up contracts: what a page costs, before it is drawn.

    contract-agent benchmark desk [--contracts 100000] [--folder DIR] [--all-open] [--decisions 2000]

Milliseconds and processor milliseconds (the median, and the 95th of a hundred) of each question that a page asks: of
contracts `near` (of the queue's head, read beforehand) or `far`, and `again` of the same asked once more; what loading
a publication takes, at first and while a former one is shown; and how long it is until a decision is seen. The live
decisions were made on the page and are not landed yet. Milliseconds hang on what else the machine does, processor
milliseconds hardly. The warehouse is that of `benchmark million`.
"""

import argparse
import json
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.million import fill
from review.actions import Reviewing
from review.desk import Desk
from review.shown import QueueFilters, QueueRow
from review.store import Store
from schemas.review import NewEvent, Person
from schemas.settings import Settings
from warehouse.catalogue import publish
from warehouse.decisions import Decision, evidence_hash
from warehouse.read import query

ANN = Person(name="Ann", role="reviewer")
CONTRACTS = 60
ROUNDS = 20
_SHARP = QueueFilters(severity=("critical", "high"), q="payment days", older_than_days=1)


def main(argv: Sequence[str] | None = None) -> None:
    """Make the warehouse, ask the desk, and print the figures as a table and as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark desk", description=__doc__.split("\n")[0])
    parser.add_argument("--contracts", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the warehouse is made, or taken from, and stays")
    parser.add_argument("--all-open", action="store_true", help="no flag was ever decided")
    parser.add_argument("--decisions", type=int, default=2_000, help="live decisions, not landed yet")
    arguments = parser.parse_args(argv)
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="contract-agent-desk-"))
    reviews = Path(tempfile.mkdtemp(prefix="contract-agent-reviews-"))
    try:
        fill(folder, arguments)
        figures = measured(folder / "warehouse", reviews, arguments.decisions)
    finally:
        shutil.rmtree(reviews, ignore_errors=True)
        if arguments.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    for name, value in figures.items():
        print(f"{name:44} {json.dumps(value)}")
    print(json.dumps(figures))


def measured(root: Path, reviews: Path, decisions: int) -> dict[str, Any]:
    """All figures by name."""
    store = Store(reviews)
    _decide_some(root, store, decisions)
    before = _megabytes()
    desk = Desk(root, store)
    figures: dict[str, Any] = {"load": _once(desk.publication) | {"megabytes": _megabytes() - before}}
    figures["conflicts and near contracts, first"] = _once(desk.prepare) | {"megabytes": _megabytes() - before}
    figures["conflicts"] = _repeated(desk.conflicts, ROUNDS)
    figures["queue"] = _repeated(desk.queue, ROUNDS) | {"found": desk.queue().total}
    figures["queue, filters and words"] = _repeated(lambda: desk.queue(_SHARP), ROUNDS)
    figures["queue, page 20"] = _repeated(lambda: desk.queue(page=20), ROUNDS)
    rows = _some_of(desk, CONTRACTS)
    figures["contract, near"] = _each(lambda row: desk.contract(row.contract_id), rows)
    figures["contract, again"] = _each(lambda row: desk.contract(row.contract_id), rows)
    figures["contract, far"] = _each(desk.contract, _far(root, CONTRACTS))
    figures["target"] = _each(lambda row: desk.target("flag", row.flag_id), rows)
    figures["before and after"] = _each(lambda row: desk.around(row.flag_id), rows[:ROUNDS])
    figures["contracts"] = _repeated(desk.contracts, ROUNDS)
    figures["contracts, two words"] = _repeated(lambda: desk.contracts("software ltd"), ROUNDS)
    figures["decide and see it"] = _each(_decider(desk, store), rows[:ROUNDS])
    figures["load another publication"] = _reloaded(desk, root)
    figures["megabytes in the end"] = _megabytes()
    desk.close()
    return figures


def _decide_some(root: Path, store: Store, count: int) -> None:
    """Decisions on open flags, as the page keeps them."""
    sql = "SELECT flag_id, contract_id, found, quote FROM review_queue ORDER BY hash(flag_id) LIMIT $count"
    rows = query(root, sql, {"count": count})[1]
    for start in range(0, len(rows), 500):
        store.append(*(_event(*row) for row in rows[start : start + 500]))


def _event(flag_id: str, contract_id: str, found: str, quote: str) -> NewEvent:
    body = {"decision": "needs_info", "old_value": found, "evidence_hash": evidence_hash(quote, found)}
    return NewEvent(actor="Ann", action="decided", contract_id=contract_id, target="flag", target_id=flag_id, body=body)


def _far(root: Path, count: int) -> list[str]:
    """Contracts of which nothing is left to decide."""
    sql = """SELECT contract_id FROM contracts ANTI JOIN review_queue q USING (contract_id)
        ORDER BY hash(contract_id) LIMIT $count"""
    return [row[0] for row in query(root, sql, {"count": count})[1]]


def _decider(desk: Desk, store: Store) -> Callable[[QueueRow], Any]:
    reviewing = Reviewing(store, desk, Settings(review_materiality=1e18))

    def decide(row: QueueRow) -> None:
        facts = desk.target("flag", row.flag_id)
        assert facts is not None
        given = {"target": "flag", "target_id": row.flag_id, "evidence_hash": facts.evidence_hash}
        reviewing.decide(ANN, Decision(**given, decision="rejected"))
        desk.queue(QueueFilters(contract_id=row.contract_id))

    return decide


def _some_of(desk: Desk, count: int) -> list[QueueRow]:
    """Rows from everywhere in the queue, each of another contract."""
    total = desk.queue(size=1).total
    pages = random.Random(1).sample(range(1, max(2, total // 50)), min(count, max(1, total // 50 - 1)))
    rows = [row for page in pages for row in desk.queue(page=page).rows]
    random.Random(2).shuffle(rows)
    by_contract = {row.contract_id: row for row in rows}
    return list(by_contract.values())[:count]


def _reloaded(desk: Desk, root: Path) -> dict[str, float]:
    """Seconds until another publication is shown, and of the slowest question meanwhile."""
    publish(root)
    begun, slowest = time.perf_counter(), 0.0
    desk.publication()  # sees that there is another one
    while desk.is_loading:
        asked = time.perf_counter()
        desk.queue()
        slowest = max(slowest, time.perf_counter() - asked)
    return {"seconds": round(time.perf_counter() - begun, 2), "slowest_question": round(slowest, 2)}


def _once(call: Callable[[], Any]) -> dict[str, float]:
    wall, processor = _timed(call)
    return {"ms": wall, "cpu_ms": processor}


def _repeated(call: Callable[[], Any], times: int) -> dict[str, float]:
    return _each(lambda _: call(), range(times))


def _each(call: Callable[[Any], Any], things: Iterable[Any]) -> dict[str, float]:
    taken = [_timed(lambda thing=thing: call(thing)) for thing in things]
    wall, processor = (sorted(times) for times in zip(*taken, strict=True))
    late = -(-95 * len(wall) // 100) - 1
    medians = {"ms": statistics.median(wall), "cpu_ms": statistics.median(processor)}
    return {name: round(value, 1) for name, value in medians.items()} | {
        "p95_ms": wall[late],
        "p95_cpu_ms": processor[late],
    }


def _timed(call: Callable[[], Any]) -> tuple[float, float]:
    begun, processor = time.perf_counter(), time.process_time()
    call()
    return round(1000 * (time.perf_counter() - begun), 1), round(1000 * (time.process_time() - processor), 1)


def _megabytes() -> int:
    """What this process holds in memory now."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) >> 10


if __name__ == "__main__":
    main()
