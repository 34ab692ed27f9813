"""Money of the deal: currency, total and annual value, minimum commitment."""

import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from extractors.engines.view import Sentence, View
from extractors.rows import Row
from extractors.values import Money, amounts, pattern
from schemas.contract import FeeLine, Term

_TOTAL = pattern(
    r"\btotal (?:contract |order |subscription |committed |fixed |purchase |initial term |agreement )?(?:value|fees?|price|"
    r"amount|charges?|cost|consideration|due|subscription fees?)\b[^.;]{0,90}$|"
    r"\b(?:total|grand total|total payable|tcv|order total|contract total)\s*(?:\([^)]{0,40}\))?\s*:?\s*$|"
    r"\b(?:aggregate|purchase|fixed|contract|lump[- ]sum|licen[cs]e|overall) (?:fees?|price|sum|amount|value|consideration)\b"
    r"[^.;]{0,80}$|\bfixed (?:price|fee) (?:of|is)[^.;]{0,20}$|\bfor the (?:initial|subscription) term[^.;]{0,60}$|"
    r"\bfor (?:a|the) (?:total|aggregate|fixed)\b[^.;]{0,60}$"
)
_YEARLY_BEFORE = pattern(r"\b(?:annual|yearly|per[- ]year|per annum)\b[^.;]{0,70}$|\bacv\b[^.;]{0,20}$")
_YEARLY_AFTER = pattern(
    r"^[^.;]{0,25}\b(?:per|a|each|/) ?(?:contract )?(?:year|annum)\b|^\s*(?:annually|per annum|p\.a\.|yearly)"
)
_MONTHLY_BEFORE = pattern(
    r"\bmonthly (?:subscription |service |recurring |maintenance )?(?:fees?|charges?|rent|retainer)\b[^.;]{0,50}$"
)
_MONTHLY_AFTER = pattern(r"^[^.;]{0,20}\b(?:per|a|each|/) ?(?:calendar )?month\b|^\s*monthly")
_QUARTERLY_AFTER = pattern(r"^[^.;]{0,20}\b(?:per|a|each|/) ?(?:calendar )?quarter\b|^\s*quarterly")
_WHOLE_AFTER = pattern(r"^[^.;]{0,20}\bfor the (?:whole|entire|full) (?:\w+ )?(?:term|period|duration)\b")
_RATE = pattern(r"^[^.;]{0,20}\b(?:per|an|a|each|/) ?(?:hour|day|user|unit|seat|licen[cs]e|transaction|call|gb|kg|piece|visit|page)\b|"
                r"^\s*hourly")  # fmt: skip
_NOT_PRICE = pattern(
    r"\binsur\w*|\bliabilit\w*|\bcap\b|\bdamages\b|\bpenalt|\bcredit|\bper occurrence|\baggregate limit|\bexceed|\bindemn|"
    r"\bexample|\bprior (?:agreement|order)|\bprevious|\bdeductible|\bbond\b|\breimburs|\bexpenses|\bnot[- ]to[- ]exceed|"
    r"\binstal|\bestimat|\bexpects?\b|\bproposal|\breplaces\b|\btakes the place\b|\bsupersed|\bquotation|\bthreshold|\bin excess of|\bfewer|\btermination (?:fee|charge)|\bdeposit|\blist price|\bminimum"
)
_NOT_BINDING = pattern(
    r"\bestimate\b|\bfor information\b|\bnot a commitment\b|\bno commitment\b|\bproposal of\b|\btakes the place of\b"
)
_MINIMUM = pattern(
    r"\bminimum (?:\w+ ){0,3}(?:commitment|purchase|purchases|spend|fees?|order|volume|payment|amount|quantit\w+|royalt\w+|"
    r"guarantee|consumption|usage fee)\b|\b(?:purchase|spend|order|commit\w*|buy|pay)\b[^.;]{0,60}\b(?:at least|not less than|no "
    r"less than|a minimum of)\b|\btake[- ]or[- ]pay\b|\bcommitted (?:spend|amount|fees|minimum)"
)
_NOT_MINIMUM = pattern(r"\binsur\w*|\bcoverage|\bminimum age|\bper occurrence|\bliabilit|\bnet worth|\blate\b|\bwage")
_PERIODS = (
    ("annual", pattern(r"\b(?:each|per|any|every) (?:\w+ )?year\b|\bper annum\b|\bannually\b")),
    ("initial term", pattern(r"\b(?:initial|during the) term\b|\bover the (?:\w+ )?term\b")),
    (
        "annual",
        pattern(
            r"\bannual(?:ly)?\b|\b(?:each|per|any|every|a) (?:contract |calendar |full )?year\b|\bper annum\b|\bcontract year\b"
        ),
    ),
    ("quarterly", pattern(r"\bquarter(?:ly)?\b")),
    ("monthly", pattern(r"\bmonth(?:ly)?\b")),
)


