"""The clause model: what it says of plain clauses and of traps, and that its weights are what they seem."""

import hashlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from extractors.engines.clause_model import (
    SHORT,
    WEIGHTS,
    ClauseModel,
    headings,
    select,
    short_candidates,
    tokens,
)
from extractors.sentences import sentences
from schemas.clauses import CUAD_CATEGORIES

FILLER = "The parties met twice and exchanged several drafts of the schedule. "
CLAUSES = {
    "governing_law": (
        "This Agreement shall be governed by and construed in accordance with the laws of the "
        "State of New York, without regard to its conflict of laws principles."
    ),
    "anti_assignment": (
        "Neither party may assign this Agreement, in whole or in part, without the prior written "
        "consent of the other party."
    ),
    "cap_on_liability": (
        "In no event shall either party's aggregate liability under this Agreement exceed the "
        "total fees paid by Customer in the twelve (12) months preceding the claim."
    ),
    "insurance": (
        "During the term, Supplier shall maintain commercial general liability insurance with "
        "limits of not less than $1,000,000 per occurrence."
    ),
    "audit_rights": (
        "Licensor shall have the right, upon ten days' notice, to audit and inspect the books and "
        "records of Licensee during normal business hours."
    ),
    "license_grant": (
        "Licensor hereby grants to Licensee a non-exclusive, non-transferable license to use the "
        "Software in the Territory."
    ),
    "termination_for_convenience": (
        "Either party may terminate this Agreement at any time without cause upon thirty (30) "
        "days' prior written notice to the other party."
    ),
    "no_solicit_of_employees": (
        "During the term and for one year thereafter, neither party shall solicit for employment "
        "or hire any employee of the other party."
    ),
    "source_code_escrow": (
        "Licensor shall deposit the source code of the Software with an escrow agent under an escrow agreement."
    ),
    "covenant_not_to_sue": ("Licensee shall not contest or challenge the validity or ownership of the Trademarks."),
}
TRAPS = (
    "This page intentionally left blank.",
    "Page 3 of 12",
    "Attention: General Counsel, 12 Main Street, Springfield.",
    "Headings are for convenience only.",
    "The weather in Ohio was mild this spring and the garden did well.",
)
PREAMBLE = (
    "DISTRIBUTION AGREEMENT\n\n"
    'This Distribution Agreement (the "Agreement") is entered into as of March 12, 2019 by and between '
    'Acme Widgets, Inc., a Delaware corporation ("Supplier"), and Beta Stores LLC, a Texas limited liability '
    'company ("Distributor").\n\n' + FILLER * 20
)


@pytest.fixture(scope="module")
def model():
    return ClauseModel.load()


def scores_of(model, sentence):
    text = FILLER * 10 + "\n\n" + sentence + "\n\n" + FILLER * 10
    spans = sentences(text)
    rows = [i for i, (start, end) in enumerate(spans) if text[start:end] in sentence]
    return dict(zip(model.categories, model.scores(text, spans)[rows].max(axis=0).tolist(), strict=True))


@pytest.mark.parametrize("category", CLAUSES)
def test_a_plain_clause_gets_its_category(model, category):
    found = scores_of(model, CLAUSES[category])
    assert max(found, key=found.get) == category or found[category] > 0.8
    assert found[category] >= model.thresholds[category]
    unrelated = sorted(score for name, score in found.items() if name != category)[:30]
    assert found[category] > 5 * max(unrelated)


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_gets_nothing(model, trap):
    found = {name: score for name, score in scores_of(model, trap).items() if name not in SHORT}
    assert not [name for name, score in found.items() if score >= model.thresholds[name]]


@pytest.mark.parametrize("change", [str.upper, lambda s: s.replace(" ", "\u00a0"), lambda s: s.replace(" ", "\n")])
def test_the_looks_of_the_text_matter_little(model, change):
    clause = CLAUSES["governing_law"]
    assert scores_of(model, change(clause))["governing_law"] > 0.5


def test_names_and_dates_are_quoted_alone(model):
    found = model.passages(PREAMBLE, sentences(PREAMBLE))
    quotes = {name: [PREAMBLE[p.start : p.end] for p in passages] for name, passages in found.items()}
    assert quotes["document_name"][0] == "DISTRIBUTION AGREEMENT"
    assert quotes["agreement_date"][0] == "March 12, 2019"
    assert set(quotes["parties"][:4]) >= {"Supplier", "Distributor", "Beta Stores LLC"}


def test_passages_are_ranked_and_inside_the_text(model):
    found = model.passages(PREAMBLE, sentences(PREAMBLE))
    assert list(found) == list(model.categories)
    for passages in found.values():
        confidences = [p.confidence for p in passages]
        assert confidences == sorted(confidences, reverse=True)
        assert all(0 <= p.start < p.end <= len(PREAMBLE) and 0 < p.confidence <= 1 for p in passages)


def test_equal_text_gets_equal_scores(model):
    spans = sentences(PREAMBLE)
    assert np.array_equal(model.scores(PREAMBLE, spans), model.scores(PREAMBLE, spans))


@pytest.mark.parametrize("text", ["", " \n", "Fee", "本契約は有効とする。", "____ ____", "A. " * 50])
def test_odd_texts(model, text):
    spans = sentences(text)
    assert model.scores(text, spans).shape == (len(spans), 41)
    assert set(model.passages(text, spans)) == set(CUAD_CATEGORIES)


def test_categories_and_thresholds(model):
    assert model.categories == tuple(CUAD_CATEGORIES)
    assert all(0 < model.thresholds[name] < 1 for name in model.categories)


def test_fingerprint_is_the_files(model):
    assert model.fingerprint == hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()[:12]
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() in (WEIGHTS.parent / "MODEL_CARD.md").read_text()


def test_weights_are_small_and_hold_no_pickles():
    assert WEIGHTS.stat().st_size < 15e6
    with np.load(WEIGHTS, allow_pickle=False) as stored:
        assert all(stored[name].dtype.kind in "fiuU" for name in stored.files)
    assert all(entry.filename.endswith(".npy") for entry in zipfile.ZipFile(WEIGHTS).filelist)


def test_import_is_cheap():
    code = "import sys, extractors.engines.clause_model; print('sklearn' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_select_makes_runs():
    spans = [(0, 5), (6, 10), (11, 15), (16, 20)]
    column = np.array([[0.9], [0.5], [0.1], [0.004]])
    found = select(column, spans, ["insurance"])["insurance"]
    assert [(p.start, p.end, round(p.confidence, 3)) for p in found] == [(0, 10, 0.9), (11, 15, 0.1)]


def test_tokens():
    assert tokens("It costs “$1,500” (5%).") == ["it", "costs", "$", "0", "000", "0", "%"]


def test_headings_are_those_above():
    quoted = ["1. Governing Law.", "The laws of Ohio apply.", "ARTICLE II TERM", "It ends."]
    assert headings(quoted).tolist() == [-1, 0, 0, 2]


DATES = {
    "of March 12, 2019 by": "March 12, 2019",
    "this 1st day of January, 2009,": "1st day of January, 2009",
    "on 27 January 2020.": "27 January 2020",
    "dated ____ __, 2015": "____ __, 2015",
    "on 3/14/2003 we": "3/14/2003",
    "Dated May ___, 2020": "May ___, 2020",
}


@pytest.mark.parametrize(("text", "date"), DATES.items())
def test_dates_are_proposed(text, date):
    assert date in [text[c.start : c.end] for c in short_candidates(text, "date")]
