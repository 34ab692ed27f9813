"""Values inside text: what is one, what it is worth, and what only looks like one."""

import time
from datetime import date
from decimal import Decimal

import pytest

from extractors.values import amounts, dates, durations, last_day, number_from_words, percents, plain_number

DURATIONS = [
    ("sixty (60) days", [(60, "day")]),
    ("30 days", [(30, "day")]),
    ("thirty days", [(30, "day")]),
    ("THIRTY (30) DAYS", [(30, "day")]),
    ("sixty\n(60) days", [(60, "day")]),
    ("thirty ( 30 ) days", [(30, "day")]),
    ("180 (one hundred eighty) days", [(180, "day")]),
    ("one hundred and eighty (180) days", [(180, "day")]),
    ("one hundred and eighty days", [(180, "day")]),
    ("1,000 days", [(1000, "day")]),
    ("ninety (90) calendar days", [(90, "day")]),
    ("five business days", [(5, "day")]),
    ("thirty-day notice", [(30, "day")]),
    ("sixty (60) days' notice", [(60, "day")]),
    ("36 months", [(36, "month")]),
    ("3 (three) years", [(3, "year")]),
    ("a one-year term", [(1, "year")]),
    ("two successive years", [(2, "year")]),
    ("a period of 12 (twelve) consecutive calendar months", [(12, "month")]),
    ("twelve full calendar months", [(12, "month")]),
    ("eighteen months", [(18, "month")]),
    ("1.5 years", [(1.5, "year")]),
    ("a five (5)-year term", [(5, "year")]),
    ("within a year", [(1, "year")]),
    ("an additional year", [(1, "year")]),
    ("half a year", [(0.5, "year")]),
    ("two weeks", [(2, "week")]),
    ("four quarters", [(4, "quarter")]),
    ("one year and six months", [(1, "year"), (6, "month")]),
    ("three (3) additional one (1) year terms", [(1, "year")]),
    ("May 30 days", [(30, "day")]),
    # Traps
    ("Section 30", []),
    ("the 30(b)(6) witness", []),
    ("day 30", []),
    ("year 2", []),
    ("the 2026 year", []),
    ("calendar year 2026", []),
    ("a monthly fee", []),
    ("a month-to-month basis", []),
    ("month to month", []),
    ("at year-end", []),
    ("the first anniversary", []),
    ("each year", []),
    ("[***] days", []),
    ("____ days", []),
    ("24/7", []),
    ("12 noon", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), DURATIONS)
def test_durations(text, expected):
    found = durations(text)
    assert [(d.number, d.unit) for d in found] == expected
    assert all(text[d.start : d.end].strip() == text[d.start : d.end] != "" for d in found)


@pytest.mark.parametrize(
    ("text", "days", "months"),
    [
        ("30 days", 30, 1),
        ("2 weeks", 14, 0.47),
        ("3 months", 90, 3),
        ("2 quarters", 180, 6),
        ("one year", 365, 12),
        ("1.5 years", 548, 18),
    ],
)
def test_a_duration_in_other_units(text, days, months):
    (found,) = durations(text)
    assert (found.days, found.months) == (days, months)


DATES = [
    ("March 1, 2026", ["2026-03-01"]),
    ("1 March 2026", ["2026-03-01"]),
    ("1. March 2026", ["2026-03-01"]),
    ("1st day of March, 2026", ["2026-03-01"]),
    ("the 1st of March 2026", ["2026-03-01"]),
    ("this 5 day of May, 2019", ["2019-05-05"]),
    ("the twelfth day of June, 2020", ["2020-06-12"]),
    ("the thirty-first day of December 2020", ["2020-12-31"]),
    ("March 1st, 2026", ["2026-03-01"]),
    ("Mar. 1, 2026", ["2026-03-01"]),
    ("Sept. 3, 2025", ["2025-09-03"]),
    ("JANUARY 1,2026", ["2026-01-01"]),
    ("March\n1,\n2026", ["2026-03-01"]),
    ("01-Mar-2026", ["2026-03-01"]),
    ("1-Mar-26", ["2026-03-01"]),
    ("2026-03-01", ["2026-03-01"]),
    ("2026/3/1", ["2026-03-01"]),
    ("2026.03.01", ["2026-03-01"]),
    ("03/04/2026", ["2026-03-04"]),
    ("3/4/26", ["2026-03-04"]),
    ("31/12/2026", ["2026-12-31"]),
    ("31.12.2026", ["2026-12-31"]),
    ("12-31-2026", ["2026-12-31"]),
    ("29 February 2028", ["2028-02-29"]),
    ("2026年3月1日", ["2026-03-01"]),
    ("2026 年 3 月 1 日", ["2026-03-01"]),
    ("令和8年3月1日", ["2026-03-01"]),
    ("令和元年5月1日", ["2019-05-01"]),
    ("平成31年4月30日", ["2019-04-30"]),
    ("from 12/1/2026-11/30/2027", ["2026-12-01", "2027-11-30"]),
    ("January 1, 2026 until December 31, 2028", ["2026-01-01", "2028-12-31"]),
    # Blanks and redactions
    ("____ day of March, 2026", []),
    ("March ___, 2026", []),
    ("March 1, 20__", []),
    ("[***] 1, 2026", []),
    ("March [●], 2026", []),
    # Days that never were
    ("31 February 2026", []),
    ("February 29, 2025", []),
    ("2026-13-01", []),
    ("13/13/2026", []),
    ("0/5/2020", []),
    # Traps
    ("Customer may terminate in 2026", []),
    ("May 2026", []),
    ("Section 2.0.1", []),
    ("items 1/2/3", []),
    ("call 555-123-4567", []),
    ("12 noon", []),
    ("12/01/20265", []),
    ("June 30, 1026", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), DATES)
