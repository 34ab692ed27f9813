"""Many reviewers at the review page at once, while a night run publishes.

    contract-agent benchmark review-load [--contracts 100000] [--reviewers 50] [--seconds 300] [--pause 3]
        [--folder DIR]

The contracts are made up (see `million_rows`), so they have no pictures of pages; everything else is what a browser
asks for. Each reviewer opens the queue somewhere, then a flag, decides, sometimes undoes, goes on to what the answer
opens next, four flags in all, and thinks for `--pause` seconds between. A third into it another process lands a night
of new contracts and publishes. Measured from outside: errors, milliseconds until the answer was whole, by page; from
inside: milliseconds of the server by its header; and whether every decision that was acknowledged is in the store.
With `--folder` the warehouse is made there, or taken from there.
"""

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil

from review.accounts import COOKIE, Accounts, Session
from review.store import Store
from schemas.review import Person
from schemas.settings import Settings
from warehouse.catalogue import publish
from warehouse.lake import land
from warehouse.read import query
from warehouse.stage import new_run_id

AGENT = Path(sys.executable).parent / "contract-agent"
NIGHT = 200
FLAGS_A_ROUND = 4
PATIENCE_SECONDS = 300
_SEEN = re.compile(r'name="evidence_hash" value="([0-9a-f]{64})"')
EXPECTED = {409}
"""Somebody else was quicker, or the night read something else: an answer that a person understands, no error."""


class Answered(NamedTuple):
    """One request: the page's kind, the status (0: no answer), and milliseconds outside and inside."""

    page: str
    status: int
    outside: float
    inside: float


class Measured:
    """What all reviewers met."""

    def __init__(self) -> None:
        self.answers: list[Answered] = []
        self.acknowledged: list[int] = []


def main(argv: Sequence[str] | None = None) -> None:
    """Prints a table by page and JSON; the exit code is 1 when anything failed or was lost."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark review-load", description=__doc__.splitlines()[0])
    parser.add_argument("--contracts", type=int, default=100_000)
    parser.add_argument("--reviewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--pause", type=float, default=3, help="seconds that a reviewer thinks between two requests")
    parser.add_argument("--folder", type=Path, help="where the warehouse is made, or taken from, and stays")
    parser.add_argument("--night", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args(argv)
    if asked.night:
        land_a_night(asked.night)
        return
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="review-load-"))
    try:
        result = measure(folder, asked)
    finally:
        if not asked.folder:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(result))
    if result["errors"] or result["lost"]:
        raise SystemExit(1)


def measure(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Make the warehouse, serve it, let them all come, and look what was kept."""
    root = folder / "warehouse"
    if not (root / "warehouse.duckdb").is_file():
        from benchmarks.million_rows import fill

        root.mkdir(parents=True)
        fill(root, asked.contracts)
        publish(root)
    store = Store(root / "review")
    sessions = _sessions(root, store, asked.reviewers)
    before = store.last()
    port = _free_port()
    command = [str(AGENT), "review", "--warehouse", str(root), "--port", str(port)]
    environment = os.environ | {"CONTRACT_AGENT_HOME": str(folder)}
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        ready = _wait_until_ready(url, server, sessions[0])
        measured, night_seconds = asyncio.run(_all_come(url, root, sessions, asked))
        spent = sum(psutil.Process(server.pid).cpu_times()[:2])
    finally:
        server.terminate()
        server.wait(timeout=60)
    kept = {event.number for event in store.events(after=before, actions=["decided"])}
    store.verify()
    lost = [number for number in measured.acknowledged if number not in kept]
    store.close()
    return _told(measured, asked) | {
        "contracts": query(root, "SELECT count(*) FROM contracts")[1][0][0],
        "decisions": len(measured.acknowledged),
        "lost": len(lost),
        "server_cpu_seconds": round(spent, 1),
        "seconds_until_ready": round(ready, 1),
        "seconds_of_the_night": round(night_seconds, 1),
    }


def _sessions(root: Path, store: Store, count: int) -> list[Session]:
    accounts = Accounts(root / "review", store, Settings(home=root.parent))
    people = [Person(name=f"Reviewer {number}", role="approver" if number else "admin") for number in range(count)]
    there = {account.name for account in accounts.all()}
    for person in people:
        if person.name not in there:
            accounts.add(person.name, person.role, None, by="benchmark")
    return [accounts.begin(person) for person in people]


def _wait_until_ready(url: str, server: subprocess.Popen, session: Session) -> float:
    """Seconds until the first queue and the first brief were answered; in the morning the server has run all night."""
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE_SECONDS and server.poll() is None:
        try:
            asked = (
                httpx.get(url + page, cookies={COOKIE: session.token}, timeout=60) for page in ("/queue.json", "/")
            )
            if all(answer.status_code == 200 for answer in asked):
                return time.monotonic() - begun
        except httpx.HTTPError:
            time.sleep(0.2)
    raise SystemExit("The review page did not come up; server.log in the folder says why.")


async def _all_come(
    url: str, root: Path, sessions: Sequence[Session], asked: argparse.Namespace
) -> tuple[Measured, float]:
    measured = Measured()
    until = time.monotonic() + asked.seconds
    reviewers = [
        _Reviewer(url, session, number, until, asked.pause, measured).work() for number, session in enumerate(sessions)
    ]
    night = asyncio.create_task(_night(root, asked.seconds / 3))
    await asyncio.gather(*reviewers)
    return measured, await night


