"""Does a predicate of the playbook hold for a contract, and what in the contract makes it hold?

Plain data in, plain data out: nothing of a playbook is ever executed.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

from extractors.check import cite
from extractors.furniture import Body
from extractors.furniture import body as body_of
from extractors.names import BUYER_ROLES, SELLER_ROLES, normalised
from extractors.sides import aliases
from extractors.values import number_from_words
from schemas.contract import Clause, Extraction, Term
from schemas.document import Document
from schemas.playbook import (
    DECIMAL_POINT,
    Absent,
    All,
    AnyOf,
    ClauseTest,
    DocumentTest,
    Flagged,
    Judged,
    Limits,
    NoClause,
    Not,
    PartyRole,
    Predicate,
    Present,
    Rule,
    TermTest,
)
from schemas.terms import TERM_BY_NAME

_FOLD = str.maketrans("‘’‚‛“”„–—‑‐\u00a0", "''''\"\"\"---- ")
_FOLD_LINES = _FOLD | str.maketrans("\n\r\f\t", "    ")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[A-Z(\"'\d])")
_CJK_BREAK = re.compile(r"(?<=[\u3000-\u30ff\u3400-\u9fff]) (?=[\u3000-\u30ff\u3400-\u9fff])")
"""What a line break leaves inside a Japanese word."""
_DECIMAL = re.compile(r"(?<=\d)\.(?=\d)")
_NOT_A_SIDE = frozenset({"user", "end user", "end customer", "developer", "agency", "processor", "controller", "party"})
"""Role words that a text also uses for others than the two sides."""
_SUPPLIES = SELLER_ROLES - _NOT_A_SIDE
_PAYS = BUYER_ROLES - _NOT_A_SIDE
_BREAK = "\x1f"
"""Stands between sentences while a text is prepared."""
_LONGEST_SENTENCE = 600
_SOMEBODY_ELSE = re.compile(r"\b(?:other|another|third[- ]party)(?: (?!than\b)[\w-]+)? $")
"""Before a role word: one of that trade who is no party, as in `any other hotel operator`."""
_UNPROVEN = 0.5
"""Confidence of a passage that only a pattern found."""
_BEFORE, _AFTER = 200, 600
"""Characters around a clause in which its exceptions are looked for."""


class Hit(NamedTuple):
    """Why a predicate holds. `trigger` is the term or clause it rests on, None for something missing;
    `number` what was compared, `delta` its distance from the limit."""

    trigger: Term | Clause | None = None
    number: float | None = None
    delta: float | None = None


class Prepared(NamedTuple):
    """A clause as patterns see it: lower case, plain quotes, `@us` and `@them` for the sides."""

    whole: str
    sentences: tuple[str, ...]


class Sentences(NamedTuple):
    """The sentences of a document: half-open offsets, and the texts as patterns see them."""

    spans: list[tuple[int, int]]
    prepared: list[str]


class Facts:
    """One contract, laid out for predicates; clause texts are prepared on first use and kept."""

    def __init__(self, extraction: Extraction, document: Document, library: dict[str, Rule], body: Body | None = None):
        self.document = document
        self.body = body or body_of(document)
        self.terms: dict[str, Term] = {}
        self.parties = [t for t in extraction.terms if t.term == "parties" and t.absence is None]
        self.absences: dict[str, Term] = {}
        self.clauses: dict[str, list[Clause]] = defaultdict(list)
        self.library = library
        self.judgements = {judgement.rule_id: judgement for judgement in extraction.judgements}
        for term in extraction.terms:
            (self.terms if term.absence is None else self.absences).setdefault(term.term, term)
        for clause in extraction.clauses:
            self.clauses[clause.clause_type].append(clause)
        self._prepared: dict[int, Prepared] = {}
        self._flagged: dict[str, Hit | None] = {}

    @property
    def our_role(self) -> str | None:
        return self._value("our_role")

    @property
    def contract_type(self) -> str | None:
        return self._value("contract_type")

    def _value(self, name: str) -> str | None:
        return self.terms[name].value if name in self.terms else None

    def clauses_of(self, clause_types: tuple[str, ...]) -> Iterator[Clause]:
        for clause_type in clause_types:
            yield from self.clauses.get(clause_type, ())

    def prepared(self, clause: Clause) -> Prepared:
        if id(clause) not in self._prepared:
            sentences = self._sentences(clause.text)
            self._prepared[id(clause)] = Prepared(" ".join(sentences), sentences)
        return self._prepared[id(clause)]

    def nearby(self, clause: Clause) -> str:
        """The clause with what stands shortly before and after it: exceptions are often sentences apart."""
        if clause.citation is None:
            return self.prepared(clause).whole
        start, end = clause.citation.char_start - _BEFORE, clause.citation.char_end + _AFTER
        return " ".join(self._sentences(self.document.text[max(0, start) : end]))

    @cached_property
    def document_text(self) -> str:
        """The document in lower case with plain quotes and blanks, character for character."""
        text = _DECIMAL.sub(DECIMAL_POINT, self.document.text.translate(_FOLD_LINES))
        lowered = text.lower()
        return lowered if len(lowered) == len(text) else "".join(c.lower()[0] for c in text)

    @cached_property
    def sentences(self) -> "Sentences":
        """The document's sentences as patterns see them, and where they stand."""
        spans = self.body.sentences
        texts = (_folded(self.document.text[start:end]) for start, end in spans)
        return Sentences(spans, [self._sides(text) for text in texts])

    @cached_property
    def prepared_text(self) -> str:
        """All sentences as one text, to see quickly whether a pattern fits any."""
        return _BREAK.join(self.sentences.prepared)

    def sentence(self, number: int, clause_type: str) -> Clause:
        """A sentence of the document as a clause of a type."""
        start, end = self.sentences.spans[number]
        citation = cite(self.document, start, end)
        text = self.document.text[start:end]
        return Clause(clause_type=clause_type, text=text, start=start, citation=citation, confidence=_UNPROVEN)

    def _sentences(self, text: str) -> tuple[str, ...]:
        plain = _SENTENCE_END.sub(_BREAK, " ".join(text.translate(_FOLD).split())).lower()
        plain = _DECIMAL.sub(DECIMAL_POINT, _CJK_BREAK.sub("", plain))
        return tuple(self._sides(plain).split(_BREAK))

    def flagged(self, rule_id: str) -> Hit | None:
        """The hit of the first case of another rule that holds."""
        if rule_id not in self._flagged:
            self._flagged[rule_id] = None  # a rule that refers to itself does not hold
            cases = self.library[rule_id].when if rule_id in self.library else ()
            self._flagged[rule_id] = next((hit for c in cases if (hit := holds(c.if_, self))), None)
        return self._flagged[rule_id]

    def _sides(self, text: str) -> str:
        names = self._side_names
        return names.sub(self._side, text) if names else text

    @staticmethod
    def _side(match: re.Match[str]) -> str:
        if _SOMEBODY_ELSE.search(match.string, max(0, match.start() - 40), match.start()):
            return match[0]
        return "@us" if match[1] else "@them"

    @cached_property
    def _side_names(self) -> re.Pattern[str] | None:
        """Our names and role words in the first group, theirs in the second; None without a role."""
        if self.our_role not in ("seller", "buyer"):
            return None
        ours, theirs = (_SUPPLIES, _PAYS) if self.our_role == "seller" else (_PAYS, _SUPPLIES)
        us = _either(self._party_names("our_entity", True) | ours)
        them = _either(self._party_names("counterparty", False) | theirs)
        return re.compile(rf"(?<!end )\b(?:({us})|({them}))(?!\w)")

    def _party_names(self, term: str, ours: bool) -> set[str]:
        """A side's full name, its name without legal form, and the label the contract gives it."""
        our_name, own = self._value("our_entity"), self._value(term)
        parties = [p for p in self.parties if our_name and (p.value == our_name) is ours]
        labels = {p.role for p in parties if p.role and p.role.lower() not in _NOT_A_SIDE}
        names = {own, *(p.value for p in parties)} - {None}
        rivals = [p.value for p in self.parties if p.value not in names]
        labels |= {alias for name in names for alias in aliases(self.document.text, name, rivals)}
        lowered = {" ".join(n.translate(_FOLD).lower().split()) for n in names | labels}
        return {name for name in lowered | {normalised(n) for n in names} if len(name) > 2 or name in ("we", "us")}


