"""What is landed: numbered manifests, each the full list of the warehouse's files after one run.

Writing a manifest under its name is the one moment at which a run becomes visible. The layout:

    <root>/warehouse.duckdb            the published catalogue, views only
    <root>/lake/<table>/r-<run>-*.parquet   immutable rows
    <root>/lake/heads/, lake/superseded/    the latest version of everything; which versions are so no longer
    <root>/manifests/<number>-<run>.json
    <root>/staging/                    work in progress; what a killed run left is swept by the next one
    <root>/publish.lock
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from schemas.base import Frozen
from schemas.errors import WarehouseError

CATALOGUE = "warehouse.duckdb"
LAYOUT = 2
"""Of the folder; a manifest of another layout is not read."""
LOCK_SECONDS = 60.0
_NAME = re.compile(r"(\d{6,})-(.+)\.json")


class Manifest(Frozen):
    """The state of the warehouse after a run. Paths are relative to the warehouse's folder.

    `files` lists the files of every table in which latest rows stand, oldest first; `retired` those that hold former
    versions alone. `columns` are the columns that any of them has, and `mixed` the tables whose older files lack some.
    `heads` are files too, a later one's words before an earlier one's; `superseded` says which versions in `files` are
    the latest no longer, `superseded_before` the same of `retired`. `rows` counts what this run added.
    """

    layout: Literal[2]
    number: int
    run_id: str
    previous: str | None
    created_at: datetime
    run: dict[str, Any]
    files: dict[str, tuple[str, ...]]
    columns: dict[str, tuple[str, ...]]
    mixed: tuple[str, ...]
    heads: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()
    superseded_before: tuple[str, ...] = ()
    retired: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    rows: dict[str, int]

    @property
    def all_files(self) -> Iterator[str]:
        """Every file that this state rests on."""
        for lists in (self.files, self.retired):
            yield from chain.from_iterable(lists.values())
        yield from chain(self.heads, self.superseded, self.superseded_before)

    @property
    def file_name(self) -> str:
        """Name of the manifest's own file."""
        return f"{self.number:06d}-{self.run_id}.json"


def committed(root: Path) -> dict[str, int]:
    """Run id -> number of every manifest."""
    folder = root / "manifests"
    names = (_NAME.fullmatch(file.name) for file in folder.iterdir()) if folder.is_dir() else ()
    return {match[2]: int(match[1]) for match in names if match}


def current(root: Path) -> Manifest | None:
    """The newest manifest, None where nothing was landed yet. Raises WarehouseError when it is damaged."""
    runs = committed(root)
    if not runs:
        return None
    return manifest_of(root, max(runs, key=lambda name: runs[name]))


def manifest_of(root: Path, run_id: str) -> Manifest:
    """The manifest of a committed run. Raises WarehouseError when it is damaged or there is none."""
    runs = committed(root)
    if run_id not in runs:
        raise WarehouseError(
            f"There is no manifest of the run {run_id}.", help="`ls manifests/` shows those that are kept."
        )
    path = root / "manifests" / f"{runs[run_id]:06d}-{run_id}.json"
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise WarehouseError(
            f"The manifest {path} is damaged, or an older version of this program wrote it.",
            help="Restore it from a backup, or run the inbox into a new folder.",
        ) from error


def write(root: Path, manifest: Manifest) -> None:
    """Commit a manifest: all or nothing, and on disk when this returns."""
    staged = root / "staging" / manifest.file_name
    staged.write_text(json.dumps(manifest.model_dump(mode="json")), encoding="utf-8")
    settle(staged, root / "manifests" / manifest.file_name)


def settle(staged: Path, target: Path) -> None:
    """Move a finished file to its name, with its bytes and its name on disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sync(staged)
    staged.replace(target)
    sync(target.parent)


def glob_free(path: Path | str) -> str:
    """A path that DuckDB takes as it is, although brackets, stars and question marks stand in it."""
    return "".join(f"[{sign}]" if sign in "[*?" else sign for sign in str(path))


def sync(path: Path) -> None:
    """Flush a file or a folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def publishing(root: Path, timeout: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the warehouse's one lock. Raises WarehouseError when another holds it for `timeout` seconds."""
    if "?" in str(root):  # DuckDB would look for its log file at another place
        raise WarehouseError(f"{root} has a question mark in its name.", help="Choose another folder.")
    root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(root / "publish.lock")
    try:
        lock.acquire(timeout=timeout)
    except Timeout as error:
        raise WarehouseError(
            f"Another run is publishing into {root}; waited {timeout:g} seconds for it.",
            help="Try again when it is done. The lock goes away with the process that holds it.",
            code="warehouse_busy",
        ) from error
    try:
        yield
    finally:
        lock.release()
