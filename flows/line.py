"""The straight line: one contract through read, chunk, extract, check and flag. Runs in a worker process.

What costs much is kept by content: a document's reading and its extraction, each under a key of what it
rests on. So a run that was killed goes on where it was, and a changed playbook re-flags without reading.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache, partial
from pathlib import Path

from extractors.amendments import amendment_effects
from extractors.asc606 import asc606
from extractors.check import check
from extractors.chunk import chunk
from extractors.derive import derive, other_parties
from extractors.document_references import document_references, own_numbers
from extractors.engines import Engine, Show
from extractors.extract import engine, extract
from extractors.fee_tables import fee_lines
from extractors.files import Content
from extractors.flag import flag, touched_terms
from extractors.furniture import body
from extractors.learned import SecondOpinion, undecided
from extractors.mail import materialised
from extractors.page_images import page_image
from extractors.pictures import STEP
from extractors.predicates import Facts
from extractors.read import read
from extractors.schedule import billing_schedule, obligations
from flows.alike import keep_likeness
from flows.jobs import Job, Outcome, quarantined
from schemas.contract import Chunk, ContractReading, Extraction, Flag, Term
from schemas.document import Document
from schemas.errors import DocumentError
from schemas.learned import load
from schemas.llm import LlmSettings
from schemas.own_playbook import is_exempt
from schemas.phrases import Language, phrases
from schemas.playbook import Playbook, load_playbooks
from schemas.stopwatch import stage, stopwatch
from warehouse.keep import Keep
from warehouse.rows import contract_rows, document_rows


def process(job: Job) -> Outcome:
    """The rows of one document. A document that can't be read becomes a quarantined one, never an error."""
    with stopwatch() as stages:
        outcome = _processed(job)
    return outcome.model_copy(update={"stages": stages})


def _processed(job: Job) -> Outcome:
    begun = time.perf_counter()
    keep = Keep(job.keep_folder, job.filed.contract_id)
    try:
        with stage("read"):
            document = _read(job, keep)
    except DocumentError as error:
        return quarantined(job.filed, error, seconds=time.perf_counter() - begun)
    with stage("chunk"):
        chunks = chunk(document)
    with stage("extract"):
        extraction = _extract(job, keep, document, chunks)
    with stage("judge"):
        learned = second_opinion(job.learned)
        playbook = _playbook(job.playbook)
        reading = judge(extraction, document, playbook, job.our_entities, job.today, job.language, learned)
    with stage("likeness"):
        likeness = keep_likeness(document, job.read_key, keep)
    filed = job.filed.model_copy(
        update={
            "seconds": time.perf_counter() - begun,
            "page_count": len(document.pages),
            "media_type": document.media_type,
            "likeness": likeness.signature,
            "work_key": _work_key(job, extraction),
        }
    )
    with stage("rows"):
        rows = document_rows(filed, document) | contract_rows(filed, document, chunks, reading, job.version)
    return Outcome(
        filed=filed,
        rows=rows,
        pages=len(document.pages),
        flags=len(reading.flags),
        facts_key=likeness.facts_key,
    )


def plan(job: Job) -> None:
    """Reads a document and notes what the openai engine will ask about it, for a batch to answer.

    What can't be read plans nothing; `process` tells why.
    """
    keep = Keep(job.keep_folder, job.filed.contract_id)
    if keep.load("extract", job.extract_key, Extraction) is not None and job.from_stage not in ("read", "extract"):
        return
    try:
        document = _read(job, keep)
    except DocumentError:
        return
    _engine(job.extractor, job.llm, job.playbook).plan(document, chunk(document), _show(job))


STOOD_IN = "-stood-in"
"""Ends the work key of a contract that another engine read than the one asked for: the next run does it again."""


def _work_key(job: Job, extraction: Extraction) -> str:
    return job.filed.work_key + (STOOD_IN if extraction.engine.extractor != job.extractor else "")


def judge(
    extraction: Extraction,
    document: Document,
    playbook: Playbook,
    our_entities: Sequence[str],
    today: date,
    language: Language = "en",
    learned: SecondOpinion | None = None,
) -> ContractReading:
    """Derived terms, marks, flags and ASC 606 proposals of a checked extraction. Costs milliseconds.

    With `learned`, what decisions foretell is taken in before what hangs on it is derived and flagged.
    """
    extraction = extraction.model_copy(update={"fee_lines": fee_lines(extraction, document)})
    plain = derive(extraction, document, our_entities, today)
    others = learned.terms(plain) if learned else {}
    changed = [other for name, other in others.items() if other.value != _value(plain, name)]
    extraction = derive(_with(extraction, changed), document, our_entities, today) if changed else plain
    extraction = _touched(_with(extraction, others.values()), document)
    said_in = body(document)
    facts = Facts(extraction, document, playbook.library, said_in)
    said = phrases(language)
    flags = list(flag(extraction, document, playbook, facts=facts))
    if changed:
        flags = _with_doubtful(flags, flag(_touched(plain, document), document, playbook), changed)
    if learned:
        flags = learned.flags(flags)
    flags = [said.flag(one) for one in flags]
    reading = ContractReading(
        extraction=extraction,
        flags=tuple(_settled(flags, extraction, document, playbook, today)),
        asc606=tuple(said.topic(topic) for topic in asc606(extraction, document, playbook, facts)),
        references=document_references(extraction, document, said_in),
        effects=amendment_effects(extraction, document, said_in),
        bills=billing_schedule(extraction),
        obligations=obligations(extraction, document, said_in),
        numbers=own_numbers(document),
        others=tuple(other_parties(extraction, our_entities)),
        playbook_version=playbook.version,
    )
    return _calibrated(reading, document.capture_class, learned) if learned else reading


