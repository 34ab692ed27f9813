"""What an amendment does, clause by clause: which section it replaces, adds, deletes or restates, and the new words.

Amendments say so in a few set phrases (`Section 4.2 is deleted and replaced by the following: ...`). What comes is what
stands between this phrase and the next one; the terms whose quotations stand there are those it sets. Part of `judge`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from extractors.check import cite
from extractors.furniture import Body
from extractors.values import durations
from schemas.contract import AmendmentEffect, Extraction
from schemas.document import Document

_NAMED = re.compile(
    r"(?:Sections?|Clauses?|Articles?|Paragraphs?|Sub-?sections?|§)\s*"
    r"(?P<section>\d{1,3}(?:\.\d{1,3})*(?:\([a-z0-9]+\))*)",
    re.IGNORECASE,
)
_IS = r"(?:(?:is|are|be|being|shall\s+be|and\s+hereby\s+is)\s+(?:hereby\s+)?)"
_WHOLE = r"(?:in\s+(?:its|their)\s+entirety)"
_ACTS = re.compile(
    "|".join(
        [
            rf"(?P<restates>amended\s+and\s+restated\s+{_WHOLE}(?!\s+(?:as\s+follows|to\s+read)))",
            rf"(?P<adds>{_IS}(?:added|inserted)|{_IS}(?:amended|supplemented)\s+(?:by\s+(?:the\s+)?(?:adding|addition|"
            r"inserting|insertion)|to\s+(?:add|include|insert))|hereby\s+(?:adds?|inserts?))",
            rf"(?P<replaces>{_IS}?(?:deleted|struck|removed)\b[^.;“\"]{{0,60}}(?:replac|substitut)|"
            rf"{_IS}(?:replaced|substituted|changed|restated|modified|extended|increased|reduced|revised|amended)\b|"
            rf"to\s+read\s+(?:{_WHOLE}\s+)?as\s+follows|amended\s+and\s+restated|shall\s+(?:now\s+)?read\b|"
            r"(?:hereby\s+)?(?:replaces?|extends?|substitutes?)\s+(?:the|section))",
            rf"(?P<deletes>{_IS}(?:deleted|removed|struck|cancelled|withdrawn)|shall\s+no\s+longer\s+apply|"
            r"ceases?\s+to\s+(?:apply|have\s+effect)|hereby\s+deletes?)",
        ]
    ),
    re.IGNORECASE,
)
_UNCHANGED = re.compile(
    r"\b(?:not|un)\s?(?:changed?|affected|amended|modified)|remains?\s+(?:as\s+it\s+is|unchanged|in\s+(?:full\s+)?force)|"
    r"except\s+as\s+(?:\w+\s+){0,3}(?:amended|modified)|continues?\s+to\s+apply",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[“\"](?P<text>[^“”\"]{2,}(?:[“\"][^“”\"]*[”\"][^“”\"]*)*)[”\"]")
_PAIR = re.compile(r"[“\"][^“”\"]*[”\"]")
_SWAP = re.compile(
    r"\b(?:words?|phrase|figure|references?\s+to|number|sum)\s+[“\"](?P<old>[^“”\"]+)[”\"]\s+(?:is|are|shall\s+be)\b"
    r"[^“\"]{0,60}\b(?:replaced|substituted|changed|amended)\b[^“\"]{0,40}[“\"](?P<new>[^“”\"]+)[”\"]|"
    r"\b(?:replac|substitut)\w+\s+[“\"](?P<was>[^“”\"]+)[”\"]\s+(?:with|by)\s+[“\"](?P<now>[^“”\"]+)[”\"]",
    re.IGNORECASE,
)
_FURTHER = re.compile(
    r"\b(?:extend\w*|prolong\w*)\b[^.;]{0,80}?\b(?:by|for)\s+(?:an?\s+)?(?:additional\s+|further\s+|another\s+)?(?P<length>[^.;]{3,60})",
    re.IGNORECASE,
)
_UNTIL = re.compile(r"\b(?:through|until|to\s+and\s+including|expir\w+\s+on)\b", re.IGNORECASE)


OF_THE_DOCUMENT = frozenset(
    {"title", "contract_type", "parties", "agreement_date", "signed_date", "effective_date", "fully_executed"}
)
"""Terms that speak of a document itself: an amendment's are not the contract's."""


class _Act(NamedTuple):
    """A sentence that changes the contract."""

    effect: str
    start: int
    end: int


def amendment_effects(extraction: Extraction, document: Document, body: Body) -> tuple[AmendmentEffect, ...]:
    """What the document changes, in its order; empty unless it is an amendment."""
    kind = extraction.term("contract_type")
    if kind is None or kind.value != "amendment":
        return ()
    text = body.text
    acts = list(_acts(text, body.sentences))
    scopes = [_scope(text, act, acts[number + 1 :]) for number, act in enumerate(acts)]
    return tuple(_effect(text, act, scope, extraction, document) for act, scope in zip(acts, scopes, strict=True))


def _acts(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[_Act]:
    for start, end in spans:
        outside = _PAIR.sub(lambda match: " " * len(match.group()), text[start:end])
        found = _ACTS.search(outside)
        if found and not _UNCHANGED.search(outside):
            yield _Act(found.lastgroup, start, end)


_SECTION_START = re.compile(r"\n\s*\d{1,2}(?:\.\d{1,2})?[.)]?\s+[A-Z]")
_LONGEST = 4_000


def _scope(text: str, act: _Act, later: Sequence[_Act]) -> tuple[int, int]:
    """The part of the text whose words the act brings: up to the next act, at most the end of its own section."""
    limit = min(len(text), later[0].start if later else len(text), act.end + _LONGEST)
    opened = text.find("“", act.start, limit)
    if opened >= 0 and (closed := text.find("”", opened)) >= 0:
        return act.start, max(act.end, min(limit, closed + 1))
    following = _SECTION_START.search(text, act.end, limit)
    return act.start, max(act.end, following.start() if following else limit)


def _effect(
    text: str, act: _Act, scope: tuple[int, int], extraction: Extraction, document: Document
) -> AmendmentEffect:
    said = text[act.start : act.end]
    named = _NAMED.search(said)
    quoted = [match["text"] for match in _QUOTED.finditer(text, *scope)]
    swap = _SWAP.search(text, *scope)
    further = _FURTHER.search(said)
    lengths = durations(further["length"]) if further and not _UNTIL.search(further["length"][:12]) else []
    citation = cite(document, act.start, act.end)
    return AmendmentEffect(
        effect=act.effect,
        section=named["section"] if named else None,
        old_text=(swap["old"] or swap["was"]) if swap else None,
        new_text=(swap["new"] or swap["now"]) if swap else _new_text(act, quoted),
        terms=_terms_in(extraction, *scope) if act.effect != "deletes" else (),
        months=lengths[0].months if lengths else None,
        quote=document.text[act.start : act.end],
        page_number=citation.page_number,
        citation=citation,
    )


def _new_text(act: _Act, quoted: Sequence[str]) -> str | None:
    return None if act.effect == "deletes" or not quoted else quoted[0]


def _terms_in(extraction: Extraction, start: int, end: int) -> tuple[str, ...]:
    """The terms whose quotation stands within the scope."""
    inside = (
        term.term
        for term in extraction.terms
        if term.value is not None
        and term.term not in OF_THE_DOCUMENT
        and term.citation
        and term.evidence != "derived"
        and term.citation.char_start < end
        and start < term.citation.char_end
    )
    return tuple(dict.fromkeys(inside))
