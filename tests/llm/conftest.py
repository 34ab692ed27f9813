"""A small contract, an engine that asks the fake server about it, and the server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from frontdoor import write_pdf
from honest import honest
from server import FakeServer

from extractors.chunk import chunk
from extractors.engines.embedded import EmbeddedEngine
from extractors.engines.llm.client import Client
from extractors.engines.llm.ledger import Ledger
from extractors.engines.llm.requests import Letter
from extractors.engines.llm.sender import Sender
from extractors.engines.openai import OpenAiEngine
from extractors.files import Limits
from extractors.inbox import identify, scan
from extractors.read import read
from schemas.contract import Extraction
from schemas.document import Document
from schemas.llm import LlmSettings
from schemas.playbook import load_playbooks, positions

TEXT = """SERVICES AGREEMENT

This Services Agreement is made as of March 3, 2026 between Alder Works, Inc., a Delaware corporation ("Provider"), and
Birch Stores LLC, a Texas limited liability company ("Customer").

1. Payment. Customer shall pay each invoice within forty-five (45) days after receipt. Overdue sums bear interest at 1%
a month.

2. Term. This Agreement continues for two (2) years. It renews for successive one-year terms unless a party gives sixty
(60) days' written notice before the end of the term.

3. Liability. Neither party is liable for more than the fees paid in the twelve (12) months before the claim.

4. Acceptance. The deliverables are accepted when Customer, in its opinion, likes them.

5. Law. This Agreement is governed by the laws of the State of Ohio.
"""
POSITION = next(position for position in positions(load_playbooks()) if position.id == "R26")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(honest) as running:
        yield running


@pytest.fixture
def settings(server: FakeServer, tmp_path: Path) -> LlmSettings:
    return LlmSettings(
        model="fake-1", base_url=server.url, ledger=tmp_path / "requests.sqlite", run_id="r1", attempts=3
    )


@pytest.fixture
def document_of(tmp_path: Path) -> Callable[[str], Document]:
    """A text as a PDF, read."""

    def make(text: str) -> Document:
        file = write_pdf(tmp_path / "inbox" / "contract.pdf", text)
        return read(identify(next(iter(scan(file.parent)))), Limits())

    return make


@pytest.fixture
def document(document_of: Callable[[str], Document]) -> Document:
    return document_of(TEXT)


class Reader:
    """The engine with its waits noted instead of waited."""

    def __init__(self, settings: LlmSettings) -> None:
        self.waits: list[float] = []
        self.ledger = Ledger(settings.ledger)
        self.client = Client(settings, "key")
        self.sender = Sender(self.client, self.ledger, settings, sleep=self.waits.append)
        self.engine = OpenAiEngine(EmbeddedEngine("test"), self.sender, Letter(settings, [POSITION]), settings)

    def read(self, document: Document) -> Extraction:
        return self.engine.extract(document, chunk(document))


@pytest.fixture
def reader(reader_with: Callable[..., Reader]) -> Reader:
    return reader_with()


@pytest.fixture
def reader_with(settings: LlmSettings) -> Iterator[Callable[..., Reader]]:
    """A reader with other settings."""
    made: list[Reader] = []

    def make(**changes: Any) -> Reader:
        made.append(Reader(settings.model_copy(update=changes)))
        return made[-1]

    yield make
    for reader in made:
        reader.client.close()
