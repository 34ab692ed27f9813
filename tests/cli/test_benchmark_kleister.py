"""`contract-agent benchmark kleister`: what the engine lands, in the spelling of Kleister-NDA, and its score."""

import json
from pathlib import Path

import pandas as pd
import pymupdf
import pytest

from benchmarks import kleister

TEXT = """MUTUAL NON-DISCLOSURE AGREEMENT

This Agreement is made as of March 3, 2026 by and between Example & Sons, Incorporated, a Delaware corporation
("Example"), and Sample Holdings, L.L.C., a Texas limited liability company ("Sample").

1. Term. The term of this Agreement shall be for a period of eighteen (18) months.

2. Governing Law. This Agreement is governed by the laws of the State of New York.
"""
WANTED = {
    ("party", "Example_and_Sons_Inc."),
    ("party", "Sample_Holdings_LLC"),
    ("jurisdiction", "New_York"),
    ("effective_date", "2026-03-03"),
    ("term", "18_months"),
}


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    pdf = pymupdf.open()
    pdf.new_page().insert_text((72, 72), TEXT.splitlines(), fontsize=9)
    pdf.save(folder / "nda.pdf")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing else")
    return folder


def test_predictions_and_scores(inbox, tmp_path, capsys):
    gold = tmp_path / "expected.tsv"
    gold.write_text("nda.pdf\t" + " ".join(f"{key}={value}" for key, value in sorted(WANTED)) + " party=Other_Ltd.\n")
    out = tmp_path / "out" / "predictions.parquet"
    arguments = ["--inbox", str(inbox), "--predictions", str(out), "--gold", str(gold), "--workers", "1"]
    assert kleister.main(arguments) == 0
    table = pd.read_parquet(out)
    assert list(table.columns) == ["document", "key", "value"]
    assert set(table.document) == {"nda.pdf"}
    assert {(row.key, row.value) for row in table.itertuples()} == WANTED
    printed = capsys.readouterr().out
    assert "broken.pdf" in printed
    result = json.loads(printed.splitlines()[-1])
    assert result["f1"] == pytest.approx(10 / 11)
    assert result["party_recall"] == pytest.approx(2 / 3)
    assert result["term_f1"] == 1.0
