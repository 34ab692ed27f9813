"""Pictures of pages and the boxes of quotations on them: the right page, the right words, and nothing else."""

import io
import shutil
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from frontdoor import AGREEMENT, call_here, write_pdf
from PIL import Image

from review.desk import Desk
from review.pictures import Pictures, quote_boxes
from review.store import Store
from schemas.document import Document, Page, Word
from schemas.review import ReviewError
from schemas.settings import Settings
from warehouse.keep import Keep

SAMPLES = Path(__file__).resolve().parents[2] / "sample_contracts"
LONG = AGREEMENT + "\n" * 30 + AGREEMENT.replace("sixty (60) days of the invoice", "ninety (90) days of the invoice")


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an inbox of a text, a photo, page photos and an e-mail, and the warehouse they were read into."""
    folder = tmp_path_factory.mktemp("read")
    inbox = folder / "inbox"
    write_pdf(inbox / "deals" / "[2026] agreement.pdf", LONG)
    shutil.copy(SAMPLES / "photos" / "addendum-with-pen.jpg", inbox)
    shutil.copytree(SAMPLES / "photos" / "consulting-vantage", inbox / "consulting")
    write_mail(inbox / "mail.eml", AGREEMENT.replace("Quarry Lane Foods LLC", "Slate Hill Foods LLC"))
    done = call_here("run", inbox, "--warehouse", folder / "w", CONTRACT_AGENT_HOME=str(folder / "home"))
    assert done.summary["contracts"] == 4, done.err
    return folder


def write_mail(path: Path, text: str) -> None:
    """An e-mail with a PDF of this text attached."""
    mail = EmailMessage()
    mail["From"], mail["Date"] = "a@example.com", "Mon, 2 Mar 2026 10:00:00 +0000"
    mail.set_content("See the attachment.")
    attached = write_pdf(path.with_suffix(".pdf"), text)
    mail.add_attachment(attached.read_bytes(), maintype="application", subtype="pdf", filename="order.pdf")
    attached.unlink()
    path.write_bytes(mail.as_bytes())


class Shop:
    """The pictures of a warehouse, and its desk."""

    def __init__(self, folder: Path):
        self.folder, self.root = folder, folder / "w"
        self.desk = Desk(self.root, Store(self.root / "review"))
        settings = Settings(home=folder / "home", inbox=folder / "moved")
        self.pictures = Pictures(self.root, settings, self.desk)

    def view(self, file_name: str):
        rows = self.desk.contracts(size=100).rows
        return self.desk.contract(next(row.contract_id for row in rows if row.file_name == file_name))

    def page(self, file_name: str, number: int = 1, **more) -> np.ndarray:
        document_id = self.view(file_name).documents[0]["document_id"]
        picture = self.pictures.page(document_id, number, **more)
        assert picture.media_type == "image/jpeg"
        return np.asarray(Image.open(io.BytesIO(picture.data)))


@pytest.fixture(scope="module")
def shop(read_once: Path):
    shop = Shop(read_once)
    yield shop
    shop.desk.close()


@pytest.fixture
def own(read_once: Path, tmp_path: Path):
    """A copy of the warehouse whose inbox a test may change; it was moved meanwhile to where the settings say."""
    shutil.copytree(read_once / "w", tmp_path / "w")
    shutil.copytree(read_once / "inbox", tmp_path / "moved")
    away = read_once / "away"
    (read_once / "inbox").rename(away)
    shop = Shop(tmp_path)
    yield shop
    away.rename(read_once / "inbox")
    shop.desk.close()


def ink_in(pixels: np.ndarray, boxes, width: float) -> float:
    """The share of the dark pixels of the printed part of a page that lie in boxes, given in points."""
    scale = pixels.shape[1] / width
    edges = [min(b[-4] for b in boxes), min(b[-3] for b in boxes), max(b[-2] for b in boxes), max(b[-1] for b in boxes)]
    dark = pixels.mean(axis=2) < 110
    inside = np.zeros_like(dark)
    for box in boxes:
        x0, y0, x1, y1 = (round(edge * scale) for edge in box[-4:])
        inside[max(0, y0 - 1) : y1 + 1, max(0, x0 - 1) : x1 + 1] = True
    x0, y0, x1, y1 = (round(edge * scale) for edge in edges)
    dark, inside = dark[y0:y1, x0:x1], inside[y0:y1, x0:x1]
    return float((dark & inside).sum() / max(1, dark.sum()))


@pytest.mark.parametrize("file_name", ["[2026] agreement.pdf", "addendum-with-pen.jpg", "consulting", "order.pdf"])
def test_the_words_lie_on_the_print(shop: Shop, file_name: str):
    """Where the words are is where the picture is dark: it is the same page, and turned the same way."""
    view = shop.view(file_name)
    for page in view.pages[:2]:  # on the last photo a letter is read in the grain of the table
        words = shop.pictures.words(page.document_id, page.page_number)
        assert (words.width, words.height) == (page.width, page.height)
        pixels = shop.page(file_name, page.page_number)
        assert pixels.shape[1] == pytest.approx(1200, abs=2)
        assert ink_in(pixels, words.words, page.width) > 0.95


def test_a_flat_picture_has_its_own_boxes(shop: Shop):
    """The lines of a flattened photo are level: words beside each other stand at the same height."""
    page = shop.view("addendum-with-pen.jpg").pages[0]
    leaning, flat = (shop.pictures.words(page.document_id, 1, kind=kind) for kind in ("page", "straight"))
    assert [word.text for word in flat.words] == [word.text for word in leaning.words]
    pixels = shop.page("addendum-with-pen.jpg", kind="straight")
    assert pixels.shape[1] / pixels.shape[0] == pytest.approx(flat.width / flat.height, rel=0.01)

    def fall(words) -> float:
        title = {word.text: (word.y0 + word.y1) / 2 for word in words[:3]}
        return abs(title["Training"] - title["Agreement"])

    assert fall(leaning.words) > 2 > fall(flat.words)


def test_the_original_is_neither_turned_nor_flattened(shop: Shop):
    with Image.open(shop.folder / "inbox" / "addendum-with-pen.jpg") as photo:
        small = photo.convert("RGB").resize((400, round(400 * photo.height / photo.width)))
    shown = shop.page("addendum-with-pen.jpg", kind="original", width=400)
    assert np.abs(shown.astype(int) - np.asarray(small)[: shown.shape[0]]).mean() < 6


def test_boxes_cover_the_quotations(shop: Shop):
    """Every box holds words of the quotation and, in all, all of them."""
    for file_name in ("[2026] agreement.pdf", "addendum-with-pen.jpg", "consulting"):
        view = shop.view(file_name)
        boxes = shop.pictures.boxes(view)
        quoted = [item for item in (*view.terms, *view.flags, *view.topics) if item.row["quote"]]
        assert {item.id for item in quoted} == set(boxes)
        for item in quoted:
            said = " ".join(" ".join(words_in(shop, item.row["document_id"], box)) for box in boxes[item.id])
            wanted = " ".join(item.row["quote"].split())
            assert set(wanted.lower().split()) <= set(said.lower().split()) or wanted.lower() in said.lower()


def words_in(shop: Shop, document_id: str, box) -> list[str]:
    words = shop.pictures.words(document_id, box.page_number).words
    return [w.text for w in words if box.x0 <= (w.x0 + w.x1) / 2 <= box.x1 and box.y0 <= (w.y0 + w.y1) / 2 <= box.y1]


def test_a_quotation_on_two_lines_has_two_boxes(shop: Shop):
    view = shop.view("[2026] agreement.pdf")
    item = next(item for item in view.terms if item.name == "liability_cap_type" and item.row["quote"])
    boxes = shop.pictures.boxes(view)[item.id]
    assert len(boxes) == item.row["quote"].strip().count("\n") + 1 > 1
    for above, below in pairwise(boxes):
        assert below.y0 >= above.y1 - 1


def test_of_several_places_the_landed_one_is_shown(shop: Shop):
    """The same words stand on both pages; what was landed says which are meant."""
    view = shop.view("[2026] agreement.pdf")
    assert len(view.pages) > 1
    for item in (*view.terms, *view.flags):
        if item.row["quote"] and item.page_number:
            assert shop.pictures.boxes(view)[item.id][0].page_number == item.page_number


def test_without_the_reading_the_landed_box_is_left(own: Shop):
    view = own.view("[2026] agreement.pdf")
    Keep(own.root / "work", view.contract_id).forget()
    item = next(item for item in view.terms if item.name == "liability_cap_type" and item.row["quote"])
    (box,) = own.pictures.boxes(view)[item.id]
    assert tuple(box) == (item.page_number, *(item.row[edge] for edge in ("x0", "y0", "x1", "y1")))
    with pytest.raises(ReviewError) as raised:
        own.pictures.words(view.documents[0]["document_id"], 1)
    assert raised.value.code == "no_reading"


def test_the_picture_of_a_mark(shop: Shop):
    view = shop.view("addendum-with-pen.jpg")
    assert view.marks
    for mark in view.marks:
        picture = shop.pictures.mark(mark.document_id, mark.number)
        with Image.open(io.BytesIO(picture.data)) as crop:
            assert crop.format == "PNG"
            across, down = mark.box[2] - mark.box[0], mark.box[3] - mark.box[1]
            assert (crop.width > crop.height) == (across > down) or abs(across - down) < 20
    for number in (len(view.marks), -1):
        with pytest.raises(ReviewError) as raised:
            shop.pictures.mark(view.marks[0].document_id, number)
        assert raised.value.code == "not_found"


@pytest.mark.parametrize(("document_id", "number"), [("d_../../etc/passwd", 1), ("", 1), (None, 0), (None, 99)])
def test_what_is_not_there(shop: Shop, document_id: str | None, number: int):
    known = shop.view("[2026] agreement.pdf").documents[0]["document_id"]
    for ask in (shop.pictures.page, shop.pictures.words, shop.pictures.tag):
        with pytest.raises(ReviewError) as raised:
            ask(known if document_id is None else document_id, number)
        assert raised.value.code == "not_found"


def test_an_inbox_that_was_moved(own: Shop):
    """It is found where the settings say, for page photos and in e-mails too."""
    for file_name in ("[2026] agreement.pdf", "consulting", "order.pdf"):
        assert own.page(file_name).shape[1] > 1000


@pytest.mark.parametrize("was_looked_at", [False, True])
def test_an_original_that_is_gone(own: Shop, was_looked_at: bool):
    if was_looked_at:
        own.page("[2026] agreement.pdf")
    (own.folder / "moved" / "deals" / "[2026] agreement.pdf").unlink()
    assert_refused(own, "[2026] agreement.pdf", "no_original")


@pytest.mark.parametrize("was_looked_at", [False, True])
def test_an_original_that_is_another_one_now(own: Shop, was_looked_at: bool):
    """Also when the page was drawn before: nobody is shown a picture of something else than what is there."""
    if was_looked_at:
        own.page("[2026] agreement.pdf")
    write_pdf(own.folder / "moved" / "deals" / "[2026] agreement.pdf", AGREEMENT.replace("New York", "Nevada"))
    assert_refused(own, "[2026] agreement.pdf", "changed_original")


def test_one_of_the_page_photos_is_another_one_now(own: Shop):
    photos = sorted((own.folder / "moved" / "consulting").iterdir())
    photos[1].write_bytes(photos[0].read_bytes())
    assert_refused(own, "consulting", "changed_original")


def test_a_link_in_the_inbox_is_not_followed_out_of_it(own: Shop):
    secret = write_pdf(own.folder / "secret" / "[2026] agreement.pdf", LONG)
    original = own.folder / "moved" / "deals" / "[2026] agreement.pdf"
    secret.write_bytes(original.read_bytes())  # even the right one
    shutil.rmtree(original.parent)
    original.parent.symlink_to(secret.parent)
    assert_refused(own, "[2026] agreement.pdf", "no_original")


def assert_refused(shop: Shop, file_name: str, code: str) -> None:
    with pytest.raises(ReviewError) as raised:
        shop.page(file_name)
    assert raised.value.code == code and file_name in raised.value.message and raised.value.help


def test_a_drawn_page_is_kept_and_forgotten_with_the_contract(own: Shop):
    view = own.view("[2026] agreement.pdf")
    document_id = view.documents[0]["document_id"]
    first = own.pictures.page(document_id, 1)
    kept = list((own.root / "work").rglob(f"{view.contract_id}.shown1.page1200-*"))
    assert len(kept) == 1 and kept[0].read_bytes() == first.data
    assert own.pictures.page(document_id, 1) == first
    assert first.tag == own.pictures.tag(document_id, 1) != own.pictures.tag(document_id, 2)
    Keep(own.root / "work", view.contract_id).forget()
    assert not list((own.root / "work").rglob(f"*{view.contract_id}*"))
    own.pictures.page(document_id, 1)  # forgotten while somebody looks at it: nothing of it is kept again
    assert not list((own.root / "work").rglob(f"*{view.contract_id}*"))


def test_few_widths_are_kept(shop: Shop):
    document_id = shop.view("order.pdf").documents[0]["document_id"]
    assert shop.pictures.page(document_id, 1, width=790).tag == shop.pictures.page(document_id, 1, width=800).tag
    assert shop.page("order.pdf", width=10**9).shape[1] <= 2400


def document(*lines: list[tuple[str, float, float]], high: float = 10.0) -> Document:
    """A page of words, each with its left edge and its top, six points a letter."""
    text, words = "", []
    for at, line in enumerate(lines):
        text += "\n" if at else ""
        for place, (word, x, y) in enumerate(line):
            text += " " if place else ""
            words.append(Word(len(text), len(text) + len(word), x, y, x + 6 * len(word), y + high))
            text += word
    page = Page(number=1, width=600, height=800, text=text, words=tuple(words))
    return Document(contract_id="c_0", sha256="0", media_type="application/pdf", pages=(page,))


def test_one_box_a_line():
    two = document([("Customer", 50, 100), ("shall", 104, 100)], [("pay", 50, 114), ("now", 74, 114)])
    assert quote_boxes(two, 0, len(two.text)) == ((1, 50, 100, 134, 110), (1, 50, 114, 92, 124))
    assert quote_boxes(two, 9, 18) == ((1, 104, 100, 134, 110), (1, 50, 114, 68, 124))


def test_a_line_break_that_only_the_paper_has():
    """Cells of a table are read on, though the next one begins further up."""
    cells = document([("Fee", 50, 100), ("monthly", 300, 100), ("Term", 50, 130)])
    assert quote_boxes(cells, 0, len(cells.text)) == ((1, 50, 100, 342, 110), (1, 50, 130, 74, 140))


def test_a_leaning_line_has_boxes_in_steps():
    leaning = document([("word", 50 + 30 * at, 100 + 2 * at) for at in range(10)])
    boxes = quote_boxes(leaning, 0, len(leaning.text))
    assert len(boxes) > 1 and all(box.y1 - box.y0 <= 15 for box in boxes)
    assert boxes[0].x0 == 50 and boxes[-1].x1 == 50 + 30 * 9 + 24


def test_a_quotation_over_a_page_break():
    one = document([("before", 50, 700)]).pages[0]
    both = Document(
        contract_id="c_0", sha256="0", media_type="application/pdf", pages=(one, one.model_copy(update={"number": 2}))
    )
    assert [box.page_number for box in quote_boxes(both, 0, len(both.text))] == [1, 2]


def test_pictures_from_many_threads(shop: Shop):
    """MuPDF must not be used by two threads at once."""
    document_id = shop.view("[2026] agreement.pdf").documents[0]["document_id"]
    asked = [(number, width) for number in (1, 2) for width in (400, 800, 1200, 1600)]
    alone = {one: shop.pictures.page(document_id, one[0], width=one[1]).data for one in asked}
    for file in (shop.root / "work").rglob("*shown*"):
        file.unlink()
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda one: shop.pictures.page(document_id, one[0], width=one[1]).data, asked * 4))
    assert drawn == [alone[one] for one in asked * 4]
