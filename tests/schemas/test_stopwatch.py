"""Stages add up: what is inside another one is counted once, and waiting for an item is told from using it."""

import pytest

import schemas.stopwatch
from schemas.stopwatch import each, stage, stopwatch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still until it is moved."""
    now = [0.0]
    monkeypatch.setattr(schemas.stopwatch.time, "perf_counter", lambda: now[0])
    return now


def test_an_inner_stage_is_taken_off_the_outer_one(clock):
    with stopwatch() as seconds:
        with stage("read"):
            clock[0] += 2
            with stage("ocr"):
                clock[0] += 5
            clock[0] += 1
        clock[0] += 10  # between stages
        with stage("read"):
            clock[0] += 4
    assert seconds == {"read": 7.0, "ocr": 5.0}


def test_a_stage_that_fails_ends(clock):
    with stopwatch() as seconds:
        with pytest.raises(ValueError), stage("read"), stage("ocr"):
            clock[0] += 3
            raise ValueError
        clock[0] += 10
    assert seconds == {"read": 0.0, "ocr": 3.0}


def test_waiting_for_an_item_is_told_from_using_it(clock):
    def slowly():
        for number in range(3):
            clock[0] += 2
            yield number

    with stopwatch() as seconds, stage("land"):
        for _ in each("wait", slowly()):
            clock[0] += 1
    assert seconds == {"land": 3.0, "wait": 6.0}


def test_without_a_stopwatch_nothing_is_counted(clock):
    with stage("read"):
        clock[0] += 1
    with stopwatch() as seconds:
        pass
    assert seconds == {}
