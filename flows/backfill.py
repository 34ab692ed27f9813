"""The backfill: its form, which the Prefect UI shows and the command line fills, and what it asks of a run."""

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flows.jobs import Stage
from flows.night import Request
from schemas.errors import WarehouseError
from schemas.settings import Settings, place
from warehouse.read import query


class Backfill(BaseModel):
    """Process contracts again, or those that were missed."""

    model_config = ConfigDict(extra="forbid")

    mode: Literal["missing", "failed", "stale", "all"] = Field(
        "missing",
        description="missing: not yet in the warehouse; failed: in quarantine; stale: processed by an older "
        "version; all: everything.",
    )
    from_date: date | None = Field(None, description="First day on which a document arrived in the inbox.")
    to_date: date | None = Field(None, description="Last day on which a document arrived in the inbox.")
    contract_ids: list[str] = Field(default_factory=list, description="Only these contracts; all when empty.")
    from_stage: Stage = Field("land", description="First step to do anew; what came before it is reused.")
    dry_run: bool = Field(False, description="Only count the documents it would take.")
    max_cost: float | None = Field(None, ge=0, description="Most US dollars to spend; embedded costs none.")

    @model_validator(mode="after")
    def _in_order(self) -> "Backfill":
        if self.from_date and self.to_date and self.from_date > self.to_date:
            raise ValueError("the first day lies after the last one")
        return self


def backfill_request(form: Backfill, settings: Settings, warehouse: Path, inbox: Path | str | None = None) -> Request:
    """The run that a form asks for, over the given inbox, the one of the settings, or that of the last run."""
    return Request(
        inbox=place(inbox or settings.inbox or _last_inbox(warehouse) or inbox_of(settings)),
        warehouse=warehouse,
        mode=form.mode,
        first=form.from_date,
        last=form.to_date,
        contract_ids=tuple(form.contract_ids),
        from_stage=form.from_stage,
        dry_run=form.dry_run,
        max_cost=form.max_cost,
        trigger="backfill",
    )


def inbox_of(settings: Settings) -> Path | str:
    """The folder that the schedule reads, or its URL."""
    return place(settings.inbox or settings.home / "inbox")


def _last_inbox(warehouse: Path) -> str | None:
    statement = "SELECT inbox FROM runs WHERE inbox IS NOT NULL ORDER BY started_at DESC LIMIT 1"
    try:
        rows = query(warehouse, statement)[1]
    except WarehouseError:  # nothing was ever run
        return None
    return rows[0][0] if rows else None
