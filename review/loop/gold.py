"""A warehouse against gold: what people wrote down of documents before any engine read them.

Gold is one JSON file a document: `path` in the inbox, `status`, `capture_class`, `terms` by name and `flags` with their
`rule_id`; see docs/sample_contracts.md.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from extractors.names import normalised
from schemas.learned import LearnedError
from schemas.terms import TERM_BY_NAME
from warehouse.read import query

SCORED_RULES = frozenset({f"R{number:02}" for number in range(1, 51)} | {"M01", "M04", "M05"})

Gold = dict[str, Any]


class Finding(NamedTuple):
    """One comparison: a term or a rule of a document, what gold says and what the warehouse holds."""

    path: str
    capture_class: str
    name: str
    gold: Any
    found: Any
    right: bool


def documents(folder: Path) -> list[Gold]:
    """The gold of a folder. Raises LearnedError when there is none."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]
    if not found:
        raise LearnedError(f"There is no gold in {folder}.", help="Give a folder of JSON files with --gold.")
    return found


def term_findings(warehouse: Path, gold: Sequence[Gold]) -> list[Finding]:
    """Every term of every landed document compared with its gold; honest absence counts as right."""
    columns, rows = query(warehouse, "SELECT d.source_uri, c.* FROM contracts c JOIN documents d USING (document_id)")
    held = {row[0]: dict(zip(columns[1:], row[1:], strict=True)) for row in rows}
    return [finding for one in _landed(gold) for finding in _compared(one, held.get(one["path"], {}))]


def flag_findings(warehouse: Path, gold: Sequence[Gold]) -> list[Finding]:
    """Every scored rule that fired or should have: right when both agree. A flag that is doubted counts as none."""
    sql = """SELECT DISTINCT source_uri, rule_id FROM flags JOIN documents USING (document_id)
        WHERE flags.learned IS NULL"""
    fired: dict[str, set[str]] = defaultdict(set)
    for path, rule in query(warehouse, sql)[1]:
        fired[path].add(rule)
    return [finding for one in _landed(gold) for finding in _flags_of(one, fired[one["path"]] & SCORED_RULES)]


def confidences(warehouse: Path, gold: Sequence[Gold]) -> list[tuple[float, bool]]:
    """The confidence of each stated value that gold knows, and whether it is right."""
    right = {(one.path, one.name): one.right for one in term_findings(warehouse, gold)}
    sql = """SELECT d.source_uri, t.term, t.confidence FROM terms t JOIN documents d USING (document_id)
        WHERE t.value IS NOT NULL AND t.term <> 'parties'"""
    rows = query(warehouse, sql)[1]
    return [(confidence, right[path, term]) for path, term, confidence in rows if (path, term) in right]


def _landed(gold: Sequence[Gold]) -> list[Gold]:
    return [one for one in gold if one["status"] == "landed"]


def _compared(gold: Gold, held: dict[str, Any]) -> Iterator[Finding]:
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


def _flags_of(gold: Gold, fired: set[str]) -> Iterator[Finding]:
    expected = {flag["rule_id"] for flag in gold["flags"]} & SCORED_RULES
    for rule in sorted(expected | fired):
        wanted, got = rule in expected, rule in fired
        yield Finding(gold["path"], gold["capture_class"], rule, wanted, got, wanted and got)
