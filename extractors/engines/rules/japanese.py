"""The usual terms of a Japanese contract. The clause words are fixed phrases, so plain patterns reach far."""

import re
from collections.abc import Iterable
from functools import cache

from extractors.engines.view import Party, Sentence, View
from extractors.values import amounts, dates
from schemas.contract import Term

_CJK = "\u3040-\u30ff\u3400-\u9fff"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern whose Japanese characters may have a line break between them, as words do on a page."""
    parts = re.split(r"(\[[^\]]*\])", pattern)
    spaced = [p if p.startswith("[") else re.sub(rf"(?<=[{_CJK}])(?=[{_CJK}])", r"\\s*", p) for p in parts]
    return re.compile("".join(spaced))


def _search(pattern: str, text: str) -> re.Match[str] | None:
    return _compiled(pattern).search(text)


def _match(pattern: str, text: str) -> re.Match[str] | None:
    return _compiled(pattern).match(text)


def _finditer(pattern: str, text: str) -> Iterable[re.Match[str]]:
    return _compiled(pattern).finditer(text)


_FORM = r"(?:株式会社|合同会社|有限会社|一般社団法人)"
_PARTY = re.compile(
    rf"(?P<name>{_FORM}\s*[^\s（(、。「」]{{2,30}}|[^\s（(、。「」・]{{2,30}}?{_FORM}|[A-Z][\w&.,' \-]{{2,50}}?K\.K\.)"
    r"\s*[（(]\s*以下\s*[、,]?\s*[「『\"](?P<alias>[^」』\"]{1,12})[」』\"]"
)
_KANJI = {char: n for n, char in enumerate("〇一二三四五六七八九")}
_NUMBER = r"(?P<n>\d{1,4}|[〇一二三四五六七八九十百]{1,5})"
_UNIT_MONTHS = {"年": 12, "か月": 1, "ヶ月": 1, "カ月": 1, "ケ月": 1, "箇月": 1, "月": 1}
# 2026年4月 is a date, not a length; 年 as a length is at most two digits and no month follows it.
_LENGTH = r"(?<!\d)(?P<n>\d{1,3}|[〇一二三四五六七八九十百]{1,5})\s*(?P<unit>年(?!\s*\d{1,2}\s*月|度|率|額|利)|か月|ヶ月|カ月|ケ月|箇月)間?"


def number(text: str) -> int:
    """`三十` -> 30, `60` -> 60, `百二十` -> 120."""
    if text.isdigit():
        return int(text)
    total, current = 0, 0
    for char in text:
        if char in "十百":
            total += max(1, current) * (10 if char == "十" else 100)
            current = 0
        else:
            current = current * 10 + _KANJI[char]
    return total + current


def find_parties(text: str) -> tuple[Party, ...]:
    """The parties named in the opening, as `株式会社… (以下「甲」という。)`."""
    found = []
    for match in _PARTY.finditer(text[:3_000]):
        before = text[max(0, match.start() - 12) : match.start()]
        side = _side(text, match["alias"], before)
        name = " ".join(match["name"].split())
        found.append(Party(name, side or match["alias"], (match["alias"],), side, match.start(), match.end()))
    return tuple(found)


def _side(text: str, alias: str, before: str) -> str | None:
    """Who is paid and who pays, by the role's name or by what the text has each of them do."""
    if _search(r"提供者|売主|受託者|販売者", before + alias):
        return "provider"
    if _search(r"利用者|買主|委託者|顧客", before + alias):
        return "customer"
    name = re.escape(alias)
    if _search(rf"{name}は[^。]{{0,80}}(?:料金|代金|対価|委託料)[^。]{{0,60}}支払(?:う|わ|い)", text):
        return "customer"
    if _search(rf"{name}(?:が|は)[^。]{{0,60}}(?:提供する|提供し|納入する|許諾する)", text):
        return "provider"
    return None


def terms(view: View) -> Iterable[Term]:
    """Dates, term, renewal, notice, payment, law and money of a Japanese contract."""
    yield from _signatures(view)
    sentences = [s for topic in _TOPICS for s in view.about(topic)]
    for sentence in dict.fromkeys(sentences):
        for rule in (_dates, _duration, _termination, _law, _payment, _late_fee, _price, _money, _liability):
            yield from rule(view, sentence)


_TOPICS = (
    "identity",
    "dates",
    "duration",
    "termination",
    "law",
    "payment",
    "price",
    "value",
    "liability",
    "signatures",
)


