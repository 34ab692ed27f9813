"""The desk: what was published, with the live decisions over it.

One connection a publication. The queue is held in memory and loaded again in the background when a new catalogue is
published; contracts that were looked at are kept for the next look.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from review.conflicts import Conflicts, kind_of
from review.contracts import Contracts, Raw
from review.facts import ContractDates, TargetFacts
from review.family import family
from review.live import Decisions, Live
from review.published import Filed, Published, page_info
from review.queue import neighbours, open_flags, queue_page
from review.shown import (
    EVERYTHING,
    SEVERITIES,
    Conflict,
    ContractPage,
    ContractRow,
    ContractView,
    Item,
    Mark,
    Neighbours,
    QueueFilters,
    QueuePage,
    QueueSort,
    Row,
)
from schemas.errors import WarehouseError
from schemas.review import SETTLED, WITHDRAWN, ReviewError, TargetName
from schemas.terms import TERM_BY_NAME
from warehouse.decisions import TARGETS, evidence_of
from warehouse.manifest import CATALOGUE

_LOG = logging.getLogger(__name__)
_PLACE_OF_TERM = {name: place for place, name in enumerate(TERM_BY_NAME)}


class Desk:
    """Published rows with the live decisions over them; any number of threads may ask.

    Where there is no warehouse yet every question raises WarehouseError `no_warehouse`, until there is one.
    """

    def __init__(self, root: Path, store: Decisions):
        self.root = Path(root)
        self._live = Live(store)
        self._lock = Lock()
        self._loading: Thread | None = None
        self._stamp: tuple[int, ...] | None = None
        self._shown: _Shown | None = None

    def publication(self) -> str:
        """What tells one published state from another."""
        return self._now().published.name

    def queue(
        self, filters: QueueFilters = EVERYTHING, sort: QueueSort = "priority", page: int = 1, size: int = 50
    ) -> QueuePage:
        """A page of the queue, from 1; one behind the last is empty."""
        return queue_page(self._now().published, filters, sort, page, size, _today())

    def around(self, flag_id: str, filters: QueueFilters = EVERYTHING, sort: QueueSort = "priority") -> Neighbours:
        """What stands before and after a flag in the queue, also when it was decided since. For a flag that the queue
        does not know, `next` is the first."""
        shown = self._now()
        found = neighbours(shown.published, flag_id, filters, sort, _today())
        if found.next:
            shown.contracts.make_ready(found.next.contract_id)
        return found

    def contract(self, contract_id: str) -> ContractView:
        """A contract. Raises ReviewError `not_found` when there is none."""
        shown = self._now()
        raw = shown.contracts.get(contract_id)
        if raw is None:
            raise ReviewError(
                f"There is no contract {contract_id}.",
                help="It may have been forgotten, or its document replaced: look for it in the list of contracts.",
                code="not_found",
            )
        return _view(raw, self._live, shown.published)

    def target(self, target: TargetName, target_id: str) -> TargetFacts | None:
        """What the rules ask of a target; None when it is not there (any more)."""
        contracts = self._now().contracts
        of = TARGETS.get(target)
        contract_id = contracts.of_target((target, target_id)) if of else None
        raw = contracts.get(contract_id) if contract_id else None
        row = next((row for row in raw.rows[of.table] if row[of.id] == target_id), None) if raw and of else None
        if raw is None or of is None or row is None:
            return None
        total_value = raw.contract["total_value"]
        return TargetFacts(
            contract_id=raw.contract_id,
            field=row[of.field],
            severity=row.get("severity"),
            total_value=None if total_value is None else float(total_value),
            evidence_hash=evidence_of(target, row),
            value=row[of.seen[0]],
            dates=_dates(raw.contract),
        )

    def critical_flags(self, contract_id: str) -> list[str]:
        """The ids of all critical flags of a contract that were published, whatever was decided on them; but those of
        rules that are not asked of it."""
        shown = self._now()
        raw, overruled = shown.contracts.get(contract_id), shown.published.overruled(contract_id)
        flags = raw.rows["flags"] if raw else []
        return sorted(f["flag_id"] for f in flags if f["severity"] == "critical" and f["rule_id"] not in overruled)

    def dates(self, contract_id: str) -> ContractDates | None:
        """When the contract runs, None when there is no such contract."""
        raw = self._now().contracts.get(contract_id)
        return _dates(raw.contract) if raw else None

    def document(self, document_id: str) -> Filed | None:
        """Where a document came from, and its pages; None when there is no such document."""
        return self._now().published.document(document_id)

    def crop(self, document_id: str, number: int) -> bytes | None:
        """The picture (PNG) of a mark by its number within the document; None where there is none."""
        return self._now().published.crop(document_id, number)

    def conflicts(self) -> list[Conflict]:
        """Decisions that what was read later contradicts, the newest first."""
        return self._now().conflicts.all(self._live)

    def contracts(self, q: str = "", page: int = 1, size: int = 50) -> ContractPage:
        """A page of the list of contracts, the newest first; each word of `q` is looked for in titles, parties, file
        names and ids."""
        published = self._now().published
        words = {f"word{at}": word for at, word in enumerate(q.lower().split())}
        where = " AND ".join(f"contains(words, ${name})" for name in words) or "true"
        ((count,),) = [
            row.values() for row in published.rows(f"SELECT count(*) FROM memory.main.listed WHERE {where}", words)
        ]
        sql = f"""SELECT * EXCLUDE (words, company, document_id) FROM memory.main.listed WHERE {where}
            ORDER BY ingested_at DESC NULLS LAST, contract_id LIMIT $size OFFSET $offset"""
        rows = published.rows(sql, words | {"size": size, "offset": (page - 1) * size})
        flags = open_flags(published, [row["contract_id"] for row in rows])
        none = {"open_flags": 0, "worst": None}
        shown = tuple(ContractRow(**(none | flags.get(row["contract_id"], {}) | row)) for row in rows)
        return ContractPage(rows=shown, total=count, page=page, size=size, publication=published.name)

    def prepare(self) -> None:
        """Wait until all is ready that is done beforehand: conflicts, and the contracts at the head of the queue."""
        self._now().prepare(self._live)

    @property
    def is_loading(self) -> bool:
        """Whether a new publication is being loaded, and a former one shown meanwhile."""
        return bool(self._loading and self._loading.is_alive())

    def settle(self) -> None:
        """Wait until a new publication that is being loaded is shown."""
        loading = self._loading
        if loading:
            loading.join()

    def close(self) -> None:
        """Give the connection back."""
        self.settle()
        if self._shown:
            self._shown.prepare(self._live)  # waits for who is at it
            self._shown.contracts.close()
            self._shown.published.close()

    # --- Which publication is shown

    def _now(self) -> "_Shown":
        """The publication that is shown, with all that was decided up to now."""
        stamp = self._stamp_of_catalogue()
        if self._shown is None:
            with self._lock:
                if self._shown is None:
                    self._load(stamp)
        elif stamp != self._stamp:
            self._load_in_background(stamp)
        shown = self._shown
        assert shown is not None
        self._live.refresh()
        shown.published.follow(self._live)
        return shown

    def _load_in_background(self, stamp: tuple[int, ...] | None) -> None:
        with self._lock:
            if stamp == self._stamp or self.is_loading:
                return
            self._loading = Thread(target=self._load_or_tell, args=(stamp,), name="desk-load")
            self._loading.start()

    def _load_or_tell(self, stamp: tuple[int, ...] | None) -> None:
        try:
            self._load(stamp)
        except WarehouseError as error:
            _LOG.warning("The former publication is shown on: %s", error)
            self._stamp = stamp  # until the next one

    def _load(self, stamp: tuple[int, ...] | None) -> None:
        """Read the publication, all of it before it is shown; who asks meanwhile goes on with the former one."""
        shown = _Shown(Published(self.root), self._shown)
        self._live.refresh()
        shown.published.follow(self._live)
        if self._shown is not None:
            shown.prepare(self._live)
        else:
            Thread(target=shown.prepare, args=(self._live,), name="desk-prepare").start()
        self._shown, self._stamp = shown, stamp

    def _stamp_of_catalogue(self) -> tuple[int, ...] | None:
        """Changes with every publication: the catalogue is put in place by a rename."""
        try:
            found = (self.root / CATALOGUE).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


class _Shown:
    """A publication and what was found in it."""

    def __init__(self, published: Published, former: "_Shown | None"):
        self.published = published
        self.contracts = Contracts(published, former.contracts if former else None)
        self.conflicts = Conflicts(published)
        self._preparing = Lock()

    def prepare(self, live: Live) -> None:
        """Do what takes long before anybody waits for it."""
        with self._preparing:
            self.contracts.bring_near()
            self.conflicts.all(live)


def _today() -> date:
    return datetime.now(UTC).date()


def _dates(contract: Row) -> ContractDates:
    """As forgetting a contract takes them."""
    first = contract["effective_date"] or contract["agreement_date"]
    return ContractDates(first=first, last=contract["expiration_date"] or date.max)


def _view(raw: Raw, live: Live, published: Published) -> ContractView:
    rows = raw.rows
    reviews = published.reviews(raw.contract_id)
    decided = _last_decided(reviews)
    overruled = published.overruled(raw.contract_id)
    terms = [_item("term", row, decided, live) for row in rows["terms"]]
    flags = [_item("flag", row, decided, live, overruled) for row in rows["flags"]]
    topics = [_item("asc606", row, decided, live) for row in rows["asc606"]]
    keys = {key for row in rows["flags"] for key in row["refs"] or ()}
    keys |= {key for row in rows["asc606"] for key in row["paragraphs"] or ()}
    return ContractView(
        contract_id=raw.contract_id,
        contract=raw.contract,
        terms=tuple(sorted(terms, key=lambda item: (_PLACE_OF_TERM.get(item.name, len(_PLACE_OF_TERM)), item.id))),
        flags=tuple(sorted(flags, key=lambda item: (SEVERITIES.index(item.row["severity"]), item.name, item.id))),
        topics=tuple(topics),
        documents=tuple(rows["documents"]),
        pages=tuple(page_info(row) for row in rows["pages"]),
        marks=tuple(_marks(rows["marks"])),
        family=family(rows["members"], rows["in_force"], rows["said"], rows["effects"]),
        in_force=tuple(rows["in_force"] or _alone(raw)),
        family_conflicts=tuple(rows["family_conflicts"]),
        fee_lines=tuple(rows["fee_lines"]),
        billing_schedule=tuple(rows["billing_schedule"]),
        obligations=tuple(rows["obligations"]),
        document_references=tuple(rows["document_references"]),
        reviews=tuple(reviews),
        references={key: published.references[key] for key in sorted(keys) if key in published.references},
        publication=published.name,
    )


def _last_decided(reviews: Sequence[Row]) -> dict[tuple[str, str], Row]:
    """The last landed decision on each target; `reviews` are in the order of their times."""
    return {(row["target"], row["target_id"]): row for row in reviews}


def _item(
    target: TargetName,
    row: Row,
    decided: Mapping[tuple[str, str], Row],
    live: Live,
    overruled: frozenset[str] = frozenset(),
) -> Item:
    of = TARGETS[target]
    on = (target, row[of.id])
    standing, landed = live.standing.get(on), decided.get(on)
    since = live.since(on)
    if landed and since and since < landed["decided_at"]:
        standing = None  # somebody decided again elsewhere, in the workbook
    elif on in live.reopened:
        landed = None
    if landed and landed["decision"] == WITHDRAWN:
        landed = None
    counts: Mapping[str, Any] | None = landed
    if standing and standing.state == "effective":
        counts = standing.model_dump()
    value = row[of.seen[0]]
    status = counts["decision"] if counts else row.get("status") or "proposed"
    if row[of.field] in overruled and status not in SETTLED:
        status = "not_applicable"
    return Item(
        target=target,
        id=row[of.id],
        name=row[of.field],
        value=counts["new_value"] if counts and counts["new_value"] is not None else value,
        status=status,
        evidence_hash=evidence_of(target, row),
        page_number=row["page_number"],
        row=row,
        standing=standing,
        decided=landed,
        conflict=bool(counts and kind_of(target, counts, row)),
    )


def _marks(rows: Sequence[Row]) -> list[Mark]:
    """The marks with their numbers within each document."""
    counts: dict[str, int] = {}
    marks = []
    for row in rows:
        number = counts.get(row["document_id"], 0)
        counts[row["document_id"]] = number + 1
        names = ("document_id", "page_number", "kind", "source", "confidence", "has_crop")
        box = (row["x0"], row["y0"], row["x1"], row["y1"])
        marks.append(Mark(**{name: row[name] for name in names}, number=number, text=row["text"] or "", box=box))
    return marks


def _alone(raw: Raw) -> list[Row]:
    """What holds of a contract that stands alone, as the view contract_in_force has it."""
    if raw.rows["members"]:
        return []
    contract = raw.contract
    since = contract["effective_date"] or contract["agreement_date"] or contract["signed_date"]
    names = ("contract_id", "term", "value", "value_date", "value_number", "unit", "quote", "page_number", "evidence")
    return [
        {name: row[name] for name in names}
        | {"family_id": contract["family_id"], "effective_from": since}
        | {"set_by_contract_id": row["contract_id"], "set_by_document_id": row["document_id"]}
        for row in raw.rows["terms"]
        if row["absence"] is None
    ]
