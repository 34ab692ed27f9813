"""What reading a picture rests on: bent lines, words of contracts, typed rules, places for signatures, pen marks."""

import cv2
import numpy as np
import pymupdf
import pytest

from extractors.layer import layer_differences
from extractors.ocr import lexicon, rapid, read_image
from extractors.ocr.lines import Strip
from extractors.ocr.page import OcrWord
from extractors.ocr.ruled import typed_rules
from extractors.ocr.signing import signature_areas
from extractors.pdf import RawWord

SENTENCE = "The Supplier shall deliver the Services within thirty days of each order and invoice them monthly."


def picture(lines: list[str], dpi: int = 150, size: float = 11, font: str = "tiro") -> np.ndarray:
    """Lines of print as a page, grey."""
    page = pymupdf.open().new_page(width=560, height=60 + 24 * len(lines))
    for number, line in enumerate(lines):
        page.insert_text((40, 50 + 24 * number), line, fontsize=size, fontname=font)
    pixels = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
    return np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width).copy()


def bent(image: np.ndarray, pixels: float) -> np.ndarray:
    """The page curled: its middle lower than its sides."""
    high, wide = image.shape
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    return cv2.remap(image, x, y - pixels * np.sin(np.pi * x / wide).astype(np.float32), 1, borderValue=255)


@pytest.mark.skipif(rapid.version() is None, reason="RapidOCR reads curled pages, and it is not installed here")
def test_lines_of_a_curled_page_are_read_along_their_bend():
    image = bent(picture([SENTENCE] * 8, dpi=200), 14)
    page = read_image(image, reading="accurate")
    assert page.text.split() == (SENTENCE + " ").split() * 8


@pytest.mark.skipif(rapid.version() is None, reason="RapidOCR cuts long lines, and it is not installed here")
def test_no_blank_is_lost_where_a_long_line_is_cut():
    long = " ".join(["on", "the", "terms", "of", "this", "order"] * 4)
    page = read_image(picture([long] * 6, size=8), reading="accurate")
    assert page.text.split() == long.split() * 6


