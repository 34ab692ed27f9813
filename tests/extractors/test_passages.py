"""Passages under a budget: the best sentences, what explains them, and never more than may be sent."""

import numpy as np
import pytest

from extractors.passages import TOKENS_PER_WORD, within_budget
from extractors.sentences import sentences
from schemas.contract import Chunk

FILLER = "The parties met twice and exchanged several drafts of the schedule. "
TEXT = (
    "1. Definitions.\n\n"
    "“Service Credit” means the sum in Annex C. “Site” means the plant in Ohio.\n\n"
    + FILLER * 40
    + "\n\n8.2 Remedies. A Service Credit falls due when a level of Section 9.1 is missed. "
    + "It is paid once. The Supplier shows it on the next invoice.\n\n"
    + FILLER * 40
    + "\n\n9.1 Levels. The platform is up 99.9 percent of the time.\n\n"
    + FILLER * 20
)
MARKED = ("A Service Credit falls due", "The Supplier shows it")


def chunk(start: int, end: int) -> Chunk:
    where = {"heading_path": (), "page_first": 1, "page_last": 1}
    return Chunk(chunk_id=f"k{start:04d}", start=start, end=end, text=TEXT[start:end], **where)


MIDDLE = TEXT.index("8.2 Remedies")
CHUNKS = [chunk(0, MIDDLE), chunk(MIDDLE, len(TEXT))]
SPANS = sentences(TEXT)
WORTH = np.array([0.9 if any(mark in TEXT[a:b] for mark in MARKED) else 0.001 for a, b in SPANS])


def words(excerpts) -> int:
    return sum(len(TEXT[a:b].split()) for excerpt in excerpts for a, b in excerpt.spans)


def test_the_best_go_with_what_explains_them():
    found = within_budget(CHUNKS, SPANS, WORTH, 120)
    sent = "\n".join(excerpt.text for excerpt in found)
    assert all(mark in sent for mark in MARKED)
    assert "It is paid once." in sent  # stands between two chosen ones
    assert "“Service Credit” means" in sent  # defines what they use
    assert "9.1 Levels" in sent  # is referred to
    assert " […] " in sent
    assert [excerpt.chunk.chunk_id for excerpt in found] == ["k0000", f"k{MIDDLE:04d}"]


@pytest.mark.parametrize("budget", [0, 15, 60, 200, 700])
def test_no_more_than_the_budget(budget):
    assert words(within_budget(CHUNKS, SPANS, WORTH, budget)) * TOKENS_PER_WORD <= budget


def test_what_fits_goes_whole():
    found = within_budget(CHUNKS, SPANS, WORTH, 100_000)
    assert words(found) == len(TEXT.split())
    assert "[…]" not in "".join(excerpt.text for excerpt in found)


def test_nothing_to_send():
    assert within_budget([], [], np.zeros(0), 100) == []
