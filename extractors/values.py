"""Values inside text: dates, durations, amounts, percentages. Pure functions from text to what stands there.

Both the embedded engine and `check` parse with these, so a value never comes from anywhere but a quotation.
A blank (`____`) or redacted (`[***]`) value is not a value.
"""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from dateutil.relativedelta import relativedelta


def pattern(text: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    """Compile a pattern in which a blank stands for any run of white space, as text from a page needs."""
    return re.compile(text.replace(" ", r"\s+"), flags)


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
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_NUMBER_WORD = "|".join([*_TENS, *sorted(_ONES, key=len, reverse=True), *_SCALES])
NUMBER_WORDS = rf"(?:{_NUMBER_WORD})(?:(?:[\s-]+|\s+and\s+)(?:{_NUMBER_WORD}))*"


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


_DURATION = pattern(
    rf"\b(?:(?:{NUMBER_WORDS}|an?)\s*\(\s*(?P<paren>\d{{1,4}}(?:\.\d+)?)\s*\)|(?P<digits>\d{{1,4}}(?:\.\d+)?)"
    rf"|(?P<words>{NUMBER_WORDS}|an?(?=\s+(?:calendar|full )?(?:month|year|quarter)\b)))"
    r"(?:\s*\(\s*(?P<echo>\d{1,4})\s*\))?"
    r"[\s-]*(?:(?:full|calendar|business|working|consecutive|successive|additional|further|contract)[\s-]+){0,2}"
    r"(?P<unit>day|week|month|quarter|year|anniversar)(?:s|ies|ly|'s)?\b"
)


def durations(text: str) -> list[Duration]:
    """All lengths of time: `sixty (60) days`, `36 months`, `a one-year term`, `two successive years`."""
    found = []
    for match in _DURATION.finditer(text):
        digits = match["paren"] or match["echo"] or match["digits"]
        words = match["words"]
        number = (
            float(digits) if digits else (1.0 if words.lower() in ("a", "an") else number_from_words(words))
        )
        if number is not None and match["unit"].lower() != "anniversar":
            found.append(Duration(float(number), match["unit"].lower(), match.start(), match.end()))
    return found


_MONTHS = "January February March April May June July August September October November December".split()
_MONTH_NUMBER = {name.lower()[:3]: number for number, name in enumerate(_MONTHS, 1)}
_MONTH = r"(?P<month>" + "|".join(rf"{m[:3]}(?:{m[3:]})?\.?" for m in _MONTHS) + r"|Sept\.?)"
_DATES = (
    pattern(rf"\b{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s*,?\s*(?P<year>(?:19|20)\d\d)\b"),
    pattern(
        rf"\b(?P<day>\d{{1,2}})(?:\s*(?:st|nd|rd|th))?(?: day)?(?: of)?[\s-]+{_MONTH}[\s,-]+(?:of )?(?:the year )?"
        r"(?P<year>(?:19|20)\d\d)\b"
    ),
    pattern(r"\b(?P<year>(?:19|20)\d\d)-(?P<monthno>\d{2})-(?P<day>\d{2})\b"),
    pattern(r"(?P<year>(?:19|20)\d\d)\s*年\s*(?P<monthno>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*日"),
    pattern(
        r"(?P<era>令和|平成)\s*(?P<erayear>元|\d{1,2})\s*年\s*(?P<monthno>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*日"
    ),
    pattern(r"\b(?P<monthno>\d{1,2})/(?P<day>\d{1,2})/(?P<year>(?:19|20)?\d\d)\b"),
    pattern(r"\b(?P<monthno>\d{1,2})-(?P<day>\d{1,2})-(?P<year>(?:19|20)\d\d)\b"),
    pattern(r"\b(?P<day>\d{1,2})\.(?P<monthno>\d{1,2})\.(?P<year>(?:19|20)\d\d)\b"),
)
_ERA_START = {"令和": 2018, "平成": 1988}
DATE_HINT = pattern(r"\d{4}|\d/\d|年")


def dates(text: str) -> list[Dated]:
    """All complete dates in the order of the text; a date with a blank in it is none.

    Of `3/4/2026` the month comes first as in US contracts, unless that can't be.
    """
    if not DATE_HINT.search(text):
        return []
    found: dict[int, Dated] = {}
    for expression in _DATES:
        for match in expression.finditer(text):
            value = _date(match.groupdict())
            if value and not any(d.start < match.end() and match.start() < d.end for d in found.values()):
                found[match.start()] = Dated(value, match.start(), match.end())
    return [found[start] for start in sorted(found)]


def _date(parts: dict[str, str | None]) -> date | None:
    if parts.get("era"):
        year = _ERA_START[parts["era"]] + (1 if parts["erayear"] == "元" else int(parts["erayear"]))
    else:
        year = int(parts["year"])
        year += 0 if year > 99 else 2000 if year < 70 else 1900
    month = int(parts.get("monthno") or _MONTH_NUMBER[parts["month"].lower()[:3]])
    day = int(parts["day"])
    if month > 12 >= day:
        month, day = day, month
    try:
        return date(year, month, day)
    except ValueError:
        return None


_SYMBOLS = {
    "US$": "USD",
    "C$": "CAD",
    "A$": "AUD",
    "HK$": "HKD",
    "S$": "SGD",
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "円": "JPY",
}
_CODES = "USD|EUR|GBP|JPY|CAD|AUD|CHF|SGD|HKD|CNY|RMB|INR|SEK|NOK|DKK|NZD|MXN|BRL|ZAR"
_NAMES = {
    "dollar": "USD",
    "euro": "EUR",
    "pound": "GBP",
    "yen": "JPY",
}
_AMOUNT = r"(?P<amount>\d{1,3}(?:,\d{3})+(?:\.\d{1,4})?|\d+(?:\.\d{1,4})?)"
_SCALE = r"(?:\s*(?P<scale>million|thousand|billion|[mkMK](?![a-zA-Z])))?"
_MONEY = (
    pattern(rf"(?P<symbol>US\$|HK\$|[CAS]\$|\$|€|£|¥)\s*{_AMOUNT}{_SCALE}"),
    pattern(rf"\b(?P<code>{_CODES})\s*\$?\s*{_AMOUNT}{_SCALE}"),
    pattern(rf"{_AMOUNT}{_SCALE}\s*(?P<code>{_CODES})\b"),
    pattern(rf"{_AMOUNT}{_SCALE} (?:(?:US|U\.S\.|United States) )?(?P<name>dollar|euro|pound|yen)s?\b"),
    pattern(r"(?P<amount>\d{1,3}(?:,\d{3})+|\d+)\s*(?P<scale>万|億)?\s*(?P<symbol>円)"),
)
_SCALE_FACTOR = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000, "billion": 1_000_000_000,
                 "万": 10_000, "億": 100_000_000}  # fmt: skip