def _dates(view: View, sentence: Sentence) -> Iterable[Term]:
    text = sentence.text
    for dated in dates(text):
        span, after = (dated.start, dated.end), text[dated.end : dated.end + 12]
        if _match(r"\s*付", after) or _search(r"試用|従前|原契約", text):
            continue  # the date of another contract
        if _search(r"契約期間|有効期間|効力|発効", text + sentence.heading):
            if _match(r"\s*(?:から|より|に発効|を効力|をもって発効)", after):
                yield view.found("effective_date", dated.value, sentence, span, confidence=0.85)
            elif _match(r"\s*まで", after):
                yield view.found("expiration_date", dated.value, sentence, span, confidence=0.85)
        closing = sentence.start > 0.6 * len(view.text)
        if _search(r"締結|本契約(?:の成立|を証)|契約日", text) or (closing and len(text) < 400):
            sure = 0.7 if len(text) < 25 or "締結" in text else 0.6
            yield view.found("agreement_date", dated.value, sentence, span, confidence=sure)


def _signatures(view: View) -> Iterable[Term]:
    """Electronic signatures and seals behind the closing words; one date a signature, the last one counts."""
    closing_words = [m.start() for m in _finditer(r"を証するため|記名押印|署名", view.text)]
    start = next((at for at in closing_words if at > 0.5 * len(view.text)), None)
    if start is None:
        return
    closing = view.text[start:]
    marks = list(_finditer(r"電子署名済|㊞|印(?:\s|$|）|\))|/s/", closing))
    if not marks:
        return
    line = Sentence(
        start + marks[0].start(), closing[marks[0].start() : marks[-1].end() + 20].split("\f")[0].rstrip(), ""
    )
    if len(marks) >= max(2, len(view.parties)):
        yield view.found("fully_executed", True, line, confidence=0.75)
    found = [(d.value, d.start, d.end) for d in dates(closing)]
    if found:
        value, first, last = max(found)
        quoted = Sentence(start + first, closing[first:last], "")
        yield view.found("signed_date", value, quoted, confidence=0.7)


def _duration(view: View, sentence: Sentence) -> Iterable[Term]:
    text = sentence.text
    for match in _finditer(_LENGTH, text):
        months = number(match["n"]) * _UNIT_MONTHS[match["unit"]]
        before, after = text[max(0, match.start() - 40) : match.start()], text[match.end() : match.end() + 20]
        if _search(r"更新|延長|さらに|更に|同一条件", before + after) and not _search(r"前まで", after):
            yield view.found("renewal_term_months", months, sentence, match.span(), confidence=0.8)
        elif _search(r"前まで", after) and _search(r"満了|終了", before):
            yield view.found("renewal_notice_days", months * 30, sentence, match.span(), confidence=0.8)
        elif _search(r"契約期間|有効期間|期間は|から", before) and _search(
            r"契約期間|有効期間", text + sentence.heading
        ):
            yield view.found("initial_term_months", months, sentence, match.span(), confidence=0.8)
    if match := _search(rf"満了[^。]{{0,10}}?{_NUMBER}\s*日前", text):
        yield view.found("renewal_notice_days", number(match["n"]), sentence, match.span(), confidence=0.85)
    if match := _search(
        r"自動(?:的に)?(?:更新|延長)|(?:更新|延長)(?:される|するもの|されるもの)とし?、?以後も?同様", text
    ):
        yield view.found("renewal_type", "auto", sentence, match.span(), confidence=0.85)


def _termination(view: View, sentence: Sentence) -> Iterable[Term]:
    text = sentence.text
    if _search(r"違反|不履行|破産|支払停止|差押|更新拒絶", text) or not _search(r"解約|中途解約|終了させる", text):
        return
    match = _search(
        r"(?:いつでも|理由の?如何を問わず|都合により)?[^。]{0,60}(?:解約|終了させ)[^。]{0,12}でき(?:る|ない)",
        text,
    )
    if not match:
        return
    if _search(r"できない", text):
        yield view.found("termination_for_convenience", "none", sentence, match.span(), confidence=0.7)
        return
    who = "either" if _search(r"甲(?:及び|および|又は|または|乙)|いずれ|各当事者", text) else _side_of(view, text)
    if who:
        yield view.found("termination_for_convenience", who, sentence, match.span(), confidence=0.75)
        if notice := _search(rf"{_NUMBER}\s*(?P<unit>日|か月|ヶ月|カ月|箇月)前", text):
            days = number(notice["n"]) * (1 if notice["unit"] == "日" else 30)
            yield view.found("termination_notice_days", days, sentence, notice.span(), confidence=0.75)


