"""A warehouse elsewhere: its local copy, brought up to date before it is used, and published by one conditional put.

    <url>/lake/<table>/r-<run>-*.parquet    the same immutable files
    <url>/manifests/<number>.json           the manifests, by number alone

The local copy is a warehouse folder in full, with the file `remote.json` that says what it is a copy of. A manifest is
stored only where its number is free, so of two runs that began from the same state one publishes and the other is told.
"""

import json
import re
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from pydantic import ValidationError

from schemas.errors import StorageError, WarehouseError
from schemas.settings import is_remote
from warehouse.catalogue import publish
from warehouse.manifest import LOCK_SECONDS, REMOTE, Manifest, committed, current, publishing, settle
from warehouse.storage import Storage

_MANIFEST = re.compile(r"(\d{6,})\.json")
_LISTED = re.compile(r"lake/[^/\\]+/[^/\\]+\.parquet")
_PATIENCE_SECONDS = 2.0
_ATTEMPTS = 3
_DRIVES = ("gdrive", "dropbox")


def opened(place: Path | str, folder: Path) -> Path:
    """The local folder of a warehouse, up to date with the place elsewhere where a URL names it.

    `folder` is where the local copy is kept. Raises StorageError when the place can't be reached, WarehouseError when
    what is there is damaged.
    """
    if not is_remote(place):
        return folder
    if urlsplit(str(place)).scheme in _DRIVES:
        raise StorageError(
            f"A warehouse can't be kept at {place}: there two files may bear one name.",
            help="Keep it in a local folder, in a bucket or over SFTP; inboxes may be there.",
        )
    storage = Storage(str(place))
    _mark(folder, storage.url)
    try:
        with publishing(folder, _PATIENCE_SECONDS if committed(folder) else LOCK_SECONDS):
            changed = pull(folder, storage)
    except WarehouseError as error:
        if error.code != "warehouse_busy" or not committed(folder):
            raise
        return folder  # another process is publishing from this very copy: what is there is what was last published
    if changed:
        publish(folder)
    return folder


def pull(root: Path, storage: Storage) -> bool:
    """Make the local copy what the newest manifest elsewhere says; whether anything changed. Only under the lock."""
    newest, older = _fetched(root, storage)
    former = current(root)
    if newest is None and former:
        raise WarehouseError(
            f"{storage.url} holds no warehouse any more; its copy in {root} does.",
            help="Send the copy back as docs/storage.md says, or remove it to begin anew.",
        )
    if newest is None or newest == former:
        return False
    _settle_bytes(root, newest.model_dump_json().encode(), f"manifests/{newest.file_name}")
    _forget_manifests(root, newest, older)
    _forget_files(root, set(newest.all_files))
    return True


def _fetched(root: Path, storage: Storage) -> tuple[Manifest | None, set[int]]:
    """The newest manifest elsewhere with all its files here, and the numbers of the older ones."""
    for attempt in range(_ATTEMPTS):
        numbers = _numbers(storage)
        if not numbers:
            break
        try:
            newest = _manifest(storage, numbers[-1])
            fetch(root, newest, storage)
            return newest, set(numbers[:-1])
        except FileNotFoundError as error:  # compacted or forgotten between the listing and the reading
            if attempt == _ATTEMPTS - 1:
                raise WarehouseError(
                    f"{storage.url} lacks a file that its newest manifest lists.",
                    help="Restore it from a backup, or from a version of the bucket.",
                ) from error
    return None, set()


def fetch(root: Path, manifest: Manifest, storage: Storage | None = None) -> None:
    """Bring the files of a manifest that the local copy lacks; nothing to do where it is no copy.

    Raises FileNotFoundError when one is gone elsewhere too.
    """
    storage = storage or storage_of(root)
    missing = [name for name in manifest.all_files if not (root / name).is_file()]
    if storage is None or not missing:
        return
    (root / "staging").mkdir(parents=True, exist_ok=True)

    def bring(name: str) -> None:
        staged = root / "staging" / f"{uuid4().hex}.part"
        storage.download(name, staged)
        settle(staged, root / name)

    storage.each(bring, missing)


def history(root: Path) -> None:
    """Bring the older manifests too, without their files; `fetch` brings those. Only under the lock."""
    storage = storage_of(root)
    held = set(committed(root).values())
    for number in _numbers(storage) if storage else ():
        if number not in held:
            manifest = _manifest(storage, number)
            _settle_bytes(root, manifest.model_dump_json().encode(), f"manifests/{manifest.file_name}")


