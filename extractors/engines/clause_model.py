"""The trained part of the embedded engine: which sentences of a contract belong to which of CUAD's clauses.

A sentence becomes a vector of its words and word pairs (TF-IDF); one logistic regression a category scores
it together with the sentences around it and the heading above it, and a second, small one weighs that score
by those of its neighbourhood. How the weights came about stands in `weights/MODEL_CARD.md`;
`benchmarks/train_embedded.py` makes them.
"""

import hashlib
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).parent / "weights" / "clauses.npz"

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
NEIGHBOURS = 3
"""The second stage looks at this many sentences before and after."""

PLACE_FEATURES = 16


@dataclass(frozen=True)
class Passage:
    """A run of sentences with a category: `text[start:end]`, and a probability from 0 to 1."""

    category: str
    start: int
    end: int
    confidence: float


class ClauseModel:
    """Scores sentences for the 41 categories. Made by `ClauseModel.load()`; never changes afterwards."""

    def __init__(self, arrays: dict[str, np.ndarray], fingerprint: str = "") -> None:
        self.categories: tuple[str, ...] = tuple(str(c) for c in arrays["categories"])
        self.thresholds: dict[str, float] = dict(
            zip(self.categories, arrays["thresholds"].astype(float).tolist(), strict=True)
        )
        self.fingerprint = fingerprint
        self._vocabulary = Vocabulary(arrays)
        self._words = unpacked(arrays, len(_SENTENCE_CONTEXT) * len(self.categories))
        self._place = arrays["place"].astype(np.float32)
        self._bias = arrays["bias"].astype(np.float32)
        self._stage = arrays["stage"].astype(np.float32)
        self._mix = float(arrays["mix"])
        self._short = arrays["short"].astype(np.float32)

    @classmethod
    def load(cls, path: Path | None = None) -> "ClauseModel":
        """The model in a weights file, by default the one that is shipped; read once per process."""
        return _load(cls, Path(path or WEIGHTS))

    def scores(self, text: str, spans: Sequence[tuple[int, int]]) -> np.ndarray:
        """Probabilities, shape (sentences, categories), for the sentences `spans` of one contract `text`.

        The spans are half-open, in order, and cover the contract: neighbours and place in the text count.
        """
        if not spans:
            return np.zeros((0, len(self.categories)), np.float32)
        return sigmoid(mixed(self.first_stage(text, spans), self._stage, self._mix))

    def passages(
        self, text: str, spans: Sequence[tuple[int, int]], scores: np.ndarray | None = None
    ) -> dict[str, list[Passage]]:
        """Every candidate of every category, best first; confidences are those `thresholds` are for.

        Names and dates are quoted alone, the other clauses as runs of sentences (see `select`). `scores`
        are those of `scores()`, when they are at hand.
        """
        known = self.scores(text, spans) if scores is None else scores
        found = select(known, spans, self.categories)
        return found | merged(found, self.short_passages(text))

    def short_passages(self, text: str) -> dict[str, list[Passage]]:
        """Document names, party names and dates: each spelling once, where it scores best, best first."""
        return {
            category: _ranked(text, category, short_candidates(text, kind), self._short[:, i])
            for i, (category, kind) in enumerate(SHORT.items())
        }

    def first_stage(self, text: str, spans: Sequence[tuple[int, int]]) -> np.ndarray:
        """Logits of the first stage alone, shape (sentences, categories); the second is trained on them."""
        quoted = [text[start:end] for start, end in spans]
        by_words = (self._vocabulary.matrix(quoted) @ self._words).toarray()
        parts = np.split(by_words, len(_SENTENCE_CONTEXT), axis=1)
        place = place_features(quoted, spans, len(text)) @ self._place
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


def mixed(first: np.ndarray, stage: np.ndarray, mix: float) -> np.ndarray:
    """Logits of both stages together. `stage` has shape (own_count() + 1, categories), the bias last."""
    second = np.einsum("nfc,fc->nc", own_features(first), stage[:-1]) + stage[-1]
    return (1 - mix) * first + mix * second


