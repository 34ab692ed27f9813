"""The read-only guard: one statement, that only reads, and only the warehouse's own files."""

from pathlib import Path

import duckdb
import pytest

from schemas.errors import QueryError, WarehouseError
from warehouse.read import connect, query

secret = "top secret"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "FROM contracts",
        "TABLE contracts",
        "VALUES (1)",
        "WITH a AS (SELECT 1 AS x) SELECT * FROM a",
        "DESCRIBE terms",
        "SHOW TABLES",
        "SHOW ALL TABLES",
        "SUMMARIZE flags",
        "EXPLAIN SELECT * FROM terms",
        "explain analyze SELECT count(*) FROM terms",
        "SELECT 1;",
        "-- a remark\nSELECT ';' AS x",
    ],
)
def test_reading_is_allowed(held: Path, sql: str):
    columns, rows = query(held, sql)
    assert columns and rows


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{root}/lake/x.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{root}/lake/x.csv'",
        "EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{root}/lake/x.csv'",
        "/* */ EXPLAIN /* */ ANALYZE COPY (SELECT 1) TO '{root}/lake/x.csv'",
        "COPY contracts FROM '{root}/lake/x.csv'",
        "EXPORT DATABASE '{root}/lake/x'",
        "ATTACH '{root}/x.duckdb'",
        "DETACH warehouse",
        "INSTALL httpfs",
        "LOAD json",
        "PRAGMA threads = 1",
        "SET threads = 1",
        "RESET threads",
        "USE memory",
        "CREATE TABLE x (a INTEGER)",
        "CREATE TEMP TABLE x (a INTEGER)",
        "CREATE SECRET s (TYPE s3)",
        "INSERT INTO contracts SELECT * FROM contracts",
        "DELETE FROM contracts",
        "UPDATE contracts SET title = ''",
        "DROP VIEW contracts",
        "ALTER VIEW contracts RENAME TO x",
        "CHECKPOINT",
        "VACUUM",
        "CALL pragma_version()",
        "PREPARE x AS SELECT 1",
        "BEGIN",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP VIEW contracts",
        "",
        "-- nothing",
        "SELEC 1",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_blob('{outside}')",
        "FROM '{outside}'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_parquet('https://example.org/x.parquet')",
        "SELECT * FROM secret",
        "SELECT getenv('HOME')",
        "SELECT * FROM no_such_table",
    ],
)
def test_everything_else_is_refused(held: Path, tmp_path: Path, sql: str):
    outside = tmp_path / "outside.csv"
    outside.write_text("a\n1\n")
    before = sorted(held.rglob("*"))
    with pytest.raises(QueryError) as caught:
        query(held, sql.format(root=held, outside=outside))
    assert caught.value.message
    assert sorted(held.rglob("*")) == before


def test_reasons_are_given(held: Path):
    with pytest.raises(QueryError, match="this is a COPY statement"):
        query(held, "COPY contracts TO 'x.csv'")
    with pytest.raises(QueryError, match="there are 2"):
        query(held, "SELECT 1; SELECT 2")
    with pytest.raises(QueryError, match="tittle"):
        query(held, "SELECT tittle FROM contracts")


def test_the_connection_itself_is_locked(held: Path, tmp_path: Path):
    con = connect(held)
    for sql in (
        "SET enable_external_access = true",
        f"ATTACH '{tmp_path / 'x.duckdb'}'",
        "DROP VIEW contracts",
    ):
        with pytest.raises(duckdb.Error):
            con.execute(sql)
    con.close()


def test_no_warehouse(root: Path):
    with pytest.raises(WarehouseError, match="There is no warehouse") as caught:
        connect(root)
    assert "contract-agent run" in caught.value.help
    assert not root.exists()


def test_named_parameters(held: Path):
    sql = "SELECT count(*) AS n FROM contracts WHERE payment_terms_days > $days"
    assert query(held, sql, {"days": 59}) == (["n"], [(3,)])
