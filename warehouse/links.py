"""Links from a row to the page it rests on: the documents as they lie in the inbox of the run that landed them."""

from pathlib import Path

import duckdb

_LANDED = """SELECT d.document_id, r.inbox, d.source_uri, d.media_type FROM documents d
JOIN runs r ON r.run_id = d.run_id WHERE r.inbox IS NOT NULL"""
_PDF = "application/pdf"


class Links:
    """File URIs of documents that are still where they were read; each is looked for once."""

    def __init__(self, con: duckdb.DuckDBPyConnection):
        self._landed = {id: place for id, *place in con.execute(_LANDED).fetchall()}
        self._uris: dict[str, str | None] = {}

    def page(self, document_id: str | None, page_number: int | None) -> str | None:
        """The URI that opens the document, a PDF at its page; None where the file is not there."""
        if document_id not in self._landed:
            return None
        if document_id not in self._uris:
            self._uris[document_id] = self._uri(document_id)
        uri = self._uris[document_id]
        is_pdf = self._landed[document_id][2] == _PDF
        return f"{uri}#page={page_number}" if uri and page_number and is_pdf else uri

    def _uri(self, document_id: str) -> str | None:
        inbox, source_uri, _ = self._landed[document_id]
        path = Path(inbox, source_uri)
        return path.as_uri() if path.is_absolute() and _exists(path) else None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than the system takes, or a folder that may not be read
        return False