def commit(root: Path, manifest: Manifest) -> None:
    """Publish a manifest elsewhere, its files first. Nothing happens where the folder is no copy.

    Raises WarehouseError `published_meanwhile` when another run was quicker; then nothing has changed there.
    """
    storage = storage_of(root)
    if storage is None:
        return
    former = current(root)
    _check_still_newest(storage, former)
    added = sorted(set(manifest.all_files) - set(former.all_files if former else ()))
    storage.each(lambda name: storage.upload(root / name, name), added)
    content = manifest.model_dump_json().encode()
    try:
        storage.create(_name(manifest.number), content)
    except FileExistsError as error:
        # A put that was repeated after its answer was lost finds itself.
        if storage.read(_name(manifest.number)) != content:
            storage.remove(added)
            raise _meanwhile(storage) from error
    if _numbers(storage)[-1] != manifest.number:  # its name was free because later ones had it removed
        storage.remove([_name(manifest.number), *added])
        raise _meanwhile(storage)


def prune(root: Path, first: int) -> None:
    """Remove elsewhere the manifests with a lower number than `first`, and the files that only they list.

    What no manifest lists yet, another machine may be sending at this moment. Call it when a manifest that no longer
    needs them is committed; nothing happens where the folder is no copy.
    """
    storage = storage_of(root)
    numbers = _numbers(storage) if storage else []
    gone = [number for number in numbers if number < first]
    if storage is None or not gone:
        return
    listed = {number: set(_manifest(storage, number).all_files) for number in numbers}
    kept = set().union(*(listed[number] for number in numbers if number >= first))
    storage.remove(sorted(set().union(*(listed[number] for number in gone)) - kept))
    storage.remove(map(_name, gone))  # last, so that a kill in between is made good by the next call


def copy_of(root: Path) -> str | None:
    """The URL that the folder is a copy of; None where it is a warehouse of its own."""
    file = root / REMOTE
    return json.loads(file.read_text(encoding="utf-8"))["url"] if file.is_file() else None


def storage_of(root: Path) -> Storage | None:
    """What the folder is a copy of; None where it is a warehouse of its own."""
    url = copy_of(root)
    return Storage(url) if url else None


def _mark(folder: Path, url: str) -> None:
    file = folder / REMOTE
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        staged = folder / f"{uuid4().hex}.json"
        staged.write_text(json.dumps({"url": url}), encoding="utf-8")
        settle(staged, file)


def _name(number: int) -> str:
    return f"manifests/{number:06d}.json"


def _numbers(storage: Storage) -> list[int]:
    names = (_MANIFEST.fullmatch(name) for name in storage.files("manifests"))
    return sorted(int(match[1]) for match in names if match)


def _manifest(storage: Storage, number: int) -> Manifest:
    """A manifest elsewhere. Raises FileNotFoundError, and WarehouseError when it is damaged."""
    try:
        manifest = Manifest.model_validate_json(storage.read(_name(number)))
    except ValidationError as error:
        raise WarehouseError(
            f"The manifest {storage.url}/{_name(number)} is damaged, or another version of this program wrote it.",
            help="Restore it from a backup, or use the same version everywhere.",
        ) from error
    strange = [name for name in manifest.all_files if not _LISTED.fullmatch(name)]
    if strange or manifest.number != number:
        raise WarehouseError(
            f"The manifest {storage.url}/{_name(number)} lists what is no file of a warehouse.",
            help="Somebody may have altered it; restore it from a backup.",
        )
    return manifest


def _check_still_newest(storage: Storage, former: Manifest | None) -> None:
    numbers = _numbers(storage)
    newest = _manifest(storage, numbers[-1]) if numbers else None
    if (newest and (newest.number, newest.run_id)) != (former and (former.number, former.run_id)):
        raise _meanwhile(storage)


def _meanwhile(storage: Storage) -> WarehouseError:
    return WarehouseError(
        f"Another run published into {storage.url} in the meantime, so this one was not published.",
        help="Run it again: what was read is kept, so it is quick.",
        code="published_meanwhile",
    )


def _settle_bytes(root: Path, content: bytes, name: str) -> None:
    (root / "staging").mkdir(parents=True, exist_ok=True)
    staged = root / "staging" / uuid4().hex
    staged.write_bytes(content)
    settle(staged, root / name)


def _forget_manifests(root: Path, newest: Manifest, older: set[int]) -> None:
    for run_id, number in committed(root).items():
        if number not in older and run_id != newest.run_id:
            (root / "manifests" / f"{number:06d}-{run_id}.json").unlink()


def _forget_files(root: Path, listed: set[str]) -> None:
    """What was forgotten elsewhere must not stay in a copy."""
    for file in (root / "lake").glob("*/*.parquet"):
        if file.relative_to(root).as_posix() not in listed:
            file.unlink()
