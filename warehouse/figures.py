"""Figures in somebody's own words as the parameters of a named question: days, amounts, percents, dates, a currency.

Which figures a parameter takes follows from its name. What a question has no parameter for is given back, so that the
answer can say that it took no account of it. A question that asks for more than its figure can't answer one that asks
for less, and the reverse.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from dateutil import parser as dates

from warehouse.questions import Parameter, Question, Value

_WORDS = {
    **{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10},
    **{"eleven": 11, "twelve": 12},
    **{"fourteen": 14, "fifteen": 15, "eighteen": 18, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50},
    **{"sixty": 60, "seventy-five": 75, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100},
}
_SCALE = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_DAYS = {"day": 1, "week": 7, "fortnight": 14, "month": 30, "quarter": 90, "year": 365}
_CURRENCIES = {
    **{"euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD", "yen": "JPY", "pounds": "GBP"},
    **{"sterling": "GBP", "francs": "CHF"},
}
_CODES = "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS INR JPY KRW MXN NOK NZD PLN SEK SGD TRY USD ZAR"
_ISO = frozenset(_CODES.split())

_MORE = r"above|over|beyond|more than|greater than|longer than|later than|exceed(?:s|ing)?|at least|from|upwards of"
_LESS = r"below|under|less than|fewer than|shorter than|earlier than|at most|no more than|not more than|up to|within"
_NUMBER = rf"(?:\d[\d,]*(?:\.\d+)?|{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
_UNIT = r"%|percent\b|per cent\b|(?:day|week|fortnight|month|quarter|year)s?\b"
_FIGURE = re.compile(
    rf"(?:\b(?P<than>no more than|not more than|{_MORE}|{_LESS})\s+(?:a\s+|the\s+)?)?(?P<sign>[$€£¥]\s?)?"
    rf"(?<![\w.])(?P<number>{_NUMBER})(?:\s*-?\s*(?P<scale>k|thousand|m|mn|mio|million|bn|billion)\b)?"
    rf"(?:[\s-]*(?:calendar |business |working )?(?P<unit>{_UNIT}))?",
    re.IGNORECASE,
)
_SPAN = re.compile(
    r"\b(?:(?P<than>over|more than|less than|under|within) )?(?:an?|(?:the )?(?:next|coming|last|past)|this) "
    r"(?P<unit>week|fortnight|month|quarter|year)\b(?! end)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b\d{4}[-/]\d{1,2}[-/]\d{1,2}\b|\b\d{1,2}(?:st|nd|rd|th)? (?:of )?[A-Z][a-z]{2,8},? \d{4}\b"
    r"|\b[A-Z][a-z]{2,8} \d{1,2}(?:st|nd|rd|th)?,? \d{4}\b"
)
_WITHOUT_FIGURE = {"yesterday": 1}


class Told(NamedTuple):
    """Parameters that the words give; figures that no parameter takes; whether the words ask for the other side.

    `missed` counts those of the unused that are measures: a number with a unit or a comparison, or a date. A number
    alone may be a name, as in ASC 606.
    """

    values: dict[str, Value]
    unused: tuple[str, ...]
    missed: int
    asks_for_other_side: bool


class _Figure(NamedTuple):
    text: str
    number: float
    unit: str  # "" days months years ... percent money
    than: str  # more less or ""


def told(question: Question, words: str) -> Told:
    """What the words say of the question's parameters."""
    values: dict[str, Value] = {}
    rest, days = _take_dates(words)
    figures = list(_figures(rest))
    other_side = False
    for parameter in question.parameters:
        if parameter.name == "date" and days:
            values["date"] = days.pop(0).isoformat()
        elif parameter.name == "currency" and (code := _currency(rest)):
            values["currency"] = code
        elif figure := _fitting(parameter, figures):
            figures.remove(figure)
            other_side |= figure.than == ("less" if _is_floor(parameter) else "more")
            values[parameter.name] = _value(parameter, figure)
    unused = [*(each.text for each in figures), *(day.isoformat() for day in days)]
    missed = sum(1 for each in figures if each.unit or each.than) + len(days)
    return Told(values, tuple(unused), missed, other_side)


