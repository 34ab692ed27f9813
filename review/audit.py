"""The log of events as CSV, for whoever audits, and what an export proves of the log later."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from uuid import uuid4

from review.store import Store, Witness
from schemas.review import Event, NewEvent, ReviewError
from warehouse.manifest import settle

COLUMNS = (
    *("number", "at", "actor", "action", "contract_id", "target", "target_id", "refers_to", "body"),
    "sha256",
)
_BATCH = 2_000
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(store: Store, *, after: int = 0) -> Iterator[str]:
    """The log as lines of CSV, a head first, in batches: what comes in meanwhile is in it, too."""
    yield _line(COLUMNS)
    while events := store.events(after=after, limit=_BATCH):
        for event in events:
            yield _line(_cells(event))
        after = events[-1].number


def export_csv(store: Store, out: Path, *, by: str, after: int = 0) -> int:
    """Write the log and how many events it has; that somebody did is the last of them. Raises ReviewError (code
    `export`) when the file can't be written."""
    out = Path(out).absolute()
    built = out.with_name(f".{out.name}-{uuid4().hex}.tmp")
    store.append(NewEvent(actor=by, action="exported", body={"what": "audit"}))
    count = -1
    try:
        with built.open("w", encoding="utf-8", newline="") as file:
            for line in lines(store, after=after):
                file.write(line)
                count += 1
        settle(built, out)
    except OSError as error:
        raise ReviewError(
            f"{out} can't be written: {error}.", help="Give the path of a file in a folder that exists.", code="export"
        ) from error
    finally:
        built.unlink(missing_ok=True)
    return count


def witnesses_of(exported: Path) -> list[Witness]:
    """The numbers and hashes of an export. Raises ReviewError (code `export`) when it is none."""
    try:
        with Path(exported).open(encoding="utf-8", newline="") as file:
            csv.field_size_limit(2**31 - 1)
            return [Witness(int(row["number"]), row["sha256"]) for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise ReviewError(
            f"{exported} is no export of the log: {error}.",
            help="`contract-agent audit export OUT.csv` writes one.",
            code="export",
        ) from error


def _cells(event: Event) -> list[str]:
    row = event.model_dump(mode="json")
    row |= {name: None if row[name] is None else json.dumps(row[name]) for name in ("refers_to", "body")}
    return [_cell(row[name]) for name in COLUMNS]


def _cell(value: object) -> str:
    """Text that a spreadsheet would take for a formula has an apostrophe before it."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_BEGINS_FORMULA) else text


def _line(cells: "list[str] | tuple[str, ...]") -> str:
    held = StringIO()
    csv.writer(held).writerow(cells)
    return held.getvalue()
