"""`contract-agent run --extractor openai` against the fake server: what lands, is tried again, stops the run."""

import base64
import json
import os
import random
from io import BytesIO
from pathlib import Path

import pymupdf
import pytest
from frontdoor import AGREEMENT, write_pdf
from honest import honest
from PIL import Image
from server import Fault

from review.loop.examples import Example, keep_examples

MANY = int(os.environ.get("CONTRACT_AGENT_FAULTY_DOCUMENTS", "15"))
"""Documents of the night with faults; a thousand take some minutes and are a measurement."""


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    write_pdf(folder / "agreement.pdf", AGREEMENT)
    return folder


@pytest.fixture
def ask(agent_here, server, tmp_path):
    """The command line with a key and the fake server."""

    def run(*arguments: str, **more: str):
        return agent_here(*arguments, OPENAI_API_KEY="k", OPENAI_BASE_URL=server.url, **more)

    return run


def rows(ask, query: str) -> list[list[str]]:
    done = ask("sql", query, "--format", "csv")
    assert done.code == 0, done.err
    return [line.split(",") for line in done.out.strip().splitlines()[1:]]


def test_a_run_lands_terms_requests_and_cost(ask, inbox, server):
    assert ask("run", str(inbox), "--extractor", "auto").code == 0
    assert rows(ask, "SELECT DISTINCT extractor, model FROM terms WHERE evidence <> 'derived'") == [
        ["openai", "gpt-6-luna"]
    ]
    assert rows(ask, "SELECT outcome, host, paid FROM requests") == [["answered", "127.0.0.1", "True"]]
    tokens_in, tokens_out, cost = rows(ask, "SELECT tokens_in, tokens_out, cost_usd FROM runs")[0]
    assert int(tokens_in) > 1000 and int(tokens_out) > 100 and float(cost) > 0
    assert len(server.calls) == 1


def test_what_was_approved_as_an_example_is_shown_from_then_on(ask, inbox, server, tmp_path):
    assert ask("run", str(inbox), "--extractor", "openai").code == 0
    said = {"term": "currency", "language": "en", "passage": "All sums are in loonies.", "quote": "in loonies"}
    example = Example(example_id="x", contract_id="c", value="CAD", wrong="USD", reason_code="wrong_value", **said)
    keep_examples(tmp_path / "home", [example])
    assert ask("run", str(inbox), "--extractor", "openai").summary["documents"] == 0, "nothing is paid for twice"
    write_pdf(inbox / "another.pdf", AGREEMENT.replace("Ohio", "Utah"))
    assert ask("run", str(inbox), "--extractor", "openai").summary["documents"] == 1
    first, second = (call.body["instructions"] for call in server.calls)
    assert example.passage in second and example.passage not in first
    assert len(rows(ask, "SELECT DISTINCT prompt_version FROM terms WHERE prompt_version IS NOT NULL")) == 2


def test_auto_without_a_key_sends_nothing(agent, inbox, server):
    assert agent("run", str(inbox), "--extractor", "auto", OPENAI_BASE_URL=server.url).code == 0
    assert server.calls == []


def test_what_the_provider_failed_is_tried_again(ask, inbox, server):
    server.faults += [Fault("500")] * 2
    assert ask("run", str(inbox), "--extractor", "openai", CONTRACT_AGENT_OPENAI_ATTEMPTS="2").code == 0
    assert rows(ask, "SELECT count(*), min(extractor) FROM terms WHERE term = 'governing_law'") == [["1", "embedded"]]
    assert rows(ask, "SELECT outcome, attempts FROM requests") == [["server_error", "2"]]
    assert ask("run", str(inbox), "--extractor", "openai").code == 0
    assert rows(ask, "SELECT count(*), min(extractor) FROM terms WHERE term = 'governing_law'") == [["1", "openai"]]
    calls = len(server.calls)
    assert ask("run", str(inbox), "--extractor", "openai").code == 0
    assert len(server.calls) == calls  # done is done


@pytest.mark.parametrize("kind", ["401", "insufficient_quota"])
def test_no_access_or_no_credit_stops_the_run(kind, ask, inbox, server):
    assert ask("run", str(inbox)).code == 0
    server.faults.append(Fault(kind))
    done = ask("run", str(inbox), "--extractor", "openai")
    assert done.code == 1
    assert "OPENAI_API_KEY" in done.err or "credit" in done.err
    assert rows(ask, "SELECT count(*), min(extractor) FROM terms WHERE term = 'governing_law'") == [["1", "embedded"]]