def _value(extraction: Extraction, name: str) -> str | None:
    term = extraction.term(name)
    return term.value if term else None


def _with(extraction: Extraction, others: Iterable[Term]) -> Extraction:
    """The extraction with these in the place of the terms of their names."""
    named = {other.term: other for other in others}
    terms = tuple(named.get(term.term, term) for term in extraction.terms)
    return extraction.model_copy(update={"terms": terms})


def _touched(extraction: Extraction, document: Document) -> Extraction:
    """The extraction whose terms are no longer proven where a mark on the paper touches them."""
    touched = touched_terms(extraction, document)
    terms = tuple(
        term.model_copy(update={"evidence": "unverified"}) if term.term in touched and term.value else term
        for term in extraction.terms
    )
    return extraction.model_copy(update={"terms": terms})


def _with_doubtful(flags: Sequence[Flag], before: Sequence[Flag], changed: Sequence[Term]) -> list[Flag]:
    """The flags, and those that only the engine's own values raise: they stay and say why they are doubted."""
    raised = {one.rule_id for one in flags}
    why = " ".join(other.learned for other in changed if other.learned)
    doubtful = [undecided(one, why) for one in before if one.rule_id not in raised]
    return sorted([*flags, *doubtful], key=lambda one: one.rule_id)


def _calibrated(reading: ContractReading, capture_class: str, learned: SecondOpinion) -> ContractReading:
    """The reading with confidences as people's agreement tells them; what an opinion weighed has its own."""
    terms = tuple(
        term.model_copy(update={"confidence": learned.calibrated("term", term.term, capture_class, term.confidence)})
        if term.value and not term.learned
        else term
        for term in reading.extraction.terms
    )
    flags = tuple(
        one
        if one.learned
        else one.model_copy(
            update={"confidence": learned.calibrated("flag", one.rule_id, capture_class, one.confidence)}
        )
        for one in reading.flags
    )
    engine = reading.extraction.engine
    named = engine.model_copy(update={"model": f"{engine.model}+{learned.version}"})
    extraction = reading.extraction.model_copy(update={"terms": terms, "engine": named})
    return reading.model_copy(update={"extraction": extraction, "flags": flags})


def _settled(
    flags: Sequence[Flag], extraction: Extraction, document: Document, playbook: Playbook, today: date
) -> Iterator[Flag]:
    """The flags, those that an approved exception takes in as not applicable, with who approved it."""
    other = extraction.term("counterparty")
    for one in flags:
        name = other.value if other else None
        fits = (e for e in playbook.exceptions if is_exempt(e, one.rule_id, document.contract_id, name, today))
        if exempt := next(fits, None):
            until = f" until {exempt.until}" if exempt.until else ""
            reason = f"{one.reason} Exception approved by {exempt.approved_by}{until}: {exempt.reason}."
            one = one.model_copy(update={"status": "not_applicable", "reason": reason})
        yield one


def _read(job: Job, keep: Keep) -> Document:
    document = None if job.from_stage == "read" else keep.load("read", job.read_key, Document)
    if document is None:
        with materialised(_content(job)) as files:
            document = read(files, job.limits, keep)
        keep.save("read", job.read_key, document)
        keep.drop(STEP)
    return document


def _extract(job: Job, keep: Keep, document: Document, chunks: Sequence[Chunk]) -> Extraction:
    fresh = job.from_stage in ("read", "extract")
    extraction = None if fresh else keep.load("extract", job.extract_key, Extraction)
    if extraction is None:
        reader = _engine(job.extractor, job.llm, job.playbook)
        found = extract(document, chunks, reader, _show(job))
        with stage("check"):
            extraction = check(found, document)
        if extraction.engine.extractor == job.extractor:  # what another engine stood in for is tried again
            keep.save("extract", job.extract_key, extraction)
    return extraction


def _content(job: Job) -> Content:
    return Content(job.paths, job.filed.contract_id, job.filed.sha256, job.part)


def _show(job: Job) -> Show:
    return partial(page_image, _content(job), limits=job.limits)


@lru_cache(maxsize=1)
def _engine(name: str, llm: LlmSettings | None, playbook: str | None) -> Engine:
    return engine(name, llm, _playbook(playbook))


@lru_cache(maxsize=1)
def _playbook(name: str | None) -> Playbook:
    return load_playbooks(name)


@lru_cache(maxsize=1)
def second_opinion(file: Path | None) -> SecondOpinion | None:
    """What was learnt and adopted, ready for contracts; None when nothing was."""
    return SecondOpinion(load(file)) if file else None
