"""Frozen regression cases: what a person decided of a term or a flag, which no later version may get wrong again.

A case keeps the answer and where it was given, and none of the contract's text: it is tried on what is kept of the
contract's reading.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from review.loop.decided import Decided, same_value
from schemas.base import Frozen
from schemas.contract import ContractReading
from schemas.learned import Kind, folder, write
from warehouse.decisions import evidence_hash
from warehouse.rows import stable_id

FILE = "cases.json"


class Case(Frozen):
    """One answer. Of a term: `expected`, or with `never` that this value was rejected. Of a flag: whether it `stands`,
    and the hash of its quotation. `was_right` tells whether the agent was right when the case was frozen."""

    case_id: str
    contract_id: str
    target: Kind
    field: str
    expected: str | None = None
    never: str | None = None
    stands: bool | None = None
    quote_hash: str | None = None
    reviewer: str
    decided_at: datetime
    was_right: bool = False


_CASES = TypeAdapter(tuple[Case, ...])


def case_of(decision: Decided) -> Case | None:
    """The case that a decision makes; None for proposals on revenue and for parties, of which there are several."""
    if decision.target == "asc606" or decision.field == "parties":
        return None
    said = (decision.target, decision.field, decision.contract_id, decision.target_id)
    common = {
        "target": decision.target,
        "field": decision.field,
        "contract_id": decision.contract_id,
        "reviewer": decision.reviewer,
        "decided_at": decision.decided_at,
    }
    if decision.target == "flag":
        answer = {"stands": decision.applies, "quote_hash": evidence_hash(decision.quote, None)}
    elif decision.right is None and decision.value is not None:
        answer = {"never": decision.value}
    else:
        answer = {"expected": decision.right}
    return Case(case_id=stable_id("k_", *said, *answer.values()), **common, **answer)


def is_right(case: Case, reading: ContractReading) -> bool:
    """Whether a reading of the case's contract says what the person said."""
    if case.target == "flag":
        same = (flag for flag in reading.flags if flag.rule_id == case.field and flag.learned is None)
        return any(evidence_hash(flag.quote, None) == case.quote_hash for flag in same) == case.stands
    term = reading.extraction.term(case.field)
    value = term.value if term else None
    if case.never is not None:
        return not same_value(case.field, value, case.never)
    return same_value(case.field, value, case.expected)


def held_cases(home: Path) -> tuple[Case, ...]:
    """The cases of a data folder, none when there are none."""
    file = folder(home) / FILE
    return _CASES.validate_json(file.read_bytes()) if file.is_file() else ()


def keep_cases(home: Path, cases: Iterable[Case]) -> None:
    """Keep these cases and no others."""
    ordered = sorted(cases, key=lambda case: case.case_id)
    folder(home).mkdir(parents=True, exist_ok=True)
    rows = [case.model_dump(mode="json", exclude_none=True) for case in ordered]
    write(folder(home) / FILE, json.dumps(rows, indent=1, ensure_ascii=False))


def fresh_cases(decisions: Sequence[Decided], cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """The cases that decisions make and that are not held, and those held whose decision stands no longer."""
    made = {case.case_id: case for case in map(case_of, decisions) if case}
    known = {case.case_id for case in cases}
    on = {(case.contract_id, case.target, case.field) for case in made.values()}
    stale = [c for c in cases if c.case_id not in made and (c.contract_id, c.target, c.field) in on]
    return [case for id, case in made.items() if id not in known], stale


def digest(cases: Sequence[Case]) -> str:
    """A short hash of the cases, to tell in a report which ones were tried."""
    return hashlib.sha256("\0".join(case.case_id for case in cases).encode()).hexdigest()[:12]


def without(cases: Iterable[Case], contract_ids: Collection[str]) -> list[Case]:
    """The cases that are of none of these contracts."""
    return [case for case in cases if case.contract_id not in contract_ids]
