"""The inbox: what a folder holds, and the ids that hang on it."""

import hashlib
import os
from pathlib import Path

import pytest

from extractors.inbox import Item, document_id, identify, natural, scan
from schemas.errors import DocumentError, RunError


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def put(folder: Path, *names: str, data: bytes | None = None) -> None:
    """Files of these names, each with its own name as content unless `data` is given."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() if data is None else data)


def found(inbox: Path) -> dict[str, Item]:
    return {item.source_uri: item for item in scan(inbox)}


def sha(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_every_file_is_a_document_sub_folders_included(inbox):
    put(inbox, "b.pdf", "a/c.pdf", "a/deep/er/d.pdf", "notes.txt", "契約.pdf", "with blank.pdf")
    assert set(found(inbox)) == {
        "b.pdf",
        "a/c.pdf",
        "a/deep/er/d.pdf",
        "notes.txt",
        "契約.pdf",
        "with blank.pdf",
    }
    assert all(item.problem is None and item.error is None for item in scan(inbox))


def test_hidden_files_and_the_settings_are_no_documents(inbox):
    put(inbox, ".DS_Store", ".git/x.pdf", "contract-agent.toml", "a/contract-agent.toml", "a/.b.pdf", "c.pdf")
    assert set(found(inbox)) == {"c.pdf"}


def test_a_folder_of_images_is_one_document_in_natural_order(inbox):
    put(inbox, "lease/page10.jpg", "lease/Page2.JPG", "lease/page1.png", "lease/.thumb.db")
    item = found(inbox)["lease"]
    assert [path.name for path in item.paths] == ["page1.png", "Page2.JPG", "page10.jpg"]
    assert (item.file_name, len(scan(inbox))) == ("lease", 1)


def test_names_that_count_alike_keep_one_order(inbox):
    put(inbox, "lease/p01.jpg", "lease/p1.jpg", "lease/P1.jpg")
    assert [path.name for path in found(inbox)["lease"].paths] == ["P1.jpg", "p01.jpg", "p1.jpg"]


LITTER = ("Thumbs.db", "desktop.ini", ".DS_Store", "._1.jpg", "Icon\r", "~$lease.docx", "__MACOSX/._1.jpg")


def test_what_the_operating_system_leaves_is_no_document_anywhere(inbox):
    put(inbox, *LITTER, "a.pdf", "lease/1.heic", "lease/2.JPG", *(f"lease/{name}" for name in LITTER))
    assert set(found(inbox)) == {"a.pdf", "lease"}
    assert [path.name for path in found(inbox)["lease"].paths] == ["1.heic", "2.JPG"]


def test_names_like_those_are_documents(inbox):
    put(inbox, "thumbs.pdf", "desktop.ini.pdf", "~lease.docx", "Icon.jpg")
    assert set(found(inbox)) == {"thumbs.pdf", "desktop.ini.pdf", "~lease.docx", "Icon.jpg"}


def test_a_folder_of_litter_holds_nothing(inbox):
    put(inbox, *(f"d/{name}" for name in LITTER))
    assert scan(inbox) == []


def test_a_link_to_a_mail_is_opened_like_the_mail(inbox):
    put(inbox, "a.eml", data=b'From: a@b.c\nContent-Type: application/pdf; name="x.pdf"\n\n%PDF-')
    (inbox / "b.eml").symlink_to("a.eml")
    assert set(found(inbox)) == {"a.eml/x.pdf", "b.eml/x.pdf"}


NOT_ONE_DOCUMENT = {
    "another file": (["d/1.jpg", "d/2.pdf"], {"d/1.jpg", "d/2.pdf"}),
    "a folder inside": (["d/1.jpg", "d/more/2.jpg"], {"d/1.jpg", "d/more"}),
    "the inbox itself": (["1.jpg", "2.jpg"], {"1.jpg", "2.jpg"}),
}


@pytest.mark.parametrize(("names", "uris"), NOT_ONE_DOCUMENT.values(), ids=NOT_ONE_DOCUMENT.keys())
def test_other_folders_are_walked(inbox, names, uris):
    put(inbox, *names)
    assert set(found(inbox)) == uris


def test_an_empty_folder_holds_nothing(inbox):
    (inbox / "empty").mkdir()
    assert scan(inbox) == []


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["page10", "page2", "page1"], ["page1", "page2", "page10"]),
        (["IMG_2", "img_10", "Img_1"], ["Img_1", "IMG_2", "img_10"]),
        (["2", "10", "a"], ["2", "10", "a"]),
        (["1-2", "1-10", "1"], ["1", "1-2", "1-10"]),
        (["x²", "1²2", "٣"], ["1²2", "٣", "x²"]),
    ],
)
def test_natural_order(names, ordered):
    assert sorted(names, key=natural) == ordered


def test_links_are_followed_inside_the_inbox_only(inbox, tmp_path):
    put(inbox, "a.pdf", "folder/b.pdf")
    put(tmp_path, "outside.pdf", "elsewhere/c.pdf")
    links = {
        "in.pdf": "a.pdf",
        "out.pdf": tmp_path / "outside.pdf",
        "broken.pdf": "nowhere",
        "loop.pdf": "loop.pdf",
        "to-folder": "folder",
        "to-outside": tmp_path / "elsewhere",
        "folder/up": "..",
    }
    for name, target in links.items():
        (inbox / name).symlink_to(target)
    codes = {uri: item.problem and item.problem[0] for uri, item in found(inbox).items()}
    assert codes == {
        "a.pdf": None,
        "folder/b.pdf": None,
        "in.pdf": None,
        "out.pdf": "link_outside",
        "broken.pdf": "broken_link",
        "loop.pdf": "broken_link",
        "to-folder": "link_to_folder",
        "to-outside": "link_outside",
        "folder/up": "link_to_folder",
    }


def test_what_is_refused_is_never_opened(inbox, tmp_path):
    put(tmp_path, "outside.pdf")
    (inbox / "out.pdf").symlink_to(tmp_path / "outside.pdf")
    item = found(inbox)["out.pdf"]
    assert item.paths == ()
    assert item.error.code == "link_outside" and "Copy" in str(item.error)
    content = identify(item)
    assert content.sha256 != sha(b"outside.pdf")
    assert content.contract_id == f"c_{content.sha256[:16]}"


def test_pipes_are_refused_without_waiting_for_a_writer(inbox):
    os.mkfifo(inbox / "pipe.pdf")
    put(inbox, "photos/1.jpg")
    os.mkfifo(inbox / "photos" / "2.jpg")
    items = found(inbox)
    assert set(items) == {"pipe.pdf", "photos/1.jpg", "photos/2.jpg"}
    assert items["pipe.pdf"].problem[0] == items["photos/2.jpg"].problem[0] == "not_a_file"
    assert identify(items["pipe.pdf"]).contract_id.startswith("c_")


def test_names_of_any_bytes_can_be_written_down(inbox):
    name = os.fsdecode(b"bad\xff\xe9.pdf")
    put(inbox, "lease/1.jpg")
    (inbox / name).write_bytes(b"x")
    (inbox / os.fsdecode(b"link\xfe")).symlink_to("nowhere")
    items = scan(inbox)
    assert len(items) == 3
    for item in items:
        content = identify(item)
        texts = (item.source_uri, item.file_name, document_id(item, content), *(item.problem or ()))
        assert all(text.encode() for text in texts)
    bad = next(item for item in items if item.source_uri.startswith("bad"))
    assert bad.paths[0].read_bytes() == b"x"
    assert DocumentError(f"{bad.paths[0].name} is empty.").message.encode().startswith(b"bad\\udcff")


def test_a_folder_that_can_not_be_opened_is_listed(inbox, monkeypatch):
    put(inbox, "closed/a.pdf", "open/b.pdf")
    real = Path.iterdir

    def iterdir(path: Path):
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    items = found(inbox)
    assert items["closed"].problem[0] == "no_access"
    assert items["open/b.pdf"].problem is None


def test_a_file_that_can_not_be_opened_says_so(inbox):
    put(inbox, "a.pdf")
    item = scan(inbox)[0]
    (inbox / "a.pdf").unlink()
    with pytest.raises(DocumentError) as caught:
        identify(item)
    assert caught.value.code == "no_access"


def test_no_inbox(tmp_path):
    with pytest.raises(RunError) as caught:
        scan(tmp_path / "nowhere")
    assert caught.value.code == "no_inbox"


def test_ids_of_a_file(inbox):
    put(inbox, "a/契約.pdf", data=b"content")
    item = scan(inbox)[0]
    content = identify(item)
    assert content.sha256 == sha(b"content")
    assert content.contract_id == "c_" + sha(b"content")[:16]
    expected = sha("a/契約.pdf".encode(), b"\0", sha(b"content").encode())
    assert document_id(item, content) == f"d_{expected[:16]}"


def test_equal_files_are_one_contract_and_two_documents(inbox):
    put(inbox, "a.pdf", "b/a.pdf", data=b"same")
    first, second = scan(inbox)
    assert identify(first).contract_id == identify(second).contract_id
    assert document_id(first, identify(first)) != document_id(second, identify(second))


def test_ids_of_photos_hang_on_their_order(inbox):
    put(inbox, "lease/2.jpg", data=b"second")
    put(inbox, "lease/10.jpg", data=b"tenth")
    item = scan(inbox)[0]
    content = identify(item)
    expected = sha(sha(b"second").encode(), sha(b"tenth").encode())
    assert content.contract_id == f"c_{expected[:16]}"
    assert document_id(item, content) == "d_" + sha(b"lease\0", content.sha256.encode())[:16]
    (inbox / "lease/2.jpg").rename(inbox / "lease/20.jpg")
    assert identify(scan(inbox)[0]).contract_id != content.contract_id


def test_ids_do_not_hang_on_where_the_inbox_is(inbox, tmp_path):
    put(inbox, "a.pdf")
    before = scan(inbox)[0]
    ids = identify(before).contract_id, document_id(before, identify(before))
    inbox.rename(tmp_path / "moved")
    after = scan(tmp_path / "moved")[0]
    assert (identify(after).contract_id, document_id(after, identify(after))) == ids
