"""Worker processes, one a core. A document that kills its worker, or hangs, harms no other."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager, suppress
from multiprocessing import get_context

from pebble import ProcessExpired, ProcessPool

from flows.jobs import Job, Outcome, quarantined
from flows.line import plan, process
from schemas.errors import DocumentError

WAITING_PER_WORKER = 3
"""Jobs handed out per worker: enough to keep it busy, few enough to keep memory flat."""


class Workers:
    """A pool of processes that turn jobs into outcomes."""

    def __init__(self, pool: ProcessPool, count: int, timeout: float):
        self._pool = pool
        self._count = count
        self._timeout = timeout

    def outcomes(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """One outcome a job, as they are done."""
        waiting: dict[Future, Job] = {}
        jobs = iter(jobs)
        while True:
            while len(waiting) < self._count * WAITING_PER_WORKER and (job := next(jobs, None)):
                waiting[self._pool.schedule(process, args=(job,), timeout=self._timeout)] = job
            if not waiting:
                return
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield self._outcome(future, waiting.pop(future))

    def plan(self, jobs: Iterable[Job]) -> None:
        """Notes what an engine will ask about each document (see `flows.line.plan`)."""
        for future in [self._pool.schedule(plan, args=(job,), timeout=self._timeout) for job in jobs]:
            with suppress(ProcessExpired, TimeoutError):  # the document's outcome will tell
                future.result()

    def outcome(self, job: Job) -> Outcome:
        """The outcome of one job; waits for it."""
        return self._outcome(self._pool.schedule(process, args=(job,), timeout=self._timeout), job)

    def _outcome(self, future: Future, job: Job) -> Outcome:
        try:
            return future.result()
        except ProcessExpired as error:
            return quarantined(job.filed, _died(job, error))
        except TimeoutError:
            return quarantined(job.filed, _too_slow(job, self._timeout))


def _died(job: Job, error: ProcessExpired) -> DocumentError:
    return DocumentError(
        f"Reading {job.filed.file_name} stopped its worker process (exit code {error.exitcode}).",
        help="Often memory ran out: run `contract-agent backfill --mode failed` when the machine is less busy.",
        code="worker_died",
    )


def _too_slow(job: Job, timeout: float) -> DocumentError:
    return DocumentError(
        f"{job.filed.file_name} took longer than {timeout:.0f} seconds.",
        help="Split it, or raise the setting document_timeout_seconds.",
        code="timeout",
    )


@contextmanager
def workers(count: int | None, jobs: int, timeout: float) -> Iterator[Workers]:
    """Worker processes: `count` or one a core, never more than there are jobs."""
    count = max(1, min(count or os.cpu_count() or 1, jobs))
    pool = ProcessPool(max_workers=count, context=get_context("spawn"), initializer=_one_thread)
    try:
        yield Workers(pool, count, timeout)
        pool.close()
    finally:
        pool.stop()
        pool.join()


THREAD_VARIABLES = ("OMP_THREAD_LIMIT", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def _one_thread(variables: Sequence[str] = THREAD_VARIABLES) -> None:
    # A process a core, one thread each: more threads cost four times the processor time for the same text.
    for name in variables:
        os.environ[name] = "1"
