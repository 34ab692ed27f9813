"""Read: what becomes of a file, sound or not."""

import io
import re
import resource
import struct
import time
import zlib

import numpy as np
import papers
import pymupdf
import pytest
from PIL import Image

import extractors.ocr
from extractors.files import Content, Limits
from extractors.read import lay_out, read
from schemas.errors import DocumentError

PAPER = papers.paper()
PNG, JPEG, TIFF, WEBP = (papers.picture(kind) for kind in ("PNG", "JPEG", "TIFF", "WEBP"))
TEXT = "\n\n".join(papers.LINES)


@pytest.fixture
def ocr(monkeypatch):
    """The OCR engine as a fake that reads one word off every image; gives the images it was shown."""
    seen: list[np.ndarray] = []

    def read_image(pixels: np.ndarray, reading: str) -> extractors.ocr.OcrPage:
        seen.append(pixels)
        height, width = pixels.shape[:2]
        word = extractors.ocr.OcrWord("ﬁve", 10, 20, 60, 40, 0.9, 0, 0)
        return extractors.ocr.OcrPage(
            (word,), width, height, 0, 0.9, 1.0, "tesseract", "scan", needs_review=False, language="en"
        )

    monkeypatch.setattr(extractors.ocr, "read_image", read_image)
    return seen


@pytest.fixture
def no_ocr(monkeypatch):
    def read_image(pixels, reading):
        raise AssertionError("this page needs no OCR")

    monkeypatch.setattr(extractors.ocr, "read_image", read_image)


def _locked(**options) -> bytes:
    return papers.typed()[0].tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner", **options)


