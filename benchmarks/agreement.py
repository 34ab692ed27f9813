"""What agreement of two engines is worth: how often a value that is surely accepted is wrong.

    contract-agent benchmark agreement --inbox FOLDER --gold CUAD_FOLDER [--limit 150]

No model is asked. A second reader with error rates that we choose takes its place: it knows CUAD's answers and
annotations, and is wrong as models are: another value of the same kind with a real quotation, a quotation with a
number changed, silence, an invented value. What it says goes the way of a model's answer: its quotations are looked
for, its values read again, and both engines weighed (`extractors.engines.llm.agree`). The values count as in
`benchmark cuad`: only where CUAD's answer can be understood.
"""

import argparse
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks import cuad_values
from benchmarks.cuad import titles_in
from extractors.check import check
from extractors.chunk import chunk
from extractors.engines.embedded import EmbeddedEngine
from extractors.engines.llm.agree import agreed
from extractors.engines.llm.answers import terms_of
from extractors.engines.llm.redact import Redacted
from extractors.engines.llm.schema import Answer
from extractors.files import Content, Limits
from extractors.read import read
from extractors.values import dates, durations
from schemas.contract import Extraction, Term
from schemas.document import Document
from warehouse.rows import route_of

FIELDS = {
    "title": "Document Name",
    "agreement_date": "Agreement Date",
    "effective_date": "Effective Date",
    "expiration_date": "Expiration Date",
    "renewal_term_months": "Renewal Term",
    "renewal_notice_days": "Notice Period To Terminate Renewal",
    "governing_law": "Governing Law",
}
ERRORS = {"another": 0.06, "altered": 0.02, "silent": 0.05, "invented": 0.02, "foreign": 0.01}
"""How often the second reader is wrong in each way: in 16 of 100 answers."""
COVERAGE = 0.6
_STATE = re.compile(r"\b(?:Delaware|New York|California|Texas|Nevada|Florida|Illinois|England|Ontario|Massachusetts)\b")


class Decision(NamedTuple):
    """One value of one contract after both engines."""

    title: str
    term: str
    said: str
    is_right: bool
    is_embedded_right: bool
    confidence: float
    evidence: str
    route: str


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the error at each coverage, how confidence and truth agree, and the figures as JSON."""
    arguments = _parser().parse_args(argv)
    answers, quotes = _gold(arguments.gold)
    paths = titles_in(arguments.inbox)
    wanted = sorted(random.Random(0).sample(sorted(paths), min(arguments.limit, len(paths))))
    jobs = [
        (title, paths[title], {n: answers.get((title, c)) for n, c in FIELDS.items()}, quotes.get(title, {}))
        for title in wanted
    ]
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        found = [row for rows in pool.map(decisions, jobs, chunksize=2) for row in rows]
    table = pd.DataFrame(found, columns=Decision._fields)
    right = {"n": ("is_right", "size"), "right": ("is_right", "mean"), "confidence": ("confidence", "mean")}
    print(table.groupby("said").agg(**right).to_string(float_format="%.3f"))
    print(table.groupby(table.confidence.round(1)).agg(**right).to_string(float_format="%.3f"))
    result = figures(table)
    for name, value in result.items():
        print(f"{name:32} {value:.4f}")
    print(json.dumps(result))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="contract-agent benchmark agreement", description=__doc__.splitlines()[0])
    parser.add_argument("--inbox", type=Path, required=True, help="folder of PDFs")
    parser.add_argument(
        "--gold", type=Path, required=True, help="CUAD folder with annotations.parquet, answers.parquet"
    )
    parser.add_argument("--limit", type=int, default=150, help="so many contracts, drawn by chance")
    parser.add_argument("--workers", type=int, default=2)
    return parser


def figures(table: pd.DataFrame) -> dict[str, float]:
    """Error among the surest at some coverages, of the embedded engine alone, by route, and the calibration error."""
    proven = table[table.evidence.isin(("verified", "derived"))]
    surest = proven.sort_values("confidence", ascending=False, kind="stable")
    result = {"decisions": float(len(table)), "embedded_alone_error": 1 - table.is_embedded_right.mean()}
    for coverage in (0.4, 0.5, COVERAGE, 0.7, 0.8):
        result[f"error_at_{coverage:.0%}"] = 1 - surest.head(round(coverage * len(table))).is_right.mean()
    accepted = table[table.route == "accept"]
    result |= {"accepted_share": len(accepted) / len(table), "accepted_error": 1 - accepted.is_right.mean()}
    bins = np.minimum((table.confidence * 10).astype(int), 9)
    gaps = [abs(part.confidence.mean() - part.is_right.mean()) * len(part) for _, part in table.groupby(bins)]
    return result | {"calibration_error": sum(gaps) / len(table)}


def _gold(folder: Path) -> tuple[dict[tuple[str, str], str], dict[str, dict[str, str]]]:
    """CUAD's answers by title and category, and the first annotation of each term by title."""
    table = pd.read_parquet(folder / "answers.parquet")
    answers = {(r.title.strip(), r.category): r.answer for r in table.itertuples() if isinstance(r.answer, str)}
    marked = pd.read_parquet(folder / "annotations.parquet", columns=["title", "category", "text"])
    names = {category: name for name, category in FIELDS.items()}
    quotes: dict[str, dict[str, str]] = {}
    for row in marked[marked.category.isin(names)].itertuples():
        quotes.setdefault(row.title.strip(), {}).setdefault(names[row.category], row.text)
    return answers, quotes


