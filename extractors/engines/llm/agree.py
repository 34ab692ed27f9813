"""Two engines, one row a term: what each said, what is proven, and how sure that makes it.

The engines are two witnesses who have not talked: where both say the same, both would have to be wrong in the same
way; where they differ, at most one is right. The embedded engine's surety is its own; of the model's nothing is asked,
only whether code found its quotation and the value in it. How well the words under a quotation were read comes in
where the quotation is checked. Absence needs both: what one proved is not lost because the other did not see it.
`contract-agent benchmark agreement` measures how often what is sure is right.
"""

from collections.abc import Iterable, Iterator, Sequence

from schemas.contract import Clause, Term
from schemas.terms import TERMS

PROVEN, UNPROVEN = 0.9, 0.3
"""How often a model's value is right, its quotation found or not."""
SAME_MISTAKE = 0.1
"""How often two that are both wrong say the same."""
MISSED_BY_EMBEDDED, MISSED_BY_MODEL = 0.25, 0.06
"""How often an engine says absent though the value is there."""
ABSENT_ELSE = 0.7
"""How often an engine rightly says absent where the other's value is wrong."""
BOTH = 0.98
ONE = 0.85
"""A clause that both found, and one that the model alone found."""
BOTH_ABSENT = 0.95
_SUREST = 0.97
"""No engine is believed more than this, and none less than what is left."""


def agreed(ours: Sequence[Term], said: Sequence[Term]) -> Iterator[Term]:
    """The terms of both engines as one: `ours` are the embedded engine's, `said` the model's, both checked."""
    for spec in TERMS:
        if spec.derived:
            continue
        one = [term for term in ours if term.term == spec.name]
        other = [term for term in said if term.term == spec.name]
        yield from _parties(one, other) if spec.name == "parties" else [_one(one, other)]


def _one(ours: Sequence[Term], said: Sequence[Term]) -> Term:
    mine, theirs = next(_valued(ours), None), next(_valued(said), None)
    if mine is None and theirs is None:
        return (said or ours)[0].model_copy(update={"confidence": BOTH_ABSENT})
    if theirs is None:
        return _sure(mine, _alone(_belief(mine), MISSED_BY_MODEL))
    if mine is None:
        return _sure(theirs, _alone(_belief_in_model(theirs), MISSED_BY_EMBEDDED))
    if mine.value == theirs.value:
        return _sure(theirs if _is_proven(theirs) else mine, _both(_belief(mine), _belief_in_model(theirs)))
    if _is_proven(mine) and not _is_proven(theirs):
        return _sure(mine, _disputed(_belief(mine), _belief_in_model(theirs)))
    return _sure(theirs, _disputed(_belief_in_model(theirs), _belief(mine)))


def _belief(term: Term) -> float:
    return min(max(term.confidence, 1 - _SUREST), _SUREST) if _is_proven(term) else UNPROVEN


def _belief_in_model(term: Term) -> float:
    return PROVEN if _is_proven(term) else UNPROVEN


def _both(one: float, other: float) -> float:
    """How sure a value is that both say."""
    right, wrong = one * other, (1 - one) * (1 - other) * SAME_MISTAKE
    return right / (right + wrong)


def _disputed(one: float, other: float) -> float:
    """How sure a value is where the other engine says another."""
    right = one * (1 - other)
    return right / (right + (1 - one) * other + (1 - one) * (1 - other))


def _alone(belief: float, missed: float) -> float:
    """How sure a value is where the other engine says absent."""
    right = belief * missed
    return right / (right + (1 - belief) * ABSENT_ELSE)


def _parties(ours: Sequence[Term], said: Sequence[Term]) -> Iterator[Term]:
    """Every party that the model names; those of the embedded engine where the model names none."""
    mine, theirs = list(_valued(ours)), list(_valued(said))
    if not theirs:
        yield from (_sure(term, _alone(_belief(term), MISSED_BY_MODEL)) for term in mine)
        if not mine:
            yield (said or ours)[0].model_copy(update={"confidence": BOTH_ABSENT})
        return
    known = {_key(term): _belief(term) for term in mine}
    for term in theirs:
        model = _belief_in_model(term)
        yield _sure(term, _both(model, known[_key(term)]) if _key(term) in known else _alone(model, MISSED_BY_EMBEDDED))


def _key(term: Term) -> str:
    return "".join(char for char in (term.value or "").lower() if char.isalnum())


def _valued(terms: Iterable[Term]) -> Iterator[Term]:
    return (term for term in terms if term.value is not None)


def _is_proven(term: Term) -> bool:
    return term.evidence in ("verified", "derived")


def _sure(term: Term, confidence: float) -> Term:
    return term.model_copy(update={"confidence": round(confidence, 4)})


def agreed_clauses(ours: Sequence[Clause], said: Sequence[Clause]) -> Iterator[Clause]:
    """The clauses of both: those that both found are surer; of two that overlap the model's quotation is kept."""
    for clause in said:
        if clause.citation:
            twin = any(_overlap(clause, other) for other in ours)
            yield clause.model_copy(update={"confidence": BOTH if twin else ONE})
    for clause in ours:
        if not any(other.citation and _overlap(clause, other) for other in said):
            yield clause.model_copy(update={"confidence": round(clause.confidence * 0.8, 4)})


def _overlap(one: Clause, other: Clause) -> bool:
    if one.clause_type != other.clause_type or not (one.citation and other.citation):
        return False
    a, b = one.citation, other.citation
    return a.char_start < b.char_end and b.char_start < a.char_end
