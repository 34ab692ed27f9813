"""Proposals for a company's own playbook: what people reject again and again for the same reason, as a diff.

Three kinds, the mildest that explains the decisions first: an exception for a counterparty, a limit moved to where
people draw it, a rule disabled. A proposal changes nothing; a second person approves it after its backtest.
"""

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import yaml

from review.loop.decided import Decided
from schemas.learned import LearnedError
from schemas.playbook import All, AnyOf, Not, Playbook, Rule, TermTest
from warehouse.rows import stable_id

LEAST = 5
"""Decisions with the same reason against a rule that make a proposal."""
LEAST_TO_DISABLE = 12
ABOUT_THE_RULE = ("out_of_scope_rule", "playbook_exception_approved", "wrong_interpretation", "wrong_clause", "other")
"""Reason codes that tell of the rule; the others tell of the reading."""

Values = Mapping[tuple[str, str], float]
"""Contract and term -> number."""


class Proposal(NamedTuple):
    """An entry for a section of the file, why, and how many decisions speak for and against it."""

    proposal_id: str
    rule_id: str
    kind: str
    section: str
    entry: dict
    why: str
    decisions: int
    against: int


def proposals(decisions: Sequence[Decided], playbook: Playbook, values: Values) -> list[Proposal]:
    """What the decisions on flags propose, by rule. Rules that are not in force propose nothing."""
    by_rule: dict[str, list[Decided]] = defaultdict(list)
    for one in decisions:
        if one.target == "flag" and one.field in playbook.library and not playbook.library[one.field].in_code:
            by_rule[one.field].append(one)
    return [proposal for rule_id, of in sorted(by_rule.items()) for proposal in _of_rule(rule_id, of, playbook, values)]


def _of_rule(rule_id: str, of: Sequence[Decided], playbook: Playbook, values: Values) -> Iterator[Proposal]:
    standing = [one for one in of if one.applies]
    reasons: dict[str, list[Decided]] = defaultdict(list)
    for one in of:
        if not one.applies and one.reason_code in ABOUT_THE_RULE:
            reasons[one.reason_code].append(one)
    for reason, against in sorted(reasons.items()):
        exempt = list(_exceptions(rule_id, reason, against, standing))
        taken = {proposal.entry["counterparty"] for proposal in exempt}
        yield from exempt
        left = [one for one in against if one.counterparty not in taken]
        if len(left) < LEAST:
            continue
        if moved := _moved(playbook.library[rule_id], reason, left, standing, values):
            yield moved
        elif not standing and len(left) >= LEAST_TO_DISABLE:
            yield _proposal(
                rule_id, "rule disabled", "overrides", {"rule": rule_id, "disabled": True}, reason, left, standing
            )


def _exceptions(
    rule_id: str, reason: str, against: Sequence[Decided], standing: Sequence[Decided]
) -> Iterator[Proposal]:
    """Counterparties all of whose flags of the rule were rejected, while others' stand or nobody decided on theirs."""
    by_name: dict[str, list[Decided]] = defaultdict(list)
    for one in against:
        if one.counterparty:
            by_name[one.counterparty].append(one)
    accepted = {one.counterparty for one in standing}
    for name, these in sorted(by_name.items()):
        if len(these) >= LEAST and name not in accepted and (standing or len(by_name) == 1):
            entry = {"rule": rule_id, "counterparty": name}
            yield _proposal(rule_id, "exception", "exceptions", entry, reason, these, standing)


def _moved(
    rule: Rule, reason: str, against: Sequence[Decided], standing: Sequence[Decided], values: Values
) -> Proposal | None:
    """The limit at which people draw the line, where one limit of the rule lies between theirs and the rule's."""
    for test in _tests(rule):
        rejected = [values[one.contract_id, test.term] for one in against if (one.contract_id, test.term) in values]
        kept = [values[one.contract_id, test.term] for one in standing if (one.contract_id, test.term) in values]
        if len(rejected) < LEAST or len(rejected) < len(against):
            continue
        if test.greater_than is not None and test.greater_than < min(rejected):
            was, now, drawn = test.greater_than, max(rejected), not kept or min(kept) > max(rejected)
        elif test.less_than is not None and test.less_than > max(rejected):
            was, now, drawn = test.less_than, min(rejected), not kept or max(kept) < min(rejected)
        else:
            continue
        if drawn:
            entry = {"rule": rule.id, "limits": [{"was": _bare(was), "now": _bare(now)}]}
            return _proposal(rule.id, "limit moved", "overrides", entry, reason, against, standing)
    return None


