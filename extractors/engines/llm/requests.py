"""A request as bytes: a prefix that never changes in a night, then the passages, then the question.

Nothing of a single document stands before its passages, so that the provider's cache serves the prefix. The passages
stand between marks that no contract can know.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from extractors.engines.llm.prompts import load
from extractors.engines.llm.redact import Redacted, redact
from extractors.engines.llm.schema import ASKED, answer_schema
from extractors.passages import Excerpt
from schemas.clauses import CLAUSE_TYPES
from schemas.llm import LlmSettings
from schemas.playbook import Position
from schemas.terms import TERM_BY_NAME


class Letter:
    """All that is the same in the requests of a run."""

    def __init__(self, settings: LlmSettings, positions: Sequence[Position] = ()) -> None:
        self._settings = settings
        self.positions = tuple(positions)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The strict schema of the answer."""
        keys = sorted({key for position in self.positions for key in position.keys})
        return answer_schema(tuple(position.id for position in self.positions), tuple(keys))

    @cached_property
    def prefix(self) -> str:
        """The instructions, the same bytes in every request."""
        return load("extract").render(
            terms=[TERM_BY_NAME[name] for name in ASKED],
            clause_types=CLAUSE_TYPES,
            positions=self.positions,
            corrections=self._settings.corrections,
        )

    @cached_property
    def version(self) -> str:
        """What stands as prompt version on every row."""
        return load("extract").fingerprint(self.prefix, self.schema)

    def passages(self, excerpts: Sequence[Excerpt]) -> Redacted:
        """The passages with their labels, without personal numbers where the settings ask for that."""
        text = "\n\n".join(f"[{e.chunk.chunk_id}] {' > '.join(e.chunk.heading_path)}\n{e.text}" for e in excerpts)
        return redact(text) if self._settings.redact else Redacted(text, {})

    def body(
        self,
        passages: str,
        asked: Sequence[str],
        *,
        with_clauses: bool,
        remarks: str = "",
        answer_tokens: int | None = None,
        pictures: Sequence[tuple[int, bytes]] = (),
    ) -> Mapping[str, Any]:
        """The request. `pictures` are JPEGs with the numbers of their pages."""
        mark = hashlib.sha256(b"mark\0" + passages.encode()).hexdigest()[:16]
        question = [f"Terms asked for: {', '.join(asked)}."]
        question.append("Clauses: all types." if with_clauses else "Clauses: none, leave the list empty.")
        rules = ", ".join(position.id for position in self.positions) if with_clauses else ""
        question.append(f"Judgements: {rules or 'none, leave the list empty'}.")
        text = f"<document {mark}>\n{passages}\n</document {mark}>"
        last = " ".join([*question, remarks]).strip()
        shown = [part for number, jpeg in pictures for part in (f"[page {number}]", jpeg)]
        return request_body(
            self._settings,
            self.prefix,
            [text, *shown, last],
            schema=self.schema,
            version=self.version,
            answer_tokens=answer_tokens or self._settings.answer_tokens,
        )


def request_body(
    settings: LlmSettings,
    instructions: str,
    parts: Sequence[str | bytes],
    *,
    schema: Mapping[str, Any],
    version: str,
    answer_tokens: int,
) -> Mapping[str, Any]:
    """A request of the API that the settings name, with a strict schema; `parts` are texts and JPEGs."""
    if settings.api == "chat":
        return _chat(settings, instructions, parts, schema, answer_tokens)
    content = [
        {"type": "input_text", "text": part}
        if isinstance(part, str)
        else {"type": "input_image", "image_url": _data_url(part), "detail": "high"}
        for part in parts
    ]
    body: dict[str, Any] = {
        "model": settings.model,
        "instructions": instructions,
        "input": [{"role": "user", "content": content}],
        "text": {"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": schema}},
        "max_output_tokens": answer_tokens,
        "service_tier": settings.tier,
        "prompt_cache_key": version,
        "store": False,
    }
    return body | ({"reasoning": {"effort": settings.effort}} if settings.effort else {})


def _chat(
    settings: LlmSettings,
    instructions: str,
    parts: Sequence[str | bytes],
    schema: Mapping[str, Any],
    answer_tokens: int,
) -> Mapping[str, Any]:
    content = [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {"type": "image_url", "image_url": {"url": _data_url(part), "detail": "high"}}
        for part in parts
    ]
    return {
        "model": settings.model,
        "messages": [{"role": "system", "content": instructions}, {"role": "user", "content": content}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": schema},
        },
        "max_completion_tokens": answer_tokens,
    }


PICTURE_TOKENS = 1_600
"""What a picture of a page counts for before the provider tells: an upper estimate for its size."""
_DATA = "data:image/jpeg;base64,"
_PICTURE = re.compile(rb"%s[A-Za-z0-9+/=]*" % _DATA.encode())


def _data_url(jpeg: bytes) -> str:
    return _DATA + base64.b64encode(jpeg).decode()


def tokens_of(content: bytes) -> int:
    """About how many tokens the bytes of a request are: four bytes each, pictures apart."""
    text, pictures = _PICTURE.subn(b"", content)
    return len(text) // 4 + pictures * PICTURE_TOKENS
