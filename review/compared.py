"""Data of the pages that compare: two versions clause by clause, contracts term by term."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from extractors.redline import Change, redline
from review.desk import Desk
from review.pictures import KEEP_FOLDER
from review.shown import ContractView, Item, Row
from schemas.base import Frozen
from schemas.document import Document
from schemas.errors import ContractAgentError
from schemas.review import ReviewError
from schemas.terms import TERM_BY_NAME
from warehouse.keep import Keep

SIDE_BY_SIDE = (
    *("title", "counterparty", "effective_date", "expiration_date", "initial_term_months", "renewal_type"),
    *("renewal_notice_days", "notice_deadline", "termination_for_convenience", "termination_notice_days"),
    *("total_value", "annual_value", "currency", "payment_terms_days", "billing_frequency", "liability_cap_type"),
    *("liability_cap_months", "governing_law"),
)
"""The terms that are compared when none are named."""
MOST_REDLINES = 16
"""Comparisons that are held ready; long contracts take seconds."""


class Told(Frozen):
    """A term of one contract as it holds now, decisions included, and where it stands. `value` is None where it has
    none."""

    value: str | None
    status: str
    page_number: int | None
    quote: str | None
    evidence: str | None
    document_id: str | None


class SideBySide(Frozen):
    """Contracts next to each other: `names` and `contract_ids` in the order asked, a row a term; None where a contract
    says nothing of it."""

    contract_ids: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Told | None, ...]], ...]

    def differs(self, term: str) -> bool:
        """Whether the contracts say different things of a term."""
        told = next((told for name, told in self.rows if name == term), ())
        return len({one.value if one else None for one in told}) > 1


class Redline(Frozen):
    """Two versions compared: their clauses, and the flags that only one of them raises (`new`, `gone`)."""

    old_id: str
    new_id: str
    old_name: str
    new_name: str
    language: str
    changes: tuple[Change, ...]
    new_flags: tuple[Row, ...]
    gone_flags: tuple[Row, ...]


def checked_terms(terms: Iterable[str]) -> tuple[str, ...]:
    """The terms that are compared. Raises ContractAgentError when there is none of a name."""
    names = tuple(terms)
    if unknown := [name for name in names if name not in TERM_BY_NAME]:
        raise ContractAgentError(f"There is no term {unknown[0]}.", help=f"Choose of {', '.join(TERM_BY_NAME)}.")
    return names or SIDE_BY_SIDE


def side_by_side(desk: Desk, contract_ids: Sequence[str], terms: Sequence[str] = ()) -> SideBySide:
    """Contracts of the warehouse term by term. Raises ReviewError `not_found`, and ContractAgentError for a term that
    there isn't."""
    names = checked_terms(terms)
    views = [desk.contract(contract_id) for contract_id in contract_ids]
    told = [_told(view) for view in views]
    return SideBySide(
        contract_ids=tuple(contract_ids),
        names=tuple(map(_name, views)),
        rows=tuple((name, tuple(one.get(name) for one in told)) for name in names),
    )


def redlined(desk: Desk, old_id: str, new_id: str) -> Redline:
    """Two contracts of the warehouse clause by clause. Raises ReviewError `not_found`, or `no_reading` when what was
    read of one of them is kept no longer."""
    old, new = desk.contract(old_id), desk.contract(new_id)
    files = [_reading_file(desk.root, view) for view in (old, new)]
    stamps = tuple((str(file), file.stat().st_mtime_ns) for file in files)
    return Redline(
        old_id=old_id,
        new_id=new_id,
        old_name=_name(old),
        new_name=_name(new),
        language=new.contract["language"] or "en",
        changes=_changes(desk.root, old_id, new_id, stamps),
        new_flags=_only_in(new, old),
        gone_flags=_only_in(old, new),
    )


@lru_cache(maxsize=MOST_REDLINES)
def _changes(root: Path, old_id: str, new_id: str, stamps: tuple[tuple[str, int], ...]) -> tuple[Change, ...]:
    """The stamps tell the readings from newer ones."""
    old, new = (Keep(root / KEEP_FOLDER, id).latest("read", Document) for id in (old_id, new_id))
    if old is None or new is None:
        raise _no_reading(old_id if old is None else new_id)
    return redline(old, new)


def _reading_file(root: Path, view: ContractView) -> Path:
    file = Keep(root / KEEP_FOLDER, view.contract_id).latest_file("read")
    if file is None:
        raise _no_reading(_name(view))
    return file


def _no_reading(name: str) -> ReviewError:
    return ReviewError(
        f"What was read of {name} is kept no longer.",
        help="Run the night again with `contract-agent backfill --mode all --from-stage read`.",
        code="no_reading",
    )


def _told(view: ContractView) -> dict[str, Told]:
    """The first value of each term."""
    found: dict[str, Told] = {}
    for item in view.terms:
        if item.value is not None and not _is_wrong(item):
            row = item.row
            place = {name: row[name] for name in ("page_number", "quote", "evidence", "document_id")}
            found.setdefault(item.name, Told(value=item.value, status=item.status, **place))
    return found


def _is_wrong(item: Item) -> bool:
    """Whether a person found that the contract says no such thing."""
    return item.status in ("rejected", "not_applicable")


def _name(view: ContractView) -> str:
    return view.documents[0]["file_name"] if view.documents else view.contract["title"] or view.contract_id


def _only_in(one: ContractView, other: ContractView) -> tuple[Row, ...]:
    known = {(item.name, item.row["severity"], item.row["found"]) for item in other.flags}
    return tuple(item.row for item in one.flags if (item.name, item.row["severity"], item.row["found"]) not in known)
