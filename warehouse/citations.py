"""Where the rows of an answer stand: file and page of each row that carries a contract or a document."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from warehouse.read import Row, query

_FILES = """SELECT document_id, contract_id, file_name FROM documents
WHERE document_id IN (SELECT unnest($ids::VARCHAR[])) OR contract_id IN (SELECT unnest($ids::VARCHAR[]))
ORDER BY status = 'duplicate', file_name DESC"""


class Citation(NamedTuple):
    """A file, the page in it (None where the row names none), and the words on it, if the row has them."""

    file_name: str
    page_number: int | None
    quote: str | None


def citations(root: Path, columns: Sequence[str], rows: Sequence[Row]) -> list[Citation]:
    """The places that rows rest on, in their order, each once; none for rows without a contract or document."""
    at = {name: place for place, name in enumerate(columns)}
    keys = [at[name] for name in ("document_id", "contract_id") if name in at]
    ids = sorted({str(row[key]) for row in rows for key in keys if row[key]})
    if not ids:
        return []
    file_of: dict[str, str] = {}
    for document_id, contract_id, file_name in query(root, _FILES, {"ids": ids})[1]:
        file_of[document_id] = file_name
        file_of.setdefault(contract_id, file_name)  # of equal documents, the one that was landed
    return list(dict.fromkeys(_cited(rows, keys, at, file_of)))


def _cited(rows: Sequence[Row], keys: Sequence[int], at: dict[str, int], file_of: dict[str, str]) -> Iterator[Citation]:
    for row in rows:
        file_name = next((file_of[str(row[key])] for key in keys if str(row[key]) in file_of), None)
        if file_name:
            page = row[at["page_number"]] if "page_number" in at else None
            quote = row[at["quote"]] if "quote" in at else None
            yield Citation(
                file_name, page if isinstance(page, int) else None, quote if isinstance(quote, str) else None
            )
