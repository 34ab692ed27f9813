"""Who the contract is between: names, defined names, roles, and which side pays."""

import re
from collections.abc import Iterable

from extractors.engines.view import Party, Sentence, View
from extractors.names import LEGAL_FORMS, NEUTRAL_ROLES, normalised, role_side
from extractors.values import pattern
from schemas.contract import Term

_WORD = r"(?:[A-Z0-9][\w&'./\-]*|&)"
_JOIN = r"(?:,? |,? (?:of|and|de|for|the|von|van|di|&) )"
COMPANY = re.compile(
    rf"\b(?P<name>{_WORD}(?:{_JOIN}{_WORD}){{0,8}}?,? (?:{LEGAL_FORMS}))(?![\w&])".replace(" ", r"\s+")
)
_ALIAS = pattern(
    r"\(\s*(?:[^()\"]{0,70}?)\"(?P<first>[^\"()]{1,60}?)[,.]?\"(?:[^()\"]{0,30}\"(?P<second>[^\"()]{1,60}?)[,.]?\")?"
    r"[^()]{0,80}\)"
)
_BARE_ALIAS = pattern(
    r"\(\s*(?:the |each,? an? |hereinafter,? (?:the )?)?(?P<first>[A-Z][A-Za-z]+(?: [A-Z][a-z]+)?)\s*\)", 0
)
_PERSON_OR_NAME = re.compile(
    r"(?:between|among|and|by|BETWEEN|AND|BY)[:\s]+(?:\([0-9a-z]\)\s*)?"
    r"(?P<name>[A-Z][\w&'.\-]*(?:\s+(?:[A-Z][\w&'.\-]*|of|de|van|von|&)){0,6})\s*,?[^()\"]{0,260}?(?=\()"
)
_LABEL = re.compile(
    r"(?P<label>Customer|Client|Vendor|Provider|Service Provider|Supplier|Licensor|Licensee|Buyer|Purchaser|Seller|"
    r"Reseller|Distributor|Contractor|Consultant|Lessor|Lessee|Subscriber|Partner)"
    r"(?: ?\((?:the )?[^)\n]{0,30}\))?(?: (?:Legal )?(?:Name|Entity))?\s*[:\n]\s*(?P<name>[^\n]{3,80})",
    re.IGNORECASE,
)
_NO_NAME = {"between", "and", "by", "among", "this", "the", "agreement", "whereas", "parties", "to", "of", "for", "with",
            "dated", "undersigned", "amendment", "a", "an", "party", "made"}  # fmt: skip

OPENING = 4_500
"""Parties are named within so many characters; what follows are notices and mentions of others."""


def find_parties(sentences: Iterable[Sentence], text: str) -> tuple[Party, ...]:
    """The parties that the opening names, in its order; none when it names nobody."""
    opening = _opening(sentences, text)
    found = _companies(*opening) or []
    if len(found) < 2:
        found += [party for party in _named_before_alias(*opening) if not _known(party, found)]
    if len(found) < 2:
        found += [party for party in _labelled(text[: 2 * OPENING]) if not _known(party, found)]
    return tuple(sorted(found, key=lambda party: party.start))


def terms(view: View) -> Iterable[Term]:
    """The term `parties`, one value a party, each quoting its own naming."""
    for party in view.parties:
        line = Sentence(party.start, view.text[party.start : party.end], "")
        yield view.found(
            "parties", party.name, line, confidence=0.8 if party.aliases else 0.65, role=party.role
        )


def _opening(sentences: Iterable[Sentence], text: str) -> tuple[str, int]:
    """Where parties are named: from the sentence with "between" or the like, else from the top."""
    for sentence in sentences:
        if sentence.start > OPENING:
            break
        if match := _BETWEEN.search(sentence.text):
            at = max(0, sentence.start + match.start() - 10)
            return text[at : at + 2_600], at
    return text[:2_600], 0


_BETWEEN = pattern(
    r"\b(?:by and )?(?:between|among|amongst)\b|\bmade by\b|\bdelivered by\b|\bentered into by\b"
)


def _companies(text: str, offset: int) -> list[Party]:
    matches = _first_mentions(COMPANY.finditer(_ending_before_recitals(text)))
    found = []
    for i, match in enumerate(matches):
        until = matches[i + 1].start() if i + 1 < len(matches) else match.end() + 600
        aliases, end = _aliases(text, match.end(), until)
        if aliases or i < 2:
            found.append(
                _party(match["name"], aliases, offset + match.start(), offset + max(match.end(), end))
            )
    with_alias = [party for party in found if party.aliases]
    return with_alias if len(with_alias) >= 2 else found


def _ending_before_recitals(text: str) -> str:
    match = re.search(r"\bWITNESSETH|\bRECITALS?\b|\bBACKGROUND\b|\bWHEREAS\b", text[200:])
    return text[: 200 + match.start()] if match else text


def _first_mentions(matches: Iterable[re.Match[str]]) -> list[re.Match[str]]:
    seen, kept = set(), []
    for match in matches:
        key = normalised(_stripped(match["name"]))
        if key and key not in seen:
            seen.add(key)
            kept.append(match)
    return kept


def _aliases(text: str, start: int, until: int) -> tuple[tuple[str, ...], int]:
    match = _ALIAS.search(text, start, until) or _BARE_ALIAS.search(text, start, min(until, start + 250))
    if not match:
        return (), start
    names = [name for name in match.groupdict().values() if name]
    return tuple(" ".join(re.sub(r"^the ", "", name, flags=re.I).split()) for name in names), match.end()


def _party(name: str, aliases: tuple[str, ...], start: int, end: int) -> Party:
    stripped = _stripped(name)
    start += len(name) - len(name.lstrip())
    start += (
        max(0, " ".join(name.split()).find(stripped)) if len(stripped) < len(" ".join(name.split())) else 0
    )
    role = next(
        (alias.lower() for alias in aliases if role_side(alias) or alias.lower() in NEUTRAL_ROLES), None
    )
    side = next((role_side(alias) for alias in aliases if role_side(alias)), None)
    return Party(stripped, role, aliases, side, start, min(end, start + 420))


def _stripped(name: str) -> str:
    words = " ".join(name.split()).split(" ")
    while words and (words[0].lower().strip(",.:;") in _NO_NAME or not re.search(r"[A-Za-z]", words[0])):
        words.pop(0)
    return " ".join(words).strip(" ,;:")


def _named_before_alias(text: str, offset: int) -> list[Party]:
    found = []
    for match in _PERSON_OR_NAME.finditer(text):
        aliases, end = _aliases(text, match.end(), match.end() + 120)
        name = _stripped(match["name"])
        if aliases and len(name) > 3:
            found.append(_party(name, aliases, offset + match.start("name"), offset + end))
    return found


def _labelled(text: str) -> list[Party]:
    found = []
    for match in _LABEL.finditer(text):
        company = COMPANY.search(match["name"])
        if company and not any(normalised(company["name"]) == normalised(party.name) for party in found):
            start = match.start("name") + company.start()
            label = match["label"].lower()
            found.append(
                Party(_stripped(company["name"]), label, (match["label"].title(),), role_side(label),
                      match.start(), start + len(company["name"]))
            )  # fmt: skip
    return found


def _known(party: Party, found: list[Party]) -> bool:
    return any(normalised(party.name) == normalised(other.name) for other in found)
