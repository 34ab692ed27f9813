"""The clause model: what it says of plain clauses and of traps, and that its weights are what they seem."""

import hashlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from extractors.engines.trained.cues import CUES
from extractors.engines.trained.model import WEIGHTS, ClauseModel
from extractors.engines.trained.names import SHORT, short_candidates
from extractors.engines.trained.runs import apart, candidate_runs
from extractors.engines.trained.words import headings, tokens
from extractors.engines.trained.worth import by_cost
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
    """The best confidence of each category among the passages that touch the sentence."""
    text = FILLER * 10 + "\n\n" + sentence + "\n\n" + FILLER * 10
    start = text.index(sentence)
    return {
        category: max((p.confidence for p in found if p.start < start + len(sentence) and start < p.end), default=0.0)
        for category, found in model.read(text, sentences(text)).passages.items()
    }


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
    found = model.read(PREAMBLE, sentences(PREAMBLE)).passages
    quotes = {name: [PREAMBLE[p.start : p.end] for p in passages] for name, passages in found.items()}
    assert quotes["document_name"][0] == "DISTRIBUTION AGREEMENT"
    assert quotes["agreement_date"][0] == "March 12, 2019"
    assert set(quotes["parties"][:4]) >= {"Supplier", "Distributor", "Beta Stores LLC"}


def test_passages_are_ranked_and_inside_the_text(model):
    found = model.read(PREAMBLE, sentences(PREAMBLE)).passages
    assert list(found) == list(model.categories)
    for passages in found.values():
        confidences = [p.confidence for p in passages]
        assert confidences == sorted(confidences, reverse=True)
        assert all(0 <= p.start < p.end <= len(PREAMBLE) and 0 < p.confidence <= 1 for p in passages)


def test_equal_text_gets_equal_scores(model):
    spans = sentences(PREAMBLE)
    one, other = model.read(PREAMBLE, spans), model.read(PREAMBLE, spans)
    assert one.passages == other.passages
    assert np.array_equal(one.worth, other.worth)


@pytest.mark.parametrize("text", ["", " \n", "Fee", "本契約は有効とする。", "____ ____", "A. " * 50])
def test_odd_texts(model, text):
    spans = sentences(text)
    said = model.read(text, spans)
    assert said.scores.shape == (len(spans), 41)
    assert said.worth.shape == (len(spans),)
    assert set(said.passages) == set(CUAD_CATEGORIES)


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
    code = "import sys, extractors.engines.trained.model; print('sklearn' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_runs_grow_around_promising_sentences():
    column = np.log(np.array([0.9, 0.5, 0.1, 0.004]) / (1 - np.array([0.9, 0.5, 0.1, 0.004])))
    assert {(0, 0), (0, 1), (0, 2)} <= {tuple(run) for run in candidate_runs(column).tolist()}
    assert candidate_runs(np.full(5, -8.0)).shape == (0, 2)


def test_runs_that_overlap_a_better_one_go():
    runs = np.array([[0, 1], [0, 3], [3, 6], [9, 9]])
    assert apart(runs, np.array([0.5, 0.9, 0.6, 0.001]), 0.005, 0.3) == [1, 2]


def test_cues_are_of_categories_and_find_their_clauses():
    assert set(CUES) == set(CUAD_CATEGORIES) - set(SHORT)
    for category, clause in CLAUSES.items():
        assert CUES[category].search(clause), category
    assert not CUES["most_favored_nation"].search(FILLER)


def test_what_is_asked_for_is_worth_reading(model):
    text = FILLER * 10 + "\n\n" + CLAUSES["governing_law"] + "\n\n" + FILLER * 10
    spans = sentences(text)
    worth = model.read(text, spans).worth
    best = int(by_cost(worth, np.array([len(text[a:b].split()) for a, b in spans]))[0])
    assert text[slice(*spans[best])] == CLAUSES["governing_law"]
    assert worth[best] > 2 * np.delete(worth, best).max()


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
