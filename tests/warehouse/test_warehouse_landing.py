"""Landing and publishing: versions, heads, what is swept, what is refused, and every known trap."""

import os
import time
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from landing_samples import REFERENCES, batch, document, filed, land_numbers, land_run

from schemas.contract import Reference
from schemas.errors import WarehouseError
from schemas.tables import TABLE_BY_NAME
from warehouse import parquet
from warehouse.arrow import arrow_schema, arrow_table
from warehouse.catalogue import publish, rebuild
from warehouse.lake import land
from warehouse.manifest import current, publishing
from warehouse.read import query
from warehouse.rows import document_rows
from warehouse.state import landed


def one(root: Path, sql: str) -> tuple:
    return query(root, sql)[1][0]


def test_empty(root: Path):
    assert landed(root) == ({}, {}, None, frozenset())
    publish(root)
    assert one(root, "SELECT count(*) FROM contracts") == (0,)


def test_twice_keeps_history_and_shows_latest(small: Path):
    land_numbers(small, "r2", [1], 2, payment_terms_days="45")
    latest = "SELECT payment_terms_days, version, run_id FROM {} WHERE contract_id LIKE '%1' ORDER BY version"
    assert query(small, latest.format("contracts"))[1] == [(45, 2, "r2")]
    assert query(small, latest.format("contracts_history"))[1] == [(60, 1, "r1"), (45, 2, "r2")]
    assert one(small, "SELECT count(*), count(DISTINCT term_id) FROM terms") == (3 * 39, 3 * 39)
    assert one(small, "SELECT count(*) FROM terms_history") == (4 * 39,)
    assert one(small, "SELECT count(*), count(DISTINCT document_id) FROM pages") == (3, 3)
    assert one(small, "SELECT count(*) FROM documents_history") == (4,)
    assert one(small, "SELECT count(*) FROM runs") == (2,)


def test_values_arrive_as_they_were(small: Path):
    row = one(small, "SELECT parties, total_value, fully_executed, work_key FROM contracts LIMIT 1")
    parties = [{"name": "Acme Inc.", "role": "customer"}, {"name": "Ours", "role": None}]
    assert row == (parties, Decimal("120000.00"), True, "key-1")
    term = one(small, "SELECT quote, page_number, x0, char_end, evidence FROM terms WHERE term = 'title' LIMIT 1")
    assert term == ("Net 60 days", 1, 10.0, 11, "verified")
    assert one(small, "SELECT refs, status FROM flags LIMIT 1") == (["PB-1.1", "606-32-15"], "proposed")
    assert one(small, "SELECT chunk_ids, scores FROM retrievals LIMIT 1") == (["k1"], [0.5])
    assert one(small, "SELECT ingested_at, seconds FROM documents LIMIT 1") == (
        datetime(2026, 11, 20, 2),
        0.0,
    )
    assert one(small, "SELECT kind, text FROM edit_marks LIMIT 1") == ("strikethrough", "60")
    assert one(small, "SELECT unit_price, amount, quantity FROM fee_lines LIMIT 1") == (
        None,
        Decimal("99.50"),
        10,
    )


def test_state(small: Path):
    failed = filed(7, "r2", status="quarantined", error_code="damaged", work_key=None)
    land_run(small, "r2", [document_rows(failed, None), batch(1, "r2", 2)])
    state = landed(small)
    assert state.run_id == "r2"
    assert len(state.documents) == 4
    assert state.documents["d_0000000000000007"].error_code == "damaged"
    assert state.documents["d_0000000000000000"].work_key == "key-1"
    assert state.contracts["c_0000000000000001"].version == 2
    assert state.contracts["c_0000000000000001"].document_id == "d_0000000000000001"
    assert state.contracts["c_0000000000000002"].version == 1


def test_a_document_leaves_quarantine(root: Path):
    failed = filed(1, "r1", status="quarantined", error_code="timeout", error_message="It took too long.")
    land_run(root, "r1", [document_rows(failed, None)])
    assert one(root, "SELECT error_code FROM quarantine") == ("timeout",)
    land_numbers(root, "r2", [1])
    assert query(root, "FROM quarantine")[1] == []
    assert query(root, "SELECT status, run_id FROM documents")[1] == [("landed", "r2")]


