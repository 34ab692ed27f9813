"""Prompts as versioned data: `prompts/<task>/<version>.md`, Markdown with YAML front matter.

The text is a Jinja2 template whose variables must all be given. Its static part, rendered once, opens every
request of a night with the same bytes, so that the provider's cache serves it.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from schemas.errors import SettingsError

FOLDER = Path(__file__).resolve().parents[3] / "prompts"


class Example(NamedTuple):
    """A passage and what is right about it; every quotation stands in the passage."""

    passage: str
    answer: dict[str, Any]


class Prompt(NamedTuple):
    """One version of a task's prompt."""

    task: str
    version: int
    template: str
    examples: tuple[Example, ...]

    def render(self, **variables: Any) -> str:
        """The text with its variables filled in. Raises jinja2.UndefinedError when one is missing."""
        environment = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        return environment.from_string(self.template).render(examples=self.examples, to_json=_to_json, **variables)

    def fingerprint(self, prefix: str, schema: Mapping[str, Any]) -> str:
        """What stands on every row: the version, and a hash of the rendered prefix and the schema."""
        digest = hashlib.sha256(f"{prefix}\0{json.dumps(schema, sort_keys=True)}".encode()).hexdigest()[:12]
        return f"{self.task}-{self.version}-{digest}"


@lru_cache(maxsize=8)
def load(task: str, version: int | None = None, folder: Path = FOLDER) -> Prompt:
    """A prompt of a task: of that version, or the newest. Raises SettingsError when there is none."""
    versions = {int(path.stem): path for path in (folder / task).glob("*.md") if path.stem.isdigit()}
    number = version if version is not None else max(versions, default=0)
    if number not in versions:
        raise SettingsError(
            f"There is no prompt {task!r} of version {number}.", help=f"It would be {folder / task / f'{number}.md'}."
        )
    _, matter, template = versions[number].read_text(encoding="utf-8").split("---\n", 2)
    held = yaml.safe_load(matter)
    if held["task"] != task or held["version"] != number:
        raise SettingsError(f"{versions[number]} says it is {held['task']} {held['version']}.", help="Correct it.")
    examples = tuple(Example(each["passage"], each["answer"]) for each in held.get("examples", ()))
    return Prompt(task, number, template, examples)


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
