"""What people decided, with what they saw: the last decision on each target beside the row it was made on."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from schemas.review import SETTLED, TargetName
from schemas.terms import TERM_BY_NAME
from warehouse.decisions import TARGETS, evidence_of
from warehouse.read import query

APPLIES = ("confirmed", "overridden")
"""Decisions after which a flag stands."""


class Decided(NamedTuple):
    """A settled decision and the row that its reviewer saw. `value` is what a flag found or a topic proposed, too."""

    target: TargetName
    target_id: str
    contract_id: str
    field: str
    decision: str
    new_value: str | None
    reason_code: str | None
    reviewer: str
    approver: str | None
    decided_at: datetime
    seconds: float | None
    is_blind: bool
    evidence_hash: str
    value: str | None
    quote: str | None
    confidence: float | None
    extractor: str | None
    model: str | None
    route: str | None
    capture_class: str | None
    counterparty: str | None

    @property
    def agrees(self) -> bool:
        """Whether the person said what the row said."""
        same = self.target == "term" and same_value(self.field, self.value, self.new_value)
        return self.decision == "confirmed" or (self.decision == "overridden" and same)

    @property
    def applies(self) -> bool:
        """Of a flag: whether it stands."""
        return self.decision in APPLIES

    @property
    def right(self) -> str | None:
        """Of a term: the value that the person holds for right, None for no value."""
        if self.decision == "confirmed":
            return self.value
        return self.new_value if self.decision == "overridden" else None


def same_value(field: str, one: str | None, other: str | None) -> bool:
    """Whether two bare values of a term say the same."""
    if one is None or other is None:
        return one is other
    if TERM_BY_NAME[field].type in ("number", "days", "money"):
        try:
            return abs(float(one) - float(other)) < 0.005
        except ValueError:
            return False
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def decided(root: Path) -> list[Decided]:
    """The settled decisions, in the order of their targets' ids, without bulk confirmations.

    One whose row is gone, or says something else in every version that is held, is left out.
    """
    last = _last(root)
    rows = [row for target in TARGETS for row in _rows(root, target, last)]
    return sorted(rows, key=lambda one: (one.target, one.target_id))


_REVIEW = (
    *("target", "target_id", "decision", "new_value", "reason_code", "reviewer", "approver", "decided_at"),
    *("seconds", "is_blind", "evidence_hash", "batch"),
)


def _last(root: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The last decision on each target, where it is settled and somebody looked: bulk confirmations tell nothing."""
    sql = f"SELECT {', '.join(_REVIEW)} FROM reviews ORDER BY decided_at, event_number, review_id"
    found = {}
    for row in query(root, sql)[1]:
        review = dict(zip(_REVIEW, row, strict=True))
        found[review["target"], review["target_id"]] = review
    return {on: of for on, of in found.items() if of["decision"] in SETTLED and of.pop("batch") is None}


_MORE = {"term": "h.confidence, h.extractor, h.model, h.route", "flag": "h.confidence, NULL, NULL, NULL"}


def _rows(root: Path, target: TargetName, last: dict[tuple[str, str], dict[str, Any]]) -> Iterable[Decided]:
    """Each decision with the row that shows what was seen: the newest of its day, or the oldest one since."""
    of = TARGETS[target]
    ids = [id for name, id in last if name == target]
    at = [last[target, id]["decided_at"] for id in ids]
    if not ids:
        return
    more = _MORE.get(target, "NULL, NULL, NULL, NULL")
    sql = f"""SELECT h.{of.id}, h.contract_id, h.{of.field}, h.quote, {", ".join(f"h.{name}" for name in of.seen)},
            {more}, c.capture_class, c.counterparty
        FROM {of.table}_history h LEFT JOIN contracts c USING (contract_id)
        LEFT JOIN runs_history r ON r.run_id = h.run_id
        JOIN (SELECT unnest($ids) AS id, unnest($at) AS decided_at) d ON d.id = h.{of.id}
        ORDER BY h.{of.id}, coalesce(r.started_at, d.decided_at) <= d.decided_at DESC,
            CASE WHEN r.started_at > d.decided_at THEN -h.version ELSE h.version END DESC"""
    done: set[str] = set()
    for id, contract_id, field, quote, *others in query(root, sql, {"ids": ids, "at": at})[1]:
        seen, (confidence, extractor, model, route, capture_class, counterparty) = others[:-6], others[-6:]
        review = last[target, id]
        row = {"quote": quote} | dict(zip(of.seen, seen, strict=True))
        if id in done or evidence_of(target, row) != review["evidence_hash"]:
            continue
        done.add(id)
        yield Decided(
            contract_id=contract_id,
            field=field,
            value=seen[0],
            quote=quote,
            confidence=confidence,
            extractor=extractor,
            model=model,
            route=route,
            capture_class=capture_class,
            counterparty=counterparty,
            **review | {"is_blind": bool(review["is_blind"])},
        )
