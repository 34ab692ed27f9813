"""The usual terms of a Japanese contract. The clause words are fixed phrases, so plain patterns reach far."""

import re
from collections.abc import Iterable

from extractors.engines.view import Party, Sentence, View
from extractors.values import amounts, dates
from schemas.contract import Term

_FORM = r"(?:株式会社|合同会社|有限会社|一般社団法人)"
_PARTY = re.compile(
    rf"(?P<name>{_FORM}\s*[^\s（(、。「」]{{2,30}}|[^\s（(、。「」・]{{2,30}}?{_FORM}|[A-Z][\w&.,' \-]{{2,50}}?K\.K\.)"
    r"\s*[（(]\s*以下\s*[、,]?\s*[「『\"](?P<alias>[^」』\"]{1,12})[」』\"]"
)
_KANJI = {char: n for n, char in enumerate("〇一二三四五六七八九")}
_NUMBER = r"(?P<n>\d{1,4}|[〇一二三四五六七八九十百]{1,5})"
_UNIT_MONTHS = {"年": 12, "か月": 1, "ヶ月": 1, "カ月": 1, "ケ月": 1, "箇月": 1, "月": 1}
_LENGTH = rf"{_NUMBER}\s*(?P<unit>年|か月|ヶ月|カ月|ケ月|箇月)間?"


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
        side = "provider" if re.search(r"提供者|売主|受託者", before + match["alias"]) else None
        side = "customer" if re.search(r"利用者|買主|委託者|顧客", before + match["alias"]) else side
        name = " ".join(match["name"].split())
        found.append(Party(name, match["alias"], (match["alias"],), side, match.start(), match.end()))
    return tuple(found)


def terms(view: View) -> Iterable[Term]:
    """Dates, term, renewal, notice, payment, law and money of a Japanese contract."""
    sentences = [s for topic in _TOPICS for s in view.about(topic)]
    for sentence in dict.fromkeys(sentences):
        for rule in (_dates, _duration, _termination, _law, _payment, _late_fee, _money, _liability):
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
    found = dates(sentence.text)
    if not found:
        return
    text = sentence.text
    if re.search(r"契約期間|有効期間|効力", text + sentence.heading):
        first = found[0]
        if re.match(r"\s*(?:から|より|に発効|を効力|付)", text[first.end :]):
            yield view.found(
                "effective_date", first.value, sentence, (first.start, first.end), confidence=0.85
            )
        for later in found:
            if re.match(r"\s*まで", text[later.end :]):
                yield view.found(
                    "expiration_date", later.value, sentence, (later.start, later.end), confidence=0.85
                )
    if re.search(r"締結|本契約(?:の成立|を証)|契約日", text) or len(text) < 25:
        at = found[0]
        yield view.found("agreement_date", at.value, sentence, (at.start, at.end), confidence=0.7)
        if sentence.start > 0.6 * len(view.text):
            yield view.found("signed_date", at.value, sentence, (at.start, at.end), confidence=0.6)


def _duration(view: View, sentence: Sentence) -> Iterable[Term]:
    text = sentence.text
    for match in re.finditer(_LENGTH, text):
        months = number(match["n"]) * _UNIT_MONTHS[match["unit"]]
        before, after = text[max(0, match.start() - 40) : match.start()], text[match.end() : match.end() + 20]
        if re.search(r"更新|延長|さらに|更に|同一条件", before + after) and not re.search(r"前まで", after):
            yield view.found("renewal_term_months", months, sentence, match.span(), confidence=0.8)
        elif re.search(r"前まで", after) and re.search(r"満了|終了", before):
            yield view.found("renewal_notice_days", months * 30, sentence, match.span(), confidence=0.8)
        elif re.search(r"契約期間|有効期間|期間は|から", before) and re.search(
            r"契約期間|有効期間", text + sentence.heading
        ):
            yield view.found("initial_term_months", months, sentence, match.span(), confidence=0.8)
    if match := re.search(rf"満了[^。]{{0,10}}?{_NUMBER}\s*日前", text):
        yield view.found("renewal_notice_days", number(match["n"]), sentence, match.span(), confidence=0.85)
    if match := re.search(
        r"自動(?:的に)?(?:更新|延長)|(?:更新|延長)(?:される|するもの|されるもの)とし?、?以後も?同様", text
    ):
        yield view.found("renewal_type", "auto", sentence, match.span(), confidence=0.85)


