"""Scores a warehouse against the gold of the sample contracts. Used by the tests and by `benchmark night`.

The gold was written by hand from the texts, one JSON file a document; see docs/sample_contracts.md.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from review.loop import gold
from review.loop.gold import Finding
from warehouse.read import query

ROOT = Path(__file__).resolve().parent.parent
GOLD_FOLDER = ROOT / "tests" / "gold"
SAMPLES = ROOT / "sample_contracts"


def gold_documents() -> list[dict[str, Any]]:
    """The gold of every document of the inbox."""
    return gold.documents(GOLD_FOLDER)


def term_findings(warehouse: Path) -> list[Finding]:
    """Every term of every landed document compared with its gold; honest absence counts as right."""
    return gold.term_findings(warehouse, gold_documents())


def flag_findings(warehouse: Path) -> list[Finding]:
    """Every scored rule that fired or should have: right when both agree."""
    return gold.flag_findings(warehouse, gold_documents())


def status_findings(warehouse: Path) -> list[Finding]:
    """What became of every document."""
    statement = """SELECT d.source_uri, d.status, o.source_uri FROM documents d
        LEFT JOIN documents o ON d.duplicate_of = o.document_id"""
    found = {path: (status, original) for path, status, original in query(warehouse, statement)[1]}
    findings = []
    for one in gold_documents():
        expected = (one["status"], one.get("duplicate_of"))
        got = found.get(one["path"])
        findings.append(Finding(one["path"], one["capture_class"] or "", "status", expected, got, expected == got))
    return findings


def misplaced_quotes(warehouse: Path) -> list[tuple[str, str]]:
    """Verified quotations, of terms and flags, that do not stand on the page that is cited."""
    statement = """
        SELECT t.contract_id, t.quote FROM {table} t
        WHERE t.evidence = 'verified' AND NOT EXISTS (
            SELECT 1 FROM pages p WHERE p.document_id = t.document_id AND p.page_number = t.page_number
            AND contains(regexp_replace(p.text, '\\s+', ' ', 'g'), regexp_replace(t.quote, '\\s+', ' ', 'g')))"""
    return [row for table in ("terms", "flags") for row in query(warehouse, statement.format(table=table))[1]]


def share_right(findings: Iterable[Finding]) -> float:
    """Right ones over all; 1.0 of none."""
    rights = [finding.right for finding in findings]
    return sum(rights) / len(rights) if rights else 1.0


def precision_recall(findings: Iterable[Finding]) -> tuple[float, float]:
    """Of flags: how many that fired should have, and how many that should have fired."""
    findings = list(findings)
    both = sum(finding.right for finding in findings)
    fired = sum(bool(finding.found) for finding in findings)
    expected = sum(bool(finding.gold) for finding in findings)
    return both / max(1, fired), both / max(1, expected)