def test_a_fifth_of_faults_loses_and_doubles_nothing(ask, tmp_path, server):
    inbox = tmp_path / "many"
    for number in range(MANY):
        write_pdf(
            inbox / f"{number}.pdf", AGREEMENT.replace("AGREEMENT", f"AGREEMENT No. {number}", 1) + f"\nNo. {number}"
        )
    kinds = ["500", "reset", "half_body", "broken_json", "html_200", "429_ms", "502_html"]
    chance = random.Random(5)
    server.faults += [
        Fault(chance.choice(kinds), 10.0) if chance.random() < 0.2 else Fault("") for _ in range(4 * MANY)
    ]
    assert ask("run", str(inbox), "--extractor", "openai").code == 0
    landed = rows(ask, "SELECT count(*) FROM documents WHERE status = 'landed'")[0][0]
    assert rows(
        ask, "SELECT count(*), count(DISTINCT contract_id), min(extractor) FROM terms WHERE term = 'title'"
    ) == [[landed, landed, "openai"]]
    answered = rows(ask, "SELECT count(*), sum(tokens_in) FROM requests WHERE outcome = 'answered'")[0]
    assert answered[0] == landed


@pytest.fixture
def unreadable(inbox):
    """A second contract that no OCR can read: a scan at a hand's width of pixels."""
    with pymupdf.open(inbox / "agreement.pdf") as pdf, pymupdf.open() as scan:
        page = scan.new_page(width=612, height=792)
        page.insert_image(page.rect, stream=pdf[0].get_pixmap(dpi=30).tobytes("png"))
        scan.save(inbox / "unreadable.pdf")
    return inbox


def pictures_in(call) -> list[str]:
    parts = call.body["input"][0]["content"] if "input" in call.body else call.body["messages"][-1]["content"]
    urls = [part.get("image_url") for part in parts]
    return [url["url"] if isinstance(url, dict) else url for url in urls if url]


def test_a_page_that_ocr_cannot_read_goes_as_a_picture(ask, unreadable, server):
    def looks(body):
        said = honest(body)
        if "[page 1]" in json.dumps(body):
            law = next(term for term in said["terms"] if term["term"] == "governing_law")
            law |= {"value": "New York", "passage": "page 1", "quote": "governed by the laws of the State of New York"}
        return said

    server.answer = looks
    for api in ("responses", "chat"):
        server.calls.clear()
        assert ask("run", str(unreadable), "--extractor", "openai", CONTRACT_AGENT_OPENAI_API=api).code == 0
        sent = [picture for call in server.calls for picture in pictures_in(call)]
        assert len(sent) == 1, api
        with Image.open(BytesIO(base64.b64decode(sent[0].removeprefix("data:image/jpeg;base64,")))) as picture:
            assert max(picture.size) <= 1536
        of_the_run = "WHERE run_id = (SELECT max(run_id) FROM requests)"
        query = f"SELECT page_images FROM requests {of_the_run} ORDER BY len(page_images)"
        assert rows(ask, query) == [["[]"], ["[1]"]]
        query = "SELECT value, evidence, route FROM terms JOIN documents USING (contract_id)"
        query += " WHERE term = 'governing_law' AND file_name = 'unreadable.pdf'"
        assert rows(ask, query) == [["New York", "unverified", "look_first"]]
    server.calls.clear()
    assert ask("run", str(unreadable), "--extractor", "openai", CONTRACT_AGENT_OPENAI_REDACT="true").code == 0
    assert len(server.calls) == 1, "the agreement was answered before"
    assert [picture for call in server.calls for picture in pictures_in(call)] == [], "numbers must not leave"


def test_a_night_in_batches(ask, inbox, server):
    assert ask("run", str(inbox), "--extractor", "openai", CONTRACT_AGENT_OPENAI_BATCH="true").code == 0
    assert rows(ask, "SELECT min(extractor) FROM terms WHERE term = 'governing_law'") == [["openai"]]
    assert [call.path for call in server.calls if call.path.endswith("/responses")] == []
    assert float(rows(ask, "SELECT cost_usd FROM runs")[0][0]) > 0


def test_a_backfill_keeps_its_budget(ask, inbox, server):
    assert ask("run", str(inbox)).code == 0
    server.calls.clear()
    done = ask("backfill", "--mode", "all", "--max-cost", "0", CONTRACT_AGENT_EXTRACTOR="openai")
    assert done.code == 0
    assert server.calls == []
    assert rows(ask, "SELECT outcome FROM requests") == [["over_budget"]]


def test_a_dry_run_tells_what_would_leave(ask, inbox, server):
    assert ask("run", str(inbox)).code == 0
    done = ask("backfill", "--mode", "all", "--dry-run", "--extractor", "openai")
    assert done.code == 0
    assert "Would send 1 requests to 127.0.0.1" in done.out
    assert server.calls == []
    assert rows(ask, "SELECT count(*) FROM runs") == [["1"]]


def test_doctor_asks_the_provider(ask, server):
    assert "answers: " in ask("doctor", "--live").out
    server.faults.append(Fault("401"))
    done = ask("doctor", "--live")
    assert done.code == 1
    assert "no_access" in done.out


@pytest.mark.skipif("CONTRACT_AGENT_LIVE_TEST" not in os.environ, reason="needs a key, and costs a fraction of a cent")
def test_the_real_provider_answers(agent):
    assert (
        "answers: " in agent("doctor", "--live", **{k: v for k, v in os.environ.items() if k.startswith("OPENAI_")}).out
    )
