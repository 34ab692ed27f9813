"""The flows on a work pool of a Prefect server that is there already: any number of workers takes their runs."""

import asyncio
import os
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments.runner import EntrypointType
from prefect.exceptions import ObjectAlreadyExists
from prefect.schedules import Cron
from prefect.workers.process import ProcessWorker

from flows.backfill import inbox_of
from flows.deployments import backfill, decisions, nightly, weekly
from flows.parts import part
from flows.serve import HEARTBEAT_SECONDS, watch_for_lost_runs
from schemas.errors import RunError
from schemas.settings import PREFIX, Settings


def deploy(settings: Settings, warehouse: Path | str, pool: str) -> None:
    """Put the flows onto the work pool, which is made if it is not there. Raises RunError without a server."""
    if "PREFECT_API_URL" not in os.environ:
        raise RunError(
            "It is not known where the Prefect server is.",
            help="Set PREFECT_API_URL, for example to http://127.0.0.1:4200/api (docs/scale.md).",
            code="server",
        )
    asyncio.run(_deploy(settings, warehouse, pool))


async def _deploy(settings: Settings, warehouse: Path | str, pool: str) -> None:
    await _make(pool)
    environment = {
        f"{PREFIX}HOME": str(settings.home),
        f"{PREFIX}WAREHOUSE": str(warehouse),
        f"{PREFIX}INBOX": str(inbox_of(settings)),
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
    }
    if settings.parts:
        environment[f"{PREFIX}PARTS"] = str(settings.parts)
    on_pool = {
        "work_pool_name": pool,
        "job_variables": {"env": environment},
        "entrypoint_type": EntrypointType.MODULE_PATH,
    }
    every_night = Cron(settings.schedule, timezone=settings.time_zone)
    every_week = Cron(settings.compact_schedule, timezone=settings.time_zone)
    often = Cron(settings.review_landing_schedule, timezone=settings.time_zone)
    for deployment in (
        await decisions.ato_deployment(name="decisions", schedule=often, concurrency_limit=1, **on_pool),
        await weekly.ato_deployment(name="weekly", schedule=every_week, concurrency_limit=1, **on_pool),
        await nightly.ato_deployment(name="nightly", schedule=every_night, concurrency_limit=1, **on_pool),
        await backfill.ato_deployment(name="backfill", concurrency_limit=1, **on_pool),
        await part.ato_deployment(name="part", **on_pool),
    ):
        await deployment.aapply()
    await watch_for_lost_runs()


async def _make(pool: str) -> None:
    template = ProcessWorker.get_default_base_job_template()
    wanted = WorkPoolCreate(name=pool, type=ProcessWorker.type, base_job_template=template)
    async with get_client() as client:
        try:
            await client.create_work_pool(wanted)
        except ObjectAlreadyExists:  # it may have settings of its own
            return
