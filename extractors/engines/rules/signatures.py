"""Whether and when it was signed, from the signature blocks.

Signed is what bears a name after `/s/`, an e-signature stamp, or a name in the place of the signature. A
blank line there is unsigned. What can't be told is absent, not false.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from extractors.engines.view import Sentence, View
from extractors.values import dates, pattern
from schemas.contract import Term
from schemas.document import PAGE_BREAK

_BLOCK = pattern(
    r"\bIN WITNESS WHEREOF\b|\bexecuted (?:this|as of|by|on)\b|\bsigned (?:by|for|on behalf)\b|\bagreed and accepted\b|"
    r"\baccepted and agreed\b|\bsignatures?\b|\bduly authori[sz]ed\b|\bfor and on behalf\b|\bBy:|\b記名押印|\b署名|/s/|\bsd/-|"
    r"\bsincerely\b|\byours (?:faithfully|truly)"
)
_FIELD = re.compile(
    r"(?P<label>\b(?:By|Signature|Signed(?: by)?|Sign here)\s*:|/s/|\b[Ss]d/-|(?:^|\n)\s*(?-i:Signed|SIGNED)\s+(?:by|BY)\b|DocuSigned\s+by\s*:?|"
    r"\b(?:Electronically\s+signed|signed\s+electronically)(?:\s+by)?\s*:?|\be-?signed\s+by\s*:?|署名\s*[:：]?|記名押印\s*[:：]?)"
    r"(?P<value>(?:(?!\b(?:By|Signature|Signed)\s*:)[^\n]){0,90}(?:\n(?!\s*(?:Name|Title|Date|By|Its|Signature|Print|Printed|氏名|役職|日付)\b)[^\n]{0,60})?)",
    re.IGNORECASE,
)
_CONFORMED = re.compile(r"/s/|\bSd/-", re.IGNORECASE)
"""What stands for a signature in a copy; `Sd/-` in India."""
_BLANK = re.compile(r"_{3,}|\.{5,}|\[\s*(?:signature|sign|blank)?\s*\]|^\s*$")
_OTHER_FIELD = re.compile(r"^\s*(?:Name|Title|Date|By|Its|Print(?:ed)?)\b", re.IGNORECASE)
_SIGNED_DATE = re.compile(
    r"(?:Date|Dated|Signed on|(?:affixed|sealed|executed) on|Date signed|Date of signature|signed\s+electronically|e-?signed|日付)\s*[:：]?\s*"
    r"(?P<value>(?:(?!\bDate\b)[^\n]){0,70})",
    re.IGNORECASE,
)
TAIL = 6_000


class Field(NamedTuple):
    """A place for a signature: where it stands, and whether something stands in it."""

    start: int
    end: int
    signed: bool


def terms(view: View) -> Iterable[Term]:
    """`fully_executed` and `signed_date`."""
    region_start, region = _region(view.text)
    fields = list(_fields(region))
    yield from _fully_executed(view, region_start, region, fields)
    yield from _signed_date(view, region_start, region, fields)


def _region(text: str) -> tuple[int, str]:
    """From the first word of a signature block in the last part of the text; exhibits may follow it."""
    matches = [
        m
        for m in _BLOCK.finditer(text)
        if re.search(r"By:|/s/|Sd/-|Signature|Signed|WITNESS|署名|押印", m.group(), re.I)
    ]
    starts = [m.start() for m in matches if _FIELD.search(text, m.start(), m.start() + 2_500)]
    strong = [m.start() for m in matches if re.search(r"witness", m.group(), re.I)] or starts
    start = min((s for s in strong if s > 0.2 * len(text)), default=max(0, len(text) - TAIL) if starts else len(text))
    return start, text[start : start + TAIL]


def _fields(region: str) -> Iterable[Field]:
    for match in _FIELD.finditer(region):
        yield Field(match.start(), match.end(), _is_signed(match["label"], match["value"]))
        if _CONFORMED.fullmatch(match["label"]):  # two conformed signatures beside each other on one line
            for other in _CONFORMED.finditer(match["value"]):
                yield Field(match.start("value") + other.start(), match.end(), True)


def _is_signed(label: str, value: str) -> bool:
    """Whether something stands in the place of a signature, on its line or, for e-signatures, below it."""
    first, _, below = value.partition("\n")
    first, below = first.strip(" :\t"), below.strip()
    if _CONFORMED.search(label + first):
        return True
    if not first and not _OTHER_FIELD.match(below) and not _BLANK.search(below):
        return bool(re.search(r"/s/|DocuSign|e-?sign", below, re.IGNORECASE))
    if not first or _OTHER_FIELD.match(first) or _BLANK.search(first):
        return False
    return bool(re.search(r"[A-Za-z\u3040-\u9fff]{2}", first))


def _fully_executed(view: View, offset: int, region: str, fields: list[Field]) -> Iterable[Term]:
    places = _distinct(fields)
    if not places:
        return
    needed = 2
    signed = [field for field in places if field.signed]
    if len(signed) >= needed and len(signed) == len(places):
        value, quoted, sure = True, (signed[0].start, signed[-1].end), 0.8
    elif len(signed) < len(places) or (signed and len(signed) < needed):
        open_place = next((field for field in places if not field.signed), places[0])
        value, quoted, sure = False, (open_place.start, open_place.end), 0.75
    else:
        return
    yield view.found("fully_executed", value, _line(offset, region, quoted), confidence=sure)


def _distinct(fields: list[Field]) -> list[Field]:
    """`By: /s/ Jane Roe` is one place though two patterns see it."""
    kept: list[Field] = []
    for field in fields:
        if kept and field.start < kept[-1].end and not (field.end == kept[-1].end and field.start > kept[-1].start):
            kept[-1] = Field(kept[-1].start, max(kept[-1].end, field.end), kept[-1].signed or field.signed)
        else:
            kept.append(field)
    return kept


def _signed_date(view: View, offset: int, region: str, fields: list[Field]) -> Iterable[Term]:
    if not any(field.signed for field in fields):
        return
    found = [
        (dated.value, offset + match.start(), offset + match.start("value") + dated.end)
        for match in _SIGNED_DATE.finditer(region)
        for dated in dates(match["value"])[:1]
    ]
    if not found:
        signed = [offset + field.start for field in fields if field.signed]
        found = list(_dates_beside(view.text, _above(view.text, offset), offset + len(region), signed))
    if found:
        value, start, end = max(found)
        yield view.found("signed_date", value, _line(0, view.text, (start, end)), confidence=0.8)


_ABOVE, _BELOW = 2, 2
"""Lines above and below a signature in which its date stands: below a name and an office, or behind a place above it."""
_SHORT, _SHORT_BEFORE = 120, 60
"""Letters before the date in the line of a signature, and in one beside it: a name, an office, a place."""


def _above(text: str, offset: int) -> int:
    """Where the lines above the first signature begin in which its date may stand."""
    before = text[:offset].rstrip("\n")
    return len(before) - len("\n".join(before.split("\n")[-_ABOVE - 1 :]))


def _dates_beside(text: str, start: int, end: int, signed: list[int]) -> Iterable[tuple[date, int, int]]:
    """Dates without a label that end the line of a signature or a short line beside it, from `start` to `end`."""
    lines = [match.span() for match in _FULL_LINE.finditer(text, start, end)]
    for place in signed:
        at = next((n for n, (start, end) in enumerate(lines) if start <= place < end), None)
        if at is None:
            continue
        for number, (start, end) in enumerate(lines[max(0, at - _ABOVE) : at + _BELOW + 1], max(0, at - _ABOVE)):
            line = text[start:end]
            most = _SHORT if number == at else _SHORT_BEFORE
            for dated in dates(line)[-1:]:
                rest = line[: dated.start]
                if not re.search(r"\w", line[dated.end :]) and len(rest) <= most and not _SENTENCE.search(rest):
                    yield dated.value, start, end


_FULL_LINE = re.compile(r"[^\n]*\S[^\n]*")
_SENTENCE = re.compile(
    r"\b(?:is|are|was|shall|will|of this|agreement|contract|effective|until|from|before)\b", re.IGNORECASE
)


def _line(offset: int, region: str, span: tuple[int, int]) -> Sentence:
    start, end = span[0], min(span[1], span[0] + 400)
    text = region[start:end].split(PAGE_BREAK)[0].rstrip()  # a quotation stands on one page
    return Sentence(offset + start, text, "")
