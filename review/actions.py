"""What people may do to the night's work, and the rules of it: who, when, and who else has to agree.

Every use case looks at what stands, appends events, and gives back what stands then. The looking is done again in the
transaction that appends, so two people who act at the same moment can't both pass a rule that only one may.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from review.facts import ContractDates, Facts, PublishedFacts, TargetFacts
from review.projection import LockedPeriod, Request, SignOff
from review.store import Reads, Store, View
from schemas.review import SETTLED, Action, NewEvent, Person, ReviewError, Role, Standing, TargetName
from warehouse.decisions import Decision, normal, problem_of

BULK_MOST = 500
"""Most flags confirmed at once."""


class Rules(Protocol):
    """The settings that the rules look at."""

    review_materiality: float


class Reviewing:
    """The use cases. Each raises ReviewError, with what to do in `help`; the codes stand in docs/errors.md."""

    def __init__(self, store: Store, desk: Facts, settings: Rules):
        self._store, self._desk, self._settings = store, desk, settings

    def decide(
        self,
        person: Person,
        decision: Decision,
        *,
        seconds: float | None = None,
        keystrokes: int | None = None,
        blind: bool = False,
    ) -> Standing:
        """Keep a decision on what the person saw. Its reviewer is the person, whatever it says.

        `seconds` and `keystrokes` are what it took; `blind` that the proposal was not shown. What is material or
        critical waits for a second person.
        """
        facts = self._taken(person, decision.target, decision.target_id, decision.evidence_hash)
        decision = normal(decision.model_copy(update={"reviewer": person.name}), facts.field)
        if problem := problem_of(decision, facts.field):
            raise ReviewError(f"The decision can't be taken: {problem[0]}.", help=problem[1], code="decision")
        event = _decided(person, decision, facts, is_waiting=self._needs_two(facts), is_blind=blind)
        event.body.update(seconds=seconds, keystrokes=keystrokes)

        def check(view: View) -> None:
            _refuse_closed(view, facts.contract_id, facts.dates)

        (kept,) = self._store.append(event, check=check)
        return self._kept(kept.number)

    def undo(self, person: Person, number: int) -> list[Standing]:
        """Take back a decision, a bulk confirmation or a rule's override, by who made it or an approver; what stands
        then on its targets."""
        _needs(person, "reviewer")

        def check(view: View) -> None:
            asked = self._subject(view, number)
            if not _same(person.name, asked.by) and not person.may("approver"):
                raise ReviewError(
                    f"Event {number} is {asked.by}'s.",
                    help="They, or an approver, may undo it.",
                    code="not_yours",
                )
            for contract_id, days in dates.items():
                _refuse_closed(view, contract_id, days)

        asked = self._subject(self._store, number)
        dates = self._dates_of(asked)
        self._store.append(*asked.events(person, "undone"), check=check)
        return self._store.standing(targets=[(d.target, d.target_id) for d in asked.decisions])

    def approve(self, person: Person, number: int) -> list[Standing]:
        """Say yes, as the second person, to what waits: a decision, a bulk confirmation or a rule's override."""
        return self._answer(person, number, "approved", None)

    def decline(self, person: Person, number: int, why: str) -> list[Standing]:
        """Say no to what waits, and why."""
        return self._answer(person, number, "declined", _said(why, "why it is declined"))

    def confirm_all(
        self,
        person: Person,
        target_ids: Sequence[str],
        *,
        owner: str,
        effective_from: date,
        seen: Mapping[str, str] | None = None,
    ) -> list[Standing]:
        """Ask for flags of low severity in contracts that are not material to be confirmed together; they count from
        a day on, when a second person has approved. All or none.

        `seen` has the evidence hash of each flag as the person saw it; without it what stands now is confirmed.
        """
        _needs(person, "reviewer")
        ids = list(dict.fromkeys(target_ids))
        if not 0 < len(ids) <= BULK_MOST:
            raise ReviewError(
                f"{len(ids)} flags can't be confirmed together.", help=f"Choose 1 to {BULK_MOST}.", code="bulk"
            )
        batch = f"b_{secrets.token_hex(8)}"
        _refuse_past(effective_from)
        more = {"owner": _said(owner, "who owns it"), "effective_from": effective_from.isoformat(), "batch": batch}
        all_facts = {id: self._small(person, id, seen) for id in ids}
        events = [NewEvent(actor=person.name, action="bulk_confirmed", body=more | {"count": len(ids), "targets": ids})]
        for id, facts in all_facts.items():
            given = {"evidence_hash": facts.evidence_hash, "reviewer": person.name}
            confirmed = Decision(target="flag", target_id=id, decision="confirmed", **given)
            event = _decided(person, confirmed, facts, is_waiting=True)
            event.body.update(batch=batch, effective_from=effective_from.isoformat())
            events.append(event)

        def check(view: View) -> None:
            for facts in all_facts.values():
                _refuse_closed(view, facts.contract_id, facts.dates)

        self._store.append(*events, check=check)
        return self._store.standing(targets=[("flag", id) for id in ids])

    def _small(self, person: Person, flag_id: str, seen: Mapping[str, str] | None) -> TargetFacts:
        """A flag that may be confirmed together with others."""
        if seen is None:
            facts = self._facts(person, "flag", flag_id)
        else:
            facts = self._taken(person, "flag", flag_id, seen.get(flag_id))
        if facts.severity != "low" or self._is_material(facts):
            raise ReviewError(
                f"The flag {flag_id} ({facts.field}) is of {facts.severity} severity"
                f"{' and its contract is material' if self._is_material(facts) else ''}.",
                help="Only low flags of contracts below `review_materiality` are confirmed together.",
                code="bulk",
            )
        return facts

    def override_rule(
        self,
        person: Person,
        rule_id: str,
        scope: str,
        *,
        why: str,
        owner: str,
        effective_from: date,
        effective_to: date | None = None,
    ) -> Request:
        """Ask for a rule not to be asked in a scope (a counterparty's name, a contract type, or `all`) from a day on;
        it counts when a second person has approved."""
        _needs(person, "reviewer")
        _refuse_past(effective_from)
        if effective_to is not None and effective_to < effective_from:
            raise ReviewError(
                f"The override would end on {effective_to}, before it begins.",
                help="Give a later last day, or none.",
                code="dates",
            )
        body = {
            "rule_id": _said(rule_id, "which rule"),
            "scope": _said(scope, "in which scope: a counterparty, a contract type, or all"),
            "reason": _said(why, "why"),
            "owner": _said(owner, "who owns it"),
            "effective_from": effective_from.isoformat(),
            "effective_to": effective_to and effective_to.isoformat(),
        }
        (kept,) = self._store.append(NewEvent(actor=person.name, action="rule_overridden", body=body))
        return self._store.requests(number=kept.number)[0]

    def prepare(self, person: Person, contract_id: str) -> SignOff:
        """Say that a contract is ready to be signed off by another person."""
        _needs(person, "reviewer")
        dates, critical = self._known_dates(contract_id), self._desk.critical_flags(contract_id)

        def check(view: View) -> None:
            _refuse_closed(view, contract_id, dates)
            _refuse_unfinished(view, contract_id, critical)

        self._store.append(NewEvent(actor=person.name, action="prepared", contract_id=contract_id), check=check)
        return self._store.sign_offs(contract_id)[0]

    def sign_off(self, person: Person, contract_id: str) -> SignOff:
        """Sign off a contract that another person prepared. Nothing may have been decided since, no critical flag be
        open, and nothing wait."""
        _needs(person, "approver")
        dates, critical = self._known_dates(contract_id), self._desk.critical_flags(contract_id)
        prepared = _prepared(self._store, contract_id)

        def check(view: View) -> None:
            _refuse_closed(view, contract_id, dates)
            if _prepared(view, contract_id).number != prepared.number:
                raise _not_prepared(contract_id)
            if _same(person.name, prepared.preparer):
                raise _second_person(f"{prepared.preparer} prepared {contract_id}", "sign it off")
            since = view.events(after=prepared.number, contract_id=contract_id, actions=_DECIDING, limit=1)
            if since:
                raise ReviewError(
                    f"{since[0].actor} decided on {contract_id} after {prepared.preparer} had prepared it.",
                    help="Have it prepared again, so that preparer and approver speak of the same.",
                    code="not_prepared",
                )
            _refuse_unfinished(view, contract_id, critical)

        refers_to = (prepared.number,)
        event = NewEvent(actor=person.name, action="signed_off", contract_id=contract_id, refers_to=refers_to)
        self._store.append(event, check=check)
        return self._store.sign_offs(contract_id)[0]

    def withdraw_sign_off(self, person: Person, contract_id: str, why: str) -> None:
        """Take a sign-off back: by an approver, who says why. Then the contract can be decided on again."""
        _needs(person, "approver")
        body = {"why": _said(why, "why the sign-off is withdrawn")}
        dates = self._known_dates(contract_id)
        signed = next((s for s in self._store.sign_offs(contract_id) if s.approver), None)
        if signed is None:
            raise _not_signed_off(contract_id)

        def check(view: View) -> None:
            _refuse_locked(view, contract_id, dates)
            if signed.number not in {s.number for s in view.sign_offs(contract_id) if s.approver}:
                raise _not_signed_off(contract_id)

        event = NewEvent(
            actor=person.name,
            action="sign_off_withdrawn",
            contract_id=contract_id,
            refers_to=(signed.number,),
            body=body,
        )
        self._store.append(event, check=check)

    def lock(self, person: Person, first: date, last: date) -> LockedPeriod:
        """Lock a period, both days included: nothing is decided on contracts that run in it."""
        _needs(person, "approver")
        if last < first:
            raise ReviewError(f"{last} is before {first}.", help="Give the first day, then the last.", code="dates")

        def check(view: View) -> None:
            if any((p.first, p.last) == (first, last) for p in view.periods()):
                raise ReviewError(f"{first} to {last} is locked already.", help="Nothing to do.", code="period_locked")

        body = {"first": first.isoformat(), "last": last.isoformat()}
        (kept,) = self._store.append(NewEvent(actor=person.name, action="period_locked", body=body), check=check)
        return next(p for p in self._store.periods(all=True) if p.number == kept.number)

    def reopen(self, person: Person, first: date, last: date, why: str) -> LockedPeriod:
        """Open a locked period again: by an approver, who says why. The log keeps it."""
        _needs(person, "approver")
        body = {"first": first.isoformat(), "last": last.isoformat(), "why": _said(why, "why it is reopened")}

        def locked(view: Reads) -> LockedPeriod:
            for period in view.periods():
                if (period.first, period.last) == (first, last):
                    return period
            raise ReviewError(
                f"{first} to {last} is not locked.", help="Give a locked period's own days.", code="period_locked"
            )

        number = locked(self._store).number

        def check(view: View) -> None:
            if locked(view).number != number:
                raise ReviewError(f"{first} to {last} was locked anew.", help="Look again.", code="period_locked")

        self._store.append(
            NewEvent(actor=person.name, action="period_reopened", refers_to=(number,), body=body), check=check
        )
        return next(p for p in self._store.periods(all=True) if p.number == number)

    def open_critical(self, contract_id: str) -> list[str]:
        """The critical flags of a contract on which nothing settled stands."""
        return _open(self._store, self._desk.critical_flags(contract_id))

    def _facts(self, person: Person, target: TargetName, target_id: str) -> TargetFacts:
        """The target's facts, if the person may decide on it."""
        _needs(person, "reviewer")
        facts = self._desk.target(target, target_id)
        if facts is None:
            raise ReviewError(
                f"There is no {target} {target_id} any more.",
                help="Load the page again; a newer reading may have replaced it.",
                code="stale",
            )
        return facts

    def _taken(self, person: Person, target: TargetName, target_id: str, evidence_hash: str | None) -> TargetFacts:
        """The target's facts, if what the person saw still stands there."""
        facts = self._facts(person, target, target_id)
        if evidence_hash != facts.evidence_hash:
            raise ReviewError(
                f"The {target} {target_id} does not show any more what was decided on.",
                help="Load the page again and decide on what it says now.",
                code="stale",
            )
        return facts

    def _is_material(self, facts: TargetFacts) -> bool:
        return is_material(facts.total_value, self._settings.review_materiality)

    def _needs_two(self, facts: TargetFacts) -> bool:
        return needs_two(facts.severity, facts.total_value, self._settings.review_materiality)

    def _kept(self, number: int) -> Standing:
        standing = self._store.decision(number)
        if standing is None:  # undone by somebody between keeping and looking
            raise ReviewError(f"Event {number} was undone at once.", help="Load the page again.", code="stale")
        return standing

    def _dates_of(self, asked: "_Subject") -> dict[str, ContractDates]:
        """When the contracts run; one that is not there any more may have run in any period."""
        ids = {decision.contract_id for decision in asked.decisions}
        return {id: self._desk.dates(id) or ContractDates() for id in sorted(ids)}

    def _known_dates(self, contract_id: str) -> ContractDates:
        dates = self._desk.dates(contract_id)
        if dates is None:
            raise ReviewError(
                f"There is no contract {contract_id}.",
                help="`contract-agent sql 'SELECT contract_id, title FROM contracts'` lists them.",
                code="no_target",
            )
        return dates

    def _subject(self, view: Reads, number: int) -> "_Subject":
        """What an event asked for that is not undone. Raises ReviewError when it asked for nothing."""
        if request := next(iter(view.requests(number=number)), None):
            if request.state != "undone":
                return _Subject(request.asked_by, request.state, number, tuple(view.batch(request.batch)))
        elif decision := view.decision(number):
            return _Subject(decision.reviewer, decision.state, None, (decision,))
        raise ReviewError(
            f"Event {number} is no decision or request that stands.",
            help="Load the page again; it may have been undone.",
            code="no_target",
        )

    def _answer(self, person: Person, number: int, action: Action, why: str | None) -> list[Standing]:
        _needs(person, "approver")

        def check(view: View) -> None:
            asked = self._subject(view, number)
            if _same(person.name, asked.by):
                raise _second_person(f"{asked.by} decided it", "approve or decline it")
            if asked.state != "waiting":
                raise ReviewError(
                    f"Event {number} is {asked.state} and does not wait.",
                    help="Load the page again.",
                    code="not_waiting",
                )
            for contract_id, days in dates.items():
                _refuse_closed(view, contract_id, days)

        asked = self._subject(self._store, number)
        dates = self._dates_of(asked)
        if action == "approved":
            for decision in asked.decisions:
                self._taken(person, decision.target, decision.target_id, decision.evidence_hash)
        self._store.append(*asked.events(person, action, why), check=check)
        return self._store.standing(targets=[(d.target, d.target_id) for d in asked.decisions])


