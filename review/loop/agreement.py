"""How often people agree, by what; whether being shown a proposal sways them; how wrong what nobody looks at is."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from pathlib import Path
from statistics import median
from typing import NamedTuple

from review.loop.decided import Decided
from review.loop.sampling import AUDIT_SHARE, interval, is_audited
from warehouse.read import query


class Agreement(NamedTuple):
    """Of so many decisions so many agreed; the share with its 95 % interval, and the median of their seconds."""

    by: str
    value: str
    decisions: int
    agreed: int
    share: float
    low: float
    high: float
    seconds: float | None


BY: dict[str, Callable[[Decided], str | None]] = {
    "field": lambda one: one.field if one.target == "term" else None,
    "engine": lambda one: f"{one.extractor} {one.model}" if one.extractor else None,
    "capture_class": lambda one: one.capture_class,
    "rule": lambda one: one.field if one.target == "flag" else None,
    "topic": lambda one: one.field if one.target == "asc606" else None,
    "reason": lambda one: one.reason_code,
    "shown": lambda one: "blind" if one.is_blind else "shown",
}
"""What agreement is told by; a decision without the thing counts under none."""


def agreement(decisions: Sequence[Decided], by: Iterable[str] = BY) -> list[Agreement]:
    """The agreement by each of these, the lowest first."""
    found = []
    for name in by:
        groups: dict[str, list[Decided]] = defaultdict(list)
        for one in decisions:
            if (value := BY[name](one)) is not None:
                groups[value].append(one)
        rows = [_row(name, value, group) for value, group in groups.items()]
        found += sorted(rows, key=lambda row: (row.share, -row.decisions, row.value))
    return found


def _row(by: str, value: str, group: Sequence[Decided]) -> Agreement:
    agreed = sum(one.agrees for one in group)
    low, high = interval(agreed, len(group))
    seconds = [one.seconds for one in group if one.seconds is not None]
    share = agreed / len(group)
    told = median(seconds) if seconds else None
    return Agreement(by, value, len(group), agreed, round(share, 4), round(low, 4), round(high, 4), told)


class Anchoring(NamedTuple):
    """Agreement where the proposal was shown less that where it was not, with its 95 % interval; None without both."""

    shown: int
    blind: int
    difference: float | None
    low: float | None
    high: float | None


def anchoring(decisions: Sequence[Decided]) -> Anchoring:
    """How much more people agree with a proposal that they see (interval: Newcombe 1998, from Wilson's)."""
    parts = {blind: [one for one in decisions if one.is_blind == blind] for blind in (False, True)}
    shown, blind = parts[False], parts[True]
    if not shown or not blind:
        return Anchoring(len(shown), len(blind), None, None, None)
    (p, l1, u1), (q, l2, u2) = map(_share, (shown, blind))
    low = (p - q) - sqrt((p - l1) ** 2 + (u2 - q) ** 2)
    high = (p - q) + sqrt((u1 - p) ** 2 + (q - l2) ** 2)
    return Anchoring(len(shown), len(blind), round(p - q, 4), round(low, 4), round(high, 4))


def _share(group: Sequence[Decided]) -> tuple[float, float, float]:
    agreed = sum(one.agrees for one in group)
    return agreed / len(group), *interval(agreed, len(group))


class TrueError(NamedTuple):
    """Of the values that go through in their order, drawn at random and looked at: so many wrong, with the 95 %
    interval of the share. `drawn` were to be looked at."""

    drawn: int
    looked_at: int
    wrong: int
    share: float | None
    low: float
    high: float


_ACCEPTED = """SELECT t.term_id, t.contract_id, t.term, t.value, t.page_number, d.file_name, t.quote
    FROM terms t LEFT JOIN documents d USING (document_id)
    WHERE t.route = 'accept' AND t.value IS NOT NULL ORDER BY t.term_id"""


def true_error(root: Path, decisions: Sequence[Decided], share: float = AUDIT_SHARE) -> TrueError:
    """The error of accepted values by the random sample; the first that were drawn and not looked at make it unsure."""
    looked = [
        one
        for one in decisions
        if one.target == "term" and one.route == "accept" and one.value and is_audited(one.target_id, share)
    ]
    drawn = {row[0] for row in query(root, _ACCEPTED)[1] if is_audited(row[0], share)} | {o.target_id for o in looked}
    wrong = sum(not one.agrees for one in looked)
    low, high = interval(wrong, len(looked))
    told = round(wrong / len(looked), 4) if looked else None
    return TrueError(len(drawn), len(looked), wrong, told, round(low, 4), round(high, 4))


class ToLookAt(NamedTuple):
    """An accepted value that was drawn and waits for a person."""

    term_id: str
    contract_id: str
    term: str
    value: str
    page_number: int | None
    file_name: str | None
    quote: str | None


def to_look_at(root: Path, decisions: Sequence[Decided], share: float = AUDIT_SHARE) -> list[ToLookAt]:
    """What of the random sample nobody has decided on."""
    done = {one.target_id for one in decisions}
    rows = (ToLookAt(*row) for row in query(root, _ACCEPTED)[1])
    return [row for row in rows if is_audited(row.term_id, share) and row.term_id not in done]
