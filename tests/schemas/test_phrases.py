"""Every language has words for every rule and topic, and only slots that are filled."""

import re
import string

import pytest

from schemas.contract import Flag
from schemas.phrases import phrases
from schemas.playbook import load_playbooks

PLAYBOOK = load_playbooks()


@pytest.mark.parametrize("language", ["ja"])
def test_a_language_is_complete(language):
    said = phrases(language)
    assert set(said.rules) == {rule.id for rule in PLAYBOOK.rules}
    assert set(said.topics) == {topic.topic for topic in PLAYBOOK.topics}
    for rule in said.rules.values():
        slots = {slot for _, slot, _, _ in string.Formatter().parse(rule.reason) if slot}
        assert slots <= {"found", "standard"}
    assert all(re.match("提案", topic.proposal) for topic in said.topics.values())


def test_a_flag_keeps_what_was_found():
    flag = Flag(
        rule_id="R01",
        rule_version="1",
        severity="high",
        clause_type=None,
        found="payment due after 75 days",
        standard="s",
        reason="r",
        refs=("PB-1.1",),
    )
    said = phrases("ja").flag(flag)
    assert "payment due after 75 days" in said.reason
    assert (said.found, said.refs) == (flag.found, flag.refs)
    assert phrases("en").flag(flag) is flag
    own = flag.model_copy(update={"rule_version": "1+own"})
    assert phrases("ja").flag(own) is own
