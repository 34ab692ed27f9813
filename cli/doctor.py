"""What works on this machine, what is missing, and the command that installs it."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from schemas.errors import ContractAgentError
from schemas.settings import Settings

NEEDED_LANGUAGES = ("eng", "jpn", "osd")
MORE_LANGUAGES = {"deu": "German", "fra": "French", "spa": "Spanish"}
LEAST_FREE_GIGABYTES = 2


class Finding(NamedTuple):
    """One line of the report; `needed` findings that fail make the machine unfit."""

    works: bool
    text: str
    fix: str = ""
    needed: bool = True


def report(settings: Settings, warehouse: Path, ask_provider: bool = False) -> tuple[list[str], bool]:
    """The lines of the report, and whether everything needed is there."""
    findings = [*_findings(settings, warehouse), *([live(settings)] if ask_provider else [])]
    lines = [line for finding in findings for line in _lines(finding)]
    return lines, all(finding.works or not finding.needed for finding in findings)


def _lines(finding: Finding) -> Iterator[str]:
    mark = "ok     " if finding.works else "MISSING" if finding.needed else "note   "
    yield f"{mark}  {finding.text}"
    if not finding.works and finding.fix:
        yield f"         {finding.fix}"


def _findings(settings: Settings, warehouse: Path) -> Iterator[Finding]:
    yield Finding(True, f"Python {platform.python_version()}")
    yield from _ocr()
    yield from _engines()
    yield from _our_side(settings, warehouse)
    yield from _addresses(settings)
    yield from _folders(settings, warehouse)


def _ocr() -> Iterator[Finding]:
    from extractors.ocr import available

    found = available()
    version, languages = found["tesseract"], found["languages"]
    yield Finding(bool(version), f"Tesseract {version or 'is not installed'}", "apt-get install tesseract-ocr")
    for code in NEEDED_LANGUAGES:
        yield Finding(code in languages, f"Tesseract data {code}", f"apt-get install tesseract-ocr-{code}")
    for code, name in MORE_LANGUAGES.items():
        yield Finding(
            code in languages,
            f"Tesseract data {code} ({name})",
            f"apt-get install tesseract-ocr-{code}",
            False,
        )
    yield Finding(bool(found["rapidocr"]), f"RapidOCR {found['rapidocr']}", "pip install rapidocr")


def _engines() -> Iterator[Finding]:
    from extractors.extract import choose, fingerprint

    yield Finding(True, f"Extractor embedded ({fingerprint('embedded')}); nothing leaves this machine")
    try:
        choose("openai")
        yield Finding(True, "Extractor openai")
    except ContractAgentError as error:
        yield Finding(False, f"Extractor openai: {error.message}", error.help, needed=False)


def live(settings: Settings) -> Finding:
    """One small request to the provider, with nothing of a contract in it."""
    from extractors.extract import choose, is_alive

    try:
        choose("openai")
        return Finding(True, f"Extractor openai answers: {is_alive(settings.llm(Path(os.devnull), 'doctor'))}")
    except ContractAgentError as error:
        return Finding(False, f"Extractor openai: {error.message}", error.help)


def _our_side(settings: Settings, warehouse: Path) -> Iterator[Finding]:
    if settings.our_entities:
        yield Finding(True, f"Our side: {', '.join(settings.our_entities)}")
        return
    fix = 'Set our_entities in contract-agent.toml, for example: our_entities = ["Example, Inc."]'
    if names := _frequent_parties(warehouse):
        fix += f". Named most often in your contracts: {'; '.join(names)}."
    yield Finding(False, "Our side is not set, so no contract has a counterparty", fix, needed=False)


def _frequent_parties(warehouse: Path) -> list[str]:
    from warehouse.read import query

    statement = """SELECT value FROM terms WHERE term = 'parties' AND value IS NOT NULL
        GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 3"""
    try:
        return [row[0] for row in query(warehouse, statement)[1]]
    except ContractAgentError:  # there is no warehouse yet
        return []


def _addresses(settings: Settings) -> Iterator[Finding]:
    if not settings.notify:
        return
    from flows.notify import service_of

    for number, address in enumerate(settings.notify, 1):
        service = service_of(address)
        fix = "docs/storage.md shows how addresses are written."
        name = f"Address {number} of the setting notify"
        yield Finding(bool(service), f"{name}: {service or 'it can not be used as it is written'}", fix, needed=False)


def _folders(settings: Settings, warehouse: Path) -> Iterator[Finding]:
    from warehouse.remote import copy_of

    existing = next(folder for folder in (warehouse, *warehouse.parents) if folder.exists())
    free = shutil.disk_usage(existing).free / 1e9
    if url := copy_of(warehouse):
        yield Finding(True, f"Warehouse {url}, with its copy in {warehouse}")
    yield Finding(os.access(existing, os.W_OK), f"Data folder {settings.home}", f"Make {existing} writable.")
    yield Finding(
        free > LEAST_FREE_GIGABYTES,
        f"{free:.0f} GB free for the warehouse {warehouse}",
        "Free some disk space.",
        False,
    )
