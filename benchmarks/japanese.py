"""Japanese contract pages for measuring: clauses with varied parties, dates, sums and periods, typeset anew."""

import random

import pymupdf

_PARTIES = ["株式会社青葉商事", "東海精機株式会社", "みずき物流株式会社", "北斗システム株式会社", "株式会社桜井製作所"]
_SUBJECTS = ["業務委託", "保守", "売買", "秘密保持", "ソフトウェア使用許諾", "物品供給", "賃貸借"]
_CLAUSES = [
    "（目的）甲は、乙に対し、{subject}に関する業務を委託し、乙はこれを受託する。",
    "（期間）本契約の有効期間は、{date}から{years}年間とする。ただし、期間満了の{months}か月前までにいずれの当事者からも"
    "書面による申出がないときは、同一条件でさらに{years}年間更新されるものとし、以後も同様とする。",
    "（報酬）甲は、乙に対し、本業務の対価として金{amount}円（消費税別）を、請求書受領後{days}日以内に乙の指定する銀行口座に"
    "振り込む方法により支払う。振込手数料は甲の負担とする。",
    "（遅延損害金）甲が前条の支払を遅延したときは、支払期日の翌日から完済に至るまで年{rate}パーセントの割合による"
    "遅延損害金を支払う。",
    "（秘密保持）甲及び乙は、本契約に関して知り得た相手方の技術上又は営業上の情報を、相手方の書面による承諾なく"
    "第三者に開示又は漏えいしてはならない。",
    "（解除）甲又は乙は、相手方が本契約に違反し、{days}日の期間を定めて催告したにもかかわらず是正されないときは、"
    "本契約の全部又は一部を解除することができる。",
    "（損害賠償）乙の損害賠償の額は、直前の{months}か月間に甲が支払った報酬の総額を上限とする。",
    "（反社会的勢力の排除）甲及び乙は、自らが暴力団、暴力団員その他これらに準ずる者に該当しないことを表明し、"
    "将来にわたっても該当しないことを確約する。",
    "（再委託）乙は、甲の事前の書面による承諾を得ることなく、本業務の全部又は一部を第三者に再委託することができない。",
    "（管轄）本契約に関する一切の紛争については、{place}地方裁判所を第一審の専属的合意管轄裁判所とする。",
    "（準拠法）本契約は、日本法に準拠し、日本法に従って解釈される。",
]
_PLACES = ["東京", "大阪", "名古屋", "横浜", "福岡"]
_KANJI = "〇一二三四五六七八九"


def _date(rng: random.Random) -> str:
    year, month, day = rng.randint(1, 8), rng.randint(1, 12), rng.randint(1, 28)
    if rng.random() < 0.5:
        return f"令和{year}年{month}月{day}日"
    return f"{2018 + year}年{month}月{day}日"


def _values(rng: random.Random) -> dict[str, str]:
    kanji = rng.random() < 0.3
    months = rng.choice([1, 2, 3, 6])
    return {
        "subject": rng.choice(_SUBJECTS),
        "date": _date(rng),
        "years": str(rng.randint(1, 5)),
        "months": _KANJI[months] if kanji else str(months),
        "amount": f"{rng.randint(10, 9999) * 1000:,}",
        "days": rng.choice(["10", "14", "三十", "30", "45", "60"]),
        "rate": rng.choice(["3", "6", "14.6"]),
        "place": rng.choice(_PLACES),
    }


def page(seed: int) -> tuple[bytes, str]:
    """A one-page PDF and the text that is printed on it."""
    rng = random.Random(seed)
    subject = rng.choice(_SUBJECTS)
    first, second = rng.sample(_PARTIES, 2)
    paragraphs = [
        f"{subject}契約書",
        f"{first}（以下「甲」という。）と{second}（以下「乙」という。）は、次のとおり{subject}契約を締結する。",
    ]
    for number, clause in enumerate(rng.sample(_CLAUSES, 8), 1):
        paragraphs.append(f"第{number}条{clause.format(**_values(rng))}")
    paragraphs.append(_date(rng))
    return _typeset(paragraphs, rng), "".join(paragraphs)


def _typeset(paragraphs: list[str], rng: random.Random) -> bytes:
    font = rng.choice(["japan", "japan-s"])
    size = rng.choice([9.5, 10.5, 11.5])
    pdf = pymupdf.open()
    sheet = pdf.new_page(width=595, height=842)
    top = 70.0
    for index, paragraph in enumerate(paragraphs):
        text_size = size * 1.4 if index == 0 else size
        across = int(470 // text_size)
        for start in range(0, len(paragraph), across):
            sheet.insert_text((62, top), paragraph[start : start + across], fontname=font, fontsize=text_size)
            top += text_size * 1.7
        top += size * 0.6
    return pdf.tobytes()
