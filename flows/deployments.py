"""The Prefect side: `nightly`, `backfill`, `weekly` and `decisions` around the plain functions of the other modules.

One task reads a batch of contracts. A task run costs Prefect about 15 ms, so a batch of contracts at a third of
a second each keeps that well under 5 %; the steps of one contract stay plain functions inside it, and keep
their results by content themselves.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import (
    create_image_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.context import FlowRunContext
from prefect.runtime import flow_run
from prefect.states import Completed, State

from flows.backfill import Backfill, backfill_request, inbox_of
from flows.batches import read_on, read_with, task_runner
from flows.decisions import land_reviewed
from flows.jobs import Job, Outcome
from flows.night import Processor, Request, Summary, Watcher, ask_ahead, business_date, night, pool_of
from flows.parts import in_parts
from flows.picture import as_url, drift_picture, stages_picture
from schemas.errors import WarehouseError
from schemas.review import ReviewError
from schemas.settings import Settings, load_settings
from warehouse.ahead import work_ahead
from warehouse.brief import brief, render
from warehouse.compact import compact
from warehouse.quality import figures_of_runs
from warehouse.read import query
from warehouse.remote import opened

MISSING_ONLY = Backfill()
RUNNER = task_runner(load_settings())


@flow(name="nightly", task_runner=RUNNER)
def nightly(business_day: date | None = None) -> State | dict[str, Any]:
    """Read everything new in the inbox; a business day that is done is skipped."""
    settings = load_settings()
    day = business_day or business_date(settings, flow_run.scheduled_start_time)
    warehouse = opened(settings.warehouse_place, settings.warehouse_folder)
    if is_done(settings, day):
        return Completed(message=f"{day} is done already.", name="Skipped")
    request = Request(inbox=inbox_of(settings), warehouse=warehouse, business_date=day, trigger="nightly")
    return _run(request, settings)


@flow(name="backfill", task_runner=RUNNER)
def backfill(form: Backfill = MISSING_ONLY) -> dict[str, Any]:
    """Process contracts again, or those that were missed."""
    settings = load_settings()
    warehouse = opened(settings.warehouse_place, settings.warehouse_folder)
    return _run(backfill_request(form, settings, warehouse), settings)


@flow(name="weekly")
def weekly() -> dict[str, int]:
    """Make few large files of many small ones, and remove what nothing rests on any more."""
    settings = load_settings()
    root = opened(settings.warehouse_place, settings.warehouse_folder)
    done = compact(root)
    work_ahead(root)
    return {"files_before": done.files_before, "files_after": done.files_after}


@flow(name="decisions")
def decisions() -> dict[str, Any]:
    """Land what people decided on the review page."""
    settings = load_settings()
    root = opened(settings.warehouse_place, settings.warehouse_folder)
    return land_reviewed(settings.warehouse_place, root, settings).model_dump()


def is_done(settings: Settings, day: date) -> bool:
    """Whether a run of this business day was published, as the local copy knows it."""
    try:
        sql = "SELECT count(*) FROM runs WHERE business_date = $day AND trigger IS DISTINCT FROM 'review'"
        rows = query(settings.warehouse_folder, sql, {"day": day})[1]
    except WarehouseError:  # no warehouse yet: nothing is done
        return False
    return rows[0][0] > 0


def _land_decisions(settings: Settings, warehouse: Path) -> None:
    """What was decided before the night is landed before it; what can't be now is landed later, and stops no night."""
    try:
        land_reviewed(settings.warehouse_place, warehouse, settings)
    except (ReviewError, WarehouseError) as error:
        get_run_logger().error("The decisions were not landed: %s", error)


def _run(request: Request, settings: Settings) -> dict[str, Any]:
    if not request.dry_run:
        _land_decisions(settings, request.warehouse)
    progress = create_progress_artifact(progress=0.0, description=f"Reading {request.inbox}")
    summary = night(
        request,
        settings,
        processor=_in_batches(settings, request.warehouse),
        watch=by_percent(lambda percent: update_progress_artifact(progress, progress=percent)),
    )
    update_progress_artifact(progress, progress=100.0)
    _show(summary, request)
    return summary.model_dump()


def by_percent(tell: Callable[[float], object]) -> Watcher:
    """A watcher that tells each whole percent once: to tell every document costs more than to read a short one."""
    told = 0

    def watch(done: int, total: int) -> None:
        nonlocal told
        percent = 100 * done // max(1, total)
        if percent > told:
            told = percent
            tell(float(percent))

    return watch


def _show(summary: Summary, request: Request) -> None:
    table = [{"measure": name, "value": value} for name, value in summary.model_dump().items()]
    create_table_artifact(key="run-summary", table=table, description="What the run did")
    title = f"{summary.documents:,} documents, {summary.pages:,} pages in {summary.seconds:,.0f} seconds"
    create_image_artifact(
        key="run-stages", image_url=as_url(stages_picture(summary.stages, title)), description="Where the time went"
    )
    if not request.dry_run:
        text = render(brief(request.warehouse))
        create_markdown_artifact(key="morning-brief", markdown=f"```\n{text}```\n", description="The morning brief")
        series, unusual = figures_of_runs(request.warehouse)
        if series:
            picture = as_url(drift_picture(series, unusual, "What the runs were like"))
            create_image_artifact(key="run-drift", image_url=picture, description="Beside the runs before")
    get_run_logger().info("%s", summary.model_dump_json())


def _in_batches(settings: Settings, warehouse: Path) -> Processor:
    """A processor that reads batch by batch, as Prefect tasks or flow runs, a few of them in flight."""

    def run_jobs(jobs: Sequence[Job]) -> Iterator[Outcome]:
        ask_ahead(settings, jobs)
        if settings.dask:
            yield from read_on(FlowRunContext.get().task_runner.client, settings, jobs)
            return
        if settings.parts:
            yield from in_parts(settings, jobs, warehouse)
            return
        with pool_of(settings, len(jobs)) as pool:
            yield from read_with(settings, jobs, pool)

    return run_jobs
