"""The brief and the workbook."""

import re
import zipfile
from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from landing_samples import batch, filed, land_run

from schemas.errors import WarehouseError
from warehouse.brief import brief, render
from warehouse.rows import document_rows
from warehouse.workbook import SHEETS, export

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
EVIL = ('=HYPERLINK("http://evil.example","x")', "+1+1", "@SUM(A1)", "-2+3", "http://evil.example", "{=1}")


@pytest.fixture
def night(root: Path) -> Path:
    soon = date.today() + timedelta(days=20)
    failed = filed(7, "r1", status="quarantined", error_code="encrypted", error_message="It has a password.")
    due = batch(1, "r1", severity="critical", notice_deadline=str(soon), annual_value="5000", currency="EUR")
    batches = [batch(at, "r1", title=title) for at, title in enumerate(EVIL, 10)]
    land_run(root, "r1", [due, document_rows(failed, None), *batches], seconds=31)
    return root


def test_brief_data(night: Path):
    data = brief(night)
    assert data.severities == {"critical": 1, "high": 6}
    assert data.open_flags == 7
    assert data.flags[0]["severity"] == "critical"
    assert [row["currency"] for row in data.totals] == ["USD", "EUR"]
    assert (data.renewals_ahead, data.renewals[0]["days_left"]) == (1, 20)


def test_brief_text(night: Path):
    text = render(brief(night))
    for part in (
        "Contract brief for Friday, 20 November 2026",
        "8 documents, 7 contracts, 7 pages, in 31 seconds. 0 duplicates, 1 in quarantine.",
        "7.pdf (encrypted): It has a password.",
        "Flags to decide: 1 critical, 6 high",
        "CRITICAL R01: Master Agreement (Acme Inc.), page 1",
        "Payment is due after 60 days; we ask for 30.",
        "See: Payment terms; Financing",
        "(in 20 days) last day for notice: Master Agreement (Acme Inc.), EUR 5,000.00 a year",
        "USD 720,000.00, 6 contracts",
    ):
        assert part in text, part
    assert max(map(len, text.splitlines())) <= 100


def test_brief_of_nothing(empty: Path, root: Path):
    assert "Nothing has been landed yet" in render(brief(empty))
    land_run(root, "r1")
    text = render(brief(root))
    assert "Nothing waits in quarantine." in text and "No flags to decide." in text


def test_brief_obeys_no_control_characters(root: Path):
    land_run(root, "r1", [batch(1, "r1", title="Agree\x1b[31mment\r\nTwo")])
    assert "\x1b" not in render(brief(root)) and "\r" not in render(brief(root))


def sheets_of(path: Path) -> dict[str, ElementTree.Element]:
    with zipfile.ZipFile(path) as book:
        names = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
        return {
            name: ElementTree.fromstring(book.read(f"xl/worksheets/sheet{at}.xml")) for at, name in enumerate(names, 1)
        }


def test_workbook(night: Path, tmp_path: Path):
    path = export(night, tmp_path / "out.xlsx")
    sheets = sheets_of(path)
    assert (
        list(sheets)
        == list(SHEETS)
        == [
            *("Brief", "Queue", "Contracts", "Non-standard", "ASC 606", "Obligations", "Renewals", "Billing"),
            *("Changes", "Overrides", "Sources"),
        ]
    )
    for name, sheet in sheets.items():
        assert sheet.find(f".//{SHEET}pane").get("state") == "frozen", name
        assert sheet.find(f"{SHEET}autoFilter") is not None, name
        assert not list(sheet.iter(f"{SHEET}f")), name
        assert not list(sheet.iter(f"{SHEET}hyperlink")), name
    assert len(list(sheets["Contracts"].iter(f"{SHEET}row"))) == 8
    assert len(list(sheets["Sources"].iter(f"{SHEET}row"))) == 7 * 39 + 1


def test_workbook_types(night: Path, tmp_path: Path):
    sheet = sheets_of(export(night, tmp_path / "out.xlsx"))["Contracts"]
    rows = [list(row) for row in sheet.iter(f"{SHEET}row")]
    heads = {"".join(cell.itertext()): re.sub(r"\d", "", cell.get("r")) for cell in rows[0]}
    texts, kinds = {}, {}
    for row in rows[1:]:
        cells = {re.sub(r"\d", "", cell.get("r")): cell for cell in row}
        title = "".join(cells[heads["Title"]].itertext())
        texts[title] = {name: "".join(cells[at].itertext()) for name, at in heads.items() if at in cells}
        kinds[title] = {name: cells[at].get("t") for name, at in heads.items() if at in cells}
    assert set(EVIL) < set(texts)
    assert all(kind["Title"] == "inlineStr" for kind in kinds.values())
    assert (texts[EVIL[0]]["Total value"], kinds[EVIL[0]]["Total value"]) == ("120000", None)
    assert (texts[EVIL[0]]["Fully executed"], kinds[EVIL[0]]["Fully executed"]) == ("1", "b")
    assert texts[EVIL[0]]["Parties"] == "Acme Inc. (customer); Ours"
    assert texts["Master Agreement"]["Notice deadline"].isdigit()


def test_workbook_of_nothing(empty: Path, tmp_path: Path):
    assert len(sheets_of(export(empty, tmp_path / "out.xlsx"))) == len(SHEETS)


def test_long_text_is_cut(root: Path, tmp_path: Path):
    land_run(root, "r1", [batch(1, "r1", title="x" * 40_000)])
    with zipfile.ZipFile(export(root, tmp_path / "out.xlsx")) as book:
        texts = "".join(book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name)
    assert "x" * 30_000 in texts and "x" * 33_000 not in texts  # Excel holds 32,767 characters a cell


def test_workbook_is_replaced_in_one_step(night: Path, tmp_path: Path):
    path = tmp_path / "out.xlsx"
    path.write_bytes(b"old")
    export(night, path)
    assert zipfile.is_zipfile(path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.xlsx", "warehouse"]


def test_workbook_needs_a_folder(night: Path, tmp_path: Path):
    with pytest.raises(WarehouseError, match="there is no folder"):
        export(night, tmp_path / "missing" / "out.xlsx")
    with pytest.raises(WarehouseError, match="it is a folder"):
        export(night, tmp_path)
