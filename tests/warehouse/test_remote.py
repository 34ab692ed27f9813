"""A warehouse elsewhere: an S3 on loopback, and local copies of it."""

import importlib.util
import json
import multiprocessing
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from landing_samples import land_numbers

from schemas.errors import SettingsError, StorageError, WarehouseError
from warehouse.compact import compact
from warehouse.forget import ask_to_forget, forget
from warehouse.history import roll_back
from warehouse.lake import Linked
from warehouse.manifest import current
from warehouse.read import query
from warehouse.remote import opened
from warehouse.storage import EXTRAS, Storage


def contracts(root: Path) -> int:
    return query(root, "SELECT count(*) FROM contracts")[1][0][0]


@pytest.fixture
def url(bucket: str) -> str:
    """A warehouse in the bucket with three contracts."""
    return f"{bucket}/legal/warehouse"


@pytest.fixture
def first(url: str, tmp_path: Path) -> Path:
    """A copy that landed three contracts."""
    root = opened(url, tmp_path / "first")
    land_numbers(root, "r1", range(3))
    return root


def test_what_one_copy_lands_another_sees(url: str, first: Path, tmp_path: Path):
    second = opened(url, tmp_path / "second")
    assert contracts(second) == 3
    land_numbers(second, "r2", range(3, 5))
    assert contracts(opened(url, first)) == 5
    assert current(first) == current(second)


def test_the_slower_of_two_runs_is_told_and_loses_nothing(url: str, first: Path, tmp_path: Path):
    second = opened(url, tmp_path / "second")
    land_numbers(first, "r2", range(3, 5))
    before = current(second)
    with pytest.raises(WarehouseError) as refused:
        land_numbers(second, "r3", range(5, 9))
    assert refused.value.code == "published_meanwhile" and "Run it again" in refused.value.help
    assert current(second) == before and contracts(second) == 3
    assert not [name for name in Storage(url).files("lake") if "-r3-" in name]
    land_numbers(opened(url, second), "r4", range(5, 9))
    assert contracts(opened(url, first)) == contracts(second) == 9


def test_the_put_itself_is_conditional(bucket: str):
    storage = Storage(bucket)
    storage.create("manifests/000001.json", b"one")
    with pytest.raises(FileExistsError):
        storage.create("manifests/000001.json", b"two")
    assert storage.read("manifests/000001.json") == b"one"


def _land_until_published(url: str, root: Path, start: int) -> None:
    for number in range(start, start + 3):
        for attempt in range(100):
            try:
                land_numbers(opened(url, root), f"r{number}-{attempt}", [number])
                break
            except WarehouseError as error:
                if error.code != "published_meanwhile":
                    raise
        else:
            raise AssertionError("never published")


