"""Two engines, one row a term: what each said, what is proven, and how sure that makes it.

The model's own surety is not used. A fixed table of signals stands until reviewers' decisions calibrate it: whether
both agree, whether the quotation was found and yields the value; how well the words under it were read comes in where
the quotation is checked. Absence needs both: what one engine proved is not lost because the other did not see it.
"""

from collections.abc import Iterable, Iterator, Sequence

from schemas.contract import Clause, Term
from schemas.terms import TERMS

BOTH = 0.98
"""Both engines say it, and the quotation proves it."""
ONE_PROVEN = 0.85
"""The model alone says it; its quotation proves it."""
DISPUTED = 0.5
"""Both are proven and differ: a person has to look."""
UNPROVEN = 0.3
"""No quotation proves it."""
BOTH_ABSENT = 0.95
ONE_ABSENT = 0.45
"""The embedded engine found it, the model did not."""


def agreed(ours: Sequence[Term], said: Sequence[Term]) -> Iterator[Term]:
    """The terms of both engines as one: `ours` are the embedded engine's, `said` the model's, both checked."""
    for spec in TERMS:
        if spec.derived:
            continue
        one = [term for term in ours if term.term == spec.name]
        other = [term for term in said if term.term == spec.name]
        yield from _parties(one, other) if spec.name == "parties" else [_one(one, other)]


def _one(ours: Sequence[Term], said: Sequence[Term]) -> Term:
    mine, theirs = _valued(ours), _valued(said)
    if not mine and not theirs:
        return (said or ours)[0].model_copy(update={"confidence": BOTH_ABSENT})
    if not theirs:
        return _sure(mine[0], min(ONE_ABSENT, mine[0].confidence))
    best = theirs[0]
    if not mine:
        return _sure(best, ONE_PROVEN if _is_proven(best) else UNPROVEN)
    if mine[0].value == best.value:
        shown = best if _is_proven(best) or not _is_proven(mine[0]) else mine[0]
        return _sure(shown, BOTH if _is_proven(shown) else UNPROVEN * 2)
    if _is_proven(mine[0]) and not _is_proven(best):
        return _sure(mine[0], min(DISPUTED, mine[0].confidence))
    return _sure(best, DISPUTED if _is_proven(best) else UNPROVEN)


def _parties(ours: Sequence[Term], said: Sequence[Term]) -> Iterator[Term]:
    """Every party that the model names; those of the embedded engine where the model names none."""
    mine, theirs = _valued(ours), _valued(said)
    if not theirs:
        yield from (_sure(term, min(ONE_ABSENT, term.confidence)) for term in mine)
        if not mine:
            yield (said or ours)[0].model_copy(update={"confidence": BOTH_ABSENT})
        return
    known = {_key(term) for term in mine}
    for term in theirs:
        proven = BOTH if _key(term) in known else ONE_PROVEN
        yield _sure(term, proven if _is_proven(term) else UNPROVEN)


def _key(term: Term) -> str:
    return "".join(char for char in (term.value or "").lower() if char.isalnum())


def _valued(terms: Iterable[Term]) -> list[Term]:
    return [term for term in terms if term.value is not None]


def _is_proven(term: Term) -> bool:
    return term.evidence in ("verified", "derived")


def _sure(term: Term, confidence: float) -> Term:
    return term.model_copy(update={"confidence": round(confidence, 4)})


def agreed_clauses(ours: Sequence[Clause], said: Sequence[Clause]) -> Iterator[Clause]:
    """The clauses of both: those that both found are surer; of two that overlap the model's quotation is kept."""
    for clause in said:
        if clause.citation:
            twin = any(_overlap(clause, other) for other in ours)
            yield clause.model_copy(update={"confidence": BOTH if twin else ONE_PROVEN})
    for clause in ours:
        if not any(other.citation and _overlap(clause, other) for other in said):
            yield clause.model_copy(update={"confidence": round(clause.confidence * 0.8, 4)})


def _overlap(one: Clause, other: Clause) -> bool:
    if one.clause_type != other.clause_type or not (one.citation and other.citation):
        return False
    a, b = one.citation, other.citation
    return a.char_start < b.char_end and b.char_start < a.char_end
