"""What a contract's steps keep on disk between runs, by content: written whole or not at all."""

from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pyarrow as pa

from schemas.base import Frozen

Kept = TypeVar("Kept", bound=Frozen)
CODEC = "zstd"


class Keep:
    """The kept results of one contract: a file a step, named by the key it was made under."""

    def __init__(self, folder: Path, contract_id: str):
        self._folder = folder / contract_id[2:4]
        self._name = contract_id

    def load(self, step: str, key: str, kind: type[Kept]) -> Kept | None:
        """What a step made under this key; None when there is nothing, or nothing that can be used."""
        return self._read(self._file(step, key), kind)

    def latest(self, step: str, kind: type[Kept]) -> Kept | None:
        """What a step made last, under whatever key; None when there is nothing that can be used."""
        files = sorted(self._folder.glob(f"{self._name}.{step}-*"), key=lambda file: file.stat().st_mtime_ns)
        return self._read(files[-1], kind) if files else None

    def _read(self, file: Path, kind: type[Kept]) -> Kept | None:
        try:
            data = file.read_bytes()
            text = pa.decompress(data[8:], int.from_bytes(data[:8], "big"), codec=CODEC, asbytes=True)
            return kind.model_validate_json(text)
        except (OSError, ValueError, OverflowError, MemoryError):
            # Not there, an older layout, or a damaged disk (a wrong length asks for any amount of memory):
            # make it anew.
            return None

    def save(self, step: str, key: str, value: Frozen) -> None:
        """Keep a step's result and drop what the step made under older keys."""
        self._folder.mkdir(parents=True, exist_ok=True)
        text = value.model_dump_json().encode()
        temporary = self._folder / f".{self._name}.{uuid4().hex}"
        temporary.write_bytes(len(text).to_bytes(8, "big") + pa.compress(text, codec=CODEC, asbytes=True))
        file = temporary.replace(self._file(step, key))
        for other in self._folder.glob(f"{self._name}.{step}-*"):
            if other != file:
                other.unlink(missing_ok=True)

    def drop(self, step: str) -> None:
        """Remove what steps whose names begin with this have kept."""
        for file in self._folder.glob(f"{self._name}.{step}*"):
            file.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove all that is kept of the contract, also what a killed run was writing."""
        for file in [*self._folder.glob(f"{self._name}.*"), *self._folder.glob(f".{self._name}.*")]:
            file.unlink(missing_ok=True)

    def _file(self, step: str, key: str) -> Path:
        return self._folder / f"{self._name}.{step}-{key}"