def is_material(total_value: float | Decimal | None, materiality: float) -> bool:
    """Whether a contract is worth so much that two people decide on it."""
    return total_value is not None and total_value >= materiality


def needs_two(severity: str | None, total_value: float | None, materiality: float) -> bool:
    """Whether a decision counts only when a second person approves it."""
    return severity == "critical" or is_material(total_value, materiality)


def why_not_alone(
    store: Store, facts: PublishedFacts, materiality: float, contract_id: str, severity: str | None
) -> tuple[str, str] | None:
    """Why one person may not decide on something of a contract now, with what to do: it is signed off, of a locked
    period, or needs a second person. None where they may."""
    dates, total_value = facts.dates_and_value(contract_id) or (ContractDates(), None)
    try:
        _refuse_closed(store, contract_id, dates)
    except ReviewError as closed:
        return closed.message.rstrip("."), closed.help
    if needs_two(severity, total_value, materiality):
        return "it takes two people", "Decide on it on the review page, where a second person approves it."
    return None


class _Subject(NamedTuple):
    """What is undone, approved or declined: who asked for it, where it stands, and the decisions it is about; with the
    request's number where it is one."""

    by: str
    state: str
    request: int | None
    decisions: tuple[Standing, ...]

    def events(self, person: Person, action: Action, why: str | None = None) -> list[NewEvent]:
        """One event a contract, so that each contract's events tell all that happened to it."""
        body = None if why is None else {"why": why}
        events = []
        for contract_id in dict.fromkeys(decision.contract_id for decision in self.decisions):
            numbers = tuple(d.number for d in self.decisions if d.contract_id == contract_id)
            event = {"actor": person.name, "action": action, "contract_id": contract_id, "body": body}
            events.append(NewEvent(**event, refers_to=numbers))
        if self.request is not None:
            events.insert(0, NewEvent(actor=person.name, action=action, refers_to=(self.request,), body=body))
        return events


