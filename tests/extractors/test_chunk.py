"""Chunk: sections, their headings, and that nothing of the text is lost."""

import papers
import pytest

from extractors.chunk import MOST_WORDS, chunk, heading_of

FILL = "The parties shall perform their duties under this section with due care at all times. " * 5
HEADINGS = [
    ("1. Term. The initial term is", (1, "1 Term")),
    ("2.1 Start of services\nand so on", (2, "2.1 Start of services")),
    ("Section 4. Fees. The", (1, "4 Fees")),
    ("ARTICLE IV  PAYMENT", (1, "ARTICLE IV PAYMENT")),
    ("EXHIBIT A", (0, "EXHIBIT A")),
    ("Schedule 2 - Prices", (0, "Schedule 2 - Prices")),
    ("GOVERNING LAW", (1, "GOVERNING LAW")),
    ("第3条（期間）本契約", (1, "第3条（期間）")),
    ("第 十二 条 本契約", (1, "第 十二 条")),
    ("第3条(期間)", (1, "第3条(期間)")),
    # Traps
    ("1. Definitions ............ 4", None),
    ("GENERAL TERMS 12", None),
    ("Term and Termination 7", None),
    ("12 noon on Friday.", None),
    ("30 days before the end.", None),
    ("The fee is due.", None),
    ("See Section 4 for the fees.", None),
    ("", None),
]


@pytest.mark.parametrize(("sentence", "heading"), HEADINGS)
def test_headings(sentence, heading):
    assert heading_of(sentence) == heading


def contract(*sections: str) -> str:
    return "\n".join(f"{heading}\n{FILL}" for heading in sections)


TEXTS = {
    "sections": [contract("1. Term.", "2. Fees.", "2.1 Amounts.", "EXHIBIT A", "1. Prices.")],
    "pages": [contract("1. Term."), "and goes on here without a heading.\n" + FILL, contract("2. Fees.")],
    "no headings": [FILL * 30],
    "one line": [contract("1. Term.", "2. Fees.").replace("\n", " ")],
    "blank pages": ["", contract("1. Term."), "", ""],
    "Japanese": [
        "業務委託契約書\n" + "".join(f"第{i}条（項目）\n{'甲は乙に業務を委託する。' * 9}\n" for i in range(1, 9))
    ],
    "one word": ["Lease"],
}


@pytest.mark.parametrize("pages", TEXTS.values(), ids=TEXTS.keys())
def test_chunks_tile_the_text(pages):
    document = papers.document(*pages)
    chunks = chunk(document)
    assert (chunks[0].start, chunks[-1].end) == (0, len(document.text))
    assert [c.start for c in chunks[1:]] == [c.end for c in chunks[:-1]]
    for c in chunks:
        assert c.text == document.text[c.start : c.end]
        assert c.text.strip()
        assert c.page_first == document.page_at(c.start).number <= c.page_last
    assert len({c.chunk_id for c in chunks}) == len(chunks)


@pytest.mark.parametrize("pages", [(), ("",), ("", "")])
def test_a_document_without_text_has_no_chunks(pages):
    assert chunk(papers.document(*pages)) == ()


def paths(*pages: str) -> list[tuple[str, ...]]:
    return [c.heading_path for c in chunk(papers.document(*pages))]


def test_each_section_is_a_chunk_under_its_headings():
    assert paths(contract("1. Term.", "2. Fees.", "2.1 Amounts.", "3. Law.", "EXHIBIT A", "1. Prices.")) == [
        ("1 Term",),
        ("2 Fees",),
        ("2 Fees", "2.1 Amounts"),
        ("3 Law",),
        ("EXHIBIT A",),
        ("EXHIBIT A", "1 Prices"),
    ]


def test_a_table_of_contents_opens_no_sections():
    contents = "TABLE OF CONTENTS\n" + "\n".join(f"{i}. Heading {i} ........ {i}" for i in range(1, 30))
    found = paths(contents, contract("1. Term.", "2. Fees."))
    assert [path[-1] for path in found[-2:]] == ["1 Term", "2 Fees"]
    assert not any("Heading" in title for path in found for title in path)


def test_a_running_header_is_no_heading():
    pages = [f"MASTER SERVICES AGREEMENT\n{contract(f'{i}. Topic {chr(64 + i)}.')}" for i in range(1, 7)]
    found = paths(*pages)
    assert found == [(f"{i} Topic {chr(64 + i)}",) for i in range(1, 7)]


def test_long_sections_are_cut_between_sentences():
    chunks = chunk(papers.document("1. Term.\n" + FILL * 12))
    assert len(chunks) > 2
    for c in chunks:
        assert len(c.text.split()) <= MOST_WORDS
        assert c.heading_path == ("1 Term",)
        assert c.text.rstrip().endswith(".")


def test_a_bare_title_stays_with_what_follows():
    first = chunk(papers.document("SOFTWARE LICENSE\n" + contract("1. Grant.", "2. Fees.")))[0]
    assert "SOFTWARE LICENSE" in first.text and "due care" in first.text


def test_japanese_articles_are_chunks():
    found = paths(
        "".join(f"第{i}条（項目{i}）\n{'甲は乙に対し本契約に定める業務を委託する。' * 6}\n" for i in range(1, 6))
    )
    assert found == [(f"第{i}条（項目{i}）",) for i in range(1, 6)]


def test_a_section_runs_across_a_page_break():
    chunks = chunk(
        papers.document("1. Term.\nThe initial term of this Agreement is", "three years from its date.\n" + FILL)
    )
    assert (chunks[0].page_first, chunks[0].page_last) == (1, 2)
    assert len(chunks) == 1
