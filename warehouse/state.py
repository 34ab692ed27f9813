"""What is already landed, as a run needs it to decide what is left to do."""

from collections.abc import Collection, Iterable
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from warehouse.catalogue import seen
from warehouse.heads import SCHEMA, Head, latest_heads
from warehouse.manifest import Manifest, current
from warehouse.parquet import read_columns

FORGOTTEN = "forgotten"
"""What the audit says of a contract that was erased."""


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
    """All documents and contracts by id; `run_id` is the last run's, None in an empty warehouse. `forgotten` are the
    hashes of files that must not come back."""

    documents: dict[str, DocumentHead]
    contracts: dict[str, ContractHead]
    run_id: str | None
    forgotten: frozenset[str] = frozenset()


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
    state = State({}, {}, manifest.run_id if manifest else None, _forgotten(root, manifest))
    _take(state, latest_heads(files, ids))
    if ids is not None:
        held = state.documents.values()
        behind = {id for head in held for id in (head.duplicate_of, head.contract_id) if id}
        _take(state, latest_heads(files, behind - state.documents.keys() - state.contracts.keys()))
    return state


def _forgotten(root: Path, manifest: Manifest | None) -> frozenset[str]:
    audit = manifest.files.get("audit", ()) if manifest else ()
    rows = (row for file in audit for row in read_columns(root / file, ["action", "sha256"]).to_pylist())
    return frozenset(sha256 for row in rows if row["action"] == FORGOTTEN for sha256 in row["sha256"] or ())


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
    root = Path(root)
    manifest = current(root)
    if manifest is None:
        return Likenesses([], np.zeros((0, length), np.uint32), {})
    with seen(root, manifest, tables_only=True) as con:
        held = con.sql(_SIGNED, params=[length]).to_arrow_table()
        first_landed = dict(con.execute(_FIRST_LANDED).fetchall())
    ids = (held[name].to_pylist() for name in ("document_id", "contract_id", "source_uri"))
    return Likenesses(list(zip(*ids, strict=True)), _signatures(held["likeness"], length), first_landed)


_SIGNED = """
SELECT document_id, contract_id, source_uri, likeness
FROM documents
WHERE status = 'landed' AND len(likeness) = ? AND list_max(likeness) > 0
ORDER BY document_id
"""
_FIRST_LANDED = "SELECT document_id, min(ingested_at) FROM documents_history WHERE status = 'landed' GROUP BY ALL"


def _signatures(lists: pa.ChunkedArray, length: int) -> np.ndarray:
    """A row for each of the lists, all of them this long."""
    chunks = [np.from_dlpack(chunk.flatten()).astype(np.uint32).reshape(-1, length) for chunk in lists.chunks]
    return np.concatenate([np.zeros((0, length), np.uint32), *chunks])