def test_boxes_of_a_bent_strip_lie_on_the_page_where_the_ink_is():
    grey = np.full((100, 400), 255, np.uint8)
    grey[58:62, 195:205] = 0  # the line hangs down in its middle
    outline = np.array([[0, 30], [400, 30], [400, 70], [0, 70]], np.float32)
    strip = Strip.of(grey, outline, bend=0.4)
    rows, columns = np.nonzero(strip.ink)
    x0, y0, x1, y1 = strip.on_page(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert abs((y0 + y1) / 2 - 60) < 3 and abs((x0 + x1) / 2 - 200) < 3


COLUMNS = {"": 0, **{chr(code): code - 31 for code in range(32, 127)}}


def seen_as(text: str, sure: float, also: dict[int, str] | None = None) -> lexicon.Seen:
    """Frames in which each letter is seen with some certainty, and at some places another one nearly as well."""
    frames = np.full((2 * len(text), len(COLUMNS)), 1e-6)
    for at, letter in enumerate(text):
        frames[2 * at, COLUMNS[letter]] = sure
        if also and at in also:
            frames[2 * at, COLUMNS[also[at]]] = 0.9 * sure
        frames[2 * at + 1, 0] = 1.0
    return lexicon.Seen(frames / frames.sum(axis=1, keepdims=True), COLUMNS)


def test_a_badly_read_word_becomes_the_word_that_the_ink_allows():
    assert lexicon.better_word("terninate", seen_as("terninate", 0.5, {3: "m"})) == "terminate"
    assert lexicon.better_word("(terninate,", seen_as("(terninate,", 0.5, {4: "m"})) == "(terminate,"


@pytest.mark.parametrize("text", ["terminate", "Brightforge", "x7", "30", "ACME"])
def test_words_the_ink_is_clear_about_stay(text):
    assert lexicon.better_word(text, seen_as(text, 0.99)) is None


def test_two_halves_of_a_word_are_joined_and_two_words_are_not():
    assert lexicon.joined("C", "onsultant", seen_as("Consultant", 0.5)) == "Consultant"
    assert lexicon.joined("the", "terms", seen_as("theterms", 0.5)) is None


def test_typed_hyphens_are_print_and_a_line_across_the_page_is_not():
    ink = np.zeros((200, 900), np.uint8)
    for at in range(20):
        ink[100:102, 100 + 12 * at : 108 + 12 * at] = 1
    ink[150:152, 50:850] = 1
    words = [OcrWord("Content", 100, 60, 180, 76, 0.95, 0, 0), OcrWord("end", 700, 60, 740, 76, 0.95, 0, 0)]
    assert [word.text for word in typed_rules(ink, words, 12)] == ["-" * 20]


def test_an_empty_place_for_a_signature_and_a_signed_one():
    ink = np.zeros((300, 600), np.uint8)
    ink[122:124, 80:330] = 1
    ink[222:224, 80:330] = 1
    curve = np.array([[100 + 2 * t, 205 + 14 * np.sin(t / 3)] for t in range(60)], np.int32)
    cv2.polylines(ink, [curve], False, 1, 2)
    words = [OcrWord("By:", 40, 108, 70, 122, 0.96, 0, 0), OcrWord("By:", 40, 208, 70, 222, 0.96, 1, 0)]
    assert [area.state for area in signature_areas(words, ink, 12)] == ["absent", "present"]


def test_initial_terms_are_no_place_for_initials():
    words = [OcrWord("initial", 40, 108, 90, 122, 0.96, 0, 0), OcrWord("term", 95, 108, 130, 122, 0.96, 0, 0)]
    assert signature_areas(words, np.zeros((300, 600), np.uint8), 12) == ()


def struck(colour: tuple[int, int, int]) -> np.ndarray:
    """A page in colour with a pen stroke through `thirty days` of its second line."""
    page = pymupdf.open().new_page(width=560, height=300)
    for number in range(8):
        page.insert_text((40, 50 + 24 * number), SENTENCE, fontsize=10, fontname="tiro")
    box = page.search_for("thirty days")[1]
    pixels = page.get_pixmap(dpi=200)
    image = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width, 3).copy()
    scale, y = 200 / 72, (box.y0 + 0.62 * (box.y1 - box.y0)) * 200 / 72
    places = np.linspace(box.x0 * scale - 4, box.x1 * scale + 4, 30)
    curve = np.stack([places, y + 2 * np.sin(places / 25)], axis=1).astype(np.int32)
    cv2.polylines(image, [curve], False, colour, 4, cv2.LINE_AA)
    return image


@pytest.mark.parametrize("colour", [(20, 30, 140), (25, 25, 25)])
def test_a_stroke_through_words_is_a_mark_and_the_words_stay_in_the_print(colour):
    page = read_image(struck(colour))
    strikes = [mark for mark in page.marks if mark.kind == "strikethrough"]
    assert len(strikes) == 1 and "days" in strikes[0].text
    assert page.text.count("Supplier") == 8


def test_a_page_without_marks_has_none():
    assert read_image(picture([SENTENCE] * 8, dpi=200, size=10)).marks == ()


def words(text: str, confidence: float = 0.97) -> list[RawWord]:
    return [
        RawWord(word, (60.0 * at, 0.0, 60.0 * at + 50, 10.0), 0, 0, confidence) for at, word in enumerate(text.split())
    ]


def test_a_layer_with_another_number_than_the_picture_is_told():
    (hidden,) = layer_differences(
        words("payable within 90 days of the invoice"), words("payable within 30 days of the invoice")
    )
    assert (hidden.kind, hidden.text) == ("layer_differs", "90")


def test_a_passage_in_the_layer_alone_is_told():
    seen = "This Agreement is governed by the laws of Ohio"
    (hidden,) = layer_differences(
        words("This Agreement may be ended by Supplier at any time is governed by the laws of Ohio"), words(seen)
    )
    assert "ended by Supplier at any time" in hidden.text


def test_misread_letters_are_no_difference():
    layer = "This Agrcement is govemed by the Iaws of 0hio and 12 months"
    assert layer_differences(words(layer), words("This Agreement is governed by the laws of Ohio and 12 months")) == []
