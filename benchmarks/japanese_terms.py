"""Terms and clause types of Japanese contracts, as the embedded engine reads them.

    contract-agent benchmark japanese_terms [--wrong] [--across CHARACTERS] [--dense]

`samples/japanese.yaml` holds 30 contracts and excerpts written for this, each with its terms, with terms that must
not be given (dates of an earlier agreement, a court that is no law, notice for another purpose) and with its clause
types. The rules were written on the part `tune`; `held_out` was only scored. Lines are broken as on a page.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from extractors.characters import clean, language_of
from extractors.check import check
from extractors.chunk import chunk
from extractors.derive import derive
from extractors.engines.embedded import EmbeddedEngine
from extractors.names import normalised
from extractors.pdf import RawWord
from extractors.read import lay_out
from schemas.contract import Extraction, Term
from schemas.document import Document, Page
from schemas.terms import TERM_BY_NAME

CASES = Path(__file__).parent / "samples" / "japanese.yaml"
PARTS = ("tune", "held_out")
TODAY = date(2026, 6, 30)
ACROSS = 40
"""Characters of a line."""

NO_PASSAGE = frozenset({"document_name", "parties", "agreement_date", "effective_date"})
"""Clause types that are names and dates, which the terms hold; they are not scored."""


class Finding(NamedTuple):
    """One comparison: a term or an absence of a case, what is expected and what was read."""

    case: str
    name: str
    expected: Any
    found: str | None
    right: bool
    proven: bool


class Score(NamedTuple):
    """The comparisons of a part, and its clause types as case and type: expected and told."""

    terms: list[Finding]
    absences: list[Finding]
    expected: set[tuple[str, str]]
    told: set[tuple[str, str]]

    def figures(self) -> dict[str, float]:
        """The figures of the part, 0 to 1."""
        right = [finding for finding in self.terms if finding.right]
        both = len(self.expected & self.told)
        return {
            "terms_right": _share(len(right), len(self.terms)),
            "right_and_proven": _share(sum(finding.proven for finding in right), len(right)),
            "absences_kept": _share(sum(finding.right for finding in self.absences), len(self.absences)),
            "clause_precision": _share(both, len(self.told)),
            "clause_recall": _share(both, len(self.expected)),
            "clause_f1": _share(2 * both, len(self.told) + len(self.expected)),
        }


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the figures of both parts, as a table and as one line of JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark japanese_terms", description=__doc__)
    parser.add_argument("--wrong", action="store_true", help="print what was wrong or missed in the part `tune`")
    parser.add_argument("--across", type=int, default=ACROSS, help="characters of a line")
    parser.add_argument("--dense", action="store_true", help="without empty lines between the paragraphs")
    asked = parser.parse_args(argv)
    engine = EmbeddedEngine("embedded")
    scores = {part: measure(engine, part, asked.across, asked.dense) for part in PARTS}
    figures = {part: score.figures() for part, score in scores.items()}
    for name in figures["tune"]:
        print(f"{name:18}", *(f"{part} {figures[part][name]:.3f}  " for part in PARTS))
    if asked.wrong:
        for line in wrong(scores["tune"]):
            print(line)
    print(json.dumps(figures))
    return 0


def cases(part: str) -> list[dict[str, Any]]:
    """The cases of a part."""
    return [case for case in yaml.safe_load(CASES.read_text(encoding="utf-8")) if case["part"] == part]


def document(text: str, across: int = ACROSS, dense: bool = False) -> Document:
    """A document of one page on which the text stands in lines of so many characters."""
    raw, line = [], 0
    for block, paragraph in enumerate(clean(text).strip().split("\n")):
        for content in _lines(paragraph, across):
            x = 72.0
            for word in content.split():
                box = (x, 72.0 + 14 * line, x + 10 * len(word), 84.0 + 14 * line)
                raw.append(RawWord(word, box, 0 if dense else block, line))
                x += 10 * len(word) + 6
            line += 1
    laid, words = lay_out(raw)
    page = Page(number=1, width=612, height=792, text=laid, words=words)
    fields = {"contract_id": "c_1", "sha256": "0", "media_type": "application/pdf"}
    return Document(**fields, pages=(page,), language=language_of(laid))


def _lines(paragraph: str, across: int) -> Iterator[str]:
    """The paragraph in lines; no line ends inside a number or a Latin word, and none begins with a stop."""
    start = 0
    while start < len(paragraph):
        end = min(start + across, len(paragraph))
        while end < len(paragraph) and _is_bound(paragraph[end - 1], paragraph[end]):
            end += 1
        yield paragraph[start:end]
        start = end


def _is_bound(before: str, after: str) -> bool:
    return after in "、。」)%,." or (before.isascii() and after.isascii() and not (before + after).isspace())


def read(engine: EmbeddedEngine, held: Document) -> Extraction:
    """The document's extraction, checked and derived."""
    found = check(engine.extract(held, chunk(held)), held)
    return derive(found, held, (), TODAY)


