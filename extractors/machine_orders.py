"""Text that gives orders to the machine that reads it: a contract speaks to its parties, so this is no evidence."""

import re
from collections.abc import Sequence

_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|all|your)\b[^.\n]{0,30}"
    r"\b(?:instructions?|rules|prompts?)\b"
    r"|\b(?:notes?|message|instructions?|attention)\b[ :]{1,2}(?:(?:to|for)\s)?(?:all\s|any\s)?"
    r"(?:automated|AI|machine|LLM)\b[ -](?:readers?|systems?|reviewers?|agents?|models?|assistants?|tools?)\b"
    r"|</?(?:document|system|assistant|instructions?)\b[^<>\n]{0,40}>|\bas an? (?:AI|language) model\b",
    re.IGNORECASE,
)
_REST = re.compile(r"(?:(?!\n\s*\n).){0,300}", re.DOTALL)


def orders_to_machines(text: str, told: Sequence[str] = ()) -> list[tuple[int, int]]:
    """Where such orders stand (half-open, with what follows in their paragraph); `told` are quotations of more."""
    places = [(match.start(), _REST.match(text, match.end()).end()) for match in _ORDER.finditer(text)]
    for quote in told:
        at = text.find(quote)
        if at >= 0 and not any(at < end and start < at + len(quote) for start, end in places):
            places.append((at, at + len(quote)))
    return sorted(places)
