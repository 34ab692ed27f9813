"""Values against CUAD's answers: dates, governing law, renewal, notice period, parties, document name.

CUAD's answers are free text, roughly normalised. A value counts only where the answer can be understood; contracts
without an answer are left out, so that a value too many is not punished here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import pandas as pd
from rapidfuzz import fuzz

from extractors.check import check
from extractors.chunk import chunk
from extractors.derive import derive
from extractors.engines.embedded import EmbeddedEngine
from extractors.values import durations
from schemas.contract import Term
from schemas.document import Document

DATES = {
    "Agreement Date": "agreement_date",
    "Effective Date": "effective_date",
    "Expiration Date": "expiration_date",
}
LENGTHS = {"Renewal Term": "renewal_term_months", "Notice Period To Terminate Renewal": "renewal_notice_days"}
SAME_NAME = 85
"""From this similarity (0 to 100) two spellings name the same party."""
_DATE = re.compile(r"(\d+)/(\d+)/(\d+)")
_ALIASES = re.compile(r"\([^()]*\)|[\"“][^\"“”]*[\"”]")


def values(document: Document) -> dict[str, list[Term]]:
    """The terms with a value that the embedded engine lands for a document, by name."""
    engine = EmbeddedEngine("benchmark")
    found = derive(check(engine.extract(document, chunk(document)), document), document, (), date.today())
    by_name: dict[str, list[Term]] = {}
    for term in found.terms:
        if term.value is not None:
            by_name.setdefault(term.term, []).append(term)
    return by_name


def scores(by_title: Mapping[str, Mapping[str, Sequence[Term]]], folder: Path) -> dict[str, float]:
    """Share of CUAD's answers that the values meet, by field; `_n` tells of how many answers. Parties: F1 of names.

    CUAD ends a term of a year that starts on January 1 on the next January 1; a term's last day is the day before.
    `value_expiration_date` asks for CUAD's day, `value_expiration_date_last_day` also takes the one before.
    """
    table = pd.read_parquet(folder / "answers.parquet")
    answers = {
        (row.title.strip(), row.category): row.answer for row in table.itertuples() if isinstance(row.answer, str)
    }
    fields: dict[str, list[float]] = {}
    for title, found in by_title.items():
        for field, right in _judged(title, found, answers):
            fields.setdefault(field, []).append(right)
    result = {}
    for field in sorted(fields):
        result |= {f"value_{field}": sum(fields[field]) / len(fields[field]), f"value_{field}_n": len(fields[field])}
    return result


def _judged(
    title: str, found: Mapping[str, Sequence[Term]], answers: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, float]]:
    for category, name in DATES.items():
        if day := _day(answers.get((title, category))):
            said = next((term.value_date for term in found.get(name, ())), None)
            yield name, said == day
            if name == "expiration_date":
                yield f"{name}_last_day", said is not None and (day - said).days in (0, 1)
    for category, name in LENGTHS.items():
        lengths = durations(answers.get((title, category), "").replace("successive ", ""))
        if lengths:
            said = {float(term.value_number) for term in found.get(name, ())[:1]}
            wanted = {round(each.months, 2) if name.endswith("months") else each.days for each in lengths}
            yield name, bool(said & wanted)
    if law := answers.get((title, "Governing Law")):
        yield "governing_law", any(_within(term.value, law) for term in found.get("governing_law", ())[:1])
    if answer := answers.get((title, "Document Name")):
        yield "title", any(_within(term.value, answer) for term in found.get("title", ())[:1])
    if names := _names(answers.get((title, "Parties"), "")):
        yield "parties_f1", _name_f1({term.value for term in found.get("parties", ())}, names)


def _day(answer: str | None) -> date | None:
    """An answer such as `1/31/19` as a date; None where a part is blank or no such day exists."""
    match = _DATE.fullmatch((answer or "").strip())
    if not match:
        return None
    month, day, year = map(int, match.groups())
    if year < 100:
        year += 2000 if year < 70 else 1900
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _within(value: str, answer: str) -> bool:
    one, other = (re.sub(r"[^a-z0-9]", "", text.lower()) for text in (value, answer))
    return bool(one) and (one in other or other in one)


def _names(answer: str) -> set[str]:
    """The parties' names of an answer such as `Acme, Inc. ("Acme"); Beta LLC ("Licensee")`, without aliases."""
    parts = [_ALIASES.sub(" ", part) for part in answer.split(";")]
    return {" ".join(part.split()).strip(" ,.") for part in parts if re.search(r"\w{2}", part)}


def _name_f1(said: set[str], names: set[str]) -> float:
    right = sum(any(_same(one, other) for other in names) for one in said)
    found = sum(any(_same(one, other) for other in said) for one in names)
    precision, recall = right / max(1, len(said)), found / max(1, len(names))
    return 2 * precision * recall / (precision + recall) if right else 0.0


def _same(one: str, other: str) -> bool:
    one, other = (re.sub(r"[^a-z0-9 ]", "", text.lower()) for text in (one, other))
    return fuzz.token_sort_ratio(one, other) >= SAME_NAME
