"""What a warehouse of a million contracts answers, and how fast: every morning view, every named question, text search.

    contract-agent benchmark million [--contracts 1000000] [--beside 200000] [--folder DIR] [--all-open]

The contracts are made up (see `million_rows`). Measured: queries in one connection, before ("live") and after the
answers are worked out ("hot"), and each in a process of its own; landing a night of 1,000 with the real linking and the
real gates, publishing it, working out its answers, compacting after it; and some of the queries beside SQLite, Postgres
and pandas. Seconds hang on what else the machine does, so processor seconds stand beside them. With `--folder` the
warehouse is made there, or taken from there, and stays.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from warehouse.catalogue import ANSWERS, MORNING_VIEWS
from warehouse.questions import fitted, outside, questions
from warehouse.read import connect
from warehouse.search import search

AGENT = Path(sys.executable).parent / "contract-agent"
NIGHT = 1_000
ROWS_OF_A_PAGE = 100
ROWS_OF_AN_ANSWER = 1_000
LONGEST = 3.0  # a query that took so many seconds in all is not repeated again
_OF_A_CONTRACT = ("terms", "clauses", "flags", "review_queue", "nonstandard_terms", "asc606_checklist")
_LIKE = {
    "text LIKE, count": "SELECT count(*) FROM clauses WHERE text LIKE '%dedicated server%'",
    "text ILIKE, count": "SELECT count(*) FROM clauses WHERE text ILIKE '%dedicated server%'",
}
_SEARCHES = {"a frequent word": ["the"], "a word": ["payment"], "two words": ["payment", "royalty"]}
_SEARCHES |= {"the beginning of a word": ["pay*"], "words that no clause says": ["dedicated server"]}


def main(argv: Sequence[str] | None = None) -> None:
    """Make the warehouse, measure, and print the figures as a table and as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark million", description=__doc__.split("\n")[0])
    parser.add_argument("--contracts", type=int, default=1_000_000)
    parser.add_argument(
        "--beside", type=int, default=200_000, help="contracts for SQLite, Postgres and pandas; 0: none"
    )
    parser.add_argument("--folder", type=Path, help="where the warehouse is made, or taken from, and stays")
    parser.add_argument("--all-open", action="store_true", help="no flag was ever decided")
    parser.add_argument("--only", choices=sorted(_STEPS), nargs="+", help="measure only this, in this process")
    arguments = parser.parse_args(argv)
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="contract-agent-million-"))
    try:
        if arguments.only:
            for step in arguments.only:
                print(json.dumps(_STEPS[step](folder, arguments), default=str))
            return
        for step in (
            "fill",
            "live",
            "answers",
            "index",
            "hot",
            "fresh",
            "night",
            "after",
            "compact",
            *(["beside"] if arguments.beside else []),
        ):
            _show(step, _in_its_own_process(step, folder, arguments))
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


