"""Documents that are much alike: a re-scan becomes a duplicate of its original, the others are linked.

A document is compared with those landed before it, in earlier runs or in this one, so that the answer hangs on the
order of landing alone. What two documents are compared by is kept beside their readings, in a file whose name holds a
hash of the numbers, marks and signatures: where those differ there is no such file, and nothing has to be read.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from extractors.similar import FEWEST_WORDS, LINKED, SIGNATURE_LENGTH, Facts, facts, same, signature
from flows.jobs import Job, Outcome, linked, near_duplicate
from schemas.base import Frozen
from schemas.document import Document
from schemas.filed import Filed
from warehouse.keep import Keep
from warehouse.state import likenesses

STEP = "likeness"
MOST_LINKED = 20
"""Links of one document: of a thousand orders on one template each would name all others."""


class Likeness(NamedTuple):
    """A text's signature, empty for a text of few words, and the key of its facts; None for those never the same."""

    signature: tuple[int, ...] = ()
    facts_key: str | None = None


class _Kept(Frozen):
    facts: Facts


def keep_likeness(document: Document, read_key: str, keep: Keep) -> Likeness:
    """What a document is compared by; its facts are kept beside the reading that they were taken from."""
    found = facts(document)
    signed = signature(document.text)
    if len(found.words) < FEWEST_WORDS or not any(signed):
        return Likeness()
    if found.signatures is None:
        return Likeness(signed)
    strict = repr((found.numbers, found.marks, found.signatures))
    key = f"{read_key}-{sha256(strict.encode('utf-8', 'replace')).hexdigest()[:12]}"
    keep.save(STEP, key, _Kept(facts=found))
    return Likeness(signed, key)


_Order = tuple[datetime, list[str]]
"""When a document was landed first (in the end of time, if it is new), and the parts of its path."""


class _Entry(NamedTuple):
    order: _Order
    document_id: str
    contract_id: str


class Relatives:
    """The landed documents: those of earlier runs, and those of this run so far."""

    def __init__(self, root: Path, keep_folder: Path):
        held = likenesses(root, SIGNATURE_LENGTH)
        self._keep_folder = keep_folder
        self._first_landed = held.first_landed
        self._signatures = _Signatures(held.signatures)
        self._entries = [_Entry(self._order(id, uri), id, c) for id, c, uri in held.documents]
        self._places = {entry.document_id: place for place, entry in enumerate(self._entries)}
        self._facts_keys: dict[str, str | None] = {}  # of the documents of this run

    def arranged(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs in the order of landing: what was landed before in its old order, then the new ones by path."""
        return sorted(jobs, key=lambda job: self._order_of(job.filed))

    def settled(self, outcome: Outcome) -> Outcome:
        """The outcome as it is landed: as a duplicate of the first document that is the same, or linked.

        Outcomes come in the order of `arranged`. What was landed once stays landed. Facts that are no longer kept, or
        were taken from a reading by another version, are not compared: such documents are linked.
        """
        filed = outcome.filed
        if filed.likeness:
            alike = self._alike(filed)
            original = None if filed.document_id in self._first_landed else self._original(outcome, alike)
            if original:
                return near_duplicate(outcome, original.document_id)
            outcome = linked(outcome, tuple(entry.document_id for _, entry in alike[:MOST_LINKED]))
        self._put(filed)
        self._facts_keys[filed.document_id] = outcome.facts_key
        return outcome

    def _order_of(self, filed: Filed) -> _Order:
        return self._order(filed.document_id, filed.source_uri)

    def _order(self, document_id: str, source_uri: str) -> _Order:
        return self._first_landed.get(document_id, datetime.max), source_uri.split("/")

    def _alike(self, filed: Filed) -> list[tuple[float, _Entry]]:
        """Earlier documents with the share of their signature that is equal, the most alike first."""
        order = self._order_of(filed)
        found = ((share, self._entries[place]) for place, share in self._signatures.alike(filed.likeness))
        earlier = (it for it in found if it[1].order < order)
        return sorted(earlier, key=lambda it: (-it[0], it[1].order))

    def _original(self, outcome: Outcome, alike: Sequence[tuple[float, _Entry]]) -> _Entry | None:
        """The earliest of the documents that is the same."""
        if outcome.facts_key is None:
            return None
        own: Facts | None = None
        for entry in sorted(entry for _, entry in alike):
            if self._facts_keys.get(entry.document_id, outcome.facts_key) != outcome.facts_key:
                continue  # of a thousand orders on one template each would look for the facts of all others
            theirs = self._facts(entry.contract_id, outcome.facts_key)
            own = own or (self._facts(outcome.filed.contract_id, outcome.facts_key) if theirs else None)
            if theirs and own and same(own, theirs):
                return entry
        return None

    def _facts(self, contract_id: str, key: str) -> Facts | None:
        kept = Keep(self._keep_folder, contract_id).load(STEP, key, _Kept)
        return kept.facts if kept else None

    def _put(self, filed: Filed) -> None:
        """Hold a document for those behind it; one that was landed before and could not be read now is dropped."""
        place = self._places.get(filed.document_id)
        if place is not None:
            self._signatures.replace(place, filed.likeness or (0,) * SIGNATURE_LENGTH)
        elif filed.likeness:
            self._places[filed.document_id] = len(self._entries)
            self._entries.append(_Entry(self._order_of(filed), filed.document_id, filed.contract_id))
            self._signatures.append(filed.likeness)


class _Signatures:
    """Signatures in columns, so that one is compared with a million others value by value."""

    def __init__(self, signatures: np.ndarray):
        self._columns = np.ascontiguousarray(signatures.T)
        self._count = len(signatures)

    def append(self, signature: Sequence[int]) -> None:
        if self._count == self._columns.shape[1]:
            more = np.zeros((SIGNATURE_LENGTH, max(256, self._count)), np.uint32)
            self._columns = np.hstack((self._columns, more))
        self._count += 1
        self.replace(self._count - 1, signature)

    def replace(self, place: int, signature: Sequence[int]) -> None:
        self._columns[:, place] = signature

    def alike(self, signature: Sequence[int]) -> Iterator[tuple[int, float]]:
        """Places of those that have a share of at least `LINKED` of its values, and the shares."""
        equal = np.zeros(self._count, np.uint8)
        for column, value in zip(self._columns, signature, strict=True):
            equal += column[: self._count] == np.uint32(value)
        for place in np.flatnonzero(equal >= LINKED * SIGNATURE_LENGTH):
            yield int(place), float(equal[place]) / SIGNATURE_LENGTH
