"""E-mails in the inbox: which attachments are documents, under which names, and their bytes."""

import hashlib
import io
from email.message import EmailMessage
from pathlib import Path

import numpy as np
import papers
import pytest
from PIL import Image

from extractors.files import Limits
from extractors.inbox import Item, document_id, identify, scan
from extractors.mail import LONGEST_NAME, materialised
from extractors.read import read
from schemas.errors import DocumentError

PAPER = papers.paper()
LOGO = papers.picture("PNG", (120, 40))


def photo(size: tuple[int, int] = (1100, 1400)) -> bytes:
    file = io.BytesIO()
    Image.new("L", size, 255).save(file, "JPEG")
    return file.getvalue()


def mail(*files: tuple[str | None, bytes], text: str = "Please find attached.") -> EmailMessage:
    """A mail with PDF attachments of these names."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "Contract / signed"
    message.set_content(text)
    for name, data in files:
        message.add_attachment(data, maintype="application", subtype="pdf", filename=name)
    return message


def put(inbox: Path, name: str, message: EmailMessage | bytes) -> None:
    data = message if isinstance(message, bytes) else message.as_bytes()
    papers.written(inbox / name, data)


def found(inbox: Path) -> dict[str, Item]:
    return {item.source_uri: item for item in scan(inbox)}


def codes(inbox: Path) -> dict[str, str | None]:
    return {uri: item.problem and item.problem[0] for uri, item in found(inbox).items()}


def test_each_attachment_is_a_document(tmp_path):
    put(tmp_path, "in/mail.eml", mail(("契約.pdf", PAPER), ("B.PDF", PAPER + b"\n")))
    items = found(tmp_path)
    assert list(items) == ["in/mail.eml/契約.pdf", "in/mail.eml/B.PDF"]
    first = items["in/mail.eml/契約.pdf"]
    assert (first.file_name, first.paths[0].name, first.problem) == ("契約.pdf", "mail.eml", None)


def test_its_ids_are_those_of_the_same_file(tmp_path):
    put(tmp_path, "mail.eml", mail(("a.pdf", PAPER)))
    papers.written(tmp_path / "z.pdf", PAPER)
    attached, file = scan(tmp_path)
    content = identify(attached)
    assert content.sha256 == hashlib.sha256(PAPER).hexdigest()
    assert content.contract_id == identify(file).contract_id
    assert document_id(attached, content) != document_id(file, identify(file))
    before = hashlib.sha256(f"mail.eml/a.pdf\0{content.sha256}".encode()).hexdigest()
    assert document_id(attached, content) == f"d_{before[:16]}"


def test_an_attachment_is_read_from_a_file_that_goes_away(tmp_path):
    put(tmp_path, "mail.eml", mail(("a.pdf", b"%PDF-other"), ("../b.pdf", PAPER)))
    content = identify(found(tmp_path)["mail.eml/b.pdf"])
    with materialised(content) as file:
        assert (file.part, file.sha256, file.paths[0].name) == (None, content.sha256, "b.pdf")
        assert file.paths[0].read_bytes() == PAPER
        assert read(file, Limits()).pages[0].text.startswith("This Agreement")
    assert not file.paths[0].exists()


def test_files_pass_through(tmp_path):
    papers.written(tmp_path / "a.pdf", PAPER)
    content = identify(scan(tmp_path)[0])
    with materialised(content) as file:
        assert file is content


def test_equal_names_stay_apart(tmp_path):
    put(tmp_path, "m.eml", mail(("a.pdf", b"1"), ("A.pdf", b"2"), ("a.pdf", b"3"), (None, b"4")))
    assert list(found(tmp_path)) == ["m.eml/a.pdf", "m.eml/A (2).pdf", "m.eml/a (3).pdf", "m.eml/attachment-5.pdf"]
    hashes = [identify(item).sha256 for item in scan(tmp_path)]
    assert hashes == [hashlib.sha256(data).hexdigest() for data in (b"1", b"2", b"3", b"4")]


HOSTILE = {
    "path": ("../../../etc/passwd.pdf", "passwd.pdf"),
    "Windows path": ("C:\\Users\\x\\..\\a.pdf", "a.pdf"),
    "root": ("/a.pdf", "a.pdf"),
    "dots alone": ("..", "attachment-2.pdf"),
    "hidden": (".htaccess.pdf", "htaccess.pdf"),
    "extension alone": ("...pdf", "pdf.pdf"),
    "turned letters": ("a\u202efdp.pdf", "afdp.pdf"),
    "no extension": ("Contract v1.2", "Contract v1.2.pdf"),
    "blank": ("   ", "attachment-2.pdf"),
    "reserved": ("a:b|c?.pdf", "a_b_c_.pdf"),
}


@pytest.mark.parametrize(("name", "harmless"), HOSTILE.values(), ids=HOSTILE.keys())
def test_names_are_harmless(tmp_path, name, harmless):
    put(tmp_path / "inbox", "m.eml", mail((name, PAPER)))
    (item,) = scan(tmp_path / "inbox")
    assert (item.source_uri, item.file_name) == (f"m.eml/{harmless}", harmless)
    with materialised(identify(item)) as file:
        assert file.paths[0].read_bytes() == PAPER
    assert [path.name for path in tmp_path.rglob("*")] == ["inbox", "m.eml"]


def test_control_characters_in_a_name(tmp_path):
    header = b'From: a@b.c\nContent-Type: application/pdf; name="=?utf-8?Q?a=00=0A=07b.pdf?="\n\n%PDF-'
    put(tmp_path, "m.eml", header)
    assert list(found(tmp_path)) == ["m.eml/ab.pdf"]


@pytest.mark.parametrize("letter", ["a", "契", "\U0001f600"])
def test_a_very_long_name_is_cut_and_keeps_its_type(tmp_path, letter):
    put(tmp_path, "m.eml", mail((letter * 300 + ".pdf", PAPER)))
    (item,) = scan(tmp_path)
    assert len(item.file_name.encode()) <= LONGEST_NAME
    assert item.file_name.endswith(f"{letter}.pdf")
    with materialised(identify(item)) as file:
        assert file.paths[0].suffix == ".pdf"


def test_a_mail_attached_to_a_mail(tmp_path):
    inner, outer = mail(("a.pdf", b"inner")), mail(("a.pdf", b"outer"))
    outer.add_attachment(inner)
    outer.add_attachment(inner.as_bytes(), maintype="application", subtype="octet-stream", filename="saved.eml")
    put(tmp_path, "m.eml", outer)
    assert {
        uri: identify(item).sha256 == hashlib.sha256(b"inner").hexdigest() for uri, item in found(tmp_path).items()
    } == {
        "m.eml/a.pdf": False,
        "m.eml/signed.eml/a.pdf": True,
        "m.eml/saved.eml/a.pdf": True,
    }


def test_mails_attached_without_end_are_not_followed_for_ever(tmp_path):
    message = mail(("a.pdf", PAPER))
    for _ in range(40):
        outer = mail(("b.pdf", PAPER))
        outer.add_attachment(message)
        message = outer
    put(tmp_path, "m.eml", message)
    assert 2 <= len(scan(tmp_path)) <= 20


def test_pictures_in_the_text_are_no_documents(tmp_path):
    message = mail(("a.pdf", PAPER))
    message.get_body().add_related(LOGO, "image", "png", cid="<logo@x>", filename="image001.png")
    message.add_attachment(LOGO, maintype="image", subtype="png", filename="image002.png")
    put(tmp_path, "m.eml", message)
    assert list(found(tmp_path)) == ["m.eml/a.pdf"]


def _with_picture_in_text(data: bytes) -> EmailMessage:
    message = mail()
    message.add_alternative('<p>Regards</p><img src="cid:banner@x">', subtype="html")
    message.get_payload()[1].add_related(data, "image", "jpeg", cid="<banner@x>", filename="banner.jpg")
    return message


def test_a_banner_in_the_text_is_no_document_and_a_page_is(tmp_path):
    put(tmp_path, "banner.eml", _with_picture_in_text(photo((1600, 500))))
    put(tmp_path, "page.eml", _with_picture_in_text(photo()))
    assert codes(tmp_path) == {"banner.eml": "no_attachment", "page.eml/banner.jpg": None}


def test_photos_of_pages_are_documents_inline_or_not(tmp_path):
    message = mail()
    for name, disposition in (("IMG_1.jpg", "inline"), ("IMG_2.jpg", "attachment")):
        message.add_attachment(
            photo((600, 800)), maintype="image", subtype="jpeg", filename=name, disposition=disposition
        )
    put(tmp_path, "m.eml", message)
    assert list(found(tmp_path)) == ["m.eml/IMG_1.jpg", "m.eml/IMG_2.jpg"]


def test_a_mail_without_attachments_says_what_helps(tmp_path):
    signed = mail()
    signed.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename="invite.ics")
    signed.add_attachment(b"0", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    put(tmp_path, "text.eml", mail(text="This Agreement is made between A and B."))
    put(tmp_path, "signed.eml", signed)
    assert codes(tmp_path) == {"text.eml": "no_attachment", "signed.eml": "no_attachment"}
    assert "print it to PDF" in str(found(tmp_path)["text.eml"].error)


def test_what_can_not_be_read_is_listed_with_the_reason(tmp_path):
    message = mail(("a.pdf", PAPER))
    message.add_attachment(b"x\x9f\x3e\x22", maintype="application", subtype="ms-tnef", filename="winmail.dat")
    message.add_attachment(b"0", maintype="application", subtype="pkcs7-mime", filename="smime.p7m")
    message.add_attachment(b"PK\x03\x04", maintype="application", subtype="zip", filename="all.zip")
    put(tmp_path, "m.eml", message)
    assert codes(tmp_path) == {
        "m.eml/a.pdf": None,
        "m.eml/winmail.dat": "unsupported_type",
        "m.eml/smime.p7m": "encrypted",
        "m.eml/all.zip": None,
    }
    with materialised(identify(found(tmp_path)["m.eml/all.zip"])) as file, pytest.raises(DocumentError) as caught:
        read(file, Limits())
    assert caught.value.code == "unsupported_type"


def test_base64_that_breaks_off(tmp_path):
    data = mail(("a.pdf", PAPER)).as_bytes()
    end = data.rindex(b"\n--")
    put(tmp_path, "m.eml", data[: end - 101] + b"\n")
    assert codes(tmp_path) == {"m.eml/a.pdf": "truncated"}
    assert "again" in str(scan(tmp_path)[0].error)


NO_MAILS = {
    "nothing": b"",
    "prose": b"Dear Sirs,\nplease find attached.\n",
    "bytes": bytes(range(256)) * 20,
    "a PDF": PAPER,
    "other headers": b"Key: value\n\nbody",
}


@pytest.mark.parametrize("data", NO_MAILS.values(), ids=NO_MAILS.keys())
def test_what_is_no_mail_is_damaged(tmp_path, data):
    put(tmp_path, "m.eml", data)
    assert codes(tmp_path) == {"m.eml": "damaged"}
    assert identify(scan(tmp_path)[0]).contract_id.startswith("c_")


def test_a_mail_that_changed_after_the_scan(tmp_path):
    put(tmp_path, "m.eml", mail(("a.pdf", PAPER)))
    (item,) = scan(tmp_path)
    content = identify(item)
    put(tmp_path, "m.eml", mail())
    with pytest.raises(DocumentError) as caught, materialised(content):
        pass
    assert caught.value.code == "no_access"
    (tmp_path / "m.eml").unlink()
    with pytest.raises(DocumentError) as caught, materialised(content):
        pass
    assert caught.value.code == "no_access"


def test_damage_anywhere_is_listed_or_read(tmp_path):
    message = mail(("a.pdf", PAPER), ("b.pdf", PAPER))
    message.add_attachment(mail(("c.pdf", PAPER)))
    data = message.as_bytes()
    random = np.random.default_rng(5)
    for number in range(60):
        broken = bytearray(data)
        for _ in range(int(random.integers(1, 6))):
            at = int(random.integers(0, len(broken)))
            broken[at : at + int(random.integers(0, 40))] = random.bytes(int(random.integers(0, 8)))
        put(tmp_path / str(number), "m.eml", bytes(broken))
    items = scan(tmp_path)
    assert len({item.source_uri.partition("/")[0] for item in items}) == 60
    assert all(identify(item).sha256 for item in items)
