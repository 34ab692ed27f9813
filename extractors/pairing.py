"""Pairs the clauses of two versions of a contract. The first half of `redline`.

One to one: those that say the same first, then those most alike, then what stands in the same place. A clause that
was split in two is joined again, so that the split shows and not half a clause deleted. Only words count: white
space, hyphens inside words and the clause's own number do not.

Source: Heckel, A technique for isolating differences between files (1978), for pairing what is unique first.
"""

import math
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import Indel
from scipy import sparse

from extractors.provisions import Provision

ALIKE = 0.6
"""Share of words that two clauses must have in common, in order, to be one clause wherever they stand."""

ALIKE_IN_PLACE = 0.45
"""The same for two that stand between the same neighbours."""

ALIKE_BY_HEADING = 0.35
"""The same for two in one place under one heading."""

IN_PLACE = 0.1
"""What standing between the same neighbours adds when several are alike."""

CANDIDATES = 8
"""Clauses of the other version that are looked at closely, by the words they share."""

LARGEST_GAP = 24
"""Clauses between two neighbours up to which each is compared with each."""

GAIN = 0.02
"""How much more alike a clause must become when its neighbour is joined to it."""

SHIFTED = 0.5
"""Share of the differing words of two neighbours that may be left when both are compared as one."""

FEWEST_WORDS = 6
"""Shorter clauses that a document has several times (`By:`) are paired in their place only."""