def test_writers_at_the_same_time_lose_no_rows(url: str, tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    arguments = [(url, tmp_path / f"copy{start}", start) for start in (10, 20)]
    writers = [context.Process(target=_land_until_published, args=given) for given in arguments]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    root = opened(url, tmp_path / "reader")
    held = query(root, "SELECT contract_id FROM contracts ORDER BY 1")[1]
    assert held == [(f"c_{number:016x}",) for number in sorted((10, 11, 12, 20, 21, 22))]
    assert len(Storage(url).files("manifests")) == 6


def test_where_nothing_can_be_sent_nothing_changes(url: str, first: Path, monkeypatch: pytest.MonkeyPatch):
    before = current(first)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(StorageError, match="can't be listed"):
        land_numbers(first, "r2", range(3, 5))
    assert current(first) == before and contracts(first) == 3


def test_going_back_compacting_and_forgetting_reach_the_other_copies(url: str, first: Path, tmp_path: Path):
    second = opened(url, tmp_path / "second")
    land_numbers(first, "r2", [7])
    roll_back(first, "r1", "ada", "wrong rules")
    assert contracts(opened(url, second)) == 3
    land_numbers(second, "r3", [8])
    compact(second, keep_days=0)
    assert {f"lake/{name}" for name in Storage(url).files("lake")} == set(current(second).all_files)
    ask_to_forget(opened(url, first), f"c_{1:016x}", "ada", "asked to")
    forget(first, f"c_{1:016x}", "ben", relink=lambda also: lambda con, run_id: Linked({}, frozenset()))
    assert contracts(opened(url, second)) == contracts(first) == 3
    assert {f"lake/{name}" for name in Storage(url).files("lake")} == set(current(first).all_files)
    assert len(Storage(url).files("manifests")) == 1
    gone = query(second, "SELECT count(*) FROM contracts_history WHERE contract_id = $id", {"id": f"c_{1:016x}"})
    assert gone[1] == [(0,)]


def test_what_is_being_sent_is_not_removed(url: str, first: Path, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"of a run that did not yet publish")
    Storage(url).upload(tmp_path / "file", "lake/terms/r-other-000000000000.parquet")
    compact(first, keep_days=0)
    assert "terms/r-other-000000000000.parquet" in Storage(url).files("lake")


@pytest.mark.parametrize("content", [b"{", None], ids=["damaged", "leads outside"])
def test_a_manifest_that_was_altered_is_refused(content: bytes | None, url: str, first: Path, tmp_path: Path):
    storage = Storage(url)
    altered = json.loads(storage.read("manifests/000001.json")) | {"number": 2, "heads": ["../../x.parquet"]}
    storage.create("manifests/000002.json", content or json.dumps(altered).encode())
    with pytest.raises(WarehouseError, match="000002"):
        opened(url, tmp_path / "second")


def test_an_emptied_place_leaves_the_copy_as_it_is(url: str, first: Path):
    storage = Storage(url)
    storage.remove(storage.files())
    with pytest.raises(WarehouseError, match="holds no warehouse any more"):
        opened(url, first)
    assert contracts(first) == 3


def test_a_missing_bucket_is_said(bucket: str, tmp_path: Path):
    with pytest.raises(StorageError) as said:
        opened("s3://no-such-bucket-here/warehouse", tmp_path / "copy")
    assert "no-such-bucket-here" in said.value.message and "make it" in said.value.help


def test_missing_credentials_are_said(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import s3fs

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(StorageError) as said:
        opened(f"{bucket}/warehouse", tmp_path / "copy")
    assert "credentials" in said.value.help


class _Refusing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        self.send_response(403)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def refusing(bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An S3 that takes nobody's credentials."""
    import s3fs

    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        s3fs.S3FileSystem.clear_instance_cache()
        yield
        server.shutdown()


@pytest.mark.usefixtures("refusing")
def test_refused_credentials_are_said(bucket: str, tmp_path: Path):
    with pytest.raises(StorageError) as said:
        opened(f"{bucket}/warehouse", tmp_path / "copy")
    assert "Access Denied" in said.value.message and "what they may do" in said.value.help


def test_a_missing_extra_is_named(tmp_path: Path):
    modules = {"gs": "gcsfs", "az": "adlfs", "dropbox": "dropboxdrivefs", "gdrive": "gdrive_fsspec"}
    missing = [protocol for protocol, module in modules.items() if importlib.util.find_spec(module) is None]
    if not missing:
        pytest.skip("every extra is installed")
    for protocol in missing:
        with pytest.raises(StorageError) as said:
            Storage(f"{protocol}://place/folder")
        assert said.value.code == "missing_extra" and f"contract-data-agent[{EXTRAS[protocol]}]" in said.value.help


def test_a_password_in_a_url_is_refused():
    with pytest.raises(SettingsError) as said:
        Storage("sftp://night:hunter2@example.org/contracts")
    assert "password" in said.value.message and "hunter2" not in str(said.value)


def test_a_protocol_that_nobody_knows_is_said():
    with pytest.raises(StorageError, match="nowhere://place"):
        Storage("nowhere://place/folder")


@pytest.mark.parametrize("url", ["gdrive://contracts", "dropbox:///contracts"])
def test_a_drive_is_no_place_for_a_warehouse(url: str, tmp_path: Path):
    with pytest.raises(StorageError, match="two files may bear one name"):
        opened(url, tmp_path)