def _termination(view: View, sentence: Sentence) -> Iterable[Term]:
    text = sentence.text
    if re.search(r"違反|不履行|破産|支払停止|差押|更新", text) or not re.search(
        r"解約|中途解約|終了させる", text
    ):
        return
    match = re.search(
        r"(?:いつでも|理由の?如何を問わず|都合により)?[^。]{0,60}(?:解約|終了させ)[^。]{0,12}できる", text
    )
    if not match:
        return
    if re.search(r"できない", text):
        yield view.found("termination_for_convenience", "none", sentence, match.span(), confidence=0.7)
        return
    who = (
        "either"
        if re.search(r"甲(?:及び|および|又は|または|乙)|いずれ|各当事者", text)
        else _side_of(view, text)
    )
    if who:
        yield view.found("termination_for_convenience", who, sentence, match.span(), confidence=0.75)
        if notice := re.search(rf"{_NUMBER}\s*(?P<unit>日|か月|ヶ月|カ月|箇月)前", text):
            days = number(notice["n"]) * (1 if notice["unit"] == "日" else 30)
            yield view.found("termination_notice_days", days, sentence, notice.span(), confidence=0.75)


def _side_of(view: View, text: str) -> str | None:
    named = [
        (text.find(alias), party.side) for party in view.parties for alias in party.aliases if alias in text
    ]
    return min(named)[1] if named else None


def _law(view: View, sentence: Sentence) -> Iterable[Term]:
    if match := re.search(
        r"(?:準拠法[^。]{0,12}日本(?:国)?法?|日本(?:国)?法(?:に(?:準拠|より|従)|を準拠法))", sentence.text
    ):
        yield view.found("governing_law", "Japan", sentence, match.span(), confidence=0.9)


def _payment(view: View, sentence: Sentence) -> Iterable[Term]:
    text = sentence.text
    if re.search(r"支払", text) and not re.search(r"遅延損害金|怠った", text):
        if match := re.search(rf"{_NUMBER}\s*日以内", text):
            yield view.found(
                "payment_terms_days", number(match["n"]), sentence, match.span(), confidence=0.85
            )
    if re.search(r"請求|支払", text):
        for word, value in (("毎月", "monthly"), ("月額", "monthly"), ("四半期", "quarterly"), ("年額", "annual"), ("一括", "one_time"),
                            ("毎年", "annual"), ("年間", "annual")):  # fmt: skip
            if match := re.search(word, text):
                yield view.found("billing_frequency", value, sentence, match.span(), confidence=0.6)
                break
        if match := re.search(r"前払|前金|先払", text):
            yield view.found("billing_timing", "advance", sentence, match.span(), confidence=0.8)
        elif match := re.search(r"後払|当月分を翌月|前月分", text):
            yield view.found("billing_timing", "arrears", sentence, match.span(), confidence=0.75)


def _late_fee(view: View, sentence: Sentence) -> Iterable[Term]:
    match = re.search(r"年(?:率|利)?\s*(?P<n>\d+(?:\.\d+)?)\s*(?:%|パーセント|％)", sentence.text)
    if match and re.search(r"遅延", sentence.text):
        value = round(float(match["n"]) / 12, 4)
        yield view.found("late_fee_percent_per_month", value, sentence, match.span(), confidence=0.8)


def _money(view: View, sentence: Sentence) -> Iterable[Term]:
    for money in amounts(sentence.text):
        span = (money.start, money.end)
        yield view.found("currency", money.currency, sentence, span, confidence=0.85)
        before = sentence.text[max(0, money.start - 30) : money.start]
        if re.search(r"総額|合計|代金総額", before):
            yield view.found("total_value", money.amount, sentence, span, confidence=0.8)
            yield view.found("total_value_basis", "fixed", sentence, span, confidence=0.8)
        elif re.search(r"年額|年間|1年につき", before):
            yield view.found("annual_value", money.amount, sentence, span, confidence=0.75)
        elif re.search(r"月額|毎月|1か月", before):
            yield view.found("annual_value", money.amount * 12, sentence, span, confidence=0.6)


def _liability(view: View, sentence: Sentence) -> Iterable[Term]:
    text = sentence.text
    match = re.search(r"(?:損害|賠償|責任)[^。]{0,120}(?:上限|限度|超えない)", text)
    if not match:
        return
    if length := re.search(_LENGTH, text):
        months = number(length["n"]) * _UNIT_MONTHS[length["unit"]]
        yield view.found("liability_cap_type", "fees_multiple", sentence, match.span(), confidence=0.75)
        yield view.found("liability_cap_months", months, sentence, match.span(), confidence=0.75)
    elif money := amounts(text):
        yield view.found("liability_cap_type", "amount", sentence, match.span(), confidence=0.75)
        yield view.found("liability_cap_amount", money[0].amount, sentence, match.span(), confidence=0.75)
