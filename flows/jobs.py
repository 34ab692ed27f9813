"""What goes into a worker and what comes out: one document's job and its outcome."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from extractors.files import Limits
from schemas.base import Frozen
from schemas.errors import DocumentError
from schemas.filed import Filed
from schemas.llm import LlmSettings
from schemas.phrases import Language
from schemas.tables import TABLE_BY_NAME
from warehouse.rows import Rows, document_rows

Stage = Literal["read", "extract", "flag", "land"]


class Job(Frozen):
    """One document to process, and all that the result may depend on."""

    filed: Filed
    paths: tuple[Path, ...]
    part: int | None = None
    version: int
    limits: Limits
    extractor: str
    playbook: str | None
    language: Language = "en"
    our_entities: tuple[str, ...]
    today: date
    read_key: str
    extract_key: str
    keep_folder: Path
    llm: LlmSettings | None = None
    learned: Path | None = None
    from_stage: Stage = "land"


class Outcome(Frozen):
    """What became of a document: its rows, and the counts for the run's summary.

    `facts_key` says under which key the facts are kept that tell whether another document is the same; None when
    none can be. `stages` are the seconds of each stage of the line.
    """

    filed: Filed
    rows: Rows
    pages: int = 0
    flags: int = 0
    facts_key: str | None = None
    stages: dict[str, float] = Field(default_factory=dict)


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


def near_duplicate(outcome: Outcome, original: str) -> Outcome:
    """The outcome of a document that says the same as another one: its pages stay, it is no contract of its own."""
    rows = {name: of for name, of in outcome.rows.items() if TABLE_BY_NAME[name].level == "document"}
    changed = outcome.model_copy(update={"rows": rows, "flags": 0})
    return _with(changed, status="duplicate", duplicate_of=original)


def linked(outcome: Outcome, document_ids: tuple[str, ...]) -> Outcome:
    """The outcome with its links to documents that are much alike."""
    return _with(outcome, similar_to=document_ids)


def _with(outcome: Outcome, **changes: Any) -> Outcome:
    """The outcome with other values in its document's columns."""
    (row,) = outcome.rows["documents"]
    filed = outcome.filed.model_copy(update=changes)
    return outcome.model_copy(update={"filed": filed, "rows": outcome.rows | {"documents": [row | changes]}})


def now() -> datetime:
    """The time now in UTC, without a zone as the warehouse keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)
