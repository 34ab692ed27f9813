"""A document: offsets into its text and back to its pages."""

import pytest

from schemas.document import PAGE_BREAK, Document, Page, Word


def page(number: int, text: str, confidence: float | None = None) -> Page:
    words, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        words.append(Word(at, at + len(word), at, 0, at + len(word), 10))
        at += len(word)
    return Page(number=number, width=612, height=792, text=text, words=tuple(words), ocr_confidence=confidence)


def document(*pages: Page) -> Document:
    return Document(contract_id="c_1", sha256="0", media_type="application/pdf", pages=pages)


THREE = document(page(1, "one two"), page(2, ""), page(3, "three"))


def test_text_joins_the_pages():
    assert THREE.text == f"one two{PAGE_BREAK}{PAGE_BREAK}three"
    assert [THREE.text[at : at + 3] for at in THREE.page_starts][::2] == ["one", "thr"]


@pytest.mark.parametrize(("offset", "number"), [(0, 1), (6, 1), (8, 1), (10, 2), (13, 3), (17, 3), (99, 3)])
def test_page_at(offset, number):
    assert THREE.page_at(offset).number == number


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (0, 3, [(1, 0)]),
        (2, 5, [(1, 0), (1, 4)]),
        (3, 4, []),
        (0, 18, [(1, 0), (1, 4), (3, 0)]),
        (5, 14, [(1, 4), (3, 0)]),
        (7, 13, []),
        (4, 4, []),
    ],
)
def test_words_between(start, end, words):
    assert [(number, word.start) for number, word in THREE.words_between(start, end)] == words


def test_ocr_confidence_is_weighted_by_length():
    assert THREE.ocr_confidence is None
    assert document(page(1, "x" * 9, 1.0), page(2, "x" * 29, 0.5), page(3, "native")).ocr_confidence == 0.625


def test_a_document_survives_being_written_down():
    assert Document.model_validate_json(THREE.model_dump_json()) == THREE
