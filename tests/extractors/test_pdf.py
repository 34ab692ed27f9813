"""Pages of a PDF: what is print, what was filled in, and what was put on top of it."""

from pathlib import Path

import papers
import pymupdf
import pytest

from extractors.characters import clean, garbage_share, language_of
from schemas.document import Document, EditMark

TEXT = "\n\n".join(papers.LINES)
ROTATIONS = [0, 90, 180, 270]


def marks_of(tmp_path: Path, pdf: pymupdf.Document) -> dict[str, EditMark]:
    """The marks of a paper by their text; the print must be as if they were not there."""
    found = papers.read_pdf(tmp_path, pdf)
    assert found.text == TEXT
    assert len({mark.text for mark in found.edit_marks}) == len(found.edit_marks)
    return {mark.text: mark for mark in found.edit_marks}


def at(mark: EditMark, rect: pymupdf.Rect, tolerance: float = 8) -> bool:
    return tuple(mark.box) == pytest.approx(tuple(rect), abs=tolerance)


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize(
    ("add", "kind"),
    [
        ("add_strikeout_annot", "strikethrough"),
        ("add_highlight_annot", "highlight"),
        ("add_underline_annot", "annotation"),
        ("add_squiggly_annot", "annotation"),
    ],
)
def test_marks_on_words_name_them(tmp_path, rotation, add, kind):
    pdf, page = papers.typed(rotation)
    box = papers.word_box("500 EUR")
    getattr(page, add)(papers.shown(page, *box)).update()
    marks = marks_of(tmp_path, pdf)
    assert list(marks) == ["500 EUR"]
    mark = marks["500 EUR"]
    assert (mark.kind, mark.source, mark.page_number) == (kind, "annotation", 1)
    assert pymupdf.Rect(mark.box).contains((box.tl + box.br) / 2)


def test_a_comment_stands_behind_the_words_it_is_about(tmp_path):
    pdf, page = papers.typed()
    annotation = page.add_highlight_annot(papers.word_box("three years"))
    annotation.set_info(content="should be \u201ctwo\u201d")
    annotation.update()
    assert list(marks_of(tmp_path, pdf)) == ['three years [should be "two"]']


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_what_was_put_beside_the_print(tmp_path, rotation):
    pdf, page = papers.typed(rotation)
    free = (300, 300, 450, 330)
    page.add_freetext_annot(papers.shown(page, *free), "FREE 999 USD", rotate=rotation)
    page.add_text_annot(papers.shown(page, 400, 400, 401, 401).tl, "a note")
    page.add_caret_annot(papers.shown(page, 100, 200, 101, 201).tl).set_info(content="insert this")
    page.add_ink_annot([[(100, 500), (150, 520), (200, 500)]]).set_info(content="initials")
    page.add_stamp_annot(papers.shown(page, 300, 440, 400, 480)).set_info(content="PAID")
    page.add_circle_annot(papers.shown(page, 160, 350, 200, 370)).set_info(content="why?")
    marks = marks_of(tmp_path, pdf)
    assert {text: mark.kind for text, mark in marks.items()} == {
        "FREE 999 USD": "insertion",
        "a note": "annotation",
        "insert this": "insertion",
        "initials": "handwriting",
        "PAID": "annotation",
        "why?": "annotation",
    }
    assert at(marks["FREE 999 USD"], pymupdf.Rect(free), tolerance=2)


def test_noise_and_hidden_annotations_are_no_marks(tmp_path):
    pdf, page = papers.typed()
    for i in range(50):
        page.add_polyline_annot([(10, 10 + i), (20, 20 + i), (30, 10 + i)])
    page.add_rect_annot(pymupdf.Rect(60, 600, 100, 620))
    page.add_redact_annot(papers.word_box("Beta"))
    hidden = page.add_freetext_annot(pymupdf.Rect(300, 300, 450, 330), "nobody sees this")
    hidden.set_flags(pymupdf.PDF_ANNOT_IS_HIDDEN)
    unseen = page.add_highlight_annot(papers.word_box("advance"))
    unseen.set_flags(pymupdf.PDF_ANNOT_IS_NO_VIEW)
    assert marks_of(tmp_path, pdf) == {}


