"""The workbook goes out, reviewers fill it in, and it comes back as decisions."""

import csv
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from landing_samples import batch, land_numbers, land_run
from openpyxl.worksheet.worksheet import Worksheet

from schemas.errors import WarehouseError
from schemas.review import DECISIONS, REASON_CODES
from warehouse import workbook
from warehouse.decisions import evidence_hash
from warehouse.read import query
from warehouse.workbook_import import filled_in

REVIEWED = ("Queue", "Non-standard", "ASC 606", "Sources")
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "_x0041_")


@pytest.fixture
def cli(agent_here, root: Path) -> Callable[..., Any]:
    """The command line on this test's warehouse."""
    return lambda *arguments: agent_here(*arguments, "--warehouse", root)


@pytest.fixture
def morning(small: Path, tmp_path: Path) -> Path:
    return workbook.export(small, tmp_path / "morning.xlsx")


class Page:
    """A sheet by the names of its columns; rows count from 2, as the program shows them."""

    def __init__(self, sheet: Worksheet):
        self.sheet = sheet
        self.at = {cell.value: cell.column for cell in sheet[1]}

    def cell(self, row: int, name: str):
        return self.sheet.cell(row, self.at[name])

    def row_of(self, name: str, value: object) -> int:
        return next(row for row in range(2, self.sheet.max_row + 1) if self.cell(row, name).value == value)

    def fill(self, row: int, decision: str | None, reviewer: str | None = "Ada", **more: object) -> str:
        """Fill in a row as text, as Excel does in these columns; gives back the row's id."""
        more = {"Decision": decision, "Reviewer": reviewer} | more
        for name, value in more.items():
            cell = self.cell(row, name.replace("_", " "))
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"
        return next(self.cell(row, name).value for name in ("Flag id", "Term id", "Asc606 id") if name in self.at)


def opened(path: Path) -> tuple[openpyxl.Workbook, dict[str, Page]]:
    book = openpyxl.load_workbook(path)
    return book, {name: Page(book[name]) for name in book.sheetnames}


def reviews(root: Path) -> dict[str, dict[str, Any]]:
    columns, rows = query(root, "FROM reviews")
    return {row["target_id"]: row for row in (dict(zip(columns, values, strict=True)) for values in rows)}


def test_reviewers_columns(morning: Path):
    book, pages = opened(morning)
    for name in REVIEWED:
        page, sheet = pages[name], book[name]
        rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
        last = sheet.max_row
        lists = {"Decision": DECISIONS, "Reason code": REASON_CODES}
        for column, choices in lists.items():
            letter = page.cell(1, column).column_letter
            rule = rules[f"{letter}2:{letter}{last}" if last > 2 else f"{letter}2"]
            assert (rule.type, rule.formula1) == ("list", f'"{",".join(choices)}"'), name
            assert sheet.column_dimensions[letter].fill.fgColor.rgb == "FFFFF8DC", name
            assert sheet.column_dimensions[letter].number_format == "@", name
        hidden = page.cell(1, "Evidence hash").column_letter
        assert sheet.column_dimensions[hidden].hidden and sheet.auto_filter.ref.endswith(f"{hidden}{last}")
    assert pages["Queue"].cell(2, "Evidence hash").value == evidence_hash("Net 60 days", "60")
    absent = pages["Sources"].row_of("Absence", "not_found")
    assert pages["Sources"].cell(absent, "Evidence hash").value == evidence_hash(None, "not_found")