def test_pages_stay_when_a_document_is_not_read_again(small: Path):
    land_run(small, "r2", [document_rows(filed(1, "r2", status="duplicate", duplicate_of="d_0"), None)])
    assert one(small, "SELECT count(*) FROM pages WHERE document_id LIKE '%1'") == (1,)
    assert one(small, "SELECT count(*) FROM edit_marks WHERE document_id LIKE '%1'") == (1,)


def test_counts_are_filled_in_and_given_ones_kept(root: Path):
    double = filed(8, "r1", status="duplicate", duplicate_of="d_0000000000000000")
    batches = [batch(0, "r1"), document_rows(double, document(8))]
    land_run(root, "r1", batches, seconds=12.5, trigger="test")
    sql = "SELECT documents, contracts, flags, quarantined, duplicates, pages, seconds, trigger FROM runs"
    assert one(root, sql) == (2, 1, 1, 0, 1, 2, 12.5, "test")
    assert one(root, "SELECT business_date, finished_at >= started_at FROM runs") == (
        date(2026, 11, 20),
        True,
    )


def test_a_run_without_rows_is_cheap_and_counts(small: Path):
    before = current(small)
    begun = time.perf_counter()
    land_run(small, "r2")
    assert time.perf_counter() - begun < 2.0  # 0.2 s on an idle machine
    after = current(small)
    assert after.heads == before.heads
    assert after.files["terms"] == before.files["terms"]
    assert len(after.files["runs"]) == 1
    assert query(small, "SELECT run_id FROM runs ORDER BY 1")[1] == [("r1",), ("r2",)]


def test_references_are_the_newest(small: Path):
    other = Reference(key="X", kind="asc", title="t", summary="s")
    land(small, {"run_id": "r2"}, [], REFERENCES)
    assert len(current(small).files["evidence_refs"]) == 1
    land(small, {"run_id": "r3"}, [], [other])
    publish(small)
    assert query(small, "SELECT key FROM evidence_refs")[1] == [("X",)]
    assert one(small, "SELECT count(*) FROM evidence_refs_history") == (3,)


def test_reviews_gather(small: Path):
    for at in range(3):
        row = {"review_id": f"v{at}", "decided_at": datetime(2026, 1, at + 1), "decision": "confirmed"}
        land_run(small, f"v{at}", [{"reviews": [row]}], trigger="review")
    assert one(small, "SELECT count(*), max(decided_at) FROM reviews") == (3, datetime(2026, 1, 3))


def test_row_groups_are_flushed(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parquet, "GROUP_ROWS", 80)
    monkeypatch.setattr(parquet, "PACKED_ROWS", 30)
    manifest = land_numbers(root, "r1", reversed(range(10)))
    with pq.ParquetFile(root / manifest.files["terms"][0]) as file:
        assert file.num_row_groups == 4  # of three contracts, as 39 rows each reach the limit
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
        ids = file.read_row_group(0, columns=["contract_id"])["contract_id"].to_pylist()
    assert ids == sorted(ids)
    assert one(root, "SELECT count(*) FROM terms") == (390,)


