"""Who the contract is between: names, defined names, roles, and which side pays."""

import re
from collections.abc import Iterable

from extractors.engines.rules.law import PLACES
from extractors.engines.rules.persons import persons
from extractors.engines.view import Party, Sentence, View
from extractors.names import LEGAL_FORMS, NEUTRAL_ROLES, RESELLING, TELLING_ENDINGS, normalised, role_side
from extractors.sides import side_by_deeds
from extractors.values import pattern
from schemas.contract import Term

_WORD = r"(?:[A-Z0-9][\w&'./\-]*|&)"
_JOIN = r"(?:,? |,? (?:of|and|de|for|the|von|van|di|&) )"
_ENDING = rf"(?:{LEGAL_FORMS}|{TELLING_ENDINGS})"
COMPANY = re.compile(rf"\b(?P<name>{_WORD}(?:{_JOIN}{_WORD}){{0,8}}?(?:,? {_ENDING})+)(?![\w&])".replace(" ", r"\s+"))
_ALIAS = pattern(
    r"\(\s*(?:[^()\"]{0,90}?)\"(?P<first>[^\"()]{1,60}?)[,.]?\"(?:[^()\"]{0,40}\"(?P<second>[^\"()]{1,60}?)[,.]?\")?"
    r"[^()]{0,120}\)"
)
_BARE_ALIAS = pattern(
    r"\(\s*(?:the |each,? an? |hereinafter[,:]? (?:referred to as )?(?:the )?)?(?P<first>[A-Z][A-Za-z]+(?: [A-Z][a-z]+)?)\s*\)",
    0,
)
_NOT_A_PARTY = pattern(
    r"^(?:this |the )?(?:[\w ]*agreement|part(?:y|ies)|effective date|nda|purpose|transaction|[\w ]*information|affiliates?|"
    r"[\w ]*date|contract|amendment|order form|sow|services?|products?|software|term|deal|representatives|exhibit|plan|"
    r"lease|license|possible \w+|proposed \w+|business|common stock|securities|subsidiaries)$"
)
_DESCRIPTION = re.compile(
    r",?\s+(?:(?:an?|the)\s+[^,()]{0,80}?\b(?:corporation|company|partnership|individual|person|entity|association|"
    r"organi[sz]ation|bank|trust|university|corp|LLC|subsidiary|division|national|limited|cooperative|society|firm|kaisha|"
    r"Corporation|Company|Partnership)\b|with\b|having\b|located\b|whose\b|organi[sz]ed\b|incorporated\s+(?:in|under|and)\b|"
    r"existing\b|acting\b|on\s+behalf\b|together\b|residing\b|duly\b|registered\b|for\s+itself\b|(?:and|or)\s+(?:its|any|all|each)\b|"
    r"of\s+\d|at\s+(?:\d|[A-Z])|\d{2,}|by\s+and\b|[(\[]|company\s+number|a\s|an\s|each\b|collectively\b)"
)
_LEADING = re.compile(
    r"^(?:[\s,;:.\-]+|(?:and|And|AND|between|BETWEEN|Between|among|AMONG|by|BY|to|the\s+undersigned|undersigned|both|either|the(?=\s+[A-Z])|of\s+the\s+(?:one|first|second|other)\s+part)\b|(?i:parties)\s*:|"
    r"\(\s*[0-9ivxa-zA-Z]{1,3}\s*\)|\d\.\s)+"
)
_BETWEEN = pattern(
    r"\b(?:by and )?(?:between|among|amongst)\b|\bmade by\b|\bdelivered by\b|\bentered into by\b|\bparties to this\b"
)
_STOP_WORDS = frozenset(
    [
        "agreement",
        "exhibit",
        "section",
        "waiver",
        "recitals",
        "between",
        "among",
        "whereas",
        "parties",
        "amendment",
        "dated",
        "undersigned",
        "this",
        "by",
        "and",
        "made",
        "disclosure",
        "confidentiality",
        "letter",
        "page",
        "privacy",
        "board",
        "signatures",
        "signed",
        "signature",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "re:",
        "attention",
        "mr",
        "ms",
        "mr.",
        "ms.",
        "in",
        "order",
        "either",
        "president",
        "ceo",
        "cfo",
        "officer",
        "director",
        "counsel",
        "secretary",
        "chairman",
        "manager",
        "treasurer",
        "logo",
        "you",
        "know",
        "advised",
        "from",
        "understand",
        "acknowledges",
        "acknowledge",
        "recognizes",
        "discuss",
        "information",
        "including",
        "secrets",
        "release",
        "options",
        "representatives",
        "hereto",
        "during",
    ]
)
_GENERIC = frozenset(
    [
        "company",
        "corporation",
        "the",
        "a",
        "an",
        "buyer",
        "seller",
        "bank",
        "group",
        "trust",
        "party",
        "it",
        "investor",
        "affiliate",
    ]
)
_PERSON_OR_NAME = re.compile(
    r"(?:between|among|and|by|BETWEEN|AND|BY)[:\s]+(?P<name>[A-Z][\w&'.\-]+(?:\s+(?:[A-Z][\w&'.\-]*|of|de|van|von|&)){1,5})"
    r"(?=\s*,?\s+(?:an?\s+individual|\(|residing))"
)
_LABEL = re.compile(
    r"(?P<label>Customer|Client|Vendor|Provider|Service Provider|Supplier|Licensor|Licensee|Buyer|Purchaser|Seller|"
    r"Reseller|Distributor|Contractor|Consultant|Lessor|Lessee|Subscriber|Partner)"
    r"(?: ?\((?:the )?[^)\n]{0,30}\))?(?: (?:Legal )?(?:Name|Entity))?\s*[:\n]\s*(?P<name>[^\n]{3,80})",
    re.IGNORECASE,
)
OPENING = 4_500
"""Parties are named within so many characters; what follows are notices and mentions of others."""


