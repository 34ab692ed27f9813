"""The inbox of a run: a folder as it is, or the local copy of one elsewhere.

A file is fetched when it is new or was changed; what is gone elsewhere goes away here. Which content the copy holds
stands in `index.json` beside it, so an interrupted run goes on where it was.
"""

import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote
from uuid import uuid4

from filelock import FileLock, Timeout

from extractors.inbox import Item
from schemas.errors import RunError, printable
from schemas.settings import Settings, is_remote, place

if TYPE_CHECKING:
    from warehouse.storage import Storage

_log = logging.getLogger(__name__)
_LONGEST_NAME = 200
_LOCK_SECONDS = 600.0


class Arrivals(NamedTuple):
    """The folder to scan; its URL when it is a copy, and the files that could not be fetched."""

    folder: Path
    url: str | None = None
    unreadable: tuple[Item, ...] = ()

    def uri(self, item: Item) -> str:
        """Where a document came from: its path below the inbox, or its URL."""
        return f"{self.url}/{item.source_uri}" if self.url else item.source_uri


def arrivals(inbox: Path | str, settings: Settings) -> Arrivals:
    """The inbox, fetched where a URL names it.

    Raises StorageError when it can't be reached or is not there, RunError when another run fetches it for too long.
    """
    where = place(inbox)
    if not is_remote(where):
        return Arrivals(Path(where))
    from warehouse.storage import Storage

    storage = Storage(str(where))
    with _held(settings.local_folder(where)) as copy:
        return _Fetch(storage, copy).run()


@contextmanager
def _held(copy: Path) -> Iterator[Path]:
    copy.mkdir(parents=True, exist_ok=True)
    lock = FileLock(copy / "fetch.lock")
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout as error:
        raise RunError(f"Another run is fetching into {copy}.", help="Try again when it is done.") from error
    try:
        yield copy
    finally:
        lock.release()


class _Fetch:
    """Brings one local copy up to date."""

    def __init__(self, storage: "Storage", copy: Path):
        self._storage, self._files = storage, copy / "files"
        self._index_file, self._staging = copy / "index.json", copy / "staging"
        self._index = self._read_index()
        self._unreadable: list[Item] = []

    def run(self) -> Arrivals:
        listed = self._storage.files()
        if not listed:
            _log.warning("Nothing is in the inbox %s.", self._storage.url)
        self._local = local_names(listed)
        self._listed = listed
        self._drop_vanished()
        shutil.rmtree(self._staging, ignore_errors=True)  # what a killed run was fetching
        self._staging.mkdir()
        self._files.mkdir(exist_ok=True)
        try:
            self._storage.each(self._bring, [name for name in listed if not self._is_held(name)])
        finally:
            self._write_index()
        return Arrivals(self._files, self._storage.url, tuple(self._unreadable))

    def _is_held(self, name: str) -> bool:
        return self._index.get(self._local[name]) == self._listed[name].mark and self._path(name).is_file()

    def _bring(self, name: str) -> None:
        staged, entry = self._staging / uuid4().hex, self._listed[name]
        try:
            self._storage.download(name, staged)
        except FileNotFoundError:  # it went away after it was listed
            return
        except PermissionError:
            self._unreadable.append(self._refused(name))
            return
        if entry.modified:
            os.utime(staged, (entry.modified.timestamp(),) * 2)  # the day of arrival, for `backfill --from --to`
        target = self._path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(target)
        self._index[self._local[name]] = entry.mark

    def _refused(self, name: str) -> Item:
        message = f"{self._storage.url}/{name} may not be read. Check the permissions of the credentials."
        file_name = printable(self._path(name).name)
        return Item(
            source_uri=printable(self._local[name]), file_name=file_name, paths=(), problem=("no_access", message)
        )

    def _drop_vanished(self) -> None:
        kept = set(self._local.values())
        for folder, _, names in os.walk(self._files, topdown=False):
            here = Path(folder)
            for file in (here / name for name in names):
                if file.relative_to(self._files).as_posix() not in kept:
                    file.unlink()
            if here != self._files and not any(here.iterdir()):
                here.rmdir()
        self._index = {name: mark for name, mark in self._index.items() if name in kept}

    def _path(self, name: str) -> Path:
        return self._files / self._local[name]

    def _read_index(self) -> dict[str, str]:
        try:
            return json.loads(self._index_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except json.JSONDecodeError:  # cut short by a crash: everything is fetched again
            return {}

    def _write_index(self) -> None:
        staged = self._staging / uuid4().hex
        staged.write_text(json.dumps(self._index), encoding="utf-8")
        staged.replace(self._index_file)


def local_names(names: Collection[str]) -> dict[str, str]:
    """Name elsewhere -> path below the local copy, which never leads out of it.

    They are the same but where a file system can't hold the name: `..`, a name that is too long, or a file that is
    called like a folder beside it.
    """
    folders = {name[:at] for name in names for at in (i for i, sign in enumerate(name) if sign == "/")}
    local: dict[str, str] = {}
    for name in names:
        path = "/".join(map(_local_part, name.split("/")))
        local[name] = f"{path}%2F" if name in folders else path
    return local


def _local_part(part: str) -> str:
    if part in ("", ".", ".."):
        return part.replace(".", "%2E") or "%2F"
    safe = re.sub(r"[\x00-\x1f\x7f\\]", lambda found: quote(found[0]), part)
    if len(safe.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME:
        return safe
    stem, dot, extension = safe.rpartition(".")
    kept = f"{dot}{extension}" if dot and len(extension) < 10 else ""
    return f"{_short(stem or safe)}{kept}"


def _short(text: str) -> str:
    return text[:40] + "-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
