"""Batches fill the ledger; whatever goes wrong, nothing is lost and nothing is paid twice."""

from collections import Counter

import pytest
from conftest import TEXT, Reader
from honest import honest
from server import FakeServer

from extractors.chunk import chunk
from extractors.engines.llm.batch import Batches
from extractors.engines.llm.ledger import Ledger
from schemas.errors import ExtractorUnavailable

COUNT = 6


@pytest.fixture
def asked(server: FakeServer) -> Counter:
    """How often the model answered each set of passages, by itself or in a batch."""
    seen: Counter = Counter()

    def answer(body: dict) -> dict:
        seen[body["input"][0]["content"][0]["text"]] += 1
        return honest(body)

    server.answer = answer
    return seen


@pytest.fixture
def documents(document_of):
    return [document_of(TEXT.replace("forty-five (45)", f"({n})")) for n in range(20, 20 + COUNT)]


@pytest.fixture
def planned(reader: Reader, documents) -> Reader:
    for document in documents:
        reader.engine.plan(document, chunk(document))
    return reader


def batches(reader: Reader, **changes) -> Batches:
    settings = reader.sender._settings.model_copy(update=changes)
    return Batches(reader.client, reader.ledger, settings, sleep=lambda seconds: None)


def read_all(reader: Reader, documents) -> list[str]:
    return [reader.read(document).engine.extractor for document in documents]


def single_calls(server: FakeServer) -> int:
    return sum(call.path == "/v1/responses" for call in server.calls)


def test_a_batch_answers_a_night_at_half_the_price(server, planned, documents, asked):
    assert batches(planned).answer() == {"answered": COUNT}
    assert read_all(planned, documents) == ["openai"] * COUNT
    assert single_calls(server) == 0
    assert set(asked.values()) == {1}
    with planned.ledger._open() as held:
        fresh, cached, out, cost = held.execute(
            "SELECT sum(tokens_in - tokens_cached), sum(tokens_cached), sum(tokens_out), sum(cost) FROM attempts"
        ).fetchone()
    assert cost == pytest.approx(0.5 * (fresh * 0.10 + cached * 0.01 + out * 0.50) / 1e6)
    assert [call.headers[":method"] for call in server.calls].count("DELETE") == 2  # nothing stays at the provider


# what goes wrong with a batch -> how many rows it answers
WRONG = {
    "expired_half": COUNT // 2,
    "all_failed": 0,
    "cancelled": COUNT // 2,
    "failed_validation": 0,
}


@pytest.mark.parametrize("mode", WRONG)
def test_what_a_batch_leaves_is_asked_by_itself(mode, server, planned, documents, asked):
    server.batch_mode = mode
    assert batches(planned).answer()["answered"] == WRONG[mode]
    assert read_all(planned, documents) == ["openai"] * COUNT
    assert single_calls(server) == COUNT - WRONG[mode]
    assert set(asked.values()) == {1}


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("missing", "row_missing"), ("error_500", "server_error"), ("truncated", "truncated"), ("expired", "row_expired"),
     ("refusal", "refused")],
)  # fmt: skip
def test_a_bad_row_is_asked_by_itself(kind, outcome, server, planned, documents, asked):
    request = planned.ledger.unanswered()[0][0]
    server.row_faults[request] = kind
    assert batches(planned).answer() == {"answered": COUNT - 1, outcome: 1}
    assert read_all(planned, documents) == ["openai"] * COUNT
    assert single_calls(server) == 1


def test_a_row_that_comes_twice_counts_once(server, planned, documents, asked):
    server.duplicate_row = planned.ledger.unanswered()[0][0]
    assert batches(planned).answer() == {"answered": COUNT}


def test_a_file_that_is_cut_loses_one_row(server, planned, documents, asked):
    server.cut_last_line = True
    assert batches(planned).answer() == {"answered": COUNT - 1, "row_missing": 1}
    assert read_all(planned, documents) == ["openai"] * COUNT


def test_a_batch_that_does_not_end_is_cancelled(server, planned, documents, asked):
    server.batch_mode = "never"
    assert batches(planned, batch_hours=0).answer()["answered"] <= COUNT
    assert read_all(planned, documents) == ["openai"] * COUNT
    assert max(asked.values()) == 1


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


STEPS = {
    "before the file is sent": ("files", "create", True),
    "after the file was sent": ("files", "create", False),
    "before the batch is made": ("batches", "create", True),
    "after the batch was made": ("batches", "create", False),
    "before the first look": ("batches", "retrieve", True),
    "after the first look": ("batches", "retrieve", False),
    "before the answers are fetched": ("files", "content", True),
    "after the answers were fetched": ("files", "content", False),
    "after a file was deleted": ("files", "delete", False),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_night_killed_at_any_step_pays_nothing_twice(step, server, planned, documents, asked, monkeypatch):
    resource, method, before = STEPS[step]
    target = getattr(planned.client.sdk, resource)
    original = getattr(target, method)

    def killed(*arguments, **more):
        if not before:
            original(*arguments, **more)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(target, method, killed)
        with pytest.raises(Killed):
            batches(planned).answer()
    again = Reader(planned.sender._settings)
    for document in documents:  # the next night plans the same
        again.engine.plan(document, chunk(document))
    batches(again).answer()
    assert read_all(again, documents) == ["openai"] * COUNT
    assert single_calls(server) == 0
    assert set(asked.values()) == {1}
    again.client.close()


def test_a_kill_while_answers_are_noted_keeps_the_rest(server, planned, documents, asked, monkeypatch):
    calls = Counter()
    original = Ledger.end

    def killed(self, *arguments):
        calls["end"] += 1
        if calls["end"] == 3:
            raise Killed
        return original(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "end", killed)
        with pytest.raises(Killed):
            batches(planned).answer()
    batches(planned).answer()
    assert read_all(planned, documents) == ["openai"] * COUNT
    assert set(asked.values()) == {1}


def test_a_host_off_the_list_gets_no_file(reader_with):
    with pytest.raises(ExtractorUnavailable, match="may not be sent"):
        batches(reader_with(base_url="http://192.0.2.1/v1")).answer()


def test_a_provider_without_batches_says_so(server, planned):
    server.faults.clear()
    planned.client.sdk.base_url = server.url + "/nowhere"
    with pytest.raises(ExtractorUnavailable, match="did not take the batch"):
        batches(planned).answer()
