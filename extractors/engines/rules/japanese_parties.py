"""The parties of a Japanese contract and which of them pays."""

import re
from collections.abc import Sequence

from extractors.engines.rules.japanese_lines import without_inner_stops
from extractors.engines.view import Party
from extractors.japanese_numbers import Unbroken, unbroken

_FORM = (
    r"(?:株式会社|合同会社|有限会社|合資会社|合名会社|(?:一般|公益)?(?:社団|財団)法人|学校法人|医療法人|独立行政法人)"
)
_FOREIGN = r"[A-Z][\w&.,' \-]{1,50}?(?:K\.K\.|Ltd\.?|Inc\.?|LLC|GmbH|Limited|Corporation|Corp\.?|S\.A\.|B\.V\.|PLC|AG)"
_NAME = rf"(?P<name>{_FORM}[^\s()、。「」:]{{1,30}}|[^\s()、。「」・:]{{2,30}}?{_FORM}|{_FOREIGN})"
_PARTY = re.compile(rf"{_NAME}\s*\(\s*以下[、,]?\s*(?:単に)?\s*[「『\"](?P<alias>[^」』\"]{{1,12}})[」』\"]")
_JOINED = re.compile(r"^(?:及び|および|並びに|ならびに|と(?=.*(?:会社|法人)))")
_PAYER = r"委託者|発注者|注文者|買主|購入者|賃借人|借主|使用者|利用者|依頼者|顧客|契約者|被許諾者|ライセンシー|申込者|お客様|ユーザー|寄託者|荷主"
_PAID = r"受託者|受注者|請負人|請負者|売主|販売者|賃貸人|貸主|許諾者|ライセンサー|提供者|供給者|サービサー|当社|弊社|顧問|ベンダー"
SIDES = (("provider", re.compile(_PAID)), ("customer", re.compile(rf"(?<!者の)(?:{_PAYER})")))
ROLES = rf"(?:甲|乙|{_PAYER}|{_PAID})"
_SIGNED = re.compile(rf"(?m)^[ \t]*(?P<alias>{ROLES})[ \t]*:?[ \t]*{_NAME}")
_ROLE_FIRST = re.compile(rf"(?P<role>{ROLES})[\s:]*(?=[^\s]{{2,}})")
_TITLE_FIRST = re.compile(r".*(?:契約書|覚書|合意書|協定書|約款|規約)(?=.{4})")
OPENING = 3_000


def find_parties(text: str) -> tuple[Party, ...]:
    """The parties named in the opening, as `株式会社… (以下「甲」という。)`, else those that sign."""
    flat = unbroken(text[:OPENING])
    found = [_party(match, flat, text) for match in _PARTY.finditer(flat.text)]
    if len(found) < 2:
        found = [_signer(match, text) for match in _SIGNED.finditer(text)][:2] or found
    return tuple(_with_other_side(found))


def _party(match: re.Match[str], flat: Unbroken, text: str) -> Party:
    joined = _JOINED.match(match["name"]) if re.search(r"\)\s*$", flat.text[: match.start()]) else None
    titled = _TITLE_FIRST.match(match["name"])
    skip = titled.end() if titled else joined.end() if joined else 0
    inside = _ROLE_FIRST.match(match["name"], skip)
    skip = inside.end() if inside else skip
    label = re.search(rf"(?P<role>{ROLES})[\s:]*$", flat.text[max(0, match.start() - 12) : match.start()]) or inside
    side = (side_of_role(label["role"]) if label else None) or side_of(match["alias"], text)
    start, end = flat.back(match.start() + skip, match.end())
    name = " ".join(match["name"][skip:].split())
    return Party(name, side or match["alias"], (match["alias"],), side, start, end)


def _signer(match: re.Match[str], text: str) -> Party:
    alias = match["alias"]
    side = side_of(alias, text)
    return Party(" ".join(match["name"].split()), side or alias, (alias,), side, match.start("name"), match.end("name"))


def _with_other_side(found: Sequence[Party]) -> list[Party]:
    """Of two parties, who pays when it is known who is paid, and the other way round."""
    sides = {party.side for party in found} - {None}
    if len(found) != 2 or len(sides) != 1:
        return list(found)
    other = {"customer": "provider", "provider": "customer"}[sides.pop()]
    return [party if party.side else party._replace(side=other, role=other) for party in found]


def side_of_role(role: str) -> str | None:
    """Who a role's name says it is: `委託者` pays, `受託者` is paid, `甲` says nothing."""
    return next((side for side, words in SIDES if words.fullmatch(role)), None)


def side_of(alias: str, text: str) -> str | None:
    """Who a party is by its role's name, else by what the text has it do."""
    if side := side_of_role(alias):
        return side
    flat, name = without_inner_stops(unbroken(text).text), re.escape(alias)
    does = rf"{name}(?:は|が)(?:(?!(?:甲|乙|丙)(?:は|が))[^。]){{0,90}}?"
    fees = r"(?:料金|代金|対価|料|報酬|賃料|費用|金[\d一二三四五六七八九])"
    pays = rf"{does}{fees}[^。]{{0,60}}(?:支払う|支払わ|支払い|支払える|振り込|振込|前払)|{does}(?:委託し|発注し|購入し|買い受け|借り受け)"
    late = rf"{name}が[^。]{{0,40}}(?:支払|代金|料金|委託料)[^。]{{0,12}}(?:遅延|怠|遅れ|遅滞)"
    paid = rf"{does}(?:請求書を|提供する|提供し|納入する|納品する|許諾する|売り渡|受託する|賃貸する|修補する)"
    for side, what in (("customer", f"{pays}|{late}"), ("provider", paid)):
        if re.search(what, flat):
            return side
    return None
