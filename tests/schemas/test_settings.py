"""Settings: where they come from, which wins, and what is said when one can't be used."""

import pickle
from pathlib import Path

import pytest

from schemas.errors import SettingsError
from schemas.settings import FILE_NAME, Settings, home_folder, load_settings, our_entities_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Path:
    """A data folder of its own, and no setting in the environment."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CONTRACT_AGENT_{name.upper()}", raising=False)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("CONTRACT_AGENT_HOME", str(folder))
    return folder


def write(folder: Path, text: str | bytes) -> None:
    (folder / FILE_NAME).write_bytes(text if isinstance(text, bytes) else text.encode())


def test_defaults(home):
    found = load_settings()
    assert type(found) is Settings
    assert (found.max_pages, found.max_megapixels, found.max_megabytes) == (1_000, 100, 200)
    assert (found.extractor, found.our_entities, found.playbook, found.workers) == (
        "embedded",
        (),
        None,
        None,
    )
    assert found.home == home
    assert found.warehouse_folder == home / "warehouse"


def test_every_setting_says_what_it_does():
    assert all(field.description.endswith(".") for field in Settings.model_fields.values())


def test_the_nearer_source_wins(home, monkeypatch):
    write(home, "max_pages = 5\nmax_megabytes = 6\nmax_megapixels = 7")
    monkeypatch.setenv("CONTRACT_AGENT_MAX_PAGES", "50")
    monkeypatch.setenv("CONTRACT_AGENT_MAX_MEGABYTES", "60")
    found = load_settings(max_pages=500, max_megabytes=None)
    assert (found.max_pages, found.max_megabytes, found.max_megapixels) == (500, 60, 7)


def test_lists_are_json_in_the_environment_and_lists_in_the_file(home, monkeypatch):
    write(home, 'our_entities = ["Acme, Inc.", "北風"]')
    assert load_settings().our_entities == ("Acme, Inc.", "北風")
    monkeypatch.setenv("CONTRACT_AGENT_OUR_ENTITIES", '["Northwind Analytics, Inc."]')
    assert load_settings().our_entities == ("Northwind Analytics, Inc.",)


def test_a_file_written_by_a_windows_editor(home):
    write(home, b"\xef\xbb\xbfmax_pages = 5\r\n")
    assert load_settings().max_pages == 5


def test_the_data_folder_is_not_moved_by_its_own_file(home):
    write(home, 'home = "/elsewhere"')
    assert load_settings().home == home


def test_warehouse_folder(home, tmp_path):
    assert load_settings(warehouse=tmp_path / "lake").warehouse_folder == tmp_path / "lake"
    assert load_settings(warehouse=Path("~/lake")).warehouse_folder == Path.home() / "lake"


def test_home_folder(tmp_path):
    assert home_folder({"CONTRACT_AGENT_HOME": str(tmp_path)}) == tmp_path
    assert home_folder({"CONTRACT_AGENT_HOME": "~/x"}) == Path.home() / "x"
    root = Path(__file__).parents[2]
    assert home_folder({}) == home_folder({"CONTRACT_AGENT_HOME": ""}) == root / "data"


def test_settings_travel_and_do_not_change(home):
    found = load_settings(our_entities=("Acme",))
    assert pickle.loads(pickle.dumps(found)) == found
    with pytest.raises(ValueError, match="frozen"):
        found.max_pages = 3


WRONG_FILES = {
    "unknown name": ("max_page = 5", "max_page"),
    "unknown section": ("[limits]\npages = 5", "limits"),
    "too small": ("max_pages = 0", "max_pages"),
    "not a number": ('max_megabytes = "many"', "max_megabytes"),
    "a part of a page": ("max_pages = 1.5", "max_pages"),
    "not a choice": ('extractor = "gpt"', "extractor"),
    "not a list": ('our_entities = "Acme"', "our_entities"),
    "no such zone": ('time_zone = "Mars/City"', "time_zone"),
    "no zone": ('time_zone = ""', "time_zone"),
    "not TOML": ("max_pages = = 5", "line 1"),
    "not UTF-8": (b"\xff\xfe", "utf-8"),
}


@pytest.mark.parametrize(("text", "named"), WRONG_FILES.values(), ids=WRONG_FILES.keys())
def test_a_wrong_file_is_named_with_its_setting(home, text, named):
    write(home, text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert named in caught.value.message
    assert caught.value.code == "settings"
    assert FILE_NAME in str(caught.value)


WRONG_VARIABLES = {
    "MAX_PAGES": "lots",
    "MAX_MEGAPIXELS": "-1",
    "WORKERS": "",
    "EXTRACTOR": "gpt",
    "OUR_ENTITIES": "Acme, Inc.",
}


@pytest.mark.parametrize(("name", "value"), WRONG_VARIABLES.items())
def test_a_wrong_variable_is_named(home, monkeypatch, name, value):
    monkeypatch.setenv(f"CONTRACT_AGENT_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert name.lower() in caught.value.message
    assert "CONTRACT_AGENT_" in caught.value.help and "JSON" in caught.value.help


def test_an_inbox_may_say_whose_contracts_these_are(tmp_path):
    assert our_entities_of(tmp_path) == ()
    write(tmp_path, 'our_entities = ["Acme, Inc.", "Acme Ltd."]')
    assert our_entities_of(tmp_path) == ("Acme, Inc.", "Acme Ltd.")
    write(tmp_path, "")
    assert our_entities_of(tmp_path) == ()


FORBIDDEN = [
    'extractor = "openai"',
    'our_entities = ["Acme"]\nwarehouse = "/"',
    'our_entities = "Acme"',
    "our_entities = 5",
    "our_entities = [1]",
    "our_entities",
]


@pytest.mark.parametrize("text", FORBIDDEN)
def test_an_inbox_may_say_nothing_else(tmp_path, text):
    write(tmp_path, text)
    with pytest.raises(SettingsError, match=FILE_NAME):
        our_entities_of(tmp_path)


def test_decisions_lie_with_the_warehouse_and_in_no_cache(tmp_path):
    settings = load_settings(cache=tmp_path / "cache")
    assert settings.review_folder(tmp_path / "warehouse") == tmp_path / "warehouse" / "review"
    elsewhere, other = (settings.review_folder(f"s3://legal/{name}") for name in ("one", "two"))
    assert elsewhere.parent == other.parent == settings.home / "review" and elsewhere != other
    assert settings.review_folder("s3://legal/one/") == elsewhere