def test_landing_needs_no_pandas(root: Path):
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from landing_samples import land_numbers, land_run\n"
        "root = Path(sys.argv[1]); land_numbers(root, 'r1', [1]); land_run(root, 'r2', [])\n"
        "land_numbers(root, 'r3', [1], 2); sys.exit('pandas' in sys.modules)"
    )
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code, str(root)], env=os.environ | path).returncode == 0


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({"documents": [{"document_id": "d", "run_id": "r2", "colour": "red"}]}, "no column colour"),
        ({"documents": [{"document_id": "d", "run_id": "r2", "page_count": "two"}]}, "page_count"),
        ({"documents": [{"document_id": "d", "run_id": "r2", "page_count": 2**40}]}, "page_count"),
        ({"documents": [{"document_id": "d", "run_id": "r2", "file_name": 5}]}, "file_name"),
        ({"documents": [{"document_id": "d", "run_id": "r9"}]}, "bears the run r9"),
        ({"contracts": [{"contract_id": "c", "run_id": "r2", "total_value": 1.5}]}, "total_value"),
        ({"contracts": [{"contract_id": "c", "run_id": "r2", "total_value": Decimal("1.005")}]}, "cents"),
        (
            {"contracts": [{"contract_id": "c", "run_id": "r2", "effective_date": datetime(2026, 1, 1)}]},
            "date",
        ),
        (
            {"contracts": [{"contract_id": "c", "run_id": "r2", "fully_executed": 1}]},
            "neither true nor false",
        ),
        ({"letters": [{"a": 1}]}, "no table letters"),
    ],
)
def test_rows_that_do_not_fit_are_refused(small: Path, rows: dict, says: str):
    rows = {name: [{"status": "landed"} | r if name == "documents" else r for r in rs] for name, rs in rows.items()}
    with pytest.raises(WarehouseError, match=says):
        land(small, {"run_id": "r2"}, [rows])
    assert landed(small).run_id == "r1"
    assert list((small / "staging").iterdir()) == []


def test_refusals(small: Path):
    with pytest.raises(WarehouseError, match="already landed"):
        land(small, {"run_id": "r1"}, [])
    with pytest.raises(WarehouseError, match="landed twice"):
        land(small, {"run_id": "r2"}, [batch(1, "r2"), batch(1, "r2")])
    with pytest.raises(WarehouseError, match="no column colour"):
        land(small, {"run_id": "r2", "colour": "red"}, iter(lambda: pytest.fail("too late"), None))
    for wrong in ("", "a/b", "../x", ".hidden", "a b"):
        with pytest.raises(WarehouseError, match="run id"):
            land(small, {"run_id": wrong}, [])


def test_a_failing_source_leaves_everything_as_it_was(small: Path):
    def failing():
        yield batch(5, "r2")
        raise RuntimeError("the reader broke")

    before = sorted(path for path in small.rglob("*"))
    with pytest.raises(RuntimeError, match="broke"):
        land(small, {"run_id": "r2"}, failing())
    assert sorted(path for path in small.rglob("*")) == before


def test_text_without_an_encoding_lands(root: Path):
    here = filed(1, "r1", file_name="caf\udce9.pdf", source_uri="a\ud800b")
    land_run(root, "r1", [document_rows(here, document(1, "nul \0 and \udcff"))])
    assert one(root, "SELECT file_name, source_uri FROM documents") == ("caf?.pdf", "a?b")
    assert one(root, "SELECT text FROM pages") == ("nul \0 and ?",)


@pytest.mark.parametrize("name", ["run_id=7", "a[1]b", "it's *here", "sp ace/é", "status=x/contract_id=y"])
def test_folders_with_any_name(tmp_path: Path, name: str):
    root = tmp_path / name
    land_numbers(root, "r1", range(2))
    land_numbers(root, "r2", [1], 2)
    assert query(root, "SELECT run_id, status FROM documents ORDER BY 1")[1] == [
        ("r1", "landed"),
        ("r2", "landed"),
    ]
    assert one(root, "SELECT count(*), max(run_id) FROM terms") == (78, "r2")


def test_a_folder_that_duckdb_would_take_for_a_url(tmp_path: Path):
    with pytest.raises(WarehouseError, match="question mark"):
        land_run(tmp_path / "here?", "r1")


def test_a_moved_folder_heals(small: Path, tmp_path: Path):
    moved = small.rename(tmp_path / "elsewhere")
    assert one(moved, "SELECT count(*) FROM contracts") == (3,)
    assert str(moved) in one(moved, "SELECT root FROM warehouse_info")[0]
    assert landed(moved).contracts.keys() == {f"c_{n:016x}" for n in range(3)}


def test_a_lost_or_damaged_catalogue_heals(small: Path):
    (small / "warehouse.duckdb").write_bytes(b"no database")
    assert one(small, "SELECT count(*) FROM contracts") == (3,)
    (small / "warehouse.duckdb").unlink()
    assert one(small, "SELECT count(*) FROM contracts") == (3,)
    assert rebuild(small) == small / "warehouse.duckdb"


