"""What was learnt from people's decisions: data beside the warehouse, never code. Made by `contract-agent learn`.

An opinion weighs the values that a term could have, or whether a rule's flag applies, by the words of the quotation. A
calibration says how often people agreed at which confidence. Neither can bring a value that nobody quoted.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from schemas.base import Frozen
from schemas.errors import ContractAgentError

Kind = Literal["term", "flag"]


class LearnedError(ContractAgentError):
    """What was learnt can't be used, or may not be adopted. The code says which: see docs/errors.md."""

    code = "learned"


class Opinion(Frozen):
    """A second opinion on one term of one extractor, or on the flags of one rule (then `extractor` is None).

    `weights` are log odds of the features that `extractors.learned.features` gives; words that are not in `vocabulary`
    are not known. `values` are what people set, `instead` counts their corrections as `was -> is`. `reliability` is how
    often it was right where it spoke on contracts it had not seen, drawn to one half by two decisions' weight.
    """

    target: Kind
    field: str
    extractor: str | None = None
    decisions: int
    corrections: int
    reliability: float = 1.0
    instead: dict[str, int] = Field(default_factory=dict)
    values: tuple[str, ...] = ()
    vocabulary: tuple[str, ...]
    weights: dict[str, float]


class Calibration(Frozen):
    """How often people agreed: pairs of confidence and share, both rising, between which straight lines run.

    Without a `capture_class` it holds for those that have none of their own.
    """

    target: Kind
    field: str
    capture_class: str | None = None
    decisions: int
    steps: tuple[tuple[float, float], ...]


class Learned(Frozen):
    """All that was learnt in one go, from how many decisions of how many contracts."""

    decisions: int
    contracts: int
    opinions: tuple[Opinion, ...] = ()
    calibrations: tuple[Calibration, ...] = ()

    @property
    def version(self) -> str:
        """A short hash of it all; it stands in the rows that it had a part in."""
        said = self.model_dump_json(exclude_defaults=True)  # so that a field to come changes no version
        return f"learned-{hashlib.sha256(said.encode()).hexdigest()[:12]}"


FOLDER = "learned"
_ADOPTED = "adopted"


def folder(home: Path) -> Path:
    """Where a data folder keeps what was learnt."""
    return Path(home) / FOLDER


def file_of(home: Path, version: str) -> Path:
    """The file of a version."""
    return folder(home) / f"{version}.json"


def save(home: Path, learned: Learned) -> Path:
    """Keep what was learnt under its version; nothing uses it before it is adopted."""
    file = file_of(home, learned.version)
    file.parent.mkdir(parents=True, exist_ok=True)
    write(file, learned.model_dump_json(indent=1))
    return file


@lru_cache(maxsize=4)
def load(file: Path) -> Learned:
    """What a file holds; read once a process, since its name is a hash of it.

    Raises LearnedError when it is not there or holds something else.
    """
    try:
        learned = Learned.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise LearnedError(
            f"{file.name} can't be used: it is not there or was changed.",
            help="`contract-agent learn train` makes it anew; `contract-agent learn withdraw` goes on without it.",
        ) from error
    if learned.version != file.stem:
        raise LearnedError(
            f"{file.name} was changed since it was made.",
            help="`contract-agent learn train` makes it anew; `contract-agent learn withdraw` goes on without it.",
        )
    return learned


def adopted(home: Path) -> Path | None:
    """The file of the version in force; None when there is none."""
    pointer = folder(home) / _ADOPTED
    return file_of(home, pointer.read_text(encoding="utf-8").strip()) if pointer.is_file() else None


def adopt(home: Path, version: str | None) -> None:
    """Put a kept version in force, or none."""
    pointer = folder(home) / _ADOPTED
    if version is None:
        pointer.unlink(missing_ok=True)
    else:
        write(pointer, version)


def write(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    built = file.with_name(f".{file.name}.tmp")
    built.write_text(text, encoding="utf-8")
    built.replace(file)
