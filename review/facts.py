"""What the warehouse shows of what is decided on: the facts that the rules of review look at."""

from datetime import date
from pathlib import Path
from typing import Protocol

from schemas.base import Frozen
from schemas.review import TargetName
from warehouse.decisions import TARGETS, evidence_of
from warehouse.read import query


class ContractDates(Frozen):
    """The days between which a contract runs, as far as they are known; an end that is not known is far away."""

    first: date | None = None
    last: date = date.max

    def touches(self, first: date, last: date) -> bool:
        """Whether the contract may run in a period; without a known start it may."""
        return (self.first is None or self.first <= last) and self.last >= first


class TargetFacts(Frozen):
    """A target as it stands now. `field` is the term's name, the rule's id or the topic; `severity` that of a flag;
    `total_value` the contract's, in whatever currency; `value` what is seen, None where there is none."""

    contract_id: str
    field: str
    severity: str | None = None
    total_value: float | None = None
    evidence_hash: str
    value: str | None = None
    dates: ContractDates = ContractDates()


class Facts(Protocol):
    """Who knows what stands in the warehouse now."""

    def target(self, target: TargetName, target_id: str) -> TargetFacts | None:
        """The target, None when it is not there (any more)."""

    def critical_flags(self, contract_id: str) -> list[str]:
        """The ids of all critical flags of a contract that were published, whatever was decided on them; without those
        of rules that are overridden for it."""

    def dates(self, contract_id: str) -> ContractDates | None:
        """When the contract runs, None when there is no such contract."""


class PublishedFacts:
    """Facts asked of the published warehouse, one query each: for commands, and where no page holds them ready."""

    def __init__(self, root: Path):
        self._root = root

    def target(self, target: TargetName, target_id: str) -> TargetFacts | None:
        """See Facts.target."""
        of = TARGETS.get(target)
        if of is None:
            return None
        severity = "t.severity" if target == "flag" else "NULL"
        seen = ", ".join(f"t.{name}" for name in of.seen)
        sql = f"""SELECT t.contract_id, t.quote, t.{of.field}, {severity}, {seen}, c.total_value, {_DATES}
            FROM {of.table} t LEFT JOIN contracts c USING (contract_id) WHERE t.{of.id} = $id"""
        rows = query(self._root, sql, {"id": target_id})[1]
        if not rows:
            return None
        contract_id, quote, field, level, *values, total_value, first, last = rows[0]
        row = dict(zip(of.seen, values, strict=True)) | {"quote": quote}
        return TargetFacts(
            contract_id=contract_id,
            field=field,
            severity=level,
            total_value=None if total_value is None else float(total_value),
            evidence_hash=evidence_of(target, row),
            value=values[0],
            dates=ContractDates(first=first, last=last or date.max),
        )

    def critical_flags(self, contract_id: str) -> list[str]:
        """See Facts.critical_flags."""
        sql = """SELECT f.flag_id FROM flags f ANTI JOIN excepted_flags e ON e.flag_id = f.flag_id
            WHERE f.contract_id = $id AND f.severity = 'critical' ORDER BY f.flag_id"""
        return [row[0] for row in query(self._root, sql, {"id": contract_id})[1]]

    def dates(self, contract_id: str) -> ContractDates | None:
        """See Facts.dates."""
        found = self.dates_and_value(contract_id)
        return found and found[0]

    def dates_and_value(self, contract_id: str) -> tuple[ContractDates, float | None] | None:
        """When the contract runs, and its total value in whatever currency; None when there is no such contract."""
        sql = f"SELECT {_DATES}, total_value FROM contracts c WHERE c.contract_id = $id"
        rows = query(self._root, sql, {"id": contract_id})[1]
        if not rows:
            return None
        first, last, value = rows[0]
        return ContractDates(first=first, last=last or date.max), None if value is None else float(value)


_DATES = "coalesce(c.effective_date, c.agreement_date), c.expiration_date"
"""As forgetting a contract takes them."""
