"""Storage elsewhere: a folder named by a URL, over fsspec. What goes wrong there becomes an error with a next move.

Credentials are found as each provider's own tools find them, or in fsspec's configuration; they are never part of
the URL, because the URL stands in the warehouse.
"""

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import fsspec

from schemas.errors import SettingsError, StorageError

EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "az": "azure",
    "abfs": "azure",
    "abfss": "azure",
    "sftp": "sftp",
    "ssh": "sftp",
    "gdrive": "gdrive",
    "dropbox": "dropbox",
}
"""The protocol of a URL -> the extra of this distribution that brings what speaks it."""
BUCKETS = frozenset(("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"))
"""Where a folder is but the beginning of names, so an empty one can't be told from none."""
AT_A_TIME = 8

_CLIENTS = frozenset(("adlfs", "aiohttp", "azure", "botocore", "dropbox", "gcsfs", "google", "googleapiclient")) | {
    *("httplib2", "paramiko", "pydata_google_auth", "requests", "socket", "webbrowser")
}
"""The packages whose own errors mean that a place can't be reached or may not be used."""
_MARKS = ("ETag", "etag", "md5Hash", "generation", "content_hash", "md5Checksum", "rev")
_MOMENTS = (
    "LastModified",
    "last_modified",
    "mtime",
    "updated",
    "server_modified",
    "modifiedTime",
    "modified",
    "created",
)


class Entry(NamedTuple):
    """A file in storage: what changes whenever its content does, its size, and when it was last changed if known."""

    mark: str
    size: int
    modified: datetime | None


