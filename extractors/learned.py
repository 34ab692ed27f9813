"""Learned: what people's decisions foretell of terms and flags. Runs after the engine, and only if it was adopted.

It invents nothing. A term may get another value only of those that people set for the same quotation, or that of
another place which the engine had found and `check` has proven; a flag never goes, it is doubted. Each change says
why, and how many decisions stand behind it.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import exp, sqrt
from typing import NamedTuple

import numpy as np

from extractors.characters import is_cjk
from extractors.check import is_supported
from schemas.contract import Extraction, Flag, Term
from schemas.learned import Calibration, Kind, Learned, Opinion
from schemas.terms import TERM_BY_NAME

SURE = 0.8
"""Probability from which an opinion counts."""
KNOWN = 0.5
"""Least share of a quotation's words that decisions have met; below it the wording is a new one."""

CHOSEN, NONE = "(chosen)", "(none)"
_WORD = re.compile(r"[^\W\d_]+|\d+")


class Option(NamedTuple):
    """What a term could be: a value, the quotation it would rest on, and the term as it would be."""

    value: str
    quote: str
    term: Term


def words(text: str) -> set[str]:
    """The words of a text in lower case, numbers as `#`; of Chinese characters, kana and the like each pair."""
    text = " ".join(text.split()).lower()
    if is_cjk(text):
        return {text[at : at + 2] for at in range(len(text) - 1) if " " not in text[at : at + 2]}
    return {"#" if word.isdigit() else word for word in _WORD.findall(text)}


def pairs(text: str) -> set[str]:
    """Each two words that follow each other."""
    text = " ".join(text.split()).lower()
    if is_cjk(text):
        return set()
    found = ["#" if word.isdigit() else word for word in _WORD.findall(text)]
    return {f"{one} {other}" for one, other in pairwise(found)}


def features(field: Kind, value: str, text: str, vocabulary: frozenset[str], *, chosen: bool, by_value: bool):
    """What of an option is weighed: its words, with the value where one quotation could mean several values."""
    found = (words(text) | pairs(text)) & vocabulary
    scale = 1 / sqrt(max(1, len(found)))
    named = {f"{value}|{word}" if by_value else word: scale for word in found}
    if by_value:
        named[value] = 1.0
    if chosen:
        named[CHOSEN] = 1.0
    return named


def is_by_value(field: str) -> bool:
    """Whether a term's values are few and known, so that the same words may mean another one."""
    return TERM_BY_NAME[field].type in ("choice", "flag")


def is_known(text: str, vocabulary: frozenset[str]) -> bool:
    """Whether decisions have met most of the words."""
    said = words(text)
    return bool(said) and len(said & vocabulary) >= KNOWN * len(said)


def options(term: Term, alternatives: Iterable[Term], values: Iterable[str]) -> list[Option]:
    """What a term could be, first what it is: the values people set for a choice, and other proven places."""
    found = [Option(term.value or "", term.quote or "", term)]
    if is_by_value(term.term):
        others = (term.model_copy(update={"value": value}) for value in values)
        found += [Option(other.value, other.quote or "", _as_proven(other)) for other in others]
    found += [
        Option(other.value, other.quote, other)
        for other in alternatives
        if other.term == term.term and other.value and other.quote and other.evidence == "verified"
    ]
    seen: dict[tuple[str, str], Option] = {}
    by_quote = is_by_value(term.term)
    for option in found:
        seen.setdefault((option.value, option.quote if by_quote else ""), option)
    return list(seen.values())


def _as_proven(term: Term) -> Term:
    supported = term.citation is not None and is_supported(term, term.quote or "")
    return term.model_copy(update={"evidence": "verified" if supported else "unverified"})


class Weighed:
    """An opinion ready to weigh."""

    def __init__(self, opinion: Opinion):
        self.opinion = opinion
        self._vocabulary = frozenset(opinion.vocabulary)
        self._by_value = opinion.target == "term" and is_by_value(opinion.field)

    def knows(self, text: str) -> bool:
        """Whether the words are such as decisions were made on."""
        return is_known(text, self._vocabulary)

    def chances(self, given: Sequence[tuple[str, str]]) -> list[float]:
        """The probability of each value with its text, the first being the engine's, and last that of none."""
        scores = [self._score(at, value, text) for at, (value, text) in enumerate(given)]
        scores.append(self.opinion.weights.get(NONE, 0.0))
        highest = max(scores)
        raised = [exp(score - highest) for score in scores]
        return [one / sum(raised) for one in raised]

    def _score(self, at: int, value: str, text: str) -> float:
        weights = self.opinion.weights
        return sum(weights.get(name, 0.0) * size for name, size in self._features(at, value, text).items())

    def _features(self, at: int, value: str, text: str) -> dict[str, float]:
        return features(self.opinion.target, value, text, self._vocabulary, chosen=at == 0, by_value=self._by_value)

    def lowered(self, confidence: float, chance: float) -> float:
        """The confidence in what is doubted: no lower than the opinion itself can be relied on."""
        return round(min(confidence, max(chance, 1 - self.opinion.reliability)), 4)

    def speaks_for(self, now: tuple[str, str], was: tuple[str, str], most: int = 3) -> list[str]:
        """The words that weigh most for one option against the first."""
        sums: dict[str, float] = {}
        for sign, at, (value, text) in ((1, 1, now), (-1, 0, was)):
            for name, size in self._features(at, value, text).items():
                word = name.rpartition("|")[2]
                if name not in (CHOSEN, value):
                    sums[word] = sums.get(word, 0.0) + sign * size * self.opinion.weights.get(name, 0.0)
        best = sorted((word for word in sums if sums[word] > 0), key=lambda word: (-sums[word], word))
        return best[:most]


