"""Counts the words of contracts, for the correction of badly read words (`extractors/ocr/lexicon.py`).

    python -m benchmarks.train_lexicon CUAD_FOLDER

CUAD_FOLDER holds CUAD v1 (The Atticus Project, CC BY 4.0, https://www.atticusprojectai.org/cuad) as
`contracts.parquet` with a column `text`. Only contracts without a PDF in its folder `pdf/` are counted, so that
the pages on which reading is measured are none of them. Rebuilds `extractors/ocr/weights/words.txt.gz`.
"""

import argparse
import gzip
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from extractors.characters import clean
from extractors.ocr.lexicon import FILE, WORD

CONTRACTS = 3
"""How many contracts a word must stand in: names that one contract is full of are no vocabulary."""


def counted(texts: Iterable[str]) -> Counter[str]:
    """How often each word occurs, in lower case; words of too few contracts are left out."""
    often: Counter[str] = Counter()
    contracts: Counter[str] = Counter()
    for text in texts:
        words = [word.lower() for word in WORD.findall(clean(text))]
        often.update(words)
        contracts.update(set(words))
    return Counter({word: n for word, n in often.items() if contracts[word] >= CONTRACTS and len(word) > 1})


def texts_of(folder: Path) -> list[str]:
    """The texts of the contracts that have no PDF in the folder."""
    contracts = pd.read_parquet(folder / "contracts.parquet", columns=["title", "text"])
    measured = {path.stem.strip() for path in (folder / "pdf").rglob("*.[pP][dD][fF]")}
    return [row.text for row in contracts.itertuples() if row.title.strip() not in measured]


def main(argv: list[str] | None = None) -> int:
    """Writes the list and prints its size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    texts = texts_of(parser.parse_args(argv).folder)
    words = counted(texts)
    lines = "".join(f"{word} {count}\n" for word, count in sorted(words.items(), key=lambda item: (-item[1], item[0])))
    with FILE.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(lines.encode("ascii"))
    print(f"{len(words)} words of {len(texts)} contracts, {FILE.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
