"""Extract: the engine of choice fills the schemas. The fourth step of the line."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from extractors.engines import Engine, Show
from schemas.contract import Chunk, Extraction
from schemas.document import Document
from schemas.errors import ExtractorUnavailable
from schemas.llm import LlmSettings
from schemas.playbook import Playbook, positions


def choose(name: str, environment: Mapping[str, str] | None = None) -> str:
    """The engine that a name stands for: `auto` is `openai` when a key is set, else `embedded`.

    Raises ExtractorUnavailable when the engine can't work here.
    """
    key = (os.environ if environment is None else environment).get("OPENAI_API_KEY")
    if name == "auto":
        name = "openai" if key else "embedded"
    if name == "openai" and not key:
        raise ExtractorUnavailable(
            "The openai extractor needs a key and none is set.",
            help="Set OPENAI_API_KEY, or run with --extractor embedded, which needs none.",
        )
    if name not in ("embedded", "openai"):
        raise ExtractorUnavailable(f"There is no extractor {name!r}.", help="Choose embedded, openai or auto.")
    return name


def engine(name: str, llm: LlmSettings | None = None, playbook: Playbook | None = None) -> Engine:
    """The engine of that name, ready to read. Loading it takes a moment; keep it.

    `llm` says how the openai engine is run, `playbook` which positions it judges.
    """
    choose(name)
    from extractors.engines.embedded import EmbeddedEngine

    embedded = EmbeddedEngine(fingerprint("embedded"))
    if name == "embedded" or llm is None:
        return embedded
    from extractors.engines.llm.client import Client
    from extractors.engines.llm.ledger import Ledger
    from extractors.engines.llm.requests import Letter
    from extractors.engines.llm.sender import Sender
    from extractors.engines.openai import OpenAiEngine

    sender = Sender(Client(llm, os.environ["OPENAI_API_KEY"]), Ledger(llm.ledger), llm)
    return OpenAiEngine(embedded, sender, Letter(llm, positions(playbook) if playbook else ()), llm)


def is_alive(llm: LlmSettings) -> str:
    """The model that answers one small request with the real schema. Raises ExtractorUnavailable when none does."""
    from extractors.engines.llm.client import Client
    from extractors.engines.llm.requests import Letter

    client = Client(llm, os.environ["OPENAI_API_KEY"])
    passage = "[k0000] Law\nThis Agreement is governed by the laws of Ohio."
    reply = client.send(Letter(llm).body(passage, ("governing_law",), with_clauses=False))
    client.close()
    if reply.outcome != "answered":
        raise ExtractorUnavailable(
            f"{client.host} did not answer: {reply.outcome} {reply.detail}".strip() + ".", help="See docs/settings.md."
        )
    return f"{reply.model} at {client.host}, {reply.usage.tokens_in} tokens sent"


def take_plans(llm: LlmSettings) -> list[tuple[int, int]]:
    """Bytes and tokens of each request that is planned and not answered; the plans are dropped."""
    from extractors.engines.llm.ledger import Ledger

    return Ledger(llm.ledger).take_plans()


def answer_in_batches(llm: LlmSettings) -> None:
    """Sends the planned requests in batches and takes in their answers. Raises ExtractorUnavailable when it can't."""
    from extractors.engines.llm.batch import Batches
    from extractors.engines.llm.client import Client
    from extractors.engines.llm.ledger import Ledger

    Batches(Client(llm, os.environ["OPENAI_API_KEY"]), Ledger(llm.ledger), llm).answer()


def prompt_version(llm: LlmSettings, playbook: Playbook) -> str:
    """What decides an answer beside the document: prompt, schema, positions, model and what is sent.

    Corrections are left out: to approve one is no reason to pay for all contracts once more.
    """
    from extractors.engines.llm.requests import Letter

    sent = (llm.model, llm.base_url, llm.api, llm.effort, llm.passage_tokens, llm.groups, llm.redact, llm.page_images)
    plain = llm.model_copy(update={"corrections": ()})
    return "-".join([Letter(plain, positions(playbook)).version, *map(str, sent)])


def extract(document: Document, chunks: Sequence[Chunk], reader: Engine, show: Show | None = None) -> Extraction:
    """All terms and clauses that the engine reads out of the document; see `Engine.extract`."""
    return reader.extract(document, chunks, show)


_READING_STEPS = (
    *("furniture", "sentences", "chunk", "retrieve", "passages", "extract", "values", "names", "rows", "check"),
    "japanese_numbers",
    *("trees", "machine_orders", "page_images"),
)
_JUDGING_STEPS = (
    *("derive", "exits", "machine_orders", "predicates", "flag", "asc606"),
    *("document_references", "amendments", "families", "missing", "sides"),
    *("fee_tables", "schedule", "learned"),
)


@lru_cache(maxsize=4)
def fingerprint(name: str) -> str:
    """Short hash over all that decides an engine's extraction: weights, rules, and the steps around them.

    A change in any of them makes a new version of every contract's rows.
    """
    engines = Path(__file__).parent / "engines"
    return f"{name}-{_hash_of([*engines.rglob('*.py'), *engines.rglob('*.npz'), *_sources(_READING_STEPS)])}"


@lru_cache(maxsize=1)
def judgement_fingerprint() -> str:
    """Short hash over the steps after the engine: what they derive and flag from the same extraction."""
    return _hash_of(_sources(_JUDGING_STEPS))


def _sources(steps: Sequence[str]) -> list[Path]:
    return [Path(__file__).parent / f"{step}.py" for step in steps]


def _hash_of(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
