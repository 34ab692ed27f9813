"""`contract-agent benchmark NAME`: hands over to the measurement of that name in `benchmarks/`."""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from schemas.errors import SettingsError

NAMES = (
    *("agreement", "ask", "boxes", "cuad", "deals", "desk", "evidence", "finance_clauses", "japanese_terms"),
    *("judgement", "kills", "kleister", "million", "night", "ocr", "question_page", "reflag", "retrieval"),
    *("review-kills", "review-load", "review-screenshots", "scale", "workbook"),
)


def main(name: str, arguments: Sequence[str]) -> None:
    """Run a measurement. Raises SettingsError when there is none of that name here."""
    folder = Path(__file__).resolve().parent.parent / "benchmarks"
    if name not in NAMES or not _file(folder, name).is_file():
        there = ", ".join(n for n in NAMES if _file(folder, n).is_file())
        raise SettingsError(
            f"There is no benchmark {name!r} here.",
            help=f"There are: {there}. Benchmarks come with the source, not with the package."
            if there
            else "Benchmarks come with the source, not with the package: clone the repository.",
        )
    sys.path.insert(0, str(folder.parent))
    import_module(f"benchmarks.{_file(folder, name).stem}").main(list(arguments))


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name.replace('-', '_')}.py"
