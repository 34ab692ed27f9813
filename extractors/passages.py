"""Passages under a token budget: what is worth sending to a reader who is paid by the word.

The trained scores say which sentences are worth reading (`extractors.engines.trained.worth`). Around the best of
them stand what is needed to understand them: a sentence between two chosen ones, definitions of the terms they
use, sections they refer to. A document that fits the budget goes whole.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from extractors.engines.trained.worth import by_cost
from extractors.retrieve import Index
from schemas.contract import Chunk

TOKENS_PER_WORD = 1.35
"""Of English contracts, measured with o200k_base."""

FOR_CONTEXT = 0.15
"""Share of the budget kept for neighbours, definitions and references."""

_DEFINITION = re.compile(
    r"[\"“](?P<term>[A-Z][\w&'’ -]{1,50})[\"”]\s+(?:means|shall\s+mean|has\s+the\s+meaning|refers\s+to|includes)\b"
)
_REFERENCE = re.compile(r"\b(?:Section|Clause|Article|Paragraph|§)\s*(?P<number>\d{1,3}(?:\.\d{1,3})*)")
_NUMBER = re.compile(r"(?P<number>\d{1,3}(?:\.\d{1,3})*)\b")


@dataclass(frozen=True)
class Excerpt:
    """What is sent of one chunk: parts of `Document.text` (half-open), in order."""

    chunk: Chunk
    spans: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        """The parts as one text; ` […] ` stands where something was left out between them."""
        offset = self.chunk.start
        return " […] ".join(self.chunk.text[start - offset : end - offset] for start, end in _joined(self.spans))


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans with those joined that only white space divides, which is at most a few characters."""
    start, end = spans[0]
    for first, last in spans[1:]:
        if first - end > 4:
            yield start, end
            start = first
        end = last
    yield start, end


def within_budget(
    chunks: Sequence[Chunk], spans: Sequence[tuple[int, int]], worth: np.ndarray, budget: int
) -> list[Excerpt]:
    """The excerpts to send, in document order, of about `budget` tokens at most.

    `spans` are the document's sentences, `worth` the probability for each that something asked for stands in it.
    """
    if not chunks or not spans:
        return []
    text = _text_of(chunks)
    quoted = [text[start:end] for start, end in spans]
    costs = np.array([TOKENS_PER_WORD * max(1, len(sentence.split())) for sentence in quoted])
    chosen = np.ones(len(spans), bool)
    if costs.sum() > budget:
        chosen = _chosen(quoted, costs, worth, budget)
    return list(_excerpts(chunks, [span for span, is_chosen in zip(spans, chosen, strict=True) if is_chosen]))


ABOUT_A_POSITION = 0.5
"""What a sentence counts for that stands where a position of the playbook is dealt with."""


def asked_about(
    questions: Sequence[Sequence[str]], chunks: Sequence[Chunk], spans: Sequence[tuple[int, int]]
) -> np.ndarray:
    """For each sentence what it is worth to the questions, each given as words: the best two chunks of each."""
    index = Index([chunk.text for chunk in chunks])
    best: set[int] = set()
    for words in questions:
        scores = np.array(index.bm25(words))
        best |= {int(at) for at in np.argsort(-scores, kind="stable")[:2] if scores[at] > 0}
    wanted = [(chunks[at].start, chunks[at].end) for at in sorted(best)]
    inside = [any(start < last and first < end for first, last in wanted) for start, end in spans]
    return ABOUT_A_POSITION * np.array(inside, float)


def _text_of(chunks: Sequence[Chunk]) -> str:
    """The chunks' text at the document's own offsets, blanks where no chunk is."""
    parts, at = [], 0
    for chunk in chunks:
        parts += [" " * max(0, chunk.start - at), chunk.text[max(0, at - chunk.start) :]]
        at = max(at, chunk.end)
    return "".join(parts)


def _chosen(quoted: Sequence[str], costs: np.ndarray, worth: np.ndarray, budget: float) -> np.ndarray:
    """Which sentences: the best for their cost, then their context, then the next best while there is room."""
    order = by_cost(worth, costs).tolist()
    chosen = np.zeros(len(costs), bool)
    left = _take(order, chosen, costs, budget * (1 - FOR_CONTEXT)) + budget * FOR_CONTEXT
    left = _take(_context(quoted, chosen), chosen, costs, left)
    _take(order, chosen, costs, left)
    return chosen


def _take(order: Sequence[int], chosen: np.ndarray, costs: np.ndarray, budget: float) -> float:
    """Marks the sentences of `order` as long as the budget lasts; returns what is left of it."""
    for number in order:
        if not chosen[number]:
            if costs[number] > budget:
                break
            chosen[number] = True
            budget -= costs[number]
    return budget


def _context(quoted: Sequence[str], chosen: np.ndarray) -> list[int]:
    """Sentences that the chosen ones need: between two of them, definitions, sections referred to."""
    between = np.flatnonzero(~chosen[1:-1] & chosen[:-2] & chosen[2:]) + 1
    text = "\n".join(sentence for sentence, is_chosen in zip(quoted, chosen, strict=True) if is_chosen)
    used = [number for term, number in _definitions(quoted).items() if re.search(rf"\b{re.escape(term)}\b", text)]
    sections = _sections(quoted)
    wanted = [sections[match["number"]] for match in _REFERENCE.finditer(text) if match["number"] in sections]
    return list(dict.fromkeys([*between.tolist(), *used, *wanted]))


def _definitions(quoted: Sequence[str]) -> Mapping[str, int]:
    """The sentence that defines each term."""
    return {match["term"]: number for number, sentence in enumerate(quoted) for match in _DEFINITION.finditer(sentence)}


def _sections(quoted: Sequence[str]) -> Mapping[str, int]:
    """The sentence that opens each numbered section."""
    found: dict[str, int] = {}
    for number, sentence in enumerate(quoted):
        if match := _NUMBER.match(sentence):
            found.setdefault(match["number"], number)
    return found


def _excerpts(chunks: Sequence[Chunk], spans: Sequence[tuple[int, int]]) -> Iterator[Excerpt]:
    for chunk in chunks:
        inside = tuple(
            (max(start, chunk.start), min(end, chunk.end))
            for start, end in spans
            if start < chunk.end and chunk.start < end
        )
        if inside:
            yield Excerpt(chunk, inside)
