"""Data of the pages that compare: two versions clause by clause, contracts term by term."""

from collections.abc import Sequence
from pathlib import Path

from extractors.redline import Change
from review.shown import Row
from schemas.base import Frozen


class Told(Frozen):
    """A term of one contract; None for `value` where it has none."""

    value: str | None
    page_number: int | None
    quote: str | None
    evidence: str | None
    document_id: str | None


class SideBySide(Frozen):
    """Contracts next to each other: `names` and `contract_ids` in the order asked, a row a term."""

    contract_ids: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Told | None, ...]], ...]

    def differs(self, term: str) -> bool:
        """Whether the contracts say different things of a term."""
        raise NotImplementedError


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


def side_by_side(root: Path, contract_ids: Sequence[str], terms: Sequence[str] = ()) -> SideBySide:
    """Contracts of the warehouse term by term. Raises ReviewError `not_found`."""
    raise NotImplementedError


def redlined(root: Path, old_id: str, new_id: str) -> Redline:
    """Two contracts of the warehouse clause by clause. Raises ReviewError `not_found`, or `no_reading` when what was
    read of one of them is kept no longer."""
    raise NotImplementedError
