"""What all tests share: no network, an inbox, and the command line with a data folder of its own."""

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from frontdoor import Done, call_here, fresh_environment, run_agent, small_inbox

SAMPLES = Path(__file__).resolve().parent.parent / "sample_contracts"
SAMPLES_DATE = "2026-11-02"
LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that leaves this machine fails the test that makes it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address):
        host = address[0] if isinstance(address, tuple) else "localhost"
        assert str(host).startswith(LOOPBACK), f"a test tried to reach {address}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """An inbox with one agreement, a copy of it, and a file that is cut short."""
    return small_inbox(tmp_path / "inbox")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a fresh user with a data folder of its own."""
    return fresh_environment(CONTRACT_AGENT_HOME=str(tmp_path / "home"))


@pytest.fixture
def agent(tmp_path: Path) -> Callable[..., Done]:
    """`contract-agent` with a data folder of its own; keyword arguments add to its environment."""
    given = {"CONTRACT_AGENT_HOME": str(tmp_path / "home")}
    return lambda *arguments, **more: run_agent(*arguments, **given | more)


@pytest.fixture
def agent_here(tmp_path: Path) -> Callable[..., Done]:
    """The same in this process (see `frontdoor.call_here`)."""
    given = {"CONTRACT_AGENT_HOME": str(tmp_path / "home")}
    return lambda *arguments, **more: call_here(*arguments, **given | more)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3 on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(port: int, server: subprocess.Popen) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert server.poll() is None, "the server stopped"
        time.sleep(0.1)
    raise AssertionError("the server did not come up")


@pytest.fixture
def bucket(s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty bucket; this process and the commands it calls find the server and their credentials."""
    import s3fs

    given = {"AWS_ENDPOINT_URL": s3_server, "AWS_ACCESS_KEY_ID": "one", "AWS_SECRET_ACCESS_KEY": "two"}
    for name, value in (given | {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}).items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    name = f"contracts-{os.getpid()}-{abs(hash(tmp_path)):x}"
    s3fs.S3FileSystem().mkdir(name)
    yield f"s3://{name}"
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One night run over all samples, shared by the processes that test."""
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "samples"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "done").exists():
            arguments = ("run", SAMPLES, "--warehouse", home / "warehouse", "--date", SAMPLES_DATE)
            done = run_agent(*arguments, CONTRACT_AGENT_HOME=str(home), CONTRACT_AGENT_WORKERS="2")
            assert done.code == 0, done.err
            (home / "done").touch()
    return home / "warehouse"