def test_dates(text, expected):
    found = dates(text)
    assert [d.value.isoformat() for d in found] == expected
    assert all(not text[d.start : d.end][0].isspace() for d in found)


AMOUNTS = [
    ("$1,500.00", [("1500", "USD")]),
    ("$ 99", [("99", "USD")]),
    ("$.05 a unit", [("0.05", "USD")]),
    ("$0.125 a unit", [("0.125", "USD")]),
    ("US$ 1,500", [("1500", "USD")]),
    ("U.S. $500", [("500", "USD")]),
    ("USD 1,500", [("1500", "USD")]),
    ("USD$500", [("500", "USD")]),
    ("1,500 USD", [("1500", "USD")]),
    ("$1,000,000.00 USD", [("1000000", "USD")]),
    ("$1234567", [("1234567", "USD")]),
    ("$50,000-$60,000", [("50000", "USD"), ("60000", "USD")]),
    ("$1,500, plus", [("1500", "USD")]),
    ("It is $1,500. Then", [("1500", "USD")]),
    # Scales
    ("$1 million", [("1000000", "USD")]),
    ("EUR 1.5 million", [("1500000", "EUR")]),
    ("$2.5 billion", [("2500000000", "USD")]),
    ("€10m", [("10000000", "EUR")]),
    ("$5k", [("5000", "USD")]),
    ("$1.25 MM", [("1250000", "USD")]),
    ("$3bn", [("3000000000", "USD")]),
    ("$5 monthly", [("5", "USD")]),
    ("$10 months later", [("10", "USD")]),
    # Other dollars
    ("C$ 300", [("300", "CAD")]),
    ("CA$300", [("300", "CAD")]),
    ("A$500", [("500", "AUD")]),
    ("AU$500", [("500", "AUD")]),
    ("NZ$500", [("500", "NZD")]),
    ("HK$500", [("500", "HKD")]),
    ("S$500", [("500", "SGD")]),
    ("200 Canadian dollars", [("200", "CAD")]),
    # Other currencies and spellings
    ("£ 100,000", [("100000", "GBP")]),
    ("500 €", [("500", "EUR")]),
    ("100 euros", [("100", "EUR")]),
    ("20 pounds sterling", [("20", "GBP")]),
    ("RMB 500", [("500", "CNY")]),
    ("CHF 1'000.50", [("1000.5", "CHF")]),
    ("1.000,50 EUR", [("1000.5", "EUR")]),
    ("EUR 1.000", [("1000", "EUR")]),
    ("€ 1.234.567", [("1234567", "EUR")]),
    ("12.345,67 €", [("12345.67", "EUR")]),
    ("INR 10,00,000", [("1000000", "INR")]),
    ("¥1,000,000", [("1000000", "JPY")]),
    ("1,000,000円", [("1000000", "JPY")]),
    ("金 50,000 円", [("50000", "JPY")]),
    ("100万円", [("1000000", "JPY")]),
    ("1億2,000万円", [("120000000", "JPY")]),
    ("3億円", [("300000000", "JPY")]),
    # Words
    ("50,000 dollars", [("50000", "USD")]),
    ("one million dollars", [("1000000", "USD")]),
    ("five hundred U.S. dollars", [("500", "USD")]),
    ("fifty thousand dollars ($50,000)", [("50000", "USD")]),
    ("fifty thousand (50,000) dollars", [("50000", "USD")]),
    ("10,000.00 (ten thousand) US dollars", [("10000", "USD")]),
    # Traps
    ("30,000 units", []),
    ("5 pounds of sugar", []),
    ("several million dollars", []),
    ("Section 5.2", []),
    ("500", []),
    ("20 USDT", []),
    ("$[***]", []),
    ("$____", []),
    ("USD", []),
    ("円", []),
    ("1 500 000 EUR", []),  # blanks as separators are not read, and never as 000 EUR
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), AMOUNTS)
def test_amounts(text, expected):
    found = amounts(text)
    assert [(money.amount, money.currency) for money in found] == [(Decimal(a), c) for a, c in expected]
    assert all(text[money.start : money.end].strip() == text[money.start : money.end] for money in found)


