"""Money of a Japanese contract: fees without tax, the least that must be bought, the cap on liability."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from extractors.engines.rules.japanese_lines import Line
from extractors.engines.view import View
from extractors.japanese_numbers import lengths
from extractors.values import amounts
from schemas.contract import Term


class Price(NamedTuple):
    """An amount of money without the tax it was given with, where it stands, and how surely it is without tax."""

    amount: Decimal
    currency: str
    start: int
    end: int
    sure: float


def terms(view: View, line: Line) -> Iterable[Term]:
    """Currency, total and yearly fees, minimum commitment, and the cap on liability."""
    for money in amounts(line.text):
        span = (money.start, money.end)
        yield line.found(view, "currency", money.currency, span, confidence=0.85)
    yield from _minimum(view, line)
    yield from _cap(view, line)
    if not _NO_FEE.search(line.subject):
        for price in prices(line.text):
            yield from _fee(view, line, price)


_NO_FEE = re.compile(
    r"保険|違約金|賠償|責任|敷金|保証金|預託|資本金|最低|発注|以上の|遅延|印紙|超えない|上限|限度|過料|返還|手数料"
)
_TAX_BEFORE = re.compile(r"(?:消費税|税額|地方消費税)[^、。)円]{0,16}$")
_NET_BEFORE = re.compile(r"(?:本体(?:価格|金額)?|税抜(?:き)?(?:価格|金額|額)?|税別)[^、。)円]{0,8}$")
_WITH_TAX = re.compile(r"^\s*\(?\s*(?:消費税(?:等|及び地方消費税)?(?:を)?(?:込|含む)|税込)")


def prices(text: str) -> list[Price]:
    """The amounts of a text without tax: of `5,500円(うち消費税500円)` 5000, of `本体5,000円` just that."""
    found: list[Price] = []
    for money in amounts(text):
        before = text[max(0, money.start - 30) : money.start]
        inside = found and ")" not in text[found[-1].end : money.start] and "(" in text[found[-1].end : money.start]
        if _TAX_BEFORE.search(before):
            if inside and ("うち" in text[found[-1].end : money.start] or re.match(r"を?含", text[money.end :])):
                net = found[-1].amount - money.amount
                found[-1] = found[-1]._replace(amount=net, end=money.end, sure=0.05)
            continue
        if inside and _NET_BEFORE.search(before):
            found[-1] = Price(money.amount, money.currency, found[-1].start, money.end, 0.05)
            continue
        sure = 0.05 if _NET_BEFORE.search(before) else -0.2 if _WITH_TAX.match(text[money.end :]) else 0.0
        found.append(Price(money.amount, money.currency, money.start, money.end, sure))
    return [
        price for price in found if not re.match(r"[^。円]{0,20}から[^。]{0,40}(?:に|へ)(?:改|変更)", text[price.end :])
    ]


_PERIODS = (
    (
        12,
        re.compile(
            r"月額|毎月|[1一][かヶカケ箇]月(?:当たり|あたり|につき|分)?|一月(?:当たり|につき)|月々|各月|月当たり"
        ),
    ),
    (4, re.compile(r"四半期|[3三][かヶカケ箇]月(?:ごと|毎)")),
    (1, re.compile(r"年額|年間|毎年|各年度|[1一]年(?:間)?(?:につき|当たり|分)|年当たり")),
)
_TOTAL = re.compile(r"総額|合計|総計|代金|契約金額|請負金額|委託料|報酬|開発費|制作費|対価|研究費|本体(?:価格|金額)?")
_UNIT = re.compile(r"(?:当たり|あたり|につき|単価|ごとに|超過|追加|初期費用|手付)[^、。円]{0,10}$")


def _fee(view: View, line: Line, price: Price) -> Iterable[Term]:
    before = line.text[max(0, price.start - 40) : price.start]
    span = (price.start, price.end)
    period = max(((m.start(), times) for times, words in _PERIODS for m in words.finditer(before)), default=None)
    if period and not re.search(r"[。円]", before[period[0] :]):
        if not _UNIT.search(before[: period[0]]) and not re.search(r"[0-9一二三]名|超過", before):
            amount = price.amount * period[1]
            yield line.found(view, "annual_value", amount, span, confidence=0.75 + price.sure)
        return
    if _UNIT.search(before):
        return
    label = _TOTAL.findall(before)
    if label:
        sure = (0.8 if {"総額", "合計"} & set(label) else 0.7) + price.sure
        yield line.found(view, "total_value", price.amount, span, confidence=sure)
        yield line.found(view, "total_value_basis", "fixed", span, confidence=sure)


_LEAST = re.compile(
    r"最低(?:購入|発注|利用|保証|引取|注文|取引)?|以上[^。]{0,24}(?:購入|発注|注文|引き取|買い受け|利用)"
)
_OBLIGED = re.compile(r"購入|発注|注文|引き取|引取|買い受け|最低利用|最低保証")
_SPANS = (
    ("monthly", re.compile(r"毎月|各月|月間|月額|1か月")),
    ("quarterly", re.compile(r"四半期")),
    ("annual", re.compile(r"年度|年間|毎年|各暦年|暦年|1年")),
    ("initial term", re.compile(r"契約期間(?:中|を通じ|内)")),
)


def _minimum(view: View, line: Line) -> Iterable[Term]:
    text = line.text
    if not _LEAST.search(text) or not _OBLIGED.search(line.subject) or re.search(r"保険|達成できない", text):
        return
    for money in amounts(text)[:1]:
        span = (money.start, money.end)
        yield line.found(view, "minimum_commitment", money.amount, span, confidence=0.8)
        for name, words in _SPANS:
            if period := words.search(text, 0, money.start):
                yield line.found(view, "minimum_commitment_period", name, period.span(), confidence=0.75)
                break


_CAPPED = re.compile(
    r"(?:損害|賠償|責任)[^。]{0,160}?(?:を(?:その)?(?:上限|限度)|(?:上限|限度)(?:額)?(?:は|と)|超えない|超えて[^。]{0,20}(?:負わない|ない)|の範囲内)"
)
_UNCAPPED = re.compile(
    r"(?:上限|限度)(?:額)?(?:は|を|が)?(?:設け|定め|な)(?:ない|ず|い)|責任は?(?:、)?無制限|無制限に(?:責任|賠償)"
)
_FEES = re.compile(
    r"(?:料金|利用料|委託料|保守料|使用料|代金|対価|報酬|研究費|委託費|賃料|料|金員|金額)(?:の)?(?:総額|合計額?|相当額|全額|\d+[かヶ]月分|額)?"
)


def _cap(view: View, line: Line) -> Iterable[Term]:
    text = line.text
    if re.search(r"保険", text):
        return
    if (match := _UNCAPPED.search(text)) and re.search(r"損害|賠償|責任", line.subject):
        yield line.found(view, "liability_cap_type", "uncapped", match.span(), confidence=0.8)
        return
    if not (match := _CAPPED.search(text)):
        return
    span = match.span()
    length = next((one for one in lengths(text) if one.end <= match.end()), None)
    fees = _FEES.search(text, match.start(), match.end())
    money = [one for one in amounts(text) if one.start >= match.start()]
    if length or (fees and not money):
        yield line.found(view, "liability_cap_type", "fees_multiple", span, confidence=0.75)
        yield from _multiple(view, line, span, length.months if length else None)
    elif money:
        yield line.found(view, "liability_cap_type", "amount", span, confidence=0.75)
        yield line.found(view, "liability_cap_amount", money[0].amount, span, confidence=0.75)


def _multiple(view: View, line: Line, span: tuple[int, int], months: float | None) -> Iterable[Term]:
    if months:
        yield line.found(view, "liability_cap_months", months, span, confidence=0.75)
    if re.search(r"支払(?:った|われた|済)|受領した", line.text):
        lookback = months or re.search(r"直前|過去|遡", line.text)
        basis = "paid; lookback" if lookback else "paid"
        yield line.found(view, "liability_cap_basis", basis, span, confidence=0.7)
