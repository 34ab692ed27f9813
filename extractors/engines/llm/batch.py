"""Batches: a night's requests in one file, at half the price, answered within a day.

A batch only fills the ledger: whoever asks later finds the answer there, and what a batch left unanswered is asked
by itself. Every step is noted before the next, so that a killed night neither asks nor pays twice: a batch that was
made and not noted is found again at the provider by the mark it carries.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import openai

from extractors.engines.llm.client import Client, of_body
from extractors.engines.llm.ledger import Ledger, Sent
from extractors.engines.llm.outcomes import Reply
from schemas.errors import ExtractorUnavailable
from schemas.llm import LlmSettings

MOST_ROWS = 50_000
MOST_BYTES = 150_000_000
"""A file may have 200 MB; the rest is room for what JSON adds."""
DISCOUNT = 0.5
FIRST_WAIT, LONGEST_WAIT = 5.0, 300.0
"""Seconds between two looks at a batch."""
_FINISHED = frozenset({"completed", "failed", "expired", "cancelled"})


class Batches:
    """The batches of one provider, as far as the ledger knows them."""

    def __init__(
        self, client: Client, ledger: Ledger, settings: LlmSettings, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client, self._ledger, self._settings, self._sleep = client, ledger, settings, sleep
        self._endpoint = "/v1/chat/completions" if settings.api == "chat" else "/v1/responses"

    def answer(self) -> Counter[str]:
        """Sends what is planned and waits for the answers; the outcomes of all rows, by name.

        Raises ExtractorUnavailable when the provider takes no batch at all.
        """
        if not self._client.is_allowed:
            raise ExtractorUnavailable(
                f"Contracts may not be sent to {self._client.host}.",
                help="Add it to the setting openai_allowed_hosts if they may.",
                code="host_not_allowed",
            )
        try:
            self._find_lost()
            for rows in _files(self._ledger.unanswered()):
                self._send(rows)
            return self._collect()
        except openai.OpenAIError as error:
            raise ExtractorUnavailable(
                f"The provider at {self._client.host} did not take the batch: {error}.",
                help="Run again: nothing is paid twice. Or set openai_batch to false.",
                code="batch_failed",
            ) from error

    def _find_lost(self) -> None:
        """Names batches that were made when the night was killed; those that were not are given up."""
        lost = {batch for batch, name in self._ledger.batches() if name is None}
        if not lost:
            return
        for made in self._client.sdk.batches.list(limit=100):
            mark = (made.metadata or {}).get("mark")
            if mark in lost:
                self._ledger.name_batch(mark, made.id)
                lost.discard(mark)
        for batch in lost:
            self._ledger.close_batch(batch)

    def _send(self, rows: Sequence[tuple[str, str, str]]) -> None:
        lines = [
            json.dumps({"custom_id": request, "method": "POST", "url": self._endpoint, "body": json.loads(body)})
            for request, _, body in rows
        ]
        content = "\n".join(lines).encode()
        mark = hashlib.sha256(content + str(time.time_ns()).encode()).hexdigest()[:32]
        self._ledger.open_batch(mark, [request for request, _, _ in rows], self._settings.run_id)
        file = self._client.sdk.files.create(file=("requests.jsonl", content), purpose="batch")
        made = self._client.sdk.batches.create(
            input_file_id=file.id, endpoint=self._endpoint, completion_window="24h", metadata={"mark": mark}
        )
        self._ledger.name_batch(mark, made.id)

    def _collect(self) -> Counter[str]:
        """Waits until every batch is finished, or cancels it when the time is over; takes in what there is."""
        outcomes: Counter[str] = Counter()
        deadline, wait = time.monotonic() + 3600 * self._settings.batch_hours, FIRST_WAIT
        waiting = dict(self._ledger.batches())
        cancelled: set[str] = set()
        while waiting:
            for batch, name in list(waiting.items()):
                state = self._client.sdk.batches.retrieve(name)
                if state.status in _FINISHED:
                    outcomes += self._take_in(batch, state)
                    del waiting[batch]
                elif time.monotonic() > deadline and batch not in cancelled:
                    self._client.sdk.batches.cancel(name)
                    cancelled.add(batch)
            if waiting:
                self._sleep(wait)
                wait = min(LONGEST_WAIT, 1.5 * wait)
        return outcomes

    def _take_in(self, batch: str, state: Any) -> Counter[str]:
        """The outcomes of a finished batch's rows; answers go into the ledger, the provider's files are deleted."""
        open_rows, outcomes = self._ledger.rows_of(batch), Counter()
        for file in (state.output_file_id, state.error_file_id):
            for request, reply in self._rows(file):
                if request in open_rows:  # a row that comes twice counts once
                    contract_id, size = open_rows.pop(request)
                    self._note(request, contract_id, size, reply)
                    outcomes[reply.outcome] += 1
        outcomes["row_missing"] += len(open_rows)
        self._ledger.close_batch(batch)
        for file in (state.input_file_id, state.output_file_id, state.error_file_id):
            if file:
                self._client.sdk.files.delete(file)
        return +outcomes

    def _rows(self, file: str | None) -> Iterator[tuple[str, Reply]]:
        content = self._client.sdk.files.content(file).text if file else ""
        for line in content.splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue  # the file is cut: the row counts as missing and is asked for again
            yield row["custom_id"], _reply(row)

    def _note(self, request: str, contract_id: str, size: int, reply: Reply) -> None:
        sent = Sent(request, self._settings.run_id, contract_id, self._client.host, request, size, tokens=0)
        prices = tuple(DISCOUNT * price for price in self._settings.prices)
        self._ledger.end(self._ledger.begin(sent), request, self._settings.run_id, reply, prices)


def _reply(row: dict[str, Any]) -> Reply:
    response = row.get("response")
    if not response:
        return Reply("row_expired", detail=str((row.get("error") or {}).get("code")))
    if response["status_code"] != 200:
        return Reply("server_error", detail=str(response["status_code"]))
    return of_body(response["body"])


def _files(rows: Sequence[tuple[str, str, str]]) -> Iterator[list[tuple[str, str, str]]]:
    """The rows in files that the provider takes."""
    file, size = [], 0
    for row in rows:
        if file and (len(file) >= MOST_ROWS or size + len(row[2]) > MOST_BYTES):
            yield file
            file, size = [], 0
        file.append(row)
        size += len(row[2])
    if file:
        yield file
