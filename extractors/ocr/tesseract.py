"""Tesseract as a child process: one thread, the image by pipe, words with boxes as tab-separated values.

The pipe takes the raw pixels (PNM), which saves the PNG encoding that wrappers pay for on every page.
"""

import csv
import os
import re
import shutil
import subprocess
from functools import cache

import numpy as np

from extractors.ocr.page import Language, OcrWord

SECONDS = 180  # a page that takes longer is noise, not text
_PRINTED = re.compile(r"[^_]+")
LANGUAGES: dict[Language, str] = {"en": "eng", "de": "deu", "fr": "fra", "es": "spa", "ja": "jpn"}
ONE_THREAD = {"OMP_THREAD_LIMIT": "1"}  # with its default threads it takes 4.4 times the CPU, same text


def version() -> str | None:
    """The installed version, such as "5.3.0"; None without a `tesseract` command."""
    lines = _printed("--version")
    return lines[0].removeprefix("tesseract").strip().lstrip("v") if lines else None


@cache
def languages() -> tuple[str, ...]:
    """Names of the installed language data, such as ("eng", "jpn"); empty without Tesseract."""
    return tuple(line.strip() for line in _printed("--list-langs")[1:] if line.strip())


def _printed(argument: str) -> list[str]:
    command = shutil.which("tesseract")
    if command is None:
        return []
    done = subprocess.run([command, argument], capture_output=True, text=True, timeout=30, check=False)
    return (done.stdout or done.stderr).splitlines()


def can_read(language: Language) -> bool:
    """Whether Tesseract and its data for the language are installed."""
    return LANGUAGES[language] in languages()


def read(grey: np.ndarray, language: Language, dpi: int) -> tuple[OcrWord, ...]:
    """The words on an upright grey image, boxes in its pixels; empty when Tesseract gives up on it.

    Page segmentation mode 3 (automatic, no orientation detection).
    """
    high, wide = grey.shape
    command = [
        "tesseract",
        "stdin",
        "stdout",
        "-l",
        LANGUAGES[language],
        "--psm",
        "3",
        "--dpi",
        str(dpi),
        "tsv",
    ]
    picture = b"P5 %d %d 255\n" % (wide, high) + grey.tobytes()
    try:
        done = subprocess.run(
            command,
            input=picture,
            capture_output=True,
            timeout=SECONDS,
            env={**os.environ, **ONE_THREAD},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ()
    return _words(done.stdout.decode("utf-8", "replace")) if done.returncode == 0 else ()


def _words(table: str) -> tuple[OcrWord, ...]:
    rows = csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    kept = [row for row in rows if row["level"] == "5" and (row["text"] or "").strip()]
    blocks = _numbered([(row["block_num"], row["par_num"]) for row in kept])
    lines = _numbered([(row["block_num"], row["par_num"], row["line_num"]) for row in kept])
    read = (_word(row, line, block) for row, line, block in zip(kept, lines, blocks, strict=True))
    return tuple(part for word in read for part in _parted(word))


def _numbered(keys: list[tuple[str, ...]]) -> list[int]:
    """Each key's number, from 0 in order of first appearance."""
    numbers: dict[tuple[str, ...], int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _word(row: dict[str, str], line: int, block: int) -> OcrWord:
    left, top = float(row["left"]), float(row["top"])
    right, bottom = left + float(row["width"]), top + float(row["height"])
    confidence = min(1.0, max(0.0, float(row["conf"]) / 100))
    return OcrWord(row["text"].strip(), left, top, right, bottom, confidence, line, block)


def _parted(word: OcrWord) -> list[OcrWord]:
    """The word with its quotation marks whole, and cut where the rule of a form was taken for part of it."""
    text = word.text.replace("''", '"').replace("‘‘", '"').replace("’’", '"')
    parts = [match.span() for match in _PRINTED.finditer(text)] or [(0, len(text))]
    step = (word.x1 - word.x0) / len(text)
    return [word._replace(text=text[a:b], x0=word.x0 + a * step, x1=word.x0 + b * step) for a, b in parts]