def test_a_catalogue_that_is_behind_heals(small: Path):
    land(small, {"run_id": "r2"}, [batch(9, "r2")])
    assert one(small, "SELECT count(*) FROM contracts") == (4,)


def test_a_stale_wal_is_removed(small: Path):
    (small / "warehouse.duckdb.wal").write_bytes(b"left by a stray writer")
    land_run(small, "r2")
    assert not (small / "warehouse.duckdb.wal").exists()
    (small / "warehouse.duckdb.wal").write_bytes(b"left by a stray writer")
    assert one(small, "SELECT count(*) FROM runs") == (2,)


def test_leftovers_are_swept(small: Path):
    staging = small / "staging"
    (staging / "catalogue-1.duckdb").write_bytes(b"x")
    (staging / "dead-run").mkdir()
    (staging / "dead-run" / "terms.parquet").write_bytes(b"x")
    orphan = small / "lake" / "terms" / "r-dead-0123456789ab.parquet"
    orphan.write_bytes(b"x")
    foreign = small / "lake" / "terms" / "notes.txt"
    foreign.write_bytes(b"x")
    land_run(small, "r2")
    assert list(staging.iterdir()) == []
    assert not orphan.exists() and foreign.exists()


def test_a_run_that_lives_is_not_swept(small: Path):
    def slow():
        yield batch(5, "slow")
        land_run(small, "quick", [batch(6, "quick")])
        yield batch(7, "slow")

    land_run(small, "slow", slow())
    assert {row[0] for row in query(small, "SELECT run_id FROM contracts")[1]} == {"r1", "slow", "quick"}
    assert len(landed(small).contracts) == 6


def test_a_second_publisher_waits_then_says_so(small: Path):
    with publishing(small):
        for act in (
            lambda: land(small, {"run_id": "r2"}, [], timeout=0.05),
            lambda: publish(small, timeout=0.05),
        ):
            with pytest.raises(WarehouseError, match="Another run is publishing") as caught:
                act()
            assert caught.value.code == "warehouse_busy"
        assert one(small, "SELECT count(*) FROM contracts") == (3,)


def test_an_open_reader_goes_on(small: Path):
    con = duckdb.connect(str(small / "warehouse.duckdb"), read_only=True)
    land_numbers(small, "r2", [9])
    assert con.execute("SELECT count(*) FROM contracts").fetchall() == [(3,)]
    assert one(small, "SELECT count(*) FROM contracts") == (4,)  # though this process holds the old file
    con.close()


def test_a_missing_file_is_named(small: Path):
    (small / current(small).files["terms"][0]).unlink()
    with pytest.raises(WarehouseError, match="terms") as caught:
        publish(small)
    assert "backup" in caught.value.help


def test_a_damaged_manifest_is_named(small: Path):
    (small / "manifests" / "000001-r1.json").write_text("{}")
    with pytest.raises(WarehouseError, match="damaged"):
        landed(small)


def test_heads_stay_quick(tmp_path: Path, root: Path):
    land_run(root, "r1", (document_rows(filed(at, "r1"), None) for at in range(10_000)))
    begun = time.perf_counter()
    assert len(landed(root).documents) == 10_000
    assert time.perf_counter() - begun < 1.0  # 0.05 s on an idle machine


def test_arrays_equal_what_pyarrow_would_build():
    table = TABLE_BY_NAME["contracts"]
    schema = arrow_schema(table)
    rows = [
        {"contract_id": "é", "parties": [{"name": "a", "role": None}], "effective_date": date(1960, 2, 29)},
        {"contract_id": "", "parties": [], "total_value": Decimal("-0.01"), "fully_executed": False},
        {"contract_id": None, "late_fee_percent_per_month": 1.5, "version": -3, "fully_executed": True},
        {"parties": [None, {"name": "b"}], "total_value": Decimal("9999999999999999.99")},
    ]
    ours = arrow_table("contracts", schema, rows)
    ours.validate(full=True)
    for field in schema:
        expected = pa.array([row.get(field.name) for row in rows], field.type)
        assert ours[field.name].to_pylist() == expected.to_pylist(), field.name
