"""The Prefect side: `nightly` and `backfill` around the plain functions of `flows.night`.

One task reads a batch of contracts. A task run costs Prefect about 15 ms, so a batch of contracts at a third of
a second each keeps that well under 5 %; the steps of one contract stay plain functions inside it, and keep
their results by content themselves.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_progress_artifact, create_table_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.states import Completed, State
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from flows.backfill import Backfill, backfill_request, inbox_of
from flows.jobs import Job, Outcome
from flows.night import Processor, Request, Summary, business_date, night
from flows.pool import Workers, workers
from schemas.errors import WarehouseError
from schemas.settings import Settings, load_settings
from warehouse.read import query
from warehouse.remote import opened

MISSING_ONLY = Backfill()
BATCH = 16
IN_FLIGHT = 2


@flow(name="nightly", task_runner=ThreadPoolTaskRunner(max_workers=IN_FLIGHT))
def nightly(business_day: date | None = None) -> State | dict[str, Any]:
    """Read everything new in the inbox; a business day that is done is skipped."""
    settings = load_settings()
    day = business_day or business_date(settings, flow_run.scheduled_start_time)
    warehouse = opened(settings.warehouse_place, settings.warehouse_folder)
    if is_done(settings, day):
        return Completed(message=f"{day} is done already.", name="Skipped")
    request = Request(inbox=inbox_of(settings), warehouse=warehouse, business_date=day, trigger="nightly")
    return _run(request, settings)


@flow(name="backfill", task_runner=ThreadPoolTaskRunner(max_workers=IN_FLIGHT))
def backfill(form: Backfill = MISSING_ONLY) -> dict[str, Any]:
    """Process contracts again, or those that were missed."""
    settings = load_settings()
    warehouse = opened(settings.warehouse_place, settings.warehouse_folder)
    return _run(backfill_request(form, settings, warehouse), settings)


def is_done(settings: Settings, day: date) -> bool:
    """Whether a run of this business day was published, as the local copy knows it."""
    try:
        rows = query(settings.warehouse_folder, "SELECT count(*) FROM runs WHERE business_date = $day", {"day": day})[1]
    except WarehouseError:  # no warehouse yet: nothing is done
        return False
    return rows[0][0] > 0


def _run(request: Request, settings: Settings) -> dict[str, Any]:
    progress = create_progress_artifact(progress=0.0, description=f"Reading {request.inbox}")
    summary = night(
        request,
        settings,
        processor=_in_batches(settings),
        watch=lambda done, total: update_progress_artifact(progress, progress=100.0 * done / max(1, total)),
    )
    update_progress_artifact(progress, progress=100.0)
    _show(summary)
    return summary.model_dump()


def _show(summary: Summary) -> None:
    table = [{"measure": name, "value": value} for name, value in summary.model_dump().items()]
    create_table_artifact(key="run-summary", table=table, description="What the run did")
    get_run_logger().info("%s", summary.model_dump_json())


def _in_batches(settings: Settings) -> Processor:
    """A processor that reads batch by batch as Prefect tasks, a few of them in flight."""
    # Only an engine that calls a network can fail in a way that trying again mends.
    read = (
        read_batch.with_options(retries=2, retry_delay_seconds=[5, 30])
        if settings.extractor != "embedded"
        else read_batch
    )

    def run_jobs(jobs: Sequence[Job]) -> Iterator[Outcome]:
        with workers(settings.workers, len(jobs), settings.document_timeout_seconds) as pool:
            waiting: list[PrefectFuture] = []
            for start in range(0, len(jobs), BATCH):
                named = read.with_options(task_run_name=f"documents {start + 1} to {min(start + BATCH, len(jobs))}")
                waiting.append(named.submit(quote(jobs[start : start + BATCH]), quote(pool)))
                if len(waiting) > IN_FLIGHT:
                    yield from waiting.pop(0).result()
            for future in waiting:
                yield from future.result()

    return run_jobs


@task(name="read batch", cache_policy=NO_CACHE, persist_result=False)
def read_batch(jobs: Iterable[Job], pool: Workers) -> list[Outcome]:
    """The outcomes of a batch of documents."""
    return list(pool.outcomes(jobs))
