"""A Japanese contract cut into its articles (条), and its sentences without the line breaks inside them."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property

from extractors.engines.view import Sentence, View
from extractors.japanese_numbers import Unbroken, unbroken
from schemas.base import Frozen
from schemas.contract import Term

_NUMBER = r"第\s*[0-9〇一二三四五六七八九十百]{1,4}\s*条(?:の[0-9一二三四五六七八九十]{1,2})?"
_TITLE = r"[(【\[][^()【】\[\]\n]{1,30}[)】\]]"
_ARTICLE = re.compile(
    rf"(?:^|(?<=[\n。)]))[ \t]*(?:(?P<over>{_TITLE})\s*(?P<below>{_NUMBER})|(?P<number>{_NUMBER})\s*(?P<title>{_TITLE})?)"
    r"(?!\s*(?:第|の|に|及|又|各|で|を|、|か|は|,|も))"
)
_CLOSING = re.compile(r"(?:本契約|本覚書|本書|以上)[^。\n]{0,30}(?:を?証する|証として|証し)")
_LABEL = re.compile(r"^(?:[■●・○]\s*)?(?P<label>[^:。、\n]{2,14}):")
_ASIDE = re.compile(r"\([^()]{1,120}\)")
"""What stands in brackets; a full stop in it would end the sentence for the rules, which look up to the next one."""


def without_inner_stops(text: str) -> str:
    """The text, as long as it was, with commas for the full stops in brackets."""
    return _ASIDE.sub(lambda aside: aside.group().replace("。", "、"), text)


class Article(Frozen):
    """An article from its heading to the next one, as half-open offsets."""

    heading: str
    start: int
    end: int


class Line:
    """A sentence as the rules read it: without line breaks and stops in brackets, below its article's heading."""

    def __init__(self, sentence: Sentence, heading: str):
        self.sentence = sentence
        self.heading = heading
        self._flat: Unbroken = unbroken(sentence.text)
        self.text = without_inner_stops(self._flat.text)

    @cached_property
    def subject(self) -> str:
        """Heading and text: where a word may stand that says what the sentence is about."""
        return f"{self.heading} {self.text}"

    def found(
        self,
        view: View,
        term: str,
        value: str | float | Decimal | date | bool,
        span: tuple[int, int] | None = None,
        *,
        confidence: float,
    ) -> Term:
        """A value that stands at `span` (half-open offsets into `text`), quoted from the document."""
        span = self._flat.back(*span) if span else None
        return view.found(term, value, self.sentence, span, confidence=confidence)


def articles(text: str) -> list[Article]:
    """The articles in the order of the text; what stands above the first and in the closing is in none."""
    found = list(_ARTICLE.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    made = []
    for match, end in zip(found, ends if found else (), strict=True):
        closing = _CLOSING.search(text, match.end(), end)
        title = match["over"] or match["title"] or ""
        number = match["below"] or match["number"]
        heading = re.sub(r"\s+", "", number + title)
        made.append(Article(heading=heading, start=match.start(), end=closing.start() if closing else end))
    return made


def lines(sentences: Iterable[Sentence], within: Sequence[Article]) -> list[Line]:
    """The sentences as lines, each below its article's heading; the label of an order form is one too."""
    return [Line(sentence, heading_at(within, sentence)) for sentence in sentences]


def heading_at(within: Sequence[Article], sentence: Sentence) -> str:
    """The heading of the article in which most of the sentence stands."""
    middle = sentence.start + len(sentence.text) // 2
    article = next((one for one in within if one.start <= middle < one.end), None)
    if article:
        return article.heading
    label = _LABEL.match(sentence.text)
    return label["label"] if label else ""
