"""Answers worked out ahead say what would be said without them, and never outlive what they were worked out from."""

import shutil
from pathlib import Path

import duckdb
import pytest
from landing_samples import land_numbers

from warehouse.answers import work_out
from warehouse.catalogue import ANSWERS, BASE_VIEWS, KEPT_VIEWS, MORNING_VIEWS, rebuild
from warehouse.questions import ask, questions
from warehouse.read import connect, query
from warehouse.stage import sweep

USUAL = [question.name for question in questions() if question.reference is None]


@pytest.fixture(scope="module")
def ahead(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of the sample contracts, with its answers worked out."""
    root = tmp_path_factory.mktemp("ahead") / "warehouse"
    shutil.copytree(warehouse, root)
    rebuild(root)
    assert work_out(root, least=0)
    return root


def folders(root: Path) -> list[Path]:
    return sorted((root / "lake" / ANSWERS).iterdir())


@pytest.mark.parametrize("view", [*BASE_VIEWS, *MORNING_VIEWS])
def test_every_view_says_the_same_in_the_same_order(warehouse: Path, ahead: Path, view: str):
    sql = f"FROM {view}" if view in MORNING_VIEWS else f"FROM {view} ORDER BY ALL"
    assert query(ahead, sql) == query(warehouse, sql)
    described = f"DESCRIBE {view}"
    assert query(ahead, described) == query(warehouse, described)


@pytest.mark.parametrize("name", USUAL)
def test_every_question_has_the_same_answer(warehouse: Path, ahead: Path, name: str):
    columns, rows = ask(ahead, name)
    assert (columns, sorted(rows, key=repr)) == (ask(warehouse, name)[0], sorted(ask(warehouse, name)[1], key=repr))
    assert query(ahead, f"FROM {ANSWERS}.{name}") == (columns, rows)


def test_they_are_read_from_what_was_kept(ahead: Path):
    with connect(ahead) as con:
        for name in (*KEPT_VIEWS, *(f"{ANSWERS}.{name}" for name in USUAL)):
            sql = "SELECT sql FROM duckdb_views() WHERE concat_ws('.', nullif(schema_name, 'main'), view_name) = ?"
            assert f"/{name}.parquet" in con.execute(sql, [name]).fetchall()[0][0]


def test_other_parameters_are_answered_from_the_rows(ahead: Path):
    usual, all_of_them = ask(ahead, "long_payment_terms")[1], ask(ahead, "long_payment_terms", days=0)[1]
    assert len(all_of_them) > len(usual)


def test_what_is_landed_next_is_seen_at_once(root: Path):
    land_numbers(root, "r1", range(3))
    assert work_out(root, least=3)
    assert not work_out(root, least=3)  # it was done
    land_numbers(root, "r2", range(3, 5))
    assert query(root, "SELECT count(*) FROM review_queue")[1] == [(5,)]
    assert query(root, f"SELECT count(*) FROM duckdb_views() WHERE schema_name = '{ANSWERS}'")[1] == [(0,)]


def test_few_contracts_are_not_worth_it(small: Path):
    assert not work_out(small, least=4)
    assert not (small / "lake" / ANSWERS).exists()


def test_who_has_the_former_catalogue_open_goes_on(small: Path):
    work_out(small, least=0)
    with duckdb.connect(str(small / "warehouse.duckdb"), read_only=True) as reader:
        land_numbers(small, "r2", range(3, 5))
        work_out(small, least=0)
        sweep(small)
        assert reader.execute("SELECT count(*) FROM review_queue").fetchall() == [(3,)]


def test_only_the_last_two_are_kept(small: Path):
    for number in range(4):
        land_numbers(small, f"s{number}", [number + 3])
        work_out(small, least=0)
    sweep(small)
    assert [folder.name[:6] for folder in folders(small)] == ["000004", "000005"]


def test_as_of_an_earlier_run_they_do_not_count(small: Path):
    land_numbers(small, "r2", range(3, 5))
    work_out(small, least=0)
    assert query(small, "SELECT count(*) FROM review_queue", as_of="r1")[1] == [(3,)]
