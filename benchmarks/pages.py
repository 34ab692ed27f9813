"""Pages of real PDFs to measure with."""

import random
from pathlib import Path

import pymupdf

ENOUGH = 600  # characters; shorter pages say little


def pdfs_in(folder: Path) -> list[Path]:
    """The PDFs below a folder, sorted by path."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".pdf")


def sample(folder: Path, count: int, seed: int) -> list[tuple[Path, int]]:
    """`count` pages of as many documents, with text enough to count; the same for the same seed."""
    files = pdfs_in(folder)
    rng = random.Random(seed)
    rng.shuffle(files)
    chosen: list[tuple[Path, int]] = []
    for file in files:
        with pymupdf.open(file) as pdf:
            full = [page.number for page in pdf if len(page.get_text()) >= ENOUGH]
        if full:
            chosen.append((file, rng.choice(full)))
        if len(chosen) == count:
            break
    return chosen
