"""Learning from decisions: contracts judged again from what was kept of them, lessons drawn, what was learnt measured.

Nothing that was learnt is used before another person adopts it, and it is adopted only if nothing gets worse: neither
decisions it was never taught, nor gold.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from extractors.learned import SecondOpinion
from flows.line import judge
from flows.night import KEEP_FOLDER, Request, business_date, night
from review.loop import gold as gold_of
from review.loop.decided import Decided, decided, same_value
from review.loop.lessons import Lesson, by_contract, lessons, named_flags
from review.loop.people import second_person
from review.loop.sampling import is_held_back
from review.loop.training import Training, train
from schemas.contract import ContractReading, Extraction
from schemas.document import Document
from schemas.learned import Learned, LearnedError, adopted, file_of, load, save
from schemas.learned import adopt as put_in_force
from schemas.playbook import Playbook, load_playbooks
from schemas.settings import Settings
from warehouse.history import record
from warehouse.keep import Keep
from warehouse.read import query

LEARNT, ADOPTED, WITHDRAWN = "learnt", "learnt_adopted", "learnt_withdrawn"
LEAST_HELD_BACK = 10
"""Decisions on contracts held back that are needed to say whether something got worse."""


class Held(NamedTuple):
    """What is kept of a contract, and whose it is."""

    contract_id: str
    document: Document
    extraction: Extraction
    our_entities: tuple[str, ...]


def held(root: Path, contract_ids: Iterable[str]) -> Iterator[Held]:
    """What is kept of these contracts; one of which nothing is kept is left out."""
    ids = sorted(contract_ids)
    sql = "SELECT contract_id, our_entity FROM contracts WHERE contract_id IN (SELECT unnest($ids)) ORDER BY 1"
    for contract_id, ours in query(root, sql, {"ids": ids})[1] if ids else ():
        keep = Keep(root / KEEP_FOLDER, contract_id)
        document, extraction = keep.latest("read", Document), keep.latest("extract", Extraction)
        if document is not None and extraction is not None:
            yield Held(contract_id, document, extraction, (ours,) if ours else ())


class Judge(NamedTuple):
    """How contracts are judged again: by which playbook, and as on which day."""

    playbook: Playbook
    today: date

    def __call__(self, one: Held, learned: SecondOpinion | None = None) -> ContractReading:
        given = (one.extraction, one.document, self.playbook, one.our_entities, self.today)
        return judge(*given, learned=learned)


def judge_of(root: Path, settings: Settings) -> Judge:
    """The judge of a warehouse, on the day that its views count from."""
    ((today,),) = query(root, "SELECT today FROM business_day")[1]
    return Judge(load_playbooks(settings.playbook), today or business_date(settings))


def learn(root: Path, settings: Settings, by: str, *, with_opinions: bool = True) -> Training:
    """What the decisions teach, kept under its version and noted in the audit; nothing uses it yet.

    Raises LearnedError when they teach nothing.
    """
    decisions = [one for one in decided(root) if not is_held_back(one.contract_id)]
    training = train(list(taught(root, settings, decisions)), with_opinions=with_opinions)
    learned = training.learned
    if not learned.opinions and not learned.calibrations:
        raise LearnedError(
            f"{learned.decisions} decisions on {learned.contracts} contracts teach nothing that holds on others.",
            help="It takes a dozen decisions on one term or rule, some of them corrections; see docs/review.md.",
            code="nothing_learnt",
        )
    save(settings.home, learned)
    record(root, LEARNT, learned.version, by, f"{learned.decisions} decisions on {learned.contracts} contracts")
    return training


def taught(root: Path, settings: Settings, decisions: Sequence[Decided]) -> Iterator[Lesson]:
    """The lessons of decisions, from the contracts as they are read today."""
    judged, on = judge_of(root, settings), by_contract(decisions)
    for one in held(root, on):
        yield from lessons(judged(one), one.document.capture_class, on[one.contract_id])


class Measured(NamedTuple):
    """So many items of a term or a rule, and how many of them are right before and after; of confidences the mean
    squared error, where less is better."""

    where: str
    what: str
    field: str
    items: int
    before: float
    after: float

    @property
    def is_worse(self) -> bool:
        return self.after > self.before + 1e-9 if self.what == "error of confidence" else self.after < self.before


def measure_held_back(
    root: Path, settings: Settings, before: Learned | None, after: Learned | None
) -> Iterator[Measured]:
    """The decisions on contracts that are never learnt from, by term and rule. Raises LearnedError when there are too
    few of them."""
    decisions = [one for one in decided(root) if is_held_back(one.contract_id) and one.target != "asc606"]
    judged, on = judge_of(root, settings), by_contract(decisions)
    opinions = [SecondOpinion(one) if one else None for one in (before, after)]
    right: list[Counter] = [Counter(), Counter()]
    items: Counter = Counter()
    errors: list[list[float]] = [[], []]
    for one in held(root, on):
        items.update((decision.target, decision.field) for decision in on[one.contract_id])
        for at, opinion in enumerate(opinions):
            for decision, is_right, error in _compared(judged(one, opinion), on[one.contract_id]):
                right[at][decision.target, decision.field] += is_right
                errors[at] += [error] if error is not None else []
    if items.total() < LEAST_HELD_BACK:
        raise LearnedError(
            f"Only {items.total()} decisions are on contracts held back, and it takes {LEAST_HELD_BACK} to tell.",
            help="Every fifth contract is held back: decide on more, or `contract-agent backfill` if none is kept.",
            code="too_few_decisions",
        )
    for key in sorted(items):
        yield Measured("held back", key[0], key[1], items[key], right[0][key], right[1][key])
    if errors[0] and errors[1]:
        yield _error_of("held back", *errors)


def _error_of(where: str, before: Sequence[float], after: Sequence[float]) -> Measured:
    means = (round(sum(errors) / len(errors), 6) for errors in (before, after))
    return Measured(where, "error of confidence", "", len(after), *means)


def _compared(reading: ContractReading, decisions: Sequence[Decided]) -> Iterator[tuple[Decided, bool, float | None]]:
    """Each decision, whether the reading says the same, and the squared error of its confidence."""
    terms = {term.term: term for term in reversed(reading.extraction.terms)}
    flags = dict(named_flags(decisions[0].contract_id, reading.flags))
    for decision in decisions:
        if decision.target == "flag":
            flag = flags.get(decision.target_id)
            raised = flag is not None and flag.learned is None
            error = (flag.confidence - decision.applies) ** 2 if flag else None
            yield decision, raised == decision.applies, error
        elif (term := terms.get(decision.field)) and decision.field != "parties":
            if decision.right is None and decision.value is not None:
                is_right = not same_value(decision.field, term.value, decision.value)
            else:
                is_right = same_value(decision.field, term.value, decision.right)
            yield decision, is_right, (term.confidence - is_right) ** 2 if term.value else None


class Gold(NamedTuple):
    """Documents and what people wrote down of them."""

    folder: Path
    inbox: Path


def measure_gold(gold: Gold, settings: Settings, before: Learned | None, after: Learned | None) -> Iterator[Measured]:
    """The gold by term and rule: its documents are read once, in a warehouse of their own, and judged both ways.

    The embedded engine reads them, with the project's playbook.
    """
    documents = gold_of.documents(gold.folder)
    with tempfile.TemporaryDirectory(prefix="contract-agent-gold-") as folder:
        home, warehouse = Path(folder) / "home", Path(folder) / "warehouse"
        alone = {"home": home, "our_entities": (), "extractor": "embedded", "playbook": None, "notify": ()}
        settings = settings.model_copy(update=alone | {"dask": None, "parts": None})
        found, errors = [], []
        for learned in (before, after):
            if learned:
                save(home, learned)
                put_in_force(home, learned.version)
            night(Request(inbox=gold.inbox, warehouse=warehouse, trigger="gold"), settings)
            terms = gold_of.term_findings(warehouse, documents)
            flags = gold_of.flag_findings(warehouse, documents)
            found.append([("term", one) for one in terms] + [("flag", one) for one in flags])
            errors.append([(sure - right) ** 2 for sure, right in gold_of.confidences(warehouse, documents)])
    yield from _of_gold(*found)
    if all(errors):
        yield _error_of("gold", *errors)


def _of_gold(before: Sequence[tuple[str, gold_of.Finding]], after: Sequence[tuple[str, gold_of.Finding]]):
    """Right ones of all that either found: a flag that neither gold nor a state has is right."""
    every = {(what, one.name, one.path) for state in (before, after) for what, one in state}
    items = Counter((what, name) for what, name, _ in every)
    wrong = [Counter((what, one.name) for what, one in state if not one.right) for state in (before, after)]
    for key in sorted(items):
        yield Measured("gold", *key, items[key], *(items[key] - state[key] for state in wrong))


def adopt(
    root: Path,
    settings: Settings,
    version: str,
    approver: str,
    reason: str,
    gold: Gold,
    show: Callable[[Sequence[Measured]], None] = lambda rows: None,
) -> list[Measured]:
    """Put what was learnt in force, and give what was measured before and after; `show` sees it first.

    The next run judges contracts anew. Raises LearnedError when the approver is who learnt it, or anything got worse.
    """
    learned = load(file_of(settings.home, version))
    by = second_person(root, LEARNT, version, approver)
    in_force = adopted(settings.home)
    before = load(in_force) if in_force else None
    rows = [
        *measure_held_back(root, settings, before, learned),
        *measure_gold(gold, settings, before, learned),
    ]
    show(rows)
    refuse_what_is_worse(rows, version)
    put_in_force(settings.home, version)
    record(root, ADOPTED, version, by, reason, approver=approver)
    return rows


def refuse_what_is_worse(rows: Sequence[Measured], version: str) -> None:
    """Raises LearnedError naming what got worse, if anything did."""
    worse = [row for row in rows if row.is_worse]
    if worse:
        told = ", ".join(f"{row.what} {row.field}".strip() + f" on {row.where}" for row in worse)
        raise LearnedError(
            f"{version} is not adopted: {told} got worse.",
            help="Decide on more contracts and learn again, or only `contract-agent learn calibrate`.",
            code="got_worse",
        )


def withdraw(root: Path, settings: Settings, by: str, reason: str) -> str:
    """Go on without what was learnt, and give the version that was in force. Raises LearnedError when none was."""
    in_force = adopted(settings.home)
    if in_force is None:
        raise LearnedError("Nothing that was learnt is in force.", code="nothing_learnt")
    put_in_force(settings.home, None)
    record(root, WITHDRAWN, in_force.stem, by, reason)
    return in_force.stem
