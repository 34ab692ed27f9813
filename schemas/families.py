"""Families of contracts: a master with the amendments, orders and statements of work that hang on it."""

from datetime import date
from typing import Literal

from schemas.base import Frozen
from schemas.contract import AmendmentEffect, Relation
from schemas.document import Box


class Head(Frozen):
    """A contract as others may speak of it. `others` are the names of its parties but ours, as compared."""

    contract_id: str
    document_id: str
    title: str | None
    contract_type: str | None
    days: tuple[date, ...]
    others: tuple[str, ...]
    numbers: tuple[str, ...]


class Spoken(Frozen):
    """A reference of one contract to another that would be its parent."""

    child: Head
    relation: Relation
    title: str
    number: str | None
    dated: date | None
    quote: str
    page_number: int | None
    box: Box | None = None


class Link(Frozen):
    """A child and its parent, on what reference the link rests and how sure it is (0 to 1)."""

    spoken: Spoken
    parent: Head
    confidence: float


class FamilyTerm(Frozen):
    """A value of a term, the document that set it, and since when."""

    term: str
    value: str
    value_date: date | None
    value_number: float | None
    unit: str | None
    quote: str | None
    page_number: int | None
    contract_id: str
    document_id: str
    effective_from: date | None
    evidence: str
    confidence: float


class Member(Frozen):
    """A contract of a family.

    `effective_from` is when it takes effect; `text` is there where sections are sought; `precedence` are its clauses on
    which document prevails.
    """

    contract_id: str
    document_id: str
    relation: Relation | None
    effective_from: date | None
    terms: tuple[FamilyTerm, ...]
    effects: tuple[AmendmentEffect, ...] = ()
    precedence: tuple[str, ...] = ()
    text: str = ""


class Conflict(Frozen):
    """A term that an order or statement of work states otherwise than its master.

    `prevails` is `order` or `master` where a clause on the order of precedence says so, with its words.
    """

    term: str
    contract_id: str
    value: str
    held: FamilyTerm
    prevails: Literal["order", "master"] | None = None
    quote: str | None = None
