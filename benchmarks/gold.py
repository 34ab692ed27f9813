"""Scores a warehouse against the gold of the sample contracts. Used by the tests and by `benchmark night`.

The gold was written by hand from the texts, one JSON file a document; see docs/sample_contracts.md.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from extractors.names import normalised
from schemas.terms import TERM_BY_NAME
from warehouse.read import query

ROOT = Path(__file__).resolve().parent.parent
GOLD_FOLDER = ROOT / "tests" / "gold"
SAMPLES = ROOT / "sample_contracts"

SCORED_RULES = frozenset({f"R{number:02}" for number in range(1, 51)} | {"M01", "M04", "M05"})


class Finding(NamedTuple):
    """One comparison: a term of a document, what gold says and what the warehouse holds."""

    path: str
    capture_class: str
    name: str
    gold: Any
    found: Any
    right: bool


def gold_documents() -> list[dict[str, Any]]:
    """The gold of every document of the inbox."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(GOLD_FOLDER.glob("*.json"))]


def term_findings(warehouse: Path) -> list[Finding]:
    """Every term of every landed document compared with its gold; honest absence counts as right."""
    held = _contracts(warehouse)
    return [finding for gold in _landed() for finding in _compared(gold, held.get(gold["path"], {}))]


def flag_findings(warehouse: Path) -> list[Finding]:
    """Every scored rule that fired or should have: right when both agree."""
    columns, rows = query(
        warehouse,
        "SELECT DISTINCT source_uri, rule_id, severity FROM flags JOIN documents USING (document_id)",
    )
    assert columns
    fired: dict[str, set[str]] = defaultdict(set)
    for path, rule, _ in rows:
        fired[path].add(rule)
    return [finding for gold in _landed() for finding in _flags_of(gold, fired[gold["path"]] & SCORED_RULES)]


def status_findings(warehouse: Path) -> list[Finding]:
    """What became of every document."""
    statement = """SELECT d.source_uri, d.status, o.source_uri FROM documents d
        LEFT JOIN documents o ON d.duplicate_of = o.document_id"""
    found = {path: (status, original) for path, status, original in query(warehouse, statement)[1]}
    findings = []
    for gold in gold_documents():
        expected = (gold["status"], gold.get("duplicate_of"))
        got = found.get(gold["path"])
        findings.append(Finding(gold["path"], gold["capture_class"] or "", "status", expected, got, expected == got))
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


def _landed() -> list[dict[str, Any]]:
    return [gold for gold in gold_documents() if gold["status"] == "landed"]


def _contracts(warehouse: Path) -> dict[str, dict[str, Any]]:
    columns, rows = query(warehouse, "SELECT d.source_uri, c.* FROM contracts c JOIN documents d USING (document_id)")
    return {row[0]: dict(zip(columns[1:], row[1:], strict=True)) for row in rows}


def _compared(gold: dict[str, Any], held: dict[str, Any]) -> Iterator[Finding]:
    for name, expected in gold["terms"].items():
        found = held.get(name)
        right = bool(held) and _equal(name, expected, found)
        yield Finding(gold["path"], gold["capture_class"], name, expected, found, right)


def _equal(name: str, gold: Any, found: Any) -> bool:
    if gold in (None, []) or found is None:
        return gold in (None, []) and found in (None, [])
    kind = TERM_BY_NAME[name].type
    if kind == "parties":
        return {normalised(p["name"]) for p in gold} == {normalised(p["name"]) for p in found}
    if kind in ("money", "number", "days"):
        return abs(float(gold) - float(found)) < 0.005
    if kind == "date":
        return gold == found.isoformat()
    if kind == "flag":
        return bool(gold) == found
    return _same_text(str(gold), str(found))


def _same_text(gold: str, found: str) -> bool:
    bare, other = _letters(gold), _letters(found)
    return bare == other or (min(len(bare), len(other)) > 5 and (bare in other or other in bare))


def _letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())


def _flags_of(gold: dict[str, Any], fired: set[str]) -> Iterator[Finding]:
    expected = {flag["rule_id"] for flag in gold["flags"]} & SCORED_RULES
    for rule in sorted(expected | fired):
        wanted, got = rule in expected, rule in fired
        yield Finding(gold["path"], gold["capture_class"], rule, wanted, got, wanted and got)
