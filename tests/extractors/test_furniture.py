"""What is printed on a page and is none of its sentences: line numbers, contents, footnotes, headers, footers."""

import papers
import pymupdf
import pytest

from extractors.chunk import chunk
from extractors.furniture import body_text
from extractors.sentences import sentences

CLAUSE = (
    "The Supplier shall deliver the Services",
    "with due care and shall report to the",
    "Customer every month. Either party may",
    "terminate this Agreement by ninety days",
    "of written notice. The fees are due",
    "within thirty days of the invoice date.",
)
LINES = CLAUSE * 4


def sentences_of(document) -> list[str]:
    text = body_text(document)
    return [" ".join(text[start:end].split()) for start, end in sentences(text)]


def lined(numbers, *, x: float = 40, lines=LINES) -> pymupdf.Document:
    """A page of lines 20 points apart, with what `numbers` says beside each."""
    pdf = pymupdf.open()
    page = pdf.new_page()
    for i, line in enumerate(lines):
        if label := numbers(i):
            page.insert_text((x, 100 + 20 * i), label, fontsize=9)
        page.insert_text((90, 100 + 20 * i), line, fontsize=11)
    return pdf


@pytest.mark.parametrize(
    ("numbers", "x"),
    [
        (lambda i: str(i + 1), 40),
        (lambda i: str(i + 118), 40),
        (lambda i: str(i + 1), 540),
    ],
    ids=["left", "running on", "right"],
)
def test_line_numbers_stand_in_no_sentence(tmp_path, numbers, x):
    document = papers.read_pdf(tmp_path, lined(numbers, x=x))
    page = document.pages[0]
    assert page.text.startswith(" ".join(CLAUSE[:1]))
    assert page.text.rstrip().endswith(" ".join(numbers(i) or "0" for i in range(len(LINES))))
    assert not any(character.isdigit() for character in body_text(document))
    assert sentences_of(document)[1].startswith("Either party may terminate this Agreement by ninety days of")


def test_every_fifth_line_may_be_numbered(tmp_path):
    pdf = lined(lambda i: str(i + 1) if i % 5 == 4 else "")
    text = body_text(papers.read_pdf(tmp_path, pdf))
    assert not any(character.isdigit() for character in text)