def _either(names: set[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))


def holds(predicate: Predicate, facts: Facts) -> Hit | None:
    """Why the predicate holds for this contract, or None when it does not."""
    return _TESTS[type(predicate)](predicate, facts)


def in_scope(rule, facts: Facts) -> bool:
    """Whether a rule's side and contract types take in this contract."""
    if rule.side != "any" and rule.side != facts.our_role:
        return False
    if rule.contract_types and facts.contract_type not in rule.contract_types:
        return False
    return facts.contract_type not in rule.not_contract_types


def fill(template: str, hit: Hit, facts: Facts, **slots: str) -> str:
    """A template with its slots filled; a term without a value reads `not stated`."""
    currency = facts.terms.get("currency")
    money = f"{currency.value} " if currency and currency.value else ""
    terms = {name: shown(term, money) for name, term in facts.terms.items()}
    found = shown(hit.trigger, money) if isinstance(hit.trigger, Term) else "the clause quoted"
    base = {"found": found, "number": plain_number(hit.number), "delta": plain_number(hit.delta)}
    return template.format_map(_Slots({**terms, **base, **slots}))


def shown(term: Term, money: str = "") -> str:
    """A term's value as a reader would write it: 60 days, 1.5 % per month, 2026-01-31; `money` stands before
    amounts."""
    unit = term.unit or TERM_BY_NAME[term.term].unit
    if term.value_date is not None:
        return term.value_date.isoformat()
    if term.value_number is None:
        return term.value or ""
    before = money if term.term in _AMOUNTS else ""
    return f"{before}{plain_number(term.value_number)} {_UNIT_WORDS.get(unit, unit) or ''}".rstrip()


