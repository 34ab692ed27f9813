"""The page's own words, in the reviewer's language: `words/en.yaml` and the like. Contracts' words are never here."""

from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

import yaml

from schemas.phrases import Language

FOLDER = Path(__file__).parent / "words"
LANGUAGES: dict[Language, str] = {"en": "English", "ja": "日本語"}
"""Each by its own name."""
assert set(LANGUAGES) == set(get_args(Language))


@lru_cache(maxsize=len(LANGUAGES))
def words(language: Language) -> dict[str, str]:
    """All words of a language by their names, such as `queue.title`."""
    return dict(_flat(yaml.safe_load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))))


def word(language: Language, name: str, **values: Any) -> str:
    """The words of that name with the values filled in; a name without words stands for itself, without underscores.

    That serves names that data brings, such as a term that a later version has.
    """
    said = words(language).get(name)
    if said is None:
        return name.rpartition(".")[2].replace("_", " ")
    return said.format(**values) if values else said


def _flat(node: dict[str, Any], before: str = "") -> Any:
    for name, value in node.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", str(value)
