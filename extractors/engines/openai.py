"""The `openai` engine: a careful reader behind an OpenAI-compatible API, and the embedded engine beside it.

What is worth reading goes out, not more than the budget allows; what comes back counts only where its quotation
stands on the page; where both engines agree a value is sure, where they differ a person looks. When the provider
fails for a document, what the embedded engine read is kept, and the next run tries again.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from extractors.check import check
from extractors.engines import Show
from extractors.engines.embedded import EmbeddedEngine
from extractors.engines.llm.agree import agreed, agreed_clauses
from extractors.engines.llm.answers import NoAnswer, clauses_of, judgements_of, parse, terms_of
from extractors.engines.llm.outcomes import MORE_ROOM, Outcome
from extractors.engines.llm.redact import Redacted
from extractors.engines.llm.requests import Letter
from extractors.engines.llm.schema import ASKED, Answer
from extractors.engines.llm.sender import Sender, Wanted, is_worth_splitting
from extractors.machine_orders import orders_to_machines
from extractors.passages import Excerpt, asked_about, within_budget
from schemas.contract import Chunk, Clause, EngineInfo, Extraction, Judgement, Term
from schemas.document import Document
from schemas.llm import LlmSettings, RequestRecord
from schemas.playbook import Position

MOST_ASKED_AGAIN = 12
"""So many terms without proof are asked for a second time, in one request."""


class _Failed(Exception):
    """The provider gave no answer for a part of the questions; the records say why."""


class _Question(NamedTuple):
    """What one request asks: terms, whether clauses and judgements too; a remark makes it a second try."""

    asked: tuple[str, ...]
    with_clauses: bool
    remarks: str = ""
    answer_tokens: int | None = None


class _Talk:
    """The requests for one document."""

    def __init__(
        self,
        document: Document,
        excerpts: Sequence[Excerpt],
        redacted: Redacted,
        pictures: Sequence[tuple[int, bytes]],
    ) -> None:
        self.document, self.excerpts, self.redacted, self.pictures = document, excerpts, redacted, pictures
        self.chunks = {excerpt.chunk.chunk_id: excerpt.chunk for excerpt in excerpts}
        self.records: list[RequestRecord] = []
        self.terms: list[Term] = []
        self.clauses: list[Clause] = []
        self.judgements: list[Judgement] = []
        self.suspicious: list[str] = []
        self.seen_only: set[str] = set()  # terms that a picture says: no text proves them

    @property
    def share(self) -> float:
        """The share of the document's words that is sent."""
        sent = sum(len(excerpt.text.split()) for excerpt in self.excerpts)
        return min(1.0, sent / max(1, len(self.document.text.split())))


