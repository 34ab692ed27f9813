"""People as parties, and terms of contracts that restrain people."""

import pytest

from extractors.engines.rules.duration import _initial_term_confidence
from extractors.engines.rules.parties import _is_name, _stripped
from extractors.engines.rules.persons import persons
from extractors.engines.view import Sentence
from extractors.values import durations

BODY = "The Employee shall keep all information in confidence. " * 20


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"I, Mary Major, in consideration of my employment agree as follows.\n{BODY}", "Mary Major"),
        (f'between Example, Inc. (the "Company") and John Q. Public ("Employee").\n{BODY}', "John Q. Public"),
        (f"PARTIES: Mary Major (EMPLOYEE) and Example, Inc.\n{BODY}", "Mary Major"),
        (f"Mary Major\n12 Example Street\n\nDear Mary:\n\n{BODY}", "Mary Major"),
        (f"Ms. Mary O'Major\n12 Example Street\n\nDear Ms. O'Major:\n\n{BODY}", "Mary O'Major"),
        (f"{BODY}\n\nEMPLOYEE:\n\n/s/ John Q. Public\n", "John Q. Public"),
        (f"{BODY}\n\nEMPLOYEE:\n\nJohn Q. Public\n(Print name)\n", "John Q. Public"),
        (f"{BODY}\nEXAMPLE: ASSOCIATE:\nBY: /s/ Richard Roe /s/ John Public\n", "John Public"),
        (f"{BODY} It ends with my employment.\nDate: 1/2/2026\n/s/ John Q. Public\nSignature\n", "John Q. Public"),
    ],
)
def test_people_are_found_where_they_are_named_as_parties(text, name):
    start, end = next(persons(text))
    assert text[start:end] == name


@pytest.mark.parametrize(
    "text",
    [
        f"{BODY}\n\nEXAMPLE, INC.\nBy: /s/ Mary Major\nName: Mary Major\nTitle: President\n",
        f"Dear Sirs:\n\n{BODY}",
        f"The notice goes to Mary Major, with a copy to John Public.\n{BODY}",
        f"Example Street\nNew York\n\nDear Mary:\n\n{BODY}",
    ],
    ids=["signs for a company", "nobody addressed", "a mention", "no name above"],
)
def test_people_who_are_no_parties_are_not(text):
    assert list(persons(text)) == []


def confidence(sentence: str) -> float:
    return max((_initial_term_confidence(Sentence(0, sentence, ""), d) for d in durations(sentence)), default=0.0)


@pytest.mark.parametrize(
    "sentence",
    [
        "The term of this Agreement shall be for a period of two (2) years unless terminated upon written notice.",
        "Your obligations hereunder shall terminate two (2) years from the date of this Agreement.",
        'This Agreement shall continue in full force for a period of two (2) years thereafter (the "Initial Term").',
        "The covenants herein shall be of no further force upon the two-year anniversary of this Agreement.",
    ],
)
def test_how_long_the_contract_runs(sentence):
    assert confidence(sentence) > 0


@pytest.mark.parametrize(
    "sentence",
    [
        'For one year from the date hereof (the "Restricted Period"), Seller will not directly or indirectly compete.',
        "During the term of employment and for two (2) years thereafter, Employee shall keep the secrets.",
        "Recipient shall keep the Confidential Information for a period of five (5) years from the date of disclosure.",
        "The obligations end three years after the termination of the employment.",
        'In the 12 month period commencing on the date of this Agreement (the "Standstill Period"), Buyer will wait.',
    ],
)
def test_how_long_somebody_is_restrained_is_no_term_of_the_contract(sentence):
    assert confidence(sentence) == 0


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("10.18 Example Health Sciences, Inc.", "Example Health Sciences, Inc"),
        ("12, 2005, Example Industries, Inc.", "Example Industries, Inc"),
        ("Corporation and Sample Technology, Ltd.", "Sample Technology, Ltd"),
        ("3 Example Street Partners LLC", "3 Example Street Partners LLC"),
    ],
)
def test_what_stands_before_a_name_is_no_part_of_it(said, name):
    assert _stripped(said).startswith(name)


@pytest.mark.parametrize("said", ["6th", "XXXX", "Incentive Plan", "That My Employment", "4690 Example Drive"])
def test_no_names(said):
    assert not _is_name(said)
