"""What a model said, as terms and clauses: values from the words it quotes, never from the model alone."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from pydantic import ValidationError

from extractors.engines.llm.redact import Redacted
from extractors.engines.llm.schema import Answer, JudgementAnswer, TermAnswer
from extractors.values import dates, plain_number
from schemas.contract import Chunk, Clause, Judgement, Term
from schemas.terms import TERM_BY_NAME, TermSpec

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_ABSENT = frozenset({"", "null", "none", "n/a", "not found", "not stated", "absent"})
SAID = 0.7
"""What a value counts for before it is proven and compared (see `agree`); the model's own surety is not asked."""


class NoAnswer(ValueError):
    """The text is no answer: no JSON, or not of the schema. The message says which."""


def parse(text: str) -> Answer:
    """The answer in a text. Raises NoAnswer; what is around a JSON object is not forgiven."""
    try:
        return Answer.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise NoAnswer("no_json") from error
    except ValidationError as error:
        raise NoAnswer("not_the_schema") from error


def terms_of(answer: Answer, asked: Sequence[str], chunks: Mapping[str, Chunk], redacted: Redacted) -> Iterator[Term]:
    """A term for each value, an absence for each term that was asked for and has none."""
    told: dict[str, list[Term]] = {}
    for said in answer.terms:
        term = _term(said, chunks, redacted)
        known = told.setdefault(said.term, [])
        if term and (said.term == "parties" or not known) and term.value not in {other.value for other in known}:
            known.append(term)
    for name in asked:
        yield from told.get(name) or [absent(name)]


def absent(name: str) -> Term:
    """The row of a term that was not found."""
    return Term(term=name, absence="not_found", unit=TERM_BY_NAME[name].unit)


def _term(said: TermAnswer, chunks: Mapping[str, Chunk], redacted: Redacted) -> Term | None:
    spec = TERM_BY_NAME[said.term]
    quote = redacted.restore(said.quote or "").strip() or None
    value = _value(spec, redacted.restore(said.value or "").strip(), quote)
    if value is None:
        return None
    number = float(value) if spec.type in ("number", "days", "money") else None
    return Term(
        term=spec.name,
        value=value,
        value_date=date.fromisoformat(value) if spec.type == "date" else None,
        value_number=number,
        unit=spec.unit,
        role=said.role if spec.name == "parties" else None,
        quote=quote,
        start=_place(quote, said.passage, chunks),
        confidence=SAID,
    )


def _value(spec: TermSpec, said: str, quote: str | None) -> str | None:
    """The value as normalised; None where there is none or it is of no kind the term may have."""
    if said.lower() in _ABSENT:
        return None
    if spec.type == "date":
        return _day(said, quote)
    if spec.type in ("number", "days", "money"):
        match = _NUMBER.search(said.replace(",", ""))
        return plain_number(match.group()) if match else None
    if spec.type == "flag":
        return said.lower() if said.lower() in ("true", "false") else None
    if spec.choices:
        choice = said.lower().replace(" ", "_").replace("-", "_")
        return choice if choice in spec.choices else None
    return " ".join(said.split())


def _day(said: str, quote: str | None) -> str | None:
    """The date; where the quotation names one date and the model another, the one on the page."""
    quoted = {found.value for found in dates(quote or "")}
    try:
        value = date.fromisoformat(said)
    except ValueError:
        value = None
    if len(quoted) == 1 and value not in quoted:
        return quoted.pop().isoformat()
    return value.isoformat() if value else None


def _place(quote: str | None, passage: str | None, chunks: Mapping[str, Chunk]) -> int | None:
    """Where to look first: the quotation's place in the passage it is said to stand in."""
    chunk = chunks.get(passage or "")
    if not quote or not chunk:
        return None
    return chunk.start + max(0, chunk.text.find(quote))


def clauses_of(answer: Answer, chunks: Mapping[str, Chunk], redacted: Redacted) -> Iterator[Clause]:
    """A clause for each passage with a type."""
    for said in answer.clauses:
        quote = redacted.restore(said.quote or "").strip()
        chunk = chunks.get(said.passage or "")
        if quote:
            yield Clause(
                clause_type=said.clause_type,
                text=quote,
                heading=chunk.heading_path[-1] if chunk and chunk.heading_path else None,
                start=_place(quote, said.passage, chunks),
                confidence=SAID,
            )


def judgements_of(
    answer: Answer, known: Iterable[str], chunks: Mapping[str, Chunk], redacted: Redacted
) -> Iterator[Judgement]:
    """The judgements on rules that were asked for, each once."""
    wanted = set(known)
    for said in answer.judgements:
        if said.rule in wanted:
            wanted.discard(said.rule)
            yield _judgement(said, chunks, redacted)


def _judgement(said: JudgementAnswer, chunks: Mapping[str, Chunk], redacted: Redacted) -> Judgement:
    quote = redacted.restore(said.quote or "").strip() or None
    return Judgement(
        rule_id=said.rule,
        departs=said.departs,
        reason=(said.reason or "").strip(),
        references=said.references,
        quote=quote,
        start=_place(quote, said.passage, chunks),
    )
