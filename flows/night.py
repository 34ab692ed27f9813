"""The night run: everything new in an inbox, landed and published. Plain functions; `flows.deployments`
decorates them for Prefect.
"""

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from duckdb import DuckDBPyConnection as Connection
from pydantic import Field

from extractors.extract import answer_in_batches, choose, fingerprint, judgement_fingerprint, prompt_version, take_plans
from extractors.files import EXTENSIONS, READ_VERSION, Content, Limits
from extractors.inbox import Item, document_id, identify, scan
from flows.arrivals import Arrivals, arrivals
from flows.families import linker
from flows.jobs import Job, Outcome, Stage, duplicate, now, quarantined
from schemas.base import Frozen
from schemas.errors import DocumentError
from schemas.filed import Filed
from schemas.learned import adopted, load
from schemas.llm import LEDGER, LlmSettings
from schemas.phrases import phrases
from schemas.playbook import Playbook, load_playbooks
from schemas.settings import Settings, our_entities_of, place
from schemas.stopwatch import each, stage, stopwatch
from schemas.tables import SCHEMA_VERSION
from warehouse.ahead import work_ahead
from warehouse.catalogue import publish
from warehouse.lake import Linked, Linker, land
from warehouse.quality import checker
from warehouse.stage import new_run_id
from warehouse.state import DocumentHead, State, landed

if TYPE_CHECKING:
    from flows.pool import Workers

Mode = Literal["new", "missing", "failed", "stale", "all"]
CODE_VERSION = version("contract-data-agent")
KEEP_FOLDER = "work"
TOLD = ("command", "nightly")
"""What started the runs after which the brief is sent; a backfill is no night."""


class Request(Frozen):
    """What a run is asked to do. Dates are arrival dates, both ends included. `inbox` is a folder or a URL."""

    inbox: Path | str
    warehouse: Path
    mode: Mode = "new"
    business_date: date | None = None
    first: date | None = None
    last: date | None = None
    contract_ids: tuple[str, ...] = ()
    from_stage: Stage = "land"
    dry_run: bool = False
    max_cost: float | None = None
    trigger: str = "command"


class Summary(Frozen):
    """What a run did; the last line of `contract-agent run`."""

    run_id: str
    documents: int
    contracts: int
    flags: int
    quarantined: int
    duplicates: int
    pages: int
    seconds: float
    stages: dict[str, float] = Field(default_factory=dict, exclude=True)
    """Seconds of each stage: of the line, summed over all documents, then of the run itself."""


class Plan(Frozen):
    """What there is to do: jobs to process, copies of others, and documents known to be unreadable."""

    jobs: tuple[Job, ...] = ()
    copies: tuple[tuple[Filed, str], ...] = ()
    problems: tuple[tuple[Filed, str, str], ...] = ()
    found: int = 0
    unchanged: int = 0
    read_key: str

    @property
    def documents(self) -> int:
        """How many documents of the inbox have work to be done."""
        return len(self.jobs) + len(self.copies) + len(self.problems)


Processor = Callable[[Sequence[Job]], Iterable[Outcome]]
Watcher = Callable[[int, int], None]


def night(
    request: Request,
    settings: Settings,
    processor: Processor | None = None,
    watch: Watcher = lambda done, total: None,
) -> Summary:
    """One pass over the inbox. `watch` is told how many documents are done of how many.

    Documents that were landed under the same versions are not touched. Nothing is published before all are
    done; a run that was killed can simply be run again. Raises RunError, WarehouseError, PlaybookError or
    ExtractorUnavailable when the run itself can't be done.
    """
    begun, started_at = time.perf_counter(), now()
    check = checker(settings.waived_gates)
    run_id = new_run_id(started_at)
    with stopwatch() as own:
        with stage("plan"):
            plan = prepare(request, settings, run_id, started_at)
        tally = _Tally(run_id, own)
        if request.dry_run:
            tally.documents = plan.documents
        else:
            run = _run_row(request, settings, run_id, started_at) | {"found": plan.found, "unchanged": plan.unchanged}
            processor = _settled(request.warehouse, processor or _by_default(settings))
            outcomes = _outcomes(plan, processor, tally, watch, run, begun)
            playbook = load_playbooks(settings.playbook)
            known, link = playbook.references.values(), _link(run["business_date"], playbook)
            with stage("land"):
                manifest = land(request.warehouse, run, outcomes, known, link=link, check=check)
            tally.flags = manifest.run["flags"]
            with stage("publish"):
                publish(request.warehouse)
            with stage("answers"):
                work_ahead(request.warehouse)
            if settings.notify and request.trigger in TOLD:
                from flows.notify import tell

                tell(settings.notify, request.warehouse)
    return tally.summary(time.perf_counter() - begun)


