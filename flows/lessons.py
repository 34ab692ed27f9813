"""What decisions are good for besides learning: frozen cases, examples for prompts, proposals for the playbook."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from extractors.check import check
from extractors.chunk import chunk
from extractors.engines.embedded import EmbeddedEngine
from extractors.extract import extract, fingerprint
from extractors.inbox import identify, scan
from flows.backfill import Backfill, backfill_request
from flows.backtest import Backtest, backtest
from flows.learn import held, judge_of
from flows.line import second_opinion
from review.loop.cases import Case, fresh_cases, held_cases, is_right, keep_cases, without
from review.loop.decided import Decided, decided
from review.loop.examples import (
    Example,
    approved,
    example_of,
    few_of_each,
    is_candidate,
    keep_examples,
)
from review.loop.lessons import by_contract
from review.loop.people import second_person
from review.loop.proposals import Proposal, diff, named, proposals, with_proposal
from schemas.errors import DocumentError
from schemas.learned import LearnedError, adopted, folder
from schemas.playbook import load_playbooks
from schemas.settings import Settings
from warehouse.history import record
from warehouse.read import query

PROPOSED, APPROVED = "examples_proposed", "example_approved"
PLAYBOOK_PROPOSED, PLAYBOOK_APPROVED = "playbook_proposed", "playbook_approved"

# --- cases


class Frozen(NamedTuple):
    """How many cases were added and taken out, how many there are, and how many the agent gets right now."""

    added: int
    removed: int
    cases: int
    right: int


def freeze(root: Path, settings: Settings) -> Frozen:
    """Make cases of the decisions that are none yet; those of a decision that was changed or taken back go."""
    cases, decisions = held_cases(settings.home), decided(root)
    fresh, stale = fresh_cases(decisions, cases)
    gone = {case.case_id for case in stale}
    tried = {one.case.case_id: one.right for one in try_cases(root, settings, fresh)}
    fresh = [case.model_copy(update={"was_right": bool(tried.get(case.case_id))}) for case in fresh]
    kept = [*(case for case in cases if case.case_id not in gone), *fresh]
    keep_cases(settings.home, kept)
    return Frozen(len(fresh), len(gone), len(kept), sum(case.was_right for case in kept))


class Tried(NamedTuple):
    """A case and whether the agent is right by now; None where nothing is kept of its contract."""

    case: Case
    right: bool | None

    @property
    def is_regression(self) -> bool:
        return self.right is False and self.case.was_right


def try_cases(root: Path, settings: Settings, cases: Sequence[Case]) -> Iterator[Tried]:
    """Each case with the embedded engine as it is now, and what was learnt and adopted, on the kept reading."""
    judged, on = judge_of(root, settings), by_contract(cases)
    engine, learned = EmbeddedEngine(fingerprint("embedded")), second_opinion(adopted(settings.home))
    for one in held(root, on):
        extraction = check(extract(one.document, chunk(one.document), engine), one.document)
        reading = judged(one._replace(extraction=extraction), learned)
        yield from (Tried(case, is_right(case, reading)) for case in on.pop(one.contract_id))
    yield from (Tried(case, None) for left in on.values() for case in left)


# --- examples


def example_candidates(root: Path, decisions: Sequence[Decided], benchmarks: Sequence[Path]) -> list[Example]:
    """The corrections that could be examples, a few of each kind; none of a contract in the folders `benchmarks`."""
    never = {contract_id for folder in benchmarks for contract_id in contracts_in(folder)}
    on = by_contract(one for one in decisions if is_candidate(one, never))
    every = (
        example
        for one in held(root, on)
        for decision in on[one.contract_id]
        if (example := example_of(decision, one.document, one.extraction))
    )
    return few_of_each(every)


def contracts_in(folder: Path) -> Iterator[str]:
    """The ids of the contracts in an inbox; a file that can't be identified has none."""
    for item in scan(folder):
        try:
            yield identify(item).contract_id
        except DocumentError:
            continue


def propose_examples(root: Path, found: Sequence[Example], by: str) -> None:
    """Note who proposes these examples."""
    record(root, PROPOSED, " ".join(one.example_id for one in found), by, f"{len(found)} examples")


