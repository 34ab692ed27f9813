"""Check: every quotation is looked for in the document, and every value derived again from its quotation.

The fifth step of the line. Found word for word, a quotation is exact; nearly so, it counts only when its
numbers and negations are the same, since a near match alone accepts an altered number almost always. What is
not proven is marked `unverified`; nothing is dropped and nothing reworded.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from difflib import SequenceMatcher
from itertools import pairwise

from rapidfuzz import fuzz

from extractors.characters import is_cjk
from extractors.japanese_numbers import closing_days, laws, lengths, notices, rates, unbroken, within
from extractors.values import (
    NUMBER_WORDS,
    amounts,
    dates,
    durations,
    number_from_words,
    percents,
    plain_number,
)
from schemas.contract import Citation, Clause, Extraction, Judgement, Term
from schemas.document import Box, Document, Word
from schemas.terms import TERM_BY_NAME

NEAR = 85.0
"""Least share of equal characters, in percent, of a near match."""

SHORTEST_NEAR = 20
"""Shorter quotations must stand there exactly: few characters match nearly anywhere."""


def check(extraction: Extraction, document: Document) -> Extraction:
    """The same extraction, each quotation with its citation or without one, each term with its evidence."""
    text = FlatText(document.text)
    return extraction.model_copy(
        update={
            "terms": tuple(_checked_term(term, text, document) for term in extraction.terms),
            "alternatives": tuple(_checked_term(term, text, document) for term in extraction.alternatives),
            "clauses": tuple(_checked_clause(clause, text, document) for clause in extraction.clauses),
            "judgements": tuple(_checked_judgement(one, text, document) for one in extraction.judgements),
        }
    )


def _checked_term(term: Term, text: "FlatText", document: Document) -> Term:
    if term.value is None or term.evidence == "derived":
        return term
    if not term.quote:
        return term.model_copy(update={"evidence": "unverified", "citation": None})
    found = text.find(term.quote, term.start)
    if found is None:  # where a person should look, if anywhere
        place = text.locate(term.quote)
        citation = cite(document, *place) if place else None
        return term.model_copy(update={"evidence": "unverified", "citation": citation})
    citation = cite(document, *found)
    quoted = document.text[citation.char_start : citation.char_end]
    # A reader who opens the cited page must find all of it there.
    on_one_page = citation.page_end == citation.page_number
    proven = on_one_page and is_supported(term, quoted)
    return term.model_copy(
        update={
            "citation": citation,
            "evidence": "verified" if proven else "unverified",
            "confidence": round(term.confidence * reading_confidence(document, citation), 4),
        }
    )


def _checked_clause(clause: Clause, text: "FlatText", document: Document) -> Clause:
    found = text.find(clause.text, clause.start)
    return clause.model_copy(update={"citation": cite(document, *found) if found else None})


def _checked_judgement(judgement: Judgement, text: "FlatText", document: Document) -> Judgement:
    found = text.find(judgement.quote, judgement.start) if judgement.quote else None
    return judgement.model_copy(update={"citation": cite(document, *found) if found else None})


class FlatText:
    """A text with every run of white space as one blank, and the way back to its offsets."""

    def __init__(self, text: str):
        tokens = list(re.finditer(r"\S+", text))
        self.text = " ".join(token.group() for token in tokens)
        self._original = [token.start() for token in tokens]
        self._flat: list[int] = []
        at = 0
        for token in tokens:
            self._flat.append(at)
            at += len(token.group()) + 1

    def find(self, quote: str, near: int | None = None) -> tuple[int, int, float] | None:
        """Start and end in the original text and the match's score (1.0 exact); None when not found.

        Of several exact places the one nearest to `near` (an offset into the original text) is taken.
        """
        flat_quote = " ".join(quote.split())
        if not flat_quote:
            return None
        hint = self._to_flat(near or 0)
        if self.text.startswith(flat_quote, hint) and self._stands_alone(flat_quote, hint):
            places = [hint]  # where the engine said: no need to look at all the others
        else:
            places = self._places(flat_quote)
        if places:
            start = min(places, key=lambda place: abs(place - hint))
            return self._back(start), self._back(start + len(flat_quote) - 1) + 1, 1.0
        return self._find_near(flat_quote)

    def _places(self, quote: str) -> list[int]:
        found, at = [], self.text.find(quote)
        while at >= 0:
            if self._stands_alone(quote, at):
                found.append(at)
            at = self.text.find(quote, at + 1)
        return found

    def _stands_alone(self, quote: str, at: int) -> bool:
        """Whether the quotation is no part of a longer word or number: `30 days` in `130 days`, `200` in `1,200`."""
        before, after = self.text[max(0, at - 2) : at], self.text[at + len(quote) : at + len(quote) + 2]
        if quote[0].isalnum() and (_WORD_END.search(before) or (quote[0].isdigit() and _NUMBER_END.search(before))):
            return False
        ends = quote[-1].isalnum() and (
            _WORD_START.match(after) or (quote[-1].isdigit() and _NUMBER_START.match(after))
        )
        return not ends

    def locate(self, quote: str) -> tuple[int, int, float] | None:
        """Where the text is most like the quotation, if at all: a place to look at, and no proof of anything."""
        near = self._nearest(" ".join(quote.split()))
        return (self._back(near[0]), self._back(near[1] - 1) + 1, near[2]) if near else None

    def _nearest(self, quote: str) -> tuple[int, int, float] | None:
        if len(quote) < SHORTEST_NEAR:
            return None
        match = fuzz.partial_ratio_alignment(quote, self.text, score_cutoff=NEAR)
        if match is None or match.dest_end <= match.dest_start:
            return None
        return *self._whole_words(match.dest_start, match.dest_end), match.score / 100

    def _find_near(self, quote: str) -> tuple[int, int, float] | None:
        near = self._nearest(quote)
        if near is None:
            return None
        start, end = self._same_words(quote, near[0], near[1])
        if start >= end or critical_tokens(self.text[start:end]) != critical_tokens(quote):
            return None
        return self._back(start), self._back(end - 1) + 1, near[2]

    def _same_words(self, quote: str, start: int, end: int) -> tuple[int, int]:
        """The span without the words at its ends that the quotation lacks; empty when it says other words."""
        there, quoted = self.text[start:end].split(" "), quote.split(" ")
        steps = [s for s in SequenceMatcher(None, there, quoted, autojunk=False).get_opcodes() if s[0] != "equal"]
        for _, i, j, k, m in steps:
            if i == 0 and k == m:
                start += len(" ".join(there[:j])) + 1
            elif j == len(there) and k == m:
                end -= len(" ".join(there[i:])) + 1
            elif not _is_misread("".join(there[i:j]), "".join(quoted[k:m])):
                return start, start
        return start, end

    def _whole_words(self, start: int, end: int) -> tuple[int, int]:
        while start > 0 and self.text[start - 1] != " ":
            start -= 1
        while end < len(self.text) and self.text[end] != " ":
            end += 1
        return start, end

    def _to_flat(self, offset: int) -> int:
        token = max(0, bisect_right(self._original, offset) - 1)
        return self._flat[token] + offset - self._original[token] if self._flat else 0

    def _back(self, offset: int) -> int:
        token = bisect_right(self._flat, offset) - 1
        return self._original[token] + offset - self._flat[token]


_WORD_END, _WORD_START = re.compile(r"[0-9A-Za-z]$"), re.compile(r"[0-9A-Za-z]")
_NUMBER_END, _NUMBER_START = re.compile(r"[0-9][.,]$"), re.compile(r"[.,][0-9]")

SHORT_WORD = 3
"""Words of no more letters may be dropped, added or changed in a near match, as may `this` for `the`."""

MISREAD = 60.0
"""Least share of equal characters, in percent, of a word and its misreading."""

AS_LONG = 0.7
"""Least length of the shorter of a word and its misreading, as a share of the longer."""

_HARMLESS = frozenset(
    (
        *("", "the", "a", "an", "of", "to", "in", "on", "at", "by", "as", "is", "be", "it", "its"),
        *("this", "that", "such", "said", "these", "those"),
        *",.;:()'\"-–—•·|/",
    )
)
_POINTING = frozenset({"this", "that", "such", "said", "these", "those"})
_WEIGHTY = frozenset({"and", "or", "nor", "no", "not", "any", "all", "may", "can"})


def _is_misread(there: str, quoted: str) -> bool:
    """Whether two differing words are one word read badly, not `month` for `year`."""
    there, quoted = there.lower(), quoted.lower()
    words = {there, quoted}
    if "" in words:  # a word too many or too few: "nof" may be a misread "not", so only small words we know
        return words <= _HARMLESS
    slight = all(len(word) <= SHORT_WORD or word in _POINTING for word in words) and not words & _WEIGHTY
    as_long = min(map(len, words)) >= AS_LONG * max(map(len, words))  # else a whole word may hide in the difference
    return slight or (as_long and fuzz.ratio(there, quoted) >= MISREAD)


_NEGATION = re.compile(
    r"\b(?:not?|nor|neither|never|without|except|unless|cannot|non|un(?:limited|capped))\b|n't\b", re.I
)
# Words a letter apart that turn a clause into its opposite, and the units of numbers.
_TURNING = re.compile(
    r"\b(?:in|ex)clu(?=d|s)|\b(?:advance|arrears|before|after|more|less|increase|decrease|day|week|month|quarter|"
    r"year|annual)|\b(?:licens|less|bail|mortgag|assign|pay|employ|indemnit|guarant|grant|lend|borrow)(?:ee|or|er)s?\b"
    r"|[$€£¥%]|\b(?:USD|EUR|GBP|JPY|CAD|AUD|CHF)\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_SPELLED = re.compile(rf"\b{NUMBER_WORDS}\b", re.IGNORECASE)


def critical_tokens(text: str) -> Counter[str]:
    """The numbers, spelled or not, with their units, the negations, and the words that turn a clause round:
    what must not differ in a near match."""
    found = [token.rstrip(".,") for token in _DIGITS.findall(text)]
    found += [str(number_from_words(token)) for token in _SPELLED.findall(text)]
    found += [token.lower() for tokens in (_NEGATION, _TURNING) for token in tokens.findall(text)]
    return Counter(found)


def cite(document: Document, start: int, end: int, score: float = 1.0) -> Citation:
    """The citation of a span of `Document.text`: its pages and the box around its words on the first."""
    words = document.words_between(start, end)
    first = words[0][0] if words else document.page_at(start).number
    last = words[-1][0] if words else first
    return Citation(
        page_number=first,
        page_end=last,
        box=_enclosing([word for page, word in words if page == first]),
        char_start=start,
        char_end=end,
        score=score,
    )


def _enclosing(words: Sequence[Word]) -> Box:
    if not words:
        return (0.0, 0.0, 0.0, 0.0)
    return (
        min(w.x0 for w in words),
        min(w.y0 for w in words),
        max(w.x1 for w in words),
        max(w.y1 for w in words),
    )


def reading_confidence(document: Document, citation: Citation) -> float:
    """How surely the words of a citation were read: 1.0 for native text, else the OCR engine's mean."""
    words = document.words_between(citation.char_start, citation.char_end)
    return sum(word.confidence for _, word in words) / len(words) if words else 1.0