def _link(today: date, playbook: Playbook) -> Linker:
    link = linker(today, playbook)

    def timed(con: Connection, run_id: str) -> Linked:
        with stage("link"):
            return link(con, run_id)

    return timed


class Forecast(Frozen):
    """What a run would send: requests, bytes, estimated tokens, and the most it can cost."""

    requests: int
    bytes: int
    tokens: int
    cost_usd: float
    host: str

    def __str__(self) -> str:
        return (
            f"Would send {self.requests} requests to {self.host}: {self.bytes:,} bytes, about {self.tokens:,} tokens, "
            f"at most USD {self.cost_usd:.4f} when every answer is as long as it may be."
        )


def forecast(request: Request, settings: Settings) -> Forecast | None:
    """What the run would send; None when nothing leaves the machine. Documents are read for it, nothing is sent."""
    jobs = prepare(request, settings, "forecast", now()).jobs
    llm = next((job.llm for job in jobs if job.llm), None)
    if llm is None:
        return None
    with pool_of(settings, len(jobs)) as pool:
        pool.plan(jobs)
    planned = take_plans(llm)
    size, tokens = (sum(column) for column in zip((0, 0), *planned, strict=True))
    cost = (tokens * llm.prices[0] + len(planned) * llm.answer_tokens * llm.prices[2]) / 1e6
    return Forecast(
        requests=len(planned), bytes=size, tokens=tokens, cost_usd=cost, host=urlsplit(llm.base_url).hostname or ""
    )


def business_date(settings: Settings, moment: datetime | None = None) -> date:
    """The date of a run in the time zone of the settings."""
    return (moment or datetime.now(ZoneInfo(settings.time_zone))).astimezone(ZoneInfo(settings.time_zone)).date()


def prepare(request: Request, settings: Settings, run_id: str, started_at: datetime) -> Plan:
    """What the run has to do, without doing it."""
    extractor = choose(settings.extractor)
    inbox = arrivals(request.inbox, settings)
    entities = settings.our_entities or our_entities_of(inbox.folder)
    keep_folder = request.warehouse / KEEP_FOLDER
    llm = _llm(request, settings, run_id) if extractor == "openai" else None
    keys = _Keys(settings, extractor, entities, llm)
    found = [_Found.of(item) for item in (*scan(inbox.folder), *inbox.unreadable)]
    state = landed(request.warehouse, {id for one in found for id in (one.document_id, one.content.contract_id)})
    template = {
        "limits": keys.limits,
        "extractor": extractor,
        "playbook": settings.playbook,
        "language": settings.reviewer_language,
        "our_entities": tuple(entities),
        "today": request.business_date or business_date(settings),
        "read_key": keys.read,
        "extract_key": keys.extract,
        "keep_folder": keep_folder,
        "llm": llm,
        "learned": keys.learned,
        "from_stage": request.from_stage,
    }
    planner = _Planner(request, state, keys, template, run_id, started_at, inbox)
    for one in found:
        planner.add(one)
    return planner.plan()


class _Found(NamedTuple):
    """A document of the inbox with its content's hash, and why it can't be read where it can't."""

    item: Item
    content: Content
    error: DocumentError | None

    @classmethod
    def of(cls, item: Item) -> "_Found":
        error = item.error
        try:
            content = identify(item)
        except DocumentError as unreadable:
            error = unreadable
            content = Content(item.paths, "", hashlib.sha256(item.source_uri.encode()).hexdigest())
        if not content.contract_id:
            content = content._replace(contract_id=f"c_{content.sha256[:16]}")
        return cls(item, content, error)

    @property
    def document_id(self) -> str:
        return document_id(self.item, self.content)


