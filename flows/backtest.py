"""What another playbook would change: every held contract judged by both, from what was kept of its reading.

Nothing is read or extracted, nothing is written. Contracts whose kept work is gone are counted.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import NamedTuple

from flows.jobs import Job, now
from flows.line import judge, second_opinion
from flows.night import Request, prepare
from schemas.contract import Extraction, Flag
from schemas.document import Document
from schemas.playbook import Playbook, load_playbooks
from schemas.settings import Settings
from warehouse.keep import Keep

SMALL = 50
"""Up to so many contracts it is not worth starting other processes."""


class Difference(NamedTuple):
    """A flag that only one of the playbooks raises, or that both raise with another severity or finding."""

    contract_id: str
    file_name: str
    rule_id: str
    change: str  # new, gone, changed
    before: str | None
    after: str | None


class Backtest(NamedTuple):
    """The differences, how many contracts were judged, and how many could not be."""

    differences: list[Difference]
    judged: int
    not_kept: int


def backtest(request: Request, settings: Settings, candidate: str) -> Backtest:
    """Compares the playbook of the settings with the candidate (a pack's name or a file) over the warehouse."""
    load_playbooks(candidate)  # what is wrong with it is told before any work is done
    jobs = prepare(request.model_copy(update={"mode": "all"}), settings, "backtest", now()).jobs
    judged = list(_judged(jobs, candidate, settings.workers))
    found = [difference for differences in judged if differences is not None for difference in differences]
    return Backtest(found, sum(one is not None for one in judged), sum(one is None for one in judged))


def _judged(jobs: Sequence[Job], candidate: str, workers: int | None) -> Iterator[list[Difference] | None]:
    compare = partial(_compared, candidate=candidate)
    if len(jobs) <= SMALL:
        yield from map(compare, jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(compare, jobs, chunksize=SMALL)


def _compared(job: Job, candidate: str) -> list[Difference] | None:
    keep = Keep(job.keep_folder, job.filed.contract_id)
    document = keep.load("read", job.read_key, Document)
    extraction = keep.load("extract", job.extract_key, Extraction)
    if document is None or extraction is None:
        return None
    old, new = (
        _flags(job, extraction, document, playbook)
        for playbook in (load_playbooks(job.playbook), load_playbooks(candidate))
    )
    keys = sorted(old.keys() | new.keys())
    return [_difference(job, key[0], old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)]


def _flags(job: Job, extraction: Extraction, document: Document, playbook: Playbook) -> dict[tuple[str, int], str]:
    """What is told of each flag, by rule and its place among the flags of that rule."""
    found: dict[tuple[str, int], str] = {}
    learned = second_opinion(job.learned)
    for flag in judge(extraction, document, playbook, job.our_entities, job.today, learned=learned).flags:
        number = sum(key[0] == flag.rule_id for key in found)
        found[flag.rule_id, number] = _told(flag)
    return found


def _told(flag: Flag) -> str:
    settled = "" if flag.status == "proposed" else f" ({flag.status.replace('_', ' ')})"
    return f"{flag.severity}: {flag.found}{settled}"


def _difference(job: Job, rule_id: str, before: str | None, after: str | None) -> Difference:
    change = "new" if before is None else "gone" if after is None else "changed"
    return Difference(job.filed.contract_id, job.filed.file_name, rule_id, change, before, after)
