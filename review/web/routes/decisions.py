"""Deciding, undoing, approving; and what opens next."""

import math

from starlette.responses import Response

from review.shown import QueueRow
from review.web.links import Asked, contract_href
from review.web.routes.contracts import is_open
from review.web.routes.queue import within
from review.web.visit import Pages, Visit
from schemas.review import ReviewError, Standing, TargetName
from warehouse.decisions import Decision, normal

pages = Pages()
_LOOK_AHEAD = 50
_FRESH = ("proposed", "reopened", "stale")
"""What nobody has looked at; what needs info or was escalated stays in the queue and is not opened again at once."""


@pages.do("/decisions", role="reviewer")
def decide(visit: Visit) -> Response:
    """Keep a decision; the answer names what opens next."""
    target, target_id = visit.field("target", 20), visit.field("target_id", 100)
    if target not in ("term", "flag", "asc606"):
        raise ReviewError("There is nothing of that kind to decide on.", help="Load the page again.", code="form")
    overrides = visit.field("decision", 40) == "overridden"
    decision = Decision(
        target=target,
        target_id=target_id,
        decision=visit.field("decision", 40) or None,
        new_value=visit.field("new_value") or None if overrides else None,
        reason_code=visit.field("reason_code", 60) or None,
        comment=visit.field("comment") or None,
        evidence_hash=visit.field("evidence_hash", 64),
    )
    is_blind = visit.field("blind", 5) == "yes" and target == "term" and decision.decision != "confirmed"
    if is_blind:
        decision = _compared(visit, decision)
    queue = within(visit, visit.field("within", 2_000))
    standing = visit.site.reviewing.decide(
        visit.person,
        decision,
        seconds=_measure(visit, "seconds", 86_400),
        keystrokes=_count(visit, "keystrokes"),
        blind=is_blind,
    )
    following = _following(visit, standing, queue)
    said = "waiting" if standing.state == "waiting" else ""
    href = f"{following}{'&' if '?' in following else '?'}said={said}" if said else following
    return visit.done(href, {"standing": standing, "next": href})


@pages.do("/decisions/{number}/undo", role="reviewer")
def undo(visit: Visit, number: int) -> Response:
    """Take a decision back, or what was asked for."""
    before = visit.site.store.decision(number)
    standing = visit.site.reviewing.undo(visit.person, number)
    there = contract_href(before.contract_id, before.target, before.target_id) if before else "/approvals"
    return visit.back({"standing": standing, "next": there}, "undone", there)


@pages.do("/decisions/{number}/approve", role="approver")
def approve(visit: Visit, number: int) -> Response:
    """Say yes as the second person."""
    standing = visit.site.reviewing.approve(visit.person, number)
    return visit.back({"standing": standing}, "approved", "/approvals")


@pages.do("/decisions/{number}/decline", role="approver")
def decline(visit: Visit, number: int) -> Response:
    """Say no as the second person, and why."""
    standing = visit.site.reviewing.decline(visit.person, number, visit.field("why", 500))
    return visit.back({"standing": standing}, "declined", "/approvals")


def _compared(visit: Visit, decision: Decision) -> Decision:
    """A value that was given without seeing what was read: it confirms that where it is the same, else it overrides."""
    facts = visit.site.desk.target(decision.target, decision.target_id)
    if facts is None or decision.new_value is None:
        return decision
    if normal(decision, facts.field).new_value == facts.value:
        return decision.model_copy(update={"decision": "confirmed", "new_value": None, "reason_code": None})
    return decision.model_copy(update={"reason_code": decision.reason_code or "other"})


def _following(visit: Visit, standing: Standing, queue: Asked) -> str:
    """What opens after a decision: what is open further on in the contract, then the first of the queue that this
    person has not passed over."""
    if standing.target == "flag":
        skipped = set(visit.field("skipped", 4_000).split(",")) | {standing.target_id}
        row = _next_flag(visit, standing, queue, skipped)
        return contract_href(row.contract_id, "flag", row.flag_id, within=queue.query()) if row else queue.href()
    return _next_item(visit, standing.contract_id, standing.target, standing.target_id, queue)


def _next_flag(visit: Visit, standing: Standing, queue: Asked, skipped: set[str]) -> QueueRow | None:
    def first(contract_id: str | None) -> QueueRow | None:
        of = {"contract_id": contract_id} if contract_id else {}
        filters = queue.filters.model_copy(update=of | {"state": "open"})
        rows = visit.site.desk.queue(filters, queue.sort, 1, _LOOK_AHEAD + len(skipped)).rows
        return next((row for row in rows if row.flag_id not in skipped and row.status in _FRESH), None)

    return first(standing.contract_id) or first(None)


def _next_item(visit: Visit, contract_id: str, target: TargetName, id: str, queue: Asked) -> str:
    view = visit.site.desk.contract(contract_id)
    items = view.terms if target == "term" else view.topics
    place = next((place for place, item in enumerate(items) if item.id == id), -1)
    later = [item for item in items[place + 1 :] if is_open(item) and item.status in _FRESH]
    item = next((item for item in later if item.value is not None), None) or view.item(target, id)
    return contract_href(contract_id, target, item.id if item else None, within=queue.query())


def _measure(visit: Visit, name: str, most: float) -> float | None:
    """A measure that the page took; one that can't be is left out, as a decision must not fail for it."""
    try:
        value = float(visit.field(name, 30))
    except ValueError:
        return None
    return round(value, 1) if math.isfinite(value) and 0 <= value <= most else None


def _count(visit: Visit, name: str) -> int | None:
    value = _measure(visit, name, 10_000)
    return None if value is None else int(value)
