"""What is already landed, as a run needs it to decide what is left to do."""

from pathlib import Path
from typing import NamedTuple

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


def landed(root: Path) -> State:
    """The state after the last committed run; empty where there is no warehouse."""
    manifest = current(Path(root))
    documents: dict[str, DocumentHead] = {}
    contracts: dict[str, ContractHead] = {}
    if manifest and manifest.heads:
        columns = ["kind", "id", *dict.fromkeys((*DocumentHead._fields, *ContractHead._fields))]
        held = read_columns(Path(root) / manifest.heads, columns).to_pydict()
        of = {name: held[name] for name in columns}
        document_rows = zip(*(of[name] for name in DocumentHead._fields), strict=True)
        contract_rows = zip(*(of[name] for name in ContractHead._fields), strict=True)
        for kind, id, d, c in zip(of["kind"], of["id"], document_rows, contract_rows, strict=True):
            if kind == "document":
                documents[id] = DocumentHead._make(d)
            else:
                contracts[id] = ContractHead._make(c)
    return State(documents, contracts, manifest.run_id if manifest else None)
