"""Terms and clause types of Japanese contracts: real drafting, and what looks like a term and is none."""

import pytest

from benchmarks.japanese_terms import PARTS, cases, document, read
from extractors.characters import clean
from extractors.engines.embedded import EmbeddedEngine
from extractors.engines.rules.japanese_lines import articles
from extractors.japanese_numbers import closing_days, laws, lengths, notices, number, rates, unbroken, within
from extractors.sentences import sentences
from extractors.values import amounts, dates
from schemas.clauses import CLAUSE_TYPES
from schemas.terms import TERM_BY_NAME

SERVER = """保守契約書
株式会社天竜データ（以下「甲」という。）と鶴見通信工業株式会社（以下「乙」という。）とは、次の契約を締結する。
（契約期間）
第３条　本契約の有効期間は、２０２６年１０月１日から２０２７年９月３０日までの１年間とする。
２　有効期間満了の２か月前までに甲乙いずれからも解約の申し出がないときは、更に１年間延長されるものとする。
（保守料金）
第４条　甲は乙に対し、保守料金として月額１１万円（消費税１万円を含む。）を支払う。
（損害賠償）
第９条　乙は、本契約の履行に関し甲に損害を与えた場合、保守料金の１２か月分を限度としてこれを賠償する。"""
TRADE = """取引基本契約書
第7条（支払条件）買主は、毎月末日までに検収を完了した商品の代金を、翌月25日に現金振込により支払う。
第10条（遅延利息）買主が代金の支払を遅延した場合、年利6パーセントの遅延利息を支払う。
第21条（契約期間）本契約の契約期間は、契約締結の日から2年とする。
第22条（解約）売主又は買主は、契約期間中であっても、6か月前に相手方に対して書面により予告することにより、本契約を解約することができる。
第23条（暴力団等の排除）売主及び買主は、相手方が暴力団員等に該当する場合、催告なしに直ちに本契約を解除することができる。
第25条（準拠法・合意管轄）本契約の準拠法は日本法とし、福岡地方裁判所を第一審の専属的合意管轄裁判所とする。"""
GUARDS = """警備業務請負契約書
第2条 契約金額は、年間金二千四百万円（消費税及び地方消費税を除く）とする。
第3条 発注者は、受注者からの適法な請求書を受理した日から三十日以内に支払うものとする。
第4条 履行期間は、令和8年4月1日から令和9年3月31日までとし、本契約は更新されないものとする。
第5条 発注者は、受注者に対し1か月前に通知して、いつでもこの契約を解除することができる。
第6条 受注者は、この契約により生ずる権利又は義務を第三者に譲渡し、又は承継させてはならない。
第8条 発注者がこの契約に基づく支払を遅延した場合の遅延利息の率は、年2.5％とする。"""
CONTRACTS = {
    SERVER: {
        "effective_date": "2026-10-01",
        "expiration_date": "2027-09-30",
        "initial_term_months": "12",
        "renewal_type": "auto",
        "renewal_term_months": "12",
        "renewal_notice_days": "60",
        "annual_value": "1200000",
        "liability_cap_type": "fees_multiple",
        "liability_cap_months": "12",
        "termination_notice_days": None,
        "governing_law": None,
    },
    TRADE: {
        "payment_terms_days": "25",
        "late_fee_percent_per_month": "0.5",
        "initial_term_months": "24",
        "termination_for_convenience": "either",
        "termination_notice_days": "180",
        "governing_law": "Japan",
        "effective_date": None,
        "liability_cap_amount": None,
    },
    GUARDS: {
        "annual_value": "24000000",
        "total_value": "24000000",
        "payment_terms_days": "30",
        "renewal_type": "none",
        "termination_for_convenience": "customer",
        "termination_notice_days": "30",
        "late_fee_percent_per_month": "0.2083",
        "governing_law": None,
    },
}
TRAPS = {
    "earlier agreement": ("甲と乙は、令和5年4月1日付業務委託契約を合意解約し、本契約を締結する。", "agreement_date"),
    "delivery date": ("第4条（納入）乙は、2026年8月31日までに本件物品を納入する。", "expiration_date"),
    "court": ("第9条（管轄）本契約に関する訴訟は、東京地方裁判所を専属的合意管轄裁判所とする。", "governing_law"),
    "obeying the law": ("第5条（法令遵守）乙は、日本の法令に従い本業務を行う。", "governing_law"),
    "notice of audit": (
        "第5条（監査）甲は、14日前までに通知して、業務を監査することができる。",
        "termination_notice_days",
    ),
    "time to cure": (
        "第9条（解除）相手方が14日以内の期間を定めて催告しても支払わないときは解除できる。",
        "payment_terms_days",
    ),
    "legal rate": ("第7条（遅延損害金）甲は、法定利率による遅延損害金を支払う。", "late_fee_percent_per_month"),
    "sum insured": (
        "第8条（賠償責任保険）乙は、保険金額1億円を上限とする賠償責任保険を付保する。",
        "liability_cap_amount",
    ),
    "months after acceptance": (
        "第7条（代金）甲は検収日の属する月の翌月末日までに代金を支払う。",
        "payment_terms_days",
    ),
    "sending the bill": (
        "第3条（請求）乙は、業務終了後10日以内に請求書を甲に送付し、甲は速やかに支払う。",
        "payment_terms_days",
    ),
    "warranty": ("第6条（保証期間）本製品の保証期間は引渡しの日から24か月間とする。", "initial_term_months"),
}


