"""Near duplicates: short contracts scanned again and found among all others; false ones over all pairs.

    python -m benchmarks.similar PDF_FOLDER --scans 12 --pages 3

A re-scan is the contract's pages rendered, made worse as `benchmarks.degrade` does (`office`), and read by OCR. It
should be found as a duplicate, or at least linked. `looked` counts as if somebody had looked at all places
for signatures and found the same in both, which a copy made from the same pixels implies.
"""

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pymupdf
from PIL import Image

from benchmarks.degrade import OWN, degraded
from benchmarks.pages import pdfs_in
from extractors.files import Content, Limits
from extractors.read import read
from extractors.similar import LINKED, Facts, bands, facts, same, signature, similarity
from schemas.document import Document
from schemas.errors import DocumentError

FEWEST_WORDS = 200


class Reading(NamedTuple):
    """What is kept of a document: its file's name, signature and facts."""

    name: str
    signature: tuple[int, ...]
    facts: Facts


def reading(name: str, document: Document) -> Reading:
    """The reading of a document."""
    return Reading(name, signature(document.text), facts(document))


def read_native(path: Path) -> Document | None:
    """The document, unless it needs OCR, which would take too long here."""
    with pymupdf.open(path) as pdf:
        if any(len(page.get_text()) < 30 for page in pdf):
            return None
    try:
        return read(Content((path,), path.stem, path.stem), Limits())
    except DocumentError:
        return None


def rescanned(path: Path, condition: str, seed: int) -> Document:
    """The document as it is read from a bad copy of itself."""
    with pymupdf.open(path) as pdf, tempfile.TemporaryDirectory() as folder:
        paths = []
        for page in pdf:
            image = degraded(page, OWN[condition], seed + page.number)
            paths.append(Path(folder) / f"{page.number:03d}.png")
            Image.fromarray(image).save(paths[-1], dpi=(OWN[condition].dpi[0],) * 2)
        return read(Content(tuple(paths), path.stem, path.stem), Limits())


def looked(facts: Facts) -> Facts:
    """The facts as if the places for signatures had been looked at."""
    return facts._replace(signatures=())


def candidates(readings: Sequence[Reading]) -> list[tuple[Reading, Reading]]:
    """The pairs that share a band."""
    by_band = defaultdict(list)
    for at, one in enumerate(readings):
        for key in bands(one.signature):
            by_band[key].append(at)
    pairs = {pair for group in by_band.values() for pair in combinations(group, 2)}
    return [(readings[a], readings[b]) for a, b in sorted(pairs)]


def over_all_pairs(readings: Sequence[Reading]) -> dict:
    """How many pairs of different files would be linked, and which would be duplicates."""
    shared = candidates(readings)
    linked = [(a, b) for a, b in shared if similarity(a.signature, b.signature) >= LINKED]
    duplicates = [(a.name, b.name) for a, b in linked if same(looked(a.facts), looked(b.facts))]
    count = len(readings)
    return {
        "contracts": count,
        "pairs": count * (count - 1) // 2,
        "pairs_with_a_band": len(shared),
        "linked": [(a.name, b.name, round(similarity(a.signature, b.signature), 2)) for a, b in linked],
        "duplicates": duplicates,
    }


def of_rescans(originals: Sequence[Reading], scans: Sequence[Reading]) -> dict:
    """How many re-scans are found as duplicates or linked, and with how many others they would be."""
    rows, false_links, false_duplicates = [], 0, 0
    for scan in scans:
        for original in originals:
            near = similarity(scan.signature, original.signature)
            has_band = bool(set(bands(scan.signature)) & set(bands(original.signature)))
            linked = has_band and near >= LINKED
            duplicate = linked and same(looked(scan.facts), looked(original.facts))
            if scan.name == original.name:
                strict = linked and same(scan.facts, original.facts)
                rows.append(
                    {"name": scan.name, "similarity": near, "linked": linked, "looked": duplicate, "duplicate": strict}
                )
            else:
                false_links, false_duplicates = false_links + linked, false_duplicates + duplicate
    return {"rescans": rows, "false_links": false_links, "false_duplicates": false_duplicates}


def short_ones(paths: Sequence[Path], pages: int, count: int) -> list[Path]:
    """The first contracts of at most so many pages and enough words."""
    chosen = []
    for path in paths:
        with pymupdf.open(path) as pdf:
            if len(pdf) <= pages and sum(len(page.get_text("words")) for page in pdf) >= FEWEST_WORDS:
                chosen.append(path)
        if len(chosen) == count:
            break
    return chosen


def table(result: dict) -> str:
    """The figures in lines."""
    rows, pairs = result["rescans"], result["all_pairs"]
    shares = {name: sum(row[name] for row in rows) for name in ("linked", "looked", "duplicate")}
    return "\n".join(
        [
            f"re-scans            {len(rows)}",
            *(f"  as {name:<17}{count}" for name, count in shares.items()),
            f"  others linked     {result['false_links']}, as duplicate {result['false_duplicates']}",
            f"contracts           {pairs['contracts']}, pairs {pairs['pairs']}",
            f"  with a band       {pairs['pairs_with_a_band']}",
            f"  linked            {len(pairs['linked'])}, as duplicate {len(pairs['duplicates'])}",
        ]
    )


def main(argv: list[str] | None = None) -> int:
    """Measures, prints the table, then all rows as JSON (to `--out` when given)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scans", type=int, default=12)
    parser.add_argument("--pages", type=int, default=3)
    parser.add_argument("--condition", choices=["clean", "office", "fax"], default="office")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(argv)
    paths = pdfs_in(asked.folder)
    documents = ((path, read_native(path)) for path in paths)
    originals = {path: reading(path.stem, document) for path, document in documents if document}
    chosen = short_ones([path for path in paths if path in originals], asked.pages, asked.scans)
    scans = [reading(path.stem, rescanned(path, asked.condition, 100 * at)) for at, path in enumerate(chosen)]
    result = of_rescans(list(originals.values()), scans) | {"all_pairs": over_all_pairs(list(originals.values()))}
    print(table(result))
    text = json.dumps(result, indent=1)
    if asked.out:
        asked.out.write_text(text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