class Storage:
    """The folder that a URL names. Every method raises StorageError when the place can't be reached or used.

    Names are relative to the folder, with forward slashes.
    """

    def __init__(self, url: str):
        parts = urlsplit(url)
        if parts.password is not None:
            raise SettingsError(
                f"The URL of {parts.scheme}://{parts.hostname} has a password in it.",
                help="Put it into fsspec's configuration; docs/storage.md shows where.",
            )
        self.url = url.rstrip("/")
        self._protocol = parts.scheme
        with _Told(self.url, "opened"):
            self._system, base = _opened(url, parts.scheme)
            self._base = str(base).rstrip("/")

    def files(self, folder: str = "") -> dict[str, Entry]:
        """All files below the folder, sub-folders included; empty where there is no such folder in a bucket."""
        with _Told(self.url, "listed"):
            start = self._path(folder)
            self._system.invalidate_cache()  # another program may have written there since
            found = self._system.find(start, detail=True)
            self._system.invalidate_cache()
            if not found:
                self._check_it_is_there(folder)
        inside = ((name.lstrip("/").removeprefix(start.lstrip("/")).lstrip("/"), info) for name, info in found.items())
        return {name: _entry(info) for name, info in inside if name and not name.endswith("/")}

    def read(self, name: str) -> bytes:
        """A file's bytes. Raises FileNotFoundError when there is none of that name."""
        with _Told(self.url, "read", FileNotFoundError):
            self._system.invalidate_cache()
            return self._system.cat_file(self._path(name))

    def download(self, name: str, target: Path) -> None:
        """Write a file's bytes to a path. Raises FileNotFoundError and PermissionError as they are."""
        with _Told(self.url, "read", FileNotFoundError, PermissionError):
            self._system.get_file(self._path(name), str(target))

    def upload(self, source: Path, name: str) -> None:
        """Store a file's bytes under a name."""
        with _Told(self.url, "written"):
            self._make_folder(name)
            self._system.put_file(str(source), self._path(name))

    def create(self, name: str, content: bytes) -> None:
        """Store bytes under a name that is free. Raises FileExistsError when it is not.

        S3, Google Cloud Storage and Azure check and store in one step; elsewhere there are two, so two writers may
        both succeed.
        """
        with _Told(self.url, "written", FileExistsError):
            self._make_folder(name)
            self._system.pipe_file(self._path(name), content, mode="create")

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; those that are not there are no error."""
        with _Told(self.url, "written"):
            for name in names:
                try:
                    self._system.rm_file(self._path(name))
                except FileNotFoundError:
                    continue

    def each(self, do: Callable[[str], None], names: Collection[str]) -> None:
        """Do something with every name, several at a time where the connection takes that."""
        workers = AT_A_TIME if getattr(self._system, "async_impl", False) else 1
        with ThreadPoolExecutor(workers) as pool:
            for _ in pool.map(do, names):
                pass

    def _path(self, name: str) -> str:
        return f"{self._base}/{name}" if name else self._base

    def _make_folder(self, name: str) -> None:
        if self._protocol not in BUCKETS:
            self._system.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)

    def _check_it_is_there(self, folder: str) -> None:
        """Tell an empty folder from a place that failed: listing takes both for nothing.

        Raises FileNotFoundError where there is no bucket, or no folder where folders are real; a sub-folder may be
        missing.
        """
        is_bucket = self._protocol in BUCKETS
        try:
            self._system.ls(self._base.partition("/")[0] if is_bucket else self._path(folder))
        except FileNotFoundError:
            if is_bucket or not folder:
                raise


def _opened(url: str, protocol: str) -> tuple[Any, str]:
    try:
        options = {"host_key_policy": _known_hosts_only()} if EXTRAS.get(protocol) == "sftp" else {}
        return fsspec.core.url_to_fs(url, **options)
    except ImportError as error:
        extra = EXTRAS.get(protocol)
        install = f"pip install 'contract-data-agent[{extra}]'" if extra else str(error)
        raise StorageError(
            f"What reads {protocol}:// is not installed.", help=f"{install}.", code="missing_extra"
        ) from error
    except ValueError as error:  # an unknown protocol, or a client that misses its account or token
        raise StorageError(
            f"{url} can't be opened: {_said(error)}.", help="docs/storage.md says what each place needs."
        ) from error


@cache
def _known_hosts_only() -> type:
    """Takes the keys of `~/.ssh/known_hosts` alone; fsspec would take any. Raises ImportError without the extra."""
    import paramiko

    class KnownHostsOnly(paramiko.MissingHostKeyPolicy):
        def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
            file = Path("~/.ssh/known_hosts").expanduser()
            known = paramiko.HostKeys(str(file) if file.is_file() else None)
            if not known.check(hostname, key):
                raise paramiko.SSHException(
                    f"The {key.get_name()} key of {hostname} is not in ~/.ssh/known_hosts; `ssh-keyscan` gets it"
                )

    return KnownHostsOnly


def _entry(info: dict[str, Any]) -> Entry:
    marks = [str(info[name]) for name in _MARKS if info.get(name)]
    moment = next((_moment(info[name]) for name in _MOMENTS if info.get(name)), None)
    size = int(info.get("size") or 0)
    return Entry(" ".join([*marks, str(size), moment.isoformat() if moment else ""]), size, moment)


def _moment(value: Any) -> datetime | None:
    """Providers give a datetime, ISO 8601, or seconds since 1970."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    elif isinstance(value, int | float):
        value = datetime.fromtimestamp(value, UTC)
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value


class _Told(AbstractContextManager):
    """Turns what the system and the providers' clients raise into StorageError, but for the kinds that may pass."""

    def __init__(self, url: str, done: str, *passing: type[OSError]):
        self._url, self._done, self._passing = url, done, passing

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, self._passing):
            return
        if isinstance(error, OSError) or any(_package(base) in _CLIENTS for base in type(error).__mro__):
            raise StorageError(f"{self._url} can't be {self._done}: {_said(error)}.", help=_advice(error)) from error


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _said(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def _advice(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "Check the name of the bucket or folder, and make it if it is not there yet."
    if isinstance(error, PermissionError) or "redential" in str(error):
        return "Check the credentials and what they may do; docs/storage.md says where each place looks for them."
    return "Check the address, the network and the credentials, then run the command again."