@pytest.fixture(scope="module")
def engine():
    return EmbeddedEngine("embedded")


@pytest.mark.parametrize("text", CONTRACTS)
@pytest.mark.parametrize(("across", "dense"), [(40, False), (23, False), (500, False), (40, True)])
def test_terms_of_a_contract_however_its_lines_are_broken(engine, text, across, dense):
    found = read(engine, document(text, across, dense))
    said = {name: found.term(name) for name in CONTRACTS[text]}
    assert {name: term.value if term else None for name, term in said.items()} == CONTRACTS[text]
    assert {term.evidence for term in said.values() if term} <= {"verified", "derived"}


@pytest.mark.parametrize("trap", TRAPS)
def test_what_is_no_term(engine, trap):
    text, name = TRAPS[trap]
    assert read(engine, document("業務委託契約書\n" + text)).term(name) is None


def test_parties_and_who_pays(engine):
    found = read(engine, document(SERVER))
    parties = [(term.value, term.role) for term in found.terms if term.term == "parties"]
    assert parties == [("株式会社天竜データ", "customer"), ("鶴見通信工業株式会社", "provider")]


CLAUSES = {
    "第6条（権利義務の譲渡）甲は、債権を第三者に譲渡してはならない。": {"anti_assignment"},
    "第6条（再委託）乙は、甲の承諾なく業務を第三者に再委託してはならない。": set(),
    "第8条（損害賠償）乙は、甲に与えた損害を賠償する。": set(),
    "第8条（責任の限度）乙の責任は、金100万円を超えないものとする。": {"cap_on_liability"},
    "第8条（賠償責任）乙の賠償責任には上限を設けない。": {"uncapped_liability"},
    "第3条（中途解約）甲は、30日前に書面で通知して本契約を解約できる。": {"termination_for_convenience"},
    "第3条（解除）相手方が本契約に違反したときは、本契約を解除することができる。": {"termination_for_cause"},
    "第4条（検収）甲は、納入後10日以内に検査を行い、合格したものを検収する。": {"acceptance"},
    "第5条（秘密保持）甲及び乙は、相手方の秘密情報を第三者に開示してはならない。": {"confidentiality"},
    "第7条（競業避止）乙は、本製品と競合する製品を販売してはならない。": {"non_compete"},
    "第9条（反社会的勢力）甲及び乙は、暴力団員でないことを表明し保証する。": set(),
    "第10条（完全合意）本契約は、当事者間の完全な合意である。": {"entire_agreement"},
    "第11条（仲裁）紛争は、仲裁により解決する。": {"dispute_resolution"},
    "第12条（保険）乙は、賠償責任保険を付保する。": {"insurance"},
}


@pytest.mark.parametrize("text", CLAUSES)
def test_clause_types_of_an_article(engine, text):
    held = document("第1条（目的）本契約は、甲乙間の取引の基本を定める。\n" + text)
    found = read(engine, held).clauses
    assert {clause.clause_type for clause in found} == CLAUSES[text]
    assert all(clause.text in held.text and clause.citation.score == 1.0 for clause in found)


def test_articles_take_both_ways_of_heading():
    text = clean(
        "覚書\n第1条（目的）本覚書は第3条の定めによる。\n（期間）\n第２条　期間は1年とする。\n本書を証するため"
    )
    assert [one.heading for one in articles(text)] == ["第1条(目的)", "第2条(期間)"]


