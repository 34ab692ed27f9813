"""The desk as the rules of review ask it: what stands on a target, a contract's critical flags and its dates."""

from datetime import date

from review import facts
from review.desk import Desk
from review.facts import ContractDates
from schemas.review import ReviewError, TargetName


class DeskFacts:
    """See `review.facts.Facts`; the desk holds the answers in memory."""

    def __init__(self, desk: Desk):
        self._desk = desk

    def target(self, target: TargetName, target_id: str) -> facts.TargetFacts | None:
        """See Facts.target."""
        try:
            found = self._desk.target(target, target_id)
        except ReviewError as error:
            if error.code == "not_found":
                return None
            raise
        return facts.TargetFacts(
            contract_id=found.contract_id,
            field=found.name,
            severity=found.severity,
            total_value=None if found.total_value is None else float(found.total_value),
            evidence_hash=found.evidence_hash,
            value=found.value,
            dates=self.dates(found.contract_id) or ContractDates(),
        )

    def critical_flags(self, contract_id: str) -> list[str]:
        """See Facts.critical_flags."""
        flags = self._desk.contract(contract_id).flags
        return sorted(item.id for item in flags if item.row["severity"] == "critical")

    def dates(self, contract_id: str) -> ContractDates | None:
        """See Facts.dates."""
        try:
            row = self._desk.contract(contract_id).contract
        except ReviewError as error:
            if error.code == "not_found":
                return None
            raise
        first = row.get("effective_date") or row.get("agreement_date")
        return ContractDates(first=first, last=row.get("expiration_date") or date.max)