async def _night(root: Path, after: float) -> float:
    """Seconds that another process took to land a night and publish it."""
    await asyncio.sleep(after)
    begun = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.review_load", "--night", str(root)]
    process = await asyncio.create_subprocess_exec(*command, cwd=Path(__file__).resolve().parent.parent)
    if await process.wait():
        raise SystemExit("The night could not be landed.")
    return time.monotonic() - begun


def land_a_night(root: Path) -> None:
    """New contracts, as a night run lands them."""
    from benchmarks.million_rows import night_rows
    from schemas.playbook import references

    ((held,),) = query(root, "SELECT count(*) FROM contracts")[1]
    batches = list(night_rows(held, NIGHT))
    now = datetime.now(UTC)
    run = {"run_id": new_run_id(now), "business_date": now.date(), "started_at": now, "trigger": "schedule"}
    for rows in (rows for batch in batches for rows in batch.values()):
        for row in rows:
            row["run_id"] = run["run_id"]
    land(root, run, batches, references().values())
    publish(root)


class _Reviewer:
    """One person with a browser: looks, decides, thinks."""

    def __init__(self, url: str, session: Session, number: int, until: float, pause: float, measured: Measured):
        self._session, self._until, self._pause = session, until, pause
        self._measured, self._chance, self._page = measured, random.Random(number), 1
        self._client = httpx.AsyncClient(base_url=url, cookies={COOKIE: session.token}, timeout=60)

    async def work(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, self._pause))
        async with self._client:
            while time.monotonic() < self._until:
                await self._round()

    async def _round(self) -> None:
        await self._asked("brief", "GET", "/")
        told = await self._asked("queue", "GET", f"/queue?page={self._page}", as_json=True)
        queue = told.json()["queue"] if told is not None and told.status_code == 200 else {"rows": [], "total": 0}
        rows = queue["rows"]
        self._page = 1 + self._chance.randrange(max(1, -(-queue["total"] // 50)))  # each somewhere else
        row = self._chance.choice(rows) if rows else None
        href = f"/contracts/{row['contract_id']}?target=flag&id={row['flag_id']}" if row else ""
        for _ in range(FLAGS_A_ROUND):
            if href and time.monotonic() < self._until:
                href = await self._look_and_decide(href)

    async def _look_and_decide(self, href: str) -> str:
        """Where it goes on; nowhere when there was nothing to decide."""
        told = await self._asked("contract", "GET", href)
        found = _SEEN.search(told.text) if told is not None else None
        flag_id = parse_qs(urlsplit(href).query).get("id")
        if found is None or flag_id is None:
            return ""
        said = {"target": "flag", "target_id": flag_id[0], "evidence_hash": found[1]}
        said["decision"] = self._chance.choice(("confirmed", "confirmed", "rejected", "needs_info"))
        kept = await self._asked("decide", "POST", "/decisions", data=said, as_json=True)
        if kept is None or kept.status_code != 200:
            return ""
        number = kept.json()["standing"]["number"]
        self._measured.acknowledged.append(number)
        if self._chance.random() < 0.1:
            await self._asked("undo", "POST", f"/decisions/{number}/undo", as_json=True)
        return kept.json()["next"]

    async def _asked(self, page: str, method: str, path: str, *, as_json: bool = False, **more: Any) -> Any:
        headers = {"x-csrf-token": self._session.csrf} if method == "POST" else {}
        headers["accept"] = "application/json" if as_json else "text/html"
        begun = time.perf_counter()
        try:
            answer = await self._client.request(method, path, headers=headers, **more)
        except httpx.HTTPError:
            answer = None
        outside = (time.perf_counter() - begun) * 1000
        timing = answer.headers.get("server-timing", "") if answer is not None else ""
        inside = float(timing.partition("dur=")[2] or 0)
        self._measured.answers.append(Answered(page, answer.status_code if answer is not None else 0, outside, inside))
        await asyncio.sleep(self._chance.uniform(0.5, 1.5) * self._pause)
        return answer


def _told(measured: Measured, asked: argparse.Namespace) -> dict[str, Any]:
    pages: dict[str, list[Answered]] = defaultdict(list)
    for answer in measured.answers:
        pages[answer.page].append(answer)
    print(f"{'page':18}{'requests':>9}{'errors':>8}{'median':>9}{'p95':>9}{'server median':>15}{'server p95':>12}  ms")
    shown = {page: _figures(answers) for page, answers in [*sorted(pages.items()), ("all", measured.answers)]}
    for page, of in shown.items():
        print(f"{page:18}{of['requests']:9}{of['errors']:8}", end="")
        print(f"{of['median']:9.0f}{of['p95']:9.0f}{of['server_median']:15.0f}{of['server_p95']:12.0f}")
    load = {"reviewers": asked.reviewers, "seconds": asked.seconds, "pause": asked.pause}
    conflicts = sum(answer.status in EXPECTED for answer in measured.answers)
    machine = {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    return load | machine | {"errors": shown["all"]["errors"], "refused": conflicts, "pages": shown}


def _figures(answers: Sequence[Answered]) -> dict[str, float]:
    outside, inside = ([getattr(a, name) for a in answers] or [0.0] for name in ("outside", "inside"))
    errors = sum(not 200 <= answer.status < 400 and answer.status not in EXPECTED for answer in answers)
    return {
        "requests": len(answers),
        "errors": errors,
        "median": round(statistics.median(outside), 1),
        "p95": round(_p95(outside), 1),
        "server_median": round(statistics.median(inside), 1),
        "server_p95": round(_p95(inside), 1),
    }


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