def line(page: pymupdf.Page, x0: float, x1: float, y: float) -> None:
    ends = papers.shown(page, x0, y, x1, y)
    page.draw_line(ends.tl, ends.br, width=0.8)


def bar(page: pymupdf.Page, x0: float, x1: float, y: float) -> None:
    page.draw_rect(papers.shown(page, x0, y - 0.5, x1, y + 0.5), color=None, fill=(0, 0, 0))


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize("draw", [line, bar])
def test_drawn_strikeouts_are_found(tmp_path, rotation, draw):
    pdf, page = papers.typed(rotation)
    box = papers.word_box("500 EUR")
    draw(page, box.x0 - 1, box.x1 + 1, (box.y0 + box.y1) / 2)
    mark = marks_of(tmp_path, pdf)["500 EUR"]
    assert (mark.kind, mark.source) == ("strikethrough", "drawing")
    assert at(mark, box, tolerance=2)


def underline(page):
    box = papers.word_box("500 EUR")
    line(page, box.x0, box.x1, box.y1 - 2)


def table_rules(page):
    for y in (60, 85, 100, 125, 140, 165):
        line(page, 50, 550, y)


def rule_through_a_line(page):
    box = papers.word_box("500 EUR")
    line(page, 20, 580, (box.y0 + box.y1) / 2)


def fraction(page):
    page.insert_text((300, 300), "12", fontsize=9)
    page.insert_text((300, 312), "365", fontsize=9)
    line(page, 298, 318, 302.5)


def redaction(page):
    page.draw_rect(papers.word_box("500 EUR"), fill=(0, 0, 0))


def shading(page):
    page.draw_rect(papers.word_box("500 EUR"), color=None, fill=(0.9, 0.9, 0.5), overlay=False)


@pytest.mark.parametrize("draw", [underline, table_rules, rule_through_a_line, fraction, redaction, shading])
def test_other_drawings_strike_nothing(tmp_path, draw):
    pdf, page = papers.typed()
    draw(page)
    assert papers.read_pdf(tmp_path, pdf).edit_marks == ()


def test_a_strike_that_is_annotated_and_drawn_is_one_mark(tmp_path):
    pdf, page = papers.typed()
    box = papers.word_box("500 EUR")
    page.add_strikeout_annot(box)
    line(page, box.x0, box.x1, (box.y0 + box.y1) / 2)
    assert [mark.source for mark in marks_of(tmp_path, pdf).values()] == ["annotation"]


def fill(page: pymupdf.Page, kind: int, name: str, box: tuple, value, **options) -> None:
    field = pymupdf.Widget()
    field.field_type, field.field_name = kind, name
    field.rect = papers.shown(page, *box)
    field.field_value = value
    for option, setting in options.items():
        setattr(field, option, setting)
    page.add_widget(field)


@pytest.fixture(params=ROTATIONS)
def form(request, tmp_path) -> Document:
    """An order form: each label stands left of its field."""
    pdf = pymupdf.open()
    page = pdf.new_page()
    page.set_rotation(request.param)

    def label(x: float, y: float, text: str) -> None:
        page.insert_text(pymupdf.Point(x, y) * page.derotation_matrix, text, rotate=request.param)

    label(72, 72, "ORDER FORM for the annual subscription")
    label(72, 100, "Customer:")
    fill(
        page,
        pymupdf.PDF_WIDGET_TYPE_TEXT,
        "c",
        (140, 88, 400, 104),
        "Northwind, Inc.",
        field_label="Customer name",
    )
    label(72, 130, "Term:")
    choices = ["12 months", "24 months"]
    fill(
        page,
        pymupdf.PDF_WIDGET_TYPE_COMBOBOX,
        "term",
        (140, 118, 250, 134),
        "24 months",
        choice_values=choices,
    )
    label(72, 160, "Renews:")
    fill(page, pymupdf.PDF_WIDGET_TYPE_CHECKBOX, "renews", (150, 148, 164, 162), True)
    label(72, 190, "Public:")
    fill(page, pymupdf.PDF_WIDGET_TYPE_CHECKBOX, "public", (150, 178, 164, 192), False)
    label(72, 220, "Monthly:")
    fill(page, pymupdf.PDF_WIDGET_TYPE_RADIOBUTTON, "monthly", (150, 208, 164, 222), True)
    label(72, 250, "Notes:")
    many = {"field_flags": pymupdf.PDF_TX_FIELD_IS_MULTILINE}
    fill(page, pymupdf.PDF_WIDGET_TYPE_TEXT, "notes", (140, 238, 400, 290), "First line\nSecond line", **many)
    label(72, 320, "Empty:")
    fill(page, pymupdf.PDF_WIDGET_TYPE_TEXT, "empty", (140, 308, 400, 322), "")
    label(72, 350, "Hidden:")
    fill(page, pymupdf.PDF_WIDGET_TYPE_TEXT, "hidden", (140, 338, 400, 352), "SECRET", field_display=1)
    return papers.read_pdf(tmp_path, pdf)


