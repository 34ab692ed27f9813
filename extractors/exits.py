"""When a right to leave without cause opens: at once, or only some way into the term. Part of `derive`."""

import re
from datetime import date, timedelta
from typing import NamedTuple

from extractors.values import ORDINALS, dates, durations, last_day, pattern

_NTH = rf"(?P<nth>{'|'.join(sorted(ORDINALS, key=len, reverse=True))}|\d{{1,3}}(?:st|nd|rd|th))"
_IN_MONTHS = {"anniversary": 12.0, "year": 12.0, "quarter": 3.0, "month": 1.0, "week": 7 / 30}
_EARLIEST = r"not (?:before|earlier than)|no (?:earlier|sooner) than|(?:on|at|upon) or (?:at any time )?after"
_THEN = (
    r"(?:with effect|effective|taking effect|to take effect|(?:to )?expire|expiring|(?:to )?end|ending)(?: only)? "
    rf"(?:{_EARLIEST}|from|as of|as from|on|at|upon|after)|as of|at(?= the (?:end|expiry))"
)
"""Words before the point at which the contract itself can end."""
_SINCE = (
    rf"\b(?P<since>(?P<then>{_THEN})|{_EARLIEST}|after|following|from|beyond|once|"
    r"starting (?:on|from|with)|beginning (?:on|with)|upon|at) "
)
_POINT = r"(?P<point>(?:the )?(?:end|expiry|expiration|completion|last day|close|lapse) of )?"
_NTH_PERIOD = pattern(
    rf"{_SINCE}{_POINT}(?:the )?{_NTH} (?:or (?:the |any )?\w+ )?(?:full |contract |calendar |subscription |license )?"
    r"(?P<unit>anniversary|year|quarter|month|week)\b(?! (?:before|prior|after notice))"
)
_NUMBERED_PERIOD = pattern(rf"{_SINCE}{_POINT}(?:the )?(?:contract )?(?P<unit>year|month) (?P<number>\d{{1,3}})\b")
_LENGTH = pattern(rf"{_SINCE}{_POINT}(?:the )?(?:(?:first|initial|minimum period of) )?(?=[\w(])")
_NOTICE = re.compile(r"\W{0,3}(?:of )?(?:prior |advance |written |such )*(?:notice|notification)", re.IGNORECASE)
_ARTICLE = re.compile(r"an?\b", re.IGNORECASE)
_BEHIND = re.compile(r"after|following|beyond|once", re.IGNORECASE)
_SHORTEST_MONTHS = 1
"""What is shorter is a notice or a cure, whatever word stands before it."""
_INITIAL = r"(?:initial|minimum|committed|fixed|first) (?:\w+ )?(?:term|period)|lock-in period"
_WHOLE_TERM = pattern(rf"{_SINCE}{_POINT}(?:the|its) (?:{_INITIAL})\b")
_DAY = pattern(rf"{_SINCE}(?=[\w\d])")


class Opening(NamedTuple):
    """Where a right opens: so many months into the term, on a day, or (neither) with the end of the initial term.

    `is_end` says that the contract can end at that point; else a notice runs from there.
    """

    months: float | None
    day: date | None
    is_end: bool


def opening(text: str) -> Opening | None:
    """From when the right that a sentence grants can be used; None where it names no such point.

    `with effect from the end of the eighteenth month` is the day on which the contract can end; `at any time after the
    first anniversary, on 60 days' notice` opens the right, and the notice follows.
    """
    said = " ".join(text.split())
    for find in (_nth, _numbered, _length, _whole, _day):
        if found := find(said):
            return found
    return None


def earliest_end(found: Opening, first: date, notice: int, stated_end: date | None) -> date | None:
    """The last day that binds where a right opens late; None where the term's end would tell it and is not known."""
    day = last_day(first, found.months) if found.months else found.day or stated_end
    if day is None:
        return None
    return day if found.is_end else day + timedelta(days=notice)


def _nth(text: str) -> Opening | None:
    match = _NTH_PERIOD.search(text)
    if match is None:
        return None
    word = match["nth"].lower()
    number = ORDINALS[word] if word in ORDINALS else int(re.sub(r"\D", "", word))
    return _counted(match, number)


def _counted(match: re.Match[str], number: int) -> Opening:
    """`from the 13th month` is its beginning, `after the 12th month` and `the end of the 12th month` are one day."""
    unit = match["unit"].lower()
    begins = unit != "anniversary" and not match["point"] and not _BEHIND.search(match["since"])
    return Opening((number - begins) * _IN_MONTHS[unit], None, bool(match["then"]))


def _numbered(text: str) -> Opening | None:
    match = _NUMBERED_PERIOD.search(text)
    if match is None or int(match["number"]) > 120:
        return None
    return _counted(match, int(match["number"]))


def _length(text: str) -> Opening | None:
    lengths = {one.start: one for one in durations(text)}
    for match in _LENGTH.finditer(text):
        one = lengths.get(match.end())
        if one and one.unit in ("month", "quarter", "year") and one.months >= _SHORTEST_MONTHS:
            a_period = match["then"] and _ARTICLE.match(text, one.start)  # at the end of any month
            if not a_period and not _NOTICE.match(text, one.end):
                return Opening(one.months, None, bool(match["then"]))
    return None


def _whole(text: str) -> Opening | None:
    match = _WHOLE_TERM.search(text)
    return Opening(None, None, bool(match["then"])) if match else None


def _day(text: str) -> Opening | None:
    days = {one.start: one.value for one in dates(text)}
    for match in _DAY.finditer(text):
        if match.end() in days:
            return Opening(None, days[match.end()], bool(match["then"]))
    return None