@pytest.mark.parametrize(
    "numbers",
    [
        lambda i: str(i // 3 + 1) if i % 3 == 0 else "",  # numbered paragraphs
        lambda i: str(7 * i % 23 + 1),  # quantities
        lambda i: str(i + 1) if 6 <= i < 15 else "",  # a numbered list among other text
        lambda i: str(2018 + i) if i < 9 else "",  # years of a price list
    ],
)
def test_numbers_that_count_no_lines_stay_where_they_are(tmp_path, numbers):
    document = papers.read_pdf(tmp_path, lined(numbers))
    first = next(i for i in range(len(LINES)) if numbers(i))
    before = f"{numbers(first)} {LINES[first]}"
    assert before in " ".join(document.pages[0].text.split())
    assert before in " ".join(body_text(document).split())


CONTENTS = ("TABLE OF CONTENTS", "Page", "1. Definitions", "1", "2. Governing Law", "4", "3. Termination", "9")


def paged(*pages: tuple[str, ...]) -> pymupdf.Document:
    pdf = pymupdf.open()
    for lines in pages:
        page = pdf.new_page()
        for i, line in enumerate(lines):
            page.insert_text((72, 80 + 18 * i), line, fontsize=11)
    return pdf


@pytest.mark.parametrize(
    "contents",
    [
        CONTENTS,
        ("CONTENTS", "1. Definitions ........ 1", "2. Governing Law ........ 4", "3. Termination ...... 9"),
        (
            "Table of Contents",
            "Article 1 Definitions 1",
            "Article 2 Governing Law 4",
            "Exhibits 9",
            "Exhibit A - Prices",
        ),
        ("INHALTSVERZEICHNIS", "1 Begriffe 3", "2 Laufzeit 4", "3 Anwendbares Recht 12"),
    ],
)
def test_a_table_of_contents_is_no_clause(tmp_path, contents):
    document = papers.read_pdf(tmp_path, paged((*contents, *CLAUSE)))
    text = body_text(document)
    assert len(text) == len(document.text)
    assert sentences_of(document)[0].startswith("The Supplier shall deliver")
    assert not any(chunk_.heading_path for chunk_ in chunk(document))


def test_contents_run_over_the_page_and_are_a_chunk_of_their_own(tmp_path):
    entries = [f"{i}. Duties of the parties in part {chr(64 + i)} of it ........ {2 * i}" for i in range(1, 21)]
    pdf = paged(("CONTENTS", *entries[:10]), (*entries[10:], "1. TERM", *LINES))
    document = papers.read_pdf(tmp_path, pdf)
    contents, *others = chunk(document)
    assert contents.text.startswith("CONTENTS")
    assert entries[-1] in contents.text
    assert "Supplier" not in contents.text
    assert all("........" not in other.text for other in others)
    assert "".join(c.text for c in (contents, *others)) == document.text


@pytest.mark.parametrize(
    "lines",
    [
        ("CONTENTS", "The parties agree on the contents of Schedule 2", *CLAUSE),
        ("Definitions 1", "Governing Law 4", "Termination 9"),
        ("CONTENTS", "Gold plan 900", "Silver plan 500", "Bronze plan 300"),
    ],
    ids=["a heading", "no title", "falling numbers"],
)
def test_what_is_no_table_of_contents_is_read(tmp_path, lines):
    document = papers.read_pdf(tmp_path, paged((*lines, *CLAUSE)))
    assert " ".join(lines[1].split()) in " ".join(body_text(document).split())


def noted(body: tuple[str, ...], notes: tuple[str, ...], size: float, following: str) -> pymupdf.Document:
    pdf = pymupdf.open()
    page = pdf.new_page()
    for i, line in enumerate(body):
        page.insert_text((72, 80 + 18 * i), line, fontsize=11)
    for i, note in enumerate(notes):
        page.insert_text((72, 690 + 12 * i), note, fontsize=size)
    pdf.new_page().insert_text((72, 80), following, fontsize=11)
    return pdf


OPEN = (*LINES, "The Customer shall pay the invoice within")
NOTES = ("1 Fees exclude value added tax.", "* Business days only.")


def test_a_sentence_passes_the_footnotes_of_its_page(tmp_path):
    document = papers.read_pdf(tmp_path, noted(OPEN, NOTES, 8, "thirty days of its receipt."))
    assert "The Customer shall pay the invoice within thirty days of its receipt." in sentences_of(document)
    assert all(note in document.text for note in NOTES)


@pytest.mark.parametrize(
    ("body", "size", "following"),
    [
        (LINES, 8, "The term is three years."),
        (OPEN, 11, "thirty days of its receipt."),
        (OPEN, 8, "Thirty days is the term."),
    ],
    ids=["whole sentence", "large print", "new sentence"],
)
def test_footnotes_that_stop_no_sentence_are_read(tmp_path, body, size, following):
    document = papers.read_pdf(tmp_path, noted(body, NOTES, size, following))
    assert "Fees exclude value added tax." in body_text(document)


def test_headers_and_footers_are_in_no_sentence(tmp_path):
    pages = [("Acme - Confidential", *CLAUSE, f"Page {number} of 4") for number in range(1, 5)]
    document = papers.read_pdf(tmp_path, paged(*pages))
    text = body_text(document)
    assert "Confidential" not in text
    assert "Page" not in text
    assert len(text) == len(document.text)


def test_dates_of_signatures_at_the_ends_of_pages_are_read(tmp_path):
    """Two dates that differ by digits alone look like a running footer; a document's own date in its head is one."""
    pdf = pymupdf.open()
    for number, name in enumerate(("Roe", "Doe"), 1):
        page = pdf.new_page()
        page.insert_text((72, 40), f"Policy 12 - Date: {number} May 2025", fontsize=8)
        for i, line in enumerate(LINES):
            page.insert_text((72, 80 + 20 * i), line, fontsize=11)
        for i, line in enumerate((f"By: /s/ Jo {name}", f"Jo {name}, Director", f"Date: February 1{number}, 2026")):
            page.insert_text((72, 620 + 20 * i), line, fontsize=11)
    text = body_text(papers.read_pdf(tmp_path, pdf))
    assert "Date: February 11, 2026" in text and "Date: February 12, 2026" in text
    assert "Policy" not in text
