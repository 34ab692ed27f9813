"""What all tests share: no network, an inbox, and the command line with a data folder of its own."""

import fcntl
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from frontdoor import AGREEMENT, Done, fresh_environment, run_agent, write_pdf

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
    folder = tmp_path / "inbox"
    original = write_pdf(folder / "agreement.pdf", AGREEMENT)
    (folder / "copies").mkdir()
    (folder / "copies" / "agreement again.pdf").write_bytes(original.read_bytes())
    (folder / "cut.pdf").write_bytes(original.read_bytes()[:900])
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a fresh user with a data folder of its own."""
    return fresh_environment(CONTRACT_AGENT_HOME=str(tmp_path / "home"))


@pytest.fixture
def agent(tmp_path: Path) -> Callable[..., Done]:
    """`contract-agent` with a data folder of its own; keyword arguments add to its environment."""
    return lambda *arguments, **more: run_agent(*arguments, CONTRACT_AGENT_HOME=str(tmp_path / "home"), **more)


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
            done = run_agent(*arguments, CONTRACT_AGENT_HOME=str(home))
            assert done.code == 0, done.err
            (home / "done").touch()
    return home / "warehouse"
