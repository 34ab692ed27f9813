"""Badly read words, read again with the words in mind that contracts are made of.

A word the recogniser was unsure of is held against similar words of contracts. One of them takes its place only
when the recogniser's own answer for the same strip of ink is nearly as likely for it (CTC, Graves 2006): how common
a word is decides between readings, it brings in none that the ink does not show. Numbers, and whatever was read
with confidence, stay as they were read.
"""

import gzip
import math
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

FILE = Path(__file__).parent / "weights" / "words.txt.gz"
"""Words and how often they occur, most frequent first; made by `benchmarks/train_lexicon.py`."""

WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")
SHORTEST = 2  # letters
UNSURE = 0.9  # least probability of a letter below which a word is looked at
CANDIDATES = 12
UNKNOWN = math.log(1e-7)  # how common a word is that no contract had: names, mostly
WEIGHT = 1.0  # of how common a word is, against what the recogniser saw
LEAST = -8.0  # log likelihood that a word may lose against the first reading; beyond, the ink says no


@cache
def _words() -> dict[str, float]:
    """Each word with the logarithm of its share of all words."""
    lines = gzip.decompress(FILE.read_bytes()).decode("ascii").split("\n")
    counts = {word: int(count) for word, _, count in (line.partition(" ") for line in lines if line)}
    total = sum(counts.values())
    return {word: math.log(count / total) for word, count in counts.items()}


class Seen(NamedTuple):
    """A strip of ink: n x classes, the recogniser's probabilities along it, and the class of each character.

    The blank of CTC is the character "".
    """

    frames: np.ndarray
    columns: dict[str, int]

    def likelihood(self, text: str) -> float:
        """Log probability of a text over all its alignments to the frames."""
        logs = np.log(np.maximum(self.frames, 1e-9))
        return log_likelihood(logs, [self.columns[c] for c in text], self.columns[""])


def better_word(text: str, seen: Seen) -> str | None:
    """What stands there if not `text`, a word without blanks; None to leave it. It may be two words."""
    parts = _parts(text)
    if parts is None or parts.word.lower() in _words():
        return None
    return _best(text, [*_similar(parts), *_split(parts)], seen, _commonness(text))


def joined(first: str, second: str, seen: Seen) -> str | None:
    """The one word that stands where two were read, `C onsultant`; None to leave them."""
    parts = _parts(first + second)
    if parts is None or not (first[-1].isalpha() and second[0].isalpha()):
        return None
    if all(part.strip(".,;:()'\"").lower() in _words() for part in (first, second)):
        return None
    return _best(f"{first} {second}", _similar(parts), seen, _commonness(first) + _commonness(second))


class _Parts(NamedTuple):
    """A word between what stands before and behind it, such as brackets."""

    head: str
    word: str
    tail: str


def _parts(text: str) -> _Parts | None:
    core = WORD.search(text)
    if core is None or len(core.group()) < SHORTEST or not text.isascii():
        return None
    parts = _Parts(text[: core.start()], core.group(), text[core.end() :])
    return None if any(c.isalnum() for c in parts.head + parts.tail) else parts


def _commonness(text: str) -> float:
    parts = _parts(text)
    return _words().get(parts.word.lower(), UNKNOWN) if parts else UNKNOWN


def _best(text: str, candidates: list[tuple[str, float]], seen: Seen, commonness: float) -> str | None:
    """The candidate that ink and commonness together speak for, against the text that was read."""
    if not candidates:
        return None
    as_read = seen.likelihood(text)
    best, best_worth = None, WEIGHT * commonness
    for candidate, common in candidates:
        gain = seen.likelihood(candidate) - as_read
        if gain > LEAST and gain + WEIGHT * common > best_worth:
            best, best_worth = candidate, gain + WEIGHT * common
    return best


def _similar(parts: _Parts) -> list[tuple[str, float]]:
    """Words that differ in few letters, with the same marks around them, and how common they are."""
    letters = len(parts.word)
    most = 1 if letters <= 4 else 2 if letters <= 8 else 3
    found = process.extract(
        parts.word.lower(), _words().keys(), scorer=Levenshtein.distance, score_cutoff=most, limit=CANDIDATES
    )
    return [(parts.head + _cased(word, parts.word) + parts.tail, _words()[word]) for word, _, _ in found]


def _split(parts: _Parts) -> list[tuple[str, float]]:
    """The two words that a word may consist of."""
    word, known = parts.word, _words()
    cuts = [at for at in range(2, len(word) - 1) if word[:at].lower() in known and word[at:].lower() in known]
    return [
        (f"{parts.head}{word[:at]} {word[at:]}{parts.tail}", known[word[:at].lower()] + known[word[at:].lower()])
        for at in cuts
    ]


def _cased(word: str, like: str) -> str:
    if sum(c.isupper() for c in like) > len(like) / 2:
        return word.upper()
    return word.capitalize() if like[0].isupper() else word


def log_likelihood(logs: np.ndarray, spelled: list[int], blank: int) -> float:
    """Log probability of a spelling over all its alignments to the frames (CTC's forward recursion)."""
    states = np.full(2 * len(spelled) + 1, blank)
    states[1::2] = spelled
    skips = np.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    forward = np.full(len(states), -np.inf)
    forward[0] = 0.0
    first = True
    for frame in logs:
        emitted = frame[states]
        if first:
            forward[:2] = emitted[:2]
            first = False
            continue
        reached = np.logaddexp(forward, np.concatenate([[-np.inf], forward[:-1]]))
        jumped = np.concatenate([[-np.inf, -np.inf], forward[:-2]])
        forward = np.where(skips, np.logaddexp(reached, jumped), reached) + emitted
    return float(np.logaddexp(forward[-1], forward[-2])) if len(states) > 1 else float(forward[-1])
