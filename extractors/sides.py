"""Who supplies and who pays, where the roles of the parties don't say so: read from what each of them does.

A contract gives its parties short names (`Windrow AgriCloud, Inc. ("Windrow"), the provider`). Who `shall pay` and who
`shall provide` by these names tells the sides; a clear majority is asked for.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from extractors.names import normalised, role_side

_SHALL = (
    r"(?:\s+(?:shall|will|must|may|agrees?\s+to|undertakes?\s+to|has\s+to|is\s+to|owes?))?"
    r"(?:\s+(?:also|then|promptly|only))?"
)
_PAYS = (
    r"\s+(?:pays?|owes?|buys?|purchases?|orders?|subscribes?|licenses\s+from|reimburses?|rents?)\b"
    r"(?!\s+(?:damages|interest|liquidated))(?![^;]{0,40}\bfor\s+(?:every|each)\s+(?:hour|day|week)\b)"
    r"(?![^;.]{0,60}\b(?:referral|commission|rebate|bonus|back)\b)"
)
_SUPPLIES = (
    r"\s+(?:provides?|supply|supplies|hosts?|invoices?|bills?|delivers?|performs?|operates?|runs?|sells?|grants?|makes?|"
    r"gives?|configures?|monitors?|maintains?|develops?|manufactures?|installs?|charges?|prepares?|packs?|"
    r"repairs?|cleans?|transports?|builds?|designs?|trains?|screens?|connects?|attends?|looks?\s+after|"
    r"sends?\s+(?:you\s+)?(?:the|a|an|our|its)\s+(?:bill|invoice)s?)\b"
)
_ENOUGH = 2
"""One side's deeds have to be so many times those that speak for the other."""
_OPPOSITE = {"provider": "customer", "customer": "provider"}
_REACH = 260
"""Characters behind a name in which its short name and role stand."""
_SHORTLY = 30
"""Characters before a name in which `"We" means` stands."""
_HEAD = 200
"""Characters in which a letter's head stands."""
_NO_ALIAS = frozenset({"agreement", "party", "parties", "contract", "order", "us", "services", "service"})
_PRONOUNS = re.compile(r"\b(?:we|us|you)\b")
_IN_BRACKETS = re.compile(r"[^()\n]{0,160}\(([^()]{0,60})\)")
_CALLED = re.compile(
    r"\b(?:in the following|hereinafter|hereafter)\s*[,:]?\s*(?:called\s+|referred to as\s+)?(?:the\s+)?([A-Z][a-z]+)"
)
_QUOTED = re.compile(r"[\"“]([^\"“”]{2,40})[\"”](?!\s+(?:means|is|are)\b)")
_MEANT = re.compile(r"[\"“](we|us|you)[\"”]\s+(?:means|is|are)\s*$", re.IGNORECASE)
"""Before a name: `"We" means Frostlea Cold Stores Ltd.`"""
_LETTER = re.compile(r"^[^\S\n]*(?:Dear\s|To:)|\b[Yy]ours\s+(?:truly|faithfully|sincerely)", re.MULTILINE)
_FIRST_WORDS = re.compile(r"[A-Z][\w&'’-]{3,}")


def side_by_deeds(text: str, ours: str, others: Sequence[str]) -> str | None:
    """`provider` or `customer`, ours; None where the text does not tell clearly."""
    names = [ours, *others]
    told = [_told_role(text, name) for name in names]
    if told[0]:
        return told[0]
    if opposite := next((role for role in told[1:] if role), None):
        return _OPPOSITE[opposite]
    own = aliases(text, ours, others)
    theirs = {alias for name in others for alias in aliases(text, name, [ours])}
    own, theirs = _with_pronouns(text, ours, others, own, theirs)
    told_by_names = _roles_of(own) | {_OPPOSITE[side] for side in _roles_of(theirs)}
    if len(told_by_names) == 1:
        return told_by_names.pop()
    sells = _count(text, own, _SUPPLIES) + _bills_of(text, own)
    sells += 2 * (_count(text, theirs, _PAYS) + _paid_by(text, theirs))
    buys = _count(text, theirs, _SUPPLIES) + _bills_of(text, theirs)
    buys += 2 * (_count(text, own, _PAYS) + _paid_by(text, own))
    if sells and sells >= _ENOUGH * buys:
        return "provider"
    return "customer" if buys and buys >= _ENOUGH * sells else None


