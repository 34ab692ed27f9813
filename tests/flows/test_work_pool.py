"""Two workers on one work pool, Postgres as Prefect's database: the night is divided among flow runs."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from frontdoor import AGENT, AGREEMENT, write_pdf
from serving import Server, free_port

PREFECT = Path(sys.executable).parent / "prefect"
DEBIAN = Path("/usr/lib/postgresql")


def postgres_programs() -> Path:
    """The folder of Postgres' programs; installed from Debian where they are not there and we may."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    if not DEBIAN.is_dir():
        if os.getuid() != 0 or not shutil.which("apt-get"):
            pytest.skip("Postgres is not here: apt-get install postgresql")
        subprocess.run(["apt-get", "update", "-qq"], check=True, timeout=300)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(install, check=True, env=environment, timeout=600, stdout=subprocess.DEVNULL)
    return sorted(DEBIAN.glob("*/bin"))[-1]


def ordinary_user() -> str | None:
    """Whom Postgres runs as: it refuses root."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """The address of a fresh Postgres on loopback."""
    programs, user = postgres_programs(), ordinary_user()
    folder = Path("/tmp") / f"contract-agent-postgres-{os.getpid()}"  # nobody else may enter pytest's own folder
    folder.mkdir(mode=0o700)
    try:
        if user:
            shutil.chown(folder, user)
        data, port = folder / "data", free_port()
        make = [programs / "initdb", "-D", data, "-U", "prefect", "--auth=trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(make, check=True, user=user, cwd="/", stdout=subprocess.DEVNULL)
        start = [programs / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder]
        with (tmp_path / "postgres.log").open("w") as log:
            process = subprocess.Popen(start, user=user, cwd="/", stdout=log, stderr=log)
        try:
            yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(signal.SIGINT)  # at once, without waiting for its clients
            process.wait(timeout=60)
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def server(environment, database, tmp_path) -> Iterator[Server]:
    """A Prefect server on Postgres, the flows on a work pool, and two workers that take from it."""
    port = free_port()
    more = {
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "CONTRACT_AGENT_PARTS": "2",
        "CONTRACT_AGENT_WORKERS": "1",
    }
    environment = environment | more
    processes: list[subprocess.Popen] = []

    def start(command: list, environment: dict[str, str], name: str) -> subprocess.Popen:
        with (tmp_path / f"{name}.log").open("w") as log:
            processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True))
        return processes[-1]

    serve = [PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    try:
        on_postgres = environment | {"PREFECT_SERVER_DATABASE_CONNECTION_URL": database}
        server = Server(port, start(serve, on_postgres, "server"))
        server.wait_for(lambda: server.get("/health"), "starting the server")
        deploy = [AGENT, "deploy", "contracts", "--inbox", tmp_path / "inbox"]
        done = subprocess.run(deploy, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        for name in ("first", "second"):
            start([PREFECT, "worker", "start", "--pool", "contracts", "--name", name], environment, name)
        yield server
    finally:
        for process in reversed(processes):
            os.killpg(
                process.pid, signal.SIGKILL
            )  # asked to end, a worker waits half a minute for a server that is gone
        for process in processes:
            process.wait()


def test_a_night_is_divided_among_the_workers_of_a_pool(server, agent, tmp_path):
    for number in range(6):
        write_pdf(tmp_path / "inbox" / f"{number}.pdf", AGREEMENT.replace("sixty (60)", f"{20 + number}"))
    assert set(server.deployments()) == {"nightly", "backfill", "weekly", "decisions", "part"}
    nightly = server.deployments()["nightly"]
    started = server.post(f"/deployments/{nightly['id']}/create_flow_run", {})
    run = server.wait_for(lambda: server.finished(started["id"]), "the night")
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    rows = agent("sql", "SELECT documents, contracts, quarantined FROM runs", "--format", "json").rows
    assert rows == [{"documents": 6, "contracts": 6, "quarantined": 0}]
    part = {"flow_runs": {"deployment_id": {"any_": [server.deployments()["part"]["id"]]}}}
    assert [run["state_type"] for run in server.post("/flow_runs/filter", part)] == ["COMPLETED", "COMPLETED"]
    assert not list((tmp_path / "home" / "warehouse" / "work" / "parts").glob("*"))


def test_without_a_server_the_error_says_what_to_set(agent):
    done = agent("deploy", "contracts")
    assert done.code == 1 and "PREFECT_API_URL" in done.err
