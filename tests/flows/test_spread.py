"""Batches in flight: never more than asked for, a slow one holds up no other, a poisonous one is found."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from test_pool import job

from flows.jobs import Job, Outcome
from flows.spread import BATCH, spread
from warehouse.rows import document_rows


class Gone(Exception):
    """Stands in for what an engine says when workers died again and again."""


def outcomes_of(jobs: Sequence[Job]) -> list[Outcome]:
    if any(job.filed.file_name == "poison" for job in jobs):
        raise Gone
    return [Outcome(filed=job.filed, rows=document_rows(job.filed, None), pages=1) for job in jobs]


def test_never_more_in_flight_than_asked_for():
    jobs = [job(str(number)) for number in range(10 * BATCH)]
    open_now, most = 0, 0
    lock = threading.Lock()

    with ThreadPoolExecutor(8) as pool:

        def submit(batch: Sequence[Job]) -> Future:
            nonlocal open_now, most
            with lock:
                open_now += 1
                most = max(most, open_now)
            return pool.submit(outcomes_of, batch)

        names = []
        for number, outcome in enumerate(spread(jobs, submit, lambda: 3), 1):
            names.append(outcome.filed.file_name)
            if number % BATCH == 0:
                with lock:
                    open_now -= 1
    assert most == 3
    assert sorted(names) == sorted(one.filed.file_name for one in jobs)


def test_a_slow_batch_holds_up_no_other():
    jobs = [job(str(number)) for number in range(5 * BATCH)]
    go_on = threading.Event()

    def slow_at_first(batch: Sequence[Job]) -> list[Outcome]:
        if batch[0].filed.file_name == "0":
            assert go_on.wait(60)
        return outcomes_of(batch)

    with ThreadPoolExecutor(2) as pool:
        names = []
        for outcome in spread(jobs, lambda batch: pool.submit(slow_at_first, batch), lambda: 2):
            names.append(outcome.filed.file_name)
            if len(names) == 4 * BATCH:  # all others are done before it
                go_on.set()
    assert names[-BATCH:] == [str(number) for number in range(BATCH)]


def test_of_a_batch_that_kills_only_the_poisonous_document_goes_to_quarantine():
    jobs = [job("poison" if number == 20 else str(number)) for number in range(3 * BATCH)]
    with ThreadPoolExecutor(2) as pool:
        found = spread(jobs, lambda batch: pool.submit(outcomes_of, batch), lambda: 2, (Gone,))
        filed = {outcome.filed.file_name: outcome.filed for outcome in found}
    assert len(filed) == len(jobs)
    assert {name for name, one in filed.items() if one.status == "quarantined"} == {"poison"}
    assert filed["poison"].error_code == "worker_died"


def test_any_other_error_ends_the_run():
    with ThreadPoolExecutor(2) as pool, pytest.raises(Gone):
        list(spread([job("poison")], lambda batch: pool.submit(outcomes_of, batch), lambda: 2))