def _bare(number: float) -> float | int:
    return int(number) if number == int(number) else number


def _tests(rule: Rule) -> Iterator[TermTest]:
    """The tests of a number against a limit, of all cases of the rule, the widest limit last."""
    todo = [case.if_ for case in rule.when]
    found = []
    while todo:
        test = todo.pop()
        if isinstance(test, TermTest) and test.bounds and not test.days_before and not test.share_of:
            found.append(test)
        elif isinstance(test, All | AnyOf):
            todo += test.all if isinstance(test, All) else test.any
        elif isinstance(test, Not):
            todo.append(test.not_)
    yield from sorted(found, key=lambda test: -max(abs(bound) for _, bound in test.bounds))


def _proposal(
    rule_id: str,
    kind: str,
    section: str,
    entry: dict,
    reason: str,
    against: Sequence[Decided],
    standing: Sequence[Decided],
) -> Proposal:
    people = len({one.reviewer for one in against})
    contracts = len({one.contract_id for one in against})
    why = f"{len(against)} decisions on {contracts} contracts by {people} reviewers: {reason}"
    return Proposal(stable_id("p_", rule_id, entry), rule_id, kind, section, entry, why, len(against), len(standing))


# --- the file


def with_proposal(text: str, proposal: Proposal, approver: str) -> str:
    """The company's file with the proposal's entry as the first of its section; all else stays as it was written.

    Raises LearnedError where the section is written on one line, or already overrides the rule.
    """
    data = yaml.safe_load(text) or {}
    held = data.get(proposal.section) or []
    if proposal.section == "overrides" and any(one.get("rule") == proposal.rule_id for one in held):
        raise LearnedError(
            f"The playbook overrides {proposal.rule_id} already.", help=f"Write it there: {_line(proposal, approver)}"
        )
    lines = text.splitlines()
    entry = f"  - {_line(proposal, approver)}  # {proposal.why}"
    at = next((n for n, line in enumerate(lines) if re.match(rf"{proposal.section}\s*:", line)), None)
    if at is None:
        return "\n".join([*lines, f"{proposal.section}:", entry]) + "\n"
    if not re.fullmatch(rf"{proposal.section}\s*:\s*(#.*)?", lines[at]):
        raise LearnedError(
            f"`{proposal.section}:` is written on one line, so nothing can be added to it.",
            help="Write each entry on a line of its own, as docs/playbooks.md shows.",
        )
    indent = next((re.match(r"\s*", line)[0] for line in lines[at + 1 :] if re.match(r"\s*-", line)), "  ")
    return "\n".join([*lines[: at + 1], indent + entry.lstrip(), *lines[at + 1 :]]) + "\n"


def _line(proposal: Proposal, approver: str) -> str:
    entry = proposal.entry
    if proposal.section == "exceptions":
        entry = entry | {"approved_by": approver, "reason": proposal.why}
    return yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True).strip()


def diff(before: str, after: str, name: str) -> str:
    """What would change in the file, as a unified diff."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), f"a/{name}", f"b/{name}", lineterm="")
    return "\n".join(lines)


def named(found: Iterable[Proposal], proposal_id: str) -> Proposal:
    """The proposal of that id. Raises LearnedError when the decisions no longer propose it."""
    proposal = next((one for one in found if one.proposal_id == proposal_id), None)
    if proposal is None:
        raise LearnedError(
            f"The decisions propose nothing by the name of {proposal_id}.", help="See `contract-agent learn proposals`."
        )
    return proposal
