"""A real Prefect server on loopback: the schedule is there and makes runs, a backfill by its form lands rows."""

import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest
from frontdoor import AGENT
from serving import Server, free_port


@pytest.fixture
def server(environment, inbox) -> Iterator[Server]:
    port, review_port = free_port(), free_port()
    command = [str(AGENT), "serve", "--inbox", str(inbox), "--port", str(port), "--review-port", str(review_port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        yield Server(port, process, review=f"http://127.0.0.1:{review_port}")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def test_schedule_catch_up_and_backfill(server, agent):
    deployments = server.wait_for(
        lambda: (
            (found := server.deployments()) and {"nightly", "backfill", "weekly", "decisions"} <= set(found) and found
        ),
        "deploying",
    )
    assert deployments["nightly"]["schedules"][0]["schedule"]["cron"] == "0 2 * * *"

    # Last night's run was missed, since nothing was there to run it: it is caught up at once.
    def landed():
        rows = agent("sql", "SELECT trigger FROM runs", "--format", "json")
        return rows.code == 0 and rows.rows

    assert server.wait_for(landed, "catching up")[0]["trigger"] == "nightly"
    with urllib.request.urlopen(f"{server.review}/contracts.json", timeout=30) as answer:  # the review page shows it
        assert json.load(answer)["contracts"]["total"] == 1

    nightly = {"deployments": {"id": {"any_": [deployments["nightly"]["id"]]}}}
    scheduled = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    runs = server.wait_for(lambda: server.post("/flow_runs/filter", nightly | scheduled), "scheduling")
    assert all(run["state_type"] == "SCHEDULED" for run in runs)

    # A business day that is done is skipped.
    day = agent("sql", "SELECT business_date FROM runs", "--format", "json").rows[0]["business_date"]
    again = server.post(
        f"/deployments/{deployments['nightly']['id']}/create_flow_run", {"parameters": {"business_day": day}}
    )
    assert server.wait_for(lambda: server.finished(again["id"]), "skipping")["state_name"] == "Skipped"

    form = {"mode": "all", "from_stage": "flag", "contract_ids": [], "dry_run": False}
    started = server.post(
        f"/deployments/{deployments['backfill']['id']}/create_flow_run", {"parameters": {"form": form}}
    )
    assert server.wait_for(lambda: server.finished(started["id"]), "the backfill")["state_type"] == "COMPLETED"
    rows = agent("sql", "SELECT trigger, documents FROM runs ORDER BY started_at", "--format", "json").rows
    assert rows[-1] == {"trigger": "backfill", "documents": 3}
    assert agent("sql", "SELECT max(version) AS v FROM contracts_history", "--format", "json").rows == [{"v": 2}]
    artifacts = server.post("/artifacts/filter", {})
    assert {"table", "progress", "image", "markdown"} <= {artifact["type"] for artifact in artifacts}
    assert {"run-summary", "run-stages", "morning-brief"} <= {artifact["key"] for artifact in artifacts}

    wrong = {"from_date": "2026-05-02", "to_date": "2026-05-01"}
    refused = server.post(
        f"/deployments/{deployments['backfill']['id']}/create_flow_run", {"parameters": {"form": wrong}}
    )
    assert server.wait_for(lambda: server.finished(refused["id"]), "refusing")["state_type"] == "FAILED"