def is_supported(term: Term, quote: str) -> bool:
    """Whether the value follows from the quotation alone, parsed anew."""
    if term.value is None:
        return False
    kind = TERM_BY_NAME[term.term].type
    quote = unbroken(quote).text if is_cjk(quote) else quote
    if kind in ("choice", "flag"):
        cues = _CUES.get((term.term, term.value))
        return bool(cues.search(quote)) if cues else True
    return term.value in _parsed(term.term, kind, quote) or (
        kind in ("text", "parties") and _stands_in(term.value, quote)
    )


def _parsed(name: str, kind: str, quote: str) -> set[str]:
    if kind == "date":
        return {dated.value.isoformat() for dated in dates(quote)}
    if kind == "days":
        return _days(quote)
    if kind == "money":
        found = [money.amount for money in amounts(quote)] + _bare_numbers(quote) + _without_tax(quote)
        # A price a month or a quarter stands for its year.
        return {plain_number(amount * times) for amount in found for times in (1, 4, 12)}
    if kind == "number":
        return _percentages(quote) if "percent" in (TERM_BY_NAME[name].unit or "") else _months(quote)
    if name == "currency":
        words = {"dollars": "USD", "euro": "EUR", "pounds sterling": "GBP"}
        said = {code for word, code in words.items() if word in quote.lower()}
        return said | {money.currency for money in amounts(quote)}
    if name == "termination_fee":
        return {plain_number(money.amount) for money in amounts(quote)}
    if name == "governing_law":
        return {law.place for law in laws(quote)} | {
            law for word, law in _LAW_ADJECTIVES.items() if re.search(rf"\b{word} law|{word}法", quote, re.I)
        }
    return _basis(quote) if name == "liability_cap_basis" else _period(quote)