def test_no_articles():
    assert articles("") == [] and articles("本契約は第3条による。") == []


def test_a_stop_in_brackets_ends_no_sentence():
    text = "甲(以下「甲」という。)と乙は合意する。金1円(消費税込。本体1円)とする。"
    assert [text[a:b] for a, b in sentences(text)] == [
        "甲(以下「甲」という。)と乙は合意する。",
        "金1円(消費税込。本体1円)とする。",
    ]


def test_a_sentence_goes_on_over_a_page_break():
    text = "保険を付\n\f\n保する。\n\f\n第2条(期間)一年とする。"
    assert [text[a:b] for a, b in sentences(text)] == ["保険を付\n\f\n保する。", "第2条(期間)一年とする。"]


def test_lines_are_joined_and_lead_back():
    flat = unbroken("甲は、三十\n日 以内に 30 日\n\n第5条 (期間)")
    assert flat.text == "甲は、三十日 以内に30日\n\n第5条(期間)"
    start = flat.text.index("十日")
    assert flat.back(start, start + 2) == (4, 7)


NUMBERS = {"三十": 30, "二〇二六": 2026, "百二十": 120, "壱千弐百万": 12e6, "1億2千5百万": 125e6, "十": 10, "60": 60}


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_numbers(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("令和元年五月一日", "2019-05-01"),
        ("二〇二六年四月一日", "2026-04-01"),
        ("平成三十一年四月三十日", "2019-04-30"),
        ("2026年四月一日", "2026-04-01"),
    ],
)
def test_dates(text, value):
    assert [str(dated.value) for dated in dates(text)] == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [("金壱千弐百万円", 12e6), ("二百万円", 2e6), ("5千万円", 5e7), ("1.5億円", 15e7), ("1億2,000万円", 12e7)],
)
def test_amounts(text, value):
    assert [float(money.amount) for money in amounts(text)] == [value]


@pytest.mark.parametrize("text", ["万円", "数百万円", "何十万円", "円"])
def test_no_amounts(text):
    assert amounts(text) == []


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("毎月末日締め、翌月末日払い", 30),
        ("月末締め翌々月10日払い", 40),
        ("毎月20日締めの代金を翌月末日までに支払う", 40),
        ("15日締め翌月15日支払い", 30),
        ("当月分を翌月10日までに支払う", 10),
    ],
)
def test_closing_days(text, days):
    assert [due.days for due in closing_days(text)] == [days]


def test_when_the_bill_is_sent_is_no_day_of_payment():
    assert closing_days("当月分の請求書を翌月5日までに発行し") == []


@pytest.mark.parametrize(
    ("text", "percent"),
    [("年14.6%", 1.2167), ("年一割四分六厘", 1.2167), ("日歩四銭", 1.2167), ("月1.5%", 1.5), ("年3.0パーセント", 0.25)],
)
def test_rates(text, percent):
    assert [rate.percent_per_month for rate in rates(text)] == [percent]


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("満2年とする", [24]),
        ("1年6か月", [18]),
        ("半年", [6]),
        ("2026年4月", []),
        ("令和8年度", []),
        ("十二か月間", [12]),
    ],
)
def test_lengths(text, months):
    assert [length.months for length in lengths(text)] == months


def test_notice_and_period():
    assert [n.days for n in notices("三ヶ月前までに、又は60日の予告で、1年前に")] == [90, 60, 365]
    assert [n.days for n in within("三十日以内、2週間以内、5営業日以内")] == [30, 14, 5]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("日本国の法令に準拠し", "Japan"),
        ("準拠法はニューヨーク州法とする", "New York"),
        ("シンガポール共和国法を適用する", "Singapore"),
        ("イングランド及びウェールズ法に準拠", "England and Wales"),
    ],
)
def test_laws(text, place):
    assert [law.place for law in laws(text)] == [place]


def test_the_cases_name_what_exists():
    held = [case for part in PARTS for case in cases(part)]
    assert len({case["name"] for case in held}) == len(held) >= 24
    for case in held:
        assert set(case["terms"]) | set(case["absent"]) <= set(TERM_BY_NAME)
        assert not set(case["terms"]) & set(case["absent"])
        assert set(case["clauses"]) <= set(CLAUSE_TYPES)
