"""The documents tell the truth of today."""

import re
from pathlib import Path

import pytest

from schemas.settings import PREFIX, Settings
from schemas.tables import ABOUT, TABLES
from schemas.terms import TERMS
from warehouse.questions import questions

ROOT = Path(__file__).resolve().parent.parent
CODE = ("schemas", "extractors", "warehouse", "review", "flows", "cli")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_error_code_has_its_entry():
    sources = [path.read_text(encoding="utf-8") for folder in CODE for path in (ROOT / folder).rglob("*.py")]
    used = {code for source in sources for code in re.findall(r'\bcode\s*[:=]\s*(?:str = )?"([a-z_]+)"', source)}
    used |= {code for source in sources for code in re.findall(r'_problem\(\s*path,\s*inbox,\s*"([a-z_]+)"', source)}
    entries = set(re.findall(r"^\| `([a-z_]+)` \|", text_of("docs/errors.md"), re.MULTILINE))
    assert len(used) > 20
    assert used - entries - {"error"} == set()


def test_the_table_of_settings_is_complete():
    table = text_of("docs/settings.md")
    for name, field in Settings.model_fields.items():
        assert f"| `{name}` | `{PREFIX}{name.upper()}` |" in table and field.description in table


@pytest.mark.parametrize("term", [term.name for term in TERMS if term.derived])
def test_derived_terms_are_defined(term):
    assert f"**{term}**" in text_of("docs/terms.md")


def test_the_readme_names_what_exists():
    readme = text_of("README.md")
    for command in re.findall(r"`(bin/[a-z]+)`", readme):
        assert (ROOT / command).is_file()
    for link in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (ROOT / link).exists(), link
    assert f"{len(questions())} named questions" in readme
    assert all(table.name in readme for table in TABLES if table.name in ("contracts", "terms", "flags", "asc606"))


def test_the_changelog_counts_the_questions():
    assert f"{len(questions())} named questions" in text_of("CHANGELOG.md")


def test_every_table_says_what_it_holds():
    assert set(ABOUT) == {table.name for table in TABLES}