def _bare_numbers(quote: str) -> list[Decimal]:
    """Amounts of a table's row, whose currency stands in its header."""
    found = re.findall(r"\d{1,3}(?:,\d{3})+(?:\.\d{2})?|\d+\.\d{2}|\d{3,}", quote)
    return [Decimal(text.replace(",", "")) for text in found]


def _without_tax(quote: str) -> list[Decimal]:
    """Amounts less the tax that the quotation says is in them: `5,500円(うち消費税500円)`."""
    if not re.search(r"うち[^。]{0,12}税|税[^。]{0,16}を?含", quote):
        return []
    found = [money.amount for money in amounts(quote)]
    return [whole - tax for whole, tax in pairwise(found) if tax < whole]


def _days(quote: str) -> set[str]:
    found = {str(duration.days) for duration in durations(quote)}
    found |= {
        number
        for match in re.finditer(r"\bnet\D{0,12}(\d{1,3})|(\d{1,3})\s*日", quote, re.I)
        for number in match.groups()
        if number
    }
    found |= {str(one.days) for given in (notices, within, closing_days) for one in given(quote)}
    return found | ({"0"} if re.search(r"\b(?:receipt|presentation)\b", quote, re.I) else set())


def _months(quote: str) -> set[str]:
    found = durations(quote)
    base = [duration.months for duration in found]
    years = [match.start() for match in re.finditer(r"\bannual|\byear", quote, re.IGNORECASE)]
    # A year without a number is one; that of `two years` is not.
    base += [12.0 for at in years if not any(duration.start <= at < duration.end for duration in found)]
    base += [length.months for length in lengths(quote)]
    base += [float(n) for n in re.findall(r"months\W{0,6}(\d{1,3})\b", quote, re.IGNORECASE)]
    factors = [1.0, 2.0 if re.search(r"\btwice|double|two times|\b2x", quote, re.I) else 1.0]
    factors += [float(n) for n in re.findall(r"(\d+(?:\.\d+)?)\s*(?:x|times)\b", quote, re.I)]
    factors += [float(number_from_words(n) or 1) for n in re.findall(r"\b(\w+) times\b", quote, re.I)]
    return {plain_number(round(b * f, 2)) for b in base for f in factors}


