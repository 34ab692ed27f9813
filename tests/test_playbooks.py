"""The playbooks as data: complete, well formed, and refused with a helpful message when they are not."""

import pickle
import shutil

import pytest

from schemas.errors import PlaybookError
from schemas.playbook import FOLDER, load_playbooks, pack_names, positions, references

RULE = """
rules:
  - id: R01
    version: "1"
    title: A rule
    section: PB-1.1
    clause: payment_terms
    side: any
    standard: net 30
    fallback: net 45
    references: [606-10-25-1]
    when:
      - if: {term: payment_terms_days, greater_than: 45}
        severity: high
        reason: "{found}"
"""


def own(tmp_path, text: str):
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    return load_playbooks(folder=tmp_path)


@pytest.fixture
def no_topics(tmp_path):
    """The project's topics name rules that a small pack lacks."""
    (tmp_path / "asc606.yaml").write_text("topics: []\n", encoding="utf-8")
    return tmp_path


def test_all_ids_stand_once():
    ids = [rule.id for rule in load_playbooks().rules]
    assert ids == [f"M{n:02}" for n in range(1, 7)] + [f"R{n:02}" for n in range(1, 51)]


def test_every_rule_is_judged_or_says_why_not():
    rules = load_playbooks().rules
    assert [rule.id for rule in rules if not rule.when] == [f"M{n:02}" for n in range(1, 7)]
    assert all(rule.in_code for rule in rules if not rule.when and rule.id != "M04")


def test_what_a_model_judges_cites_position_and_standard():
    judged = positions(load_playbooks())
    assert [position.id for position in judged] == ["R26", "R32", "R35", "R36", "R38", "R44"]
    assert all(position.section and position.references for position in judged)


def test_all_references_resolve():
    playbook = load_playbooks()
    for rule in playbook.rules:
        assert set(rule.refs) <= set(playbook.references), rule.id
    assert [r.key for r in playbook.references.values() if not (r.title and r.summary)] == []


def test_every_reference_is_used():
    playbook = load_playbooks()
    used = {key for rule in playbook.rules for key in rule.refs}
    used |= {key for topic in playbook.topics for case in topic.when for key in case.paragraphs}
    assert sorted(set(playbook.references) - used) == []


def test_references_by_kind():
    known = references()
    assert known["PB-1.1"].kind == "playbook" and "30 days" in known["PB-1.1"].summary
    assert known["606-10-25-3"].kind == "asc" and known["606-10-25-3"].url is None
    assert known["BT-12.1"].kind == "open_standard" and known["BT-12.1"].url.startswith("https://github.com/")
    assert "to be confirmed" in known["450-20"].summary


def test_sources_are_attributed():
    header = (FOLDER / "references.yaml").read_text(encoding="utf-8")
    assert "CC BY 4.0" in header and "Common Paper" in header and "Bonterms" in header


def test_packs():
    assert pack_names() == ("compliance", "nda", "procurement", "revenue")
    nda = load_playbooks("nda")
    assert [rule.id for rule in nda.rules] == ["M01", "M02", "M03", "M04", "M05", "M06", "R47"]
    assert len(nda.library) == 56 and "PB-1.1" in nda.references


def test_unknown_name():
    with pytest.raises(PlaybookError, match=r"no playbook `sales`.*compliance, nda, procurement, revenue"):
        load_playbooks("sales")


@pytest.mark.parametrize("name", ["marks", "references", "asc606", "../revenue"])
def test_what_is_no_pack_is_no_name(name):
    with pytest.raises(PlaybookError):
        load_playbooks(name)


def test_version_follows_the_content(tmp_path):
    copy = tmp_path / "playbooks"
    shutil.copytree(FOLDER, copy)
    assert load_playbooks(folder=copy).version == load_playbooks().version
    nda = copy / "nda.yaml"
    nda.write_text(nda.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert load_playbooks(folder=copy).version != load_playbooks().version


def test_playbook_travels_to_other_processes():
    playbook = load_playbooks()
    assert pickle.loads(pickle.dumps(playbook)) == playbook


def test_a_folder_of_ones_own(no_topics):
    playbook = own(no_topics, RULE)
    assert [rule.id for rule in playbook.rules] == ["M01", "M02", "M03", "M04", "M05", "M06", "R01"]
    assert playbook.references["PB-1.1"].summary == "Standard: net 30. Acceptable: net 45."


IF = "{term: payment_terms_days, greater_than: 45}"
REFUSED = [
    ("side: any", "side: any\n    colour: red", "colour.*not permitted"),
    ("606-10-25-1", "606-10-99-9", "reference `606-10-99-9` is not known"),
    ("payment_terms\n", "payment\n", "`payment` is not a clause type"),
    (IF, "{term: payment_days, greater_than: 45}", "`payment_days` is not a term"),
    (IF, "{term: payment_terms_days, above: 45}", "above"),
    (IF, "{term: payment_terms_days}", "not tested for anything"),
    (IF, "{term: renewal_type, is: never}", "never `never`"),
    (IF, "{term: fully_executed, is: signed}", "true"),
    (IF, "{term: renewal_type, greater_than: 3}", "no number"),
    (IF, "{term: effective_date, greater_than: 3}", "days_before"),
    (IF, "{eval: 1 + 1}", "a predicate has one of the keys"),
    (IF, "{clause: fees, matches: '('}", "pattern"),
    (IF, "{clause: fees, matches: Refund}", "lower case"),
    (IF, "{clause: fees, matches: refund, greater_than: 3}", "group"),
    (IF, "{document: x, clause_type: nothing}", "not a clause type"),
    (IF, "{all: []}", "at least 1 item"),
    (IF, "{flagged: R77}", "the rule `R77` is not known"),
    ("severity: high", "severity: grave", "severity"),
    ('"{found}"', '"{found.__class__}"', "is not a slot"),
    ('"{found}"', '"{secret}"', "is not a slot"),
    ('"{found}"', '"{found!r}"', "is not a slot"),
    ("id: R01", "id: X1", "id"),
]


@pytest.mark.parametrize(("old", "new", "message"), REFUSED)
def test_what_is_refused_names_the_file_and_the_rule(no_topics, old, new, message):
    assert old in RULE
    with pytest.raises(PlaybookError, match=message) as caught:
        own(no_topics, RULE.replace(old, new, 1))
    assert "own.yaml" in caught.value.message
    assert ("X1" if "X1" in new else "R01") in caught.value.message
    assert caught.value.help


BROKEN = [
    ("rules: [", "not valid YAML"),
    ("- a\n", "holds no rules"),
    ("rules: 3\n", "no list `rules`"),
    ("rules: [3]\n", "number 1"),
    ("ruls: []\n", "`ruls` is not known"),
    (RULE + RULE.split("rules:")[1], "R01: this id stands twice"),
    (RULE.replace("side: any", "side: any\n    side: buyer"), "`side` stands twice"),
    ("rules: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_broken_files(no_topics, text, message):
    with pytest.raises(PlaybookError, match=message):
        own(no_topics, text)