def _side_of(view: View, text: str) -> str | None:
    named = [(text.find(alias), party.side) for party in view.parties for alias in party.aliases if alias in text]
    return min(named)[1] if named else None


def _law(view: View, sentence: Sentence) -> Iterable[Term]:
    if match := _search(
        r"(?:準拠法[^。]{0,12}日本(?:国)?法?|日本(?:国)?法(?:に(?:準拠|より|従)|を準拠法))", sentence.text
    ):
        yield view.found("governing_law", "Japan", sentence, match.span(), confidence=0.9)


def _payment(view: View, sentence: Sentence) -> Iterable[Term]:
    text = sentence.text
    paying = _search(r"支払", text) and not _search(r"遅延損害金|怠った", text)
    if paying and (match := _search(rf"{_NUMBER}\s*日以内", text)):
        yield view.found("payment_terms_days", number(match["n"]), sentence, match.span(), confidence=0.85)
    if _search(r"請求|支払", text):
        for word, value in (("毎月", "monthly"), ("月額", "monthly"), ("四半期", "quarterly"), ("年額", "annual"), ("一括", "one_time"),
                            ("毎年", "annual"), ("年間", "annual")):  # fmt: skip
            if match := _search(word, text):
                yield view.found("billing_frequency", value, sentence, match.span(), confidence=0.6)
                break
        if match := _search(r"前払|前金|先払", text):
            yield view.found("billing_timing", "advance", sentence, match.span(), confidence=0.8)
        elif match := _search(r"後払|当月分を翌月|前月分|当月分[^。]{0,30}(?:締め|翌月)", text):
            yield view.found("billing_timing", "arrears", sentence, match.span(), confidence=0.75)


def _late_fee(view: View, sentence: Sentence) -> Iterable[Term]:
    match = _search(r"年(?:率|利)?\s*(?P<n>\d+(?:\.\d+)?)\s*(?:%|パーセント|％|分)", sentence.text)
    if match and _search(r"遅延", sentence.text):
        value = round(float(match["n"]) / 12, 4)
        yield view.found("late_fee_percent_per_month", value, sentence, match.span(), confidence=0.8)


def _price(view: View, sentence: Sentence) -> Iterable[Term]:
    text = sentence.text
    if not _search(r"改定|値上げ|増額", text) or not _search(r"料金|単価|代金|値上げ", text):
        return
    cap = _search(r"(?P<n>\d+(?:\.\d+)?)\s*(?:%|パーセント)を?(?:超え|上限|限度)", text)
    if cap:
        yield view.found("price_increase_type", "capped", sentence, cap.span(), confidence=0.8)
        yield view.found("price_increase_cap_percent", float(cap["n"]), sentence, cap.span(), confidence=0.8)
    elif _search(r"できる", text):
        yield view.found("price_increase_type", "uncapped", sentence, confidence=0.5)


def _money(view: View, sentence: Sentence) -> Iterable[Term]:
    for money in amounts(sentence.text):
        span = (money.start, money.end)
        yield view.found("currency", money.currency, sentence, span, confidence=0.85)
        before = sentence.text[max(0, money.start - 30) : money.start]
        if _search(r"総額|合計|代金総額", before):
            yield view.found("total_value", money.amount, sentence, span, confidence=0.8)
            yield view.found("total_value_basis", "fixed", sentence, span, confidence=0.8)
        elif _search(r"年額|年間|1年につき", before):
            yield view.found("annual_value", money.amount, sentence, span, confidence=0.75)
        elif _search(r"月額|毎月|1か月", before):
            yield view.found("annual_value", money.amount * 12, sentence, span, confidence=0.6)


def _liability(view: View, sentence: Sentence) -> Iterable[Term]:
    text = sentence.text
    match = _search(r"(?:損害|賠償|責任)[^。]{0,160}(?:上限|限度|超えない)", text)
    if not match:
        return
    if length := _search(_LENGTH, text):
        months = number(length["n"]) * _UNIT_MONTHS[length["unit"]]
        yield view.found("liability_cap_type", "fees_multiple", sentence, match.span(), confidence=0.75)
        yield view.found("liability_cap_months", months, sentence, match.span(), confidence=0.75)
        if _search(r"支払(?:った|われた|済)|受領した", text):
            yield view.found("liability_cap_basis", "paid; lookback", sentence, match.span(), confidence=0.7)
    elif money := amounts(text):
        yield view.found("liability_cap_type", "amount", sentence, match.span(), confidence=0.75)
        yield view.found("liability_cap_amount", money[0].amount, sentence, match.span(), confidence=0.75)