def _percentages(quote: str) -> set[str]:
    found = [percent.value for percent in percents(quote)]
    found += [float(n) for n in re.findall(r"(\d{1,3}(?:\.\d+)?)\s*パーセント", quote)]
    months = [round(value / 12, 4) for value in found] + [rate.percent_per_month for rate in rates(quote)]
    return {plain_number(value) for value in [*found, *months]}


def _basis(quote: str) -> set[str]:
    words = [word for word in ("paid", "payable") if re.search(rf"\b{word}\b", quote, re.I)]
    words = words or (["paid"] if re.search(r"支払(?:った|われた|済)|受領した", quote) else [])
    return {"; ".join([" or ".join(words)] * bool(words) + scope) for scope in (["lookback"], ["term"], [])}


def _period(quote: str) -> set[str]:
    stems = {
        "annual": r"annual|year|annum|年",
        "quarterly": "quarter|四半期",
        "monthly": "month|毎月|各月|月間|月額",
        "initial term": r"\bterm\b|契約期間",
    }
    return {name for name, stem in stems.items() if re.search(stem, quote, re.I)}


_LAW_ADJECTIVES = {"english": "England and Wales", "scottish": "Scotland", "japanese": "Japan", "日本": "Japan",
                   "日本国": "Japan", "german": "Germany", "french": "France", "swiss": "Switzerland",
                   "irish": "Ireland", "dutch": "Netherlands"}  # fmt: skip


def _stands_in(value: str, quote: str) -> bool:
    """Whether the value's letters stand in the quotation as words of their own, whatever is between them."""
    letters = [char for char in value.lower() if char.isalnum()]
    if not letters:
        return False
    edges = ("", "") if is_cjk(value) else (r"(?<![^\W_])", r"(?![^\W_])")
    pattern = r"[\W_]*".join(re.escape(char) for char in letters)
    return bool(re.search(edges[0] + pattern + edges[1], quote.lower()))


def _cue(text: str) -> re.Pattern[str]:
    return re.compile(text.replace(" ?", r"\s*").replace(" ", r"\s+"), re.IGNORECASE)


