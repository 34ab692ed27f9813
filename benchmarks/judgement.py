"""Flags and ASC 606 topics against contracts of our own whose right answers were written by hand.

    contract-agent benchmark judgement [--part PART] [--wrong]

The cases in `benchmarks/samples/judged/` are short contracts in varied drafting: each says which rules must fire (all
others must not), which traps a careless reader would fall into, and which topics a reviewer expects or does not want.
They were written from the playbook without a look at the rules' patterns. Each part gave a figure before anything was
changed for it (docs/benchmarks.md); by now patterns were improved on all of them.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

import pymupdf
import yaml

from extractors.check import check
from extractors.chunk import chunk
from extractors.engines.embedded import EmbeddedEngine
from extractors.files import Content, Limits
from extractors.read import read
from flows.line import judge
from schemas.contract import ContractReading
from schemas.document import Document
from schemas.playbook import load_playbooks

FOLDER = Path(__file__).parent / "samples" / "judged"
TODAY = date(2026, 11, 2)
PARTS = ("tune", "held_out", "fresh", "last", "sealed", "sixth")
"""In the order in which they were written."""


class Judged(NamedTuple):
    """What came out for a case: rules wanted, fired and trapped, and topics."""

    name: str
    part: str
    wanted: frozenset[str]
    fired: frozenset[str]
    traps: frozenset[str]
    topics: frozenset[str]
    unwanted: frozenset[str]
    raised: frozenset[str]
    unproven: int


def main(argv: Sequence[str] | None = None) -> int:
    """Prints what is wrong if asked, the figures of each part, and the same as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark judgement", description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=PARTS, help="only these cases")
    parser.add_argument("--wrong", action="store_true", help="print every flag and topic that is wrong")
    arguments = parser.parse_args(argv)
    found = [one for one in judged() if arguments.part in (None, one.part)]
    if arguments.wrong:
        for one in found:
            _print_wrong(one)
    result = {part: figures(these) for part in PARTS if (these := [f for f in found if f.part == part])}
    for part, values in result.items():
        print(part, *(f"{name} {value:.3f}" for name, value in values.items()), sep="  ")
    print(json.dumps(result))
    return 0


def cases() -> Iterator[dict[str, Any]]:
    """The cases as they were written."""
    for file in sorted(FOLDER.glob("*.yaml")):
        yield from yaml.safe_load(file.read_text(encoding="utf-8"))


def judged() -> Iterator[Judged]:
    """Every case, read and judged like any document."""
    engine, playbook = EmbeddedEngine("benchmark"), load_playbooks()
    for case in cases():
        document = document_of(case["text"])
        extraction = check(engine.extract(document, chunk(document)), document)
        reading = judge(extraction, document, playbook, tuple(case["our_entities"]), TODAY)
        yield _judged(case, reading)


def _judged(case: dict[str, Any], reading: ContractReading) -> Judged:
    flags = [flag for flag in reading.flags if flag.rule_id.startswith("R")]
    names = {name: frozenset(case.get(name) or ()) for name in ("flags", "traps", "topics", "not_topics")}
    return Judged(
        name=case["name"],
        part=case["part"],
        wanted=names["flags"],
        fired=frozenset(flag.rule_id for flag in flags),
        traps=names["traps"],
        topics=names["topics"],
        unwanted=names["not_topics"],
        raised=frozenset(topic.topic for topic in reading.asc606),
        unproven=sum(not (flag.reason and flag.refs) or bool(flag.quote and not flag.citation) for flag in flags),
    )


def document_of(text: str) -> Document:
    """The text as a born-digital PDF, read."""
    lines = [part for line in text.strip().split("\n") for part in wrap(line, 95) or [""]]
    with tempfile.TemporaryDirectory() as folder, pymupdf.open() as pdf:
        for start in range(0, len(lines), 52):
            pdf.new_page().insert_text((60, 60), lines[start : start + 52], fontsize=9.5, lineheight=1.35)
        path = Path(folder) / "contract.pdf"
        pdf.save(path)
        return read(Content((path,), "c_1", "0"), Limits())


def figures(found: Sequence[Judged]) -> dict[str, float]:
    """Precision and recall of flags and topics, traps that caught, flags without reason, reference or place."""
    right = sum(len(one.wanted & one.fired) for one in found)
    topics = sum(len(one.topics & one.raised) for one in found)
    return {
        "cases": float(len(found)),
        "flags_precision": right / max(1, sum(len(one.fired) for one in found)),
        "flags_recall": right / max(1, sum(len(one.wanted) for one in found)),
        "traps": float(sum(len(one.traps) for one in found)),
        "traps_caught": float(sum(len(one.traps & one.fired) for one in found)),
        "topics_precision": topics / max(1, topics + sum(len(one.unwanted & one.raised) for one in found)),
        "topics_recall": topics / max(1, sum(len(one.topics) for one in found)),
        "flags_unproven": float(sum(one.unproven for one in found)),
    }


def _print_wrong(one: Judged) -> None:
    kinds = {
        "missed": one.wanted - one.fired,
        "false": one.fired - one.wanted - one.traps,
        "trapped": one.traps & one.fired,
        "topics missed": one.topics - one.raised,
        "topics unwanted": one.unwanted & one.raised,
    }
    for kind, rules in kinds.items():
        if rules:
            print(f"{one.part:9} {one.name:45} {kind}: {', '.join(sorted(rules))}")
