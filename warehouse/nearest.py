"""The named question nearest to somebody's own words, without a model: words, beginnings of words and other wordings.

Every question is the words of its sentence, its name, its parameters and its other wordings (`-- also:`). Words are
cut to their stems, those that mean the same in the trade are one, and they are weighed by how few questions have them
(inverse document frequency); a word with a typing error counts as the word it is near. Four views are mixed: how much
of what was asked the question covers, how alike both are as a whole, how alike the nearest of its wordings is, and how
alike their letters are. The first view refuses best: words that no question knows weigh most.
`contract-agent benchmark ask` measures it.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from rapidfuzz import fuzz

from warehouse.questions import Question, questions

ENOUGH = 0.42
"""Scores from here on are near enough to answer; below, the nearest are only shown."""
COVER, WHOLE, WORDING, LETTERS = 0.5, 0.15, 0.2, 0.15
"""What the views count for."""
OTHER_SIGN = 0.45
"""What is left of a score where one side says "not" or "without" and the other does not."""
_TYPO = 84.0
_LEAST_TYPO_LETTERS = 5

_SAY_NOTHING = """
a about after all also am an and any anybody anyone anything anywhere are as ask at be because been but by can
contract contracts agreement agreements could did do does document documents each ever every find first for from get
give got had has have here his how i if in into is it its just let like list look made make many may me might more
most much my need of on one only or other others our out over please see shall should show so some somebody someone
something somewhere such tell than that the their them then there these they thing this those through to too under us
was we were what when where whether which while who whom whose why will with within would you your clause clauses
contain contains containing provision provisions happen happens happened go goes went away currently today hi hello
thanks whats thats still left compare compared day days week weeks month months year years two three four five six
seven eight nine ten twenty thirty forty sixty ninety hundred thousand million billion percent top above beyond below
least exceed exceeds exceeding january february march april june july august september october november december
"""
_STOP_WORDS = frozenset(_SAY_NOTHING.split())
_MEAN_THE_SAME = """
customer client; vendor supplier; terminate cancel leave exit; sign signature execute; bill invoice;
amendment addendum modification; renew extend extension prolong; expire lapse; assign transfer novate;
acquire merge merger takeover; minimum floor; cap limit maximum; photo picture photograph;
handwriting handwritten pen ink; duplicate double twice; purchase buy; review check look examine approve;
person people human reviewer; agent machine; wrong false; cash money; pay paid payment; missing lack miss absent;
correct override overrule; open pending outstanding unresolved; flag finding deviation; restrict lock bind;
price pricing; yearly annual; prove proof evidence; billed invoicing; receive arrive; include contain
"""
_SAY_NOT = "no not without never none nobody nothing dont doesnt didnt isnt arent cant wont cannot"
_NEGATIONS = frozenset(_SAY_NOT.split())
_WORD = re.compile(r"[^\W\d_]+")
_UN = re.compile(r"un(?!less|ion|ique|iver|iform|ilateral|der)[a-z]{4,}")
_DOUBLED = re.compile(r"([bdgmnprt])\1$")
_ENDINGS = ("ations", "ation", "ments", "ment", "ings", "ing", "ies", "ied", "ers", "er", "est", "ed", "es", "ly", "s")


class Near(NamedTuple):
    """A question, how near it is (0 to 1), and the words asked that it has no counterpart of."""

    question: Question
    score: float
    unused: tuple[str, ...]

    @property
    def is_near(self) -> bool:
        """Whether it may be answered instead of what was asked."""
        return self.score >= ENOUGH


def nearest(words: str, count: int = 3) -> list[Near]:
    """The questions nearest to these words, best first; none where the words say nothing."""
    index = _index()
    asked = index.known_as(_spoken(words))
    if not asked:
        return []
    found = [index.near(question, words, asked) for question in questions()]
    return sorted(found, key=lambda near: (-near.score, near.question.number))[:count]


class _Spoken(NamedTuple):
    """A word as written and its stem."""

    written: str
    stem: str


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower().replace("’", "'").replace("'", "")


def _spoken(text: str) -> list[_Spoken]:
    """The words that carry meaning."""
    found = _WORD.findall(_folded(text))
    return [_Spoken(word, _stem(word)) for word in found if word not in _STOP_WORDS and word not in _NEGATIONS]


def _stems(text: str) -> Counter[str]:
    return Counter(word.stem for word in _spoken(text))


def _is_negated(text: str) -> bool:
    """Whether it says not; saying it twice takes it back."""
    found = [word for word in _WORD.findall(_folded(text)) if word in _NEGATIONS or _UN.fullmatch(word)]
    return len(found) % 2 == 1


def _negated_stems(wordings: Iterable[str]) -> frozenset[str]:
    """The stems of the phrases that say not."""
    phrases = (phrase for wording in wordings for phrase in re.split(r"[,;.:]", wording))
    return frozenset(stem for phrase in phrases if _is_negated(phrase) for stem in _stems(phrase))


def _stem(word: str) -> str:
    """The stem of the word, or of the word that means the same."""
    stem = _bare_stem(word)
    return _same().get(stem, stem)


def _bare_stem(word: str) -> str:
    """The word without its ending, and without "un"; at least four letters stay, of a plural three."""
    if _UN.fullmatch(word):
        word = word.removeprefix("un")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= (3 if ending == "s" else 4):
            word = word.removesuffix(ending)
            break
    word = _DOUBLED.sub(r"\1", word)
    return word.removesuffix("e").replace("licens", "licenc") if len(word) > 4 else word


@cache
def _same() -> Mapping[str, str]:
    """The first of the stems that mean the same, for each of the others."""
    groups = [[_bare_stem(word) for word in group.split()] for group in _MEAN_THE_SAME.split(";")]
    return {other: first for first, *others in groups for other in others}


class _Index:
    """The questions as weighed words, and what each word weighs."""

    def __init__(self, known: Iterable[Question]) -> None:
        texts = {question.name: list(_wordings(question)) for question in known}
        self._wordings = {name: [_stems(text) for text in all_] for name, all_ in texts.items()}
        self._words = {name: sum(all_, Counter()) for name, all_ in self._wordings.items()}
        self._negated = {name: _negated_stems(all_) for name, all_ in texts.items()}
        self._letters = {name: _pieces(" ".join(all_)) for name, all_ in texts.items()}
        self._weights = _rarity(self._words.values())
        self._piece_weights = _rarity(self._letters.values())
        self._unknown = math.log(1 + len(texts) / 0.5)

    def known_as(self, asked: Iterable[_Spoken]) -> list[_Spoken]:
        """The words with typing errors mended where a known word is near."""
        return [each._replace(stem=self._mended(each.stem)) for each in asked]

    def _mended(self, stem: str) -> str:
        if stem in self._weights or len(stem) < _LEAST_TYPO_LETTERS:
            return stem
        best = max(self._weights, key=lambda known: fuzz.ratio(stem, known))
        return best if fuzz.ratio(stem, best) >= _TYPO else stem

    def near(self, question: Question, words: str, asked: list[_Spoken]) -> Near:
        """How near a question is to the words."""
        has = self._words[question.name]
        wanted = Counter(each.stem for each in asked)
        total = sum(self._weight(stem) for stem in wanted)
        covered = sum(self._weight(stem) for stem in wanted if stem in has)
        pieces = _pieces(words)
        score = (
            COVER * covered / total
            + WHOLE * _cosine(wanted, has, self._weights, self._unknown)
            + WORDING
            * max(_cosine(wanted, each, self._weights, self._unknown) for each in self._wordings[question.name])
            + LETTERS * _cosine(pieces, self._letters[question.name], self._piece_weights, self._unknown)
        )
        if _is_negated(words) and not self._negated[question.name] & wanted.keys():
            score *= OTHER_SIGN
        unused = dict.fromkeys(each.written for each in asked if each.stem not in has)
        return Near(question, round(score, 4), tuple(unused))

    def _weight(self, stem: str) -> float:
        return self._weights.get(stem, self._unknown)


@cache
def _index() -> _Index:
    return _Index(questions())


def _wordings(question: Question) -> Iterable[str]:
    yield question.question
    yield question.name.replace("_", " ")
    yield from question.also
    yield from (parameter.sentence for parameter in question.parameters)


def _pieces(text: str) -> Counter[str]:
    """The letters of the words that carry meaning, four at a time, each word with its ends."""
    found: Counter[str] = Counter()
    for word in _spoken(text):
        padded = f" {word.written} "
        found.update(padded[at : at + 4] for at in range(max(1, len(padded) - 3)))
    return found


def _rarity(bags: Iterable[Counter[str]]) -> Mapping[str, float]:
    """What each entry weighs: more, the fewer bags it is in."""
    bags = list(bags)
    held = Counter(entry for bag in bags for entry in bag)
    return {entry: math.log(1 + len(bags) / count) for entry, count in held.items()}


def _cosine(one: Counter[str], other: Counter[str], weights: Mapping[str, float], unknown: float) -> float:
    """The cosine of two weighed bags; what is there often counts by its logarithm."""
    a, b = ({k: (1 + math.log(n)) * weights.get(k, unknown) for k, n in bag.items()} for bag in (one, other))
    length = math.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values()))
    return sum(v * b[k] for k, v in a.items() if k in b) / length if length else 0.0
