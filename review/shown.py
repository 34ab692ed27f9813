"""What the review page shows: rows of the queue, contracts, conflicts, words and boxes. All of it is data for a page
and for its JSON.

Everything stands as published, with the live decisions laid over it: `status` is what holds now, and `standing` the
decision that it comes from where one was made on the page.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from schemas.base import Frozen
from schemas.document import Box
from schemas.review import Standing, TargetName

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
Row = dict[str, Any]
"""A row of a table of the warehouse by its columns' names, as schemas/tables.py has them."""

QueueState = Literal["open", "waiting", "all"]
"""`open` is what somebody has to decide, `waiting` what waits for a second person, `all` is both."""
QueueSort = Literal["priority", "age", "value", "severity", "counterparty", "contract", "confidence"]


class QueueFilters(Frozen):
    """What of the queue is shown; an empty filter lets everything through. `q` is looked for in the titles, names,
    reasons and quotations, each of its words. `older_than_days` counts from the day the document came in."""

    severity: tuple[Severity, ...] = ()
    rule_id: tuple[str, ...] = ()
    clause_type: tuple[str, ...] = ()
    counterparty: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    contract_id: str | None = None
    older_than_days: int | None = None
    least_value: Decimal | None = None
    q: str = ""
    state: QueueState = "open"


EVERYTHING = QueueFilters()


class QueueRow(Frozen):
    """A flag of the queue. `age_days` counts from the day the document came in to today; `state` is None where
    nobody has decided on the page, else as in `Standing`."""

    flag_id: str
    contract_id: str
    document_id: str | None
    priority: float
    severity: Severity
    rule_id: str
    clause_type: str | None
    title: str | None
    counterparty: str | None
    reason: str
    found: str | None
    standard: str | None
    refs: tuple[str, ...] = ()
    total_value: Decimal | None
    currency: str | None
    file_name: str | None
    page_number: int | None
    quote: str | None
    evidence: str | None
    confidence: float | None
    status: str
    state: Literal["effective", "waiting", "declined"] | None = None
    ingested_at: datetime | None
    age_days: int | None


class Facet(NamedTuple):
    """A value that can be filtered by, and how many rows of what is shown have it."""

    value: str
    count: int


class QueuePage(Frozen):
    """A page of the queue. `total` counts all rows that the filters let through; `facets` are by name of the filter,
    each counted as if it alone were not set. `publication` names the state of the warehouse that is shown."""

    rows: tuple[QueueRow, ...]
    total: int
    page: int
    size: int
    facets: dict[str, tuple[Facet, ...]]
    publication: str

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


class Neighbours(Frozen):
    """The rows before and after one in the queue under the same filters, and its place from 1 (None: not in it)."""

    previous: QueueRow | None
    next: QueueRow | None
    place: int | None
    total: int


class Item(Frozen):
    """A term, flag or topic of a contract, as it stands and with what was decided of it.

    `row` is the table's row. `value` is what holds now: a decision's new value, else the row's. `evidence_hash` is
    what a decision has to carry. `decided_by` is the last landed decision where there is no live one; `conflict` says
    that a decision was made on other evidence than stands there now.
    """

    target: TargetName
    id: str
    name: str
    value: str | None
    status: str
    evidence_hash: str
    page_number: int | None
    row: Row
    standing: Standing | None = None
    decided: Row | None = None
    conflict: bool = False


class Mark(Frozen):
    """A mark on the paper. `number` from 0 names its picture within the document: /marks/{document_id}/{number}.png."""

    number: int
    document_id: str
    page_number: int
    kind: str
    source: str | None
    text: str
    box: Box
    confidence: float | None
    has_crop: bool


class PageInfo(Frozen):
    """A page of a document, without its text. Sizes in points, of the page as it is shown."""

    document_id: str
    page_number: int
    width: float
    height: float
    source: str | None
    capture_class: str | None
    rotation: int
    ocr_confidence: float | None
    warnings: tuple[str, ...] = ()


