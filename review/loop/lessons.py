"""Lessons: a contract as the engine reads it today, beside what people said of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from extractors.learned import flag_words, is_by_value, options
from review.loop.decided import Decided, same_value
from schemas.contract import ContractReading, Extraction, Flag, Term
from schemas.learned import Kind
from schemas.terms import TERM_BY_NAME
from warehouse.decisions import evidence_hash
from warehouse.rows import stable_id


class Lesson(NamedTuple):
    """What something could be, as values with their words, the engine's first; `right` is the place of the right one,
    or their number when none is. `confidence` is the engine's, `extractor` None for a flag."""

    target: Kind
    field: str
    extractor: str | None
    contract_id: str
    capture_class: str
    given: tuple[tuple[str, str], ...]
    right: int
    confidence: float

    @property
    def is_agreed(self) -> bool:
        return self.right == 0


def lessons(reading: ContractReading, capture_class: str, decisions: Sequence[Decided]) -> Iterator[Lesson]:
    """The lessons of one contract. A decision on what the engine no longer says tells nothing of it and is left out."""
    terms = {decision.field: decision for decision in decisions if decision.target == "term"}
    for term in reading.extraction.terms:
        decision = terms.get(term.term)
        if decision and term.term != "parties" and term.value and term.quote:
            yield from _of_term(term, reading.extraction, decision, capture_class)
    flags = {decision.target_id: decision for decision in decisions if decision.target == "flag"}
    for flag_id, flag in named_flags(decisions[0].contract_id, reading.flags) if flags else ():
        decision = flags.get(flag_id)
        if decision and decision.evidence_hash == evidence_hash(flag.quote, flag.found):
            given = (("", flag_words(flag.found, flag.quote)),)
            right = 0 if decision.applies else 1
            what = ("flag", flag.rule_id, None, decision.contract_id, capture_class)
            yield Lesson(*what, given, right, flag.confidence)


def named_flags(contract_id: str, flags: Iterable[Flag]) -> Iterator[tuple[str, Flag]]:
    """Each flag with its id, as the rows have it."""
    seen: Counter[str] = Counter()
    for flag in flags:
        yield stable_id("f_", contract_id, flag.rule_id, seen[flag.rule_id]), flag
        seen[flag.rule_id] += 1


def _of_term(term: Term, extraction: Extraction, decision: Decided, capture_class: str) -> Iterator[Lesson]:
    rejected = decision.right is None
    if rejected and not same_value(term.term, term.value, decision.value):
        return  # what was rejected is not what is said now
    values = TERM_BY_NAME[term.term].choices or ("true", "false")
    could_be = options(term, extraction.alternatives, values if is_by_value(term.term) else ())
    given = tuple((option.value, option.quote) for option in could_be)
    same = [at for at, (value, _) in enumerate(given) if same_value(term.term, value, decision.right)]
    right = None if not same else 0 if same[0] == 0 else same[-1]  # a place of its own says more than the engine's
    extractor = extraction.engine.extractor
    what = ("term", term.term, extractor, decision.contract_id, capture_class)
    yield Lesson(*what, given, len(given) if right is None else right, term.confidence)


class _OfContract(Protocol):
    @property
    def contract_id(self) -> str: ...


Item = TypeVar("Item", bound=_OfContract)


def by_contract(items: Iterable[Item]) -> dict[str, list[Item]]:
    """The decisions, or whatever else hangs on a contract, of each contract."""
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        found[item.contract_id].append(item)
    return dict(found)
