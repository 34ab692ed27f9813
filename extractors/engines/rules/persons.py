"""People as parties: employees, consultants, investors. They sign, are addressed, or speak for themselves."""

import re
from collections.abc import Iterator

from extractors.values import pattern

_NAME = r"(?P<name>[A-Z][a-zA-Z'\-]+(?:[ \t]+[A-Z][a-zA-Z'\-]*\.?){1,3})"
_ROLE = r"(?:employee|executive|associate|consultant|contractor|recipient|individual|director|officer|second party|participant)"
_WRAPPED_NAME = _NAME.replace(r"[ \t]+", r"\s+")  # in running text a name may be broken by a line's end
_PATTERNS = (
    re.compile(rf"\bI,\s+{_WRAPPED_NAME},"),
    re.compile(
        rf"(?:\band|\bAND|PARTIES:|Parties:|BETWEEN:?|[Bb]etween)\s+{_WRAPPED_NAME}\s*,?\s*(?:\(|\")\s*"
        rf"(?:[Tt]he\s+|[Hh]erein\w*\s+)?\"?(?i:{_ROLE})\b"
    ),
)
"""`I, Mary Major, agree`; `between Example, Inc. and Mary Major "Employee"`."""

_SIGNED = re.compile(rf"/s/[ \t]*{_NAME}")
_PRINTED = re.compile(rf"\b(?i:{_ROLE})[ \t]*:?\s*\n\s*{_NAME}[ \t]*\n")
_SIGNER = pattern(rf"\b{_ROLE}\b\s*:?\s*(?:\W|signature|signed|name|by|date)*$")
_OF_A_COMPANY = pattern(r"\b(?:by|its|attest|witness|for|inc|corp|llc|company)\b\W*$")
_ABOUT_ONESELF = pattern(r"\b(?:my|your) employment\b")
_DEAR = re.compile(r"\bDear\s+(?:(?P<title>Mr|Ms|Mrs|Dr)\.?\s+)?(?P<called>[A-Z][\w']+)\s*[:,]")
_LINE_NAME = re.compile(
    rf"^\s*(?:(?:Mr|Ms|Mrs|Dr)\.?\s+)?{_NAME}(?:,\s*(?:Ph\.?D|M\.?D|Esq|Jr|Sr)\.?)?\s*$", re.MULTILINE
)
_NOT_A_NAME = pattern(
    r"\b(?:agreement|company|inc|corp|corporation|llc|ltd|street|avenue|road|drive|suite|floor|president|officer|chief|"
    r"exhibit|page|date|title|signature|name|employee|executive|the|and|of|this|board|human resources|vice|group|"
    r"holdings|partners|capital|health|systems|software|united states)\b"
)
LETTERHEAD = 1_500
"""Characters above a salutation in which the addressee stands."""


def persons(text: str) -> Iterator[tuple[int, int]]:
    """Where people are named as parties, the surest way of naming first."""
    for expression in _PATTERNS:
        for match in expression.finditer(text):
            if not _NOT_A_NAME.search(match["name"]):
                yield match.span("name")
    yield from _addressee(text)
    yield from _signers(text)


def _signers(text: str) -> Iterator[tuple[int, int]]:
    """Who signs as employee or the like; in an agreement about "my employment", who signs for no company."""
    closing = 2 * len(text) // 3
    signed = [match for match in _SIGNED.finditer(text, closing) if not _NOT_A_NAME.search(match["name"])]
    unlabelled: list[tuple[int, int]] = []
    for at, match in enumerate(signed):
        before = text[max(0, match.start() - 90) : match.start()]
        if _SIGNER.search(before):
            beside = signed[at + 1] if at + 1 < len(signed) and signed[at + 1].start() - match.end() < 4 else match
            yield beside.span("name")  # of two signatures side by side, the right one
        elif not _OF_A_COMPANY.search(before):
            unlabelled.append(match.span("name"))
    for match in _PRINTED.finditer(text, closing):
        if not _NOT_A_NAME.search(match["name"]):
            yield match.span("name")
    if len(unlabelled) == 1 and _ABOUT_ONESELF.search(text):
        yield unlabelled[0]


def _addressee(text: str) -> Iterator[tuple[int, int]]:
    """Who a letter agreement is written to: the line above `Dear Mary:` that names a Mary."""
    dear = _DEAR.search(text, 0, 2 * LETTERHEAD)
    if not dear:
        return
    for match in _LINE_NAME.finditer(text, max(0, dear.start() - LETTERHEAD), dear.start()):
        words = match["name"].split()
        called = words[-1] if dear["title"] else words[0]
        if called.startswith(dear["called"][:3]) and not _NOT_A_NAME.search(match["name"]):
            yield match.span("name")
