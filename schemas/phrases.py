"""Reasons in the reviewer's language: what `playbooks/languages/*.yaml` has for rules and topics.

Rules are written in English; a language gives each rule a title, a standard and one reason for all its cases. A rule
without an entry, such as a company's own, keeps its English words. What was found stays as the rule words it.
"""

from functools import lru_cache
from typing import Annotated, Literal

import yaml
from pydantic import Field

from schemas.base import Frozen
from schemas.contract import AscTopic, Flag
from schemas.playbook import FOLDER

Language = Literal["en", "ja"]

_Text = Annotated[str, Field(min_length=1)]


class RulePhrase(Frozen):
    """A rule's words. `reason` may name `{found}` and `{standard}`."""

    title: _Text
    standard: _Text
    reason: _Text


class TopicPhrase(Frozen):
    """A topic's words; they propose and never conclude."""

    proposal: _Text
    reason: _Text


class Phrases(Frozen):
    """All the words of a language, by rule id and by topic."""

    rules: dict[str, RulePhrase] = Field(default_factory=dict)
    topics: dict[str, TopicPhrase] = Field(default_factory=dict)

    def flag(self, flag: Flag) -> Flag:
        """The flag in this language."""
        said = self.rules.get(flag.rule_id)
        if said is None or flag.rule_version.endswith("+own"):  # its thresholds may be others
            return flag
        reason = said.reason.format(found=flag.found, standard=said.standard)
        return flag.model_copy(update={"standard": said.standard, "reason": reason})

    def topic(self, topic: AscTopic) -> AscTopic:
        """The proposal in this language."""
        said = self.topics.get(topic.topic)
        return topic.model_copy(update=said.model_dump()) if said else topic


@lru_cache(maxsize=4)
def phrases(language: Language) -> Phrases:
    """The words of a language; none for English, which the rules are written in."""
    if language == "en":
        return Phrases()
    text = (FOLDER / "languages" / f"{language}.yaml").read_text(encoding="utf-8")
    return Phrases.model_validate(yaml.safe_load(text))
