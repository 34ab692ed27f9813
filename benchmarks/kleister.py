"""Kleister-NDA: parties, jurisdiction, effective date and term of non-disclosure agreements, from their PDFs.

    contract-agent benchmark kleister --inbox FOLDER --predictions OUT.parquet [--gold expected.tsv]

The public set is Kleister-NDA by Applica.ai (<https://github.com/applicaai/kleister-nda>; Stanislawek and others,
ICDAR 2021). The predictions are what the embedded engine lands as terms, in that set's spelling: `_` for blanks and
colons, names without commas and with `and` for `&`, terms as the contract counts them (`18_months`). The score is
its own: F1 over all upper-cased `key=value` items. Nothing of it was trained on; rules were looked at on its
training documents.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from benchmarks.pages import pdfs_in
from extractors.check import check
from extractors.chunk import chunk
from extractors.derive import derive
from extractors.engines.embedded import EmbeddedEngine
from extractors.files import Content, Limits
from extractors.read import read
from extractors.values import durations
from schemas.contract import Extraction, Term
from schemas.errors import DocumentError

KEYS = ("party", "jurisdiction", "effective_date", "term")
COLUMNS = ["document", "key", "value"]
DATES = ("effective_date", "agreement_date", "signed_date")
"""The terms that tell since when, the best first: what names no date is in force when it is signed."""

_FORMS = (
    (r"Inc(?:orporated)?\.?", "Inc."),
    (r"(?:Limited|Ltd\.?)", "Ltd."),
    (r"L\.\s?L\.\s?C\.?", "LLC"),
    (r"L\.\s?P\.?", "LP"),
    (r"L\.\s?L\.\s?P\.?", "LLP"),
    (r"Corp", "Corp."),
)
_SPELLING = str.maketrans({" ": "_", ":": "_", ",": None, "&": "and"})


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the predictions for an inbox; with `--gold` prints their scores as a table and as JSON."""
    arguments = _parser().parse_args(argv)
    table = predictions(arguments.inbox, arguments.workers)
    arguments.predictions.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(arguments.predictions, index=False)
    print(f"{len(table)} values of {table.document.nunique()} documents in {arguments.predictions}")
    if arguments.gold:
        result = scores(table, read_gold(arguments.gold, {path.name for path in pdfs_in(arguments.inbox)}))
        for name, value in result.items():
            print(f"{name:28} {value:.4f}")
        print(json.dumps(result))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="contract-agent benchmark kleister", description=__doc__.splitlines()[0])
    parser.add_argument("--inbox", type=Path, required=True, help="folder of PDFs")
    parser.add_argument("--predictions", type=Path, required=True, help="the Parquet file to write")
    parser.add_argument("--gold", type=Path, help="the set's expected.tsv: document, tab, key=value pairs")
    parser.add_argument("--workers", type=int, default=2)
    return parser


def predictions(inbox: Path, workers: int = 1) -> pd.DataFrame:
    """The four keys of every PDF of a folder; its columns are COLUMNS. What can't be read has no rows."""
    rows: list[tuple[str, str, str]] = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for found, error in pool.map(_rows, pdfs_in(inbox), chunksize=4):
            rows += found
            if error:
                print(error)
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(path: Path) -> tuple[list[tuple[str, str, str]], str]:
    """The rows of a document, and why it could not be read."""
    try:
        document = read(Content((path,), "c_1", "0"), Limits())
    except DocumentError as error:
        return [], f"{path.name}: {error}"
    engine = EmbeddedEngine("benchmark")
    found = derive(check(engine.extract(document, chunk(document)), document), document, (), date.today())
    return [(path.name, key, value) for key, value in dict.fromkeys(values(found))], ""


def values(extraction: Extraction) -> Iterator[tuple[str, str]]:
    """Key and value of each item that the extraction holds, in the set's spelling."""
    by_name: dict[str, list[Term]] = {}
    for term in extraction.terms:
        if term.value is not None:
            by_name.setdefault(term.term, []).append(term)
    for party in by_name.get("parties", ()):
        yield "party", spelled(_short_form(party.value))
    for law in by_name.get("governing_law", ())[:1]:
        yield "jurisdiction", spelled(law.value)
    days = [day for name in DATES for day in by_name.get(name, ())]
    for day in days[:1]:
        yield "effective_date", day.value
    for term in by_name.get("initial_term_months", ())[:1]:
        yield "term", _as_said(term)


def spelled(value: str) -> str:
    """A value as the set writes it."""
    return value.translate(_SPELLING)


def _short_form(name: str) -> str:
    """A party's name with its legal form and apostrophes as the set writes them."""
    for long, short in _FORMS:
        name = re.sub(rf"(?<=[\s,]){long}$", short, name, flags=re.IGNORECASE)
    return re.sub(r"(?<=\w)&(?=\w)", " & ", name).replace("'", "’")


def _as_said(term: Term) -> str:
    """A length in the unit that the quotation uses; in months where it names none."""
    for said in durations(term.quote or ""):
        if said.months == term.value_number:
            return f"{said.number:g}_{said.unit}{'' if said.number == 1 else 's'}"
    return f"{term.value_number:g}_months"


def read_gold(path: Path, documents: set[str] | None = None) -> pd.DataFrame:
    """The items of an expected.tsv, of these documents (all when None); columns as the predictions'."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        document, _, items = line.partition("\t")
        rows += [(document, *item.split("=", 1)) for item in items.split(" ") if "=" in item]
    gold = pd.DataFrame(rows, columns=COLUMNS)
    return gold if documents is None else gold[gold.document.isin(list(documents))]


def scores(table: pd.DataFrame, gold: pd.DataFrame) -> dict[str, float]:
    """F1 over all items, and precision, recall and F1 by key."""
    result = {"f1": _prf(table, gold)[2]}
    for key in KEYS:
        measured = _prf(table[table.key == key], gold[gold.key == key])
        result |= {f"{key}_{name}": value for name, value in zip(("precision", "recall", "f1"), measured, strict=True)}
    return result


def _prf(table: pd.DataFrame, gold: pd.DataFrame) -> tuple[float, float, float]:
    ours, true = (Counter(_items(frame)) for frame in (table, gold))
    both = sum((ours & true).values())
    precision, recall = both / max(1, ours.total()), both / max(1, true.total())
    return precision, recall, 2 * both / max(1, ours.total() + true.total())


def _items(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    return [(row.document, row.key, row.value.upper()) for row in frame.itertuples()]


if __name__ == "__main__":
    raise SystemExit(main())
