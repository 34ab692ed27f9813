"""Words of a sentence as numbers, and the linear model over them: the first stage of the clause model.

A sentence becomes a vector of its words and word pairs (TF-IDF); one logistic regression a category scores it
together with the sentences around it and the heading above it.
"""

import re
from collections.abc import Sequence

import numpy as np

FOLD = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´`", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\u3000", " "),
        "\u037e": ";",
        "\uff1b": ";",
    }
)
"""Look-alike characters of PDF text layers, one for one, so that offsets stay."""

_TOKEN = re.compile(r"[a-z]+|[0-9]+|[$%€£¥]")
_SENTENCE_CONTEXT = ("self", "before", "after", "heading")
PLACE_FEATURES = 16


class Linear:
    """Scores each sentence of a contract for each category. Its arrays are those of `weights/clauses.npz`."""

    def __init__(self, arrays: dict[str, np.ndarray], categories: int) -> None:
        self._vocabulary = Vocabulary(arrays)
        self._words = unpacked(arrays, len(_SENTENCE_CONTEXT) * categories)
        self._place = arrays["place"].astype(np.float32)
        self._bias = arrays["bias"].astype(np.float32)

    def logits(self, quoted: Sequence[str], spans: Sequence[tuple[int, int]], length: int) -> np.ndarray:
        """Log odds, shape (sentences, categories), of the sentences `quoted` that stand at `spans`."""
        by_words = (self._vocabulary.matrix(quoted) @ self._words).toarray()
        parts = np.split(by_words, len(_SENTENCE_CONTEXT), axis=1)
        place = place_features(quoted, spans, length) @ self._place
        return parts[0] + shifted(parts[1:], headings(quoted)) + place + self._bias


class Vocabulary:
    """Words and word pairs with their inverse document frequencies, and text as vectors over them."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        words = arrays["vocabulary"].tobytes().decode("utf-8").split("\n")
        self._ids = {word: i for i, word in enumerate(words)}
        self._pairs = arrays["pairs"].astype(np.int64)
        self._idf = arrays["idf"].astype(np.float32)
        self.words = len(words)
        self._size = self.words + len(self._pairs)

    def matrix(self, quoted: Sequence[str]):
        """Rows of unit length, one a sentence: (1 + log count) x idf. A scipy CSR matrix of float32."""
        from scipy.sparse import csr_matrix

        rows, columns = self._occurrences(quoted)
        counts = csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(quoted), self._size))
        counts.sum_duplicates()
        counts.data = (1 + np.log(counts.data)) * self._idf[counts.indices]
        return _unit_rows(counts)

    def _occurrences(self, quoted: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        found = [tokens(sentence) for sentence in quoted]
        rows = np.repeat(np.arange(len(quoted)), [len(f) for f in found])
        words = np.array([self._ids.get(word, -1) for f in found for word in f], np.int64)
        pair_rows, pairs = self._pairs_of(rows, words)
        known = words >= 0
        return np.concatenate([rows[known], pair_rows]), np.concatenate([words[known], pairs])

    def _pairs_of(self, rows: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if len(words) < 2 or not len(self._pairs):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        within = (rows[1:] == rows[:-1]) & (words[1:] >= 0) & (words[:-1] >= 0)
        keys = pair_key(words[:-1][within], words[1:][within])
        at = np.minimum(np.searchsorted(self._pairs, keys), len(self._pairs) - 1)
        known = self._pairs[at] == keys
        return rows[1:][within][known], at[known] + self.words


def pair_key(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """One int64 for a pair of word numbers; pairs are kept sorted by it."""
    return first * (1 << 20) + second


def tokens(sentence: str) -> list[str]:
    """Lower-case words, currency and percent signs; a number counts by its number of digits alone."""
    found = _TOKEN.findall(sentence.translate(FOLD).lower())
    return ["0000"[: len(word)] if word[0] in "0123456789" else word for word in found]


_HEADING = re.compile(r"(?:(?:article|section)\s)?(?:\d{1,3}(?:\.\d{1,3})*\.?|[ivx]{1,5}\.|\(?[a-z]\))?\s*", re.I)


def headings(quoted: Sequence[str]) -> np.ndarray:
    """For each sentence the index of the last heading before it, -1 before the first one."""
    at, found = -1, np.full(len(quoted), -1)
    for i, sentence in enumerate(quoted):
        found[i] = at
        if is_heading(sentence):
            at = i
    return found


def is_heading(sentence: str) -> bool:
    """Whether a sentence looks like a section's heading: short, and all of its longer words capitalised."""
    if not 3 <= len(sentence) <= 90 or sentence[-1] in ";,?":
        return False
    words = [w for w in sentence[_HEADING.match(sentence).end() :].split() if w[0].isalpha()]
    return 0 < len(words) <= 9 and all(w[0].isupper() or len(w) <= 3 for w in words)


def shifted(parts: Sequence[np.ndarray], heading: np.ndarray) -> np.ndarray:
    """What the sentence before, the one after and the heading add to each sentence's score."""
    before, after, above = parts
    total = np.zeros_like(before)
    total[1:] += before[:-1]
    total[:-1] += after[1:]
    known = heading >= 0
    total[known] += above[heading[known]]
    return total


def place_features(quoted: Sequence[str], spans: Sequence[tuple[int, int]], length: int) -> np.ndarray:
    """Place in the text, length and looks of each sentence, shape (sentences, PLACE_FEATURES)."""
    starts = np.array([start for start, _ in spans], np.float32)
    share = starts / max(length, 1)
    sizes = np.array([len(sentence) for sentence in quoted], np.float32)
    columns = [np.exp(-(((share - middle) / 0.15) ** 2)) for middle in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    columns += [np.exp(-starts / reach) for reach in (300.0, 1000.0, 4000.0)]
    columns += [np.exp(-sizes / reach) for reach in (30.0, 120.0, 400.0)]
    columns += [_share(quoted, sizes, "A", "Z"), _share(quoted, sizes, "0", "9")]
    columns += [np.array([f(s) for s in quoted], np.float32) for f in (is_heading, _is_capitals)]
    return np.stack(columns, axis=1).astype(np.float32)


def _share(quoted: Sequence[str], sizes: np.ndarray, low: str, high: str) -> np.ndarray:
    """Share of each sentence's characters from `low` to `high`."""
    codes = np.frombuffer("".join(quoted).encode("latin-1", "replace"), np.uint8)
    counts = np.append(0, np.cumsum((codes >= ord(low)) & (codes <= ord(high))))
    ends = np.cumsum(sizes, dtype=np.int64)
    return (counts[ends] - counts[ends - sizes.astype(np.int64)]) / np.maximum(sizes, 1)


def _is_capitals(sentence: str) -> bool:
    return sentence.isupper()


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Logits as probabilities, without overflow."""
    return 1 / (1 + np.exp(-np.clip(logits, -30, 30)))


def packed(weights: np.ndarray) -> dict[str, np.ndarray]:
    """Weights as they are shipped: rows without their zeros, int16 with one scale a column (at most 256)."""
    from scipy.sparse import csr_matrix

    scale = np.maximum(np.abs(weights).max(axis=0), 1e-9) / 32767
    rows = csr_matrix(np.round(weights / scale).astype(np.int16))
    return {
        "words": rows.data,
        "words_columns": rows.indices.astype(np.uint8),
        "words_starts": rows.indptr.astype(np.int32),
        "words_scale": scale.astype(np.float32),
    }


def unpacked(arrays: dict[str, np.ndarray], columns: int):
    """The weights of `packed` as a scipy CSR matrix of float32."""
    from scipy.sparse import csr_matrix

    numbers, starts = arrays["words_columns"].astype(np.int32), arrays["words_starts"]
    values = arrays["words"].astype(np.float32) * arrays["words_scale"][numbers]
    return csr_matrix((values, numbers, starts), (len(starts) - 1, columns))


def _unit_rows(matrix):
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    matrix.data /= np.repeat(np.maximum(norms, 1e-9), np.diff(matrix.indptr)).astype(np.float32)
    return matrix