_DECIDING: tuple[Action, ...] = ("decided", "undone", "approved", "declined")
"""Events after which a contract is not any more what was prepared."""


def _decided(person: Person, decision: Decision, facts: TargetFacts, *, is_waiting: bool, **more: object) -> NewEvent:
    said = ("decision", "new_value", "reason_code", "comment", "evidence_hash")
    body = {name: getattr(decision, name) for name in said} | {"old_value": facts.value, "is_waiting": is_waiting}
    return NewEvent(
        actor=person.name,
        action="decided",
        contract_id=facts.contract_id,
        target=decision.target,
        target_id=decision.target_id,
        body=body | more,
    )


def _needs(person: Person, role: Role) -> None:
    if not person.may(role):
        raise ReviewError(
            f"{person.name} is {person.role}; this takes the role {role}.",
            help=f"An admin gives it: `contract-agent account role {person.name} {role}`.",
            code="role",
        )


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _said(text: str, what: str) -> str:
    if not text.strip():
        raise ReviewError(f"It is not said {what}.", help="Fill it in.", code="not_said")
    return text.strip()


def _refuse_past(day: date) -> None:
    if day < datetime.now(UTC).date():
        raise ReviewError(f"{day} is past.", help="Let it take effect today (UTC) or later.", code="dates")


