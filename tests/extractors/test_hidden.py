"""Text that nobody sees: every trick is found, and what is honest stays."""

import pymupdf
import pytest

from benchmarks import hidden as made
from extractors.hidden import hidden_text, page_traits, whole_textpage
from extractors.hidden.program import UNREADABLE
from extractors.letters import has_lost_blanks, is_garbage
from extractors.pdf import RawWord
from schemas.document import HiddenText

KIND_OF = {
    made.white_on_white: "faint",
    made.nearly_white: "faint",
    made.white_by_cmyk: "faint",
    made.white_by_separation: "faint",
    made.colour_on_its_ground: "faint",
    made.black_on_black: "faint",
    made.on_a_picture: "faint",
    made.below_other_words: "faint",
    made.white_in_a_form: "faint",
    made.white_outline: "faint",
    made.upright_secret: "faint",
    made.one_word_of_a_line: "faint",
    made.tiny: "tiny",
    made.tiny_by_scale: "tiny",
    made.squeezed: "tiny",
    made.clipped: "tiny",
    made.clipped_by_a_triangle: "tiny",
    made.transparent: "transparent",
    made.transparent_by_mask: "transparent",
    made.blend_mode: "transparent",
    made.render_mode_3: "invisible",
    made.render_mode_7: "invisible",
    made.black_redaction: "covered",
    made.covered_by_white: "covered",
    made.covered_by_colour: "covered",
    made.covered_by_an_image: "covered",
    made.covered_by_a_stroke: "covered",
    made.covered_by_an_annotation: "covered",
    made.covered_by_a_shading: "covered",
    made.beside_the_paper: "off_page",
    made.outside_of_the_crop: "off_page",
    made.hidden_layer: "hidden_layer",
    made.hidden_layer_by_group: "hidden_layer",
    made.tag_characters: "zero_width",
    made.split_by_zero_width: "zero_width",
}


def looked_at(page: pymupdf.Page) -> tuple[list[str], list[HiddenText]]:
    words, found = made.looked_at(page)
    return [word.text for word in words], found


@pytest.mark.parametrize("seed", [3, 77])
@pytest.mark.parametrize("make", KIND_OF, ids=lambda make: make.__name__)
def test_a_hidden_text_is_found_and_the_rest_is_still_read(make, seed):
    case = make(made.Paper(seed))
    assert made.is_right(case)
    assert {hidden.kind for hidden in looked_at(case.pdf[0])[1]} == {KIND_OF[make]}


@pytest.mark.parametrize("seed", [5, 78])
@pytest.mark.parametrize("make", made.TRAPS, ids=lambda make: make.__name__)
def test_honest_pages_hide_nothing(make, seed):
    case = make(made.Paper(seed))
    assert looked_at(case.pdf[0])[1] == []
    assert made.is_right(case)


def test_a_text_below_its_replacement_is_found():
    """White paint over a term and another one typed on top: the old words are still in the file."""
    pdf = pymupdf.open()
    page = pdf.new_page()
    page.insert_text((72, 100), "Payment within 90 days.", fontsize=11)
    box = page.search_for("90")[0]
    page.draw_rect(box, color=None, fill=(1, 1, 1))
    page.insert_text((box.x0, 100), "30", fontsize=11)
    words, found = looked_at(page)
    assert sorted(words) == sorted(["Payment", "within", "30", "days."])
    assert [(hidden.kind, hidden.text) for hidden in found] == [("covered", "90")]


def test_a_hidden_digit_within_a_word():
    pdf = pymupdf.open()
    page = pdf.new_page()
    page.insert_text((72, 100), "USD 30", fontsize=11, fontname="cour")
    wide = pymupdf.get_text_length("USD 30", "cour", 11)
    page.insert_text((72 + wide, 100), "000", fontsize=11, fontname="cour", color=(1, 1, 1))
    words, found = looked_at(page)
    assert words == ["USD", "30"]
    assert [(hidden.kind, hidden.text) for hidden in found] == [("faint", "000")]


def test_the_box_of_a_hidden_text_is_where_it_stands():
    pdf = pymupdf.open()
    page = pdf.new_page()
    page.insert_text((72, 100), "Seen by everybody.", fontsize=11)
    page.insert_text((200, 300), "seen by nobody", fontsize=11, color=(1, 1, 1))
    box = page.search_for("seen by nobody")[0]
    hidden = looked_at(page)[1][0]
    assert hidden.text == "seen by nobody"
    assert hidden.box == pytest.approx(tuple(box), abs=3)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_boxes_of_a_turned_page_are_those_of_the_page_as_shown(rotation):
    paper = made.Paper(8, rotation)
    case = paper.write().hide(color=(1, 1, 1)).done()
    page = case.pdf[0]
    hidden = looked_at(page)[1][0]
    expected = paper.box() * paper.page.rotation_matrix
    assert page.rect.contains(pymupdf.Rect(hidden.box))
    assert hidden.box == pytest.approx(tuple(expected), abs=4)


