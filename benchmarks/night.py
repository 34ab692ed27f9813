"""The night run measured: quality on the sample contracts, speed on real folders, and what kill -9 does.

    contract-agent benchmark night samples
    contract-agent benchmark night folder PDF_FOLDER [--counts 50 100 200]
    contract-agent benchmark night again PDF_FOLDER
    contract-agent benchmark night kill [--times 20]

Public folders to run it on: the PDFs of CUAD v1 (The Atticus Project, CC BY 4.0) and of Kleister-NDA (Applica.ai).
"""

import argparse
import json
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.gold import (
    SAMPLES,
    Finding,
    flag_findings,
    misplaced_quotes,
    precision_recall,
    share_right,
    status_findings,
    term_findings,
)
from benchmarks.pages import pdfs_in
from warehouse.read import query

AGENT = Path(sys.executable).parent / "contract-agent"
# What a run stamps on its rows differs from run to run; all else must be the same.
STAMPS = {"run_id", "ingested_at", "started_at", "finished_at", "seconds", "version"}
TABLES = (
    "documents",
    "pages",
    "edit_marks",
    "contracts",
    "terms",
    "clauses",
    "flags",
    "asc606",
    "chunks",
    "retrievals",
)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the measurement named on the command line and print it as a table and as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark night", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    samples_command = commands.add_parser("samples", help="terms, flags and quotations against the gold")
    samples_command.add_argument("--wrong", action="store_true", help="list what is wrong")
    samples_command.set_defaults(measure=samples)
    folder_command = commands.add_parser("folder", help="speed and memory on a folder of PDFs")
    folder_command.add_argument("folder", type=Path)
    folder_command.add_argument("--counts", type=int, nargs="*", default=[])
    folder_command.set_defaults(measure=folder)
    again_command = commands.add_parser("again", help="a second run over the same inbox")
    again_command.add_argument("folder", type=Path)
    again_command.set_defaults(measure=again)
    kill_command = commands.add_parser("kill", help="kill -9 at random moments of a run")
    kill_command.add_argument("--times", type=int, default=20)
    kill_command.add_argument("--inbox", type=Path, default=SAMPLES)
    kill_command.set_defaults(measure=kill)
    arguments = parser.parse_args(argv)
    print(json.dumps(arguments.measure(arguments), default=str))


def samples(arguments: argparse.Namespace) -> dict[str, Any]:
    """Bar 2: every document as its gold says; terms and flags right; quotations on their page."""
    with _warehouse() as warehouse:
        summary = _run(SAMPLES, warehouse)
        terms, flags, statuses = (
            term_findings(warehouse),
            flag_findings(warehouse),
            status_findings(warehouse),
        )
        misplaced = misplaced_quotes(warehouse)
    by_class: dict[str, list[Finding]] = defaultdict(list)
    for finding in terms:
        by_class["digital" if finding.capture_class == "digital" else "scan or photo"].append(finding)
    precision, recall = precision_recall(flags)
    if arguments.wrong:
        for finding in [*statuses, *terms, *flags]:
            if not finding.right:
                print(f"{finding.path:45} {finding.name:28} gold {finding.gold!r:32} found {finding.found!r}")
    result = {
        "statuses_right": share_right(statuses),
        **{f"terms_right {name}": round(share_right(found), 4) for name, found in sorted(by_class.items())},
        **{
            f"stated_terms_right {name}": round(share_right(f for f in found if f.gold not in (None, [])), 4)
            for name, found in sorted(by_class.items())
        },
        "flags_precision": round(precision, 4),
        "flags_recall": round(recall, 4),
        "verified_quotes_misplaced": len(misplaced),
        "summary": summary,
    }
    _show(result)
    return result


def folder(arguments: argparse.Namespace) -> dict[str, Any]:
    """Bar 3: nothing lost; pages a second, peak memory, and cost a contract as their number grows."""
    files = pdfs_in(arguments.folder)
    rows = [_measured(files[:count]) for count in [*arguments.counts, len(files)]]
    for row in rows:
        _show(row)
    return {"folder": arguments.folder.name, "runs": rows}


