"""How the `openai` engine is run, and what is kept of every request it makes."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from schemas.base import Frozen

Tier = Literal["auto", "default", "flex", "priority"]
Effort = Literal["none", "minimal", "low", "medium", "high"]

LEDGER = Path("work") / "requests.sqlite"
"""Where a warehouse keeps its ledger of requests."""


class Correction(Frozen):
    """A correction that people approved as an example: the words `quote` of the passage say `value`, not `wrong`."""

    term: str
    passage: str
    quote: str
    value: str
    wrong: str | None


class LlmSettings(Frozen):
    """See the settings `openai_...`. Prices are US dollars for a million tokens; `ledger` is a SQLite file;
    `corrections` are shown in every request that reads a contract."""

    model: str
    base_url: str
    api: Literal["responses", "chat"] = "responses"
    tier: Tier = "default"
    effort: Effort | None = None
    passage_tokens: int = 25_000
    answer_tokens: int = 8_000
    groups: int = 1
    tokens_per_minute: int | None = None
    cost_per_run: float | None = None
    cost_per_contract: float | None = None
    prices: tuple[float, float, float] = (0.10, 0.01, 0.50)
    allowed_hosts: tuple[str, ...] = ("api.openai.com",)
    redact: bool = False
    page_images: int = 4
    batch_hours: float = 24.0
    timeout_seconds: float = 120.0
    longest_wait_seconds: float = 300.0
    attempts: int = 6
    corrections: tuple[Correction, ...] = ()
    ledger: Path
    run_id: str


class RequestRecord(Frozen):
    """One request: what it asked, what left the machine, what came back and what it cost.

    `outcome` is a name of `extractors.engines.llm.outcomes`; `paid` is False when the answer of an earlier run was
    used again. `page_images` are the numbers of pages sent as pictures.
    `body_sha256` is of the bytes that were sent; contract text is not kept.
    """

    request_id: str
    contract_id: str
    run_id: str
    purpose: Literal["extract", "ask_again", "ask"]
    asked: tuple[str, ...]
    chunk_ids: tuple[str, ...]
    page_images: tuple[int, ...] = ()
    passage_share: float
    host: str
    model: str
    tier: str | None
    outcome: str
    attempts: int
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost_usd: float
    bytes_sent: int
    body_sha256: str
    redactions: int
    response_id: str | None
    started_at: datetime
    seconds: float
    paid: bool
