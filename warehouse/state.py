"""What is already landed, as a run needs it to decide what is left to do."""

from collections.abc import Collection, Iterable
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from warehouse.heads import SCHEMA, Head, latest_heads
from warehouse.manifest import current
from warehouse.parquet import read_columns


class DocumentHead(NamedTuple):
    """The latest word on a document."""

    status: str
    contract_id: str
    work_key: str | None
    error_code: str | None
    run_id: str
    source_uri: str
    duplicate_of: str | None


class ContractHead(NamedTuple):
    """The latest version of a contract, and the document it was read from."""

    version: int
    work_key: str | None
    document_id: str
    run_id: str


class State(NamedTuple):
    """All documents and contracts by id; `run_id` is the last run's, None in an empty warehouse."""

    documents: dict[str, DocumentHead]
    contracts: dict[str, ContractHead]
    run_id: str | None


class Likenesses(NamedTuple):
    """The documents with status `landed` that have a signature.

    `documents` are their ids, contract ids and paths, `signatures` holds a row for each. `first_landed` says of every
    document that ever was landed when that was first.
    """

    documents: list[tuple[str, str, str]]
    signatures: np.ndarray
    first_landed: dict[str, datetime]


def landed(root: Path, ids: Collection[str] | None = None) -> State:
    """The state after the last committed run; empty where there is no warehouse.

    With `ids` only of these documents and contracts, and of the documents that they are duplicates of.
    """
    root = Path(root)
    manifest = current(root)
    files = [root / file for file in manifest.heads] if manifest else []
    state = State({}, {}, manifest.run_id if manifest else None)
    _take(state, latest_heads(files, ids))
    if ids is not None:
        held = state.documents.values()
        behind = {id for head in held for id in (head.duplicate_of, head.contract_id) if id}
        _take(state, latest_heads(files, behind - state.documents.keys() - state.contracts.keys()))
    return state


def _take(state: State, heads: Iterable[Head]) -> None:
    of_document = itemgetter(*map(SCHEMA.names.index, DocumentHead._fields))
    of_contract = itemgetter(*map(SCHEMA.names.index, ContractHead._fields))
    for head in heads:
        kind, id, *_ = head
        if kind == "document":
            state.documents[id] = DocumentHead._make(of_document(head))
        elif kind == "contract":
            state.contracts[id] = ContractHead._make(of_contract(head))


def likenesses(root: Path, length: int) -> Likenesses:
    """The signatures of this length after the last committed run; none where there is no warehouse."""
    manifest = current(Path(root))
    latest: dict[str, tuple[tuple[str, str, str], np.ndarray | None]] = {}
    first_landed: dict[str, datetime] = {}
    for file in manifest.files.get("documents", ()) if manifest else ():  # oldest first
        held = read_columns(Path(root) / file, [*_IDS, "status", "ingested_at", "likeness"])
        signatures = _signatures(held, length)
        ids, *more = (held[name].to_pylist() for name in (*_IDS, "status", "ingested_at"))
        for id, contract_id, uri, status, ingested_at, of in zip(ids, *more, signatures, strict=True):
            latest[id] = (id, contract_id, uri), of if status == "landed" and of.any() else None
            if status == "landed":
                first_landed.setdefault(id, ingested_at)
    chosen = [(document, signature) for document, signature in latest.values() if signature is not None]
    return Likenesses(
        [document for document, _ in chosen],
        np.array([signature for _, signature in chosen], np.uint32).reshape(-1, length),
        first_landed,
    )


_IDS = ("document_id", "contract_id", "source_uri")


def _signatures(held: pa.Table, length: int) -> np.ndarray:
    """A row of `likeness` for each of the table's, zeros where it has none; files of older runs lack the column."""
    found = np.zeros((len(held), length), np.uint32)
    start = 0
    for chunk in held["likeness"].chunks if "likeness" in held.column_names else ():
        offsets = np.from_dlpack(chunk.offsets)
        there = np.flatnonzero(np.diff(offsets) == length)
        if len(there):
            found[start + there] = np.from_dlpack(chunk.values)[offsets[there][:, None] + np.arange(length)]
        start += len(chunk)
    return found
