"""Prompts are data with a version, and their examples keep to the rules they teach."""

import hashlib
import json
from pathlib import Path

import jinja2
import pytest

from extractors.check import check
from extractors.engines.llm.prompts import FOLDER, load
from extractors.engines.llm.requests import Letter
from extractors.engines.llm.schema import ASKED, Answer, answer_schema
from extractors.extract import prompt_version
from extractors.flag import flag
from schemas.contract import EngineInfo, Extraction, Judgement, Term
from schemas.errors import SettingsError
from schemas.llm import Correction, LlmSettings
from schemas.playbook import load_playbooks, positions

PROMPTS = sorted(FOLDER.glob("*/*.md"))


def letter(**changes) -> Letter:
    fields = {"model": "m", "base_url": "http://127.0.0.1/v1", "ledger": Path("x"), "run_id": "r"}
    return Letter(LlmSettings(**fields | changes), positions(load_playbooks()))


@pytest.mark.parametrize("path", PROMPTS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_a_changed_prompt_has_a_new_version(path):
    known = dict(reversed(line.split()) for line in (FOLDER / "checksums.txt").read_text().splitlines())
    name = f"{path.parent.name}/{path.name}"
    assert known.get(name) == hashlib.sha256(path.read_bytes()).hexdigest(), (
        f"{name} is not what it was: make the change in a new version and add its checksum."
    )


@pytest.mark.parametrize("example", load("extract").examples, ids=lambda e: e.passage[:12])
def test_quotations_of_examples_stand_in_their_passages(example):
    answer = Answer.model_validate_json(json.dumps(example.answer))
    for said in (*answer.terms, *answer.clauses, *answer.instructions_in_text):
        assert said.quote is None or said.quote in example.passage
        assert (said.passage is None) == (said.quote is None)
        assert said.passage is None or f"[{said.passage}]" in example.passage


def test_approved_corrections_are_shown_and_make_no_contract_stale():
    said = Correction(term="payment_terms_days", passage="Due in 45 days.", quote="in 45 days", value="45", wrong="30")
    plain, shown = letter(), letter(corrections=(said,))
    assert said.passage in shown.prefix and '"value": "45", "wrong": "30"' in shown.prefix
    assert shown.prefix.startswith(plain.prefix.rstrip()) and shown.version != plain.version
    settings = shown._settings
    assert prompt_version(settings, load_playbooks()) == prompt_version(plain._settings, load_playbooks())


def test_a_missing_variable_is_an_error():
    with pytest.raises(jinja2.UndefinedError):
        load("extract").render(terms=[], clause_types=[])


def test_an_unknown_prompt_is_an_error():
    with pytest.raises(SettingsError, match="There is no prompt"):
        load("extract", 99)


def test_the_schema_is_strict_and_flat():
    def look(node, depth=0):
        if isinstance(node, dict):
            assert "default" not in node
            assert "oneOf" not in node
            if node.get("type") == "object":
                assert node["additionalProperties"] is False
                assert sorted(node["required"]) == sorted(node["properties"])
            for child in node.values():
                look(child, depth + 1)
        elif isinstance(node, list):
            for child in node:
                look(child, depth + 1)

    look(answer_schema(("R26",), ("PSA-1.4",)))


def test_the_prefix_asks_for_every_term_and_names_no_document():
    prefix = letter().prefix
    assert all(f"- {name} (" in prefix for name in ASKED)
    assert "R26:" in prefix
    assert prefix == letter(ledger=Path("y"), run_id="other").prefix


def test_the_version_tells_prompt_and_schema():
    version = letter().version
    assert version.startswith("extract-3-")
    assert Letter(letter()._settings, ()).version != version


QUOTE = "The deliverables are accepted once they please the Customer."
PLAYBOOK = load_playbooks("revenue")
KEYS = next(p.keys for p in positions(PLAYBOOK) if p.id == "R26")


@pytest.mark.parametrize(
    ("changes", "is_flagged"),
    [
        ({}, True),
        ({"departs": "no"}, False),
        ({"departs": "unclear"}, False),
        ({"quote": "The deliverables need the approval of the Moon."}, False),
        ({"references": ("606-10-99-1",)}, False),
        ({"references": KEYS[:1]}, False),
        ({"references": KEYS[1:2]}, False),
    ],
)
def test_a_judged_rule_flags_only_with_quotation_and_reference(changes, is_flagged, document_of):
    said = {"rule_id": "R26", "departs": "yes", "reason": "", "references": KEYS[:2], "quote": QUOTE}
    side = Term(term="our_role", value="seller", evidence="derived", confidence=1)
    info = EngineInfo(extractor="openai", model="m")
    extraction = Extraction(engine=info, terms=(side,), judgements=(Judgement(**said | changes),))
    document = document_of(QUOTE)
    found = flag(check(extraction, document), document, PLAYBOOK)
    assert ("R26" in {f.rule_id for f in found}) == is_flagged
