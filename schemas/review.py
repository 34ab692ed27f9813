"""What people do on the review page: who they are, what they may do, and the events that are kept of it."""

from datetime import datetime
from typing import Any, Literal

from schemas.base import Frozen
from schemas.errors import ContractAgentError

Role = Literal["viewer", "reviewer", "approver", "admin"]
"""Each may do what those before it may. Viewers look; reviewers decide; approvers approve what others decided or
prepared, and lock periods; admins keep the accounts and read the audit log."""
ROLES: tuple[Role, ...] = ("viewer", "reviewer", "approver", "admin")

TargetName = Literal["term", "flag", "asc606"]

DecisionName = Literal["confirmed", "overridden", "rejected", "not_applicable", "needs_info", "escalated"]
DECISIONS: tuple[DecisionName, ...] = (
    *("confirmed", "overridden", "rejected", "not_applicable"),
    *("needs_info", "escalated"),
)
SETTLED: tuple[DecisionName, ...] = DECISIONS[:4]
"""Decisions after which nothing is left to do; the others leave the target in the queue."""
WITHDRAWN = "withdrawn"
"""What is landed in place of a landed decision that was undone; its target is open again."""

REASON_CODES = (
    *("ocr_error", "wrong_clause", "wrong_interpretation", "amended_elsewhere", "out_of_scope_rule"),
    *("playbook_exception_approved", "data_entry", "other"),
)

Action = Literal[
    "decided",  # body: decision, old_value, new_value, reason_code, comment, evidence_hash, seconds, keystrokes, ...
    "undone",  # refers to what is taken back
    "bulk_confirmed",  # body: targets, owner, effective_from; counts once it is approved
    "rule_overridden",  # body: rule_id, scope, reason, owner, effective_from, effective_to; counts once approved
    "approved",  # refers to what a second person approves: a decision, a bulk confirmation, a rule's override
    "declined",  # refers to it; body: why
    "prepared",  # a contract's sign-off, by its preparer
    "signed_off",  # by another person
    "sign_off_withdrawn",
    "period_locked",  # body: first, last
    "period_reopened",  # body: first, last, why
    "conflict_met",  # body: what the decision was made on, what stands there now
    "landed",  # body: run_id; refers to the events that were landed
    "viewed",
    "exported",
    "signed_in",
    "sign_in_failed",
    "signed_out",
    "account_changed",
    "view_saved",
    "forgotten",
]


class ReviewError(ContractAgentError):
    """Something that a person may not do, or not now. The code says which: see docs/errors.md."""

    code = "review"


class Person(Frozen):
    """Who acts: the name that is written down, and the role."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether the person has at least this role."""
        return ROLES.index(self.role) >= ROLES.index(role)


class NewEvent(Frozen):
    """Something that somebody did. `refers_to` are the numbers of the events that it is about.

    `body` may hold a contract's words, so it can be erased without breaking the chain of hashes; nothing else may.
    """

    actor: str
    action: Action
    contract_id: str | None = None
    target: TargetName | None = None
    target_id: str | None = None
    refers_to: tuple[int, ...] = ()
    body: dict[str, Any] | None = None


class Event(NewEvent):
    """An event as it is kept: its number from 1, when (UTC), and the SHA-256 that chains it to the one before."""

    number: int
    at: datetime
    sha256: str


class Standing(Frozen):
    """What stands of the decisions on one target: the last one that was not taken back.

    `state` is `waiting` until a second person approves what needs four eyes, `effective` when it counts, `declined`
    when the second person said no. `landed_in` is the run that landed it.
    """

    number: int
    target: TargetName
    target_id: str
    contract_id: str
    decision: DecisionName
    old_value: str | None = None
    new_value: str | None = None
    reason_code: str | None = None
    comment: str | None = None
    reviewer: str
    decided_at: datetime
    evidence_hash: str
    state: Literal["effective", "waiting", "declined"] = "effective"
    approver: str | None = None
    landed_in: str | None = None