def test_values_of_a_form_stand_behind_their_labels_once(form):
    lines = [" ".join(line.split()) for line in form.text.split("\n") if line]
    assert lines == [
        "ORDER FORM for the annual subscription",
        "Customer: Northwind, Inc.",
        "Term: 24 months",
        "Renews: [x]",
        "Public: [ ]",
        "Monthly: [x]",
        "Notes: First line Second line",
        "Empty:",
        "Hidden:",
    ]
    page = form.pages[0]
    assert all(page.text[word.start : word.end].strip() for word in page.words)


def test_values_of_a_form_are_marks_as_well(form):
    marks = {mark.text: mark for mark in form.edit_marks}
    assert set(marks) == {
        "Customer name: Northwind, Inc.",
        "term: 24 months",
        "renews: [x]",
        "public: [ ]",
        "monthly: [x]",
        "notes: First line\nSecond line",
    }
    assert {(mark.kind, mark.source) for mark in marks.values()} == {("insertion", "form_field")}
    assert at(marks["term: 24 months"], pymupdf.Rect(140, 118, 250, 134), tolerance=1)


FOLDED = [
    ("30\u00a0days", "30 days"),
    ("a\u037e b", "a; b"),
    ("\u201cTerm\u201d \u2018x\u2019", "\"Term\" 'x'"),
    ("\ufb01nal o\ufb00er e\ufb03cient", "final offer efficient"),
    ("of\u00adfer", "offer"),
    ("a\u200bb\ufeff", "ab"),
    ("1\u20132 \u2014 \u2212", "1-2 - -"),
    ("（１０，０００円）￥５００ ￡５", "(10,000円)¥500 £5"),
    ("第３条　期間", "第3条 期間"),
    ("plain\nlines", "plain\nlines"),
    ("é ü ß 契約", "é ü ß 契約"),
]


@pytest.mark.parametrize(("text", "expected"), FOLDED)
def test_characters_that_look_the_same_become_the_same(text, expected):
    assert clean(text) == expected
    assert clean(expected) == expected


def test_garbage_share():
    assert garbage_share("The fee is due.") == 0
    assert garbage_share("\ufffd\ue000ab") == 0.5
    assert garbage_share("(cid:12)") == 1
    assert garbage_share("") == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("This agreement shall be governed by the laws of the State of Ohio.", "en"),
        ("Dieser Vertrag wird von den Parteien geschlossen und ist für das Jahr gültig.", "de"),
        ("Le présent contrat est régi par les lois de la France et des usages.", "fr"),
        ("El presente contrato se rige por las leyes de España y los usos.", "es"),
        ("本契約は日本法に準拠する。甲及び乙は協議する。", "ja"),
        ("", "en"),
    ],
)
def test_language(text, code):
    assert language_of(text) == code


def test_a_text_layer_without_blanks_is_left_to_ocr(tmp_path, monkeypatch):
    asked = []

    def read_image(pixels, reading):
        asked.append(pixels.shape)
        raise InterruptedError

    monkeypatch.setattr("extractors.ocr.read_image", read_image)
    pdf = pymupdf.open()
    pdf.new_page().insert_text((72, 72), ["thesuppliershalldeliverthegoods"] * 30, fontsize=9)
    with pytest.raises(InterruptedError):
        papers.read_pdf(tmp_path, pdf)
    assert len(asked) == 1
