"""Our own clause types: precision and recall of the rules on labelled passages in varied drafting.

    contract-agent benchmark finance_clauses [--wrong]

CUAD labels none of the finance types, so `samples/finance_clauses.jsonl` holds 540 passages written for this: every
type in British and American, old and plain drafting, half of them avoiding the usual words, and passages that use
those words for something else. The rules were written on the part `tune`; `held_out` was only scored.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from extractors.engines.rules.clauses import clauses
from extractors.sentences import sentences
from schemas.clauses import FINANCE_CLAUSES

PASSAGES = Path(__file__).parent / "samples" / "finance_clauses.jsonl"
PARTS = ("tune", "held_out")


class Passage(NamedTuple):
    """A passage and the finance clause types that an expert would give it."""

    part: str
    labels: frozenset[str]
    heading: str
    text: str


class Counts(NamedTuple):
    """Right, wrong and missed labels by clause type."""

    right: Counter
    wrong: Counter
    missed: Counter

    def scores(self, *types: str) -> tuple[float, float, float]:
        """Precision, recall and F1 over these types together."""
        right, wrong, missed = (sum(counter[name] for name in types) for counter in self)
        precision, recall = right / max(1, right + wrong), right / max(1, right + missed)
        return precision, recall, 2 * right / max(1, 2 * right + wrong + missed)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints precision, recall and F1 of each part and type, as a table and as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark finance_clauses", description=__doc__)
    parser.add_argument("--wrong", action="store_true", help="print what was wrong or missed in the part `tune`")
    asked = parser.parse_args(argv)
    result = {part: measure(part) for part in PARTS}
    for name in FINANCE_CLAUSES:
        print(f"{name:24}", *("  {:.2f} {:.2f} {:.2f}".format(*result[part].scores(name)) for part in PARTS))
    if asked.wrong:
        for line in wrong("tune"):
            print(line)
    print(json.dumps({p: dict(zip("PRF", result[p].scores(*FINANCE_CLAUSES), strict=True)) for p in PARTS}))
    return 0


def passages(part: str) -> Iterator[Passage]:
    """The labelled passages of a part."""
    for line in PASSAGES.read_text(encoding="utf-8").splitlines():
        held = json.loads(line)
        if held["part"] == part:
            yield Passage(part, frozenset(held["labels"]), held["heading"], held["text"])


def told(passage: Passage) -> set[str]:
    """The finance clause types that the rules find in a passage under its heading."""
    text = "\n\n".join(filter(None, (passage.heading, passage.text)))
    return {c.clause_type for c in clauses(text, sentences(text))} & set(FINANCE_CLAUSES)


def measure(part: str) -> Counts:
    """Counts over the passages of a part."""
    counts = Counts(Counter(), Counter(), Counter())
    for passage in passages(part):
        found = told(passage)
        counts.right.update(found & passage.labels)
        counts.wrong.update(found - passage.labels)
        counts.missed.update(passage.labels - found)
    return counts


def wrong(part: str) -> Iterator[str]:
    """A line for each wrong and each missed label."""
    for passage in passages(part):
        found = told(passage)
        for mark, names in (("wrong", found - passage.labels), ("missed", passage.labels - found)):
            for name in sorted(names):
                yield f"{mark} {name} | {passage.heading} | {passage.text}"


if __name__ == "__main__":
    raise SystemExit(main())
