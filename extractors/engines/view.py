"""What a rule of the embedded engine sees of a document: the sentences of the chunks retrieved for its topic."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from extractors.rows import Row, rows
from extractors.values import plain_number
from schemas.contract import Chunk, Retrieval, Term
from schemas.document import PAGE_BREAK, Document
from schemas.terms import TERM_BY_NAME

LONGEST_QUOTE = 420
QUOTE_MARGIN = 160


class Sentence(NamedTuple):
    """A sentence, where it starts in `Document.text`, and the innermost heading above it."""

    start: int
    text: str
    heading: str


class Party(NamedTuple):
    """A party as the opening of a contract names it. `aliases` are the defined names, `side` who pays."""

    name: str
    role: str | None
    aliases: tuple[str, ...]
    side: str | None  # customer, provider
    start: int
    end: int


class View:
    """One document as the rules see it: `text` is its body without running headers, at the same offsets.

    `parties` is filled in before the rules run.
    """

    def __init__(
        self,
        document: Document,
        text: str,
        chunks: Sequence[Chunk],
        spans: Sequence[tuple[int, int]],
        retrievals: Iterable[Retrieval],
        parties: tuple[Party, ...] = (),
    ):
        self.document = document
        self.text = text
        self.chunks = chunks
        self.parties = parties
        self._chosen = {retrieval.question: set(retrieval.chunk_ids) for retrieval in retrievals}
        self._by_chunk = _sentences_by_chunk(self.text, chunks, spans)

    def about(self, topic: str) -> list[Sentence]:
        """The sentences of the chunks that were retrieved for a topic, in document order."""
        chosen = self._chosen.get(topic, set())
        held = [s for chunk in self.chunks if chunk.chunk_id in chosen for s in self._by_chunk[chunk.chunk_id]]
        return [sentence for sentence in held if not sentence.text.startswith("[ ]")]  # a box not ticked

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of all pages as the eye sees them."""
        return rows(self.document)

    @cached_property
    def is_japanese(self) -> bool:
        """Whether the document is written in Japanese."""
        return self.document.language == "ja"

    def found(
        self,
        term: str,
        value: str | float | Decimal | date | bool,
        sentence: Sentence,
        span: tuple[int, int] | None = None,
        *,
        confidence: float,
        role: str | None = None,
    ) -> Term:
        """A found value, quoting the sentence around `span` (half-open offsets into the sentence)."""
        start, end = self.quote_span(sentence, span or (0, len(sentence.text)))
        spec = TERM_BY_NAME[term]
        number = float(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None
        return Term(
            term=term,
            value=_bare(value),
            value_date=value if isinstance(value, date) else None,
            value_number=number,
            unit=spec.unit,
            role=role,
            quote=self.document.text[start:end],
            start=start,
            confidence=confidence,
        )

    def quote_span(self, sentence: Sentence, span: tuple[int, int]) -> tuple[int, int]:
        """The sentence, cut at page breaks and, when long, around the span at blanks."""
        first, last = sentence.start + span[0], sentence.start + span[1]
        start, end = sentence.start, sentence.start + len(sentence.text)
        cut_before = self.text.rfind(PAGE_BREAK, start, first)
        start = start if cut_before < 0 else cut_before + len(PAGE_BREAK)
        cut_after = self.text.find(PAGE_BREAK, last, end)
        end = end if cut_after < 0 else cut_after
        if end - start > LONGEST_QUOTE:
            start = self._blank_after(max(start, first - QUOTE_MARGIN), start, first)
            end = self._blank_before(min(end, last + QUOTE_MARGIN), end, last)
        while end > last and self.text[end - 1].isspace():  # what follows the body is a footer
            end -= 1
        while start < first and self.text[start].isspace():
            start += 1
        return start, end

    def _blank_after(self, at: int, start: int, latest: int) -> int:
        if at <= start:
            return start
        while at < latest and not self.text[at - 1].isspace():
            at += 1
        return at

    def _blank_before(self, at: int, end: int, earliest: int) -> int:
        if at >= end:
            return end
        while at > earliest and not self.text[at].isspace():
            at -= 1
        return at


def _bare(value: str | float | Decimal | date | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        return plain_number(value)
    return " ".join(value.split())


def _sentences_by_chunk(
    text: str, chunks: Sequence[Chunk], spans: Sequence[tuple[int, int]]
) -> dict[str, list[Sentence]]:
    found: dict[str, list[Sentence]] = {chunk.chunk_id: [] for chunk in chunks}
    position = 0
    for start, end in spans:
        while position + 1 < len(chunks) and start >= chunks[position].end:
            position += 1
        if not chunks:
            break
        chunk = chunks[position]
        heading = chunk.heading_path[-1] if chunk.heading_path else ""
        found[chunk.chunk_id].append(Sentence(start, text[start:end], heading))
    return found
