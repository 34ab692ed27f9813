"""Batches of documents as Prefect tasks, on this machine or on Dask."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from distributed import Client
from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.utilities.annotations import quote
from prefect_dask import DaskTaskRunner

from flows.cluster import PATIENCE_SECONDS, local_cluster, spread_over
from flows.dask_worker import Bounds, read_here
from flows.jobs import Job, Outcome
from flows.pool import Workers
from flows.spread import Pending, spread
from schemas.settings import Settings

MOST_IN_FLIGHT = 64
"""Threads that wait for the processes of this machine."""


def task_runner(settings: Settings) -> TaskRunner:
    """Where batches are read: on Dask when the settings say so, else by threads that wait for processes here."""
    if settings.dask is None:
        return ThreadPoolTaskRunner(max_workers=MOST_IN_FLIGHT)
    if settings.dask == "local":
        return DaskTaskRunner(cluster_class=local_cluster, cluster_kwargs={"count": settings.workers})
    return DaskTaskRunner(address=settings.dask, client_kwargs={"timeout": PATIENCE_SECONDS})


def read_with(settings: Settings, jobs: Sequence[Job], pool: Workers) -> Iterator[Outcome]:
    """The outcomes of all jobs, read by the processes of this machine."""
    submit = _submitting(read_batch, settings, lambda batch: (quote(batch), quote(pool)))
    return spread(jobs, submit, lambda: min(pool.count + 1, MOST_IN_FLIGHT))


def read_on(client: Client, settings: Settings, jobs: Sequence[Job]) -> Iterator[Outcome]:
    """The outcomes of all jobs, read by the workers of a Dask cluster."""
    bounds = Bounds.of(settings)
    submit = _submitting(read_batch_on_dask, settings, lambda batch: (pickle.dumps(batch), bounds))
    return spread_over(client, jobs, submit)


@task(name="read batch", cache_policy=NO_CACHE, persist_result=False)
def read_batch(jobs: Sequence[Job], pool: Workers) -> list[Outcome]:
    """The outcomes of a batch of documents."""
    return list(pool.outcomes(jobs))


@task(name="read batch", cache_policy=NO_CACHE, persist_result=False)
def read_batch_on_dask(jobs: bytes, bounds: Bounds) -> list[Outcome]:
    """The outcomes of a batch of documents; runs on a worker of the cluster.

    The jobs come as bytes: Prefect would look through each of them for results of other tasks.
    """
    return read_here(pickle.loads(jobs), bounds)


def _submitting(
    read: Task, settings: Settings, arguments: Callable[[Sequence[Job]], tuple[Any, ...]]
) -> Callable[[Sequence[Job]], Pending]:
    if settings.extractor != "embedded":
        # Only an engine that calls a network can fail in a way that trying again mends.
        read = read.with_options(retries=2, retry_delay_seconds=[5, 30])

    def submit(jobs: Sequence[Job]) -> Pending:
        more = f" and {len(jobs) - 1} more" if len(jobs) > 1 else ""
        return read.with_options(task_run_name=f"{jobs[0].filed.file_name}{more}").submit(*arguments(jobs))

    return submit
