"""What numbers say in Japanese: kanji numerals, lengths of time, closing days, rates, and the names of laws.

Pure functions from text to what stands there, for the rules and for `check`. They expect text without line breaks
inside a phrase, as `unbroken` makes it.
"""

import re
from typing import NamedTuple

_DIGITS = {char: n for n, char in enumerate("〇一二三四五六七八九")} | {"壱": 1, "弐": 2, "参": 3, "零": 0}
_UNITS = {"十": 10, "拾": 10, "百": 100, "千": 1_000}
_MYRIADS = {"万": 10_000, "萬": 10_000, "億": 100_000_000}
DIGIT = "〇零一二三四五六七八九壱弐参"
KANJI = f"[{DIGIT}十拾百千]"
NUMBER = rf"(?:\d{{1,4}}|{KANJI}{{1,6}})"
_PIECE = re.compile(r"\d[\d,]*(?:\.\d+)?|.")
_CJK = "\u3040-\u30ff\u3400-\u9fff々〇"
_BROKEN = re.compile(
    rf"(?<=[{_CJK}、。」])\n(?!\n)|(?<!\n)\n(?=[{_CJK}「])"
    rf"|(?<=[{_CJK}])[ \t]+(?=[0-9(%])|(?<=[0-9)%])[ \t]+(?=[{_CJK}])"
    rf"|(?<=[{_CJK}、])\s*\f\s*(?=[{_CJK}])"
)


class Unbroken(NamedTuple):
    """A text without the line breaks and blanks inside its phrases; `at` holds each character's old offset."""

    text: str
    at: tuple[int, ...]

    def back(self, start: int, end: int) -> tuple[int, int]:
        """A half-open span in the text as it was."""
        return self.at[start], self.at[end - 1] + 1


class Length(NamedTuple):
    """A length of time in months and where it stands (half-open)."""

    months: float
    start: int
    end: int


class Notice(NamedTuple):
    """How many days before something, and where it stands (half-open)."""

    days: int
    start: int
    end: int


class Rate(NamedTuple):
    """Interest in percent a month and where it stands (half-open)."""

    percent_per_month: float
    start: int
    end: int


class Law(NamedTuple):
    """A place whose law is meant and where the law is named (half-open)."""

    place: str
    start: int
    end: int


def unbroken(text: str) -> Unbroken:
    """The text on one line where it is Japanese: `三十\\n日 以内` -> `三十日 以内`, `30 日` -> `30日`."""
    kept, at = [], 0
    for match in _BROKEN.finditer(text):
        kept += range(at, match.start())
        at = match.end()
    kept += range(at, len(text))
    return Unbroken("".join(text[i] for i in kept), tuple(kept))


def number(text: str) -> float:
    """`三十` -> 30, `二〇二六` -> 2026, `壱千弐百万` -> 12000000, `1億2千5百万` -> 125000000, `60` -> 60."""
    total = section = current = 0.0
    for piece in _PIECE.findall(text):
        if piece in _UNITS:
            section += (current or 1) * _UNITS[piece]
            current = 0
        elif piece in _MYRIADS:
            total += (section + current or 1) * _MYRIADS[piece]
            section = current = 0
        elif piece in _DIGITS:
            current = current * 10 + _DIGITS[piece]
        elif piece[0].isdigit():
            current = float(piece.replace(",", ""))
    return total + section + current


_MONTH = r"(?:[かヶカケヵ箇]月|個月)"
_LENGTH = re.compile(
    rf"(?<![\d.,])(?<!{KANJI})(?<!第)(?:満)?(?:(?P<half>半年)|(?P<years>{NUMBER})\s*[かヶカケヵ箇]?年(?!\s*{NUMBER}?\s*月(?!間)|度|率|額|利|目|末|次|[割分]|\d{{1,2}}(?:\.\d+)?\s*(?:%|パ))"
    rf"(?:間?と?(?P<rest>{NUMBER})\s*{_MONTH})?|(?P<months>{NUMBER})\s*{_MONTH})間?"
)


def lengths(text: str) -> list[Length]:
    """All lengths of months and years: `十二か月間`, `満2年`, `1年6か月`, `半年`; a year of a date is none."""
    found = []
    for match in _LENGTH.finditer(text):
        months = 6.0 if match["half"] else 12 * number(match["years"] or "") + number(match["rest"] or "")
        months += number(match["months"] or "")
        if 0 < months <= 1200:
            found.append(Length(months, match.start(), match.end()))
    return found


_BEFORE = re.compile(
    rf"(?<![\d.,])(?<!{KANJI})(?P<n>{NUMBER})\s*(?P<unit>日|週間|{_MONTH}|年)(?:間)?"
    r"(?:以上)?(?:前|の(?:事前)?(?:予告|猶予|通知期間))"
)
_DAYS = {"日": 1, "週間": 7, "年": 365}


def notices(text: str) -> list[Notice]:
    """All periods of notice in days, a month as 30: `三ヶ月前` -> 90, `60日前`, `30日の予告`."""
    return [
        Notice(round(number(m["n"]) * _DAYS.get(m["unit"], 30)), m.start(), m.end()) for m in _BEFORE.finditer(text)
    ]


_WITHIN = re.compile(rf"(?<![\d.,])(?<!{KANJI})(?P<n>{NUMBER})\s*(?P<unit>(?:営業)?日|週間|{_MONTH})間?以内")