class SecondOpinion:
    """What was learnt, ready for contracts."""

    def __init__(self, learned: Learned):
        self.version = learned.version
        self._opinions = {(one.target, one.field, one.extractor): Weighed(one) for one in learned.opinions}
        self._calibrations = {(one.target, one.field, one.capture_class): one for one in learned.calibrations}

    def terms(self, extraction: Extraction) -> dict[str, Term]:
        """The terms that should be something else or are doubted, by name."""
        found = {}
        for term in extraction.terms:
            weighed = self._opinions.get(("term", term.term, extraction.engine.extractor))
            if weighed and term.value and term.quote and (other := self._reconsidered(term, extraction, weighed)):
                found[term.term] = other
        return found

    def _reconsidered(self, term: Term, extraction: Extraction, weighed: Weighed) -> Term | None:
        given = [
            option
            for option in options(term, extraction.alternatives, weighed.opinion.values)
            if weighed.knows(option.quote)
        ]
        if not given or given[0].term is not term:
            return None
        chances = weighed.chances([(option.value, option.quote) for option in given])
        best = int(np.argmax(chances))
        if best == 0 or chances[best] < SURE:
            return None
        if best == len(given):
            why = _doubt(weighed.opinion, f"the value {term.value}", chances[best])
            return term.model_copy(update={"confidence": weighed.lowered(term.confidence, chances[0]), "learned": why})
        chosen = given[best]
        why = _change(weighed, (chosen.value, chosen.quote), (term.value, term.quote))
        sure = round(min(chances[best], weighed.opinion.reliability), 4)
        return chosen.term.model_copy(update={"confidence": sure, "learned": why})

    def flags(self, flags: Sequence[Flag]) -> list[Flag]:
        """The same flags; those that people mostly find not to apply are doubted and say why."""
        return [self._doubted(flag) for flag in flags]

    def _doubted(self, flag: Flag) -> Flag:
        weighed = self._opinions.get(("flag", flag.rule_id, None))
        said = flag_words(flag.found, flag.quote)
        if weighed is None or flag.status != "proposed" or not weighed.knows(said):
            return flag
        applies, does_not = weighed.chances([("", said)])
        if does_not < SURE:
            return flag
        why = _doubt(weighed.opinion, f"the flag {flag.rule_id}", does_not)
        return flag.model_copy(update={"confidence": weighed.lowered(flag.confidence, applies), "learned": why})

    def calibrated(self, target: Kind, field: str, capture_class: str, confidence: float) -> float:
        """The confidence as people's agreement tells it; as it is where too few decided."""
        found = self._calibrations.get((target, field, capture_class)) or self._calibrations.get((target, field, None))
        return along(found, confidence) if found else confidence


def flag_words(found: str, quote: str | None) -> str:
    """What of a flag is weighed."""
    return f"{found} {quote or ''}"


def along(calibration: Calibration, confidence: float) -> float:
    """The share of agreement at a confidence."""
    across, up = zip(*calibration.steps, strict=True)
    return round(float(np.interp(confidence, across, up)), 4)


def undecided(flag: Flag, why: str) -> Flag:
    """A flag that rests on a value which what was learnt holds for another one: it stays, doubted."""
    return flag.model_copy(update={"confidence": round(min(flag.confidence, 1 - SURE), 4), "learned": why})


def _doubt(opinion: Opinion, what: str, chance: float) -> str:
    return (
        f"{opinion.corrections} of {opinion.decisions} decisions on {opinion.field} went against it, and by its "
        f"wording {what} is probably ({chance:.0%}) one of these."
    )


def _change(weighed: Weighed, now: tuple[str, str], was: tuple[str, str]) -> str:
    opinion = weighed.opinion
    times = opinion.instead.get(change(was[0], now[0])) if is_by_value(opinion.field) else None
    told = (
        f"{times} of {opinion.decisions} decisions on {opinion.field} set {now[0]} in place of {was[0]}"
        if times
        else f"{opinion.corrections} of {opinion.decisions} decisions on {opinion.field} took another value than the "
        f"first; it was {was[0]}"
    )
    speaking = weighed.speaks_for(now, was)
    return told + (f". For {now[0]} speak: {', '.join(speaking)}." if speaking else ".")


def change(was: str, now: str) -> str:
    """How a correction is counted."""
    return f"{was} -> {now}"
