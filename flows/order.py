"""Outcomes in the order of their jobs: workers finish as they please, what is landed must not depend on it."""

import pickle
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from flows.jobs import Job, Outcome

IN_MEMORY = 8_000_000
"""Bytes of outcomes that wait in memory; one long document may hold up a thousand short ones, so more go to disk."""


def in_order(jobs: Sequence[Job], outcomes: Iterable[Outcome], folder: Path) -> Iterator[Outcome]:
    """The outcomes in the order of the jobs. Early ones wait, if they are many in a nameless file of `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [job.filed.document_id for job in jobs]
    at = 0
    with SpooledTemporaryFile(IN_MEMORY, dir=folder) as file:
        waiting = _Waiting(file)
        for outcome in outcomes:
            if outcome.filed.document_id != names[at]:
                waiting.put(outcome)
                continue
            yield outcome
            at += 1
            while at < len(names) and names[at] in waiting:
                yield waiting.take(names[at])
                at += 1
        for name in names[at:]:  # behind one of which nothing was heard
            if name in waiting:
                yield waiting.take(name)


class _Waiting:
    """Outcomes by document, written one behind the other."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._starts: dict[str, int] = {}

    def __contains__(self, document_id: str) -> bool:
        return document_id in self._starts

    def put(self, outcome: Outcome) -> None:
        self._starts[outcome.filed.document_id] = self._file.seek(0, 2)
        pickle.dump(outcome, self._file)

    def take(self, document_id: str) -> Outcome:
        self._file.seek(self._starts.pop(document_id))
        outcome = pickle.load(self._file)
        if not self._starts:
            self._file.seek(0)
            self._file.truncate()
        return outcome
