"""A run killed at any moment can simply be run again."""

import random
import signal
import subprocess
import time

import duckdb
from frontdoor import AGENT, AGREEMENT, write_pdf

STATEMENT = """SELECT source_uri, status, terms FROM documents LEFT JOIN
    (SELECT document_id, list(value ORDER BY term, value) AS terms FROM terms GROUP BY 1) USING (document_id)
    ORDER BY 1"""


def test_killed_runs_leave_nothing_lost_and_nothing_doubled(agent, environment, tmp_path):
    inbox = tmp_path / "inbox"
    for number in range(6):
        write_pdf(inbox / f"{number}.pdf", AGREEMENT.replace("sixty (60)", f"{20 + number}"))
    expected_in, killed_in = tmp_path / "expected", tmp_path / "killed"
    begun = time.monotonic()
    agent("run", inbox, "--warehouse", expected_in)
    length = time.monotonic() - begun
    expected = agent("sql", STATEMENT, "--warehouse", expected_in, "--format", "json").rows
    chance = random.Random(3)
    for _ in range(4):
        command = [str(AGENT), "run", str(inbox), "--warehouse", str(killed_in)]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=chance.uniform(0.5, length))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if (killed_in / "warehouse.duckdb").exists():  # readable at any moment, and never half a run
            with duckdb.connect(str(killed_in / "warehouse.duckdb"), read_only=True) as connection:
                assert connection.execute("SELECT count(*) FROM contracts").fetchall()[0][0] in (0, 6)
    assert agent("run", inbox, "--warehouse", killed_in).code == 0
    assert agent("sql", STATEMENT, "--warehouse", killed_in, "--format", "json").rows == expected
    versions = agent(
        "sql", "SELECT max(version) AS v FROM contracts_history", "--warehouse", killed_in, "--format", "json"
    )
    assert versions.rows == [{"v": 1}]