def terms(view: View) -> Iterable[Term]:
    """Currency, total, annual value and minimum commitment with its period, as far as amounts are stated."""
    sentences = view.about("value")
    found = [*_table_totals(view)]
    for i, sentence in enumerate(sentences):
        minimum = list(_minimum(view, sentence))
        found += minimum or _prices(view, sentence, sentences[i - 1] if i else None)
    fixed = any(term.term in ("total_value", "annual_value", "minimum_commitment") for term in found)
    yield from _currency(view, sentences)
    yield from (term for term in found if not (fixed and term.value == "rates_only"))


_ONCE = pattern(
    r"初期費用|, once\b|一回限り|\bone-?time\b|\bset-?up fee|\bnon-?recurring\b|\b(?:implementation|onboarding|activation|installation) (?:fee|charge|package)"
)


def one_time_fees(view: View) -> Iterable[FeeLine]:
    """Fees that are paid once: rows of a fee table, else sentences, that say so."""
    lines = [*_one_time_rows(view)] or [*_one_time_sentences(view)]
    return [line.model_copy(update={"line": number}) for number, line in enumerate(lines, 1)]


def _one_time_rows(view: View) -> Iterable[FeeLine]:
    for row in view.rows:
        label, numbers = _label_and_numbers(row)
        if numbers and _ONCE.search(label) and not _NOT_PRICE.search(label) and row.end - row.start < 400:
            yield _once(label, numbers[-1][0], view.text[row.start : row.end], row.page_number, row.text)


def _one_time_sentences(view: View) -> Iterable[FeeLine]:
    for sentence in view.about("value"):
        money = amounts(sentence.text)
        if len(money) == 1 and _ONCE.search(sentence.text) and not _NOT_PRICE.search(sentence.text):
            page = view.document.page_at(sentence.start).number
            yield _once(sentence.text[: money[0].start], money[0].amount, sentence.text, page, sentence.text)


def _once(label: str, amount: Decimal, quote: str, page: int, around: str) -> FeeLine:
    money = amounts(around)
    return FeeLine(
        line=0,
        item=" ".join(label.split())[:200],
        amount=str(amount),
        currency=money[0].currency if money else None,
        frequency="one_time",
        quote=quote,
        page_number=page,
    )


_IN_WORDS = pattern(r"\b(?:in|US|U\.S\.|United States) (dollars|euros?|pounds sterling)\b")


def _currency(view: View, sentences: list[Sentence]) -> Iterable[Term]:
    counts: Counter[str] = Counter()
    for sentence in sentences:
        if match := _IN_WORDS.search(sentence.text):
            code = {"d": "USD", "e": "EUR", "p": "GBP"}[match[1][0].lower()]
            yield view.found("currency", code, sentence, match.span(), confidence=0.6)
            break
    first: dict[str, tuple[Sentence, Money]] = {}
    for sentence in sentences:
        for money in amounts(sentence.text):
            if _NOT_PRICE.search(sentence.text[max(0, money.start - 110) : money.end + 25]):
                continue  # a bond or an insurance sum says nothing of the deal's currency
            counts[money.currency] += 1
            first.setdefault(money.currency, (sentence, money))
    if counts:
        code, count = counts.most_common(1)[0]
        sentence, money = first[code]
        sure = 0.9 if count == sum(counts.values()) else 0.7
        yield view.found("currency", code, sentence, (money.start, money.end), confidence=sure)


def _prices(view: View, sentence: Sentence, before: Sentence | None) -> Iterable[Term]:
    text = sentence.text
    for money in amounts(text):
        left, right = text[: money.start][-130:], text[money.end :][:60]
        near = re.split(r";|\. |\n\n", left)[-1]
        if _NOT_BINDING.search(text):
            continue
        if _NOT_PRICE.search(near[-110:] + " " + right[:25]) or money.amount < 1:
            continue
        span = (max(0, money.start - 40), money.end)
        label = f"{before.text[-60:]} {near}" if before and len(text) < 40 else near
        if _RATE.search(right):
            yield view.found("total_value_basis", "rates_only", sentence, span, confidence=0.35)
        elif _YEARLY_AFTER.search(right) or _YEARLY_BEFORE.search(near):
            yield view.found("annual_value", money.amount, sentence, span, confidence=0.75)
        elif _MONTHLY_AFTER.search(right) or _MONTHLY_BEFORE.search(near):
            yield view.found("annual_value", money.amount * 12, sentence, span, confidence=0.5)
        elif _QUARTERLY_AFTER.search(right):
            yield view.found("annual_value", money.amount * 4, sentence, span, confidence=0.5)
        elif match := _TOTAL.search(label) or _WHOLE_AFTER.search(right):
            sure = 0.85 if re.search(r"total", match.group(), re.I) else 0.65
            yield view.found("total_value", money.amount, sentence, span, confidence=sure)
            yield view.found("total_value_basis", "fixed", sentence, span, confidence=sure)


