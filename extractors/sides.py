"""Who supplies and who pays, where the roles of the parties don't say so: read from what each of them does.

A contract gives its parties short names (`Windrow AgriCloud, Inc. ("Windrow"), the provider`). Who `shall pay` and who
`shall provide` by these names tells the sides; a clear majority is asked for.
"""

import re
from collections.abc import Iterable, Sequence

from extractors.names import normalised, role_side

_SHALL = (
    r"(?:\s+(?:shall|will|must|may|agrees?\s+to|undertakes?\s+to|has\s+to|is\s+to|owes?))?"
    r"(?:\s+(?:also|then|promptly|only))?"
)
_PAYS = (
    r"\s+(?:pays?|owes?|buys?|purchases?|orders?|subscribes?|licenses\s+from|reimburses?|rents?)\b"
    r"(?!\s+(?:damages|interest|liquidated))(?![^;]{0,40}\bfor\s+(?:every|each)\s+(?:hour|day|week)\b)"
)
_SUPPLIES = (
    r"\s+(?:provides?|supply|supplies|hosts?|invoices?|bills?|delivers?|performs?|operates?|runs?|sells?|grants?|makes?|"
    r"gives?|configures?|monitors?|maintains?|develops?|manufactures?|installs?|charges?|prepares?|packs?|"
    r"repairs?|cleans?|transports?|builds?|designs?|trains?)\b"
)
_ENOUGH = 2
"""One side's deeds have to be so many times those that speak for the other."""
_REACH = 260
"""Characters behind a name in which its short name and role stand."""
_NO_ALIAS = frozenset({"agreement", "party", "parties", "contract", "order", "us", "services", "service"})
_PRONOUNS = re.compile(r"(?<=[(,/ ])(?:we|us|you)\b")
_FIRST_WORDS = re.compile(r"[A-Z][\w&'’-]{3,}")


def side_by_deeds(text: str, ours: str, others: Sequence[str]) -> str | None:
    """`provider` or `customer`, ours; None where the text does not tell clearly."""
    names = [ours, *others]
    told = [_told_role(text, name) for name in names]
    if told[0]:
        return told[0]
    if opposite := next((role for role in told[1:] if role), None):
        return "customer" if opposite == "provider" else "provider"
    own = aliases(text, ours, others)
    theirs = {alias for name in others for alias in aliases(text, name, [ours])}
    sells = _count(text, own, _SUPPLIES) + 2 * (_count(text, theirs, _PAYS) + _paid_by(text, theirs))
    buys = _count(text, theirs, _SUPPLIES) + 2 * (_count(text, own, _PAYS) + _paid_by(text, own))
    if sells and sells >= _ENOUGH * buys:
        return "provider"
    return "customer" if buys and buys >= _ENOUGH * sells else None


def _behind(text: str, name: str) -> Iterable[str]:
    """What stands shortly behind each of the first places where the name stands."""
    bare = r"\W+".join(map(re.escape, re.findall(r"\w+", name)))
    for match in list(re.finditer(bare, text, re.IGNORECASE))[:2]:
        yield text[match.end() : match.end() + _REACH]


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
        found |= {alias.strip(" ,.") for alias in re.findall(r"[\"“]([^\"“”]{2,40})[\"”]", until)}
        found |= set(_PRONOUNS.findall(until))
    first = _FIRST_WORDS.match(name)
    if first and not any(first.group().lower() in normalised(other) for other in others):
        found.add(first.group())
    return {alias for alias in found if alias.lower() not in _NO_ALIAS}


def _count(text: str, names: Iterable[str], deed: str) -> int:
    either = "|".join(re.escape(alias) for alias in sorted(names, key=len, reverse=True))
    return len(re.findall(rf"\b(?i:{either})[\"”’)]*{_SHALL}{deed}", text)) if either else 0


def _paid_by(text: str, names: Iterable[str]) -> int:
    """How often fees, bills or prices are said to be paid by a party."""
    either = "|".join(re.escape(alias) for alias in sorted(names, key=len, reverse=True))
    bills = r"\b(?:bills?|invoices?|fees?|charges?|price|rent)\b[^.;]{0,60}\b(?:paid|payable)\s+by\s+(?:the\s+)?"
    return len(re.findall(rf"(?i:{bills})(?i:{either})\b", text)) if either else 0