def own_count() -> int:
    """How many features of a category's own scores the second stage has."""
    return 2 * NEIGHBOURS + 4


def own_features(first: np.ndarray) -> np.ndarray:
    """A category's own scores around each sentence, shape (sentences, own_count(), categories).

    The score, those of its neighbours, the two highest of the contract, and how far this one is below.
    """
    padded = np.pad(first, ((NEIGHBOURS, NEIGHBOURS), (0, 0)), constant_values=-6.0)
    around = [padded[i : i + len(first)] for i in range(2 * NEIGHBOURS + 1)]
    highest = np.broadcast_to(first.max(axis=0), first.shape)
    total = np.log(sigmoid(first).sum(axis=0) + 1e-3)
    return np.stack([*around, highest, first - highest, np.broadcast_to(total, first.shape)], axis=1)


def select(
    scores: np.ndarray,
    spans: Sequence[tuple[int, int]],
    categories: Sequence[str],
    floor: float = 0.005,
    share: float = 0.5,
) -> dict[str, list[Passage]]:
    """For each category its passages, best first: runs of sentences scored at least `share` of their best.

    A run grows from its best sentence to both sides; its confidence is that best score, and none is below
    `floor`. A sentence is in one run of a category at most.
    """
    return {
        category: [
            Passage(category, spans[first][0], spans[last][1], confidence)
            for first, last, confidence in _runs(scores[:, i], floor, share)
        ]
        for i, category in enumerate(categories)
    }


def _runs(column: np.ndarray, floor: float, share: float) -> list[tuple[int, int, float]]:
    taken = column < floor
    found = []
    for best in np.argsort(-column, kind="stable"):
        if taken[best]:
            if column[best] < floor:
                break
            continue
        least = max(floor, share * column[best])
        first = last = int(best)
        while first > 0 and not taken[first - 1] and column[first - 1] >= least:
            first -= 1
        while last + 1 < len(column) and not taken[last + 1] and column[last + 1] >= least:
            last += 1
        taken[first : last + 1] = True
        found.append((first, last, float(column[best])))
    return found


SHORT = {"document_name": "title", "parties": "name", "agreement_date": "date", "effective_date": "date"}
"""Categories whose gold is a name or a date, and the pattern that proposes candidates for them."""

