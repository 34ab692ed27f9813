"""SQL that a model writes for somebody's question. It sees the names of tables and columns; no row, no contract text.

What comes back is a proposal: whoever runs it checks it first. It is sent as every request is, over the ledger.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from extractors.engines.llm.client import Client
from extractors.engines.llm.ledger import Ledger
from extractors.engines.llm.prompts import load
from extractors.engines.llm.redact import Redacted, redact
from extractors.engines.llm.requests import request_body
from extractors.engines.llm.sender import Sender, Wanted
from schemas.errors import ExtractorUnavailable
from schemas.llm import LlmSettings, RequestRecord

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "cannot": {"type": "boolean"},
        "sql": {"type": ["string", "null"]},
        "explanation": {"type": ["string", "null"]},
        "why": {"type": ["string", "null"]},
    },
    "required": ["cannot", "sql", "explanation", "why"],
    "additionalProperties": False,
}


class Written(BaseModel):
    """What a model wrote: `sql` with its `explanation`, or with `cannot` the reason `why` there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cannot: bool
    sql: str | None
    explanation: str | None
    why: str | None

    @property
    def is_answer(self) -> bool:
        """Whether there is a statement to run, or a reason why there is none."""
        return self.cannot or bool((self.sql or "").strip())


class SqlWriter:
    """Asks a model for SQL on the tables that `tables` describes (see `warehouse.described`)."""

    def __init__(self, sender: Sender, settings: LlmSettings, tables: str) -> None:
        self._sender, self._settings = sender, settings
        prompt = load("ask")
        self._instructions = prompt.render(tables=tables)
        self._version = prompt.fingerprint(self._instructions, SCHEMA)
        self.records: list[RequestRecord] = []

    def write(self, question: str, failed: str | None = None, problem: str | None = None) -> Written:
        """The statement for a question; `failed` is an earlier one, `problem` what is wrong with it.

        Raises ExtractorUnavailable where the provider gives none.
        """
        remark = f"\n\nYour statement was: {failed}\nIt failed: {problem}\nWrite it anew." if failed else ""
        text = f"Question: {question}{remark}"
        redacted = redact(text) if self._settings.redact else Redacted(text, {})
        wanted = self._wanted(redacted)
        for _ in range(2):
            reply, record = self._sender.send(wanted)
            self.records.append(record)
            if reply.outcome != "answered":
                raise ExtractorUnavailable(
                    f"The provider at {record.host} gave no answer: {reply.outcome} {reply.detail}".strip() + ".",
                    help="Try again later, or ask with --extractor embedded.",
                )
            if (written := _read(reply.text)) and written.is_answer:
                return written.model_copy(update={"sql": redacted.restore(written.sql or "") or None})
            self._sender.refuse(wanted)
        raise ExtractorUnavailable(
            f"What the provider at {record.host} answered is not of the form that was asked for."
        )

    def _wanted(self, redacted: Redacted) -> Wanted:
        body = request_body(
            self._settings,
            self._instructions,
            [redacted.text],
            schema=SCHEMA,
            version=self._version,
            answer_tokens=self._settings.answer_tokens,
        )
        return Wanted("", "ask", (), (), (), 0.0, len(redacted.originals), body)


@contextmanager
def sql_writer(llm: LlmSettings, tables: str) -> Iterator[SqlWriter]:
    """A writer with a connection of its own. The key is that of the environment."""
    client = Client(llm, os.environ["OPENAI_API_KEY"])
    try:
        yield SqlWriter(Sender(client, Ledger(llm.ledger), llm), llm, tables)
    finally:
        client.close()


def _read(text: str) -> Written | None:
    try:
        return Written.model_validate(json.loads(text))
    except (json.JSONDecodeError, ValidationError):
        return None
