"""Reading on Dask, on this machine or on others: the same line, the same bounds of time and memory for each document.

Batches of jobs go to Dask's workers; each of these reads them in processes of its own (`flows.pool`), so a document
that hangs, crashes or takes all memory is stopped there and harms neither the worker nor its neighbours. When a whole
worker dies, Dask gives its batches to another one, and what was kept by content is not read again. Inbox and warehouse
must be under the same path on all machines.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import dask
from distributed import Client, KilledWorker, LocalCluster

from flows.dask_worker import Bounds, let_go, read_here
from flows.jobs import Job, Outcome
from flows.night import Processor, ask_ahead
from flows.spread import Pending, spread
from schemas.errors import RunError
from schemas.settings import Settings

SCHEDULER_SECONDS = 10
"""How long a run waits for the scheduler, which is there or not."""
PATIENCE_SECONDS = 60
"""How long it waits for the first worker, which may be starting."""


def on_dask(settings: Settings) -> Processor:
    """A processor that reads on the cluster that the setting `dask` names. Raises RunError when that can't be had."""

    def run_jobs(jobs: Sequence[Job]) -> Iterator[Outcome]:
        ask_ahead(settings, jobs)
        with _client(settings) as client:
            submit = partial(client.submit, read_here, bounds=Bounds.of(settings), pure=False)
            yield from spread_over(client, jobs, submit)

    return run_jobs


def spread_over(client: Client, jobs: Sequence[Job], submit: Callable[[Sequence[Job]], Pending]) -> Iterator[Outcome]:
    """The outcomes of all jobs, read by the workers of a cluster; what these started for it is ended."""
    try:
        yield from spread(jobs, submit, lambda: _batches_in_flight(client), (KilledWorker,))
    finally:
        client.run(let_go, jobs[0].filed.run_id, on_error="ignore")


def _batches_in_flight(client: Client) -> int:
    """Two batches for each thread of the cluster as it is now: one to read, and one so that it need not wait."""
    return 2 * sum(client.nthreads().values())


@contextmanager
def _client(settings: Settings) -> Iterator[Client]:
    with ExitStack() as stack:
        local = settings.dask == "local"
        address = stack.enter_context(local_cluster(settings.workers)) if local else settings.dask
        try:
            client = stack.enter_context(Client(address, timeout=SCHEDULER_SECONDS, set_as_default=False))
            client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
        except (OSError, ValueError) as error:
            raise unreachable(settings, error) from error
        yield client


def unreachable(settings: Settings, error: Exception) -> RunError:
    """What to say when there is no cluster."""
    return RunError(
        f"No Dask cluster with a worker was found at {settings.dask}: {error}.",
        help="Start `dask scheduler` and `dask worker`, or correct the setting dask (docs/scale.md).",
        code="dask",
    )


def local_cluster(count: int | None = None) -> LocalCluster:
    """Workers on this machine alone, one thread each: `count`, or one a core."""
    dask.config.set({"distributed.worker.daemon": False})  # they start processes of their own
    return LocalCluster(
        n_workers=count or os.cpu_count() or 1,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        memory_limit=0,  # what a document may take is watched where it is read
    )