SHORT_FEATURES = 1 << 15

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_BLANK = r"(?:_{1,40}+|\[[^\]\n]{0,5}\]|[•●]|\*{2,5})"
_DAY = rf"(?:\d{{1,2}}(?:\s?(?:s\s?t|n\s?d|r\s?d|t\s?h)\b)?|{_BLANK})"
_YEAR = rf"(?:(?:19|20)\d\d|(?:19|20)\d?_{{1,4}}|{_BLANK})"
_GAP = r"\s{0,5}"
_DATE = re.compile(
    rf"""(?<![\w])(?:
      {_MONTH}{_GAP}{_DAY}{_GAP},?{_GAP}{_YEAR}
    | {_DAY}{_GAP}(?:day\s{{1,5}})?(?:of\s{{1,5}})?(?:{_MONTH}|{_BLANK}){_GAP},?{_GAP}{_YEAR}
    | \d{{1,2}}[/.-]\d{{1,2}}[/.-](?:\d{{4}}|\d\d)\b
    | (?:19|20)\d\d-\d\d-\d\d\b
    | {_MONTH}{_GAP},?{_GAP}(?:19|20)\d\d)""",
    re.IGNORECASE | re.VERBOSE,
)
_YEAR_LIKE = re.compile(r"(?:19|20)\d|[_•●\]*]|\d[/.-]\d")
_FORM = (
    r"(?:Inc(?:orporated)?|INC(?:ORPORATED)?|Corp(?:oration)?|CORP(?:ORATION)?|LLC|L\.L\.C|Ltd|LTD|Limited|LIMITED"
    r"|L\.P|LP|LLP|PLC|plc|Plc|GmbH|GMBH|AG|S\.A|SA|N\.V|B\.V|BV|NV|Co|CO|Company|COMPANY|Bank|BANK|N\.A|Trust"
    r"|TRUST|Fund|FUND|University|UNIVERSITY|S\.p\.A|Partners|Holdings|Association)\b\.?"
)
_NAME_WORD = r"[A-Z0-9][\w&.'’/+-]{0,30}"
_COMPANY = re.compile(
    rf"""(?<![\w.'’&/-])(?:
      (?:{_NAME_WORD},?\s{{1,2}}(?:(?:of|and|the|&|de|for)\s)?){{1,7}}{_FORM}(?:,?\s{_FORM}){{0,2}}
    | {_NAME_WORD}(?:\s(?:&\s)?{_NAME_WORD}){{0,6}}
      (?=,?\s{{0,4}}\((?:the\s|["“]|herein|together|collect|as\s|or\s)
        |,\s(?:an?|having|with|located|whose|acting|the\s)\b))""",
    re.VERBOSE,
)
_QUOTED = re.compile(r"[\"“]\s?([^\"“”\n]{1,60}?)[,.]?\s?[\"”]")
_KIND = (
    r"(?:AGREEMENT|Agreement|CONTRACT|Contract|AMENDMENT|Amendment|ADDENDUM|Addendum|LEASE|Lease|PLAN|Plan|LETTER"
    r"|Letter|STATEMENT|TERMS|Terms|POWER\sOF\sATTORNEY|Power\sof\sAttorney|ORDER\sFORM|Order\sForm)\b"
)
_TITLE_WORD = r"(?:[A-Z][\w&/'’-]{0,25},?|and|of|for|to|the|in|on|by|with|&|-|e-business|\#?\d{1,2})"
_TITLE = re.compile(
    rf"""(?<![\w'’/&-])(?:{_TITLE_WORD}(?:[ ]{{1,2}}|[ ]?\n)){{0,12}}{_KIND}
    (?:\s(?:(?:NO|No|Number|NUMBER)\.?\s?|\#\s?)\d{{1,3}})?
    (?:\s(?:AND|TO|to|and|FOR|for|OF|of)\s(?:{_TITLE_WORD}\s){{0,8}}{_KIND})?""",
    re.VERBOSE,
)
_LEAD = re.compile(r"(?:(?:this|the|these|an?|and|of|in|to|whereas|exhibit|[\d.-]+)\s+)+", re.IGNORECASE)
_HEAD = {"title": 6_000, "name": 8_000}
"""Names and titles are looked for in this many first characters."""


@dataclass(frozen=True)
class Candidate:
    """A possible name or date, `text[start:end]`, and the numbers of its features below SHORT_FEATURES."""

    start: int
    end: int
    features: np.ndarray


def short_candidates(text: str, kind: str) -> list[Candidate]:
    """Candidates of a kind (`title`, `name` or `date`) in the order of the text."""
    spans = sorted(set(_PROPOSERS[kind](text)))
    spellings = [" ".join(text[start:end].split()) for start, end in spans]
    often = Counter(spellings)
    return [
        Candidate(start, end, _numbers(kind, _features(text, start, end, order, often[spelling])))
        for order, ((start, end), spelling) in enumerate(zip(spans, spellings, strict=True))
        if spelling
    ]


def _titles(text: str) -> Iterator[tuple[int, int]]:
    for match in _TITLE.finditer(text, 0, _HEAD["title"]):
        lead = _LEAD.match(text, *match.span())
        yield (lead.end() if lead else match.start()), match.end()


def _names(text: str) -> Iterator[tuple[int, int]]:
    for match in _COMPANY.finditer(text, 0, _HEAD["name"]):
        yield match.span()
    for match in _QUOTED.finditer(text, 0, _HEAD["name"]):
        yield match.span(1)


def _dates(text: str) -> Iterator[tuple[int, int]]:
    for start, end in _around_years(text):
        for match in _DATE.finditer(text, start, end):
            yield match.span()


