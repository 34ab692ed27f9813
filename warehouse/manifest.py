"""What is landed: numbered manifests, each the full list of the warehouse's files after one run.

Writing a manifest under its name is the one moment at which a run becomes visible. The layout:

    <root>/warehouse.duckdb            the published catalogue, views only
    <root>/lake/<table>/r-<run>-*.parquet   immutable rows; `lake/heads` says which rows are the latest
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
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import ValidationError

from schemas.base import Frozen
from schemas.errors import WarehouseError

CATALOGUE = "warehouse.duckdb"
LOCK_SECONDS = 60.0
_NAME = re.compile(r"(\d{6,})-(.+)\.json")


class Manifest(Frozen):
    """The state of the warehouse after a run. Paths are relative to the warehouse's folder.

    `files` lists all files of every table, oldest first; `columns` the columns that any of them has, and
    `mixed` the tables whose older files lack some; `rows` counts what this run added.
    """

    number: int
    run_id: str
    previous: str | None
    created_at: datetime
    run: dict[str, Any]
    files: dict[str, tuple[str, ...]]
    columns: dict[str, tuple[str, ...]]
    mixed: tuple[str, ...]
    heads: str | None
    rows: dict[str, int]

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
    run_id = max(runs, key=lambda name: runs[name])
    path = root / "manifests" / f"{runs[run_id]:06d}-{run_id}.json"
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise WarehouseError(
            f"The manifest {path} is damaged.", help="Restore it from a backup, or move it away."
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