def decisions(job: tuple[str, Path, Mapping[str, str | None], Mapping[str, str]]) -> list[Decision]:
    """What both engines say together of one contract, each value with whether it is CUAD's."""
    title, path, answers, quotes = job
    document = read(Content((path,), "c_1", "0"), Limits())
    chunks = chunk(document)
    engine = EmbeddedEngine("benchmark")
    ours = check(engine.extract(document, chunks), document)
    reader = _SecondReader(document, random.Random(title))
    told = {name: reader.says(name, _right(name, answers[name]), quotes.get(name)) for name in FIELDS if answers[name]}
    told = {name: said for name, said in told.items() if said}
    answer = Answer.model_validate(
        {"terms": [said for _, said in told.values()], "clauses": [], "judgements": [], "instructions_in_text": []}
    )
    terms = terms_of(answer, tuple(told), {c.chunk_id: c for c in chunks}, Redacted("", {}))
    said = check(Extraction(engine=engine.info, terms=tuple(terms)), document)
    final = {term.term: term for term in agreed(ours.terms, said.terms)}
    return [
        Decision(
            title,
            name,
            kind,
            _is_right(final[name], answers[name]),
            _is_right(ours.term(name), answers[name]),
            final[name].confidence,
            final[name].evidence,
            route_of(final[name]),
        )
        for name, (kind, _) in told.items()
        if final[name].value is not None
    ]


def _right(name: str, answer: str) -> str | None:
    """CUAD's answer as a model would write it; None where it can't be understood."""
    if name.endswith("_date"):
        day = cuad_values._day(answer)
        return day.isoformat() if day else None
    if name in ("renewal_term_months", "renewal_notice_days"):
        lengths = durations(answer.replace("successive ", ""))
        if not lengths:
            return None
        return f"{lengths[0].months if name.endswith('months') else lengths[0].days:g}"
    return answer


def _is_right(term: Term | None, answer: str) -> bool:
    if term is None or term.value is None:
        return False
    if term.term.endswith("_date"):
        day = cuad_values._day(answer)
        gap = (day - date.fromisoformat(term.value)).days
        return gap == 0 or (term.term == "expiration_date" and gap == 1)
    if term.term in ("renewal_term_months", "renewal_notice_days"):
        right = _right(term.term, answer)
        return abs(float(term.value) - float(right)) < 0.02
    return cuad_values._within(term.value, answer)


class _SecondReader:
    """Answers as a model that knows what is right and errs at the rates of ERRORS."""

    def __init__(self, document: Document, chance: random.Random) -> None:
        self._text, self._chance = document.text, chance

    def says(self, name: str, right: str | None, quote: str | None) -> tuple[str, dict] | None:
        """How it answers, and its answer in the schema's form; None where CUAD has no usable answer."""
        if right is None or quote is None:
            return None
        draw, kinds = self._chance.random(), iter(ERRORS.items())
        for kind, share in kinds:
            if draw < share:
                made = getattr(self, f"_{kind}")(name, right, quote)
                return (kind, self._answer(name, *made)) if made else ("right", self._answer(name, right, quote))
            draw -= share
        return "right", self._answer(name, right, quote)

    def _answer(self, name: str, value: str | None, quote: str | None) -> dict:
        return {"term": name, "value": value, "role": None, "passage": None, "quote": quote}

    def _another(self, name: str, right: str, _: str) -> tuple[str, str] | None:
        """Another value of the same kind that the contract does state, with its own words."""
        others = [found for found in self._values(name) if found[0] != right]
        return self._chance.choice(others) if others else None

    def _values(self, name: str) -> Iterator[tuple[str, str]]:
        if name.endswith("_date"):
            yield from ((found.value.isoformat(), self._around(found.start, found.end)) for found in dates(self._text))
        elif name in ("renewal_term_months", "renewal_notice_days"):
            for found in durations(self._text):
                value = found.months if name.endswith("months") else found.days
                if value:
                    yield f"{value:g}", self._around(found.start, found.end)
        elif name == "governing_law":
            yield from ((found.group(), self._around(*found.span())) for found in _STATE.finditer(self._text))
        else:
            yield from ((line.strip(), line.strip()) for line in self._text.splitlines()[:40] if len(line.strip()) > 8)

    def _around(self, start: int, end: int) -> str:
        return self._text[max(0, start - 60) : end + 40]

    def _altered(self, name: str, right: str, quote: str) -> tuple[str, str] | None:
        """The right passage with its number changed, and the changed value."""
        number = re.search(r"\d+", quote)
        if not number:
            return None
        other = str(int(number.group()) + self._chance.randint(1, 9))
        return self._wrong(name, right), quote[: number.start()] + other + quote[number.end() :]

    def _wrong(self, name: str, right: str) -> str:
        if name.endswith("_date"):
            return (date.fromisoformat(right) + timedelta(days=self._chance.randint(1, 400))).isoformat()
        if name in ("renewal_term_months", "renewal_notice_days"):
            return f"{float(right) + self._chance.randint(1, 12):g}"
        return "Wyoming" if name == "governing_law" else "General Conditions"

    def _silent(self, *_: str) -> tuple[None, None]:
        return None, None

    def _invented(self, name: str, right: str, quote: str) -> tuple[str, str]:
        """A wrong value with the right quotation."""
        return self._wrong(name, right), quote

    def _foreign(self, name: str, right: str, _: str) -> tuple[str, str]:
        """A wrong value with words of another contract."""
        wrong = self._wrong(name, right)
        return wrong, f"The parties agree that the matter is settled by {wrong} as set out in the Master Terms."
