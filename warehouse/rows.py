"""From values to rows: what one document and one contract put into each table.

A row is a dict from column to value, with the names and types of `schemas.tables`. Nothing here touches
a file.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

from schemas.contract import (
    AmendmentEffect,
    AscTopic,
    Chunk,
    Citation,
    Clause,
    ContractReading,
    DocumentReference,
    FeeLine,
    Flag,
    Term,
)
from schemas.document import Box, Document, EditMark, Page, marked_text
from schemas.filed import Filed
from schemas.terms import TERMS, TermSpec, TermType

Row = dict[str, Any]
Rows = dict[str, list[Row]]
"""Table name -> its rows."""

_CENT = Decimal("0.01")
_MOST_MONEY = Decimal(10) ** 16
_MOST_DAYS = 2**31


def document_rows(filed: Filed, document: Document | None) -> Rows:
    """The rows of `documents`, and of `pages` and `edit_marks` when the document could be read."""
    rows: Rows = {"documents": [_document_row(filed, document)]}
    if document is not None:
        ids = {"document_id": filed.document_id, "run_id": filed.run_id}
        rows["pages"] = [ids | _page_row(page, document) for page in document.pages]
        rows["edit_marks"] = [ids | _mark_row(mark) for mark in document.edit_marks]
        rows["hidden_text"] = [
            ids | {"page_number": page.number, "kind": hidden.kind, "text": hidden.text} | _box(hidden.box)
            for page in document.pages
            for hidden in page.hidden
        ]
        rows["table_cells"] = [ids | row for page in document.pages for row in _cell_rows(page)]
        rows["signature_areas"] = [
            ids | area.model_dump(exclude={"box"}) | _box(area.box) for area in document.signature_areas
        ]
    return rows


def contract_rows(
    filed: Filed,
    document: Document,
    chunks: Iterable[Chunk],
    reading: ContractReading,
    version: int,
) -> Rows:
    """The rows of every table on the level of the contract, without those of the document itself.

    A contract is the root of its own family until all are landed. Every term of `schemas.terms` has a row: one
    that the engine did not mention is `not_found`.
    """
    ids = {"contract_id": document.contract_id, "run_id": filed.run_id, "version": version}
    held = ids | {"document_id": filed.document_id}
    extraction = reading.extraction
    terms = _all_terms(extraction.terms)
    contract = held | {"family_id": document.contract_id, "parent_contract_id": None}
    return {
        "contracts": [contract | _contract_columns(filed, document, reading, terms)],
        "terms": [held | _term_row(ids["contract_id"], t, n, reading) for t, n in _numbered(terms)],
        "clauses": [held | _clause_row(c, extraction.engine.extractor) for c in extraction.clauses],
        "flags": [held | _flag_row(ids["contract_id"], f, n) for f, n in _numbered(reading.flags)],
        "asc606": [held | _asc_row(ids["contract_id"], t, n, reading) for t, n in _numbered(reading.asc606)],
        "fee_lines": [held | _fee_row(line) for line in extraction.fee_lines],
        "billing_schedule": [ids | bill.model_dump() | {"amount": money(bill.amount)} for bill in reading.bills],
        "obligations": [ids | due.model_dump() | {"amount": money(due.amount)} for due in reading.obligations],
        "document_references": [
            held | {"reference": n} | _quoted_row(reference) | _place(reference.citation)
            for n, reference in enumerate(reading.references, 1)
        ],
        "amendment_effects": [
            held | {"effect_number": n} | _quoted_row(effect) | {"terms": list(effect.terms)}
            for n, effect in enumerate(reading.effects, 1)
        ],
        "chunks": [ids | _chunk_row(chunk) for chunk in chunks],
        "retrievals": [ids | retrieval.model_dump() for retrieval in extraction.retrievals],
        "requests": [request.model_dump() | ids for request in extraction.requests],
    }


def stable_id(prefix: str, *parts: object) -> str:
    """`prefix` and 16 hex digits of the parts' SHA-256, joined by NUL."""
    return prefix + sha256("\0".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()[:16]


def _numbered(items: Iterable[Any]) -> list[tuple[Any, int]]:
    """Each item with its ordinal among those of the same term, rule or topic, from 0."""
    seen: Counter[str] = Counter()
    numbered = []
    for item in items:
        kind = _kind(item)
        numbered.append((item, seen[kind]))
        seen[kind] += 1
    return numbered


def _kind(item: Term | Flag | AscTopic) -> str:
    if isinstance(item, Term):
        return item.term
    return item.rule_id if isinstance(item, Flag) else item.topic


def _document_row(filed: Filed, document: Document | None) -> Row:
    row = filed.model_dump()
    row["ingested_at"] = utc(filed.ingested_at)
    if document is not None:
        row |= {
            "page_count": filed.page_count or len(document.pages),
            "capture_class": document.capture_class,
            "language": document.language,
            "ocr_confidence": document.ocr_confidence,
            "warnings": list(document.warnings),
        }
    row |= {name: list(row[name]) for name in ("similar_to", "likeness")}
    return row


def utc(moment: datetime) -> datetime:
    """The same moment in UTC without a zone, as the warehouse keeps it; a moment without one is UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _page_row(page: Page, document: Document) -> Row:
    return {
        "page_number": page.number,
        "width": page.width,
        "height": page.height,
        "source": page.source,
        "text": page.text,
        "ocr_confidence": page.ocr_confidence,
        "rotation": page.rotation,
        "capture_class": page.capture,
        "warnings": list(page.warnings),
        "language": page.language,
        "marked_text": marked_text(page, document.edit_marks),
    }


def _mark_row(mark: EditMark) -> Row:
    row = {"page_number": mark.page_number, "kind": mark.kind, "text": mark.text, "source": mark.source}
    return row | {"confidence": mark.confidence, "crop": mark.crop} | _box(mark.box)


def _cell_rows(page: Page) -> Iterator[Row]:
    for number, table in enumerate(page.tables, 1):
        for cell in table.cells:
            place = {"table_number": number, "row_number": cell.row + 1, "column_number": cell.column + 1}
            box = _box((cell.x0, cell.y0, cell.x1, cell.y1))
            yield {"page_number": page.number, "text": cell.text} | place | box


def _box(box: Box) -> Row:
    return dict(zip(("x0", "y0", "x1", "y1"), box, strict=True))


def _place(citation: Citation | None) -> Row:
    """Page and box of a citation, empty without one."""
    return {"page_number": citation.page_number} | _box(citation.box) if citation else {}


def _span(citation: Citation | None) -> Row:
    return {"char_start": citation.char_start, "char_end": citation.char_end} if citation else {}


def _all_terms(terms: tuple[Term, ...]) -> list[Term]:
    named = {term.term for term in terms}
    return [*terms, *(Term(term=s.name, absence="not_found") for s in TERMS if s.name not in named)]


def _term_row(contract_id: str, term: Term, ordinal: int, reading: ContractReading) -> Row:
    engine = reading.extraction.engine
    return (
        term.model_dump(include={"term", "value", "value_date", "value_number", "unit", "absence", "quote", "learned"})
        | {"term_id": stable_id("t_", contract_id, term.term, ordinal)}
        | {"evidence": term.evidence, "confidence": term.confidence, "route": route_of(term)}
        | {"match_score": term.citation.score if term.citation else None}
        | engine.model_dump()
        | _place(term.citation)
        | _span(term.citation)
    )


SURE = 0.8
"""Confidence from which a proven value needs no look of its own."""


def route_of(term: Term) -> str:
    """Where a term goes in the morning: `accept` in its order, or `look_first`."""
    is_proven = term.absence is not None or term.evidence in ("verified", "derived")
    return "accept" if is_proven and term.confidence >= SURE else "look_first"


def _clause_row(clause: Clause, extractor: str) -> Row:
    row = clause.model_dump(include={"clause_type", "text", "heading", "confidence"})
    page_end = {"page_end": clause.citation.page_end} if clause.citation else {}
    return row | page_end | _place(clause.citation) | _span(clause.citation) | {"extractor": extractor}


def family_flag_row(family_id: str, contract: Row, flag: Flag, ordinal: int, place: Row) -> Row:
    """The row of a flag that hangs on other contracts; `contract` gives its ids, run and version."""
    return {"family_id": family_id} | contract | _flag_row(contract["contract_id"], flag, ordinal) | place


def _flag_row(contract_id: str, flag: Flag, ordinal: int) -> Row:
    row = flag.model_dump(exclude={"citation"}) | {"refs": list(flag.refs)}
    return row | _place(flag.citation) | {"flag_id": stable_id("f_", contract_id, flag.rule_id, ordinal)}


def _asc_row(contract_id: str, topic: AscTopic, ordinal: int, reading: ContractReading) -> Row:
    return {
        "asc606_id": stable_id("a_", contract_id, topic.topic, ordinal),
        "topic": topic.topic,
        "proposal": topic.proposal,
        "reason": topic.reason,
        "paragraphs": list(topic.paragraphs),
        "quote": topic.quote,
        "page_number": topic.citation.page_number if topic.citation else None,
        "status": "proposed",
        "reference_version": reading.playbook_version or None,
    }


def _quoted_row(item: DocumentReference | AmendmentEffect) -> Row:
    return item.model_dump(exclude={"citation"})


def _fee_row(line: FeeLine) -> Row:
    row = line.model_dump(exclude={"quantity", "unit_price", "amount"})
    return row | {
        "quantity": number(line.quantity),
        "unit_price": exact_money(line.unit_price),
        "amount": money(line.amount),
    }


def _chunk_row(chunk: Chunk) -> Row:
    row = chunk.model_dump(include={"chunk_id", "page_first", "page_last"})
    span = {"char_start": chunk.start, "char_end": chunk.end}
    return row | span | {"heading_path": list(chunk.heading_path)}


def _contract_columns(filed: Filed, document: Document, reading: ContractReading, terms: list[Term]) -> Row:
    row = {spec.name: _agreed(spec, terms) for spec in TERMS}
    return row | {
        "language": document.language,
        "capture_class": document.capture_class,
        "status": "landed",
        "work_key": filed.work_key,
        "playbook_version": reading.playbook_version or None,
        "numbers": list(reading.numbers),
        "other_parties": list(reading.others),
    }


def _agreed(spec: TermSpec, terms: list[Term]) -> Any:
    stated = [t for t in terms if t.term == spec.name and t.absence is None and t.value is not None]
    if spec.type == "parties":
        return [{"name": t.value, "role": t.role} for t in stated] or None
    return _CELL[spec.type](stated[0]) if stated else None


def number(text: str | None) -> float | None:
    """A finite number, None when the text is not one."""
    value = _decimal(text)
    return float(value) if value is not None else None


def money(text: str | None) -> Decimal | None:
    """An amount rounded to cents, None when the text is not one or does not fit into the column."""
    value = _decimal(text)
    return value.quantize(_CENT) if value is not None and abs(value) < _MOST_MONEY else None


def exact_money(text: str | None) -> Decimal | None:
    """As `money`, but None where rounding would change it: a rate of 0.0042 is not 0.00."""
    rounded = money(text)
    return rounded if rounded is not None and rounded == _decimal(text) else None


def _decimal(text: str | None) -> Decimal | None:
    try:
        value = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < Decimal(10) ** 300 else None


def _date(term: Term) -> date | None:
    if term.value_date or not term.value:
        return term.value_date
    try:
        return date.fromisoformat(term.value.strip())
    except ValueError:
        return None


def _days(term: Term) -> int | None:
    value = _decimal(term.value)
    return int(value) if value is not None and abs(value) < _MOST_DAYS else None


def _number(term: Term) -> float | None:
    return term.value_number if term.value_number is not None else number(term.value)


_CELL: dict[TermType, Callable[[Term], Any]] = {
    "text": lambda term: term.value,
    "choice": lambda term: term.value,
    "date": _date,
    "number": _number,
    "days": _days,
    "money": lambda term: money(term.value),
    "flag": lambda term: {"true": True, "false": False}.get((term.value or "").strip().lower()),
}
