"""What goes into a worker and what comes out: one document's job and its outcome."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from extractors.files import Limits
from schemas.base import Frozen
from schemas.errors import DocumentError
from schemas.filed import Filed
from warehouse.rows import Rows, document_rows

Stage = Literal["read", "extract", "flag", "land"]


class Job(Frozen):
    """One document to process, and all that the result may depend on."""

    filed: Filed
    paths: tuple[Path, ...]
    version: int
    limits: Limits
    extractor: str
    playbook: str | None
    our_entities: tuple[str, ...]
    today: date
    read_key: str
    extract_key: str
    keep_folder: Path
    from_stage: Stage = "land"


class Outcome(Frozen):
    """What became of a document: its rows, and the counts for the run's summary."""

    filed: Filed
    rows: Rows
    pages: int = 0
    flags: int = 0


def quarantined(filed: Filed, error: DocumentError, seconds: float = 0.0) -> Outcome:
    """The outcome of a document that can't be processed."""
    filed = filed.model_copy(
        update={
            "status": "quarantined",
            "error_code": error.code,
            "error_message": str(error),
            "seconds": seconds,
        }
    )
    return Outcome(filed=filed, rows=document_rows(filed, None))


def duplicate(filed: Filed, original: str, page_count: int | None) -> Outcome:
    """The outcome of a document whose bytes are those of another one."""
    filed = filed.model_copy(update={"status": "duplicate", "duplicate_of": original, "page_count": page_count})
    return Outcome(filed=filed, rows=document_rows(filed, None))


def now() -> datetime:
    """The time now in UTC, without a zone as the warehouse keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)
