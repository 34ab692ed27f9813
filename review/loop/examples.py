"""Examples in the prompt: corrections with the passage they rest on, redacted. A person approves each.

Never from a contract that measures: none of those held back, and none of the benchmarks'.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from extractors.chunk import chunk
from extractors.engines.llm.redact import redact
from review.loop.decided import Decided, same_value
from review.loop.sampling import is_held_back
from schemas.base import Frozen
from schemas.contract import Extraction, Term
from schemas.document import Document
from schemas.learned import folder, write
from schemas.llm import Correction
from warehouse.rows import stable_id

FILE = "examples.json"
MOST_SHOWN = 20
"""So many a prompt shows; each is about a hundred tokens in every request, which the provider's cache serves."""
AROUND = 240
"""Characters of the passage on either side of the quotation."""


class Example(Frozen):
    """A correction as a prompt could show it: a passage, the term, the value people set, and the words that say it."""

    example_id: str
    contract_id: str
    term: str
    language: str | None
    passage: str
    quote: str
    value: str
    wrong: str | None
    reason_code: str | None
    proposed_by: str | None = None
    approver: str | None = None


_EXAMPLES = TypeAdapter(tuple[Example, ...])


def example_of(decision: Decided, document: Document, extraction: Extraction) -> Example | None:
    """The candidate that a correction gives; None where the value people set stands in no quotation of the engine."""
    said = _said(decision, extraction)
    if said is None or said.citation is None:
        return None
    start, end = said.citation.char_start, said.citation.char_end
    names = [term.value for term in extraction.terms if term.term == "parties" and term.value]
    parts = _hidden(_in_section(document, start, end), names).split(_CUT)
    if len(parts) != 3:
        return None  # it stands among the signatures
    quote = parts[1].strip()
    return Example(
        example_id=stable_id("x_", decision.contract_id, decision.field, decision.right),
        contract_id=decision.contract_id,
        term=decision.field,
        language=document.language,
        passage=" ".join(f"{_end_of(parts[0])} {quote} {_start_of(parts[2])}".split()),
        quote=quote,
        value=decision.right or "",
        wrong=decision.value,
        reason_code=decision.reason_code,
    )


def is_candidate(decision: Decided, never: Collection[str]) -> bool:
    """Whether a decision may become an example: a term's correction, of a contract that measures nothing."""
    corrects = decision.target == "term" and decision.decision == "overridden" and not decision.agrees
    return corrects and not is_held_back(decision.contract_id) and decision.contract_id not in never


def _said(decision: Decided, extraction: Extraction) -> Term | None:
    """The engine's candidate with the value people set, else the one they corrected."""
    all_of = [term for term in (*extraction.terms, *extraction.alternatives) if term.term == decision.field]
    same = (term for term in all_of if same_value(decision.field, term.value, decision.right))
    other = (term for term in all_of if term.quote == decision.quote and decision.quote)
    return next(same, None) or next(other, None)


_CUT = "\0"
_SIGNER = re.compile(r"(?m)((?:\b(?:By|Name)\s*:|/s/)[ \t]*(?:/s/)?[ \t]*)\S.*$")


def _in_section(document: Document, start: int, end: int) -> str:
    """The section that a quotation stands in, with the quotation between two cuts."""
    section = next((one for one in chunk(document) if one.start <= start < one.end), None)
    first, last = (section.start, max(section.end, end)) if section else (0, len(document.text))
    text = document.text
    return _CUT.join((text[first:start], text[start:end], text[end:last]))


def _hidden(text: str, names: Sequence[str]) -> str:
    """The text without personal numbers, the names of the parties, and who signed."""
    text = " ".join(redact(_SIGNER.sub(r"\1[PERSON]", text)).text.split())
    for number, name in enumerate(names, 1):
        text = text.replace(" ".join(name.split()), f"[PARTY-{number}]")
    return text


def _end_of(text: str) -> str:
    return text if len(text) <= AROUND else text[-AROUND:].partition(" ")[2]


def _start_of(text: str) -> str:
    return text if len(text) <= AROUND else text[:AROUND].rpartition(" ")[0]


def few_of_each(examples: Iterator[Example], most: int = 3) -> list[Example]:
    """At most so many for each term and correction: more of the same teach a model nothing."""
    kept: dict[tuple[str, str | None, str], list[Example]] = {}
    for example in examples:
        group = kept.setdefault((example.term, example.wrong if len(example.value) < 20 else None, example.value), [])
        if len(group) < most:
            group.append(example)
    return [example for group in kept.values() for example in group]


def approved(home: Path) -> tuple[Example, ...]:
    """The examples that were approved."""
    file = folder(home) / FILE
    return _EXAMPLES.validate_json(file.read_bytes()) if file.is_file() else ()


def corrections(home: Path) -> tuple[Correction, ...]:
    """The approved examples as prompts show them; of many those of the most different terms first."""
    of_term: Counter[str] = Counter()
    ranked = []
    for example in approved(home):
        ranked.append((of_term[example.term], example.example_id, example))
        of_term[example.term] += 1
    shown = [example for *_, example in sorted(ranked, key=lambda one: one[:2])[:MOST_SHOWN]]
    return tuple(Correction(**{name: getattr(example, name) for name in Correction.model_fields}) for example in shown)


def keep_examples(home: Path, examples: Sequence[Example]) -> None:
    """Keep these examples and no others."""
    folder(home).mkdir(parents=True, exist_ok=True)
    rows = [example.model_dump(mode="json") for example in sorted(examples, key=lambda one: one.example_id)]
    write(folder(home) / FILE, json.dumps(rows, indent=1, ensure_ascii=False))