class ChangedTerm(Frozen):
    """What one document of a family made of a term: what held before it, and after it. What a later one replaced is
    not in force any more."""

    term: str
    before: str | None
    after: str | None
    is_in_force: bool
    set_by_contract_id: str
    set_by_document_id: str | None
    effective_from: date | None
    quote: str | None
    page_number: int | None


class Member(Frozen):
    """A contract of a family: what it is to the others, what it changed (terms), and what it says that it changes
    (rows of `amendment_effects`)."""

    contract_id: str
    parent_contract_id: str | None
    relation: str
    title: str | None
    contract_type: str | None
    effective_from: date | None
    file_name: str | None
    document_id: str | None
    quote: str | None
    page_number: int | None
    changed: tuple[ChangedTerm, ...] = ()
    effects: tuple[Row, ...] = ()


class ContractView(Frozen):
    """All that the page shows of a contract.

    `terms`, `flags` and `topics` carry what was decided; flags are sorted by severity, terms in the order of
    `schemas.terms`. `documents` are those that hold this contract, the landed one first. `family` is empty for a
    contract that stands alone, `in_force` has the rows of `contract_in_force` of its family. `references` are titles,
    summaries and addresses of the flags' reference keys.
    """

    contract_id: str
    contract: Row
    terms: tuple[Item, ...]
    flags: tuple[Item, ...]
    topics: tuple[Item, ...]
    documents: tuple[Row, ...]
    pages: tuple[PageInfo, ...]
    marks: tuple[Mark, ...]
    family: tuple[Member, ...]
    in_force: tuple[Row, ...]
    family_conflicts: tuple[Row, ...]
    fee_lines: tuple[Row, ...]
    billing_schedule: tuple[Row, ...]
    obligations: tuple[Row, ...]
    document_references: tuple[Row, ...]
    reviews: tuple[Row, ...]
    references: dict[str, Row]
    publication: str

    def item(self, target: TargetName, id: str) -> Item | None:
        """The term, flag or topic of this id."""
        of = {"term": self.terms, "flag": self.flags, "asc606": self.topics}[target]
        return next((item for item in of if item.id == id), None)


class ContractRow(Frozen):
    """A contract in the list of all. `open_flags` counts live, `worst` is the severest of them."""

    contract_id: str
    title: str | None
    contract_type: str | None
    counterparty: str | None
    our_entity: str | None
    effective_date: date | None
    expiration_date: date | None
    total_value: Decimal | None
    currency: str | None
    file_name: str | None
    capture_class: str | None
    ingested_at: datetime | None
    open_flags: int
    worst: Severity | None


class ContractPage(Frozen):
    """A page of the list of contracts."""

    rows: tuple[ContractRow, ...]
    total: int
    page: int
    size: int
    publication: str

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


class Conflict(Frozen):
    """A decision and what stands there now, where the two differ.

    `kind` is `value` (another value is read now), `evidence` (the same value, quoted from other words) or `gone` (there
    is no such row any more). The decision goes on to count until a person decides again.
    """

    kind: Literal["value", "evidence", "gone"]
    target: TargetName
    target_id: str
    contract_id: str
    title: str | None
    counterparty: str | None
    name: str | None
    decision: str
    decided_value: str | None
    seen_value: str | None
    reviewer: str | None
    decided_at: datetime
    event_number: int | None
    value: str | None
    quote: str | None
    page_number: int | None


class WordBox(NamedTuple):
    """A word of a page and its box in points."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float


class PageWords(Frozen):
    """The words of a page in reading order; sizes and boxes in points of the page as it is shown."""

    document_id: str
    page_number: int
    width: float
    height: float
    words: tuple[WordBox, ...]


class QuoteBox(NamedTuple):
    """A line of a quotation: its page, and its box in points."""

    page_number: int
    x0: float
    y0: float
    x1: float
    y1: float


class Picture(NamedTuple):
    """A picture and what it is told apart by: the same tag, the same bytes."""

    data: bytes
    media_type: str
    tag: str
