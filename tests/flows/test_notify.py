"""The brief after a night: to chats and mail on loopback."""

import json
import logging
import socket
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from frontdoor import AGREEMENT, call_here, write_pdf
from pydantic import SecretStr

from flows.notify import service_of, tell
from schemas.settings import load_settings
from warehouse.brief import brief, markdown

TOKEN = "3ccdd113474722377935511fc85d3dd4"


class Chat(ThreadingHTTPServer):
    """Takes what is posted; `status` is what it answers."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Posted)
        self.status = 200
        self.taken: list[tuple[str, dict]] = []

    def address(self, kind: str, path: str) -> str:
        return f"{kind}://127.0.0.1:{self.server_port}/{path}"


class _Posted(BaseHTTPRequestHandler):
    server: Chat

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def chat() -> Iterator[Chat]:
    with Chat() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class Mailbox:
    """What a mail server was given."""

    def __init__(self):
        self.letters: list = []

    async def handle_DATA(self, server, session, envelope) -> str:
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[tuple[str, Mailbox]]:
    mailbox = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield f"mailto://127.0.0.1:{port}?from=agent@example.com&to=finance@example.com", mailbox
    controller.stop()


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of one agreement."""
    home = tmp_path_factory.mktemp("night")
    write_pdf(home / "inbox" / "agreement.pdf", AGREEMENT)
    done = call_here("run", home / "inbox", "--date", "2026-11-02", CONTRACT_AGENT_HOME=str(home))
    assert done.code == 0, done.err
    return home / "warehouse"


def test_the_brief_goes_to_chats_and_mail(chat: Chat, mail, night: Path):
    address, mailbox = mail
    given = [chat.address("mmost", TOKEN), chat.address("json", "hook"), address]
    assert tell([SecretStr(one) for one in given], night) == 3
    slack_like, plain = (body for _, body in chat.taken)
    assert chat.taken[0][0] == f"/hooks/{TOKEN}" and chat.taken[1][0] == "/hook"
    assert "**Flags to decide: " in slack_like["text"] and "Contract brief for" in slack_like["text"]
    assert plain["title"] == "Contract brief for Monday, 02 November 2026"
    letter = mailbox.letters[0]
    assert letter["subject"] == plain["title"] and letter["to"] == "finance@example.com"
    page = letter.get_body(("html",)).get_content()
    assert "<strong>Flags to decide: " in page and "<li>" in page


def test_a_failure_is_a_warning_without_the_address(chat: Chat, night: Path, caplog: pytest.LogCaptureFixture):
    chat.status = 500
    given = [chat.address("mmost", TOKEN), f"json://127.0.0.1:9/{TOKEN}", f"nonsense://{TOKEN}"]
    with caplog.at_level(logging.DEBUG):
        assert tell([SecretStr(one) for one in given], night) == 0
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "answered 500" in warnings[0] and "could not be reached" in warnings[1] and "doctor" in warnings[2]
    assert TOKEN not in caplog.text


def test_a_night_tells_and_a_failing_address_does_not_fail_it(agent, inbox: Path, chat: Chat):
    given = [f"json://127.0.0.1:9/{TOKEN}", chat.address("json", "hook")]
    done = agent("run", inbox, CONTRACT_AGENT_NOTIFY=json.dumps(given))
    assert done.code == 0 and done.summary["contracts"] == 1
    assert len(chat.taken) == 1 and "Waiting in quarantine: 1 document" in chat.taken[0][1]["message"]
    assert "not taken by address 1 (JSON)" in done.err and TOKEN not in done.err + done.out
    agent("backfill", "--mode", "failed", CONTRACT_AGENT_NOTIFY=json.dumps(given))
    assert len(chat.taken) == 1  # a backfill is no night


def test_addresses_are_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CONTRACT_AGENT_HOME", str(tmp_path))
    (tmp_path / "contract-agent.toml").write_text(f'notify = ["json://127.0.0.1/{TOKEN}"]')
    settings = load_settings()
    assert len(settings.notify) == 1 and TOKEN not in repr(settings) + settings.model_dump_json()


def test_doctor_checks_the_addresses(agent_here):
    done = agent_here("doctor", CONTRACT_AGENT_NOTIFY=json.dumps([f"slack://{TOKEN}", f"json://example.com/{TOKEN}"]))
    assert "note     Address 1 of the setting notify: it can not be used" in done.out
    assert "ok       Address 2 of the setting notify: JSON" in done.out
    assert TOKEN not in done.out + done.err


@pytest.mark.parametrize(
    ("address", "service"),
    [
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#contracts", "Slack"),
        (f"workflows://prod-1.westeurope.logic.azure.com:443/{TOKEN}/signature/", "Power Automate / Workflows"),
        ("mailtos://agent:secret@mail.example.com?to=finance@example.com", "E-Mail"),
    ],
)
def test_the_usual_services_are_known(address: str, service: str):
    assert service in service_of(SecretStr(address))


def test_contracts_say_nothing_that_a_reader_obeys(night: Path):
    hostile = "<img src=http://evil.example/x> [Pay here](http://evil.example) @channel **x** `y` http://evil.example"
    quarantined = {"file_name": hostile, "error_code": "damaged", "error_message": None}
    text = markdown(brief(night).model_copy(update={"quarantine": (quarantined,)}))
    assert "<img" not in text and "[Pay here](" not in text.replace("\\[", "") and "@channel" not in text
    assert "http://" not in text and r"\*\*x\*\* \`y\`" in text
