"""Requests sent until they end: limits, waits, retries, budgets, and a record of each."""

import hashlib
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from extractors.engines.llm.client import Client
from extractors.engines.llm.ledger import Ledger, Sent
from extractors.engines.llm.outcomes import AGAIN, HELP, MORE_ROOM, STOPS_THE_RUN, Outcome, Reply, Usage
from extractors.engines.llm.requests import tokens_of
from schemas.errors import ExtractorUnavailable
from schemas.llm import LlmSettings, RequestRecord

FIRST_WAIT = 0.5
"""Seconds before the second attempt where the provider names none; doubled from attempt to attempt."""


class Wanted(NamedTuple):
    """A request and what is recorded of it beside its bytes."""

    contract_id: str
    purpose: str
    asked: tuple[str, ...]
    chunk_ids: tuple[str, ...]
    page_images: tuple[int, ...]
    passage_share: float
    redactions: int
    body: Mapping[str, Any]


class Spent(NamedTuple):
    """What a request took in this run: attempts, tokens, US dollars."""

    attempts: int
    usage: Usage
    cost: float


class Finished(NamedTuple):
    """The last reply to a request and its record."""

    reply: Reply
    record: RequestRecord


class Sender:
    """Sends for one run; all workers' senders share the ledger."""

    def __init__(
        self, client: Client, ledger: Ledger, settings: LlmSettings, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client, self._ledger, self._settings, self._sleep = client, ledger, settings, sleep

    def send(self, wanted: Wanted) -> Finished:
        """The reply to a request, from the ledger where it was answered before.

        Raises ExtractorUnavailable where no further request could succeed: no access, no credit, no such model.
        """
        request, content = self._known_as(wanted)
        begun, started = time.monotonic(), datetime.now(UTC).replace(tzinfo=None)
        if earlier := self._ledger.answer(request):
            reply, spent = earlier, Spent(*self._ledger.paid(request, self._settings.run_id))
        else:
            reply, spent = self._attempts(request, wanted, content)
        record = self._record(request, wanted, content, reply, spent, started, time.monotonic() - begun)
        if reply.outcome in STOPS_THE_RUN:
            raise ExtractorUnavailable(
                f"The provider at {self._client.host} ended the run: {reply.outcome} {reply.detail}".strip() + ".",
                help=HELP[reply.outcome],
                code=reply.outcome,
            )
        return Finished(reply, record)

    def plan(self, wanted: Wanted) -> None:
        """Notes a request for a batch to answer; `send` then finds the answer in the ledger."""
        request, content = self._known_as(wanted)
        self._ledger.plan(request, wanted.contract_id, content.decode())

    def refuse(self, wanted: Wanted) -> None:
        """Forgets the answer to a request: it was no answer, and must not be found again."""
        self._ledger.forget(self._known_as(wanted)[0])

    def _known_as(self, wanted: Wanted) -> tuple[str, bytes]:
        """The name of a request and its bytes: equal bytes to the same host have one answer."""
        content = json.dumps(wanted.body, sort_keys=True, ensure_ascii=False).encode()
        return "q_" + hashlib.sha256(self._client.host.encode() + b"\0" + content).hexdigest()[:24], content

    def _attempts(self, request: str, wanted: Wanted, content: bytes) -> tuple[Reply, Spent]:
        sent = Sent(
            request,
            self._settings.run_id,
            wanted.contract_id,
            self._client.host,
            hashlib.sha256(content).hexdigest(),
            len(content),
            tokens_of(content),
        )
        usage, attempt = Usage(), 0
        while True:
            if self._is_over_budget(wanted):
                return Reply("over_budget"), Spent(attempt, usage, usage.cost(self._settings.prices))
            self._wait_for_room(sent.tokens)
            number = self._ledger.begin(sent)
            reply = self._client.send(wanted.body)
            self._ledger.end(number, request, self._settings.run_id, reply, self._settings.prices)
            usage, attempt = usage + reply.usage, attempt + 1
            wait = self._wait_before_next(reply, attempt)
            if wait is None:
                return reply, Spent(attempt, usage, usage.cost(self._settings.prices))
            self._sleep(wait)

    def _is_over_budget(self, wanted: Wanted) -> bool:
        run, contract = self._settings.cost_per_run, self._settings.cost_per_contract
        if run is not None and self._ledger.spent(self._settings.run_id) >= run:
            return True
        spent = self._ledger.spent
        return contract is not None and spent(self._settings.run_id, wanted.contract_id) >= contract

    def _wait_for_room(self, tokens: int) -> None:
        """Waits until the host may be asked again and the last minute has room for these tokens."""
        pause = self._ledger.paused_until(self._client.host) - time.time()
        if pause > 0:
            self._sleep(pause)
        limit = self._settings.tokens_per_minute
        while limit and (used := self._ledger.tokens_since(time.time() - 60)) and used + tokens > limit:
            self._sleep(1.0)

    def _wait_before_next(self, reply: Reply, attempt: int) -> float | None:
        """Seconds before another attempt; None when there is none."""
        if reply.outcome not in AGAIN or attempt >= self._settings.attempts:
            return None
        if reply.wait_seconds is None:
            return min(30.0, FIRST_WAIT * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)
        if reply.wait_seconds > self._settings.longest_wait_seconds:
            return None
        self._ledger.pause(self._client.host, time.time() + reply.wait_seconds)
        return 0.0  # all workers wait for that, this one too

    def _record(
        self,
        request: str,
        wanted: Wanted,
        content: bytes,
        reply: Reply,
        spent: Spent,
        started: datetime,
        seconds: float,
    ) -> RequestRecord:
        return RequestRecord(
            request_id=request,
            contract_id=wanted.contract_id,
            run_id=self._settings.run_id,
            purpose=wanted.purpose,
            asked=wanted.asked,
            chunk_ids=wanted.chunk_ids,
            page_images=wanted.page_images,
            passage_share=round(wanted.passage_share, 4),
            host=self._client.host,
            model=reply.model or self._settings.model,
            tier=reply.tier,
            outcome=reply.outcome,
            attempts=spent.attempts,
            tokens_in=spent.usage.tokens_in,
            tokens_cached=spent.usage.tokens_cached,
            tokens_out=spent.usage.tokens_out,
            cost_usd=spent.cost,
            bytes_sent=len(content) * spent.attempts,
            body_sha256=hashlib.sha256(content).hexdigest(),
            redactions=wanted.redactions,
            response_id=reply.response_id,
            started_at=started,
            seconds=round(seconds, 3),
            paid=spent.attempts > 0,
        )


def is_worth_splitting(outcome: Outcome, asked: Sequence[str]) -> bool:
    """Whether fewer questions at a time may help."""
    return outcome in MORE_ROOM | {"too_long"} and len(asked) > 1
