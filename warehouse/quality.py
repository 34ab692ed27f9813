"""Quality gates: queries over what a run is about to publish, each of which must find nothing.

One SQL file each in `gates/`, with what it checks in the first line. It gets `$run_id` and gives the table and the row
of each violation. A gate that finds something keeps the run from being published, unless its level is `warning` or a
setting waives it; then the morning brief says so. What a run is like is measured too, for the watch over drift.
"""

import re
from collections.abc import Callable, Collection
from functools import cache, partial
from pathlib import Path
from typing import Literal

import duckdb

from schemas.base import Frozen
from schemas.errors import WarehouseError
from warehouse.read import query
from warehouse.rows import Row, Rows

GATE_FOLDER = Path(__file__).parent / "gates"
METRICS = Path(__file__).parent / "metrics.sql"
EXAMPLES = 3
_HEADER = re.compile(r"^-- (checks|level): (.*)$", re.MULTILINE)


class Gate(Frozen):
    """A query that finds the rows that must not be published."""

    name: str
    checks: str
    level: Literal["error", "warning"]
    sql: str


class GateFailed(WarehouseError):
    """A run was not published because of what it would have shown."""

    def __init__(self, failed: list[Row]):
        self.failed = failed
        lines = (f"{row['gate']} ({row['checks']}) {row['found']:,} rows: {row['examples']}" for row in failed)
        super().__init__(
            "The run was not published, yesterday's state stays: " + "; ".join(lines),
            help="Mend the cause and run again; what was read is kept. `waived_gates` lets a gate only warn.",
            code="gate_failed",
        )


@cache
def gates() -> tuple[Gate, ...]:
    """All gates by name."""
    return tuple(_read(path) for path in sorted(GATE_FOLDER.glob("*.sql")))


def _read(path: Path) -> Gate:
    text = path.read_text(encoding="utf-8")
    header = {"level": "error"} | dict(_HEADER.findall(text))
    return Gate(name=path.stem, sql=text, **header)


def checker(waived: Collection[str] = ()) -> Callable[[duckdb.DuckDBPyConnection, str], Rows]:
    """What `warehouse.lake.land` calls. Raises WarehouseError when a waived gate is not there."""
    unknown = set(waived) - {gate.name for gate in gates()}
    if unknown:
        raise WarehouseError(
            f"There is no gate {', '.join(sorted(unknown))}.", help=f"There are {', '.join(g.name for g in gates())}."
        )
    return partial(check, waived=waived)


def check(con: duckdb.DuckDBPyConnection, run_id: str, *, waived: Collection[str] = ()) -> Rows:
    """Rows for `gate_results` and `run_metrics`: what the gates found in a run, and what the run is like.

    Raises GateFailed when a gate that is neither a warning nor waived found something.
    """
    results = [_result(con, gate, run_id, gate.name in waived) for gate in gates()]
    failed = [row for row in results if row["found"] and row["level"] == "error"]
    if failed:
        raise GateFailed(failed)
    measured = con.execute(METRICS.read_text(encoding="utf-8"), {"run_id": run_id})
    names = [column[0] for column in measured.description or ()]
    metrics = [dict(zip(names, row, strict=True)) | {"run_id": run_id} for row in measured.fetchall()]
    return {"gate_results": results, "run_metrics": metrics}


def _result(con: duckdb.DuckDBPyConnection, gate: Gate, run_id: str, is_waived: bool) -> Row:
    counted = f"SELECT count(*), list(\"table\" || ' ' || coalesce(\"row\", '?'))[:{EXAMPLES}] FROM ({gate.sql})"
    found, examples = con.execute(counted, {"run_id": run_id}).fetchall()[0]
    return {
        "run_id": run_id,
        "gate": gate.name,
        "checks": gate.checks,
        "level": "waived" if is_waived else gate.level,
        "found": found,
        "examples": ", ".join(examples or ()),
    }


def figures_of_runs(root: Path) -> tuple[dict[str, list[float]], set[str]]:
    """The figures of the last runs by name, oldest first, and the names of those that are unusual in the newest.

    Shares of single terms are left out unless they are unusual.
    """
    unusual = {_figure(*row) for row in query(root, _UNUSUAL)[1]}
    series: dict[str, list[float]] = {}
    for metric, part, values in query(root, _SERIES)[1]:
        if (name := _figure(metric, part)) in unusual or metric != "absent":
            series[name] = values
    return series, unusual


_UNUSUAL = "SELECT metric, part FROM drift WHERE is_warning AND number = (SELECT max(number) FROM drift)"
_SERIES = """
SELECT metric, part, list(value ORDER BY number)
FROM run_metrics JOIN (FROM runs ORDER BY number DESC LIMIT 31) USING (run_id)
GROUP BY metric, part
HAVING count(*) > 1
ORDER BY metric, part
"""


def _figure(metric: str, part: str | None) -> str:
    return " ".join(text for text in (metric.replace("_", " "), part) if text)