_CUES = {
    ("contract_type", "nda"): _cue(r"non-? ?disclos|confidential|\bNDA\b|秘密保持|機密保持"),
    ("contract_type", "amendment"): _cue(r"amend|addendum|change order|変更|覚書"),
    ("contract_type", "dpa"): _cue(r"data (?:processing|protection)|\bDPA\b"),
    ("contract_type", "order_form"): _cue(r"order|quot|注文|申込"),
    ("contract_type", "sow"): _cue(r"work|\bSOW\b|作業"),
    ("contract_type", "reseller"): _cue(r"resell|distribut|partner|販売店|代理店"),
    ("contract_type", "lease"): _cue(r"lease|rent|賃貸"),
    ("contract_type", "license"): _cue(r"licen[cs]|許諾|ライセンス"),
    ("contract_type", "msa"): _cue(r"master|framework|\bMSA\b|基本契約"),
    ("contract_type", "purchase"): _cue(r"purchas|suppl|sale|売買"),
    ("contract_type", "services"): _cue(r"service|subscri|saas|cloud|hosting|consult|maint|support|業務|保守|利用"),
    ("renewal_type", "auto"): _cue(r"automatic|renew|extend|successive|自動|更新|延長|継続"),
    ("renewal_type", "optional"): _cue(r"\bmay\b|option|agree|right|renew|extend|更新|延長"),
    ("renewal_type", "evergreen"): _cue(r"month|until|indefinite|evergreen|fixed|terminated|定め|存続"),
    ("renewal_type", "none"): _cue(r"\bno\b|\bnot\b|without|expire|[新長続][はを]?[^。]{0,4}(?:ない|でき)"),
    ("termination_for_convenience", "none"): _cue(r"\bno\b|\bnot\b|non-?cancel|neither|only|may|"
                                                  r"cause|breach|できない|できません|"
                                                  r"ことはでき|してはならない|しないもの"),
    ("termination_for_convenience", "either"): _cue(r"either|each|both|any party|parties|mutual|甲|"
                                                    r"当事者|双方|両者|いずれ|及び|又は|または|"
                                                    r"\bor\b|us\b"),
    ("termination_for_convenience", "customer"): _cue(r"terminat|cancel|withdraw|解約|終了|解除"),
    ("termination_for_convenience", "provider"): _cue(r"terminat|cancel|withdraw|解約|終了|解除"),
    ("billing_frequency", "monthly"): _cue(r"month|毎月|月額|月末|当月|翌月|各月|月払|月締|月々|[かヶカケ箇]月"),
    ("billing_frequency", "quarterly"): _cue(r"quarter|四半期|三か月|3か月"),
    ("billing_frequency", "annual"): _cue(r"annual|year|annum|年"),
    ("billing_frequency", "milestone"): _cue(r"milestone|[結手間品入渡収了し]時"),
    ("billing_timing", "advance"): _cue(r"advance|up-?front|prepaid|start|beginning|"
                                        r"first|前払|前金|先払|前納|翌月分|前月"),
    ("billing_timing", "arrears"): _cue(r"arrear|after|end of|preceding|previous|"
                                        r"following|後払|当月分|前月分|締|終了後|完了後"),
    ("price_increase_type", "capped"): _cue(r"%|percent|per cent|パーセント"),
    ("price_increase_type", "index"): _cue(r"CPI|RPI|index|inflation"),
    ("price_increase_type", "none"): _cue(r"fixed|firm|locked|\bnot\b|\bno\b"),
    ("price_increase_type", "uncapped"): _cue(r"increase|raise|adjust|change|modify|revise|"
                                              r"then-? ?current|改定|値上げ|増額"),
    ("liability_cap_type", "amount"): _cue(r"\d|円"),
    ("liability_cap_type", "fees_multiple"): _cue(r"fees|paid|payable|amounts|charges|price|料|対価|代金|報酬|費|金額"),
    ("liability_cap_type", "uncapped"): _cue(r"unlimited|uncapped|without limit|\bno\b|\bnot\b|"
                                             r"無制限|[限度]額?[はをが]?[設定な]"),
    ("fully_executed", "true"): _cue(r"/s/|sign|by:|署名|押印|㊞|印"),
    ("fully_executed", "false"): _cue(r"_|by:|sign|署名|押印"),
}  # fmt: skip
