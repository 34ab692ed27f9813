"""The desk: what was published, with the live decisions over it.

One connection a publication. The queue is held in memory and loaded again in the background when a new catalogue is
published; contracts that were looked at are kept for the next look.
"""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Protocol

from review.shown import (
    EVERYTHING,
    Conflict,
    ContractPage,
    ContractView,
    Neighbours,
    QueueFilters,
    QueuePage,
    QueueSort,
    TargetFacts,
)
from schemas.review import Action, Event, Standing, TargetName


class Decisions(Protocol):
    """The store of decisions, as far as the desk reads it."""

    def last(self) -> int:
        """The number of the last event, 0 before the first."""

    def events(
        self, *, after: int = 0, actions: Collection[Action] | None = None, contract_id: str | None = None
    ) -> Iterable[Event]:
        """Events behind a number."""

    def standing(self, *, contract_id: str | None = None) -> Iterable[Standing]:
        """The decisions that stand, waiting and declined ones among them."""


class Desk:
    """Published rows with the live decisions over them; any number of threads may ask."""

    def __init__(self, root: Path, store: Decisions):
        raise NotImplementedError

    def publication(self) -> str:
        """What tells one published state from another."""
        raise NotImplementedError

    def queue(
        self, filters: QueueFilters = EVERYTHING, sort: QueueSort = "priority", page: int = 1, size: int = 50
    ) -> QueuePage:
        """A page of the queue, from 1."""
        raise NotImplementedError

    def around(self, flag_id: str, filters: QueueFilters = EVERYTHING, sort: QueueSort = "priority") -> Neighbours:
        """What stands before and after a flag in the queue."""
        raise NotImplementedError

    def contract(self, contract_id: str) -> ContractView:
        """A contract. Raises ReviewError `not_found` when there is none."""
        raise NotImplementedError

    def target(self, target: TargetName, id: str) -> TargetFacts:
        """What the rules ask of a target. Raises ReviewError `not_found` when there is none."""
        raise NotImplementedError

    def conflicts(self) -> list[Conflict]:
        """Decisions that what was read later contradicts, the newest first."""
        raise NotImplementedError

    def contracts(self, q: str = "", page: int = 1, size: int = 50) -> ContractPage:
        """A page of the list of contracts; `q` is looked for in titles, parties, file names and ids."""
        raise NotImplementedError

    def close(self) -> None:
        """Give the connection back."""
        raise NotImplementedError
