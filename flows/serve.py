"""Prefect server, night schedule, backfill form and review page in one go, on loopback and without analytics."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cronsim import CronSim

from flows.backfill import inbox_of
from review.server import serving
from schemas.errors import RunError
from schemas.settings import PREFIX, Settings

HOST = "127.0.0.1"
SERVER_PATIENCE_SECONDS = 120
HEARTBEAT_SECONDS = 30
LOST_AFTER_SECONDS = 90


def serve(
    settings: Settings, warehouse: Path | str, port: int, *, review_host: str = HOST, review_port: int | None = None
) -> None:
    """Serve until interrupted. Raises RunError when the Prefect server does not come up, ReviewError when the review
    page may not or can't listen there."""
    inbox = inbox_of(settings)
    if isinstance(inbox, Path):
        inbox.mkdir(parents=True, exist_ok=True)
    os.environ.update(_environment(settings, warehouse, inbox, port))
    prefect_home = settings.home / "prefect"
    prefect_home.mkdir(parents=True, exist_ok=True)
    with (
        serving(settings, warehouse, host=review_host, port=review_port) as page,
        _server(port, prefect_home / "server.log"),
    ):
        print(f"Prefect: http://{HOST}:{port}   inbox: {inbox}   warehouse: {warehouse}", flush=True)
        print(f"Review: {page}", flush=True)
        asyncio.run(_until_stopped(settings))
        print("Stopped.", flush=True)


async def _until_stopped(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, and leave in good order then."""
    serving = asyncio.create_task(_serve_deployments(settings))
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, serving.cancel)
    with suppress(asyncio.CancelledError):
        await serving


def _environment(settings: Settings, warehouse: Path | str, inbox: Path | str, port: int) -> dict[str, str]:
    """What the server and each flow run's process inherit."""
    return {
        "PREFECT_HOME": str(settings.home / "prefect"),
        "PREFECT_API_URL": f"http://{HOST}:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
        "PREFECT_LOGGING_EXTRA_LOGGERS": "flows",  # their warnings are seen beside the run
        f"{PREFIX}HOME": str(settings.home),
        f"{PREFIX}WAREHOUSE": str(warehouse),
        f"{PREFIX}INBOX": str(inbox),
    }


@contextmanager
def _server(port: int, log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_until_healthy(process, port, log)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_healthy(process: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + SERVER_PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/api/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise RunError(
        f"The Prefect server did not start on port {port}; what it said is in {log}.",
        help="Is the port taken? Choose another one with --port.",
        code="server",
    )


async def _serve_deployments(settings: Settings) -> None:
    from prefect.client.orchestration import get_client
    from prefect.runner import Runner
    from prefect.schedules import Cron

    from flows.deployments import backfill, decisions, is_done, nightly, weekly

    runner = Runner(name="contract-agent")
    night_id = await runner.aadd_deployment(
        await nightly.ato_deployment(
            name="nightly",
            schedule=Cron(settings.schedule, timezone=settings.time_zone),
            concurrency_limit=1,
            description="Reads everything new in the inbox.",
        )
    )
    await runner.aadd_deployment(await backfill.ato_deployment(name="backfill", concurrency_limit=1))
    every_week = Cron(settings.compact_schedule, timezone=settings.time_zone)
    await runner.aadd_deployment(await weekly.ato_deployment(name="weekly", schedule=every_week, concurrency_limit=1))
    often = Cron(settings.review_landing_schedule, timezone=settings.time_zone)
    await runner.aadd_deployment(
        await decisions.ato_deployment(
            name="decisions", schedule=often, concurrency_limit=1, description="Lands what was decided on the page."
        )
    )
    await watch_for_lost_runs()
    missed = last_due(settings, datetime.now(ZoneInfo(settings.time_zone)))
    if missed and not is_done(settings, missed):
        async with get_client() as client:
            await client.create_flow_run_from_deployment(night_id, parameters={"business_day": missed.isoformat()})
    await runner.start()


def last_due(settings: Settings, now: datetime) -> date | None:
    """The business day of the schedule's last start before `now`."""
    previous = CronSim(settings.schedule, now, reverse=True)
    return next(previous).date()


async def watch_for_lost_runs() -> None:
    """When machine and runner die together nobody reports it: a run without heartbeat counts as crashed."""
    from datetime import timedelta

    from prefect.automations import Automation
    from prefect.client.schemas.objects import StateType
    from prefect.events.actions import ChangeFlowRunState
    from prefect.events.schemas.automations import EventTrigger, Posture
    from prefect.exceptions import ObjectNotFound

    name = "lost runs are crashed"
    try:
        await Automation.aread(name=name)
    except (ValueError, ObjectNotFound):
        beat = "prefect.flow-run.heartbeat"
        ends = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")}
        await Automation(
            name=name,
            trigger=EventTrigger(
                after={beat},
                expect={beat, *ends},
                for_each={"prefect.resource.id"},
                posture=Posture.Proactive,
                threshold=1,
                within=timedelta(seconds=LOST_AFTER_SECONDS),
            ),
            actions=[ChangeFlowRunState(state=StateType.CRASHED, message="No heartbeat: its machine or runner died.")],
        ).acreate()