def amounts(text: str) -> list[Money]:
    """All amounts of money with a currency, in the order of the text."""
    found: dict[int, Money] = {}
    for expression in _MONEY:
        for match in expression.finditer(text):
            if any(m.start < match.end() and match.start() < m.end for m in found.values()):
                continue
            parts = match.groupdict()
            scale = _SCALE_FACTOR.get((parts.get("scale") or "").lower(), 1)
            amount = Decimal(parts["amount"].replace(",", "")) * scale
            found[match.start()] = Money(amount, _currency(parts), match.start(), match.end())
    return [found[start] for start in sorted(found)]


def _currency(parts: dict[str, str | None]) -> str:
    if parts.get("symbol"):
        return _SYMBOLS[parts["symbol"].upper()]
    if parts.get("code"):
        return {"RMB": "CNY"}.get(parts["code"].upper(), parts["code"].upper())
    return _NAMES[parts["name"].lower()]


_HALVES = {
    "one-half": 0.5,
    "one half": 0.5,
    "a half": 0.5,
    "half": 0.5,
    "one-quarter": 0.25,
    "three-quarters": 0.75,
}
_PERCENT = pattern(
    r"(?P<digits>\d{1,3}(?:\.\d+)?)\s*(?:%|per ?cent\b)"
    rf"|\b(?P<words>{NUMBER_WORDS})(?: and (?P<half>one-half|one half|a half|one-quarter|three-quarters))?"
    r"\s*(?:per ?cent|%)(?:age)?(?:\s*\(\s*(?P<echo>\d{1,3}(?:\.\d+)?)\s*%?\s*\))?"
    r"|\b(?P<halfonly>one-half|one half) (?:of )?(?:one )?per ?cent"
)


def percents(text: str) -> list[Percent]:
    """All percentages: `1.5%`, `five percent (5%)`, `one and one-half percent`."""
    found = []
    for match in _PERCENT.finditer(text):
        if match["digits"] or match["echo"]:
            value = float(match["echo"] or match["digits"])
        elif match["words"]:
            value = float(number_from_words(match["words"]) or 0) + _HALVES.get(
                (match["half"] or "").lower(), 0
            )
        else:
            value = 0.5
        found.append(Percent(value, match.start(), match.end()))
    return found


def last_day(start: date, months: float) -> date:
    """Last day of a period of so many months that begins on `start`: 2026-03-01, 36 -> 2029-02-28."""
    whole = int(months)
    end = start + relativedelta(months=whole) - timedelta(days=1)
    return end + timedelta(days=round((months - whole) * 30))


def plain_number(value: float | Decimal) -> str:
    """Bare text of a number: 60.0 -> `60`, 1.50 -> `1.5`."""
    return format(Decimal(str(value)).normalize(), "f")