PERCENTS = [
    ("1.5%", [1.5]),
    ("1.5 %", [1.5]),
    ("1,5%", [1.5]),
    ("1.5 percent per month", [1.5]),
    ("5 per cent", [5]),
    ("1.5 per\ncent", [1.5]),
    ("five percent", [5]),
    ("twenty-five per cent", [25]),
    ("five percent (5%)", [5]),
    ("five (5) percent", [5]),
    ("five (5%) percent", [5]),
    ("one and one-half percent (1.5%)", [1.5]),
    ("one and one-half percent", [1.5]),
    ("one and a half per cent", [1.5]),
    ("two and three-quarters percent", [2.75]),
    ("one-half of one percent", [0.5]),
    ("one-half percent", [0.5]),
    ("half a percent", [0.5]),
    ("1/2 of 1%", [0.5]),
    ("1-1/2%", [1.5]),
    ("1 1/2 %", [1.5]),
    ("1½%", [1.5]),
    ("one hundred percent (100%)", [100]),
    ("3% to 5%", [3, 5]),
    ("99.9%", [99.9]),
    # Traps
    ("percent", []),
    ("[***]%", []),
    ("__%", []),
    ("12 percentage points", []),
    ("50 persons", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), PERCENTS)
def test_percents(text, expected):
    found = percents(text)
    assert [percent.value for percent in found] == expected
    assert all(text[p.start : p.end].strip() for p in found)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("forty-five", 45),
        ("Sixty", 60),
        ("zero", 0),
        ("one hundred and twenty", 120),
        ("hundred", 100),
        ("one thousand two hundred", 1200),
        ("two million five hundred thousand", 2_500_000),
        ("two thousand twenty-six", 2026),
        ("a", None),
        ("and", None),
        ("", None),
        ("thirty days", None),
        ("dozen", None),
    ],
)
def test_number_words(text, number):
    assert number_from_words(text) == number


LAST_DAYS = [
    ("2026-03-01", 36, "2029-02-28"),
    ("2026-01-01", 12, "2026-12-31"),
    ("2026-01-15", 6, "2026-07-14"),
    ("2024-02-29", 48, "2028-02-28"),
    ("2025-03-01", 36, "2028-02-29"),
    # The month has no such day: the period ends with the month.
    ("2028-02-29", 12, "2029-02-28"),
    ("2026-01-31", 1, "2026-02-28"),
    ("2024-01-30", 1, "2024-02-29"),
    ("2025-08-31", 6, "2026-02-28"),
    ("2026-03-31", 1, "2026-04-30"),
    ("2026-01-01", 1.5, "2026-02-15"),
]


@pytest.mark.parametrize(("start", "months", "end"), LAST_DAYS)
def test_last_day(start, months, end):
    assert last_day(date.fromisoformat(start), months) == date.fromisoformat(end)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (60.0, "60"),
        (1.5, "1.5"),
        (Decimal("1.50"), "1.5"),
        (1e6, "1000000"),
        (Decimal("0.00"), "0"),
        (1e-7, "0.0000001"),
    ],
)
def test_plain_number(value, text):
    assert plain_number(value) == text


PATHOLOGICAL = {
    "number words": "one hundred and " * 4_000,
    "groups": "1," * 20_000,
    "digits": "1" * 50_000,
    "blanks": " " * 50_000,
    "brackets": "(" * 20_000,
    "articles": "a " * 20_000,
    "Japanese": "二億" * 10_000,
}


@pytest.mark.parametrize("text", PATHOLOGICAL.values(), ids=PATHOLOGICAL.keys())
def test_time_is_linear_in_the_text(text):
    begun = time.perf_counter()
    for parse in (durations, dates, amounts, percents):
        parse(text)
    assert time.perf_counter() - begun < 5  # quadratic ones took half a minute and more