def within(text: str) -> list[Notice]:
    """All periods within which something is to be done, in days: `三十日以内`, `2週間以内`, `1か月以内`."""
    days = {"日": 1, "営業日": 1, "週間": 7}
    return [Notice(round(number(m["n"]) * days.get(m["unit"], 30)), m.start(), m.end()) for m in _WITHIN.finditer(text)]


_CLOSES = (
    rf"(?P<close>月末日?|末日|末|(?P<closeday>{NUMBER})\s*日)\s*(?:(?:に|を|で)?\s*(?:締|〆)|まで(?:に|の)(?!支払|振))"
)
_DUE = rf"(?P<month>翌々月|翌月|同月|当月)\s*の?\s*(?P<due>末日?|(?P<dueday>{NUMBER})\s*日)"
_CLOSING = re.compile(
    rf"(?:{_CLOSES}|当月分|毎月分|各月分)[^。]{{0,60}}?{_DUE}(?=(?:(?!請求書)[^。]){{0,40}}?(?:払|振|送金|弁済))"
)
_MONTHS_ON = {"当月": 0, "同月": 0, "翌月": 1, "翌々月": 2}
MONTH_END = 30


def closing_days(text: str) -> list[Notice]:
    """Days from the closing day of a month to the day of payment, a month as 30: `月末締め翌月末払い` -> 30.

    What is owed for a month closes at its end where no day is named: `当月分を翌月10日までに支払う` -> 10.
    """
    found = []
    for match in _CLOSING.finditer(text):
        closes = min(MONTH_END, number(match["closeday"])) if match["closeday"] else MONTH_END
        due = min(MONTH_END, number(match["dueday"])) if match["dueday"] else MONTH_END
        days = round(30 * _MONTHS_ON[match["month"]] + due - closes)
        if days > 0:
            found.append(Notice(days, match.start(), match.end()))
    return found


_DECIMAL = rf"(?:\d{{1,3}}(?:\.\d+)?|{KANJI}{{1,3}})"
_PERCENT = re.compile(rf"(?P<period>年|月)(?:率|利)?\s*(?P<n>{_DECIMAL})\s*(?:%|パーセント|%)")
_TENTHS = re.compile(
    rf"(?P<period>年|月)(?:率|利)?\s*(?=[\d{DIGIT}]{{1,2}}[割分])(?:(?P<wari>{_DECIMAL})割)?(?:(?P<bu>{_DECIMAL})分)?(?:(?P<rin>{_DECIMAL})厘)?"
)
_DAILY = re.compile(rf"日歩\s*(?P<sen>{_DECIMAL})銭(?:(?P<rin>{_DECIMAL})厘)?")


def rates(text: str) -> list[Rate]:
    """All rates of interest in percent a month: `年14.6%`, `年一割四分六厘`, `日歩四銭`, `月1.5%`."""
    found = []
    for match in _PERCENT.finditer(text):
        found.append(_rate(number(match["n"]), match["period"], match))
    for match in _TENTHS.finditer(text):
        percent = 10 * number(match["wari"] or "") + number(match["bu"] or "") + number(match["rin"] or "") / 10
        found.append(_rate(percent, match["period"], match))
    for match in _DAILY.finditer(text):
        percent = (number(match["sen"]) + number(match["rin"] or "") / 10) / 100
        found.append(_rate(percent * 365, "年", match))
    return sorted(found, key=lambda rate: rate.start)


def _rate(percent: float, period: str, match: re.Match[str]) -> Rate:
    return Rate(round(percent / (12 if period == "年" else 1), 4), match.start(), match.end())


_PLACES = {
    "日本": "Japan", "イングランド": "England and Wales", "英国": "England and Wales", "スコットランド": "Scotland",
    "ニューヨーク州": "New York", "カリフォルニア州": "California", "デラウェア州": "Delaware", "テキサス州": "Texas",
    "ワシントン州": "Washington", "イリノイ州": "Illinois", "マサチューセッツ州": "Massachusetts",
    "ドイツ": "Germany", "フランス": "France", "スイス": "Switzerland", "オランダ": "Netherlands",
    "アイルランド": "Ireland", "イタリア": "Italy", "シンガポール": "Singapore", "香港": "Hong Kong",
    "中華人民共和国": "People's Republic of China", "中国": "People's Republic of China", "台湾": "Taiwan",
    "大韓民国": "Republic of Korea", "韓国": "Republic of Korea", "インド": "India", "タイ": "Thailand",
    "ベトナム": "Vietnam", "オーストラリア": "Australia",
}  # fmt: skip
_PLACE = rf"(?P<place>{'|'.join(sorted(_PLACES, key=len, reverse=True))})(?:及びウェールズ|連邦共和国|共和国|国)?"
_SECOND = _PLACE.replace("place", "second")
_LAW = re.compile(
    rf"{_PLACE}の?(?:法令|法律|実体法|法)(?=[^。]{{0,24}}?(?:準拠|解釈|[がを]適用|支配))|準拠法[^。]{{0,16}}?{_SECOND}の?(?:法|$|。)"
)


def laws(text: str) -> list[Law]:
    """The places whose law a text takes: `日本法に準拠`, `準拠法はニューヨーク州法`; no court makes a law."""
    return [Law(_PLACES[m["place"] or m["second"]], m.start(), m.end()) for m in _LAW.finditer(text)]
