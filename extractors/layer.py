"""Where the text layer of a scan says something else than its picture. Part of `read`.

Such a layer is somebody's OCR, or was written to be searched, copied and believed. The picture is what is read;
numbers and passages that stand in the layer alone are reported.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from rapidfuzz.distance import Indel, Levenshtein

from schemas.document import Box, HiddenText

SURE = 0.9  # confidence of a word from which it speaks against the layer
PASSAGE = 4  # words that stand in the layer alone
ALIKE = 0.6  # similarity from which two spellings are one word read twice


class PlacedWord(Protocol):
    """A word of the layer or of the picture."""

    text: str
    box: Box
    confidence: float


def layer_differences(layer: Sequence[PlacedWord], seen: Sequence[PlacedWord]) -> list[HiddenText]:
    """What the layer says and the picture does not: other numbers, and passages of `PASSAGE` words or more.

    Both are compared word by word in their own order; a misread letter on either side is no difference.
    """
    ours, theirs = [_folded(word.text) for word in seen], [_folded(word.text) for word in layer]
    found: list[HiddenText] = []
    for tag, a, b, c, d in Levenshtein.opcodes(theirs, ours).as_list():
        if tag != "equal" and a < b and _differs(layer[a:b], seen[c:d]):
            found.append(_hidden(layer[a:b]))
    return found


def _folded(word: str) -> str:
    return word.strip(".,;:()[]\"'").lower()


def _differs(said: Sequence[PlacedWord], shown: Sequence[PlacedWord]) -> bool:
    numbers = [n for n in _numbers(said) if n not in _numbers(shown)]
    if numbers and shown and all(w.confidence >= SURE for w in shown) and _numbers(shown):
        return True
    likeness = Indel.normalized_similarity(_joined(said), _joined(shown))
    return len(said) - len(shown) >= PASSAGE and likeness < ALIKE


def _joined(words: Sequence[PlacedWord]) -> str:
    return "".join(_folded(word.text) for word in words)


def _numbers(words: Sequence[PlacedWord]) -> list[str]:
    return list(_digits(words))


def _digits(words: Sequence[PlacedWord]) -> Iterator[str]:
    for word in words:
        digits = "".join(c for c in word.text if c.isdigit())
        if digits:
            yield digits


def _hidden(words: Sequence[PlacedWord]) -> HiddenText:
    x0, y0, x1, y1 = zip(*(word.box for word in words), strict=True)
    text = " ".join(word.text for word in words)
    return HiddenText(kind="layer_differs", text=text, box=(min(x0), min(y0), max(x1), max(y1)))
