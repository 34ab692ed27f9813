"""How often people agree with what was proposed, as far as their decisions were landed; see `review.loop.agreement`."""

from pathlib import Path
from typing import NamedTuple

from review.loop.agreement import (
    Agreement,
    Anchoring,
    ToLookAt,
    TrueError,
    agreement,
    anchoring,
    to_look_at,
    true_error,
)
from review.loop.decided import decided

BY = ("field", "rule", "topic", "engine", "capture_class")
MOST_TO_LOOK_AT = 100


class Agreements(NamedTuple):
    """Agreement by each of `BY`; how much a proposal that is seen sways people; how wrong what nobody looks at is, by a
    random sample; and what of that sample waits."""

    by: dict[str, list[Agreement]]
    anchoring: Anchoring
    error: TrueError
    to_look_at: list[ToLookAt]


def agreements(root: Path) -> Agreements:
    """All of it, from the landed decisions."""
    decisions = decided(root)
    rows = agreement(decisions, BY)
    return Agreements(
        {by: [row for row in rows if row.by == by] for by in BY},
        anchoring(decisions),
        true_error(root, decisions),
        to_look_at(root, decisions)[:MOST_TO_LOOK_AT],
    )
