"""Every fault of a provider has one named outcome over real HTTP; none looks like a missing clause."""

import random

import pytest
from conftest import Reader
from server import Fault

from extractors.check import check
from extractors.engines.llm.outcomes import STOPS_THE_RUN
from extractors.engines.llm.sender import Wanted
from schemas.errors import ExtractorUnavailable

# fault -> the outcome of its attempt, attempts in all (3 at most), whether an answer came in the end
FAULTS = {
    "429_retry_after": ("rate_limited", 2, True),
    "429_ms": ("rate_limited", 2, True),
    "429_long": ("rate_limited", 2, True),
    "500": ("server_error", 2, True),
    "502_html": ("server_error", 2, True),
    "slow": ("answered", 1, True),
    "timeout": ("timeout", 2, True),
    "reset": ("connection_lost", 2, True),
    "half_body": ("connection_lost", 2, True),
    "broken_json": ("not_the_api", 2, True),
    "html_200": ("not_the_api", 2, True),
    "truncated": ("truncated", 2, True),
    "reasoning_only": ("only_reasoning", 2, True),
    "refusal": ("refused", 1, False),
    "failed": ("failed", 2, True),
    "content_filter": ("filtered", 1, False),
    "prose": ("no_json", 2, True),
    "fenced": ("no_json", 2, True),
    "double_json": ("no_json", 2, True),
    "unknown_enum": ("not_the_schema", 2, True),
    "extra_key": ("not_the_schema", 2, True),
    "empty": ("empty", 2, True),
    "400_context": ("too_long", 3, True),  # in two halves
    "wrong_model": ("answered", 1, True),
    "no_usage_details": ("answered", 1, True),
    "tier_downgraded": ("answered", 1, True),
}
SECONDS = {"429_retry_after": 1.0, "429_ms": 1.0, "slow": 0.2, "timeout": 3.0}


@pytest.mark.parametrize("api", ["responses", "chat"])
@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_has_its_name_and_its_remedy(kind, api, server, reader_with, document):
    outcome, calls, answered = FAULTS[kind]
    if api == "chat" and kind in ("reasoning_only", "failed"):
        pytest.skip("chat completions have no such reply")
    reader = reader_with(api=api, timeout_seconds=1.0)
    server.faults.append(Fault(kind, SECONDS.get(kind, 0.0)))
    found = reader.read(document)
    assert outcome in {row[0] for row in _attempts(reader)} | {request.outcome for request in found.requests}
    assert len(server.calls) == calls
    assert found.engine.extractor == ("openai" if answered else "embedded")
    law = check(found, document).term("governing_law")
    assert (law.value, law.evidence) == ("Ohio", "verified")  # whoever read it, nothing is lost


def _attempts(reader: Reader) -> list[tuple]:
    with reader.ledger._open() as held:
        return held.execute("SELECT outcome, tokens_in, tokens_out, cost FROM attempts ORDER BY id").fetchall()


def test_the_provider_says_how_long_to_wait(server, reader, document):
    server.faults += [Fault("429_retry_after", 7.0), Fault("429_ms", 1500.0)]
    reader.read(document)
    assert [wait for wait in reader.waits if wait > 1] != []
    assert max(reader.waits) == pytest.approx(7.0, abs=0.1)


def test_a_wait_that_is_too_long_is_left_to_the_next_run(server, reader_with, document):
    server.faults.append(Fault("429_long"))
    found = reader_with(longest_wait_seconds=60).read(document)
    assert found.engine.extractor == "embedded"
    assert [request.outcome for request in found.requests] == ["rate_limited"]


def test_faults_without_end_leave_what_the_embedded_engine_read(server, reader, document):
    server.faults += [Fault("500")] * 3
    found = reader.read(document)
    assert found.engine.extractor == "embedded"
    assert (found.requests[0].outcome, found.requests[0].attempts) == ("server_error", 3)
    assert found.term("governing_law").value == "Ohio"


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("insufficient_quota", "quota_used_up"),
        ("401", "no_access"),
        ("403", "no_access"),
        ("404_model", "no_such_model"),
    ],
)
def test_what_would_end_every_request_ends_the_run(kind, outcome, server, reader, document):
    server.faults.append(Fault(kind))
    with pytest.raises(ExtractorUnavailable) as raised:
        reader.read(document)
    assert (raised.value.code, len(server.calls)) == (outcome, 1)
    assert outcome in STOPS_THE_RUN
    assert raised.value.help


def test_a_redirect_is_not_followed(server, reader, document):
    server.faults.append(Fault("redirect"))
    with pytest.raises(ExtractorUnavailable) as raised:
        reader.read(document)
    assert raised.value.code == "host_not_allowed"
    assert "192.0.2.1" in str(raised.value)


def test_a_host_off_the_list_gets_no_byte(reader_with, document):
    with pytest.raises(ExtractorUnavailable) as raised:
        reader_with(base_url="http://192.0.2.1/v1").read(document)  # the guard of all tests fails what leaves
    assert raised.value.code == "host_not_allowed"


def test_two_bad_answers_are_enough(server, reader, document):
    server.faults += [Fault("prose")] * 2
    found = reader.read(document)
    assert found.engine.extractor == "embedded"
    assert [request.outcome for request in found.requests] == ["no_json", "no_json"]


def test_a_truncated_answer_gets_more_room_then_fewer_questions(server, reader, document):
    server.faults += [Fault("truncated")] * 2
    found = reader.read(document)
    assert found.engine.extractor == "openai"
    rooms = [call.body["max_output_tokens"] for call in server.calls]
    assert rooms == [8000, 16000, 16000, 16000]
    halves = [request.asked for request in found.requests if request.outcome == "answered"]
    assert len(halves) == 2
    assert not set(halves[0]) & set(halves[1])


def test_a_thousand_requests_with_a_fifth_of_faults(server, reader_with):
    """None is lost, none is asked or paid for twice."""
    chance = random.Random(3)
    kinds = ["500", "reset", "half_body", "broken_json", "html_200", "429_ms", "502_html", "429_retry_after"]
    server.faults += [Fault(chance.choice(kinds), 0.0) if chance.random() < 0.2 else Fault("") for _ in range(3000)]
    reader = reader_with(attempts=12)
    records = []
    for number in range(1000):
        passages = f"[k0000] Law\nContract {number} is governed by the laws of Ohio."
        body = reader.engine._letter.body(passages, ("governing_law",), with_clauses=False)
        wanted = Wanted(f"c_{number}", "extract", ("governing_law",), ("k0000",), (), 1.0, 0, body)
        records.append(reader.sender.send(wanted).record)
    assert [record.outcome for record in records] == ["answered"] * 1000
    assert len({record.request_id for record in records}) == 1000
    answered = [row for row in _attempts(reader) if row[0] == "answered"]
    assert len(answered) == 1000
    paid = sum(row[3] or 0 for row in _attempts(reader))
    assert paid <= 1.02 * sum(row[3] for row in answered)
    assert len(server.calls) > 1150  # the faults were there