_AMOUNTS = {name for name, spec in TERM_BY_NAME.items() if spec.type == "money"} | {"termination_fee"}
_UNIT_WORDS = {"percent": "%", "percent_per_month": "% per month"}


def plain_number(number: float | None) -> str:
    """A number without needless decimals, thousands apart."""
    return "" if number is None else f"{number:,.2f}".rstrip("0").rstrip(".")


class _Slots(dict):
    def __missing__(self, key: str) -> str:
        return "not stated"


def _term_test(test: TermTest, facts: Facts) -> Hit | None:
    term = facts.terms.get(test.term)
    if term is None or (test.is_ and term.value not in test.is_) or term.value in test.is_not:
        return None
    value = _folded(term.value)
    if (test.matches and not _any(test.matches, value)) or _any(test.unless, value):
        return None
    if test.quoted and not _any(test.quoted, _folded(term.quote)):
        return None
    if not test.bounds:
        return Hit(term, term.value_number)
    number = _compared(test, term, facts)
    return Hit(term, number, _delta(test, number)) if _within(test, number) else None


def _folded(text: str | None) -> str:
    plain = _CJK_BREAK.sub("", " ".join((text or "").translate(_FOLD).lower().split()))
    return _DECIMAL.sub(DECIMAL_POINT, plain)


def _compared(test: TermTest, term: Term, facts: Facts) -> float | None:
    """The number a test is about: the value itself, days up to another date, or a share of another number."""
    other = facts.terms.get(test.days_before or test.share_of or "")
    if test.days_before:
        dates = (term.value_date, other.value_date if other else None)
        return float((dates[1] - dates[0]).days) if all(dates) else None
    if test.share_of:
        whole = other.value_number if other else None
        return term.value_number / whole if whole and term.value_number is not None else None
    return term.value_number


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "greater_than": lambda number, bound: number > bound,
    "at_least": lambda number, bound: number >= bound,
    "less_than": lambda number, bound: number < bound,
    "at_most": lambda number, bound: number <= bound,
}


def _within(limits: Limits, number: float | None) -> bool:
    return number is not None and all(_COMPARE[name](number, bound) for name, bound in limits.bounds)


def _delta(limits: Limits, number: float) -> float:
    return abs(number - limits.bounds[0][1])


def _any(patterns: tuple[re.Pattern[str], ...], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)


def _present(test: Present, facts: Facts) -> Hit | None:
    term = facts.terms.get(test.present)
    return Hit(term, term.value_number) if term else None


def _absent(test: Absent, facts: Facts) -> Hit | None:
    if test.absent in facts.terms:
        return None
    row = facts.absences.get(test.absent)
    return Hit() if row is None or row.absence in test.because else None


def _clause_test(test: ClauseTest, facts: Facts) -> Hit | None:
    for clause in facts.clauses_of(test.clause):
        hit = _in_clause(test, clause, facts)
        if hit:
            return hit
    return _anywhere(test, facts) if test.anywhere else None


def _anywhere(test: ClauseTest, facts: Facts) -> Hit | None:
    """A sentence of the document that does it; it is quoted as a clause of the test's first type."""
    if not _any(test.matches, facts.prepared_text):
        return None
    for number, passage in enumerate(facts.sentences.prepared):
        if _any(test.matches, passage):
            clause = facts.sentence(number, test.clause[0])
            hit = _in_passage(test, clause, passage)
            if hit and not (test.unless_nearby and _any(test.unless_nearby, facts.nearby(clause))):
                return hit
    return None


