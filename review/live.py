"""What was decided on the page up to this moment, held in memory and brought up to date from the events behind it."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from threading import Lock
from typing import NamedTuple, Protocol

from review.projection import Change, Request
from schemas.review import Action, Event, Standing, TargetName
from warehouse.rows import utc

On = tuple[TargetName, str]
"""A target's kind and its id."""

_MOVING: tuple[Action, ...] = (
    *("decided", "undone", "approved", "declined", "conflict_met"),
    *("bulk_confirmed", "rule_overridden", "forgotten"),
)
"""After these something else may stand. Landing changes nothing of it."""


class Decisions(Protocol):
    """The store, as far as the desk reads it."""

    def last(self) -> int:
        """The number of the last event, 0 before the first."""

    def events(self, *, after: int = 0, actions: Iterable[Action] | None = None) -> list[Event]:
        """Events with greater numbers."""

    def event(self, number: int) -> Event | None:
        """The event of that number."""

    def standing(self, *, targets: Iterable[On] | None = None) -> list[Standing]:
        """The decisions that stand, one of each target."""

    def requests(self, *, state: str | None = None) -> list[Request]:
        """Bulk confirmations and overrides of rules."""

    def undecided_changes(self) -> list[Change]:
        """What is not landed yet; of it those taken back count here."""


class Reopened(NamedTuple):
    """A target whose landed decision, made at `decided_at`, was taken back."""

    contract_id: str
    decided_at: datetime


class Live:
    """Decisions by target. `changed` lists the targets in the order in which something became of them, so that whoever
    has looked at the first n of them need only look at the rest."""

    def __init__(self, store: Decisions):
        self.standing: dict[On, Standing] = {}
        self.reopened: dict[On, Reopened] = {}
        self.rules: tuple[tuple[str, str], ...] = ()
        """Rules that are not asked today: the rule's id, and the scope."""
        self.changed: list[On] = []
        self._store = store
        self._seen = -1
        self._day = date.min
        self._lock = Lock()

    def since(self, on: On) -> datetime | None:
        """From when on counts what stands of a target, or that nothing does; None where nothing was ever decided on the
        page. When a landed decision was taken back, a former one stands again."""
        times = [utc(self.standing[on].decided_at)] if on in self.standing else []
        times += [self.reopened[on].decided_at] if on in self.reopened else []
        return max(times, default=None)

    def refresh(self) -> None:
        """Bring it up to date. Where nothing happened it costs one look at the store."""
        last, today = self._store.last(), datetime.now(UTC).date()
        if last == self._seen and today == self._day:
            return
        with self._lock:
            if self._seen < 0 or today != self._day:  # what is approved for a day counts from it on
                self._take(self._store.standing(), None)
                self._look_at_requests(today)
            elif last > self._seen:
                self._follow(self._store.events(after=self._seen, actions=_MOVING), today)
            self._seen, self._day = max(last, self._seen), today

    def _follow(self, events: list[Event], today: date) -> None:
        targets = {on for event in events for on in self._targets(event)}
        if targets:
            self._take(self._store.standing(targets=targets), targets)
        forgotten = {event.contract_id for event in events if event.action == "forgotten"}
        self._drop(on for on, standing in list(self.standing.items()) if standing.contract_id in forgotten)
        if any(event.action != "decided" for event in events):
            self._look_at_requests(today)

    def _targets(self, event: Event) -> Iterable[On]:
        """The targets of an event and of those that it refers to."""
        if event.target and event.target_id:
            yield event.target, event.target_id
        for number in event.refers_to:
            other = self._store.event(number)
            if other and other.target and other.target_id:
                yield other.target, other.target_id

    def _take(self, standing: Iterable[Standing], targets: Collection[On] | None) -> None:
        """What stands now of these targets, or of all."""
        now = {(one.target, one.target_id): one for one in standing}
        before = self.standing.keys() if targets is None else targets
        self._drop(on for on in list(before) if on not in now)
        moved = [on for on, one in now.items() if self.standing.get(on) != one]
        self.standing.update(now)
        self.changed += moved

    def _drop(self, targets: Iterable[On]) -> None:
        for on in targets:
            if self.standing.pop(on, None) is not None:
                self.changed.append(on)

    def _look_at_requests(self, today: date) -> None:
        requests = self._store.requests(state="effective")
        self.rules = tuple(
            (one.rule_id, one.scope) for one in requests if one.rule_id and one.scope and one.counts(today)
        )
        for change in self._store.undecided_changes():
            if change.is_withdrawn:
                one = change.standing
                on: On = (one.target, one.target_id)
                self.reopened[on] = Reopened(one.contract_id, utc(one.decided_at))
                self.changed.append(on)