def find_parties(sentences: Iterable[Sentence], text: str) -> tuple[Party, ...]:
    """The parties that the opening names, in its order; none when it names nobody.

    Defined names lead: what stands before `(the "Customer")` is a party. Where they don't, companies do, then
    labels such as `Customer: Example, Inc.`
    """
    top = (_before_recitals(text[:2_600]), 0)
    best: list[Party] = []
    for place in (_opening(sentences, text), top):
        found = _named_at(place, text)
        if _certainty(found) > _certainty(best):
            best = found
    return tuple(sorted(_with_sides(best, text), key=lambda party: party.start))


def _named_at(place: tuple[str, int], text: str) -> list[Party]:
    found: list[Party] = []
    for search, where in (
        (_before_aliases, place),
        (_labelled, (text[: 2 * OPENING], 0)),
        (_companies, place),
        (_persons, place),
        (_individuals, (text, 0)),
    ):
        if len(found) < 2:
            found += [party for party in search(*where) if not _known(party, found)]
    return found


def _certainty(found: list[Party]) -> tuple[bool, int, bool]:
    """Two parties or more first, then how many have a defined name."""
    return len(found) >= 2, min(2, sum(bool(party.aliases) for party in found)), bool(found)


def _with_sides(found: list[Party], text: str) -> list[Party]:
    """Who pays, where roles don't say so, told by what each of the two does."""
    if len(found) == 2 and found[0].side == found[1].side == "customer":
        return [party._replace(side="provider") if party.role in RESELLING else party for party in found]
    if len(found) != 2 or any(party.side for party in found):
        return found
    side = side_by_deeds(text, found[0].name, [found[1].name])
    if side is None:
        return found
    other = "customer" if side == "provider" else "provider"
    return [found[0]._replace(side=side), found[1]._replace(side=other)]


def terms(view: View) -> Iterable[Term]:
    """The term `parties`, one value a party, each quoting its own naming."""
    for party in view.parties:
        line = Sentence(party.start, view.text[party.start : party.end], "")
        yield view.found("parties", party.name, line, confidence=0.8 if party.aliases else 0.65, role=party.role)


def _opening(sentences: Iterable[Sentence], text: str) -> tuple[str, int]:
    """Where parties are named: from the sentence with "between" or the like, else from the top."""
    for sentence in sentences:
        if sentence.start > OPENING:
            break
        if match := _BETWEEN.search(sentence.text):
            at = sentence.start + match.end()
            return _before_recitals(text[at : at + 2_600]), at
    return _before_recitals(text[:2_600]), 0