def _around_years(text: str) -> Iterator[tuple[int, int]]:
    """Parts of the text that may hold a date; to look at those alone takes a fraction of the time."""
    start = end = 0
    for match in _YEAR_LIKE.finditer(text):
        if match.start() - 80 > end:
            yield start, end
            start = match.start() - 80
        end = match.end() + 50
    yield start, end


_PROPOSERS: dict[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "title": _titles,
    "name": _names,
    "date": _dates,
}


def _features(text: str, start: int, end: int, order: int, often: int) -> list[str]:
    inside = tokens(text[start:end])[:10]
    left, right = tokens(text[max(0, start - 80) : start])[-8:], tokens(text[end : end + 80])[:8]
    place = [
        f"at{int(np.log2(start + 50))}",
        f"order{min(order, 12)}",
        f"often{min(often, 6)}",
        f"capitals{text[start:end].isupper()}",
        f"share{10 * start // len(text)}",
    ]
    words = [f"in {word}" for word in inside] + [f"l {word}" for word in left] + [f"r {word}" for word in right]
    near = [f"l{i} {word}" for i, word in enumerate(left[:-4:-1])] + [f"r{i} {w}" for i, w in enumerate(right[:3])]
    ends = [
        f"size{len(inside)}",
        f"first {inside[:1]}",
        f"last {inside[-1:]}",
        f"ll {left[-2:]}",
        f"rr {right[:2]}",
    ]
    marks = ["pl" + text[max(0, start - 3) : start].strip(), "pr" + text[end : end + 3].strip()]
    return place + words + near + ends + marks


def _numbers(kind: str, features: list[str]) -> np.ndarray:
    return np.unique([zlib.crc32(f"{kind} {feature}".encode()) % SHORT_FEATURES for feature in ["", *features]])


def _ranked(text: str, category: str, candidates: list[Candidate], weights: np.ndarray) -> list[Passage]:
    best: dict[str, Passage] = {}
    for candidate in candidates:
        logit = weights[candidate.features].sum() / np.sqrt(len(candidate.features))
        passage = Passage(category, candidate.start, candidate.end, float(sigmoid(logit)))
        spelling = " ".join(text[candidate.start : candidate.end].split())
        if spelling not in best or best[spelling].confidence < passage.confidence:
            best[spelling] = passage
    return sorted(best.values(), key=lambda p: -p.confidence)


UNDATED = 0.5
"""What a sentence on the effective date counts for when it names no date ("the date first above written")."""


PREAMBLE = 0.5
"""What the sentence that introduces the parties counts for beside the names in it."""


def merged(long: dict[str, list[Passage]], short: dict[str, list[Passage]]) -> dict[str, list[Passage]]:
    """The short passages; with them the sentences on the parties, and those on the effective date without a date."""
    dates = [p for p in short["effective_date"] if p.confidence >= 0.02]
    undated = [
        Passage(p.category, p.start, p.end, p.confidence * UNDATED)
        for p in long["effective_date"]
        if not any(p.start <= date.start and date.end <= p.end for date in dates)
    ]
    effective = sorted([*short["effective_date"], *undated], key=lambda p: -p.confidence)
    preambles = [Passage(p.category, p.start, p.end, p.confidence * PREAMBLE) for p in long["parties"]]
    parties = sorted([*short["parties"], *preambles], key=lambda p: -p.confidence)
    return short | {"effective_date": effective, "parties": parties}


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Logits as probabilities, without overflow."""
    return 1 / (1 + np.exp(-np.clip(logits, -30, 30)))


def packed(weights: np.ndarray) -> dict[str, np.ndarray]:
    """Weights as they are shipped: rows without their zeros, int8 with one scale a column (at most 256)."""
    from scipy.sparse import csr_matrix

    scale = np.maximum(np.abs(weights).max(axis=0), 1e-9) / 127
    rows = csr_matrix(np.round(weights / scale).astype(np.int8))
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


@lru_cache(maxsize=4)
def _load(cls: type[ClauseModel], path: Path) -> ClauseModel:
    content = path.read_bytes()
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return cls(arrays, hashlib.sha256(content).hexdigest()[:12])
