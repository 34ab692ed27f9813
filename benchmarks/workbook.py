"""The workbook measured: seconds to export many rows, and to take a filled copy back.

    contract-agent benchmark workbook [--contracts 2500] [--flags 4] [--decisions 1000]

The warehouse is made up: each contract has 40 terms and a file in the inbox, so that each row has a link to its page.
The copy is written by another program than the export, as reviewers' spreadsheets do, with a decision on each of the
first flags. It is imported twice; the second time nothing should be taken.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl

from schemas.review import DECISIONS
from schemas.terms import TERMS
from warehouse.catalogue import publish
from warehouse.decisions import Taken, take
from warehouse.lake import land
from warehouse.read import query
from warehouse.rows import Rows, stable_id
from warehouse.workbook import export
from warehouse.workbook_import import filled_in

RUN = "made-up"
TERMS_EACH = 40
_BATCH = 100
_QUOTE = "Customer shall pay each undisputed invoice within {0} days of the invoice date, without set-off. " * 2
_SEVERITIES = ("critical", "high", "medium", "low")


def main(argv: Sequence[str] | None = None) -> int:
    """Prints counts and seconds as a table and as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark workbook", description=__doc__.splitlines()[0])
    parser.add_argument("--contracts", type=int, default=2_500)
    parser.add_argument("--flags", type=int, default=4, help="of each contract")
    parser.add_argument("--decisions", type=int, default=1_000)
    asked = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="workbook-"))
    try:
        result = measure(folder, asked.contracts, asked.flags, asked.decisions)
    finally:
        shutil.rmtree(folder)
    for name, value in result.items():
        print(f"{name:28} {value:>12,}")
    print(json.dumps(result))
    return 0


def measure(folder: Path, contracts: int, flags: int, decisions: int) -> dict[str, Any]:
    """Counts and seconds of an export, of the import of a filled copy, and of a second import of it."""
    root = folder / "warehouse"
    _fill(root, folder / "inbox", contracts, flags)
    book, export_seconds = _timed(lambda: export(root, folder / "morning.xlsx"))
    untouched, untouched_seconds = _timed(lambda: take(root, filled_in(book)))
    copy = folder / "filled.xlsx"
    said = _fill_in(book, copy, decisions)
    first, first_seconds = _timed(lambda: take(root, filled_in(copy)))
    again, again_seconds = _timed(lambda: take(root, filled_in(copy)))
    held = {row[0]: row[1:] for row in query(root, "SELECT target_id, decision, comment, reviewer FROM reviews")[1]}
    return {
        "rows_of_sources": query(root, "SELECT count(*) FROM terms")[1][0][0],
        "rows_of_queue": contracts * flags,
        "megabytes": round(book.stat().st_size / 1e6, 1),
        "export_seconds": export_seconds,
        "untouched_import_seconds": untouched_seconds,
        "untouched_taken": _taken(untouched),
        "filled": len(said),
        "import_seconds": first_seconds,
        "taken": _taken(first),
        "refused": len(first.refusals),
        "came_back_the_same": sum(held.get(id) == what for id, what in said.items()),
        "second_import_seconds": again_seconds,
        "second_taken": _taken(again),
    }


def _taken(taken: Taken) -> int:
    return taken.landed


def _timed(act: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.perf_counter()
    done = act()
    return done, round(time.perf_counter() - begun, 1)


def _fill(root: Path, inbox: Path, contracts: int, flags: int) -> None:
    inbox.mkdir()
    for number in range(contracts):
        (inbox / f"{number}.pdf").write_bytes(b"%PDF-")
    batches = (_rows(range(first, min(first + _BATCH, contracts)), flags) for first in range(0, contracts, _BATCH))
    land(root, {"run_id": RUN, "business_date": date(2026, 11, 20), "inbox": str(inbox)}, batches)
    publish(root)


def _rows(numbers: Sequence[int], flags: int) -> Rows:
    rows: Rows = {name: [] for name in ("documents", "contracts", "terms", "flags")}
    for number in numbers:
        ids = {"document_id": f"d_{number:016x}", "contract_id": f"c_{number:016x}", "run_id": RUN}
        rows["documents"].append(
            ids
            | {"source_uri": f"{number}.pdf", "file_name": f"{number}.pdf", "media_type": "application/pdf"}
            | {"status": "landed", "ingested_at": datetime.now(UTC)}
        )
        held = ids | {"version": 1}
        title = {"title": f"Agreement {number}", "counterparty": f"Customer {number % 400} LLC", "status": "landed"}
        rows["contracts"].append(held | title)
        rows["terms"] += (held | term for term in _terms(number))
        rows["flags"] += (held | _flag(number, at) for at in range(flags))
    return rows


def _terms(number: int) -> Iterator[dict[str, Any]]:
    for at in range(TERMS_EACH):
        term = TERMS[at % len(TERMS)].name
        yield {
            "term_id": stable_id("t_", number, at),
            "term": term,
            "value": str(number + at),
            "quote": _QUOTE.format(number + at),
            "page_number": 1 + at // 4,
            "evidence": "verified",
            "confidence": 0.9,
            "match_score": 1.0,
            "extractor": "embedded",
            "model": "m",
        }


def _flag(number: int, at: int) -> dict[str, Any]:
    return {
        "flag_id": stable_id("f_", number, at),
        "rule_id": f"R{at + 1:02}",
        "severity": _SEVERITIES[at % 4],
        "clause_type": "payment_terms",
        "found": f"{number} days",
        "standard": "30 days",
        "reason": "Payment is due later than we ask for. " * 3,
        "refs": ["PB-1.1", "606-32-15"],
        "quote": _QUOTE.format(number),
        "page_number": 1 + at,
        "evidence": "verified",
        "confidence": 0.8,
        "status": "proposed",
    }


def _fill_in(book: Path, copy: Path, decisions: int) -> dict[str, tuple[str, str, str]]:
    """Write a copy with decisions on the first flags of Non-standard; gives back what was said of each."""
    read, written = openpyxl.load_workbook(book, read_only=True), openpyxl.Workbook(write_only=True)
    said: dict[str, tuple[str, str, str]] = {}
    for sheet in read:
        page = written.create_sheet(sheet.title)
        rows = sheet.iter_rows(values_only=True)
        header = next(rows)
        page.append(header)
        for at, row in enumerate(rows):
            filled = dict(zip(header, row, strict=False))
            if sheet.title == "Non-standard" and at < decisions:
                what = _said(at)
                said[filled["Flag id"]] = what
                filled |= dict(zip(("Decision", "Comment", "Reviewer"), what, strict=True))
                filled |= {"New value": "45 days", "Reason code": "other"} if what[0] == "overridden" else {}
            page.append([filled.get(name) for name in header])
    written.save(copy)
    read.close()
    return said


def _said(at: int) -> tuple[str, str, str]:
    return DECISIONS[at % len(DECISIONS)], f"looked at {at}\n- twice", "Ada Moreno"


if __name__ == "__main__":
    raise SystemExit(main())
