"""The embedded engine: no key, no network, the same answer every time.

The trained clause model scores every sentence; its scores choose the chunks of each topic; rules read the
values out of those chunks' sentences. Of several candidates for a term the surest wins, then the first.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from extractors.engines import Show
from extractors.engines.rules import (
    clauses,
    dates,
    duration,
    japanese,
    japanese_clauses,
    japanese_parties,
    law,
    liability,
    parties,
    payment,
    price,
    signatures,
    termination,
    title,
    value,
)
from extractors.engines.trained.model import ClauseModel, Passage, Reading
from extractors.engines.view import View
from extractors.furniture import body_text
from extractors.retrieve import TOPICS, Index, retrieve
from extractors.sentences import sentences
from schemas.contract import Chunk, Clause, EngineInfo, Extraction, Retrieval, Term
from schemas.document import Document
from schemas.terms import TERMS

_RULES = (title, parties, dates, duration, termination, law, payment, price, value, liability, signatures)
_MULTIPLE = frozenset({"parties"})


class EmbeddedEngine:
    """See the module. `model` names weights and rules, as `extractors.extract.fingerprint` does."""

    def __init__(self, model: str) -> None:
        self._model = ClauseModel.load()
        self.info = EngineInfo(extractor="embedded", model=model)
        self._last: tuple[str, list[tuple[int, int]], Reading] = ("", [], self._model.read("", []))

    def worth(self, document: Document) -> tuple[list[tuple[int, int]], np.ndarray]:
        """The sentences of a document, and for each the probability that something asked for stands in it."""
        spans, reading = self._read(body_text(document))
        return spans, reading.worth

    def _read(self, text: str) -> tuple[list[tuple[int, int]], Reading]:
        """The sentences of a text and what the model says of them; the last text's are kept."""
        if self._last[0] != text:
            spans = sentences(text)
            self._last = text, spans, self._model.read(text, spans)
        return self._last[1:]

    def extract(self, document: Document, chunks: Sequence[Chunk], show: Show | None = None) -> Extraction:
        """See `extractors.engines.Engine`; it looks at no pictures."""
        text = body_text(document)
        spans, reading = self._read(text)
        retrievals = self._retrieve(chunks, spans, reading.scores)
        view = View(document, text, chunks, spans, retrievals)
        view.parties = (
            japanese_parties.find_parties(text)
            if view.is_japanese
            else parties.find_parties(view.about("identity"), text)
        )
        candidates = [term for rule in _rules_for(view) for term in rule.terms(view)]
        found = list(self._clauses(text, chunks, reading.passages))
        if view.is_japanese:
            found += japanese_clauses.clauses(text, spans)
        else:
            found += clauses.clauses(text, spans, found)
            found = [clause for clause in found if not clauses.denies(clause)]
        found = [_verbatim(clause, document.text) for clause in found]
        decided = tuple(_decided(candidates))
        return Extraction(
            engine=self.info,
            terms=decided,
            alternatives=tuple(_others(candidates, decided)),
            clauses=tuple(sorted(found, key=lambda clause: (clause.start or 0, clause.clause_type))),
            fee_lines=tuple(value.one_time_fees(view)),
            retrievals=tuple(retrievals),
        )

    def _retrieve(
        self, chunks: Sequence[Chunk], spans: Sequence[tuple[int, int]], scores: np.ndarray
    ) -> list[Retrieval]:
        index = Index([chunk.text for chunk in chunks])
        by_chunk = _highest_by_chunk(chunks, spans, scores)
        column = {category: i for i, category in enumerate(self._model.categories)}
        found = []
        for topic in TOPICS:
            columns = [column[name] for name in topic.clause_types if name in column]
            model_scores = by_chunk[:, columns].max(axis=1).tolist() if columns and len(chunks) else None
            found.append(retrieve(chunks, index, topic, model_scores))
        return found

    def _clauses(
        self, text: str, chunks: Sequence[Chunk], passages: Mapping[str, Sequence[Passage]]
    ) -> Iterable[Clause]:
        """The passages that reach their category's threshold, without those that overlap a likelier one."""
        for category, found in passages.items():
            kept: list[Passage] = []
            for passage in found:
                sure = passage.confidence >= self._model.thresholds[category]
                if sure and not any(passage.start < other.end and other.start < passage.end for other in kept):
                    kept.append(passage)
            for passage in kept:
                yield Clause(
                    clause_type=category,
                    text=text[passage.start : passage.end],
                    heading=_heading_at(chunks, passage.start),
                    start=passage.start,
                    confidence=round(passage.confidence, 4),
                )


def _verbatim(clause: Clause, text: str) -> Clause:
    """The clause as it stands in the document, with what a page break puts between its lines."""
    return clause.model_copy(update={"text": text[clause.start : clause.start + len(clause.text)]})


def _rules_for(view: View):
    return (title, parties, japanese, signatures) if view.is_japanese else _RULES


def _highest_by_chunk(chunks: Sequence[Chunk], spans: Sequence[tuple[int, int]], scores: np.ndarray) -> np.ndarray:
    """Highest score of any sentence, shape (chunks, categories)."""
    highest = np.zeros((len(chunks), scores.shape[1]), np.float32)
    position = 0
    for (start, _), row in zip(spans, scores, strict=True):
        while position + 1 < len(chunks) and start >= chunks[position].end:
            position += 1
        if len(chunks):
            np.maximum(highest[position], row, out=highest[position])
    return highest


def _heading_at(chunks: Sequence[Chunk], offset: int) -> str | None:
    chunk = next((c for c in chunks if c.start <= offset < c.end), None)
    return chunk.heading_path[-1] if chunk and chunk.heading_path else None


def _decided(candidates: Sequence[Term]) -> Iterable[Term]:
    """One value a term (all values of `parties`), and an absence for each term that has none."""
    for spec in TERMS:
        if spec.derived:
            continue
        found = [term for term in candidates if term.term == spec.name]
        if spec.name in _MULTIPLE:
            yield from found
        elif found:
            yield max(found, key=lambda term: (round(term.confidence, 2), -(term.start or 0)))
        if not found:
            yield Term(term=spec.name, absence="not_found", unit=spec.unit, evidence="unverified")


def _others(candidates: Sequence[Term], decided: Sequence[Term]) -> Iterable[Term]:
    """The candidates with another value than the one that was decided on, each value of a place once."""
    chosen = {term.term: term.value for term in decided}
    seen = set()
    for term in candidates:
        place = (term.term, term.value, term.start)
        if term.term not in _MULTIPLE and term.value != chosen[term.term] and place not in seen:
            seen.add(place)
            yield term
