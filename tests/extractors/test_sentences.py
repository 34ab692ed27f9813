"""Sentences: where a contract's text is cut, and that nothing of it is lost."""

from itertools import pairwise

import pytest

from extractors.sentences import LONGEST, sentences

CASES = {
    "two sentences": ("The term is one year. It renews.", ["The term is one year.", "It renews."]),
    "abbreviation": (
        "Acme Inc. Delaware and Beta Corp. Nevada agree. They sign.",
        ["Acme Inc. Delaware and Beta Corp. Nevada agree.", "They sign."],
    ),
    "abbreviation before a new sentence": (
        "This binds Acme, Inc. The Agreement ends in 2030.",
        ["This binds Acme, Inc.", "The Agreement ends in 2030."],
    ),
    "initial": ("It is signed by John F. Kennedy here.", ["It is signed by John F. Kennedy here."]),
    "lines of a PDF": ("The Supplier shall\ndeliver the Goods.", ["The Supplier shall\ndeliver the Goods."]),
    "blank line": ("GOVERNING LAW\n\nThe laws of Ohio", ["GOVERNING LAW", "The laws of Ohio"]),
    "blank line inside a sentence": ("shall be\n\ngoverned by law.", ["shall be\n\ngoverned by law."]),
    "page break inside a sentence": ("The fee is\n\f\ndue in May.", ["The fee is\n\f\ndue in May."]),
    "page break between sentences": ("The fee is due.\n\f\nIt is paid.", ["The fee is due.", "It is paid."]),
    "list in a line": (
        "Supplier shall: (a) deliver the Goods; and (b) invoice them.",
        ["Supplier shall:", "(a) deliver the Goods; and", "(b) invoice them."],
    ),
    "numbers open lines": (
        "of this Agreement\n2. Term and so on\n2.1 Start of services",
        ["of this Agreement", "2. Term and so on", "2.1 Start of services"],
    ),
    "number glued to its heading": ("1. Definitions. In here it is", ["1. Definitions.", "In here it is"]),
    "heading in capitals": (
        "is final.\nGENERAL TERMS\nThis is new",
        ["is final.", "GENERAL TERMS", "This is new"],
    ),
    "paragraph in capitals": (
        "IN NO EVENT SHALL\nEITHER PARTY\nBE LIABLE",
        ["IN NO EVENT SHALL\nEITHER PARTY\nBE LIABLE"],
    ),
    "question": ("Who pays? The Buyer pays.", ["Who pays?", "The Buyer pays."]),
    "amount": (
        "It costs $1.5 million. Section 4.2 applies.",
        ["It costs $1.5 million.", "Section 4.2 applies."],
    ),
    "Japanese": ("本契約は有効とする。甲は支払う。", ["本契約は有効とする。", "甲は支払う。"]),
    "short alone": ("1.", ["1."]),
    "short at the end": ("The fee is due now.\n\nOK", ["The fee is due now.\n\nOK"]),
    "empty": ("", []),
    "white space": (" \n\f\n ", []),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_where_a_text_is_cut(text, expected):
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_nothing_is_lost_and_nothing_overlaps():
    text = "\n".join(text for text, _ in CASES.values()) * 3
    spans = sentences(text)
    assert "".join("".join(text[a:b] for a, b in spans).split()) == "".join(text.split())
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert all(text[a:b] == text[a:b].strip() != "" for a, b in spans)


def test_long_sentences_are_cut_at_commas():
    text = "and the fees, " * 400
    spans = sentences(text)
    assert max(end - start for start, end in spans) <= LONGEST
    assert all(text[end - 1] == "," for _, end in spans)


@pytest.mark.parametrize("piece", ["a", " ", "\n", "A.", "(", '"', "1. ", "_", ";\n", "。", "A\n", "\n \n"])
def test_long_runs_of_one_piece_come_to_an_end(piece):
    """Time that grew with the square of the length would be hours here."""
    text = piece * (200_000 // len(piece))
    spans = sentences(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
