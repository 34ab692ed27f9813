"""The stage: where a run's files are written until they are moved to their names, and what sweeps it."""

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from filelock import FileLock, Timeout

from schemas.errors import WarehouseError
from warehouse.catalogue import ANSWERS, put_in_place
from warehouse.manifest import REMOTE, Manifest, committed, current, manifest_of, publishing, settle

WORDS = "words"
"""Where the indexes of texts are, in `lake/`; see `warehouse.words`."""
_FILE = re.compile(r"r-(.+)-[0-9a-f]{12}\.parquet")


def new_run_id(moment: datetime, action: str = "") -> str:
    """An id of its own for a run, or for what is done to the warehouse besides, that sorts by time."""
    return f"{action}{'-' if action else ''}{moment:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


class Change(NamedTuple):
    """What is done to the warehouse besides runs: the state it begins from, its id, and its stage."""

    former: Manifest
    run_id: str
    stage: Path


@contextmanager
def changing(root: Path, action: str, timeout: float) -> Iterator[Change]:
    """Hold the lock for a change. Raises WarehouseError where nothing was landed yet."""
    run_id = new_run_id(datetime.now(UTC), action)
    with staging(root, run_id, timeout) as stage, publishing(root, timeout):
        former = current(root)
        if former is None:
            raise WarehouseError(f"There is nothing in {root}.")
        yield Change(former, run_id, stage)


@contextmanager
def staging(root: Path, run_id: str, timeout: float) -> Iterator[Path]:
    """A folder of this run alone; a lock inside it tells the others that the run is alive."""
    stage = root / "staging" / f"{run_id}-{uuid4().hex[:12]}"
    with publishing(root, timeout):
        sweep(root)
        stage.mkdir(parents=True)
        alive = FileLock(stage / "alive.lock")
        alive.acquire(timeout=timeout)
    try:
        yield stage
    finally:
        alive.release()
        shutil.rmtree(stage, ignore_errors=True)


def sweep(root: Path) -> None:
    """Remove what killed runs left: their stages, temporary catalogues, files that no manifest lists; and the
    manifests that are kept no longer, with what they alone list.

    Only under the lock, so nobody is between renaming files and writing a manifest.
    """
    stages = root / "staging"
    for left in stages.iterdir() if stages.is_dir() else ():
        if not left.is_dir():
            left.unlink(missing_ok=True)
        elif not _is_alive(left):
            shutil.rmtree(left, ignore_errors=True)
    manifest = current(root)
    runs = committed(root)
    gone = []
    for run_id in [run_id for run_id, number in runs.items() if manifest and number < manifest.first]:
        gone.append(f"manifests/{runs.pop(run_id):06d}-{run_id}.json")
    if gone:
        put_in_place(root)  # the published catalogue may still rest on what goes now
    lake = root / "lake"
    left = [
        str(file.relative_to(root))
        for folder in (lake.iterdir() if lake.is_dir() else ())
        for file in folder.iterdir()
        if (match := _FILE.fullmatch(file.name)) and match[1] not in runs
    ]
    if left:  # a file outlives the manifest of its own run when later ones list it
        listed = {file for run_id in runs for file in manifest_of(root, run_id).all_files}
        gone += [file for file in left if file not in listed]
    if manifest and (root / REMOTE).is_file():
        from warehouse.remote import prune  # needed for copies alone, and slow to import

        prune(root, manifest.first)
    for file in gone:
        (root / file).unlink(missing_ok=True)
    _sweep_answers(root, manifest)
    _sweep_words(root)


def _sweep_answers(root: Path, manifest: Manifest | None) -> None:
    """Remove answers worked out for former states, but for the last of them, which readers may still be at."""
    folder = root / "lake" / ANSWERS
    numbers = {each: int(each.name.partition("-")[0]) for each in (folder.iterdir() if folder.is_dir() else ())}
    lately = sorted(numbers.values())[-2:]
    for each, number in numbers.items():
        if number not in lately or (manifest and number < manifest.first):
            shutil.rmtree(each)


def index_of(root: Path, table: str, file: str) -> Path:
    """Where the index of a file of texts is, whether it is there or not. `file` is as manifests list it."""
    return root / "lake" / WORDS / f"{table}-{Path(file).stem}.sqlite"


def _sweep_words(root: Path) -> None:
    """Remove the index of each file of texts that is there no longer."""
    folder = root / "lake" / WORDS
    for index in folder.iterdir() if folder.is_dir() else ():
        table, _, stem = index.stem.partition("-")
        if not (root / "lake" / table / f"{stem}.parquet").is_file():
            index.unlink()


def _is_alive(stage: Path) -> bool:
    lock = FileLock(stage / "alive.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def place(root: Path, run_id: str, staged: Path, table: str) -> str:
    """Move a staged file of a table to its name, and give back its path as manifests list it."""
    name = f"lake/{table}/r-{run_id}-{uuid4().hex[:12]}.parquet"
    settle(staged, root / name)
    return name