def _before_recitals(text: str) -> str:
    match = re.search(r"\bWITNESSETH|\bRECITALS?\b|\bBACKGROUND\b|\bWHEREAS\b|\bNOW,?\s+THEREFORE", text[120:])
    return text[: 120 + match.start()] if match else text


def _before_aliases(text: str, offset: int) -> list[Party]:
    found: list[Party] = []
    at = 0
    for match in _ALIAS.finditer(text):
        aliases = _names_of(match)
        if match.start() - at > 700 or all(_NOT_A_PARTY.match(alias) for alias in aliases):
            if not found or "part" in match.group().lower():
                continue
            break
        party = _party_before(text, at, match, aliases, offset)
        at = match.end()
        if party and not _known(party, found):
            found.append(party)
    return found


def _party_before(text: str, start: int, match: re.Match[str], aliases: tuple[str, ...], offset: int) -> Party | None:
    """The party named between the last defined name and this one, without what describes it."""
    above = text.rfind("\n\n", start, match.start())  # a letterhead or a heading is not part of the naming
    start = above + 2 if above >= 0 and match.start() - above > 30 else start
    segment = text[start : match.start()]
    begin = _LEADING.match(segment)
    skip = begin.end() if begin else 0
    described = _DESCRIPTION.search(segment, skip + 2)
    name = segment[skip : described.start() if described else len(segment)]
    loose = len(name) > 70 or " and " in name or ":" in name or not name[:1].isupper()
    company = list(COMPANY.finditer(name)) if loose else []
    if company:
        skip += company[-1].start()
        name = company[-1]["name"]
    return _party(name, aliases, offset + start + skip, offset + match.end())


def _names_of(match: re.Match[str]) -> tuple[str, ...]:
    names = [name for name in match.groupdict().values() if name]
    return tuple(" ".join(re.sub(r"^the\s+", "", name, flags=re.IGNORECASE).split()) for name in names)


def _companies(text: str, offset: int) -> list[Party]:
    matches = _first_mentions(COMPANY.finditer(text))
    found = []
    for i, match in enumerate(matches[:4]):
        until = matches[i + 1].start() if i + 1 < len(matches) else match.end() + 600
        alias = _ALIAS.search(text, match.end(), until) or _BARE_ALIAS.search(
            text, match.end(), min(until, match.end() + 250)
        )
        names = tuple(n for n in (_names_of(alias) if alias else ()) if not _NOT_A_PARTY.match(n))
        end = alias.end() if alias and names else match.end()
        party = _party(match["name"], names, offset + match.start(), offset + end)
        if party and (names or i < 2):
            found.append(party)
    return found


def _first_mentions(matches: Iterable[re.Match[str]]) -> list[re.Match[str]]:
    seen, kept = set(), []
    for match in matches:
        key = normalised(_stripped(match["name"]))
        if key and key not in seen:
            seen.add(key)
            kept.append(match)
    return kept


def _party(name: str, aliases: tuple[str, ...], start: int, end: int) -> Party | None:
    """A party of this name, None when the name is none; `start` moves to where the stripped name begins."""
    block = name.rstrip().rfind("\n\n")  # a name does not run over an empty line: what is above is a heading
    start, name = (start + block + 2, name[block + 2 :]) if block >= 0 else (start, name)
    flat = " ".join(name.split())
    stripped = _stripped(flat)
    if not _is_name(stripped):
        return None
    start += len(name) - len(name.lstrip()) + max(0, flat.find(stripped))
    role = next((alias.lower() for alias in aliases if role_side(alias) or alias.lower() in NEUTRAL_ROLES), None)
    side = next((role_side(alias) for alias in aliases if role_side(alias)), None)
    return Party(stripped, role, aliases, side, start, min(end, start + 420))