def _llm(request: Request, settings: Settings, run_id: str) -> LlmSettings:
    """How the openai engine is run: the lower of the settings' budget and the request's holds, and the corrections that
    people approved as examples are shown."""
    from review.loop.examples import corrections

    llm = settings.llm(request.warehouse / LEDGER, run_id)
    budgets = [budget for budget in (llm.cost_per_run, request.max_cost) if budget is not None]
    given = {"cost_per_run": min(budgets, default=None), "corrections": corrections(settings.home)}
    return llm.model_copy(update=given)


class _Keys:
    """Under which versions a document's work is kept: reading, extraction, and all of it."""

    def __init__(self, settings: Settings, extractor: str, entities: Sequence[str], llm: LlmSettings | None):
        self.limits = Limits(
            max_pages=settings.max_pages,
            max_megapixels=settings.max_megapixels,
            max_megabytes=settings.max_megabytes,
            reading=settings.reading,
        )
        self.read = _short_hash(READ_VERSION, self.limits.model_dump_json())
        playbook = load_playbooks(settings.playbook)
        asked = (prompt_version(llm, playbook),) if llm else ()
        self.extract = _short_hash(self.read, extractor, fingerprint(extractor), *asked)
        self.playbook_version = playbook.version
        judgement, language = judgement_fingerprint(), phrases(settings.reviewer_language).model_dump_json()
        self.learned = adopted(settings.home)
        learned = (f"learned: {load(self.learned).version}",) if self.learned else ()
        versions = (self.extract, judgement, self.playbook_version, SCHEMA_VERSION)
        self.work = _short_hash(*versions, language, *learned, *entities)


def _short_hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


class _Planner:
    """Decides document by document; the first by path of equal ones is the original unless one is landed."""

    def __init__(
        self,
        request: Request,
        state: State,
        keys: _Keys,
        template: dict,
        run_id: str,
        at: datetime,
        inbox: Arrivals,
    ):
        self._request, self._state, self._keys, self._inbox = request, state, keys, inbox
        self._template, self._run_id, self._at = template, run_id, at
        self._originals: dict[str, str] = {}
        self._jobs: list[Job] = []
        self._copies: list[tuple[Filed, str]] = []
        self._problems: list[tuple[Filed, str, str]] = []
        self._found = self._unchanged = 0

    def add(self, found: _Found) -> None:
        self._found += 1
        item, content, error = found
        filed = self._filed(item, content)
        original = self._original_of(filed)
        if content.sha256 in self._state.forgotten or not self._is_wanted(filed, item, original):
            self._unchanged += 1
        elif error:
            self._problems.append((filed, error.code, str(error)))
        elif original != filed.document_id:
            self._copies.append((filed, original))
        else:
            self._jobs.append(self._job(filed, item))

    def plan(self) -> Plan:
        processed = {job.filed.document_id for job in self._jobs}
        copies = ((filed, of if of in processed else self._not_a_duplicate(of)) for filed, of in self._copies)
        return Plan(
            jobs=tuple(self._jobs),
            copies=tuple(copies),
            problems=tuple(self._problems),
            found=self._found,
            unchanged=self._unchanged,
            read_key=self._keys.read,
        )

    def _filed(self, item: Item, content: Content) -> Filed:
        return Filed.one_of_many(
            document_id=document_id(item, content),
            contract_id=content.contract_id,
            source_uri=self._inbox.uri(item),
            file_name=item.file_name,
            sha256=content.sha256,
            media_type=_media_type(item),
            status="landed",
            run_id=self._run_id,
            ingested_at=self._at,
            work_key=self._keys.work,
        )

    def _original_of(self, filed: Filed) -> str:
        head = self._state.contracts.get(filed.contract_id)
        return self._originals.setdefault(filed.contract_id, head.document_id if head else filed.document_id)

    def _not_a_duplicate(self, document_id: str) -> str:
        """The document, or the original of which it was found to be a near duplicate."""
        head = self._state.documents.get(document_id)
        return head.duplicate_of if head and head.status == "duplicate" and head.duplicate_of else document_id

    def _is_wanted(self, filed: Filed, item: Item, original: str) -> bool:
        request = self._request
        if request.contract_ids and filed.contract_id not in request.contract_ids:
            return False
        if not _arrived_between(item, request.first, request.last):
            return False
        head = self._state.documents.get(filed.document_id)
        if request.mode == "missing":
            return head is None
        if request.mode == "failed":
            return head is not None and head.status == "quarantined"
        if request.mode == "all" or head is None:
            return request.mode != "stale"
        if head.status == "duplicate":
            return self._is_other_duplicate(head, original)
        expected = self._keys.read if head.status == "quarantined" else self._keys.work
        return head.work_key != expected

    def _is_other_duplicate(self, head: DocumentHead, original: str) -> bool:
        """Whether what was a duplicate may be something else by now."""
        if head.contract_id in self._state.contracts:
            return head.duplicate_of != original
        # A near duplicate: its bytes are those of no contract.
        held = self._state.documents.get(head.duplicate_of or "")
        return held is None or held.status != "landed" or head.work_key != self._keys.work

    def _job(self, filed: Filed, item: Item) -> Job:
        head = self._state.contracts.get(filed.contract_id)
        return Job.one_of_many(
            filed=filed, paths=item.paths, part=item.part, version=(head.version if head else 0) + 1, **self._template
        )