def _measured(files: Sequence[Path]) -> dict[str, Any]:
    with _warehouse() as warehouse, tempfile.TemporaryDirectory() as inbox:
        for number, file in enumerate(files):
            shutil.copyfile(file, Path(inbox) / f"{number:04d} {file.name}")
        begun = time.perf_counter()
        summary = _run(Path(inbox), warehouse)
        seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "documents": summary["documents"],
        "landed": summary["contracts"],
        "duplicates": summary["duplicates"],
        "quarantined": summary["quarantined"],
        "lost": len(files) - summary["contracts"] - summary["duplicates"] - summary["quarantined"],
        "pages": summary["pages"],
        "seconds": round(seconds, 1),
        "pages_per_second": round(summary["pages"] / seconds, 1),
        "milliseconds_per_page": round(1000 * seconds / max(1, summary["pages"]), 2),
        "peak_megabytes_of_largest_process": round(peak),
    }


def again(arguments: argparse.Namespace) -> dict[str, Any]:
    """Bar 4: a second run adds no row and takes under 5 % of the first."""
    with _warehouse() as warehouse:
        times, counts = [], []
        for _ in range(2):
            begun = time.perf_counter()
            _run(arguments.folder, warehouse)
            times.append(time.perf_counter() - begun)
            counts.append([query(warehouse, f"SELECT count(*) FROM {t}_history")[1][0][0] for t in TABLES])
    result = {
        "first_seconds": round(times[0], 2),
        "second_seconds": round(times[1], 2),
        "ratio": round(times[1] / times[0], 4),
        "new_rows": sum(counts[1]) - sum(counts[0]),
    }
    _show(result)
    return result


def kill(arguments: argparse.Namespace) -> dict[str, Any]:
    """Bar 5: killed at random moments and run again, the tables are those of a run that was not killed."""
    chance = random.Random(7)
    with _warehouse() as expected_in, _warehouse() as warehouse:
        begun = time.perf_counter()
        _run(arguments.inbox, expected_in)
        length = time.perf_counter() - begun
        expected = _contents(expected_in)
        wrong, reads = [], 0
        for number in range(arguments.times):
            shutil.rmtree(warehouse, ignore_errors=True)
            warehouse.mkdir()
            with _reader(warehouse) as reader:
                _run_and_kill(arguments.inbox, warehouse, chance.uniform(0.3, length))
                _run(arguments.inbox, warehouse)
            reads += reader["reads"]
            if reader["errors"] or _contents(warehouse) != expected:
                wrong.append({"kill": number, "errors": reader["errors"][:2]})
            print(
                f"kill {number + 1} of {arguments.times}: {'wrong' if wrong else 'same tables'}",
                file=sys.stderr,
            )
    result = {"kills": arguments.times, "wrong": wrong, "reads_meanwhile": reads}
    _show(result)
    return result


def _run_and_kill(inbox: Path, warehouse: Path, after: float) -> None:
    process = subprocess.Popen(_command(inbox, warehouse), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def _reader(warehouse: Path) -> Iterator[dict[str, Any]]:
    """Queries in a loop as any client would; an error, or a half run, is noted."""
    seen: dict[str, Any] = {"reads": 0, "errors": []}
    stop = threading.Event()

    def loop() -> None:
        file = warehouse / "warehouse.duckdb"
        while not stop.is_set():
            if file.is_file():
                try:
                    with duckdb.connect(str(file), read_only=True) as connection:
                        statement = """SELECT (SELECT count(*) FROM contracts),
                            (SELECT count(*) FROM documents WHERE status = 'landed'),
                            (SELECT count(DISTINCT contract_id) FROM terms)"""
                        counts = set(connection.execute(statement).fetchall()[0])
                    seen["reads"] += 1
                    if len(counts) > 1:
                        seen["errors"].append(f"half a run: {counts}")
                except duckdb.Error as error:
                    seen["errors"].append(str(error)[:200])
            time.sleep(0.05)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _contents(warehouse: Path) -> dict[str, list]:
    """All rows of all tables in a fixed order, without what a run stamps on them."""
    contents = {}
    for table in TABLES:
        columns, rows = query(warehouse, f"SELECT * FROM {table}")
        kept = [i for i, name in enumerate(columns) if name not in STAMPS]
        contents[table] = sorted(repr([row[i] for i in kept]) for row in rows)
    return contents


@contextmanager
def _warehouse() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="contract-agent-") as folder:
        yield Path(folder) / "warehouse"


def _command(inbox: Path, warehouse: Path) -> list[str]:
    return [str(AGENT), "run", str(inbox), "--warehouse", str(warehouse)]


def _run(inbox: Path, warehouse: Path) -> dict[str, Any]:
    done = subprocess.run(_command(inbox, warehouse), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"The run failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def _show(result: dict[str, Any]) -> None:
    for name, value in result.items():
        print(f"{name:40} {value}")
    print()
