"""The promised columns, derived from the schemas and, for the four that everybody reads, in full."""

from pathlib import Path

import duckdb
import pytest

from schemas.tables import TABLES
from warehouse.catalogue import MORNING_VIEWS
from warehouse.read import query

DOCUMENTS = """document_id contract_id source_uri file_name sha256 media_type capture_class page_count
    language ocr_confidence status duplicate_of error_code error_message run_id ingested_at work_key
    seconds similar_to warnings likeness"""
CONTRACTS = """contract_id title contract_type family_id parent_contract_id parties counterparty our_entity
    our_role agreement_date signed_date effective_date expiration_date initial_term_months renewal_type
    renewal_term_months renewal_notice_days notice_deadline current_period_end accounting_term_end
    termination_for_convenience termination_notice_days termination_fee governing_law currency total_value
    total_value_basis annual_value payment_terms_days billing_frequency billing_timing
    late_fee_percent_per_month price_increase_type price_increase_cap_percent liability_cap_type
    liability_cap_amount liability_cap_months liability_cap_basis minimum_commitment
    minimum_commitment_period fully_executed language capture_class status run_id version document_id work_key
    playbook_version numbers other_parties"""
TERMS = """term_id contract_id term value value_date value_number unit absence quote document_id page_number
    x0 y0 x1 y1 char_start char_end evidence confidence extractor model prompt_version run_id match_score route
    version learned"""
FLAGS = """flag_id contract_id rule_id severity clause_type found standard reason refs quote document_id
    page_number x0 y0 x1 y1 evidence confidence rule_version status run_id version learned"""
LITERAL = {"documents": DOCUMENTS, "contracts": CONTRACTS, "terms": TERMS, "flags": FLAGS}


def described(root: Path, view: str) -> dict[str, str]:
    return {row[0]: row[1] for row in query(root, f"DESCRIBE {view}")[1]}


@pytest.mark.parametrize("suffix", ["", "_history"])
@pytest.mark.parametrize("state", ["bare", "held"])
def test_every_table_has_its_columns(request: pytest.FixtureRequest, state: str, suffix: str):
    root = request.getfixturevalue(state)
    for table in TABLES:
        found = described(root, table.name + suffix)
        assert list(found) == list(table.columns), table.name
        assert {name: kind.replace('"', "") for name, kind in found.items()} == table.columns, table.name


@pytest.mark.parametrize("table", LITERAL)
def test_columns_spelled_out(held: Path, table: str):
    assert list(described(held, table)) == LITERAL[table].split()


@pytest.mark.parametrize("state", ["bare", "held"])
def test_morning_views_answer(request: pytest.FixtureRequest, state: str):
    for view in MORNING_VIEWS:
        columns, _ = query(request.getfixturevalue(state), f"FROM {view}")
        assert len(columns) > 3


def test_columns_of_the_views_that_are_promised(held: Path):
    in_force = """family_id contract_id term value value_date value_number unit set_by_contract_id
        set_by_document_id quote page_number effective_from"""
    assert list(described(held, "contract_in_force")) == in_force.split()
    assert list(described(held, "morning_brief")) == ["section", "metric", "value", "detail"]
    changes = "contract_id table target field old_value new_value cause"
    assert list(described(held, "changes_since_last_run")) == changes.split()


def test_any_client_can_open_the_file(held: Path):
    con = duckdb.connect(str(held / "warehouse.duckdb"), read_only=True)
    assert con.execute("SELECT count(*) FROM contracts").fetchall() == [(3,)]
    tags = con.execute("SELECT tags['storage_version'] FROM duckdb_databases() WHERE NOT internal").fetchall()
    con.close()
    assert tags[0][0] is None or "v1.5" in tags[0][0]


def test_a_column_that_older_files_lack_is_null(small: Path, monkeypatch: pytest.MonkeyPatch):
    from landing_samples import land_numbers

    from warehouse import catalogue, lake, parquet

    grown = tuple(
        t.model_copy(update={"columns": t.columns | {"later": "VARCHAR[]"}}) if t.level == "contract" else t
        for t in TABLES
    )
    monkeypatch.setattr(catalogue, "TABLES", grown)
    catalogue.publish(small)
    assert query(small, "SELECT count(*), count(later) FROM terms")[1][0][1] == 0
    monkeypatch.setattr(lake, "TABLES", grown)
    monkeypatch.setattr(parquet, "TABLE_BY_NAME", {t.name: t for t in grown})
    land_numbers(small, "r2", [1], 2)
    assert query(small, "SELECT count(*), count(later) FROM contracts_history")[1] == [(4, 0)]