def measure(engine: EmbeddedEngine, part: str, across: int = ACROSS, dense: bool = False) -> Score:
    """The comparisons over the cases of a part."""
    score = Score([], [], set(), set())
    for case in cases(part):
        held = document(case["text"], across, dense)
        found = read(engine, held)
        score.terms.extend(_compared(case["name"], name, value, found) for name, value in case["terms"].items())
        score.absences.extend(_kept_absent(case["name"], name, found) for name in case["absent"])
        score.expected.update((case["name"], one) for one in case["clauses"])
        told = {clause.clause_type for clause in found.clauses if clause.citation and clause.citation.score == 1.0}
        score.told.update((case["name"], one) for one in told - NO_PASSAGE)
    return score


def wrong(score: Score) -> Iterator[str]:
    """A line for each comparison that is not right, and for each clause type that was missed or wrongly told."""
    for kind, findings in (("term", score.terms), ("absence", score.absences)):
        for one in findings:
            if not one.right or (kind == "term" and not one.proven):
                yield f"{kind} {one.case} {one.name}: expected {one.expected}, found {one.found}, proven {one.proven}"
    for mark, names in (("missed", score.expected - score.told), ("told", score.told - score.expected)):
        for case, name in sorted(names):
            yield f"clause {mark} {case} {name}"


def _compared(case: str, name: str, expected: Any, found: Extraction) -> Finding:
    if name == "parties":
        given = [term for term in found.terms if term.term == name and term.value]
        said = "; ".join(f"{term.value} ({term.role})" for term in given)
        return Finding(case, name, expected, said, _same_parties(expected, given), all(map(_is_proven, given)))
    term = found.term(name)
    right = term is not None and _same(name, expected, term.value or "")
    return Finding(case, name, expected, term.value if term else None, right, term is not None and _is_proven(term))


def _kept_absent(case: str, name: str, found: Extraction) -> Finding:
    term = found.term(name)
    return Finding(case, name, None, term.value if term else None, term is None, True)


def _same(name: str, expected: str, value: str) -> bool:
    if TERM_BY_NAME[name].type in ("money", "number", "days"):
        return abs(float(expected) - float(value)) < 0.005
    return clean(expected) == value


def _same_parties(expected: Sequence[Mapping[str, str]], given: Sequence[Term]) -> bool:
    """Whether the names are the same, and each role is the party's name in the contract or its side."""
    roles = {normalised(term.value or ""): term.role for term in given}
    wanted = {normalised(party["name"]): {party["role"], party.get("side")} for party in expected}
    return roles.keys() == wanted.keys() and all(roles[name] in wanted[name] for name in wanted)


def _is_proven(term: Term) -> bool:
    return term.evidence in ("verified", "derived")


def _share(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 1.0


if __name__ == "__main__":
    raise SystemExit(main())