def test_words_keep_what_else_they_carry():
    pdf = pymupdf.open()
    page = pdf.new_page()
    page.insert_text((72, 100), "one two", fontsize=11)
    textpage = whole_textpage(page)
    given = [RawWord(w[4], tuple(w[:4]), 7, 3, 0.5) for w in textpage.extractWORDS()]
    words, found = hidden_text(page, given, [])
    assert words == given and found == []


def test_the_text_of_a_page_that_is_one_image_is_left_alone():
    paper = made.Paper(4)
    paper.write(render_mode=3)
    paper.page.insert_image(paper.page.rect, stream=paper.shade(0.7, 1), keep_proportion=False)
    words, found = looked_at(paper.done(honest=True).pdf[0])
    assert len(words) > 50 and found == []


def test_what_hides_on_a_later_page_is_found_too():
    """An honest first page vouches for fonts and clipping paths, and for nothing else."""
    pdf = pymupdf.open()
    for number in range(5):
        page = pdf.new_page()
        page.insert_text((72, 100), f"Page {number} is honest here.")
        page.insert_text((72, 200), "All rights reserved by us.")
    pdf[3].insert_text((72, 150), "nobody sees this", color=(1, 1, 1))
    pdf[4].draw_rect((70, 88, 300, 105), color=None, fill=(0.9, 0.9, 0.9))
    found = [[hidden.text for hidden in looked_at(page)[1]] for page in pymupdf.open("pdf", pdf.tobytes())]
    assert found == [[], [], [], ["nobody sees this"], ["Page 4 is honest here."]]


def test_a_thick_stroke_on_a_later_page_covers():
    pdf = pymupdf.open()
    for number in range(3):
        pdf.new_page().insert_text((72, 100), f"Page {number} is honest here.", fontsize=11)
    pdf[2].draw_line((70, 97), (220, 97), color=(1, 1, 1), width=20)
    found = [[hidden.text for hidden in looked_at(page)[1]] for page in pymupdf.open("pdf", pdf.tobytes())]
    assert found == [[], [], ["Page 2 is honest here."]]


def test_a_page_whose_resources_are_damaged_is_drawn():
    paper = made.Paper(3).write().hide(color=(1, 1, 1))
    paper.resource("XObject", "Fm0", "99999 0 R")  # there is no such object
    pdf = paper.run("/Fm0 Do").done().pdf
    assert page_traits(pdf[0]) == UNREADABLE
    assert [hidden.kind for hidden in looked_at(pdf[0])[1]] == ["faint"]


def test_words_far_away_from_a_page_that_is_drawn():
    paper = made.Paper(4)
    case = paper.write().draw(paper.box(), (0.9, 0.9, 1)).hide(at=(900_000, 900_000)).done()
    assert [hidden.kind for hidden in looked_at(case.pdf[0])[1]] == ["off_page"]


def test_a_layer_that_is_on_is_read_and_one_that_is_off_is_reported_on_its_page_only():
    pdf = pymupdf.open()
    on, off = pdf.add_ocg("on", on=True), pdf.add_ocg("off", on=False)
    for number in range(2):
        page = pdf.new_page()
        page.insert_text((72, 100), f"Page {number}", fontsize=11)
        page.insert_text((72, 130), "shown", oc=on)
    page.insert_text((72, 160), "switched off", oc=off)
    pages = [looked_at(page) for page in pymupdf.open("pdf", pdf.tobytes())]
    assert [words for words, _ in pages] == [["Page", "0", "shown"], ["Page", "1", "shown"]]
    assert [[(h.kind, h.text) for h in found] for _, found in pages] == [[], [("hidden_layer", "switched off")]]


def test_a_text_that_is_said_to_be_another_is_read_as_printed():
    paper = made.Paper(3)
    printed, said = "(Payment in 30 days) Tj", "/Span <</ActualText (Payment in 90 days)>> BDC"
    paper.write().run(paper.operators("", "Payment in 30 days").replace(printed, f"{said} {printed} EMC"))
    words, found = looked_at(pymupdf.open("pdf", paper.pdf.tobytes())[0])
    assert words[-4:] == ["Payment", "in", "30", "days"]
    assert [hidden.kind for hidden in found] == ["wrong_letters"]


