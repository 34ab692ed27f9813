"""Former states, going back, compacting: any order of these leaves every state as it was."""

import random
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from schemas.errors import WarehouseError
from tests.warehouse.landing_samples import batch, land_run
from warehouse.compact import compact
from warehouse.history import roll_back
from warehouse.manifest import current
from warehouse.read import query

SEEN = """
SELECT c.contract_id, c.run_id, c.version, c.payment_terms_days,
    (SELECT count(*) FROM terms t WHERE t.contract_id = c.contract_id),
    (SELECT any_value(f.severity) FROM flags f WHERE f.contract_id = c.contract_id),
    (SELECT count(*) FROM documents d WHERE d.document_id = c.document_id),
    (SELECT count(*) FROM pages p WHERE p.document_id = c.document_id)
FROM contracts c ORDER BY ALL
"""


class State(NamedTuple):
    """What a run left: its id, day, and what is seen."""

    run_id: str
    day: date
    seen: list


def seen(root: Path, as_of: str | None = None) -> list:
    return query(root, SEEN, as_of=as_of)[1]


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in (root / "lake").rglob("*.parquet")}


@pytest.mark.parametrize("seed", range(2))
def test_any_order_of_landing_going_back_and_compacting_keeps_every_state(tmp_path: Path, seed: int):
    root, dice = tmp_path / "warehouse", random.Random(seed)
    states: list[State] = []
    versions: dict[int, int] = {}
    for step in range(14):
        todo = dice.choice(["land", "land", "land", "compact", "go back"]) if states else "land"
        if todo == "land":
            run_id, day = f"r{step}", date(2026, 1, 1) + timedelta(days=step)
            batches = []
            for number in dice.sample(range(8), dice.randint(1, 5)):
                versions[number] = versions.get(number, 0) + 1
                payment = str(dice.choice([30, 45, 60]))
                batches.append(batch(number, run_id, versions[number], payment_terms_days=payment))
            land_run(root, run_id, batches, business_date=day)
            states.append(State(run_id, day, seen(root)))
        elif todo == "compact":
            compact(root, keep_days=dice.choice([0, 7]))
        else:
            back_to = dice.randrange(len(states))
            if back_to < len(states) - 1:
                roll_back(root, states[back_to].run_id, "ada", "wrong rules")
                assert seen(root) == states[back_to].seen
                del states[back_to + 1 :]
        assert seen(root) == states[-1].seen
        state = dice.choice(states)
        assert seen(root, state.run_id) == state.seen, f"{todo} at {step} changed {state.run_id}"
    for state in states:
        assert seen(root, state.run_id) == seen(root, str(state.day)) == state.seen
    assert [row[0] for row in query(root, "SELECT run_id FROM runs ORDER BY number")[1]] == [s.run_id for s in states]


def test_going_back_takes_up_decisions_and_the_next_run_lands_again(tmp_path: Path):
    root = tmp_path / "warehouse"
    land_run(root, "r1", [batch(1, "r1", payment_terms_days="30")])
    land_run(root, "r2", [batch(1, "r2", 2, payment_terms_days="90")])
    land_run(root, "v1", [{"reviews": [{"review_id": "v1", "decision": "rejected"}]}], trigger="review")
    roll_back(root, "r1", "ada", "r2 had the wrong playbook")
    assert query(root, "SELECT payment_terms_days, version FROM contracts")[1] == [(30, 1)]
    assert query(root, "SELECT review_id FROM reviews")[1] == [("v1",)]
    assert query(root, "SELECT run_id FROM runs ORDER BY number")[1] == [("r1",), ("v1",)]
    audit = query(root, "SELECT action, subject, actor, reason FROM audit")[1]
    assert audit == [("rollback", "r1", "ada", "r2 had the wrong playbook")]
    land_run(root, "r3", [batch(1, "r3", 3, payment_terms_days="45"), batch(2, "r3")])
    assert query(root, "SELECT payment_terms_days, version FROM contracts ORDER BY 1 DESC")[1][-1] == (45, 3)
    assert query(root, "SELECT payment_terms_days FROM contracts", as_of="r2")[1] == [(90,)]


def test_going_back_to_nowhere_says_so(tmp_path: Path):
    root = tmp_path / "warehouse"
    with pytest.raises(WarehouseError, match="nothing in"):
        roll_back(root, "r1", "ada", "x")
    land_run(root, "r1", [batch(1, "r1")])
    for moment, reason in (("r9", "no run r9"), ("2020-01-01", "Nothing was landed"), ("2026-99-99", "Nothing was")):
        with pytest.raises(WarehouseError, match=reason):
            roll_back(root, moment, "ada", "x")
        with pytest.raises(WarehouseError, match=reason):
            query(root, "SELECT 1", as_of=moment)
    with pytest.raises(WarehouseError, match="nothing to take back"):
        roll_back(root, "r1", "ada", "x")


def test_compacting_makes_one_file_a_table_and_keeps_former_versions_apart(tmp_path: Path):
    root = tmp_path / "warehouse"
    for at in range(6):
        land_run(root, f"r{at}", [batch(at, f"r{at}"), batch(9, f"r{at}", at + 1)])
    before = seen(root)
    done = compact(root, keep_days=0)
    manifest = current(root)
    assert seen(root) == before
    assert {name: len(held) for name, held in manifest.files.items()} == dict.fromkeys(manifest.files, 1)
    assert done.files_after < done.files_before and manifest.number == 7
    assert query(root, "SELECT count(*) FROM contracts_history")[1] == [(12,)]
    assert files(root) == set(manifest.all_files), "what nothing lists is removed"
    assert len(list((root / "manifests").iterdir())) == 1
    with pytest.raises(WarehouseError, match="already landed"):
        land_run(root, "r3", [batch(3, "r3")])


def test_former_files_are_kept_for_open_readers(tmp_path: Path):
    root = tmp_path / "warehouse"
    for at in range(3):
        land_run(root, f"r{at}", [batch(at, f"r{at}")])
    held = files(root)
    compact(root)
    assert held < files(root)
    assert len(list((root / "manifests").iterdir())) == 4


def test_a_run_beside_a_compaction_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import warehouse.compact as module

    root = tmp_path / "warehouse"
    for at in range(3):
        land_run(root, f"r{at}", [batch(at, f"r{at}"), batch(9, f"r{at}", at + 1)])
    rewritten = module._rewritten

    def meanwhile(*given):
        done = rewritten(*given)
        land_run(root, "late", [batch(5, "late"), batch(9, "late", 4)])
        return done

    monkeypatch.setattr(module, "_rewritten", meanwhile)
    compact(root, keep_days=0)
    assert query(root, "SELECT contract_id, run_id FROM contracts WHERE run_id = 'late' ORDER BY 1")[1] == [
        (id, "late") for id in ("c_0000000000000005", "c_0000000000000009")
    ]
    assert query(root, "SELECT count(*) FROM contracts")[1] == [(5,)]

    def rolled_back(*given):
        done = rewritten(*given)
        roll_back(root, "r1", "ada", "x")
        return done

    monkeypatch.setattr(module, "_rewritten", rolled_back)
    with pytest.raises(WarehouseError, match="meanwhile"):
        compact(root)
    assert query(root, "SELECT count(*) FROM contracts")[1] == [(3,)]
