"""A document that kills its worker, or never ends, goes to quarantine and harms no other."""

import os
import signal
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import flows.pool
from extractors.files import Limits
from flows.jobs import Job, Outcome
from flows.pool import workers
from schemas.errors import RunError
from schemas.filed import Filed
from warehouse.rows import document_rows


def job(name: str) -> Job:
    filed = Filed(
        document_id=f"d_{name}",
        contract_id=f"c_{name}",
        source_uri=name,
        file_name=name,
        sha256="0" * 64,
        media_type="application/pdf",
        status="landed",
        run_id="r",
        ingested_at=datetime.now(UTC).replace(tzinfo=None),
        work_key="k",
    )
    return Job(
        filed=filed,
        paths=(Path(name),),
        version=1,
        limits=Limits(),
        extractor="embedded",
        playbook=None,
        our_entities=(),
        today=date(2026, 1, 1),
        read_key="r",
        extract_key="e",
        keep_folder=Path("keep"),
    )


def fate(job: Job) -> Outcome:
    """Stands in for the line of one contract: the name of the document says what happens to its worker."""
    if job.filed.file_name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if job.filed.file_name == "hungry":
        eaten = []
        while True:
            eaten.append(bytes(range(256)) * 40_000)
    if job.filed.file_name == "endless":
        time.sleep(600)
    return Outcome(filed=job.filed, rows=document_rows(job.filed, None), pages=1)


@pytest.fixture
def fates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows.pool, "process", fate)


def test_a_killed_worker_takes_only_its_document_along(fates):
    names = ["one", "killed", "two", "three", "four"]
    with workers(2, len(names), timeout=60, megabytes=4_096) as pool:
        outcomes = {o.filed.file_name: o.filed for o in pool.outcomes(job(name) for name in names)}
    assert sorted(outcomes) == sorted(names)
    assert outcomes["killed"].status == "quarantined" and outcomes["killed"].error_code == "worker_died"
    assert {outcomes[name].status for name in ("one", "two", "three", "four")} == {"landed"}


def test_a_document_that_never_ends_is_stopped(fates):
    with workers(1, 2, timeout=3, megabytes=4_096) as pool:
        outcomes = {o.filed.file_name: o.filed for o in pool.outcomes([job("endless"), job("after")])}
    assert outcomes["endless"].error_code == "timeout"
    assert "document_timeout_seconds" in (outcomes["endless"].error_message or "")
    assert outcomes["after"].status == "landed"


def test_a_document_that_takes_all_memory_is_stopped(fates):
    with workers(1, 3, timeout=60, megabytes=1_500) as pool:
        outcomes = {o.filed.file_name: o.filed for o in pool.outcomes([job("one"), job("hungry"), job("after")])}
    assert outcomes["hungry"].status == "quarantined" and outcomes["hungry"].error_code == "out_of_memory"
    assert "1,500 MB are allowed" in (outcomes["hungry"].error_message or "")
    assert "document_memory_mb" in (outcomes["hungry"].error_message or "")
    assert {outcomes[name].status for name in ("one", "after")} == {"landed"}


def test_where_no_worker_can_live_the_run_ends_with_a_reason(fates):
    with workers(1, 2, timeout=60, megabytes=1) as pool, pytest.raises(RunError) as ended:
        list(pool.outcomes([job("one"), job("two")]))
    assert ended.value.code == "workers" and "document_memory_mb" in str(ended.value)
