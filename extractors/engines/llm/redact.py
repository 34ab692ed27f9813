"""Personal numbers taken out before anything is sent, and put back into what comes back.

Only what a checksum or a cue word proves: a wrong redaction would hide a value of the contract. Every number is
replaced by a placeholder of its own, `[IBAN-1]`, the same one wherever it stands. Names of people are not found.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Redacted(NamedTuple):
    """A text without personal numbers, and what each placeholder stands for."""

    text: str
    originals: dict[str, str]

    def restore(self, text: str) -> str:
        """The text with the originals in the place of their placeholders."""
        for placeholder, original in self.originals.items():
            text = text.replace(placeholder, original)
        return text


def _is_iban(text: str) -> bool:
    bare = re.sub(r"\s", "", text).upper()
    digits = "".join(str(int(char, 36)) for char in bare[4:] + bare[:4])
    return 15 <= len(bare) <= 34 and int(digits) % 97 == 1


def _is_card(text: str) -> bool:
    digits = [int(char) for char in text if char.isdigit()]
    doubled = [digit if i % 2 == 0 else sum(divmod(2 * digit, 10)) for i, digit in enumerate(reversed(digits))]
    return 13 <= len(digits) <= 19 and sum(doubled) % 10 == 0 and len(set(digits)) > 1


def _is_ssn(text: str) -> bool:
    area, group, serial = text.split("-")
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _is_told(text: str) -> bool:
    """The words around it, or its own form, say what it is."""
    return bool(text)


class _Kind(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    proves: Callable[[str], bool]


_KINDS = (
    _Kind("IBAN", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), _is_iban),
    _Kind("CARD", re.compile(r"\b\d(?:[ -]?\d){12,18}\b"), _is_card),
    _Kind("SSN", re.compile(r"\b\d{3}-\d{2}-\d{4}\b"), _is_ssn),
    _Kind("EMAIL", re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"), _is_told),
    _Kind(
        "PHONE",
        re.compile(r"(?:phone|tel|fax)[.: ]{1,3}(?P<number>\+?[\d(][\d ().-]{7,18}\d)", re.I),
        lambda text: True,
    ),
    _Kind(
        "ACCOUNT", re.compile(r"account (?:no\.?|number)[: ]{1,2}(?P<number>\d[\d -]{5,20}\d)", re.I), lambda text: True
    ),
)


def redact(text: str) -> Redacted:
    """The text with a placeholder for every personal number that is proven to be one."""
    placeholders: dict[str, str] = {}
    originals: dict[str, str] = {}
    parts, at = [], 0
    for start, end, kind in _found(text):
        original = text[start:end]
        if original not in placeholders:
            number = sum(name.startswith(f"[{kind}-") for name in originals) + 1
            placeholders[original] = f"[{kind}-{number}]"
            originals[placeholders[original]] = original
        parts += [text[at:start], placeholders[original]]
        at = end
    return Redacted("".join([*parts, text[at:]]), originals)


def _found(text: str) -> Iterator[tuple[int, int, str]]:
    """Where personal numbers stand, in order, none inside another."""
    hits = [
        (*match.span("number" if "number" in match.groupdict() else 0), kind.name)
        for kind in _KINDS
        for match in kind.pattern.finditer(text)
        if kind.proves(match.group())
    ]
    reached = 0
    for start, end, name in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if start >= reached:
            yield start, end, name
            reached = end
