"""Decisions: what people say of terms, flags and topics, checked against what stands there now, and landed.

A decision was made on evidence that somebody saw. It is taken only while the warehouse still shows that evidence.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from schemas.base import Frozen
from schemas.review import DECISIONS, REASON_CODES, TargetName
from schemas.terms import TERM_BY_NAME, TermSpec
from warehouse.catalogue import publish
from warehouse.lake import land
from warehouse.read import query
from warehouse.rows import Rows, exact_money, number, stable_id, utc
from warehouse.stage import new_run_id


class Target(NamedTuple):
    """A table whose rows are decided on: its id, its name of a row, and what of it is the value as seen."""

    table: str
    id: str
    field: str
    seen: tuple[str, ...]


TARGETS: dict[TargetName, Target] = {
    "term": Target("terms", "term_id", "term", ("value", "absence")),
    "flag": Target("flags", "flag_id", "rule_id", ("found",)),
    "asc606": Target("asc606", "asc606_id", "topic", ("proposal",)),
}


class Decision(Frozen):
    """What one person says of one target, as it was written down; `evidence_hash` tells what they saw.

    `sheet` and `row` say where it was written, for whoever has to mend it.
    """

    target: TargetName
    target_id: str
    decision: str | None = None
    new_value: str | None = None
    reason_code: str | None = None
    comment: str | None = None
    reviewer: str | None = None
    evidence_hash: str | None = None
    sheet: str = ""
    row: int = 0

    @property
    def on(self) -> tuple[str, str]:
        return self.target, self.target_id

    @property
    def said(self) -> tuple[str | None, ...]:
        """What makes two decisions the same, wherever they were written."""
        return tuple(getattr(self, name) for name in _SAID)


_SAID = (
    *("target", "target_id", "decision", "new_value", "reason_code", "comment", "reviewer"),
    "evidence_hash",
)


class Refusal(NamedTuple):
    """A decision that was not taken: where it stands, why, and what to do."""

    decision: Decision
    why: str
    help: str


class Taken(NamedTuple):
    """What became of decisions: the run that landed `landed` of them (None if there were none), how many of them were
    held already, and those that were refused."""

    run_id: str | None
    landed: int
    known: int
    refusals: tuple[Refusal, ...]


def evidence_hash(quote: str | None, value: str | None) -> str:
    """SHA-256, in hex, of a quotation and a value as seen."""
    return sha256(json.dumps([quote, value]).encode()).hexdigest()


def evidence_of(target: TargetName, row: Mapping[str, Any]) -> str:
    """The evidence hash of a row of the target's table, or of a view with the same columns."""
    seen = (row[name] for name in TARGETS[target].seen)
    return evidence_hash(row["quote"], next((value for value in seen if value is not None), None))


Refuser = Callable[[str, str | None], tuple[str, str] | None]
"""Says why something may not be decided on now, and what to do; None where it may. It is told the contract, and the
severity of the flag where it is one."""


def take(
    root: Path,
    given: Sequence[Decision],
    *,
    dry_run: bool = False,
    refuse: Refuser = lambda contract_id, severity: None,
) -> Taken:
    """Land the decisions that can be taken and publish them; with `dry_run` only say what would be taken.

    `refuse` is asked about each contract and severity. What is said twice counts once, and what is held already is left
    alone. Raises WarehouseError when there is no warehouse or another run is publishing.
    """
    root = Path(root)
    today = _today(root, given)
    meant = [normal(decision, _field(decision, today.get(decision.on))) for decision in given]
    held = _held(root, meant)
    new = [decision for decision in meant if decision.said not in held]
    refusals = tuple(_refusals(new, today, cache(refuse)))
    refused = {refusal.decision.said for refusal in refusals}
    good = list({decision.said: decision for decision in new if decision.said not in refused}.values())
    run_id = _land(root, good, today) if good and not dry_run else None
    return Taken(run_id, len(good), len(held.intersection(decision.said for decision in meant)), refusals)


_Rows = dict[tuple[str, str], dict[str, Any]]


def _today(root: Path, given: Iterable[Decision]) -> _Rows:
    return standing_now(root, [decision.on for decision in given])


