"""Worker processes, one a core. A document that kills its worker, hangs, or takes all memory harms no other."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

import psutil
from pebble import ProcessExpired, ProcessPool

from flows.jobs import Job, Outcome, quarantined
from schemas.errors import DocumentError, RunError

WAITING_PER_WORKER = 3
"""Jobs handed out per worker: enough to keep it busy, few enough to keep memory flat."""

ATTEMPTS = 2
"""How often a document may take its worker along: the first time may be the fault of the machine."""

MOST_RENEWALS = 3
"""How often all workers may die while none of them reads."""

LOOK_SECONDS = 0.25
"""Time between two looks at the memory of the workers."""


def process(job: Job) -> Outcome:
    """`flows.line.process`, which is loaded in the workers alone."""
    from flows.line import process

    return process(job)


def plan(job: Job) -> None:
    """`flows.line.plan`, likewise."""
    from flows.line import plan

    return plan(job)


class Workers:
    """A pool of processes that turn jobs into outcomes."""

    def __init__(self, count: int, timeout: float, context: "_Spawn", watch: "_MemoryWatch"):
        self.count = count
        self._timeout = timeout
        self._context = context
        self._watch = watch
        self._lock = threading.Lock()
        self._renewals = 0
        self._pool = self._fresh()

    def close(self) -> None:
        """End all processes, also those that are still reading."""
        self._pool.stop()
        self._pool.join()

    def _fresh(self) -> ProcessPool:
        return ProcessPool(max_workers=self.count, context=self._context, initializer=_one_thread)

    def _renew(self) -> None:
        """Another pool in the place of one whose workers all died while none of them read."""
        self._renewals += 1
        if self._renewals > MOST_RENEWALS:
            raise RunError(
                "The worker processes die before they read anything.",
                help="Often memory is short: set `workers` lower, or document_memory_mb higher.",
                code="workers",
            )
        self.close()
        self._pool = self._fresh()

    def outcomes(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """One outcome a job, as they are done."""
        died: Counter[str] = Counter()
        waiting: dict[Future, Job] = {}
        for future, job in self._done(waiting, process, jobs):
            try:
                outcome = self._outcome(future, job)
            except BrokenProcessPool:
                self._start(waiting, process, job)
                continue
            if outcome.filed.error_code in _DIED:
                died[job.filed.document_id] += 1
                if died[job.filed.document_id] < ATTEMPTS:
                    self._start(waiting, process, job)
                    continue
            yield outcome

    def plan(self, jobs: Iterable[Job]) -> None:
        """Notes what an engine will ask about each document (see `flows.line.plan`)."""
        for future, _ in self._done({}, plan, jobs):
            with suppress(ProcessExpired, BrokenProcessPool, TimeoutError):  # the document's outcome will tell
                future.result()

    def _done(
        self, waiting: dict[Future, Job], work: Callable[[Job], Any], jobs: Iterable[Job]
    ) -> Iterator[tuple[Future, Job]]:
        """Each job when it is done, a few waiting at a time; what the caller adds to `waiting` is waited for too."""
        jobs = iter(jobs)
        while True:
            self._fill(waiting, work, jobs)
            if not waiting:
                return
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future, waiting.pop(future)

    def _fill(self, waiting: dict[Future, Job], work: Callable[[Job], Any], jobs: Iterator[Job]) -> None:
        while len(waiting) < self.count * WAITING_PER_WORKER and (job := next(jobs, None)):
            self._start(waiting, work, job)

    def _start(self, waiting: dict[Future, Job], work: Callable[[Job], Any], job: Job) -> None:
        with self._lock:
            if not self._pool.active:
                self._renew()
            waiting[self._pool.schedule(work, args=(job,), timeout=self._timeout)] = job

    def _outcome(self, future: Future, job: Job) -> Outcome:
        try:
            return future.result()
        except ProcessExpired as error:
            held = self._watch.stopped.get(error.pid)
            return quarantined(job.filed, _too_big(job, held, self._watch.megabytes) if held else _died(job, error))
        except TimeoutError:
            return quarantined(job.filed, _too_slow(job, self._timeout))


_DIED = ("worker_died", "out_of_memory")


def _died(job: Job, error: ProcessExpired) -> DocumentError:
    return DocumentError(
        f"Reading {job.filed.file_name} stopped its worker process (exit code {error.exitcode}).",
        help="Often memory ran out: run `contract-agent backfill --mode failed` when the machine is less busy.",
        code="worker_died",
    )


def _too_big(job: Job, held: int, megabytes: int) -> DocumentError:
    return DocumentError(
        f"Reading {job.filed.file_name} took {held:,} MB of memory; {megabytes:,} MB are allowed.",
        help="Split it, or raise the setting document_memory_mb.",
        code="out_of_memory",
    )


def _too_slow(job: Job, timeout: float) -> DocumentError:
    return DocumentError(
        f"{job.filed.file_name} took longer than {timeout:.0f} seconds.",
        help="Split it, or raise the setting document_timeout_seconds.",
        code="timeout",
    )


@contextmanager
def workers(count: int | None, jobs: int, timeout: float, megabytes: int) -> Iterator[Workers]:
    """Worker processes: `count` or one a core, never more than there are jobs.

    A document may take `timeout` seconds and `megabytes` of memory, its worker and what that started together.
    """
    count = max(1, min(count or os.cpu_count() or 1, jobs))
    context = _Spawn()
    with _MemoryWatch(context, megabytes) as watch:
        own = Workers(count, timeout, context, watch)
        try:
            yield own
        finally:
            own.close()


class _Spawn(SpawnContext):
    """Fresh processes, and which of them run."""

    def __init__(self) -> None:
        super().__init__()
        self._processes: list[SpawnProcess] = []

    def Process(self, *arguments: Any, **named: Any) -> SpawnProcess:
        process = SpawnProcess(*arguments, **named)
        self._processes = [one for one in self._processes if one.exitcode is None] + [process]
        return process

    def running(self) -> list[int]:
        """The ids of the processes that run."""
        return [one.pid for one in list(self._processes) if one.pid is not None and one.exitcode is None]


class _MemoryWatch:
    """Kills a worker that takes more than its share, before the machine has none left.

    It looks from outside: a library that takes memory in one long call would not let a thread beside it run.
    """

    def __init__(self, context: _Spawn, megabytes: int):
        self.megabytes = megabytes
        self.stopped: dict[int, int] = {}
        self._context = context
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory watch", daemon=True)

    def __enter__(self) -> "_MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            for pid in self._context.running():
                with suppress(psutil.NoSuchProcess):  # it ended while it was looked at
                    self._stop_if_too_big(psutil.Process(pid))

    def _stop_if_too_big(self, worker: psutil.Process) -> None:
        below = worker.children(recursive=True)  # Tesseract is a process of its own
        held = (worker.memory_info().rss + sum(map(_memory, below))) // 1_000_000
        if held > self.megabytes:
            self.stopped[worker.pid] = held
            for process in (worker, *below):
                with suppress(psutil.NoSuchProcess):
                    process.kill()


def _memory(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


THREAD_VARIABLES = ("OMP_THREAD_LIMIT", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def _one_thread(variables: Sequence[str] = THREAD_VARIABLES) -> None:
    # A process a core, one thread each: more threads cost four times the processor time for the same text.
    for name in variables:
        os.environ[name] = "1"
