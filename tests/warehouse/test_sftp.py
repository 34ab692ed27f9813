"""A warehouse over SFTP: a server on loopback whose key is known."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from landing_samples import land_numbers
from sftp_server import PASSWORD, sftp_server

from schemas.errors import StorageError, WarehouseError
from warehouse.compact import compact
from warehouse.read import query
from warehouse.remote import opened
from warehouse.storage import Storage


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty folder there."""
    from fsspec.config import conf
    from fsspec.implementations.sftp import SFTPFileSystem

    (tmp_path / "there").mkdir()
    with sftp_server(tmp_path / "there") as (port, key):
        known = tmp_path / ".ssh" / "known_hosts"
        known.parent.mkdir()
        known.write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setitem(conf, "sftp", {"password": PASSWORD, "look_for_keys": False, "allow_agent": False})
        SFTPFileSystem.clear_instance_cache()
        yield f"sftp://night@127.0.0.1:{port}/contracts"
        SFTPFileSystem.clear_instance_cache()


def test_a_warehouse_over_sftp(place: str, tmp_path: Path):
    (tmp_path / "there" / "contracts").mkdir()
    first = opened(place, tmp_path / "first")
    manifest = land_numbers(first, "r1", range(3))
    second = opened(place, tmp_path / "second")
    land_numbers(second, "r2", range(3, 5))
    with pytest.raises(WarehouseError, match="in the meantime"):
        land_numbers(first, "r3", range(5, 6))
    assert query(opened(place, first), "SELECT count(*) FROM contracts")[1] == [(5,)]
    compact(first, keep_days=0)
    assert manifest.files["runs"][0] not in Storage(place).files()


def test_a_folder_that_is_not_there_is_said(place: str):
    with pytest.raises(StorageError, match="can't be listed"):
        Storage(place).files()


def test_a_server_whose_key_is_not_known_is_refused(place: str, tmp_path: Path):
    (tmp_path / ".ssh" / "known_hosts").unlink()
    with pytest.raises(StorageError, match="known_hosts"):
        Storage(place)


def test_a_wrong_password_is_said(place: str, monkeypatch: pytest.MonkeyPatch):
    from fsspec.config import conf

    monkeypatch.setitem(conf, "sftp", {"password": "guess", "look_for_keys": False, "allow_agent": False})
    with pytest.raises(StorageError, match="Authentication failed"):
        Storage(place)