def _refuse_closed(view: Reads, contract_id: str, dates: ContractDates) -> None:
    _refuse_locked(view, contract_id, dates)
    if any(sign_off.approver for sign_off in view.sign_offs(contract_id)):
        raise ReviewError(
            f"{contract_id} is signed off.",
            help="An approver withdraws the sign-off first, and says why.",
            code="signed_off",
        )


def _refuse_locked(view: Reads, contract_id: str, dates: ContractDates) -> None:
    for period in view.periods():
        if dates.touches(period.first, period.last):
            raise ReviewError(
                f"{contract_id} runs in the locked period {period.first} to {period.last}.",
                help="An approver reopens it, and says why.",
                code="period_locked",
            )


def _refuse_unfinished(view: View, contract_id: str, critical: Sequence[str]) -> None:
    if waiting := view.standing(contract_id=contract_id, state="waiting"):
        raise ReviewError(
            f"{len(waiting)} decisions on {contract_id} wait for a second person, or for the day they count from.",
            help="Have them approved or declined first.",
            code="unfinished",
        )
    if conflicts := [conflict for conflict in view.conflicts() if conflict.contract_id == contract_id]:
        raise ReviewError(
            f"{len(conflicts)} decisions on {contract_id} were made on something else than stands there now.",
            help="Decide on what stands there now.",
            code="unfinished",
        )
    if still_open := _open(view, critical):
        raise ReviewError(
            f"{len(still_open)} critical flags of {contract_id} are open: {', '.join(still_open[:3])}.",
            help="Decide on them first.",
            code="unfinished",
        )


def _open(view: Reads, flags: Sequence[str]) -> list[str]:
    """Those on which nothing settled stands."""
    standing = view.standing(targets=[("flag", id) for id in flags])
    settled = {s.target_id for s in standing if s.state == "effective" and s.decision in SETTLED}
    return [id for id in flags if id not in settled]


def _prepared(view: Reads, contract_id: str) -> SignOff:
    found = view.sign_offs(contract_id)
    if not found:
        raise _not_prepared(contract_id)
    return found[0]


def _not_prepared(contract_id: str) -> ReviewError:
    return ReviewError(
        f"Nobody has prepared {contract_id} for its sign-off, or somebody did so anew.",
        help="One person prepares it, another signs it off.",
        code="not_prepared",
    )


def _not_signed_off(contract_id: str) -> ReviewError:
    return ReviewError(f"{contract_id} is not signed off.", help="There is nothing to withdraw.", code="no_target")


def _second_person(what: str, then: str) -> ReviewError:
    return ReviewError(f"{what}, so another person has to {then}.", help="Ask a colleague.", code="second_person")
