"""An inbox elsewhere: fetched once, dropped when it is gone, and read like any folder."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from frontdoor import AGREEMENT, write_pdf

from flows.arrivals import Arrivals, arrivals
from schemas.errors import StorageError
from schemas.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def put(url: str, content: bytes = b"words") -> None:
    with fsspec.open(url, "wb") as file:
        file.write(content)


def held(here: Arrivals) -> dict[str, bytes]:
    files = (path for path in here.folder.rglob("*") if path.is_file())
    return {path.relative_to(here.folder).as_posix(): path.read_bytes() for path in files}


def test_only_what_is_new_or_changed_is_fetched(bucket: str, settings: Settings):
    put(f"{bucket}/in/a.pdf", b"one")
    put(f"{bucket}/in/deep/b.pdf", b"two")
    here = arrivals(f"{bucket}/in", settings)
    assert held(here) == {"a.pdf": b"one", "deep/b.pdf": b"two"}
    kept = (here.folder / "a.pdf").stat().st_ino
    put(f"{bucket}/in/deep/b.pdf", b"six")
    put(f"{bucket}/in/c.pdf", b"three")
    here = arrivals(f"{bucket}/in/", settings)
    assert held(here) == {"a.pdf": b"one", "deep/b.pdf": b"six", "c.pdf": b"three"}
    assert (here.folder / "a.pdf").stat().st_ino == kept  # what is fetched again is another file


def test_what_is_gone_elsewhere_goes_away_here(bucket: str, settings: Settings):
    for name in ("a.pdf", "deep/b.pdf"):
        put(f"{bucket}/in/{name}")
    arrivals(f"{bucket}/in", settings)
    fsspec.filesystem("s3").rm(f"{bucket}/in/deep/b.pdf")
    here = arrivals(f"{bucket}/in", settings)
    assert held(here) == {"a.pdf": b"words"} and not (here.folder / "deep").exists()
    fsspec.filesystem("s3").rm(f"{bucket}/in/a.pdf")
    assert held(arrivals(f"{bucket}/in", settings)) == {}


def test_no_name_leads_out_of_the_copy(bucket: str, settings: Settings):
    long = "y" * 300 + ".pdf"
    for name in ("../out.pdf", "a//b.pdf", "deed", "deed/page.pdf", long):
        fsspec.filesystem("s3").pipe_file(f"{bucket}/in/{name}", name.encode())
    here = arrivals(f"{bucket}/in", settings)
    names = held(here)
    assert {content.decode() for content in names.values()} == {"../out.pdf", "a//b.pdf", "deed", "deed/page.pdf", long}
    assert {"%2E%2E/out.pdf", "a/%2F/b.pdf", "deed%2F", "deed/page.pdf"} < names.keys()
    assert held(arrivals(f"{bucket}/in", settings)) == names
    assert not (here.folder.parent / "out.pdf").exists()


def test_a_copy_whose_index_is_lost_is_made_again(bucket: str, settings: Settings):
    put(f"{bucket}/in/a.pdf")
    here = arrivals(f"{bucket}/in", settings)
    (here.folder.parent / "index.json").write_text("{")
    (here.folder / "a.pdf").write_bytes(b"half")
    assert held(arrivals(f"{bucket}/in", settings)) == {"a.pdf": b"words"}


def test_a_missing_bucket_and_a_missing_folder_are_said(bucket: str, settings: Settings, tmp_path: Path):
    with pytest.raises(StorageError, match="no-such-bucket-here"):
        arrivals("s3://no-such-bucket-here/in", settings)
    with pytest.raises(StorageError, match="memory://nowhere"):
        arrivals("memory://nowhere", settings)


def test_places_that_are_no_bucket(settings: Settings, tmp_path: Path):
    put("memory://contracts/in/a.pdf", b"one")
    here = arrivals("memory://contracts/in", settings)
    assert held(here) == {"a.pdf": b"one"} and here.url == "memory://contracts/in"
    (tmp_path / "in box").mkdir()
    assert arrivals(f"file://{tmp_path}/in%20box", settings) == Arrivals(tmp_path / "in box")


class _HalfClosed(BaseHTTPRequestHandler):
    """Lists two files and gives out one of them."""

    def do_GET(self) -> None:
        if "list-type" in self.path:
            one = "<Contents><Key>in/{}.pdf</Key><ETag>1</ETag><Size>3</Size></Contents>"
            self._answer(200, f"<ListBucketResult>{one.format('a')}{one.format('b')}</ListBucketResult>")
        elif self.path.partition("?")[0].endswith("/a.pdf"):
            self._answer(200, "one")
        else:
            self._answer(403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")

    def do_HEAD(self) -> None:
        self._answer(200 if self.path.endswith("/a.pdf") else 403, "one")

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def half_closed(bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import s3fs

    with ThreadingHTTPServer(("127.0.0.1", 0), _HalfClosed) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        s3fs.S3FileSystem.clear_instance_cache()
        yield
        server.shutdown()


@pytest.mark.usefixtures("half_closed")
def test_a_file_that_may_not_be_read_is_not_lost(bucket: str, settings: Settings):
    here = arrivals(f"{bucket}/in", settings)
    assert held(here) == {"a.pdf": b"one"}
    assert [(item.source_uri, item.error.code) for item in here.unreadable] == [("b.pdf", "no_access")]
    assert here.uri(here.unreadable[0]) == f"{bucket}/in/b.pdf"


def test_a_night_from_a_bucket_into_a_bucket(bucket: str, agent, tmp_path: Path):
    pdf = write_pdf(tmp_path / "agreement.pdf", AGREEMENT).read_bytes()
    put(f"{bucket}/in/acme/agreement.pdf", pdf)
    put(f"{bucket}/in/cut.pdf", pdf[:900])
    there = ("--warehouse", f"{bucket}/warehouse")
    done = agent("run", f"{bucket}/in", *there)
    assert done.code == 0, done.err
    assert (done.summary["contracts"], done.summary["quarantined"]) == (1, 1)
    elsewhere = {"CONTRACT_AGENT_HOME": str(tmp_path / "another machine")}
    statement = "SELECT source_uri, status FROM documents ORDER BY 1"
    rows = agent("sql", statement, "--format", "json", *there, **elsewhere).rows
    assert rows == [
        {"source_uri": f"{bucket}/in/acme/agreement.pdf", "status": "landed"},
        {"source_uri": f"{bucket}/in/cut.pdf", "status": "quarantined"},
    ]
    assert agent("run", f"{bucket}/in", *there, **elsewhere).summary["documents"] == 0
    again = agent("backfill", "--mode", "failed", *there, **elsewhere)  # the inbox is that of the last run
    assert again.summary["documents"] == 1, again.err
    assert agent("query", "--list", *there).code == 0


def test_a_bucket_that_is_not_there_is_an_error_with_advice(bucket: str, agent):
    done = agent("run", "s3://no-such-bucket-here/in")
    assert done.code == 1 and "[storage]" in done.err and "make it" in done.err
    assert "Traceback" not in done.err
