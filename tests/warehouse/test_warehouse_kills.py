"""Runs that are killed at any moment: no reader notices, nothing committed is lost, nothing stays behind."""

import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from landing_samples import keep_landing, keep_reading, land_numbers

from warehouse.catalogue import publish
from warehouse.manifest import current
from warehouse.read import query
from warehouse.state import landed

KILLS = 20


def test_kills_leave_old_or_new(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # for the preload
    starter = multiprocessing.get_context("forkserver")
    starter.set_forkserver_preload(["landing_samples", "duckdb"])  # processes start at once
    done, stop, report = tmp_path / "done", tmp_path / "stop", tmp_path / "report"
    publish(root)
    reader = starter.Process(target=keep_reading, args=(root / "warehouse.duckdb", stop, report))
    reader.start()
    ready = starter.Event()
    chance, landing_takes = random.Random(7), None
    for number in range(KILLS):
        writer = starter.Process(target=keep_landing, args=(root, done, str(number), ready))
        writer.start()
        ready.wait()
        ready.clear()
        if landing_takes is None:
            landing_takes = seconds_until(lambda: done.exists() and done.read_text().count("\n") > 1)
        else:
            time.sleep(chance.uniform(0.0, min(landing_takes, 0.6)))
        writer.kill()
        writer.join()
        state = landed(root)
        assert len(state.contracts) == len(state.documents) == 3 * len(query(root, "FROM runs")[1])
    stop.touch()
    reader.join()
    reads, *wrong = report.read_text().splitlines()
    assert not wrong
    assert int(reads) > KILLS
    runs = {row[0] for row in query(root, "SELECT run_id FROM runs")[1]}
    assert set(done.read_text().split()) <= runs
    assert len(runs) > 1
    check_nothing_left(root)


def seconds_until(happened: Callable[[], bool]) -> float:
    begun = time.perf_counter()
    while not happened():
        time.sleep(0.01)
    return time.perf_counter() - begun


def check_nothing_left(root: Path) -> None:
    land_numbers(root, "last", [1])
    manifest = current(root)
    listed = set(manifest.all_files)
    there = {str(path.relative_to(root)) for path in (root / "lake").rglob("*.parquet")}
    former = {name for name in there - listed if name.startswith("lake/runs/")}
    assert there - former == listed
    assert not list((root / "staging").iterdir())
    assert sorted(path.name for path in root.iterdir() if path.name != "publish.lock") == [
        "lake",
        "manifests",
        "staging",
        "warehouse.duckdb",
    ]
