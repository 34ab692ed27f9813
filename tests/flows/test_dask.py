"""The same night on Dask: a killed worker loses nothing, and the bounds of a document hold there too."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from frontdoor import AGENT, AGREEMENT, write_pdf
from PIL import Image
from serving import Server, free_port

TERMS = """SELECT source_uri, status, terms FROM documents LEFT JOIN
    (SELECT document_id, list(value ORDER BY term, value) AS terms FROM terms GROUP BY 1) USING (document_id)
    ORDER BY 1"""
ON_DASK = {"CONTRACT_AGENT_DASK": "local", "CONTRACT_AGENT_WORKERS": "2"}


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """An inbox of a few batches."""
    for number in range(40):
        write_pdf(tmp_path / "many" / f"{number:02d}.pdf", AGREEMENT.replace("sixty (60)", f"{20 + number}"))
    return tmp_path / "many"


def dask_workers(agent: psutil.Process) -> list[psutil.Process]:
    """The workers of Dask below the command: those that have started processes of their own."""
    return [child for child in agent.children() if child.children()]


def test_a_dask_worker_killed_in_mid_run_loses_nothing(agent, environment, many, tmp_path):
    agent("run", many, "--warehouse", tmp_path / "here")
    command = [str(AGENT), "run", str(many), "--warehouse", str(tmp_path / "dask")]
    process = subprocess.Popen(command, env=environment | ON_DASK, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    kept = tmp_path / "dask" / "work"
    while process.poll() is None and len(list(kept.glob("*/*.extract-*"))) < 3:
        pass
    victims = dask_workers(psutil.Process(process.pid))
    assert victims, "nothing was read by a worker of Dask"
    victims[0].kill()
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
    tables = [agent("sql", TERMS, "--warehouse", tmp_path / name, "--format", "json").rows for name in ("here", "dask")]
    assert len(tables[1]) == 40 and tables[1] == tables[0]


def test_the_bounds_of_a_document_hold_on_dask(agent, tmp_path):
    write_pdf(tmp_path / "inbox" / "agreement.pdf", AGREEMENT)
    Image.new("RGB", (9_900, 9_900), "white").save(tmp_path / "inbox" / "huge.png")
    done = agent("run", tmp_path / "inbox", **ON_DASK, CONTRACT_AGENT_DOCUMENT_MEMORY_MB="600")
    assert done.code == 0, done.err
    rows = agent("sql", "SELECT file_name, error_code FROM documents ORDER BY 1", "--format", "json").rows
    assert rows == [
        {"file_name": "agreement.pdf", "error_code": None},
        {"file_name": "huge.png", "error_code": "out_of_memory"},
    ]


def test_without_a_cluster_the_error_says_what_to_start(agent, inbox):
    done = agent("run", inbox, CONTRACT_AGENT_DASK="nowhere")
    assert done.code == 1 and "[dask]" in done.err and "dask scheduler" in done.err


@pytest.fixture
def server(environment, inbox) -> Iterator[Server]:
    port = free_port()
    command = [str(AGENT), "serve", "--inbox", str(inbox), "--port", str(port)]
    process = subprocess.Popen(command, env=environment | ON_DASK, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        yield Server(port, process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def test_the_nightly_flow_reads_on_dask(server, agent):
    def landed():
        rows = agent("sql", "SELECT trigger, documents, contracts FROM runs", "--format", "json")
        return rows.code == 0 and rows.rows

    assert server.wait_for(landed, "catching up") == [{"trigger": "nightly", "documents": 3, "contracts": 1}]
    tasks = server.wait_for(lambda: server.post("/task_runs/filter", {}), "reporting the batch")
    assert [task["state_type"] for task in tasks] == ["COMPLETED"]