_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+(?:[-'.,][^\W_]+)*|_+|[^\w\s]")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")
_FIRST = 0x10000
"""Words are compared as characters from here on, which is what rapidfuzz is fast at."""


class Clause(NamedTuple):
    """A provision with its words: `tokens` as offsets into its text, `code` one character for each of them."""

    provision: Provision
    tokens: tuple[tuple[int, int], ...]
    code: str


Pairs = dict[int, int]
"""Number of a clause of the old version to that of the new one."""


def paired(old: Sequence[Provision], new: Sequence[Provision]) -> tuple[Pairs, list[Clause], list[Clause]]:
    """Which clause became which, and the clauses of both versions as they were joined for it."""
    vocabulary: dict[str, str] = {}
    before = [_clause(one, vocabulary) for one in old]
    after = [_clause(one, vocabulary) for one in new]
    pairs, before, after = _titled(_paired(before, after), before, after, vocabulary)
    pairs, before, after = _joined(pairs, before, after, vocabulary)
    return _undivided(pairs, before, after, vocabulary)


def _clause(provision: Provision, vocabulary: dict[str, str]) -> Clause:
    spans, code = [], []
    for match in _TOKEN.finditer(provision.text):
        word = _HYPHEN.sub("", match[0])
        word = "_" if word[0] == "_" else word
        code.append(vocabulary.setdefault(word, chr(_FIRST + len(vocabulary))))
        spans.append(match.span())
    return Clause(provision, tuple(spans), "".join(code))


def _both(a: Clause, b: Clause, vocabulary: dict[str, str]) -> Clause:
    """Two clauses that follow each other as one, with the number of the first."""
    mark = f"{b.provision.mark} " if b.provision.mark else ""
    joined = a.provision._replace(
        text=f"{a.provision.text} {mark}{b.provision.text}", end=b.provision.end, is_title=b.provision.is_title
    )
    return _clause(joined, vocabulary)


def _paired(before: Sequence[Clause], after: Sequence[Clause]) -> Pairs:
    """Which clause became which."""
    pairs = _same(before, after)
    for needed in (ALIKE, ALIKE_IN_PLACE):
        gaps = _Gaps(pairs, len(before), len(after))
        everywhere = _candidates(before, after, pairs) if needed == ALIKE else ()
        scored = _scored({*everywhere, *gaps.candidates(pairs)}, before, after, gaps, needed)
        taken = set(pairs.values())
        for _, i, j in sorted(scored):
            if i not in pairs and j not in taken:
                pairs[i] = j
                taken.add(j)
    return pairs


def _same(before: Sequence[Clause], after: Sequence[Clause]) -> Pairs:
    """Pairs that say the same: the unique ones, then repeated ones in the same place, then long ones anywhere."""
    old, new = _by_code(before), _by_code(after)
    pairs = {at[0]: new[code][0] for code, at in old.items() if len(at) == 1 and len(new.get(code, ())) == 1}
    pairs |= _neighbours(pairs, before, after)
    gaps, taken = _Gaps(pairs, len(before), len(after)), set(pairs.values())
    for code, olds in old.items():
        for i in olds:
            left = next((j for j in new.get(code, ()) if i not in pairs and j not in taken and gaps.same(i, j)), None)
            if left is not None:
                pairs[i] = left
                taken.add(left)
    for code, olds in old.items():
        if len(code) >= FEWEST_WORDS:
            left = [j for j in new.get(code, ()) if j not in taken]
            pairs |= dict(zip([i for i in olds if i not in pairs], left, strict=False))
    return pairs


def _by_code(clauses: Sequence[Clause]) -> Mapping[str, list[int]]:
    found = defaultdict(list)
    for at, clause in enumerate(clauses):
        found[clause.code].append(at)
    return found


def _neighbours(pairs: Pairs, before: Sequence[Clause], after: Sequence[Clause]) -> Pairs:
    """Clauses that say the same beside a pair, and beside these, up and down."""
    found: Pairs = {}
    taken = set(pairs.values())
    for start, step in [(pair, step) for pair in pairs.items() for step in (1, -1)]:
        i, j = start[0] + step, start[1] + step
        while 0 <= i < len(before) and 0 <= j < len(after) and before[i].code == after[j].code:
            if i in pairs or i in found or j in taken:
                break
            found[i] = j
            taken.add(j)
            i, j = i + step, j + step
    return found


class _Gaps:
    """The places between clauses whose pairs keep their order: both versions have the same ones."""

    def __init__(self, pairs: Pairs, old: int, new: int):
        kept = in_order(pairs)
        self._old, self._new = sorted(kept), sorted(pairs[i] for i in kept)
        self._sizes = (old, new)

    def same(self, i: int, j: int) -> bool:
        """Whether a clause of the old version and one of the new stand in the same place."""
        return bisect_left(self._old, i) == bisect_left(self._new, j)

    def candidates(self, pairs: Pairs) -> Iterator[tuple[int, int]]:
        """The clauses without a partner that stand in the same place, each with each where they are few."""
        taken = set(pairs.values())
        edges = zip([-1, *self._old], [*self._old, self._sizes[0]], strict=True)
        others = zip([-1, *self._new], [*self._new, self._sizes[1]], strict=True)
        for (first, last), (start, end) in zip(edges, others, strict=True):
            olds = [i for i in range(first + 1, last) if i not in pairs]
            news = [j for j in range(start + 1, end) if j not in taken]
            if max(len(olds), len(news)) <= LARGEST_GAP:
                yield from ((i, j) for i in olds for j in news)


def in_order(pairs: Pairs) -> set[int]:
    """Old numbers of the longest run of pairs that stand in the same order in both versions."""
    ends: list[int] = []
    last: list[int] = []
    before: dict[int, int | None] = {}
    for i in sorted(pairs):
        at = bisect_left(ends, pairs[i])
        before[i] = last[at - 1] if at else None
        ends[at:] = [pairs[i], *ends[at + 1 :]]
        last[at:] = [i, *last[at + 1 :]]
    kept, at_end = set(), last[-1] if last else None
    while at_end is not None:
        kept.add(at_end)
        at_end = before[at_end]
    return kept


def _candidates(before: Sequence[Clause], after: Sequence[Clause], pairs: Pairs) -> Iterator[tuple[int, int]]:
    """For each clause without a partner those of the other version that share most of its rare words."""
    taken = set(pairs.values())
    olds = [i for i in range(len(before)) if i not in pairs and before[i].code]
    news = [j for j in range(len(after)) if j not in taken and after[j].code]
    if not olds or not news:
        return
    spread = Counter(letter for clause in (*before, *after) for letter in set(clause.code))
    total = len(before) + len(after)
    weight = {letter: math.log(total / count) for letter, count in spread.items() if count <= max(4, total / 4)}
    shared = (_rows([before[i] for i in olds], weight) @ _rows([after[j] for j in news], weight).T).tocsr()
    for row, i in enumerate(olds):
        columns = shared.indices[shared.indptr[row] : shared.indptr[row + 1]]
        scores = shared.data[shared.indptr[row] : shared.indptr[row + 1]]
        for best in np.argsort(-scores, kind="stable")[:CANDIDATES]:
            yield i, news[columns[best]]


def _rows(clauses: Sequence[Clause], weight: Mapping[str, float]) -> sparse.csr_matrix:
    """One row of unit length for each clause: the weights of its words."""
    columns = {letter: at for at, letter in enumerate(weight)}
    data, rows, places = [], [], []
    for row, clause in enumerate(clauses):
        letters = [letter for letter in set(clause.code) if letter in weight]
        length = math.sqrt(sum(weight[letter] ** 2 for letter in letters)) or 1.0
        data += [weight[letter] / length for letter in letters]
        rows += [row] * len(letters)
        places += [columns[letter] for letter in letters]
    return sparse.csr_matrix((data, (rows, places)), shape=(len(clauses), len(columns)))


def _scored(
    candidates: Iterable[tuple[int, int]],
    before: Sequence[Clause],
    after: Sequence[Clause],
    gaps: _Gaps,
    needed: float,
) -> Iterator[tuple[float, int, int]]:
    """The candidates alike enough, each behind its score, which is negative so that the best sort first."""
    for i, j in candidates:
        a, b, in_place = before[i], after[j], gaps.same(i, j)
        alike = similarity(a, b)
        titled = in_place and needed < ALIKE and a.provision.heading == b.provision.heading != ""
        if alike >= (ALIKE_BY_HEADING if titled else needed):
            near = IN_PLACE * in_place + IN_PLACE / 4 * (a.provision.number == b.provision.number)
            yield -(alike + near), i, j


def similarity(a: Clause, b: Clause) -> float:
    """Share of words in common, in order; of short clauses the share of letters where that is higher."""
    words = Indel.normalized_similarity(a.code, b.code)
    if max(len(a.code), len(b.code)) > FEWEST_WORDS:
        return words
    letters = fuzz.ratio(a.provision.text, b.provision.text) / 100
    return max(words, letters) if letters >= 0.75 else words


def _titled(
    pairs: Pairs, before: Sequence[Clause], after: Sequence[Clause], vocabulary: dict[str, str]
) -> tuple[Pairs, list[Clause], list[Clause]]:
    """With titles joined to their paragraphs where both versions have both together, or one has and the other none."""
    old, new = list(before), list(after)
    taken = set(pairs.values())
    gone_old, gone_new = set(), set()
    for i in reversed(range(len(old) - 1)):
        j, below = pairs.get(i), pairs.get(i + 1)
        together = j is not None and below == j + 1 and new[j].provision.is_title
        if old[i].provision.is_title and (together or j is below is None):
            old[i] = _both(old[i], old[i + 1], vocabulary)
            gone_old.add(i + 1)
            if j is not None:
                new[j] = _both(new[j], new[j + 1], vocabulary)
                gone_new.add(j + 1)
    for j in reversed(range(len(new) - 1)):
        if new[j].provision.is_title and j not in taken and j + 1 not in taken:
            new[j] = _both(new[j], new[j + 1], vocabulary)
            gone_new.add(j + 1)
    return _without(gone_old, gone_new, pairs, old, new)


def _joined(
    pairs: Pairs, before: Sequence[Clause], after: Sequence[Clause], vocabulary: dict[str, str]
) -> tuple[Pairs, list[Clause], list[Clause]]:
    """Pairs whose clauses have taken in a neighbour without a partner where that makes them more alike."""
    old, new = list(before), list(after)
    gone_old, gone_new = set(), set()
    for i, j in sorted(pairs.items()):
        if old[i].code != new[j].code:
            gone_old |= _taken_in(old, i, new[j], pairs.keys() | gone_old, vocabulary)
            gone_new |= _taken_in(new, j, old[i], set(pairs.values()) | gone_new, vocabulary)
    return _without(gone_old, gone_new, pairs, old, new)


def _undivided(
    pairs: Pairs, before: Sequence[Clause], after: Sequence[Clause], vocabulary: dict[str, str]
) -> tuple[Pairs, list[Clause], list[Clause]]:
    """With two pairs in a row as one where what one clause lost at its edge is what its neighbour has more.

    A page that breaks elsewhere can leave the first words of a paragraph with the one above.
    """
    old, new = list(before), list(after)
    gone_old, gone_new = set(), set()
    for i in sorted(pairs, reverse=True):
        j, below = pairs[i], pairs.get(i + 1)
        if below != j + 1 or old[i].code == new[j].code or old[i + 1].code == new[j + 1].code:
            continue
        a, b = _both(old[i], old[i + 1], vocabulary), _both(new[j], new[j + 1], vocabulary)
        apart = Indel.distance(old[i].code, new[j].code) + Indel.distance(old[i + 1].code, new[j + 1].code)
        if Indel.distance(a.code, b.code) <= SHIFTED * apart:
            old[i], new[j] = a, b
            gone_old.add(i + 1)
            gone_new.add(j + 1)
    return _without(gone_old, gone_new, pairs, old, new)


def _without(
    gone_old: set[int], gone_new: set[int], pairs: Pairs, old: Sequence[Clause], new: Sequence[Clause]
) -> tuple[Pairs, list[Clause], list[Clause]]:
    """Pairs and clauses without those that became part of another one."""
    kept_old = [i for i in range(len(old)) if i not in gone_old]
    kept_new = [j for j in range(len(new)) if j not in gone_new]
    place_old = {i: at for at, i in enumerate(kept_old)}
    place_new = {j: at for at, j in enumerate(kept_new)}
    placed = {place_old[i]: place_new[j] for i, j in pairs.items() if i in place_old and j in place_new}
    return placed, [old[i] for i in kept_old], [new[j] for j in kept_new]


def _taken_in(
    clauses: list[Clause], at: int, partner: Clause, not_free: set[int], vocabulary: dict[str, str]
) -> set[int]:
    """Joins free neighbours to the clause at `at` as long as it becomes more like its partner; which it took."""
    taken: set[int] = set()
    first = last = at
    while True:
        alike = similarity(clauses[at], partner)
        tries = []
        for other in (first - 1, last + 1):
            if 0 <= other < len(clauses) and other not in not_free and clauses[other].code:
                both = _both(clauses[min(other, at)], clauses[max(other, at)], vocabulary)
                tries.append((similarity(both, partner), other, both))
        best = max(tries, key=lambda tried: tried[0], default=None)
        if best is None or best[0] < alike + GAIN:
            return taken
        clauses[at] = best[2]
        taken.add(best[1])
        first, last = min(first, best[1]), max(last, best[1])