def _in_clause(test: ClauseTest, clause: Clause, facts: Facts) -> Hit | None:
    text = facts.prepared(clause)
    if test.within == "nearby":
        passages: tuple[str, ...] = (facts.nearby(clause),)
    elif test.matches and not _any(test.matches, text.whole):  # most clauses leave here
        return None
    else:
        passages = (text.whole,) if test.within == "clause" else text.sentences
    hit = next((hit for passage in passages if (hit := _in_passage(test, clause, passage))), None)
    return None if hit and test.unless_nearby and _any(test.unless_nearby, facts.nearby(clause)) else hit


def _in_passage(test: ClauseTest, clause: Clause, passage: str) -> Hit | None:
    if (test.also and not _any(test.also, passage)) or _any(test.unless, passage):
        return None
    if test.bounds:
        numbers = (_number(m[m.lastindex or 0]) for p in test.matches for m in p.finditer(passage))
        number = next((n for n in numbers if _within(test, n)), None)
        return None if number is None else Hit(clause, number, _delta(test, number))
    return Hit(clause) if not test.matches or _any(test.matches, passage) else None


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    if (spelled := number_from_words(text)) is not None:
        return float(spelled)
    digits = text.replace(",", "").replace(DECIMAL_POINT, ".")
    return float(digits) if re.fullmatch(r"\d+(?:\.\d+)?", digits) else None


def _no_clause(test: NoClause, facts: Facts) -> Hit | None:
    return None if any(facts.clauses.get(name) for name in test.no_clause) else Hit()


def _document_test(test: DocumentTest, facts: Facts) -> Hit | None:
    text = facts.document_text
    for pattern in test.document:
        for match in pattern.finditer(text):
            start, end = _sentence_around(text, match.start(), match.end())
            sentence = text[start:end]
            if (not test.also or _any(test.also, sentence)) and not _any(test.unless, sentence):
                return Hit(_passage(test, facts.document, start, end))
    return None


def _sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    before = max(text.rfind(". ", max(0, start - _LONGEST_SENTENCE), start) + 2, 1, start - _LONGEST_SENTENCE)
    after = text.find(". ", end, end + _LONGEST_SENTENCE)
    last = after + 1 if after >= 0 else min(len(text), end + _LONGEST_SENTENCE)
    first = 0 if before == 1 else before
    return first + len(text[first:last]) - len(text[first:last].lstrip()), last


def _passage(test: DocumentTest, document: Document, start: int, end: int) -> Clause:
    return Clause(
        clause_type=test.clause_type,
        text=document.text[start:end],
        start=start,
        citation=cite(document, start, end),
        confidence=_UNPROVEN,
    )


def _party_role(test: PartyRole, facts: Facts) -> Hit | None:
    return next((Hit(p) for p in facts.parties if p.role and _any(test.party_role, p.role.lower())), None)


def _flagged(test: Flagged, facts: Facts) -> Hit | None:
    return facts.flagged(test.flagged)


def _judged(test: Judged, facts: Facts) -> Hit | None:
    """An engine's judgement counts where its quotation stands on the page and it cites position and standard."""
    rule, said = facts.library[test.judged], facts.judgements.get(test.judged)
    if said is None or said.departs != "yes" or not said.citation:
        return None
    if rule.section not in said.references or not set(said.references) & set(rule.references):
        return None
    return Hit(Clause(clause_type=rule.clause, text=said.quote, citation=said.citation, confidence=_UNPROVEN))


def _all(test: All, facts: Facts) -> Hit | None:
    hits = []
    for part in test.all:
        hit = holds(part, facts)
        if hit is None:
            return None
        hits.append(hit)
    return next((hit for hit in hits if hit.trigger is not None), hits[0])


def _any_of(test: AnyOf, facts: Facts) -> Hit | None:
    return next((hit for part in test.any if (hit := holds(part, facts))), None)


def _not(test: Not, facts: Facts) -> Hit | None:
    return None if holds(test.not_, facts) else Hit()


_TESTS: dict[type, Callable[..., Hit | None]] = {
    TermTest: _term_test,
    Present: _present,
    Absent: _absent,
    ClauseTest: _clause_test,
    NoClause: _no_clause,
    DocumentTest: _document_test,
    PartyRole: _party_role,
    Flagged: _flagged,
    Judged: _judged,
    All: _all,
    AnyOf: _any_of,
    Not: _not,
}
