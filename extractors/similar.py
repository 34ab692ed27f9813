"""Near duplicates: whether two documents are one contract scanned twice, or only much alike. Pure functions.

Alike are many: contracts from one template, a draft and its signed copy, a contract and its amended version. So there
are two questions. `similarity` of two signatures finds what is alike among a million documents, by a lookup of
`bands`. `same` then compares word by word and says yes only where every difference looks like an error of OCR, and
none lies in a number, a date, a mark or a signature. When in doubt it says no: such documents are linked, no more.

Sources: Broder, On the resemblance and containment of documents (1997), for signatures; Leskovec, Rajaraman and
Ullman, Mining of Massive Datasets, chapter 3.4, for bands.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein

from schemas.document import Document

SIGNATURE_LENGTH = 64
SHINGLE = 3
"""Words that are hashed together: OCR that misreads one word in thirty leaves nine of ten shingles whole."""

ROWS = 4
"""Values to a band: of documents that share 7 of 10 shingles, 99 in 100 share one of the 16 bands; of 3 of 10, 12."""

LINKED = 0.5
"""Signatures with this share of equal values belong to documents that are shown beside each other."""

FEWEST_WORDS = 30
"""Shorter texts say too little to call two documents one."""

SURE = 0.9
"""OCR's confidence from which a word that differs by more than a letter is another word."""

NOISE = 0.7
"""Share of letters that a misread word must still have."""

LONGEST_NOISE = 4
"""Words in a row that OCR may have misread."""

SPECK = 6
"""Letters that dirt on the paper may have been read as."""

MOST_NOISE = 0.15
LENGTHS = 0.9

_NUMBER = re.compile(r"(?<![^\W\d_])[$€£¥%]?\s?\d[\d.,/:-]*\s?%?")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")
_SIGNED = re.compile(r"\bby\s*:|\bsignatures?\s*:|_{6,}|\bin witness whereof\b", re.IGNORECASE)
# Letters that OCR takes for one another, as the one that stands for all of them.
_LOOK_ALIKE = str.maketrans("1|!ij05286", "llllloszbb", "'’`´\"")
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("ii", "u"))
# Words of which one letter changes the contract: an error in one of these is always a difference.
_HEAVY_WORDS = (
    "no not nor non never without except unless may must shall will can cannot and or "
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion first "
    "second third fourth fifth sixth seventh eighth ninth tenth half quarter "
    "january february march april june july august september october november december "
    "daily weekly monthly quarterly annual annually biennial day days week weeks month months year years"
)
_HEAVY = frozenset(_HEAVY_WORDS.split())


_Read = tuple[str, float]
"""A word and OCR's confidence in it."""


class Facts(NamedTuple):
    """What must not differ between two scans of one contract.

    `words` are the words with OCR's confidence in them, `numbers` how often each number stands there, `marks` how
    often each kind of edit mark with its words, `signatures` the states of the places for signatures in their order;
    None when the text has such places and nobody has looked whether they are signed.
    """

    words: tuple[tuple[str, float], ...]
    numbers: tuple[tuple[str, int], ...]
    marks: tuple[tuple[str, int], ...]
    signatures: tuple[str, ...] | None


def signature(text: str) -> tuple[int, ...]:
    """64 numbers of 32 bits; the share of equal ones estimates the share of common shingles (a standard error of 0.06).

    Numbers in the text don't count. A text of fewer words than a shingle has no signature: all values are 0.
    """
    words = [_folded(word) for word in _WORD.findall(_joined(text)) if not any(c.isdigit() for c in word)]
    shingles = {" ".join(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1)}
    if not shingles:
        return (0,) * SIGNATURE_LENGTH
    hashes = np.fromiter((zlib.crc32(shingle.encode()) for shingle in shingles), np.uint64, len(shingles))
    least = [int(((hashes * a + b) >> np.uint64(32)).min()) for a, b in _FACTORS]
    return tuple(least)


def _factors() -> list[tuple[np.uint64, np.uint64]]:
    """Multiply-shift hashing (Dietzfelbinger and others, 1997): odd factors of 64 bits, the upper half is the hash."""
    random = np.random.default_rng(1)
    pairs = random.integers(0, 1 << 63, (SIGNATURE_LENGTH, 2), dtype=np.uint64)
    return [(a * np.uint64(2) + np.uint64(1), b) for a, b in pairs]


with np.errstate(over="ignore"):
    _FACTORS = _factors()