def _roles_of(names: Iterable[str]) -> set[str]:
    """The sides that short names such as `Contractor` tell."""
    return {side for name in names if (side := role_side(name.lower()))}


def _behind(text: str, name: str) -> Iterable[str]:
    """What stands shortly behind each of the first places where the name stands."""
    for match in islice(_named(name).finditer(text), 2):
        yield text[match.end() : match.end() + _REACH]


def _before(text: str, name: str) -> Iterable[str]:
    """What stands shortly before each of the first places where the name stands."""
    for match in islice(_named(name).finditer(text), 3):
        yield text[max(0, match.start() - _SHORTLY) : match.start()]


def _named(name: str, most_words: int | None = None) -> re.Pattern[str]:
    """A name, or its first words, however it is punctuated and broken over lines."""
    return re.compile(r"\W+".join(map(re.escape, re.findall(r"\w+", name)[:most_words])), re.IGNORECASE)


def _told_role(text: str, name: str) -> str | None:
    for behind in _behind(text, name):
        until = re.split(r"\band\b(?=\s+[A-Z])|;|\n\s*\n|\.\s", behind, maxsplit=1)[0]
        for word in re.findall(r"\b(?:the|as)\s+[\"“]?([A-Za-z]+(?:\s[A-Za-z]+)?)", until):
            for role in (word, word.split()[0]):
                if side := role_side(role):
                    return side
    return None


def aliases(text: str, name: str, others: Sequence[str]) -> set[str]:
    """The short names of a party: those in quotes behind its name, and the first word of the name if it is its own."""
    found = set()
    for behind in _behind(text, name):
        until = behind.split(")", 1)[0]
        found |= {alias.strip(" ,.") for alias in _QUOTED.findall(until)}
        brackets = _IN_BRACKETS.match(behind)
        found |= set(_PRONOUNS.findall(brackets[1] if brackets else "")) | set(_CALLED.findall(until))
    found |= {pronoun.lower() for before in _before(text, name) for pronoun in _MEANT.findall(before)}
    first = _FIRST_WORDS.match(name)
    if first and not any(first.group().lower() in normalised(other) for other in others):
        found.add(first.group())
    return {alias for alias in found if alias.lower() not in _NO_ALIAS}


def _with_pronouns(
    text: str, ours: str, others: Sequence[str], own: set[str], theirs: set[str]
) -> tuple[set[str], set[str]]:
    """In a letter nobody is called `we`: it is who stands at its head, and the other is `you`."""
    if {"we", "us", "you"} & (own | theirs) or len(others) != 1 or not _LETTER.search(text):
        return own, theirs
    first = [found.start() for name in (ours, *others) if (found := _named(name, 2).search(text))]
    if len(first) < 2 or min(first) > _HEAD:
        return own, theirs
    writes, reads = {"we", "us"}, {"you"}
    return (own | writes, theirs | reads) if first[0] < first[1] else (own | reads, theirs | writes)


def _bills_of(text: str, names: set[str]) -> int:
    """How often a letter speaks of a side's invoices, charges and prices as its own."""
    whose = "our" if "we" in names else "your" if "you" in names else ""
    bills = r"(?:charges?|invoices?|fees?|bills?|tariffs?|price list|price sheet|trade price)"
    return len(re.findall(rf"\b(?i:{whose})\s+(?:\w+\s+)?{bills}\b", text)) if whose else 0


def _count(text: str, names: Iterable[str], deed: str) -> int:
    either = "|".join(re.escape(alias) for alias in sorted(names, key=len, reverse=True))
    return len(re.findall(rf"\b(?i:{either})[\"”’)]*{_SHALL}{deed}", text)) if either else 0


def _paid_by(text: str, names: Iterable[str]) -> int:
    """How often fees, bills or prices are said to be paid by a party."""
    either = "|".join(re.escape(alias) for alias in sorted(names, key=len, reverse=True))
    bills = r"\b(?:bills?|invoices?|fees?|charges?|price|rent)\b[^.;]{0,60}\b(?:paid|payable)\s+by\s+(?:the\s+)?"
    return len(re.findall(rf"(?i:{bills})(?i:{either})\b", text)) if either else 0