_TOTAL_ROW = pattern(
    r"^(?:grand |order |contract |overall )?total\b(?! (?:liabilit|number|quantit|users|hours|days))|"
    r"^(?:total|aggregate) (?:contract value|fees|price|amount|charges)|^contract (?:value|price|sum)\b|^purchase price\b|^tcv\b"
)
_YEARLY_ROW = pattern(
    r"\b(?:net )?(?:recurring|annual|yearly)\b[^.]{0,40}\b(?:fees?|charges?|total|subtotal)\b|\btotal per (?:year|annum)\b|"
    r"^(?:annual|yearly|recurring) (?:fee|total|subscription)|^subtotal,? (?:recurring|annual)"
)
_NUMBER = re.compile(
    r"^[(]?(?:[A-Z]{3}|US\$|[$€£¥])?\d{1,3}(?:,\d{3})+(?:\.\d{2})?[)]?$|^[$€£¥]?\d+\.\d{2}$|^[$€£¥]\d+$"
)
_YEAR_HEADER = re.compile(r"^(?:year|annual|annum|yearly)\b", re.IGNORECASE)
HEADER_REACH = 30
"""How many rows above a line of a fee table its header may stand."""


def _table_totals(view: View) -> Iterable[Term]:
    """Totals of fee tables: a label at the left and its amount at the right end of the row."""
    seen = view.rows
    for i, row in enumerate(seen):
        label, numbers = _label_and_numbers(row)
        if not numbers or row.end - row.start > 2 * len(row.text) + 40 or _NOT_PRICE.search(label):
            continue
        line = Sentence(row.start, view.text[row.start : row.end], "")
        yearly = _under_year_header(seen[max(0, i - HEADER_REACH) : i], numbers)
        if _TOTAL_ROW.search(label) and not _YEARLY_ROW.search(label):
            yield view.found("total_value", numbers[-1][0], line, confidence=0.9)
            yield view.found("total_value_basis", "fixed", line, confidence=0.9)
            if yearly and len(numbers) > 1:
                yield view.found("annual_value", yearly, line, confidence=0.7)
        elif times := _per_period(row, label):
            yield view.found("annual_value", numbers[0][0] * times, line, confidence=0.6)
        elif _YEARLY_ROW.search(label):
            yield view.found(
                "annual_value",
                yearly or numbers[0][0],
                line,
                confidence=0.85 if "net" in label.lower() else 0.8,
            )


def _per_period(row: Row, label: str) -> int:
    """How many times a year the first amount of a row is paid, 0 when the row doesn't say."""
    after = row.text[row.text.find(label) + len(label) :]
    if not re.search(
        r"\b(?:fee|subscription|hosting|service|maintenance|licen[cs]e|rent|support)", label, re.IGNORECASE
    ):
        return 0
    match = re.match(r"\s*\S+\s+(?:per|a|/)\s*(month|quarter|year)\b", after, re.IGNORECASE)
    return {"month": 12, "quarter": 4, "year": 1}[match[1].lower()] if match else 0


def _label_and_numbers(row: Row) -> tuple[str, list[tuple[Decimal, float]]]:
    """The words before the first amount, and the amounts with the middle of their words, left to right."""
    amounts_at = [i for i, text in enumerate(row.texts) if _NUMBER.match(text)]
    if not amounts_at or amounts_at[0] == 0:
        return "", []
    label = " ".join(row.texts[: amounts_at[0]])
    numbers = [
        (Decimal(re.sub(r"[^\d.]", "", row.texts[i])), (row.words[i].x0 + row.words[i].x1) / 2)
        for i in amounts_at
        if not row.texts[i].startswith("(")
    ]
    return label, numbers


def _under_year_header(above: list[Row], numbers: list[tuple[Decimal, float]]) -> Decimal | None:
    """The amount that stands below a header such as `Per year`; the nearest header counts."""
    for row in reversed(above):
        for word, text in zip(row.words, row.texts, strict=True):
            if _YEAR_HEADER.match(text) and len(row.texts) <= 14:
                middle = (word.x0 + word.x1) / 2
                number, at = min(numbers, key=lambda item: abs(item[1] - middle))
                return number if abs(at - middle) < COLUMN_WIDTH else None
    return None


COLUMN_WIDTH = 50.0
"""Points between a header and the amounts below it."""


def _minimum(view: View, sentence: Sentence) -> Iterable[Term]:
    text = sentence.text
    match = _MINIMUM.search(text)
    if not match or _NOT_MINIMUM.search(text):
        return
    money = [m for m in amounts(text) if m.start > match.start() - 60]
    if not money:
        return
    span = (min(match.start(), money[0].start), max(match.end(), money[0].end))
    yield view.found("minimum_commitment", money[0].amount, sentence, span, confidence=0.8)
    for name, expression in _PERIODS:
        if expression.search(text):
            yield view.found("minimum_commitment_period", name, sentence, span, confidence=0.7)
            return