def _without_pages() -> bytes:
    parts = (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>")
    pdf, offsets = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj%sendobj\n" % (number, part)
    rows = b"".join(b"%010d 00000 n \n" % at for at in offsets)
    end = b"trailer<</Root 1 0 R/Size 3>>\nstartxref\n%d\n%%%%EOF\n" % len(pdf)
    return pdf + b"xref\n0 3\n0000000000 65535 f \n" + rows + end


def _zeroed(data: bytes, start: int, end: int) -> bytes:
    return data[:start] + b"\0" * (end - start) + data[end:]


def _broken_stream(start: float, end: float) -> bytes:
    """A page of 60 lines, the bytes of its content overwritten between two shares of their length."""
    pdf = pymupdf.open()
    lines = [f"Line {i} of the agreement says {i * i} words" for i in range(60)]
    pdf.new_page().insert_text((72, 72), lines, fontsize=8)
    data = pdf.tobytes(deflate=True)
    found = max(re.finditer(rb"stream\n(.*?)endstream", data, re.DOTALL), key=lambda m: len(m[1]))
    first, length = found.start(1), len(found[1])
    at, to = first + int(start * length), first + int(end * length)
    return data[:at] + b"A" * (to - at) + data[to:]


XREF = PAPER.rfind(b"\nxref")
REFUSED = {
    "no bytes": ("a.pdf", b"", "empty"),
    "cut in the middle": ("a.pdf", PAPER[: len(PAPER) // 2], "truncated"),
    "cut before the table": ("a.pdf", PAPER[:XREF], "truncated"),
    "only a header": ("a.pdf", b"%PDF-1.7\n", "truncated"),
    "an end mark, then cut": ("a.pdf", PAPER + b"\n9 0 obj\n<</Type/Page", "truncated"),
    "header and end": ("a.pdf", b"%PDF-1.7\n%%EOF", "damaged"),
    "objects overwritten": ("a.pdf", _zeroed(PAPER, 20, XREF), "damaged"),
    "page overwritten": ("a.pdf", _broken_stream(0, 0.2), "damaged"),
    "no pages": ("a.pdf", _without_pages(), "no_pages"),
    "password": ("a.pdf", _locked(user_pw="user"), "encrypted"),
    "text named PDF": ("a.pdf", b"Dear Sirs", "type_mismatch"),
    "image named PDF": ("a.pdf", PNG, "type_mismatch"),
    "PDF named image": ("a.jpg", PAPER, "type_mismatch"),
    "PNG named JPEG": ("a.jpeg", PNG, "type_mismatch"),
    "text": ("a.txt", b"Dear Sirs", "unsupported_type"),
    "Word": ("a.docx", b"PK\x03\x04" + b"\0" * 100, "damaged"),
    "PNG cut": ("a.png", PNG[: len(PNG) // 2], "truncated"),
    "PNG signature alone": ("a.png", PNG[:8], "truncated"),
    "JPEG cut": ("a.jpg", JPEG[: len(JPEG) // 2], "truncated"),
    "JPEG header alone": ("a.jpg", JPEG[:20], "truncated"),
    "TIFF cut": ("a.tif", TIFF[: len(TIFF) // 2], "truncated"),
    "WebP cut": ("a.webp", WEBP[:200], "truncated"),
    "PNG overwritten": ("a.png", _zeroed(PNG, 200, 400), "damaged"),
    "JPEG overwritten": ("a.jpg", _zeroed(JPEG, 300, 2000), "damaged"),
    "PNG of gigapixels": ("a.png", papers.declared_png(50_000, 50_000), "image_too_large"),
    "PNG of the largest size": ("a.png", papers.declared_png(2**31 - 1, 2**31 - 1), "image_too_large"),
    "PNG a little over": ("a.png", papers.declared_png(10_001, 10_000), "image_too_large"),
    "PDF image of gigapixels": (
        "a.pdf",
        papers.scanned(declared=(50_000, 50_000)).tobytes(),
        "image_too_large",
    ),
    "the same turned": ("a.pdf", papers.scanned(90, declared=(50_000, 50_000)).tobytes(), "image_too_large"),
}


@pytest.mark.parametrize(("name", "data", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_a_code_and_a_remedy(tmp_path, no_ocr, name, data, code):
    path = papers.written(tmp_path / name, data)
    begun = time.perf_counter()
    with pytest.raises(DocumentError) as caught:
        papers.read_file(path)
    assert caught.value.code == code
    assert caught.value.help.endswith(".") and caught.value.message.endswith(".")
    assert time.perf_counter() - begun < 2  # nothing large was decoded


def test_a_bomb_takes_no_memory(tmp_path, no_ocr):
    """2.5 gigapixels decoded would be 7.5 GB; a tenth of a gigabyte more than before is an accident."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, data, code in REFUSED.values():
        if code == "image_too_large":
            with pytest.raises(DocumentError):
                papers.read_file(papers.written(tmp_path / name, data))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


LIMITED = {
    "bytes": ("a.pdf", PAPER + b"%" * 1_100_000, {"max_megabytes": 1}, "too_large"),
    "pages of a PDF": ("a.pdf", papers.typed()[0].tobytes(), {"max_pages": 0}, "too_many_pages"),
    "pages of a TIFF": (
        "a.tif",
        papers.picture("TIFF", save_all=True, append_images=[Image.new("RGB", (30, 40))] * 2),
        {"max_pages": 2},
        "too_many_pages",
    ),
    "pixels": ("a.png", papers.picture("PNG", (1200, 1000)), {"max_megapixels": 1}, "image_too_large"),
}


@pytest.mark.parametrize(("name", "data", "limits", "code"), LIMITED.values(), ids=LIMITED.keys())
def test_limits_are_settings(tmp_path, ocr, name, data, limits, code):
    path = papers.written(tmp_path / name, data)
    with pytest.raises(DocumentError) as caught:
        papers.read_file(path, **limits)
    assert caught.value.code == code
    assert not ocr
    raised = dict.fromkeys(limits, 1_000)
    assert papers.read_file(path, **raised).pages


def test_a_folder_of_too_many_photos_is_refused_before_any_is_read(tmp_path, ocr):
    paths = tuple(papers.written(tmp_path / f"{i}.png", papers.picture("PNG", (20, 20))) for i in range(4))
    with pytest.raises(DocumentError) as caught:
        read(Content(paths, "c_1", "0"), Limits(max_pages=3))
    assert (caught.value.code, ocr) == ("too_many_pages", [])


def test_the_megapixel_limit_can_be_raised_above_that_of_the_decoder(tmp_path):
    path = papers.written(tmp_path / "a.png", papers.declared_png(15_000, 15_000))
    with pytest.raises(DocumentError) as caught:
        papers.read_file(path, max_megapixels=300)
    assert caught.value.code != "image_too_large"  # it is short of pixels, which only decoding tells


READ = {
    "plain": PAPER,
    "owner password": _locked(permissions=0),
    "junk before the header": b"Received: by mail\r\n" * 40 + PAPER,
    "little junk behind the end": PAPER + b"\n--boundary--\n",
    "much junk behind the end": PAPER + b"<html>gateway</html>\n" * 500,
    "null bytes behind the end": PAPER + b"\0" * 10_000,
}


@pytest.mark.parametrize("data", READ.values(), ids=READ.keys())
def test_sound_papers_are_read(tmp_path, no_ocr, data):
    found = papers.read_file(papers.written(tmp_path / "a.pdf", data))
    assert found.text == TEXT
    assert (found.capture_class, found.language, found.ocr_confidence) == ("digital", "en", None)
    assert found.pages[0].warnings == ()


def test_a_partly_damaged_page_is_marked_for_review(tmp_path, no_ocr):
    page = papers.read_file(papers.written(tmp_path / "a.pdf", _broken_stream(0.97, 0.99))).pages[0]
    assert page.warnings == ("needs_review",)
    assert "Line 0 of the agreement" in page.text


def test_a_blank_page_stays_blank(tmp_path, no_ocr):
    pdf = pymupdf.open()
    pdf.new_page()
    found = papers.read_pdf(tmp_path, pdf)
    assert (found.text, found.pages[0].words, found.pages[0].source) == ("", (), "native")


def test_a_title_page_needs_no_ocr(tmp_path, no_ocr):
    pdf, _ = papers.typed(lines=("EXHIBIT A",))
    assert papers.read_pdf(tmp_path, pdf).text == "EXHIBIT A"


def test_a_page_that_is_only_a_drawing_is_read_by_ocr_and_stays_digital(tmp_path, ocr):
    pdf = pymupdf.open()
    page = pdf.new_page()
    page.draw_circle((300, 400), 50)
    found = papers.read_pdf(tmp_path, pdf)
    assert len(ocr) == 1
    assert (found.pages[0].source, found.capture_class, found.text) == ("ocr", "digital", "five")
    assert found.pages[0].width == pytest.approx(page.rect.width, abs=0.5)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_picture_of_a_scan_is_read_and_not_the_layer_below_it(tmp_path, ocr, rotation):
    page = papers.read_pdf(tmp_path, papers.scanned(rotation, layer=True)).pages[0]
    assert (page.text, page.source, page.capture, page.warnings) == ("five", "ocr", "scan", ("ocr_layer",))


def test_a_scan_without_text_is_read_by_ocr(tmp_path, ocr):
    found = papers.read_pdf(tmp_path, papers.scanned())
    page = found.pages[0]
    assert (page.source, found.capture_class, page.ocr_confidence) == ("ocr", "scan", 0.9)
    pixels = ocr[0]
    assert page.words[0].box == pytest.approx([v * 595 / pixels.shape[1] for v in (10, 20, 60, 40)])


def test_values_of_a_form_are_read_with_its_scan(tmp_path, ocr):
    pdf = papers.scanned()
    field = pymupdf.Widget()
    field.field_type, field.field_name = pymupdf.PDF_WIDGET_TYPE_TEXT, "amount"
    field.rect, field.field_value = pymupdf.Rect(100, 4, 200, 14), "9,500.00"
    pdf[0].add_widget(field)
    found = papers.read_pdf(tmp_path, pdf)
    assert found.text.split() == ["five", "9,500.00"]


def test_ink_and_native_pages_make_a_mixed_document(tmp_path, ocr):
    pdf, _ = papers.typed()
    pdf.insert_pdf(papers.scanned())
    found = papers.read_pdf(tmp_path, pdf)
    assert found.capture_class == "mixed"
    assert found.text == f"{TEXT}\n\f\nfive"
    assert [found.page_at(at).number for at in (0, len(TEXT) - 1, len(found.text) - 1)] == [1, 1, 2]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_lie_on_the_page_as_it_is_shown(tmp_path, no_ocr, rotation):
    pdf, _ = papers.typed(rotation)
    page = papers.read_pdf(tmp_path, pdf).pages[0]
    word = next(word for word in page.words if page.text[word.start : word.end] == "Alpha")
    assert word.box == pytest.approx(tuple(papers.word_box("Alpha")), abs=1)
    assert page.rotation == rotation
    assert (page.width, page.height) == ((595, 842) if rotation % 180 == 0 else (842, 595))


def test_what_was_cropped_away_is_not_read_and_boxes_start_at_the_crop(tmp_path, no_ocr):
    pdf, page = papers.typed()
    page.set_cropbox(pymupdf.Rect(60, 95, 500, 170))
    found = papers.read_pdf(tmp_path, pdf)
    assert found.text == "\n\n".join(papers.LINES[1:])
    first = papers.word_box("The fee")
    assert found.pages[0].words[0].box[:2] == pytest.approx((first.x0 - 60, first.y0 - 95), abs=1)


def test_pages_of_a_tiff_and_their_resolution(tmp_path, ocr):
    more = [Image.new("RGB", (600, 300)), Image.new("L", (100, 200))]
    data = papers.picture("TIFF", save_all=True, append_images=more, dpi=(150, 150))
    found = papers.read_file(papers.written(tmp_path / "a.tif", data))
    assert [(page.number, page.width, page.height) for page in found.pages] == [
        (1, 144, 192),
        (2, 288, 144),
        (3, 48, 96),
    ]
    assert found.media_type == "image/tiff"


def test_a_photo_is_turned_upright_by_its_exif_tag(tmp_path, ocr):
    exif = Image.Exif()
    exif[0x0112] = 6
    papers.read_file(papers.written(tmp_path / "a.jpg", papers.picture("JPEG", (300, 400), exif=exif)))
    assert ocr[0].shape == (300, 400, 3)


def _saved(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


PAPERS_IN_MODES = {
    "transparent": Image.new("RGBA", (4, 4), (0, 0, 0, 0)),
    "transparent grey": Image.new("LA", (4, 4), (0, 0)),
    "16 bits of grey": Image.fromarray(np.full((4, 4), 65_535, np.uint16)),
    "black and white": Image.new("1", (4, 4), 1),
}


@pytest.mark.parametrize("image", PAPERS_IN_MODES.values(), ids=PAPERS_IN_MODES.keys())
def test_paper_is_white_in_every_mode(tmp_path, ocr, image):
    papers.read_file(papers.written(tmp_path / "a.png", _saved(image, "PNG")))
    assert ocr[0].shape == (4, 4, 3) and ocr[0].min() == 255


def test_grey_of_16_bits_keeps_its_shades(tmp_path, ocr):
    shades = Image.fromarray(np.array([[0, 30_000, 60_000]], np.uint16))
    papers.read_file(papers.written(tmp_path / "a.png", _saved(shades, "PNG")))
    assert ocr[0][0, :, 0].tolist() == [0, 117, 234]


def test_photos_of_a_folder_are_pages_in_their_order(tmp_path, ocr):
    paths = tuple(papers.written(tmp_path / f"{w}.png", papers.picture("PNG", (w, 50))) for w in (70, 30))
    found = read(Content(paths, "c_1", "0"), Limits())
    assert [pixels.shape[1] for pixels in ocr] == [70, 30]
    assert [page.number for page in found.pages] == [1, 2]


def test_one_wrong_file_in_a_folder_of_photos_is_named(tmp_path, ocr):
    good = papers.written(tmp_path / "1.png", PNG)
    wrong = papers.written(tmp_path / "2.png", PAPER)
    with pytest.raises(DocumentError, match=r"2\.png") as caught:
        read(Content((good, wrong), "c_1", "0"), Limits())
    assert caught.value.code == "type_mismatch"


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow warns of tags that are cut off
def test_damage_anywhere_is_a_document_error_or_read(tmp_path, ocr):
    """Of 300 papers with bytes changed, dropped or cut off at random places none brings another error."""
    random = np.random.default_rng(7)
    sources = {"pdf": PAPER, "png": PNG, "jpg": JPEG, "tif": TIFF, "webp": WEBP}
    outcomes = []
    for number in range(300):
        kind = list(sources)[number % 5]
        data = bytearray(sources[kind])
        for _ in range(int(random.integers(1, 6))):
            at = int(random.integers(8, len(data)))
            data[at : at + int(random.integers(0, 20))] = random.bytes(int(random.integers(0, 3)))
        path = papers.written(tmp_path / f"a.{kind}", bytes(data))
        try:
            outcomes.append(bool(papers.read_file(path).pages))
        except DocumentError as error:
            outcomes.append(error.code in {"truncated", "damaged", "type_mismatch", "no_pages", "image_too_large"})
    assert all(outcomes) and len(outcomes) == 300


def test_offsets_of_words_reproduce_the_text(tmp_path, no_ocr):
    pdf, page = papers.typed()
    writer = pymupdf.TextWriter(page.rect)
    dirty = "30\u00a0days\u037e \u201cTerm\u201d \ufb01nal of\u00adfer a\u200bb \u2019s 1\u20132 "
    dirty += "\uff11\uff10\uff05 契約 期間"
    writer.append((72, 300), dirty, font=pymupdf.Font("cjk"), fontsize=11)
    writer.write_text(page)
    found = papers.read_pdf(tmp_path, pdf).pages[0]
    assert '30 days; "Term" final offer ab \'s 1-2 10% 契約期間' in found.text
    at = 0
    for word in found.words:
        assert found.text[at : word.start].strip() == ""
        assert found.text[word.start : word.end] == found.text[word.start : word.end].strip() != ""
        at = word.end
    assert at == len(found.text)


def test_lay_out_of_nothing():
    assert lay_out([]) == ("", ())


def test_png_helper_is_a_real_png():
    """The declared bomb differs from a sound PNG in its size alone, so that the limit is what refuses it."""
    data = papers.declared_png(10, 10)
    assert struct.unpack(">II", data[16:24]) == (10, 10)
    assert zlib.decompress(data[41:-16])[:10] == b"\0" * 10
    with Image.open(io.BytesIO(data)) as image:
        assert image.convert("RGB").size == (10, 10)
