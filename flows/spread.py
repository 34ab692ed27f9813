"""Batches of jobs in flight: a few at a time, so that memory stays flat; a slow one holds up no other."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from queue import SimpleQueue
from typing import Any, Protocol

from flows.jobs import Job, Outcome, quarantined
from schemas.errors import DocumentError

BATCH = 16
"""Documents that travel together: what a task costs is shared by them."""


class Pending(Protocol):
    """A batch under way, as Prefect and Dask have it."""

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        """Have this called when the batch is done."""

    def result(self) -> Any:
        """The outcomes of the batch, or the error that ended it."""


def spread(
    jobs: Sequence[Job],
    submit: Callable[[Sequence[Job]], Pending],
    in_flight: Callable[[], int],
    killed: tuple[type[Exception], ...] = (),
    size: int = BATCH,
) -> Iterator[Outcome]:
    """The outcomes of all jobs as their batches are done, at most so many in flight.

    A batch that ends with one of the errors in `killed` took its workers along, more often than the engine allows: its
    documents are tried one by one, and the one that does it again goes to quarantine. Any other error is raised.
    """
    waiting: dict[int, tuple[Pending, Sequence[Job]]] = {}
    done: SimpleQueue[int] = SimpleQueue()
    batches = deque(jobs[start : start + size] for start in range(0, len(jobs), size))
    tickets = count()
    while batches or waiting:
        while batches and len(waiting) < max(1, in_flight()):
            batch, ticket = batches.popleft(), next(tickets)
            pending = submit(batch)
            waiting[ticket] = pending, batch
            pending.add_done_callback(lambda _, ticket=ticket: done.put(ticket))
        pending, batch = waiting.pop(done.get())
        try:
            outcomes = pending.result()
        except killed:
            outcomes = [quarantined(batch[0].filed, _poisonous(batch[0]))] if len(batch) == 1 else ()
            batches.extendleft([job] for job in reversed(batch) if len(batch) > 1)
        yield from outcomes


def _poisonous(job: Job) -> DocumentError:
    return DocumentError(
        f"Whenever {job.filed.file_name} was read, the worker that read it died.",
        help="Look at the workers' logs; `contract-agent backfill --mode failed` tries it again.",
        code="worker_died",
    )