def test_an_ornament_that_is_spelled_out_hides_nothing():
    paper = made.Paper(3)
    paper.write().run(
        paper.operators("", "* * *").replace("(* * *) Tj", "/Span <</ActualText (-)>> BDC (* * *) Tj EMC")
    )
    assert looked_at(pymupdf.open("pdf", paper.pdf.tobytes())[0])[1] == []


LANGUAGES = {
    "en": """This Agreement may be terminated by either party upon thirty days written notice to the other party.
        The Supplier shall keep all Confidential Information secret and shall not disclose it to any third party.
        All notices under this Agreement shall be in writing and shall be deemed given upon receipt.""",
    "de": """Diese Vereinbarung wird zwischen den Parteien geschlossen. Der Auftragnehmer verpflichtet sich zur
        Verschwiegenheit \u00fcber s\u00e4mtliche Gesch\u00e4ftsgeheimnisse und haftet f\u00fcr jede schuldhafte
        Verletzung dieser Pflichten. Die K\u00fcndigungsfrist betr\u00e4gt drei Monate zum Quartalsende.""",
    "fr": """Le pr\u00e9sent contrat est conclu entre les parties soussign\u00e9es. Le prestataire s'engage \u00e0
        ex\u00e9cuter les services d\u00e9crits dans l'annexe et \u00e0 respecter la confidentialit\u00e9 de toutes
        les informations re\u00e7ues. La dur\u00e9e du contrat est de trois ann\u00e9es.""",
    "es": """El presente contrato se celebra entre las partes. El proveedor se obliga a prestar los servicios
        descritos en el anexo y a guardar la confidencialidad de toda la informaci\u00f3n recibida. La
        duraci\u00f3n del contrato ser\u00e1 de tres a\u00f1os a partir de su firma.""",
}


@pytest.mark.parametrize("text", [*LANGUAGES.values(), *(text.upper() for text in LANGUAGES.values())])
def test_language_is_no_garbage(text):
    assert not is_garbage(text.split())
    assert not has_lost_blanks(text.split())


@pytest.mark.parametrize("shift", [1, 3, 7, 13, 22])
@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_exchanged_for_others_are_garbage(language, shift):
    letters = "abcdefghijklmnopqrstuvwxyz"
    shifted = letters[shift:] + letters[:shift]
    cipher = str.maketrans(letters + letters.upper(), shifted + shifted.upper())
    assert is_garbage(LANGUAGES[language].translate(cipher).split())


def test_glyph_numbers_for_letters_are_garbage():
    """The commonest broken encoding: each character is the glyph's number, 29 below the letter."""
    assert is_garbage(["".join(chr(max(33, ord(c) - 29)) for c in word) for word in LANGUAGES["en"].split()])


def test_a_garbled_paragraph_makes_a_page_garbage():
    rot13 = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
    sound = (LANGUAGES["en"] + " ").split() * 4
    assert is_garbage(sound + (LANGUAGES["en"] * 3).translate(rot13).split() + sound)


@pytest.mark.parametrize(
    "page",
    [
        "",
        "Page 3",
        " ".join(f"{n},{n * 7 % 1000:03d}.00 {n}.5% 12/{n % 28 + 1}/2024" for n in range(10, 90)),
        " ".join(f"XQ-{n}-ZKB JX{n}WV BRK{n}" for n in range(10, 90)),
        " ".join(f"https://www.xyzq-{n}.com/bzk/wqx?id={n} info@qzx{n}.de" for n in range(40)),
        "By: ____________ Name: ____________ Title: ____________ Date: ____________ " * 6,
        "Krzysztof Wojciechowski Zbigniew Brzezinski Nguyen Xuan Phuc Szymborska " * 1,
        "\u672c\u5951\u7d04\u306f\u4e21\u5f53\u4e8b\u8005\u306e\u9593\u3067\u7de0\u7d50\u3055\u308c\u308b " * 20,
    ],
    ids=["blank", "title", "figures", "part numbers", "addresses", "signatures", "names", "Japanese"],
)
def test_pages_without_sentences_are_no_garbage(page):
    assert not is_garbage(page.split())
    assert not has_lost_blanks(page.split())


def test_lost_and_surplus_blanks():
    words = LANGUAGES["en"].split()
    assert has_lost_blanks(["".join(words[i : i + 8]) for i in range(0, len(words), 8)])
    assert has_lost_blanks([letter for word in words for letter in word])
    assert not has_lost_blanks(["Rechtsschutzversicherungsgesellschaften", *LANGUAGES["de"].split()])
