"""Which law governs. Names of states and countries are a closed list, so nothing is invented."""

import re
from collections.abc import Iterable

from extractors.engines.view import View
from extractors.values import pattern
from schemas.contract import Term

_STATES = (
    "Alabama,Alaska,Arizona,Arkansas,California,Colorado,Connecticut,Delaware,Florida,Georgia,Hawaii,Idaho,Illinois,"
    "Indiana,Iowa,Kansas,Kentucky,Louisiana,Maine,Maryland,Massachusetts,Michigan,Minnesota,Mississippi,Missouri,"
    "Montana,Nebraska,Nevada,New Hampshire,New Jersey,New Mexico,New York,North Carolina,North Dakota,Ohio,Oklahoma,"
    "Oregon,Pennsylvania,Rhode Island,South Carolina,South Dakota,Tennessee,Texas,Utah,Vermont,Virginia,Washington,"
    "West Virginia,Wisconsin,Wyoming,District of Columbia,Puerto Rico,Ontario,Quebec,British Columbia,Alberta,"
    "Manitoba,Nova Scotia,New South Wales,Victoria,Queensland"
)
_COUNTRIES = (
    "England and Wales,England,Scotland,Northern Ireland,Wales,United Kingdom,Ireland,Germany,France,Spain,Italy,"
    "Netherlands,Belgium,Luxembourg,Switzerland,Austria,Sweden,Norway,Denmark,Finland,Poland,Portugal,Greece,Israel,"
    "Japan,China,People's Republic of China,Hong Kong,Singapore,India,South Korea,Republic of Korea,Korea,Taiwan,"
    "Malaysia,Thailand,Indonesia,Philippines,Vietnam,Australia,New Zealand,Canada,Mexico,Brazil,Argentina,Chile,"
    "South Africa,Nigeria,Kenya,Egypt,United Arab Emirates,Dubai,Saudi Arabia,Turkey,Russia,Ukraine,Czech Republic,"
    "Hungary,Romania,Cyprus,Malta,Bermuda,Cayman Islands,British Virgin Islands,Jersey,Guernsey,Isle of Man,"
    "Marshall Islands,Panama,Barbados,United States of America,United States"
)
PLACES = tuple(sorted({*_STATES.split(","), *_COUNTRIES.split(",")}, key=len, reverse=True))
_ADJECTIVES = {"english": "England and Wales", "scottish": "Scotland", "japanese": "Japan", "german": "Germany",
               "french": "France", "swiss": "Switzerland", "irish": "Ireland", "dutch": "Netherlands",
               "prc": "People's Republic of China", "chinese": "People's Republic of China"}  # fmt: skip
_PLACE = "|".join(re.escape(place).replace(r"\ ", r"\s+") for place in PLACES)
_GOVERNED = pattern(
    r"\b(?:govern(?:ed|s|ing)?|construed|interpreted|enforced|subject to|controlled)\b[^.;]{0,170}?"
    rf"\b(?:laws?|statutes|legislation)\b[^.;]{{0,80}}?\b(?P<place>{_PLACE})\b"
)
_LAW_OF_GOVERNS = pattern(
    rf"\blaws? (?:of|in) (?:the )?(?:(?:state|commonwealth|province|republic|courts) of )?(?P<place>{_PLACE})\b[^.;]{{0,120}}"
    r"\b(?:govern|appl|control)"
)
_PLACE_LAW = pattern(
    rf"\b(?P<place>{_PLACE}) law\b[^.;]{{0,60}}\b(?:govern|appl)|\b(?:govern|subject to|construed)\w*[^.;]{{0,80}}"
    rf"\b(?P<second>{_PLACE}) law\b"
)
_ADJECTIVE_LAW = pattern(rf"\b(?P<adjective>{'|'.join(_ADJECTIVES)}) law\b")
_LABEL = pattern(rf"\bgoverning law\s*[:\-.]?\s*(?:the )?(?:laws? of )?(?:the )?(?:state of )?(?P<place>{_PLACE})\b")
_FREE = pattern(
    r"\bgoverned (?:in all respects )?by\b[^.;]{0,140}?\blaws? of (?:the )?(?:(?:state|commonwealth|province|republic|kingdom)"
    r" of )?(?P<place>[A-Z][\w]+(?: [A-Z][\w]+){0,3})"
)
_NOT_GOVERNING = pattern(r"organi[sz]ed|incorporated|existing under|corporation under|duly formed")


def terms(view: View) -> Iterable[Term]:
    """The governing law; `England and Wales` wins over `England` within one name."""
    for sentence in view.about("law"):
        for expression, confidence in (
            (_GOVERNED, 0.9), (_LAW_OF_GOVERNS, 0.85), (_LABEL, 0.8), (_PLACE_LAW, 0.8), (_FREE, 0.6),
            (_ADJECTIVE_LAW, 0.6),
        ):  # fmt: skip
            match = expression.search(sentence.text)
            if not match or _NOT_GOVERNING.search(sentence.text[max(0, match.start() - 60) : match.end()]):
                continue
            if not _place(match)[:1].isupper() or re.match(r"(?:State|Commonwealth|Province|The)\b", _place(match)):
                continue  # the name itself was left blank
            if expression is _ADJECTIVE_LAW and not re.search(r"govern|subject to|construed", sentence.text, re.I):
                continue
            yield view.found("governing_law", _place(match), sentence, match.span(), confidence=confidence)
            break


def _place(match: re.Match[str]) -> str:
    parts = match.groupdict()
    if parts.get("adjective"):
        return _ADJECTIVES[parts["adjective"].lower()]
    name = " ".join((parts.get("place") or parts.get("second") or "").split())
    return next((place for place in PLACES if place.lower() == name.lower()), name)
