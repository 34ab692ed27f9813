"""What runs inside a worker of Dask: batches of jobs, read by processes of this worker's own.

Nothing of the line is loaded here, only there: a worker of Dask hands over and stays small.
"""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing import current_process
from typing import NamedTuple

from distributed import get_worker

from flows.jobs import Job, Outcome
from flows.pool import Workers, workers
from schemas.errors import RunError
from schemas.settings import Settings


class Bounds(NamedTuple):
    """What one document may take."""

    seconds: int
    megabytes: int

    @classmethod
    def of(cls, settings: Settings) -> "Bounds":
        return cls(settings.document_timeout_seconds, settings.document_memory_mb)


def read_here(jobs: Sequence[Job], bounds: Bounds) -> list[Outcome]:
    """The outcomes of a batch, read by the processes of the Dask worker that this runs in."""
    return list(_own_workers(jobs[0].filed.run_id, bounds).outcomes(jobs))


def let_go(run_id: str) -> None:
    """End the processes that this worker has started for a run."""
    with _LOCK:
        held = _HELD.pop(run_id, None)
    if held:
        held[1].close()


_LOCK = threading.Lock()
_HELD: dict[str, tuple[Workers, ExitStack]] = {}


def _own_workers(run_id: str, bounds: Bounds) -> Workers:
    """One process for each thread of this Dask worker, kept until the run is over."""
    if current_process().daemon:
        raise RunError(
            "This Dask worker may not start processes of its own.",
            help="Start it with DASK_DISTRIBUTED__WORKER__DAEMON=False in its environment (docs/scale.md).",
            code="dask",
        )
    with _LOCK:
        if run_id not in _HELD:
            threads = get_worker().state.nthreads
            stack = ExitStack()
            own = stack.enter_context(workers(threads, threads, bounds.seconds, bounds.megabytes))
            _HELD[run_id] = own, stack
        return _HELD[run_id][0]
