"""Values inside text: dates, durations, amounts, percentages. Pure functions from text to what stands there.

Both the embedded engine and `check` parse with these, so a value never comes from anywhere but a quotation.
A blank (`____`) or redacted (`[***]`) value is not a value.
"""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from extractors.japanese_numbers import KANJI, number


def pattern(text: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    """Compile a pattern in which a blank stands for any run of white space, as text from a page needs, and
    a blank with a question mark for one that may be missing."""
    return re.compile(text.replace(" ?", r"\s*").replace(" ", r"\s+"), flags)


class Dated(NamedTuple):
    """A date and where it stands in the text (half-open)."""

    value: date
    start: int
    end: int


class Duration(NamedTuple):
    """A length of time in the contract's own unit, and where it stands in the text."""

    number: float
    unit: str  # day, week, month, quarter, year
    start: int
    end: int

    @property
    def days(self) -> int:
        """Days, counting a month as 30 and a year as 365 where the contract gives no days."""
        return round(self.number * {"day": 1, "week": 7, "month": 30, "quarter": 90, "year": 365}[self.unit])

    @property
    def months(self) -> float:
        """Months, counting 30 days as one."""
        per_unit = {"day": 1 / 30, "week": 7 / 30, "month": 1, "quarter": 3, "year": 12}
        return round(self.number * per_unit[self.unit], 2)


class Money(NamedTuple):
    """An amount with its ISO 4217 currency, and where it stands in the text."""

    amount: Decimal
    currency: str
    start: int
    end: int


class Percent(NamedTuple):
    """A percentage and where it stands in the text."""

    value: float
    start: int
    end: int


_ONES = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS = {
    word: 10 * n
    for n, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_NUMBER_WORD = "|".join([*_TENS, *sorted(_ONES, key=len, reverse=True), *_SCALES])
NUMBER_WORDS = rf"(?:{_NUMBER_WORD})(?:(?:[\s-]+|\s+and\s+)(?:{_NUMBER_WORD})){{0,12}}"


def number_from_words(text: str) -> int | None:
    """`forty-five` -> 45, `one hundred and twenty` -> 120; None when it is no number."""
    total = current = 0
    words = [word for word in re.split(r"[\s-]+", text.lower().strip()) if word and word != "and"]
    if not words:
        return None
    for word in words:
        if word in _ONES:
            current += _ONES[word]
        elif word in _TENS:
            current += _TENS[word]
        elif word == "hundred":
            current = max(1, current) * 100
        elif word in _SCALES:
            total, current = total + max(1, current) * _SCALES[word], 0
        else:
            return None
    return total + current


_QUALITY = "full|calendar|business|working|consecutive|successive|additional|further|contract"
_DURATION = pattern(
    rf"(?<!\d[.,])\b(?:(?:{NUMBER_WORDS}|an?)\s*\(\s*(?P<paren>\d{{1,4}}(?:\.\d+)?)\s*\)"
    rf"|(?P<digits>\d,\d{{3}}|\d{{1,4}}(?:\.\d+)?)(?:\s*\(\s*{NUMBER_WORDS}\s*\))?"
    rf"|(?P<words>{NUMBER_WORDS}|(?:half )?an?(?=\s+(?:(?:{_QUALITY})\s+)?(?:month|year|quarter)\b)))"
    r"(?:\s*\(\s*(?P<echo>\d{1,4})\s*\))?"
    rf"[\s-]*(?:(?:{_QUALITY})[\s-]+){{0,2}}"
    r"(?P<unit>day|week|month|quarter|year)(?:s|ly|'s)?\b(?!-end|-to-| to month)"
)
_ARTICLES = {"a": 1.0, "an": 1.0, "half a": 0.5, "half an": 0.5}


def durations(text: str) -> list[Duration]:
    """All lengths of time: `sixty (60) days`, `36 months`, `a one-year term`, `two successive years`."""
    found = []
    for match in _DURATION.finditer(text):
        number, unit = _length(match), match["unit"].lower()
        if number is not None and not (unit == "year" and 1900 <= number < 2100):  # `the 2026 year`
            found.append(Duration(number, unit, match.start(), match.end()))
    return found


def _length(match: re.Match[str]) -> float | None:
    digits = match["paren"] or match["echo"] or match["digits"]
    if digits:
        return float(digits.replace(",", ""))
    words = " ".join(match["words"].lower().split())
    number = _ARTICLES.get(words, number_from_words(words))
    return None if number is None else float(number)


_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MONTH_NUMBER = {name.lower()[:3]: number for number, name in enumerate(_MONTHS, 1)}
_MONTH = r"(?P<month>" + "|".join(rf"{m[:3]}(?:{m[3:]})?\.?" for m in _MONTHS) + r"|Sept\.?)"
ORDINALS = {
    word: number
    for number, word in enumerate(
        re.split(
            r"\s+",
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
            "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first "
            "twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth twenty-seventh twenty-eighth "
            "twenty-ninth thirtieth thirty-first",
        ),
        1,
    )
}
_DATES = (
    pattern(rf"\b{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s*,?\s*(?P<year>(?:19|20)\d\d)\b"),
    pattern(
        rf"\b(?P<day>\d{{1,2}})(?:\s*(?:st|nd|rd|th)|\.)?(?: day)?(?: of)?[\s-]+{_MONTH}[\s,-]+"
        r"(?:of )?(?:the year )?(?P<year>(?:19|20)\d\d)\b"
    ),
    pattern(
        rf"\b(?P<dayword>{'|'.join(sorted(ORDINALS, key=len, reverse=True))}) day of {_MONTH}\s*,?\s*"
        r"(?P<year>(?:19|20)\d\d)\b"
    ),
    pattern(rf"\b(?P<day>\d{{1,2}})(?P<mark>[-/]){_MONTH}(?P=mark)(?P<year>\d\d)\b"),
    pattern(r"(?<![\d./-])(?P<year>(?:19|20)\d\d)(?P<mark>[-/.])(?P<isomonth>\d{1,2})(?P=mark)(?P<day>\d{1,2})\b"),
    pattern(r"(?P<year>(?:19|20)\d\d)\s*年\s*(?P<monthno>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*日"),
    pattern(
        r"(?P<era>令和|平成|昭和)\s*(?P<erayear>元|\d{1,2})\s*年\s*(?P<monthno>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*日"
    ),
    pattern(r"\b(?P<monthno>\d{1,2})/(?P<day>\d{1,2})/(?P<year>(?:19|20)?\d\d)\b"),
    pattern(r"(?<![\w-])(?P<monthno>\d{1,2})-(?P<day>\d{1,2})-(?P<year>(?:19|20)\d\d)\b"),
    pattern(r"\b(?P<day>\d{1,2})\.(?P<monthno>\d{1,2})\.(?P<year>(?:19|20)\d\d)\b"),
)
_KANJI_DATE = pattern(
    rf"(?:(?P<era>令和|平成|昭和) ?(?P<erayear>元|\d{{1,2}}|{KANJI}{{1,3}})|"
    r"(?P<year>二[〇零一二三四五六七八九]{3}|(?:19|20)\d\d)) ?年 ?"
    rf"(?P<monthno>\d{{1,2}}|{KANJI}{{1,3}}) ?月 ?(?P<day>\d{{1,2}}|{KANJI}{{1,3}}) ?日"
)
_ERA_START = {"令和": 2018, "平成": 1988, "昭和": 1925}
DATE_HINT = pattern(r"\d{4}|\d/\d|[-/]\d\d\b|年")


def dates(text: str) -> list[Dated]:
    """All complete dates in the order of the text; a date with a blank in it is none.

    Of `3/4/2026` the month comes first as in US contracts, unless that can't be.
    """
    if not DATE_HINT.search(text):
        return []
    found: dict[int, Dated] = {}
    for expression in (*_DATES, *([_KANJI_DATE] if "年" in text else [])):
        for match in expression.finditer(text):
            value = _date(match.groupdict())
            if value and not any(d.start < match.end() and match.start() < d.end for d in found.values()):
                found[match.start()] = Dated(value, match.start(), match.end())
    return [found[start] for start in sorted(found)]


def _date(parts: dict[str, str | None]) -> date | None:
    if parts.get("era"):
        year = _ERA_START[parts["era"]] + (1 if parts["erayear"] == "元" else _whole(parts["erayear"]))
    else:
        year = _whole(parts["year"])
        year += 0 if year > 99 else 2000 if year < 70 else 1900
    named = parts.get("month")
    month = _MONTH_NUMBER[named.lower()[:3]] if named else _whole(parts.get("monthno") or parts["isomonth"])
    day = ORDINALS[parts["dayword"].lower()] if parts.get("dayword") else _whole(parts["day"])
    if parts.get("monthno") and month > 12 >= day:
        month, day = day, month
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _whole(text: str) -> int:
    """`12` and `十二` -> 12."""
    return int(text) if text.isdecimal() else int(number(text))


_SYMBOLS = {
    "US$": "USD", "C$": "CAD", "CA$": "CAD", "CAD$": "CAD", "CDN$": "CAD",
    "A$": "AUD", "AU$": "AUD", "AUD$": "AUD",
    "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "SG$": "SGD", "R$": "BRL", "MX$": "MXN",
    "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "円": "JPY",
}  # fmt: skip
_DOLLARS = "|".join(re.escape(symbol) for symbol in sorted(_SYMBOLS, key=len, reverse=True) if "$" in symbol[1:])
_CODES = "USD|EUR|GBP|JPY|CAD|AUD|CHF|SGD|HKD|CNY|RMB|INR|SEK|NOK|DKK|NZD|MXN|BRL|ZAR"
_NAMES = {
    "dollar": "USD", "canadian dollar": "CAD", "australian dollar": "AUD", "euro": "EUR", "yen": "JPY",
    "pound sterling": "GBP", "british pound": "GBP",
}  # fmt: skip
# Bare pounds are a weight more often than money.
_NAME = (
    r"(?:(?:US|U\.S\.|United States) )?(?:(?P<name>(?:Canadian |Australian )?dollar|euro|yen|British pound)s?"
    r"|(?P<sterling>pounds?) sterling)\b"
)
# As in 1,234.50 - 12,34,567 - 1.234,50 - 1.234.567 - 1'234.50 - 1234,50 - 1234.50 - .50
_AMOUNT = (
    r"(?<![\d.,'])(?P<amount>\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d{1,4})?|\d{1,3}(?:\.\d{3})+,\d{1,2}|\d{1,3}(?:\.\d{3}){2,}"
    r"|\d{1,3}(?:'\d{3})+(?:\.\d{1,4})?|(?!0\d)\d+(?:,\d{1,2}|\.\d{1,4})?|\.\d{1,4})(?!\d|[.,']\d)"
)
_SCALE = r"(?:\s*(?P<scale>million|thousand|billion|(?:bn|mm|mn|m|k)\b))?"
_MONEY = (
    pattern(rf"(?:(?<![A-Za-z])(?P<dollar>{_DOLLARS})|(?P<symbol>[$€£¥]))\s*{_AMOUNT}{_SCALE}"),
    pattern(rf"\b(?P<code>{_CODES})\s*\$?\s*{_AMOUNT}{_SCALE}"),
    pattern(rf"{_AMOUNT}{_SCALE}\s*(?P<code>{_CODES})\b"),
    pattern(rf"{_AMOUNT}{_SCALE}\s*(?P<symbol>[€£])"),
    pattern(rf"{_AMOUNT}{_SCALE}\)?(?:\s*\([^()]{{3,80}}\))? {_NAME}"),
    pattern(rf"\b(?!hundred|thousand|million)(?P<words>{NUMBER_WORDS}) {_NAME}(?!\s*\(\D{{0,5}}\d)"),
    pattern(
        r"(?<![\d.,億])(?=\d)(?:(?P<oku>[\d,]+)\s*億\s*)?(?:(?P<man>[\d,]+)\s*万\s*)?(?P<yen>\d[\d,]*)?\s*(?P<symbol>円)"
    ),
)
_KANJI_YEN = pattern(
    rf"(?<![\d.,億万数何])(?<!単位.)(?<!{KANJI})"
    rf"(?P<kanji>(?![億万])(?=[\d.,]*[{KANJI[1:-1]}億万])(?:\d[\d,]*(?:\.\d+)?|{KANJI}|[億万])+) ?(?P<symbol>円)"
)
"""`壱千弐百万円`, `5千万円`, `1.5億円`: what has a kanji numeral or a fraction."""
_SCALE_FACTOR = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "mm": 1_000_000, "mn": 1_000_000,
                 "million": 1_000_000, "bn": 1_000_000_000, "billion": 1_000_000_000}  # fmt: skip
_POINT_GROUPS = frozenset({"EUR", "DKK", "NOK", "SEK", "BRL"})
"""Currencies in which `1.000` is a thousand."""


def amounts(text: str) -> list[Money]:
    """All amounts of money with a currency, in the order of the text."""
    found: dict[int, Money] = {}
    for expression in (*_MONEY, *([_KANJI_YEN] if "円" in text else [])):
        for match in expression.finditer(text):
            if any(m.start < match.end() and match.start() < m.end for m in found.values()):
                continue
            money = _money(match)
            if money:
                found[match.start()] = money
    return [found[start] for start in sorted(found)]


def _money(match: re.Match[str]) -> Money | None:
    parts = match.groupdict()
    currency = _currency(parts)
    if parts.get("kanji"):
        amount = Decimal(round(number(parts["kanji"])))  # no sum of yen has a fraction
        return Money(amount, currency, match.start(), match.end()) if amount else None
    if parts.get("symbol") == "円":
        digits = [(parts[name] or "0").replace(",", "") or "0" for name in ("oku", "man", "yen")]
        amount = Decimal(digits[0]) * 100_000_000 + Decimal(digits[1]) * 10_000 + Decimal(digits[2])
        return Money(amount, currency, match.start(), match.end()) if amount else None
    if parts.get("words"):
        return Money(Decimal(number_from_words(parts["words"]) or 0), currency, match.start(), match.end())
    scale = (parts["scale"] or "").lower()
    amount = _decimal(parts["amount"], has_points=currency in _POINT_GROUPS and not scale)
    return Money(amount * _SCALE_FACTOR.get(scale, 1), currency, match.start(), match.end())


def _decimal(text: str, has_points: bool) -> Decimal:
    """The number that an amount writes, whether in the English, continental or Swiss way."""
    if re.fullmatch(r"\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?", text) or "'" in text:
        return Decimal(re.sub("[,']", "", text))
    if "," in text:
        return Decimal(text.replace(".", "").replace(",", "."))
    if text.count(".") > 1 or (has_points and re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", text)):
        return Decimal(text.replace(".", ""))
    return Decimal(text)


def _currency(parts: dict[str, str | None]) -> str:
    if symbol := parts.get("dollar") or parts.get("symbol"):
        return _SYMBOLS[symbol.upper()]
    if parts.get("code"):
        return {"RMB": "CNY"}.get(parts["code"].upper(), parts["code"].upper())
    if parts.get("sterling"):
        return "GBP"
    return _NAMES[" ".join(parts["name"].lower().split())]


_FRACTIONS = {
    **dict.fromkeys(("half", "a half", "one half", "1/2", "½"), 0.5),
    **dict.fromkeys(("one quarter", "1/4", "¼"), 0.25),
    **dict.fromkeys(("three quarters", "3/4", "¾"), 0.75),
}
_PERCENT = pattern(
    r"(?<![\d.,/])(?P<digits>\d{1,3}(?:[.,]\d+)?)(?:\s*(?P<glyph>[½¼¾])|[\s-]+(?P<vulgar>1/2|1/4|3/4))?"
    r"\s*\)?\s*(?:%|per ?cent(?:um)?\b)"
    rf"|\b(?P<words>{NUMBER_WORDS})(?: and (?P<half>one[- ]half|a half|one[- ]quarter|three[- ]quarters))?"
    r"\s*(?:per ?cent(?:um)?|%)(?:\s*\(\s*(?P<echo>\d{1,3}(?:\.\d+)?)\s*%?\s*\))?"
    r"|\b(?P<only>one[- ]half|one[- ]quarter|half|1/2|1/4|3/4)(?: of)?(?: one| 1| an?)?\s*(?:per ?cent|%)"
)


def percents(text: str) -> list[Percent]:
    """All percentages: `1.5%`, `1-1/2%`, `five percent (5%)`, `one and one-half percent`."""
    return [Percent(_percentage(match), match.start(), match.end()) for match in _PERCENT.finditer(text)]


def _percentage(match: re.Match[str]) -> float:
    parts = {name: re.sub(r"[\s-]+", " ", (given or "").lower()) for name, given in match.groupdict().items()}
    fraction = next((parts[name] for name in ("glyph", "vulgar", "half", "only") if parts[name]), "")
    if parts["echo"]:
        return float(parts["echo"])
    whole = parts["digits"].replace(",", ".") or number_from_words(parts["words"]) or 0
    return float(whole) + _FRACTIONS.get(fraction, 0.0)


def last_day(start: date, months: float) -> date:
    """Last day of a period of so many months that begins on `start`: 2026-03-01, 36 -> 2029-02-28.

    Where the month has no such day the period ends with the month: 2026-01-31, 1 -> 2026-02-28.
    """
    whole = int(months)
    end = start + relativedelta(months=whole)
    if end.day == start.day:
        end -= timedelta(days=1)
    return end + timedelta(days=round((months - whole) * 30))


def plain_number(value: float | Decimal) -> str:
    """Bare text of a number: 60.0 -> `60`, 1.50 -> `1.5`."""
    return format(Decimal(str(value)).normalize(), "f")