def similarity(a: Sequence[int], b: Sequence[int]) -> float:
    """The share of equal values of two signatures, 0 to 1; 0 when one is of a text without words."""
    if not any(a) or not any(b):
        return 0.0
    return sum(x == y for x, y in zip(a, b, strict=True)) / SIGNATURE_LENGTH


def bands(signature: Sequence[int]) -> tuple[str, ...]:
    """16 keys for a lookup table: documents that share one are worth comparing. None for a text without words."""
    if not any(signature):
        return ()
    parts = (signature[at : at + ROWS] for at in range(0, SIGNATURE_LENGTH, ROWS))
    return tuple(f"{at:02d}-{zlib.crc32(repr(tuple(part)).encode()):08x}" for at, part in enumerate(parts))


def facts(document: Document) -> Facts:
    """The facts of a document."""
    words = tuple(
        (part, word.confidence)
        for page in document.pages
        for word in page.words
        for part in _WORD.findall(page.text[word.start : word.end])
    )
    numbers = Counter(_number(found) for found in _NUMBER.findall(document.text))
    marks = Counter(f"{mark.kind} {_folded(mark.text.partition(' [')[0])}" for mark in document.edit_marks)
    areas = document.signature_areas
    unknown = not areas and bool(_SIGNED.search(document.text))
    states = None if unknown else tuple(f"{area.kind} {area.state}" for area in areas)
    return Facts(words, tuple(sorted(numbers.items())), tuple(sorted(marks.items())), states)


def same(a: Facts, b: Facts) -> bool:
    """Whether these are the facts of one contract, read twice."""
    if a.numbers != b.numbers or a.marks != b.marks:
        return False
    if a.signatures is None or a.signatures != b.signatures or any("uncertain" in s for s in a.signatures):
        return False
    return same_words(a.words, b.words)


def same_words(a: Sequence[tuple[str, float]], b: Sequence[tuple[str, float]]) -> bool:
    """Whether two readings differ only as OCR errs: letters of a word here and there, and specks read as words."""
    if min(len(a), len(b)) < FEWEST_WORDS or min(len(a), len(b)) < LENGTHS * max(len(a), len(b)):
        return False
    noisy = 0
    for was, now in _differences(a, b):
        if not _is_noise(was, now):
            return False
        noisy += max(len(was), len(now))
    return noisy <= MOST_NOISE * max(len(a), len(b))


def _differences(a: Sequence[_Read], b: Sequence[_Read]) -> Iterator[tuple[Sequence[_Read], Sequence[_Read]]]:
    """The stretches between words that are alike."""
    at, to = 0, 0
    for block in Levenshtein.opcodes([_folded(word) for word, _ in a], [_folded(word) for word, _ in b]):
        if block.tag == "equal":
            if (at, to) != (block.src_start, block.dest_start):
                yield a[at : block.src_start], b[to : block.dest_start]
            at, to = block.src_end, block.dest_end
    if at < len(a) or to < len(b):
        yield a[at:], b[to:]


def _is_noise(was: Sequence[_Read], now: Sequence[_Read]) -> bool:
    """Whether OCR may have made one of the other."""
    if "".join(word for word, _ in was).lower() == "".join(word for word, _ in now).lower():
        return True  # only the blanks moved
    if max(len(was), len(now)) > LONGEST_NOISE or _heavy(was) != _heavy(now):
        return False
    before, after = ("".join(_folded(word) for word, _ in side) for side in (was, now))
    is_doubtful = min(confidence for _, confidence in (*was, *now)) < SURE
    if not before or not after:
        return len(before + after) <= (SPECK if is_doubtful else 1)
    if before == after:
        return True
    alike = Levenshtein.normalized_similarity(before, after) >= NOISE
    return is_doubtful and (alike or Levenshtein.distance(before, after) == 1)


def _heavy(words: Sequence[_Read]) -> list[str]:
    """The words among them that no error is allowed in, and those with numbers."""
    return sorted(word.lower() for word, _ in words if word.lower() in _HEAVY or word[0].isdigit())


def _joined(text: str) -> str:
    """The text with words that a line end cuts made whole."""
    return re.sub(r"(?<=[^\W\d_])-\s*\n\s*(?=[^\W\d_])", "", text)


def _folded(word: str) -> str:
    """The word as OCR may read it: small letters, look-alikes as one."""
    folded = word.lower().translate(_LOOK_ALIKE)
    for pair, one in _PAIRS:
        folded = folded.replace(pair, one)
    return folded


def _number(found: str) -> str:
    """A number with its sign of currency or per cent; blanks and the kind of its separators don't count."""
    return re.sub(r"[.,]", ".", re.sub(r"\s", "", found)).rstrip(".:/-")
