"""What the inbox says of a document: where it came from and what became of it."""

from datetime import datetime
from typing import Literal

from schemas.base import Frozen

DocumentStatus = Literal["landed", "duplicate", "quarantined"]


class Filed(Frozen):
    """A document of the inbox after a run looked at it.

    `source_uri` is the inbox-relative path with forward slashes (or a URI); `file_name` its base name, for
    photos in a folder the folder's name. `duplicate_of` names the original's `document_id`. `work_key` is
    what the work rests on (content, engine, schema): the same key means that nothing is to be done again.
    `similar_to` are documents that say nearly the same, `likeness` the signature by which they are found.
    `ingested_at` is UTC. `page_count` is None where the document could not be opened.
    """

    document_id: str
    contract_id: str
    source_uri: str
    file_name: str
    sha256: str
    media_type: str
    status: DocumentStatus
    duplicate_of: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    run_id: str
    ingested_at: datetime
    work_key: str | None = None
    seconds: float = 0.0
    page_count: int | None = None
    similar_to: tuple[str, ...] = ()
    likeness: tuple[int, ...] = ()
