"""`contract-agent compare`, `diff` and `summary`: contracts side by side, two versions of one, one on a page."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from extractors.check import check
from extractors.chunk import chunk
from extractors.extract import engine, extract
from extractors.files import Content, Limits
from extractors.inbox import identify, scan
from extractors.read import read
from extractors.redline import Change, redline
from flows.line import judge
from flows.night import business_date
from review.compared import checked_terms
from schemas.contract import ContractReading
from schemas.document import Document
from schemas.errors import ContractAgentError
from schemas.playbook import load_playbooks
from schemas.settings import Settings, our_entities_of
from warehouse.read import query


class Told(NamedTuple):
    """A term of one contract, and where it stands."""

    value: str | None
    page_number: int | None
    quote: str | None
    evidence: str


class Judged(NamedTuple):
    """A contract as it was read: from a file, or from the warehouse."""

    name: str
    terms: dict[str, Told]


def not_found(name: str) -> ContractAgentError:
    """Neither a file nor a contract of the warehouse."""
    return ContractAgentError(
        f"{name} is neither a file nor a contract of the warehouse.",
        help="Give a path, a contract_id, or a file name: `contract-agent sql 'SELECT file_name FROM documents'`.",
    )


def side_by_side(
    names: Sequence[str], terms: Sequence[str], settings: Settings, warehouse: Path
) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of a table: a term a row, for each contract its value, page and quotation."""
    compared = checked_terms(terms)
    contracts = [_judged(name, settings, warehouse) for name in names]
    columns = ["term"]
    for contract in contracts:
        columns += [contract.name, f"{contract.name} (page)", f"{contract.name} (quote)"]
    rows = []
    for term in compared:
        row: list[Any] = [term]
        for contract in contracts:
            told = contract.terms.get(term)
            proof = "" if told is None or told.evidence != "unverified" else " (unverified)"
            row += [f"{told.value}{proof}" if told else "not found", told and told.page_number, told and told.quote]
        rows.append(row)
    return columns, rows


def _judged(name: str, settings: Settings, warehouse: Path) -> Judged:
    if Path(name).exists():
        _, reading = read_and_judge(Path(name), settings)
        terms = {
            term.term: Told(term.value, term.citation.page_number if term.citation else None, term.quote, term.evidence)
            for term in reversed(reading.extraction.terms)
            if term.value is not None
        }
        return Judged(Path(name).name, terms)
    _, found = query(
        warehouse,
        """SELECT d.file_name, t.term, t.value, t.page_number, t.quote, t.evidence FROM terms t
        JOIN documents d USING (document_id)
        WHERE t.absence IS NULL AND $name IN (t.contract_id, d.file_name, d.source_uri) ORDER BY t.term_id DESC""",
        {"name": name},
    )
    if not found:
        raise not_found(name)
    return Judged(found[0][0], {row[1]: Told(*row[2:]) for row in found})


def read_and_judge(path: Path, settings: Settings) -> tuple[Document, ContractReading]:
    """One file, or a folder of page photos, read by the embedded engine and judged by the playbook in force."""
    content = _content(path)
    limits = Limits(
        max_pages=settings.max_pages,
        max_megapixels=settings.max_megapixels,
        max_megabytes=settings.max_megabytes,
        reading=settings.reading,
    )
    document = read(content, limits)
    extraction = check(extract(document, chunk(document), engine("embedded")), document)
    ours = settings.our_entities or our_entities_of(path.parent)
    playbook = load_playbooks(settings.playbook)
    return document, judge(extraction, document, playbook, ours, business_date(settings))


def _content(path: Path) -> Content:
    if not path.is_dir():
        return next(identify(item) for item in scan(path.parent) if item.paths and item.paths[0].name == path.name)
    return next(identify(item) for item in scan(path.parent) if item.paths and item.paths[0].parent.name == path.name)


class Position(NamedTuple):
    """A flag that only one version raises."""

    change: str  # new, gone
    rule_id: str
    severity: str
    found: str
    reason: str
    page_number: int | None
    quote: str | None


class Difference(NamedTuple):
    """Two versions compared: their clauses, and what the playbook says to each."""

    old_name: str
    new_name: str
    changes: tuple[Change, ...]
    positions: list[Position]


def difference(old: Path, new: Path, settings: Settings) -> Difference:
    """The clauses of two versions aligned, and the flags that came or went with the changes."""
    for path in (old, new):
        if not path.exists():
            raise not_found(str(path))
    (before, said), (after, says) = read_and_judge(old, settings), read_and_judge(new, settings)
    return Difference(old.name, new.name, redline(before, after), list(_positions(said, says)))


def _positions(old: ContractReading, new: ContractReading) -> Iterator[Position]:
    for change, these, others in (("new", new, old), ("gone", old, new)):
        known = {(flag.rule_id, flag.severity, flag.found) for flag in others.flags}
        for flag in these.flags:
            if (flag.rule_id, flag.severity, flag.found) not in known:
                page = flag.citation.page_number if flag.citation else None
                yield Position(change, flag.rule_id, flag.severity, flag.found, flag.reason, page, flag.quote)


def changed_rows(difference: Difference) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of what changed, clause by clause; unchanged clauses are left out."""
    columns = ["change", "old", "new", "heading", "old_text", "new_text", "old_page", "new_page", "similarity"]
    rows = [
        [c.kind, c.old_number, c.new_number, c.heading, c.old_text, c.new_text, c.old_page, c.new_page, c.similarity]
        for c in difference.changes
        if c.kind != "unchanged"
    ]
    return columns, rows