def test_links_open_the_page(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    inbox = tmp_path / "in #1 é"
    (inbox / "acme").mkdir(parents=True)
    (inbox / "acme" / "1.pdf").write_bytes(b"%PDF-")
    land_run(root, "r1", [batch(1, "r1"), batch(2, "r1")], inbox=str(inbox))
    _, pages = opened(workbook.export(root, tmp_path / "out.xlsx"))
    for name, text in {"Queue": "page 1", "Non-standard": "page 1", "ASC 606": "open"}.items():
        cell = pages[name].cell(pages[name].row_of("Contract id", f"c_{1:016x}"), "Link")
        assert cell.hyperlink and cell.value == text, name
    linked = pages["Non-standard"].cell(pages["Non-standard"].row_of("File name", "1.pdf"), "Link")
    assert linked.hyperlink.target == (inbox / "acme" / "1.pdf").as_uri()
    assert linked.hyperlink.target.startswith("file:///") and linked.hyperlink.location == "page=1"
    gone = pages["Non-standard"].cell(pages["Non-standard"].row_of("File name", "2.pdf"), "Link")
    assert gone.value is None and gone.hyperlink is None

    monkeypatch.setattr(workbook, "_LINKS", 3)
    _, pages = opened(workbook.export(root, tmp_path / "out.xlsx"))
    page = pages["Sources"]
    links = [page.cell(row, "Link") for row in range(2, page.sheet.max_row + 1)]
    assert sum(cell.hyperlink is not None for cell in links) == 3
    assert any(str(cell.value).endswith("1.pdf#page=1") for cell in links)


def test_untouched_gives_no_decision(cli, small: Path, morning: Path, tmp_path: Path):
    book, pages = opened(morning)
    pages["Queue"].fill(2, None, reviewer="Ada")  # a name alone decides nothing
    book.save(tmp_path / "saved.xlsx")
    for path in (morning, tmp_path / "saved.xlsx"):
        done = cli("import", path)
        assert (done.code, done.out) == (0, "Decisions: 0 taken, 0 held already, 0 refused.\n")
    assert reviews(small) == {}


def test_round_trip(cli, small: Path, tmp_path: Path):
    assert cli("export", tmp_path / "morning.xlsx").code == 0
    book, pages = opened(tmp_path / "morning.xlsx")
    sources = pages["Sources"]
    confirmed = pages["Queue"].fill(2, "Confirmed")
    rejected = pages["Non-standard"].fill(pages["Non-standard"].row_of("Flag id", confirmed) % 4 + 2, "rejected")
    assert confirmed != rejected
    topic = pages["ASC 606"].fill(2, "needs_info", Comment="第4条を参照\nand\tsee “Annex”, twice  ")
    more = {"New_value": "2026-01-31", "Reason_code": "ocr_error"}
    term = sources.fill(sources.row_of("Term", "effective_date"), "overridden", **more)
    evil = [
        sources.fill(sources.row_of("Term", "governing_law") + at, "escalated", Comment=text)
        for at, text in enumerate(FORMULAS)
    ]
    book.save(tmp_path / "filled.xlsx")

    count = 4 + len(FORMULAS)
    assert f"{count} taken (dry run" in cli("import", tmp_path / "filled.xlsx", "--dry-run").out
    assert reviews(small) == {}
    done = cli("import", tmp_path / "filled.xlsx")
    assert done.code == 0 and f"Decisions: {count} taken (run " in done.out
    held = reviews(small)
    assert held.keys() == {confirmed, rejected, topic, term, *evil}
    assert [held[id]["comment"] for id in evil] == list(FORMULAS)
    assert held[topic]["comment"] == "第4条を参照\nand\tsee “Annex”, twice  "
    row = held[term]
    assert (row["target"], row["decision"], row["new_value"]) == ("term", "overridden", "2026-01-31")
    assert (row["old_value"], row["reason_code"], row["reviewer"]) == (None, "ocr_error", "Ada")
    assert held[confirmed]["old_value"] == "60"
    assert held[confirmed]["evidence_hash"] == evidence_hash("Net 60 days", "60")
    assert query(small, "SELECT trigger FROM runs ORDER BY started_at DESC LIMIT 1")[1] == [("review",)]

    again = cli("import", tmp_path / "filled.xlsx")
    assert (again.code, again.out) == (0, f"Decisions: 0 taken, {count} held already, 0 refused.\n")
    assert len(query(small, "FROM reviews")[1]) == count
    assert {row[0] for row in query(small, "SELECT flag_id FROM review_queue")[1]}.isdisjoint({confirmed, rejected})
    statuses = "SELECT status FROM nonstandard_terms WHERE flag_id = $id"
    assert query(small, statuses, {"id": rejected})[1] == [("rejected",)]
    assert query(small, "SELECT status FROM asc606_checklist WHERE asc606_id = $id", {"id": topic})[1] == [
        ("needs_info",)
    ]
    assert query(small, "SELECT value FROM morning_brief WHERE metric = 'runs'")[1] == [(1.0,)]

    _, pages = opened(workbook.export(small, tmp_path / "next.xlsx"))
    shown = pages["Overrides"]
    assert [shown.cell(2, name).value for name in ("Field", "New value", "Target id")] == [
        "effective_date",
        "2026-01-31",
        term,
    ]
    assert pages["Sources"].cell(pages["Sources"].row_of("Term id", term), "Status").value == "overridden"


def test_refusals(cli, small: Path, morning: Path, tmp_path: Path):
    book, pages = opened(morning)
    page = pages["Sources"]
    term = {page.cell(row, "Term").value: row for row in range(2, 2 + 39)}
    other = {"decision": "overridden", "Reason_code": "other"}
    cases = {
        term["title"]: ({"decision": "accepted"}, "there is no decision 'accepted'"),
        term["currency"]: ({"decision": "rejected", "Reason_code": "whim"}, "there is no reason code 'whim'"),
        term["our_entity"]: (other, "overridden without a new value"),
        term["governing_law"]: ({"decision": "overridden", "New_value": "Ohio"}, "without a reason code"),
        term["signed_date"]: ({"decision": "confirmed", "reviewer": None}, "it has no reviewer"),
        term["our_role"]: ({"decision": None, "Comment": "hm"}, "it has no decision"),
        term["agreement_date"]: (other | {"New_value": "31.1.2026"}, "'31.1.2026' is no value of agreement_date"),
        term["renewal_notice_days"]: (other | {"New_value": "60.5"}, "'60.5' is no value"),
        term["total_value"]: (other | {"New_value": "1,200"}, "Write an amount as"),
        term["annual_value"]: (other | {"New_value": "0.001"}, "is no value of annual_value"),
        term["renewal_type"]: (other | {"New_value": "yes"}, "Write one of auto, optional"),
        term["fully_executed"]: (other | {"New_value": "1"}, "Write true or false."),
        term["billing_timing"]: ({"decision": "confirmed", "New_value": "advance"}, "confirmed and has a new value"),
    }
    for row, (filled, _) in cases.items():
        page.fill(row, **filled)
    good = page.fill(term["payment_terms_days"], "overridden", New_value=45, Reason_code="Data_entry")
    tampered = page.fill(term["termination_fee"], "confirmed")
    page.cell(term["termination_fee"], "Evidence hash").value = "0" * 64
    page.fill(term["counterparty"], "confirmed")
    page.cell(term["counterparty"], "Term id").value = "t_gone"
    flag = pages["Queue"].fill(2, "confirmed")
    pages["Non-standard"].fill(pages["Non-standard"].row_of("Flag id", flag), "rejected")
    same = pages["Queue"].fill(3, "rejected", Comment="fine")
    pages["Non-standard"].fill(pages["Non-standard"].row_of("Flag id", same), "Rejected ", Comment="fine")
    book.save(tmp_path / "filled.xlsx")

    done = cli("import", tmp_path / "filled.xlsx")
    assert done.code == 1 and done.out.startswith("Decisions: 2 taken (run ")
    assert f"{len(cases) + 4} refused." in done.out
    lines = done.out.splitlines()
    for row, (_, says) in cases.items():
        at = next(at for at, line in enumerate(lines) if line.startswith(f"Sources row {row}, t_"))
        assert says in lines[at] + lines[at + 1], lines[at]
    assert f"Queue row 2, {flag}: Non-standard row" in done.out and "says something else of it" in done.out
    assert f"{tampered}: its quotation or value is not what was exported." in done.out
    assert "t_gone: it is no longer there." in done.out
    assert reviews(small).keys() == {good, same}
    assert reviews(small)[good]["new_value"] == "45"

    named = cli("import", tmp_path / "filled.xlsx", "--reviewer", "Ben")
    assert "Decisions: 1 taken" in named.out and "2 held already" in named.out
    assert {row["reviewer"] for row in reviews(small).values()} == {"Ada", "Ben"}


def test_what_has_changed_since_is_refused(cli, small: Path, morning: Path, tmp_path: Path):
    book, pages = opened(morning)
    page = pages["Sources"]
    first, other = (page.row_of("Contract id", f"c_{number:016x}") for number in (1, 2))
    rows = [row for row in range(2, page.sheet.max_row + 1) if page.cell(row, "Term").value == "payment_terms_days"]
    changed, kept = (next(row for row in rows if row >= start) for start in (first, other))
    ids = [page.fill(row, "confirmed") for row in (changed, kept)]
    book.save(tmp_path / "filled.xlsx")
    land_numbers(small, "r2", [1], 2, payment_terms_days="45")
    done = cli("import", tmp_path / "filled.xlsx")
    assert done.code == 1 and f"Sources row {changed}, {ids[0]}: its quotation or value" in done.out
    assert reviews(small).keys() == {ids[1]}

    # The same person may confirm what stands there now.
    book, pages = opened(workbook.export(small, tmp_path / "next.xlsx"))
    pages["Sources"].fill(pages["Sources"].row_of("Term id", ids[0]), "confirmed")
    book.save(tmp_path / "next.xlsx")
    assert cli("import", tmp_path / "next.xlsx").code == 0
    assert reviews(small)[ids[0]]["old_value"] == "45"


@pytest.mark.parametrize(
    ("typed", "format", "comes"),
    [
        (date(2026, 1, 31), None, "2026-01-31"),
        (datetime(2026, 1, 31, 8, 30), None, "2026-01-31 08:30:00"),
        (45, None, "45"),
        (1200.5, "#,##0.00", "1200.5"),
        (1.1, None, "1.1"),
        (1e15, None, "1000000000000000"),
        (0.0000001, None, "0.0000001"),
        (0.05, "0%", "5%"),
        (True, None, "true"),
        (" as typed ", None, " as typed "),
        ("   ", None, None),
    ],
)
def test_typed_cells_come_back_as_typed(morning: Path, tmp_path: Path, typed: object, format: str | None, comes: str):
    book, pages = opened(morning)
    pages["Sources"].fill(2, "overridden", New_value=typed)
    if format:
        pages["Sources"].cell(2, "New value").number_format = format
    book.save(tmp_path / "typed.xlsx")
    assert filled_in(tmp_path / "typed.xlsx")[0].new_value == comes


def test_columns_may_move_and_rows_be_sorted(morning: Path, tmp_path: Path):
    book, pages = opened(morning)
    id = pages["Queue"].fill(3, "confirmed")
    book["Queue"].delete_rows(2)
    book["Queue"].insert_cols(1, 2)
    for name in ("Brief", "Sources"):
        book.remove(book[name])
    book.save(tmp_path / "moved.xlsx")
    given = filled_in(tmp_path / "moved.xlsx")
    assert [(d.target_id, d.sheet, d.row, d.decision) for d in given] == [(id, "Queue", 2, "confirmed")]


def test_files_that_are_no_workbook(cli, small: Path, morning: Path, tmp_path: Path):
    (tmp_path / "text.xlsx").write_text("not a zip")
    with zipfile.ZipFile(tmp_path / "zip.xlsx", "w") as file:
        file.writestr("a.txt", "b")
    for name in ("text.xlsx", "zip.xlsx", "missing.xlsx", "morning.xls"):
        done = cli("import", tmp_path / name)
        assert done.code == 1 and "Error [workbook]" in done.err, name
    book, pages = opened(morning)
    pages["Queue"].cell(1, "Evidence hash").value = "Seen"
    book.save(tmp_path / "renamed.xlsx")
    with pytest.raises(WarehouseError, match="The sheet Queue can't be taken: it has no column evidence_hash"):
        filled_in(tmp_path / "renamed.xlsx")
    for name in REVIEWED:
        book.remove(book[name])
    book.save(tmp_path / "other.xlsx")
    with pytest.raises(WarehouseError, match="none of the sheets"):
        filled_in(tmp_path / "other.xlsx")


def test_a_sheet_that_is_full_says_so(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workbook, "_ROWS", 100)
    _, pages = opened(workbook.export(small, tmp_path / "out.xlsx"))
    assert pages["Sources"].sheet.max_row == 101
    brief = pages["Brief"]
    row = brief.row_of("Metric", "rows_left_out")
    assert (brief.cell(row, "Value").value, brief.cell(row, "Detail").value) == (
        17,
        "of the sheet Sources, which takes 100",
    )


def test_csv_and_parquet(cli, root: Path, tmp_path: Path):
    land_run(root, "r1", [batch(at, "r1", title=title) for at, title in enumerate(FORMULAS)])
    assert cli("export", tmp_path / "flags.csv").code == 0
    with (tmp_path / "flags.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["title"] for row in rows} == {f"'{text}" for text in FORMULAS[:-1]} | {FORMULAS[-1]}
    assert rows[0]["refs"] == '["PB-1.1", "606-32-15"]'
    assert cli("export", tmp_path / "checks.parquet", "--sheet", "asc606").code == 0
    assert pq.ParquetFile(tmp_path / "checks.parquet").read()["paragraphs"].to_pylist() == [["606-10-32-15"]] * 6
    assert cli("export", tmp_path / "contracts.parquet", "--sheet", "contracts_history").code == 0
    table = pq.ParquetFile(tmp_path / "contracts.parquet").read()
    assert set(table["title"].to_pylist()) == set(FORMULAS)
    unknown = cli("export", tmp_path / "x.csv", "--sheet", "letters")
    assert unknown.code == 1 and "Sheets: Brief, Queue" in unknown.err and "terms_history" in unknown.err
    assert "does not say what to write" in cli("export", tmp_path / "x.txt").err
    assert not list(tmp_path.glob(".*.tmp"))
