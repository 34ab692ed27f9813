"""What is read out of a document: chunks, clauses, terms, and the citation each rests on."""

from datetime import date
from typing import Literal

from pydantic import Field

from schemas.base import Frozen
from schemas.document import Box
from schemas.llm import RequestRecord

Absence = Literal["not_found", "not_applicable", "illegible", "conflicting"]
Evidence = Literal["verified", "unverified", "derived"]


class Chunk(Frozen):
    """A passage cut along sections: `Document.text[start:end]`, below its headings (outermost first)."""

    chunk_id: str
    start: int
    end: int
    heading_path: tuple[str, ...]
    page_first: int
    page_last: int
    text: str


class Retrieval(Frozen):
    """Which chunks were chosen for a question, best first, and what share of the document they are.

    `token_share` is 0 to 1, in words of the chosen chunks over words of the document.
    """

    question: str
    chunk_ids: tuple[str, ...]
    scores: tuple[float, ...]
    token_share: float


class Citation(Frozen):
    """Where a quotation stands. `box` encloses its words on the first page; `score` is 1.0 for an exact
    match (white space apart), else the share of equal characters."""

    page_number: int
    page_end: int
    box: Box
    char_start: int
    char_end: int
    score: float = 1.0


class Term(Frozen):
    """A value of a term, or its absence. Either `value` or `absence` is given, never both.

    `value` is bare text as normalised (`60`, `true`, `2026-01-31`). `quote` is verbatim from the document;
    a derived term quotes what it was derived from, if anything. `start` is where the engine saw the quote
    in `Document.text` (a hint for `check`, not proof). `role` belongs to the term `parties` alone. `learned` says what
    people's decisions changed of it, if anything.
    """

    term: str
    value: str | None = None
    value_date: date | None = None
    value_number: float | None = None
    unit: str | None = None
    role: str | None = None
    absence: Absence | None = None
    quote: str | None = None
    start: int | None = None
    citation: Citation | None = None
    evidence: Evidence = "unverified"
    confidence: float = 0.0
    learned: str | None = None


class Clause(Frozen):
    """A passage with a clause type. `text` is verbatim; `start` a hint as in `Term`."""

    clause_type: str
    text: str
    heading: str | None = None
    start: int | None = None
    citation: Citation | None = None
    confidence: float = 0.0


class FeeLine(Frozen):
    """A line of a fee table. Money is decimal text; dates as in `Term`."""

    line: int
    item: str
    quantity: str | None = None
    unit_price: str | None = None
    currency: str | None = None
    frequency: str | None = None
    start_date: date | None = None
    end_date: date | None = None
    amount: str | None = None
    quote: str
    page_number: int | None = None


class Bill(Frozen):
    """What falls due when, as the stated fees and dates tell; `due_date` is None where an event decides."""

    due_date: date | None
    amount: str
    currency: str | None = None
    basis: str


class Obligation(Frozen):
    """What a party has to do, by a date or by a rule in words."""

    party: str | None
    obligation: str
    due_date: date | None = None
    due_rule: str | None = None
    amount: str | None = None
    currency: str | None = None
    quote: str
    page_number: int | None = None


class EngineInfo(Frozen):
    """Which engine made an extraction; `model` and `prompt_version` are content hashes or names."""

    extractor: Literal["embedded", "openai"]
    model: str
    prompt_version: str | None = None


class Judgement(Frozen):
    """Whether a contract departs from a position of the playbook that no rule can decide, as an engine judged it."""

    rule_id: str
    departs: Literal["yes", "no", "unclear"]
    reason: str
    references: tuple[str, ...]
    quote: str | None = None
    start: int | None = None
    citation: Citation | None = None


Relation = Literal["restates", "amends", "renews", "under", "amended_by", "replaces", "mentions"]
"""How a document stands to one it speaks of: it changes it, runs under it, takes its place, or only names it."""

PARENTAL: tuple[Relation, ...] = ("restates", "amends", "renews", "under")
"""The relations that make the document spoken of the parent in a family."""


class DocumentReference(Frozen):
    """Another document that a contract speaks of. `title` is as written; `number` is the other's own."""

    relation: Relation
    title: str
    number: str | None = None
    dated: date | None = None
    quote: str
    page_number: int | None = None
    citation: Citation | None = None


class AmendmentEffect(Frozen):
    """What an amendment does to the contract it amends.

    `section` is of the amended contract. `old_text` and `new_text` are the words that go and come where the amendment
    quotes them. `terms` are the names of the terms whose values stand in what comes; `months` by how much the term of
    the contract is extended, where that is all that is said.
    """

    effect: Literal["replaces", "adds", "deletes", "restates"]
    section: str | None = None
    old_text: str | None = None
    new_text: str | None = None
    terms: tuple[str, ...] = ()
    months: float | None = None
    quote: str
    page_number: int | None = None
    citation: Citation | None = None


class Extraction(Frozen):
    """All terms and clauses of one contract, as one engine read them.

    `alternatives` are values of terms that the engine found and did not choose.
    `requests` are those an engine sent for it; `suspicious` quotes what in the text addresses a machine that reads.
    """

    engine: EngineInfo
    terms: tuple[Term, ...] = ()
    alternatives: tuple[Term, ...] = ()
    clauses: tuple[Clause, ...] = ()
    fee_lines: tuple[FeeLine, ...] = ()
    retrievals: tuple[Retrieval, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    requests: tuple[RequestRecord, ...] = ()
    suspicious: tuple[str, ...] = ()

    def term(self, name: str) -> Term | None:
        """The first value of a term, None when it is absent."""
        return next((t for t in self.terms if t.term == name and t.absence is None), None)

    def clauses_of(self, *clause_types: str) -> tuple[Clause, ...]:
        """All clauses of these types, in document order."""
        return tuple(c for c in self.clauses if c.clause_type in clause_types)


Severity = Literal["critical", "high", "medium", "low"]


class Flag(Frozen):
    """A departure from the playbook. `reason` is a sentence a reviewer can act on; `refs` are keys of the
    table of references. A flag about something missing has no quote and no citation. `learned` says why people's
    decisions make it doubtful, if they do."""

    rule_id: str
    rule_version: str
    severity: Severity
    clause_type: str | None
    found: str
    standard: str
    reason: str
    refs: tuple[str, ...]
    quote: str | None = None
    citation: Citation | None = None
    evidence: Evidence = "unverified"
    confidence: float = 0.0
    status: str = "proposed"
    learned: str | None = None


class AscTopic(Frozen):
    """A proposal under one topic of ASC 606. It is never a conclusion; a person confirms it."""

    topic: str
    proposal: str
    reason: str
    paragraphs: tuple[str, ...]
    quote: str | None = None
    citation: Citation | None = None


class Reference(Frozen):
    """What a reference key means: a position of the playbook, a paragraph, or an open standard's section."""

    key: str
    kind: Literal["playbook", "asc", "open_standard"]
    title: str
    summary: str
    url: str | None = None


class ContractReading(Frozen):
    """One contract after check and flag: what `land` turns into rows.

    `numbers` are those it bears itself, `others` the names of its parties but ours, as names are compared.
    """

    extraction: Extraction
    flags: tuple[Flag, ...] = ()
    asc606: tuple[AscTopic, ...] = ()
    references: tuple[DocumentReference, ...] = ()
    effects: tuple[AmendmentEffect, ...] = ()
    bills: tuple[Bill, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    numbers: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    playbook_version: str = ""
    seconds: float = Field(default=0.0, ge=0)