def _stripped(name: str) -> str:
    """A name without the words of the sentence around it: all up to the last word that no name holds."""
    words = re.sub(r"^[A-Z][\w ]{1,24}:\s+", "", " ".join(name.split())).split(" ")
    for i in range(len(words) - 1, -1, -1):
        bare = words[i].lower().strip(",.:;()\"'")
        if (bare in _STOP_WORDS and not (bare == "and" and 0 < i < len(words) - 1)) or re.fullmatch(r"\d{5,}", bare):
            words = words[i + 1 :]
            break
    bare = _TRAILING.sub("", " ".join(words)).strip(" ,;:-\"'")
    return _LEFT_OVER.sub("", _SEAT.sub(r"\1", bare))


_LEFT_OVER = re.compile(
    r"^(?:\d{1,2}(?:\.\d{1,3})\s+|\d{1,2},?\s+(?:19|20)\d\d,?\s+|(?:Company|Corporation|COMPANY|CORPORATION)\s+(?:and|AND)\s+)(?=[A-Z])"
)
"""The number of an exhibit, the end of a date, the end of another name."""
_NO_NAME = re.compile(
    r"\d+(?:st|nd|rd|th)$|(?i:schedule|exhibit|annex|appendix|attachment|section|clause|article|part)\s+\w{1,4}$|[Xx]{3,}$|.*\b(?:Plan|PLAN)$|(?:That|THAT)\s|\d+\s.*\b(?:Drive|Street|Road|Avenue|Suite|Boulevard|Lane|Parkway)\b"
)
"""Days, blanks, plans, halves of sentences, addresses."""
_TRAILING = re.compile(
    r"(?:,?\s+(?:d/?b/?a|f/?k/?a|a/?k/?a|DBA|FKA|doing business as|formerly(?: known as)?)\b.*"
    r"|,?\s+(?:and/or|AND/OR)\b.*|,?\s+(?:its|their|individually|Individually)\b.*"
    r"|,\s*(?:Ph\.?\s?D|M\.?\s?D|Esq|CPA|J\.?D)\b.*)+$"
)


_SEAT = re.compile(
    rf"((?:^|\s)(?:{LEGAL_FORMS}))(?:,\s+(?!and\b)|,?\s+of\s+)[A-Z][a-zà-ü]+(?:,?\s[A-Z][a-zà-ü]+){{0,3}}$"
)
"""The town behind a company's legal form."""


def _is_name(name: str) -> bool:
    bare = normalised(name)
    return (
        3 <= len(name) <= 90
        and (name[0].isupper() or name[0].isdigit())
        and bool(bare)
        and not all(word in _GENERIC or len(word) == 1 or word.isdigit() for word in bare.split())
        and bare not in _PLACES
        and not re.match(r"EX-?\d|\d+[.)]?$", name)
        and not _NO_NAME.match(name)
        and not re.search(
            r"\b(?:shall|will|hereby|which|that|is|are|has|have|effective|entered|your|each|any)\b|_{2,}|[\"“]", name
        )
    )


_PLACES = frozenset(place.lower() for place in PLACES)


def _persons(text: str, offset: int) -> list[Party]:
    found = []
    for match in _PERSON_OR_NAME.finditer(text):
        alias = _ALIAS.search(text, match.end(), match.end() + 260)
        names = _names_of(alias) if alias else ()
        party = _party(match["name"], names, offset + match.start("name"), offset + match.end("name"))
        if party:
            found.append(party)
    return found


def _individuals(text: str, offset: int) -> list[Party]:
    found: list[Party] = []
    for start, end in persons(text):
        party = _party(text[start:end], (), offset + start, offset + end)
        if party and not _known(party, found):
            return [party]  # the surest; others sign for companies
    return found


def _labelled(text: str, offset: int) -> list[Party]:
    found: list[Party] = []
    for match in _LABEL.finditer(text):
        company = COMPANY.search(match["name"])
        if not company:
            continue
        label = match["label"].lower()
        name = _stripped(company["name"])
        end = match.start("name") + company.end()
        party = Party(name, label, (match["label"].title(),), role_side(label), match.start(), end)
        if _is_name(name) and not _known(party, found):
            found.append(party)
    return found


def _known(party: Party, found: list[Party]) -> bool:
    return any(normalised(party.name) == normalised(other.name) for other in found)