def standing_now(root: Path, targets: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of what is decided on as they stand now, by target and id; what is not there any more is left out."""
    found: _Rows = {}
    wanted_ids = set(targets)
    for name, target in TARGETS.items():
        if ids := [id for kind, id in wanted_ids if kind == name]:
            columns = ("contract_id", "quote", target.field, *target.seen, *(("severity",) if name == "flag" else ()))
            wanted = f"{target.id} IN (SELECT unnest($ids))"
            sql = f"SELECT {target.id}, {', '.join(columns)} FROM {target.table} WHERE {wanted}"
            for id, *row in query(root, sql, {"ids": ids})[1]:
                found[name, id] = dict(zip(columns, row, strict=True))
    return found


def _held(root: Path, given: Iterable[Decision]) -> set[tuple[str | None, ...]]:
    """What was said before of the same targets."""
    sql = f"SELECT {', '.join(_SAID)} FROM reviews WHERE target_id IN (SELECT unnest($ids))"
    ids = [d.target_id for d in given]
    return set(query(root, sql, {"ids": ids})[1]) if ids else set()


def normal(decision: Decision, field: str | None) -> Decision:
    """The same decision with a value that fits its term, `field`, written as terms are."""
    spec = _spec(decision, field)
    fit = fitting(spec, decision.new_value) if spec and decision.new_value is not None else None
    return decision.model_copy(update={"new_value": fit}) if fit is not None else decision


def _field(decision: Decision, row: Mapping[str, Any] | None) -> str | None:
    return row[TARGETS[decision.target].field] if row else None


def _spec(decision: Decision, field: str | None) -> TermSpec | None:
    return TERM_BY_NAME.get(field) if field and decision.target == "term" else None


def _refusals(given: Sequence[Decision], today: _Rows, refuse: Refuser) -> Iterable[Refusal]:
    on: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    for decision in given:
        on[decision.on].append(decision)
    for decision in given:
        others = [other for other in on[decision.on] if other.said != decision.said]
        if others:
            there = ", ".join(f"{other.sheet} row {other.row}" for other in others)
            yield Refusal(decision, f"{there} says something else of it", "Leave one of them.")
        elif problem := _problem(decision, today.get(decision.on)):
            yield Refusal(decision, *problem)
        elif refused := refuse((row := today[decision.on])["contract_id"], row.get("severity")):
            yield Refusal(decision, *refused)


def _problem(decision: Decision, row: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """Why a decision can't be taken and what to do, None when it can."""
    if row is None:
        return "it is no longer there", "Export again; a newer reading may have replaced it."
    if decision.evidence_hash != evidence_of(decision.target, row):
        return "its quotation or value is not what was exported", "Export again and decide on what it says now."
    return problem_of(decision, _field(decision, row))


def problem_of(decision: Decision, field: str | None) -> tuple[str, str] | None:
    """What is wrong with what a decision on `field` (a term's name, a rule's id, a topic) says, and what to do; None
    when nothing is."""
    if decision.decision is None:
        return "it has no decision", f"Choose one of {', '.join(DECISIONS)}, or empty the row's other cells."
    if decision.decision not in DECISIONS:
        return f"there is no decision {decision.decision!r}", f"Choose one of {', '.join(DECISIONS)}."
    if decision.reason_code is not None and decision.reason_code not in REASON_CODES:
        return f"there is no reason code {decision.reason_code!r}", f"Choose one of {', '.join(REASON_CODES)}."
    if decision.reviewer is None:
        return "it has no reviewer", "Fill in the column reviewer, or give --reviewer NAME."
    return _value_problem(decision, _spec(decision, field))


def _value_problem(decision: Decision, spec: TermSpec | None) -> tuple[str, str] | None:
    if decision.decision == "overridden":
        if decision.new_value is None:
            return "it is overridden without a new value", "Fill in new_value, or reject it."
        if decision.reason_code is None:
            return "it is overridden without a reason code", f"Choose one of {', '.join(REASON_CODES)}."
    if decision.decision == "confirmed" and decision.new_value is not None:
        return "it is confirmed and has a new value", "Choose overridden, or empty new_value."
    if spec and decision.new_value is not None and fitting(spec, decision.new_value) is None:
        return f"{decision.new_value!r} is no value of {spec.name}", _FORMS[spec.type].format(", ".join(spec.choices))
    return None


_FORMS = {
    "choice": "Write one of {}.",
    "date": "Write a date as 2026-01-31.",
    "number": "Write a number as 1200.5, without signs and units.",
    "days": "Write a whole number of days.",
    "money": "Write an amount as 1200.50, without currency and at most with cents.",
    "flag": "Write true or false.",
    "text": "Write some text.",
    "parties": "Write a name.",
}
"""Type of a term -> how its value is written."""

_NUMBER = re.compile(r"[0-9]{1,16}(\.[0-9]{1,12})?")
_DAYS = re.compile(r"[0-9]{1,6}")


def fitting(spec: TermSpec, text: str) -> str | None:
    """The text as a value of this term, None when it isn't one. Words of the contract stay as they are."""
    bare = text.strip()
    match spec.type:
        case "choice":
            return bare.lower() if bare.lower() in spec.choices else None
        case "flag":
            return bare.lower() if bare.lower() in ("true", "false") else None
        case "date":
            return bare if _is_date(bare) else None
        case "days":
            return bare if _DAYS.fullmatch(bare) else None
        case "number":
            return bare if _NUMBER.fullmatch(bare) and number(bare) is not None else None
        case "money":
            return bare if _NUMBER.fullmatch(bare) and exact_money(bare) is not None else None
        case _:
            return text if bare else None


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _land(root: Path, decisions: Sequence[Decision], today: _Rows) -> str:
    now = utc(datetime.now(UTC))
    run_id = new_run_id(now)
    land_reviewed(root, run_id, {"reviews": [_review_row(d, today[d.on], now, run_id) for d in decisions]})
    return run_id


def land_reviewed(root: Path, run_id: str, rows: Rows) -> None:
    """Land what people did as a run of its own, and publish it."""
    land(root, {"run_id": run_id, "started_at": utc(datetime.now(UTC)), "trigger": "review"}, [rows])
    publish(root)


def _review_row(decision: Decision, row: Mapping[str, Any], now: datetime, run_id: str) -> dict[str, Any]:
    return dict(zip(_SAID, decision.said, strict=True)) | {
        "review_id": stable_id("v_", *decision.said),
        "contract_id": row["contract_id"],
        "old_value": row[TARGETS[decision.target].seen[0]],
        "decided_at": now,
        "run_id": run_id,
    }