def _media_type(item: Item) -> str:
    """By the name; `read` looks at the bytes."""
    name = item.paths[0].name if item.paths and item.part is None else item.file_name
    return EXTENSIONS.get(Path(name).suffix.lower(), "application/octet-stream")


def _arrived_between(item: Item, first: date | None, last: date | None) -> bool:
    if not (first or last) or not item.paths:
        return True
    arrived = date.fromtimestamp(max(path.stat().st_mtime for path in item.paths))
    return (first is None or arrived >= first) and (last is None or arrived <= last)


WAIT = "wait"
"""While the run waits for outcomes the workers read; their time is counted document by document."""

_COUNTED = frozenset(
    ("documents", "contracts", "flags", "quarantined", "duplicates", "pages", "tokens_in", "tokens_out", "cost_usd")
)


class _Tally:
    """Counts what the outcomes bring."""

    def __init__(self, run_id: str, own: dict[str, float]):
        self.run_id = run_id
        self._own = own
        self._of_documents: Counter[str] = Counter()
        self.documents = self.contracts = self.flags = self.quarantined = self.duplicates = self.pages = 0
        self.tokens_in = self.tokens_out = 0
        self.cost_usd = 0.0

    def add(self, outcome: Outcome) -> None:
        self.documents += 1
        self.contracts += outcome.filed.status == "landed"
        self.quarantined += outcome.filed.status == "quarantined"
        self.duplicates += outcome.filed.status == "duplicate"
        self.flags += outcome.flags
        self.pages += outcome.pages
        self._of_documents.update(outcome.stages)
        for request in outcome.rows.get("requests", ()):
            self.tokens_in += request["tokens_in"]
            self.tokens_out += request["tokens_out"]
            self.cost_usd += request["cost_usd"]

    @property
    def stages(self) -> dict[str, float]:
        """Seconds of each stage so far: those of the line over all documents, then the run's own."""
        spent = {**self._of_documents, **{name: of for name, of in self._own.items() if name != WAIT}}
        return {name: round(of, 3) for name, of in spent.items()}

    def summary(self, seconds: float) -> Summary:
        counts = {name: value for name, value in vars(self).items() if name in Summary.model_fields}
        return Summary(**counts, seconds=round(seconds, 3), stages=self.stages)


def _outcomes(plan: Plan, processor: Processor, tally: _Tally, watch: Watcher, run: dict, begun: float) -> Iterator:
    """The rows of each document as it is done; fills in the run's row when all are."""
    for outcome in _all_outcomes(plan, processor):
        tally.add(outcome)
        watch(tally.documents, plan.documents)
        yield _with_read_key(outcome, plan).rows
    run.update(
        {name: value for name, value in vars(tally).items() if name in _COUNTED},
        stages=[{"stage": name, "seconds": seconds} for name, seconds in tally.stages.items()],
        finished_at=now(),
        seconds=round(time.perf_counter() - begun, 3),
    )