def approve_example(
    root: Path, settings: Settings, found: Sequence[Example], example_id: str, approver: str
) -> Example:
    """Keep an example that another person proposed. Raises LearnedError when there is none, or nobody else did."""
    example = next((one for one in found if one.example_id == example_id), None)
    if example is None:
        raise LearnedError(f"There is no candidate {example_id}.", help="See `contract-agent learn examples`.")
    by = second_person(root, PROPOSED, example_id, approver)
    example = example.model_copy(update={"proposed_by": by, "approver": approver})
    others = [one for one in approved(settings.home) if one.example_id != example_id]
    keep_examples(settings.home, [*others, example])
    record(root, APPROVED, example_id, by, f"an example for {example.term}", approver=approver)
    return example


# --- the playbook


class Change(NamedTuple):
    """A proposal as a change of the company's file, and the file's text after it."""

    proposal: Proposal
    diff: str
    text: str


def playbook_proposals(root: Path, settings: Settings) -> list[Proposal]:
    """What the decisions on flags propose for the playbook in force."""
    rows = query(root, "SELECT contract_id, term, value_number FROM terms WHERE value_number IS NOT NULL")[1]
    values = {(contract_id, term): number for contract_id, term, number in rows}
    return proposals(decided(root), load_playbooks(settings.playbook), values)


def own_file(settings: Settings) -> Path:
    """The company's playbook: the file of the settings, else one among what was learnt."""
    given = settings.playbook or ""
    return Path(given) if given.endswith((".yaml", ".yml")) else folder(settings.home) / "playbook.yaml"


def change_of(settings: Settings, proposal: Proposal, approver: str = "(who approves)") -> Change:
    """What a proposal would change. Raises LearnedError where it has to be written by hand."""
    file = own_file(settings)
    before = file.read_text(encoding="utf-8") if file.is_file() else _first_lines(settings)
    after = with_proposal(before, proposal, approver)
    return Change(proposal, diff(before, after, file.name), after)


def _first_lines(settings: Settings) -> str:
    return f"pack: {settings.playbook}\n" if settings.playbook else ""


def backtest_of(root: Path, settings: Settings, change: Change, inbox: str | None = None) -> Backtest:
    """Which flags a change would add, take away or alter, over the warehouse."""
    candidate = folder(settings.home) / f"{change.proposal.proposal_id}.yaml"
    candidate.parent.mkdir(parents=True, exist_ok=True)
    candidate.write_text(change.text, encoding="utf-8")
    try:
        return backtest(backfill_request(Backfill(mode="all"), settings, root, inbox), settings, str(candidate))
    finally:
        candidate.unlink()


def propose_changes(root: Path, found: Sequence[Proposal], by: str) -> None:
    """Note who proposes these changes of the playbook."""
    record(root, PLAYBOOK_PROPOSED, " ".join(one.proposal_id for one in found), by, f"{len(found)} changes")


def approve_change(root: Path, settings: Settings, proposal_id: str, approver: str) -> Path:
    """Write a change that another person proposed into the company's file, and give its path.

    Raises LearnedError when it is proposed no longer or nobody else did, PlaybookError when the file would not be well
    formed; then nothing was written.
    """
    proposal = named(playbook_proposals(root, settings), proposal_id)
    by = second_person(root, PLAYBOOK_PROPOSED, proposal_id, approver)
    file, change = own_file(settings), change_of(settings, proposal, approver)
    file.parent.mkdir(parents=True, exist_ok=True)
    built = file.with_name(f".{file.stem}-{proposal_id}.yaml")
    built.write_text(change.text, encoding="utf-8")
    try:
        load_playbooks(str(built))
        built.replace(file)
    finally:
        built.unlink(missing_ok=True)
    record(root, PLAYBOOK_APPROVED, proposal_id, by, proposal.why, approver=approver)
    return file


def forget(home: Path, contract_ids: Collection[str]) -> None:
    """Drop the cases and examples of contracts; what was learnt holds only words of several contracts."""
    if held_cases(home):
        keep_cases(home, without(held_cases(home), contract_ids))
    if approved(home):
        keep_examples(home, [one for one in approved(home) if one.contract_id not in contract_ids])
