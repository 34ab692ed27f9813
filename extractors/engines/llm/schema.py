"""What a model must answer: our own strict JSON schema, flat, every field there and nullable.

Written by hand, since what is derived from Pydantic keeps defaults and unions that the API rejects. The answer
is read with Pydantic: what the provider promises is checked again.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from schemas.clauses import CLAUSE_TYPES
from schemas.terms import TERMS

ASKED = tuple(spec.name for spec in TERMS if not spec.derived)
"""The terms that are asked for; the others follow from them."""


def _fields(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list_of(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


_TEXT: dict[str, Any] = {"type": ["string", "null"]}


def answer_schema(rules: tuple[str, ...] = (), references: tuple[str, ...] = ()) -> dict[str, Any]:
    """The schema of an answer. `rules` are those to judge, `references` the keys that a judgement may name."""
    term = _fields(
        term={"type": "string", "enum": list(ASKED)},
        value=_TEXT,
        role=_TEXT,
        passage=_TEXT,
        quote=_TEXT,
    )
    clause = _fields(clause_type={"type": "string", "enum": list(CLAUSE_TYPES)}, passage=_TEXT, quote=_TEXT)
    judgement = _fields(
        rule={"type": "string", "enum": list(rules) or ["none"]},
        departs={"type": "string", "enum": ["yes", "no", "unclear"]},
        reason=_TEXT,
        passage=_TEXT,
        quote=_TEXT,
        references=_list_of({"type": "string", "enum": list(references) or ["none"]}),
    )
    return _fields(
        terms=_list_of(term),
        clauses=_list_of(clause),
        judgements=_list_of(judgement),
        instructions_in_text=_list_of(_fields(passage=_TEXT, quote=_TEXT)),
    )


class _Answered(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    passage: str | None
    quote: str | None


class TermAnswer(_Answered):
    """A value, or with `value` None its absence."""

    term: Literal[ASKED]
    value: str | None
    role: str | None


class ClauseAnswer(_Answered):
    """A passage and its clause type."""

    clause_type: Literal[tuple(CLAUSE_TYPES)]


class JudgementAnswer(_Answered):
    """Whether a clause departs from a position of the playbook."""

    rule: str
    departs: Literal["yes", "no", "unclear"]
    reason: str | None
    references: tuple[str, ...]


class Answer(BaseModel):
    """What a model said. Nothing of it is believed before its quotations are found."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    terms: tuple[TermAnswer, ...]
    clauses: tuple[ClauseAnswer, ...]
    judgements: tuple[JudgementAnswer, ...]
    instructions_in_text: tuple[_Answered, ...]