def without_figures(words: str) -> str:
    """The words without figures: what tells which question is meant. Of a date and a currency the kind stays."""
    rest, days = _take_dates(words)
    plain = _SPAN.sub(" ", _FIGURE.sub(" ", rest)).split()
    kinds = ["currency" if _currency(word) else word for word in plain]
    return " ".join([*kinds, *("date" for _ in days)])


def _is_floor(parameter: Parameter) -> bool:
    """Whether the question asks for what lies above the parameter."""
    return parameter.sentence.startswith(("longest", "highest", "materiality"))


def _take_dates(words: str) -> tuple[str, list[date]]:
    """The words without their dates, and these."""
    found: list[date] = []

    def take(match: re.Match[str]) -> str:
        try:
            found.append(dates.parse(match.group()).date())
        except (dates.ParserError, OverflowError):
            return match.group()
        return " "

    return _DATE.sub(take, words), found


def _figures(words: str) -> Iterator[_Figure]:
    """The numbers, then the spans that are said without one, such as "next week"."""
    for match in _FIGURE.finditer(words):
        digits = match["number"].lower()
        number = float(_WORDS[digits]) if digits in _WORDS else float(digits.replace(",", ""))
        unit = (match["unit"] or "").lower().rstrip("s").replace("%", "percent").replace("per cent", "percent")
        if match["sign"] or match["scale"]:
            unit, number = "money", number * _SCALE.get((match["scale"] or "").lower(), 1)
        if digits != "one" or unit:  # "one person", "each one"
            yield _Figure(match.group().strip(), number, unit, _than(match["than"]))
    for match in _SPAN.finditer(words):
        yield _Figure(match.group(), 1.0, match["unit"].lower(), _than(match["than"]))
    for word, days in _WITHOUT_FIGURE.items():
        if re.search(rf"\b{word}\b", words, re.IGNORECASE):
            yield _Figure(word, float(days), "day", "")


def _than(words: str | None) -> str:
    said = (words or "").lower()
    if not said or said == "from":
        return ""
    return "less" if re.fullmatch(_LESS, said) else "more"


def _fitting(parameter: Parameter, figures: Iterable[_Figure]) -> _Figure | None:
    """The figure that a parameter takes: one of its kind, rather with a "more than" or "within" before it."""
    kinds = {
        "days": ("day", "week", "fortnight", "month", "quarter", "year", ""),
        "months": ("month",),
        "amount": ("money", ""),
        "percent": ("percent", ""),
        "rows": ("",),
    }.get(parameter.name, ())
    fits = [figure for figure in figures if figure.unit in kinds and (figure.unit or _is_meant(parameter, figure))]
    return min(fits, key=lambda figure: (figure.unit == "", figure.than == ""), default=None)


def _is_meant(parameter: Parameter, figure: _Figure) -> bool:
    """Whether a number without a unit is the parameter: not a year, and not any number word such as in "four eyes"."""
    if figure.than or parameter.name == "rows":
        return True
    is_year = figure.number in range(1990, 2100)
    return figure.text[0].isdigit() and not is_year and (parameter.name != "amount" or figure.number >= 1_000)


def _value(parameter: Parameter, figure: _Figure) -> Value:
    number = figure.number
    if parameter.name == "days" and figure.unit in _DAYS:
        number = 365 if figure.unit == "month" and number == 12 else number * _DAYS[figure.unit]
    if parameter.name == "days" and _is_floor(parameter) and figure.text.lower().startswith("at least"):
        number -= 1  # the question asks for more than its figure
    return float(number) if isinstance(parameter.default, float) else int(number)


def _currency(words: str) -> str | None:
    codes = [word for word in re.findall(r"\b[A-Z]{3}\b", words) if word in _ISO]
    spoken = [_CURRENCIES[word] for word in re.findall(r"[a-z]+", words.lower()) if word in _CURRENCIES]
    return next(iter([*codes, *spoken]), None)
