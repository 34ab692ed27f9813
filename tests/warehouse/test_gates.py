"""Quality gates: a run with a fault is not published, yesterday's state stays, and everybody is told why."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from schemas.errors import WarehouseError
from tests.warehouse.landing_samples import DAY, REFERENCES, batch, land_run
from warehouse.brief import brief, markdown, render
from warehouse.lake import land
from warehouse.manifest import HELD_BACK, current
from warehouse.quality import GateFailed, checker, figures_of_runs, gates
from warehouse.read import query
from warehouse.rows import Rows


def set_in(table: str, **values) -> Callable[[Rows], None]:
    return lambda rows: rows[table][0].update(values)


def twice(table: str) -> Callable[[Rows], None]:
    return lambda rows: rows[table].append(dict(rows[table][0]))


FAULTS: list[tuple[str, Callable[[Rows], None]]] = [
    ("every_row_has_its_keys", set_in("documents", sha256=None)),
    ("every_row_has_its_keys", set_in("flags", reason=None)),
    ("every_row_is_there_once", twice("terms")),
    ("every_row_is_there_once", twice("flags")),
    ("values_are_possible", set_in("terms", confidence=1.2)),
    ("values_are_possible", set_in("contracts", total_value=-1)),
    ("values_are_possible", set_in("terms", value_date=date(9999, 1, 1))),
    ("what_is_referred_to_exists", set_in("flags", refs=["NO-SUCH"])),
    ("what_is_referred_to_exists", set_in("terms", page_number=7)),
    ("what_is_referred_to_exists", set_in("flags", document_id="d_0")),
    ("every_flag_cites_its_page", set_in("flags", quote="Net 90 days")),
    ("every_flag_cites_its_page", set_in("flags", refs=[])),
    ("every_value_says_its_evidence", set_in("terms", absence="not_found")),
    ("every_value_says_its_evidence", set_in("terms", value=None)),
]


def land_checked(root: Path, run_id: str, batches, waived=(), **row):
    run = {"run_id": run_id, "business_date": DAY, "found": len(batches), "unchanged": 0} | row
    return land(root, run, batches, REFERENCES, check=checker(waived))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A warehouse with one good run that every gate looked at."""
    land_checked(tmp_path, "r1", [batch(1, "r1"), batch(2, "r1")])
    return tmp_path


def test_a_good_run_passes_and_says_so(root: Path):
    assert query(root, "SELECT DISTINCT run_id, found FROM gate_results WHERE level = 'error'")[1] == [("r1", 0)]
    assert len(query(root, "SELECT * FROM gate_results")[1]) == len(gates()) > 7
    assert query(root, "SELECT found, unchanged, landed, missing FROM completeness")[1] == [(2, 0, 2, 0)]
    assert not (root / HELD_BACK).exists()


@pytest.mark.parametrize(("gate", "fault"), FAULTS, ids=[f"{name}-{at}" for at, (name, _) in enumerate(FAULTS)])
def test_a_fault_keeps_yesterday(root: Path, gate: str, fault: Callable[[Rows], None]):
    rows = batch(3, "r2")
    fault(rows)
    with pytest.raises(GateFailed) as failed:
        land_checked(root, "r2", [batch(4, "r2"), rows])
    assert gate in [row["gate"] for row in failed.value.failed]
    assert current(root).run_id == "r1"
    assert query(root, "SELECT DISTINCT run_id FROM contracts_history")[1] == [("r1",)]
    assert "HELD BACK" in render(brief(root)) and "HELD BACK" in markdown(brief(root))
    land_checked(root, "r3", [batch(3, "r3")])
    assert "HELD BACK" not in render(brief(root))
    assert {path.name for path in (root / "lake" / "contracts").iterdir()} == {
        Path(file).name for file in current(root).files["contracts"]
    }, "what was held back is swept"


def test_counts_that_do_not_agree_keep_yesterday(root: Path):
    for wrong in ({"found": 3}, {"documents": 5}, {"flags": 0}, {"contracts": 9}):
        with pytest.raises(GateFailed, match="counts_agree"):
            land_checked(root, "r2", [batch(3, "r2")], **wrong)
    assert current(root).run_id == "r1"


def test_a_waived_gate_warns(root: Path):
    rows = batch(3, "r2")
    set_in("terms", confidence=1.2)(rows)
    land_checked(root, "r2", [rows], waived=["values_are_possible"])
    assert query(root, "SELECT run_id, found FROM gate_results WHERE level = 'waived'")[1] == [("r2", 1)]
    assert "Confidences lie between" in render(brief(root))
    with pytest.raises(WarehouseError, match="no gate values"):
        land_checked(root, "r3", [batch(4, "r3")], waived=["values"])


def test_drift_warns_of_what_jumps_and_of_nothing_else(tmp_path: Path):
    root = tmp_path
    for night in range(8):
        run_id = f"n{night}"
        payment = "30" if night < 7 else "90"
        many = [batch(100 * night + at, run_id, payment_terms_days=payment) for at in range(25)]
        land_checked(root, run_id, many, business_date=DAY + timedelta(days=night))
        warned = query(root, "SELECT metric FROM drift WHERE is_warning")[1]
        assert warned == ([("payment_terms_days",)] if night == 7 else [])
    assert "payment terms days: 90, usually 30" in render(brief(root))
    series, unusual = figures_of_runs(root)
    assert series["payment terms days"][-2:] == [30, 90] and unusual == {"payment terms days"}


def test_small_runs_are_not_judged(tmp_path: Path):
    for night in range(8):
        run_id = f"n{night}"
        rows = [batch(10 * night + at, run_id, payment_terms_days=str(30 * (night + 1))) for at in range(3)]
        land_checked(tmp_path, run_id, rows, business_date=DAY + timedelta(days=night))
    assert query(tmp_path, "SELECT count(*) FROM run_metrics")[1][0][0] > 100
    judged = {metric for (metric,) in query(tmp_path, "SELECT DISTINCT metric FROM drift")[1]}
    assert judged == {"confidence", "unverified"}, "what is counted by contract is too little"


def test_decisions_are_no_run_of_the_inbox(root: Path):
    land_run(root, "v1", [{"reviews": [{"review_id": "v1", "decision": "confirmed"}]}], trigger="review")
    assert query(root, "SELECT run_id FROM completeness")[1] == [("r1",)]
