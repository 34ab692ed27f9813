"""Evidence: which quotations are believed, of a contract's own words, cleaned, altered and foreign ones.

    contract-agent benchmark evidence CUAD_FOLDER [--contracts 60] [--seed 1]

Quotations are sentences of CUAD contracts (see `benchmarks/cuad.py` for the set). The text that is searched has errors
as OCR makes them, at several rates; `verbatim` quotes it as it is, `cleaned` as it was before. `altered` changes one
number or negation of the quotation, `foreign` quotes another contract. Shares that are found; for the first two on
the right place; `cleaned_located` counts also those that are shown to a person and not believed.
"""

import argparse
import json
import random
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from extractors.check import FlatText
from extractors.sentences import sentences

NOISE = (0.0, 0.02, 0.05, 0.10)
_LOOK_ALIKE = {"o": "0", "l": "1", "e": "c", "n": "u", "rn": "m", "m": "rn", "i": "l", "a": "o", "t": "f", "h": "b"}
_NUMBER = re.compile(r"\b\d{1,4}\b")
_NEGATION = re.compile(r"\b(?:not|without|no|never)\b ?")


class Quote(NamedTuple):
    """A quotation, the text it is looked for in, and where it stands; `place` is None for what must not be found."""

    text: str
    within: FlatText
    place: tuple[int, int] | None


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the share that is found by kind and rate of errors, and quotations a second, as a table and as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark evidence", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--contracts", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    texts = pd.read_parquet(asked.folder / "contracts.parquet").sort_values("title").text
    chance = random.Random(asked.seed)
    chosen = chance.sample([text for text in texts if 8_000 < len(text) < 60_000], asked.contracts)
    result = {f"{noise:.0%}": measure(chosen, noise, chance) for noise in NOISE}
    print(pd.DataFrame(result).to_string(float_format="{:.3f}".format))
    print(json.dumps(result))
    return 0


def measure(texts: Sequence[str], noise: float, chance: random.Random) -> dict[str, float]:
    """Shares found by kind, and quotations a second."""
    noisy = [_noisy(text, noise, chance) for text in texts]
    quotes = list(_quotes(texts, noisy, chance))
    begun = time.process_time()
    found: dict[str, list[bool]] = {}
    for kind, quote in quotes:
        hit = quote.within.find(quote.text, quote.place[0] if quote.place else None)
        right = hit is not None and (quote.place is None or _shares_half(hit, quote.place))
        found.setdefault(kind, []).append(right)
        if kind == "cleaned":
            place = quote.within.locate(quote.text)
            found.setdefault("cleaned_located", []).append(bool(place) and _shares_half(place, quote.place))
    spent = time.process_time() - begun
    return {kind: sum(hits) / len(hits) for kind, hits in found.items()} | {"a_second": len(quotes) / spent}


def _quotes(
    texts: Sequence[str], noisy: Sequence[tuple[str, list[int]]], chance: random.Random
) -> Iterator[tuple[str, Quote]]:
    flats = [FlatText(text) for text, _ in noisy]
    for number, (text, (other, offsets)) in enumerate(zip(texts, noisy, strict=True)):
        spans = [span for span in sentences(text) if 60 < span[1] - span[0] < 400]
        for start, end in chance.sample(spans, min(5, len(spans))):
            clean, place = text[start:end], (offsets[start], offsets[end - 1] + 1)
            yield "verbatim", Quote(other[slice(*place)], flats[number], place)
            yield "cleaned", Quote(clean, flats[number], place)
            yield "foreign", Quote(clean, flats[(number + 1) % len(flats)], None)
            altered = _altered(clean, chance)
            if altered and " ".join(altered.split()) not in flats[number].text:  # it may stand elsewhere as it is
                yield "altered", Quote(altered, flats[number], None)


def _noisy(text: str, noise: float, chance: random.Random) -> tuple[str, list[int]]:
    """The text with letters misread at a rate, and for each character where it now starts."""
    parts, offsets, at = [], [], 0
    for char in text:
        offsets.append(at)
        read = _LOOK_ALIKE.get(char, char) if char.isalpha() and chance.random() < 2 * noise else char
        parts.append(read)
        at += len(read)
    return "".join(parts), offsets


def _altered(quote: str, chance: random.Random) -> str | None:
    """The quotation with another number, or without its negation; None where it has neither."""
    if match := _NUMBER.search(quote):
        number = str(int(match.group()) + chance.choice((1, 10, 30)))
        return quote[: match.start()] + number + quote[match.end() :]
    return _NEGATION.sub("", quote, count=1) if _NEGATION.search(quote) else None


def _shares_half(hit: tuple[int, int, float], place: tuple[int, int]) -> bool:
    shared = min(hit[1], place[1]) - max(hit[0], place[0])
    return 2 * shared >= place[1] - place[0]


if __name__ == "__main__":
    raise SystemExit(main())