def _in_its_own_process(step: str, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """What a step gives. Each has a process of its own, so that its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.million", "--folder", str(folder), "--only", step]
    command += ["--contracts", str(arguments.contracts), "--beside", str(arguments.beside)]
    command += ["--all-open"] if arguments.all_open else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _show(step: str, result: dict[str, Any]) -> None:
    print(f"\n{step}")
    for name, value in result.items():
        print(f"  {name:44} {json.dumps(value, default=str)}")
    print(json.dumps({step: result}, default=str), flush=True)


def _root(folder: Path) -> Path:
    return folder / "warehouse"


def fill(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Make the warehouse, unless there is one."""
    from benchmarks.million_rows import fill as fill_in
    from warehouse.catalogue import publish
    from warehouse.manifest import current, write

    root = _root(folder)
    if current(root):
        return {"found": str(root)}
    begun = time.perf_counter()
    made = fill_in(root, arguments.contracts)
    if arguments.all_open:
        manifest = current(root)
        assert manifest is not None
        without = {name: files for name, files in manifest.files.items() if name != "reviews"}
        write(root, manifest.following("compact-open", files=without))
    published = _timed(lambda: publish(root))
    size = {name: round(size / 2**20, 1) for name, size in made.bytes.items()}
    return {
        "seconds": round(time.perf_counter() - begun, 1),
        "publish": published,
        "rows": made.rows,
        "megabytes": size,
    }


def _timed(call: Callable[[], Any]) -> dict[str, float]:
    begun, processor = time.perf_counter(), time.process_time()
    call()
    return {
        "seconds": round(time.perf_counter() - begun, 2),
        "processor_seconds": round(time.process_time() - processor, 2),
    }


class Query(NamedTuple):
    """A statement with its parameters; `reference` is the table from outside that it reads, without rows."""

    sql: str
    parameters: dict[str, Any] | None = None
    reference: Any = None


def queries(contract_id: str, ahead: Collection[str]) -> dict[str, Query]:
    """All that is measured by name. Of an answer the first thousand rows are asked for, in the query itself, so that
    the database may stop there, too; the page and the workbook take them so."""
    made = {}
    for view in MORNING_VIEWS:
        made[f"{view}, first {ROWS_OF_A_PAGE}"] = Query(f"SELECT * FROM {view} LIMIT {ROWS_OF_A_PAGE}")
        made[f"{view}, count"] = Query(f"SELECT count(*) FROM {view}")
    for table in _OF_A_CONTRACT:
        made[f"{table} of a contract"] = Query(f"SELECT * FROM {table} WHERE contract_id = '{contract_id}'")
    made |= {name: Query(sql) for name, sql in _LIKE.items()}
    for question in questions():
        reference = outside(question.reference, None) if question.reference else None
        is_ahead = question.name in ahead
        sql = f"FROM {ANSWERS}.{question.name}" if is_ahead else f"SELECT * FROM ({question.statement}\n)"
        given = None if is_ahead else fitted(question, {}) or None
        made[f"question {question.name}"] = Query(f"{sql} LIMIT {ROWS_OF_AN_ANSWER}", given, reference)
    return made


def _ahead(con: Any) -> set[str]:
    """The questions whose answers were worked out ahead; `contract-agent query` takes them from there, too."""
    sql = f"SELECT view_name FROM duckdb_views() WHERE schema_name = '{ANSWERS}'"
    return {name for (name,) in con.execute(sql).fetchall()}


def _queries(con: Any) -> dict[str, Query]:
    contract_id = con.execute("SELECT contract_id FROM flags ORDER BY flag_id LIMIT 1").fetchall()[0][0]
    return queries(contract_id, _ahead(con))


def hot(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds and processor milliseconds of each query, the median of up to five in one connection."""
    root = _root(folder)
    con = connect(root)
    result = {}
    for name, query in _queries(con).items():
        if query.reference is not None:
            con.register("reference", query.reference)
        result[name] = _median(lambda query=query: con.execute(query.sql, query.parameters).fetchall())
        print(f"{name:50} {result[name]}", file=sys.stderr, flush=True)
    for name, phrases in _phrases(con).items():
        result[f"search, {name}"] = _median(lambda phrases=phrases: search(root, phrases, "clauses"))
        result[f"search, {name}"]["places"] = search(root, phrases, "clauses").total
        print(f"{name:50} {result[f'search, {name}']}", file=sys.stderr, flush=True)
    con.close()
    return result


def _phrases(con: Any) -> dict[str, list[str]]:
    """What is searched for in the clauses; some words of one of them, too."""
    text = con.execute("SELECT text FROM clauses ORDER BY contract_id, clause_type LIMIT 1").fetchall()[0][0]
    return _SEARCHES | {"three words of a clause": [" ".join(text.split()[3:6])]}


def index(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds, memory and bytes of indexing the words of all clauses."""
    from warehouse.words import index_words

    root = _root(folder)
    taken = _timed(lambda: index_words(root))
    megabytes = round(sum(file.stat().st_size for file in (root / "lake" / "words").iterdir()) / 2**20)
    return taken | {
        "megabytes": megabytes,
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def work_out(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds, memory and bytes of working out the answers."""
    from warehouse.answers import work_out as work_out_answers
    from warehouse.catalogue import answer_folder
    from warehouse.manifest import current

    root = _root(folder)
    taken = _timed(lambda: work_out_answers(root))
    manifest = current(root)
    assert manifest is not None
    files = list((root / answer_folder(manifest)).iterdir())
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    megabytes = round(sum(file.stat().st_size for file in files) / 2**20)
    return taken | {"files": len(files), "megabytes": megabytes, "peak_megabytes": peak}


def _median(call: Callable[[], Any], times: int = 5) -> dict[str, float]:
    taken = []
    for _ in range(times + 1):
        taken.append(_timed_in_milliseconds(call))
        if sum(t[0] for t in taken) > 1000 * LONGEST:
            break
    taken = taken[1:] or taken  # the first one reads the files' footers
    return {"ms": statistics.median(t[0] for t in taken), "cpu_ms": statistics.median(t[1] for t in taken)}


def _timed_in_milliseconds(call: Callable[[], Any]) -> tuple[float, float]:
    begun, processor = time.perf_counter(), time.process_time()
    call()
    return round(1000 * (time.perf_counter() - begun), 1), round(1000 * (time.process_time() - processor), 1)


_FRESH = """
import json, sys, time
begun, processor = time.perf_counter(), time.process_time()
from pathlib import Path
from warehouse.read import query
imported = time.perf_counter()
query(Path(sys.argv[1]), sys.argv[2])
now = time.perf_counter()
taken = {"imports": imported - begun, "ms": now - imported, "cpu_ms": time.process_time() - processor}
print(json.dumps({name: round(1000 * seconds, 1) for name, seconds in taken.items()}))
"""


def fresh(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds of the first query of a process (connecting included), and of `contract-agent sql` as a whole."""
    root = _root(folder)
    result = {}
    with connect(root) as con:
        asked, wanted = _queries(con), _phrases(con)
    for name, query in asked.items():
        if query.parameters or query.reference is not None or name.endswith("count"):
            continue
        command = [sys.executable, "-c", _FRESH, str(root), query.sql]
        inside = [json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout) for _ in range(3)]
        best = min(inside, key=lambda taken: taken["ms"])
        whole = [str(AGENT), "sql", query.sql, "--format", "csv", "--warehouse", str(root)]
        run = lambda whole=whole: subprocess.run(whole, stdout=subprocess.DEVNULL, check=True)  # noqa: E731
        result[name] = best | {"whole_process_ms": min(_timed_in_milliseconds(run)[0] for _ in range(3))}
        print(f"{name:50} {result[name]}", file=sys.stderr, flush=True)
    for name, phrases in wanted.items():
        command = [str(AGENT), "search", *phrases, "--in", "clauses", "--format", "csv", "--warehouse", str(root)]
        run = lambda command=command: subprocess.run(command, capture_output=True, check=True)  # noqa: E731
        result[f"search, {name}"] = {"whole_process_ms": min(_timed_in_milliseconds(run)[0] for _ in range(3))}
        print(f"{name:50} {result[f'search, {name}']}", file=sys.stderr, flush=True)
    return result


def night(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds, memory and bytes of landing and publishing a night of new contracts."""
    from benchmarks.million_rows import night_rows
    from flows.families import linker
    from schemas.playbook import load_playbooks, references
    from warehouse.catalogue import publish
    from warehouse.lake import land
    from warehouse.manifest import manifest_of
    from warehouse.quality import check

    root = _root(folder)
    held = _count(root, "contracts")
    batches = list(night_rows(held, NIGHT))
    row = {"run_id": batches[0]["contracts"][0]["run_id"], "business_date": "2026-11-21", "trigger": "schedule"}
    row["business_date"] = _day(row["run_id"])
    link, taken = linker(row["business_date"], load_playbooks()), {}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def timed_link(con: Any, run_id: str) -> Any:
        linked = []
        taken["of it linking"] = _timed(lambda: linked.append(link(con, run_id)))
        return linked[0]

    def timed_check(con: Any, run_id: str) -> Any:
        found = []
        taken["of it the gates"] = _timed(lambda: found.append(check(con, run_id)))
        return found[0]

    def do_land() -> None:
        land(root, row, batches, references().values(), link=timed_link, check=timed_check)

    taken["land"] = _timed(do_land)
    taken["publish"] = _timed(lambda: publish(root))
    manifest = manifest_of(root, row["run_id"])
    mine = {file for file in manifest.all_files if row["run_id"] in file}
    return taken | {
        "rows": manifest.rows,
        "linked_families": _count(root, f"family_members WHERE run_id = '{row['run_id']}' AND relation = 'root'"),
        "megabytes_written": round(sum((root / file).stat().st_size for file in mine) / 2**20, 1),
        "catalogue_megabytes": round((root / "warehouse.duckdb").stat().st_size / 2**20, 1),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "peak_megabytes_before_landing": round(before),
    }


def _day(run_id: str) -> Any:
    from datetime import datetime

    return datetime.strptime(run_id[:8], "%Y%m%d").date()


def _count(root: Path, what: str) -> int:
    con = connect(root)
    try:
        return con.execute(f"SELECT count(*) FROM {what}").fetchall()[0][0]
    finally:
        con.close()


def compacted(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds and memory of compacting."""
    from warehouse.compact import compact

    done = []
    taken = _timed(lambda: done.append(compact(_root(folder))))
    return taken | {
        "files": (done[0].files_before, done[0].files_after),
        "megabytes": (done[0].bytes_before >> 20, done[0].bytes_after >> 20),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def beside(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Some of the queries in DuckDB on the lake, SQLite, Postgres and pandas."""
    from benchmarks.million_beside import compare

    return compare(folder / "beside", arguments.beside)


_STEPS: dict[str, Callable[[Path, argparse.Namespace], dict[str, Any]]] = {
    "fill": fill,
    "live": hot,
    "answers": work_out,
    "index": index,
    "hot": hot,
    "fresh": fresh,
    "night": night,
    "after": hot,
    "compact": compacted,
    "beside": beside,
}


if __name__ == "__main__":
    main()