def _all_outcomes(plan: Plan, processor: Processor) -> Iterator[Outcome]:
    for filed, code, message in plan.problems:
        yield quarantined(filed, DocumentError(message, code=code))
    copied = {original for _, original in plan.copies}
    done: dict[str, Filed] = {}
    for outcome in processor(plan.jobs) if plan.jobs else ():
        if outcome.filed.document_id in copied:
            done[outcome.filed.document_id] = outcome.filed
        yield outcome
    for filed, original in plan.copies:
        yield _copy(filed, original, done.get(original))


def _copy(filed: Filed, original: str, landed_as: Filed | None) -> Outcome:
    """A copy has the fate of its original: quarantined for the same reason, or a duplicate of the same document."""
    if landed_as is None:
        return duplicate(filed, original, None)
    if landed_as.status == "quarantined":
        return quarantined(filed, DocumentError(landed_as.error_message or "", code=landed_as.error_code))
    return duplicate(filed, landed_as.duplicate_of or original, landed_as.page_count)


def _settled(warehouse: Path, processor: Processor) -> Processor:
    """The processor with each outcome compared with the documents landed before it, in whatever order it gives them."""

    def run_jobs(jobs: Sequence[Job]) -> Iterator[Outcome]:
        from flows.alike import Relatives
        from flows.order import in_order

        with stage("compare"):
            relatives = Relatives(warehouse, warehouse / KEEP_FOLDER)
            jobs = relatives.arranged(jobs)
        for outcome in in_order(jobs, each(WAIT, processor(jobs)), warehouse / KEEP_FOLDER):
            with stage("compare"):
                settled = relatives.settled(outcome)
            yield settled

    return run_jobs


def _with_read_key(outcome: Outcome, plan: Plan) -> Outcome:
    """What could not be read does not hang on engine and playbook: a new version of these is no new try."""
    if outcome.filed.status == "quarantined":
        for row in outcome.rows["documents"]:
            row["work_key"] = plan.read_key
    return outcome


def _by_default(settings: Settings) -> Processor:
    if settings.dask:
        from flows.cluster import on_dask

        return on_dask(settings)
    return _in_pool(settings)


def _in_pool(settings: Settings) -> Processor:
    def run_jobs(jobs: Sequence[Job]) -> Iterator[Outcome]:
        ask_ahead(settings, jobs)
        with pool_of(settings, len(jobs)) as pool:
            yield from pool.outcomes(jobs)

    return run_jobs


def ask_ahead(settings: Settings, jobs: Sequence[Job]) -> None:
    """Has the provider answer in batches what the documents will ask about, when the settings say so."""
    if settings.openai_batch and (llm := next((job.llm for job in jobs if job.llm), None)):
        with pool_of(settings, len(jobs)) as pool:
            pool.plan(jobs)
        answer_in_batches(llm)


def pool_of(settings: Settings, jobs: int) -> AbstractContextManager["Workers"]:
    """Worker processes of this machine, as the settings ask for them."""
    from flows.pool import workers

    count = settings.workers
    if choose(settings.extractor) == "openai":  # workers mostly wait for answers
        count = max(count or os.cpu_count() or 1, settings.openai_concurrency)
    return workers(count, jobs, settings.document_timeout_seconds, settings.document_memory_mb)


def _run_row(request: Request, settings: Settings, run_id: str, started_at: datetime) -> dict:
    return {
        "run_id": run_id,
        "business_date": request.business_date or business_date(settings),
        "started_at": started_at,
        "extractor": choose(settings.extractor),
        "code_version": CODE_VERSION,
        "playbook_version": load_playbooks(settings.playbook).version,
        "tokens_in": 0,
        "tokens_out": 0,
        "cost_usd": 0.0,
        "inbox": str(place(request.inbox)),
        "trigger": request.trigger,
    }
