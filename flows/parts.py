"""A night divided among flow runs: each reads a part of the documents, on whatever machine takes it from a work pool.

What a part is to read, and what came of it, are files in the warehouse's `work/` folder, so Prefect carries their path
alone. A part whose machine died is given to another; what it had read is kept by content and not read again. Inbox
and warehouse must be under the same path on all machines.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from math import ceil
from pathlib import Path
from shutil import rmtree

from prefect import flow
from prefect.deployments import run_deployment
from pydantic import TypeAdapter

from flows.jobs import Job, Outcome
from flows.night import KEEP_FOLDER, pool_of
from flows.spread import spread
from schemas.errors import RunError
from schemas.settings import Settings, load_settings

PART = 200
"""Most documents of a part: a flow run takes about ten seconds to start. A short night is divided evenly."""

TRIES = 3
"""How often a part is given out: the machine that took it may die."""

LOOK_SECONDS = 2.0

_JOBS = TypeAdapter(list[Job])


@flow(name="part", persist_result=False)
def part(file: Path) -> int:
    """Read the documents that a file lists, and put what came of them beside it."""
    jobs = _JOBS.validate_json(file.read_bytes())
    with pool_of(load_settings(), len(jobs)) as pool:
        outcomes = list(pool.outcomes(jobs))
    temporary = file.with_suffix(".new")
    temporary.write_bytes(pickle.dumps(outcomes))
    temporary.replace(_outcomes_of(file))
    return len(outcomes)


def in_parts(settings: Settings, jobs: Sequence[Job], warehouse: Path) -> Iterator[Outcome]:
    """The outcomes of all jobs, read by flow runs of the deployment `part`, so many at a time.

    Raises RunError when a part fails, or its machine dies, again and again.
    """
    folder = warehouse / KEEP_FOLDER / "parts" / jobs[0].filed.run_id
    folder.mkdir(parents=True, exist_ok=True)
    count = settings.parts or 1
    try:
        with ThreadPoolExecutor(count) as pool:
            size = min(PART, ceil(len(jobs) / count))
            yield from spread(jobs, _submitting(pool, folder), lambda: count, size=size)
    finally:
        rmtree(folder, ignore_errors=True)


def _submitting(pool: ThreadPoolExecutor, folder: Path) -> Callable[[Sequence[Job]], Future]:
    def submit(jobs: Sequence[Job]) -> Future:
        file = folder / f"{jobs[0].filed.document_id}.jobs"
        file.write_bytes(_JOBS.dump_json(list(jobs)))
        return pool.submit(_read_elsewhere, file)

    return submit


def _read_elsewhere(file: Path) -> list[Outcome]:
    for _ in range(TRIES):
        done = run_deployment("part/part", parameters={"file": str(file)}, timeout=None, poll_interval=LOOK_SECONDS)
        if done.state and done.state.is_completed():
            return pickle.loads(_outcomes_of(file).read_bytes())
    state = done.state.type.value.lower() if done.state else "unknown"
    raise RunError(
        f"A part of the night ended {TRIES} times without a result; the last flow run, {done.name}, is {state}.",
        help="Look at its logs in Prefect; run again, what was read is kept.",
        code="part",
    )


def _outcomes_of(file: Path) -> Path:
    return file.with_suffix(".outcomes")