class OpenAiEngine:
    """See the module. It never raises for a fault of the provider but those that would end every request alike."""

    def __init__(self, embedded: EmbeddedEngine, sender: Sender, letter: Letter, settings: LlmSettings) -> None:
        self._embedded, self._sender, self._letter, self._settings = embedded, sender, letter, settings
        self.info = EngineInfo(extractor="openai", model=settings.model, prompt_version=letter.version)

    def extract(self, document: Document, chunks: Sequence[Chunk], show: Show | None = None) -> Extraction:
        """See `extractors.engines.Engine`."""
        alone = self._embedded.extract(document, chunks)
        talk = self._talk(document, chunks, show)
        try:
            for question in self._questions():
                self._ask(talk, question)
        except _Failed:
            return alone.model_copy(update={"requests": tuple(talk.records)})
        ours, said = check(alone, document), self._proven(talk)
        return ours.model_copy(
            update={
                "engine": self.info,
                "terms": tuple(agreed(ours.terms, said.terms)),
                "clauses": tuple(sorted(agreed_clauses(ours.clauses, said.clauses), key=_place)),
                "judgements": tuple(talk.judgements),
                "requests": tuple(talk.records),
                "suspicious": tuple(talk.suspicious),
            }
        )

    def plan(self, document: Document, chunks: Sequence[Chunk], show: Show | None = None) -> None:
        """Notes the requests that reading the document begins with, for a batch to answer; nothing is sent."""
        talk = self._talk(document, chunks, show)
        for question in self._questions():
            self._sender.plan(self._wanted(talk, question))

    def _questions(self) -> Iterator[_Question]:
        """One for each group of terms; the clauses are asked for with the first."""
        size = -(-len(ASKED) // max(1, self._settings.groups))
        for at in range(0, len(ASKED), size):
            yield _Question(ASKED[at : at + size], with_clauses=at == 0)

    def _talk(self, document: Document, chunks: Sequence[Chunk], show: Show | None) -> _Talk:
        spans, worth = self._embedded.worth(document)
        worth = np.maximum(worth, asked_about([_words_of(each) for each in self._letter.positions], chunks, spans))
        excerpts = within_budget(chunks, spans, worth, self._settings.passage_tokens)
        return _Talk(document, excerpts, self._letter.passages(excerpts), list(self._pictures(document, show)))

    def _pictures(self, document: Document, show: Show | None) -> Iterator[tuple[int, bytes]]:
        """The pages that OCR could not read, as pictures; none where personal numbers must not leave."""
        if show is None or self._settings.redact:
            return
        unread = [page for page in document.pages if page.source == "ocr" and page.is_unread]
        for page in unread[: self._settings.page_images]:
            yield page.number, show(page)

    def _wanted(self, talk: _Talk, question: _Question) -> Wanted:
        body = self._letter.body(
            talk.redacted.text,
            question.asked,
            with_clauses=question.with_clauses,
            remarks=question.remarks,
            answer_tokens=question.answer_tokens,
            pictures=() if question.remarks else talk.pictures,
        )
        return Wanted(
            contract_id=talk.document.contract_id,
            purpose="ask_again" if question.remarks else "extract",
            asked=question.asked,
            chunk_ids=tuple(talk.chunks),
            page_images=() if question.remarks else tuple(number for number, _ in talk.pictures),
            passage_share=talk.share,
            redactions=len(talk.redacted.originals),
            body=body,
        )

    def _ask(self, talk: _Talk, question: _Question) -> None:
        """Asks until there is an answer: with more room, then in halves. Raises _Failed when there is none."""
        outcome = self._answered(talk, question)
        if outcome == "answered":
            return
        if outcome in MORE_ROOM and question.answer_tokens is None:
            self._ask(talk, question._replace(answer_tokens=2 * self._settings.answer_tokens))
        elif is_worth_splitting(outcome, question.asked):
            half = len(question.asked) // 2
            self._ask(talk, question._replace(asked=question.asked[:half]))
            self._ask(talk, question._replace(asked=question.asked[half:], with_clauses=False))
        else:
            raise _Failed

    def _answered(self, talk: _Talk, question: _Question) -> Outcome:
        """Sends once more where the text was no answer; returns how it ended."""
        wanted = self._wanted(talk, question)
        for _ in range(2):
            reply, record = self._sender.send(wanted)
            if reply.outcome != "answered":
                talk.records.append(record)
                return reply.outcome
            try:
                answer = parse(reply.text)
            except NoAnswer as error:
                talk.records.append(record.model_copy(update={"outcome": str(error)}))
                self._sender.refuse(wanted)
                continue
            talk.records.append(record)
            self._take(talk, answer, question)
            return "answered"
        return "not_the_schema"

    def _take(self, talk: _Talk, answer: Answer, question: _Question) -> None:
        """What an answer says of a document."""
        rules = [position.id for position in self._letter.positions]
        talk.terms += terms_of(answer, question.asked, talk.chunks, talk.redacted)
        talk.clauses += clauses_of(answer, talk.chunks, talk.redacted)
        talk.judgements += judgements_of(answer, rules, talk.chunks, talk.redacted)
        talk.seen_only |= {each.term for each in answer.terms if (each.passage or "").startswith("page ")}
        talk.suspicious += [talk.redacted.restore(each.quote) for each in answer.instructions_in_text if each.quote]

    def _proven(self, talk: _Talk) -> Extraction:
        """What was said, checked; terms without proof are asked for once more."""
        said = self._checked(talk)
        unproven = [t.term for t in said.terms if t.value is not None and t.evidence == "unverified"]
        without = [name for name in unproven if name not in talk.seen_only]
        if without and len(set(without)) <= MOST_ASKED_AGAIN:
            kept = list(talk.terms)
            talk.terms = [term for term in kept if term.term not in without]
            remarks = (
                "Your earlier quotations for these were not found on the page: quote letter for letter, or say absent."
            )
            try:
                self._ask(talk, _Question(tuple(dict.fromkeys(without)), with_clauses=False, remarks=remarks))
            except _Failed:
                talk.terms = kept
            said = self._checked(talk)
        return said

    def _checked(self, talk: _Talk) -> Extraction:
        """What was said, checked; what only an order to a machine says is no evidence."""
        said = Extraction(engine=self.info, terms=tuple(talk.terms), clauses=tuple(talk.clauses))
        found = check(said, talk.document)
        orders = orders_to_machines(talk.document.text, talk.suspicious)
        terms = tuple(_doubted(term) if _is_within(term, orders) else term for term in found.terms)
        return found.model_copy(update={"terms": terms})


def _is_within(term: Term, orders: Sequence[tuple[int, int]]) -> bool:
    at = term.citation
    return at is not None and any(at.char_start < end and start < at.char_end for start, end in orders)


def _doubted(term: Term) -> Term:
    return term.model_copy(update={"evidence": "unverified"})


def _words_of(position: Position) -> list[str]:
    return [*position.clause.split("_"), *position.question.split()]


def _place(clause: Clause) -> tuple[int, str]:
    return (clause.citation.char_start if clause.citation else clause.start or 0), clause.clause_type
