"""The inbox: which documents a folder holds. The step before `read`.

Every file is a document; a sub-folder that holds images only is one document, its pages in the natural order
of their names; each attachment of an e-mail is a document below the mail's path. Hidden files, the settings file
and what operating systems leave in folders are not documents. Nothing outside the folder is read: what can't be a
document is listed all the same, with the reason, so that it shows up in quarantine.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from extractors.files import IMAGE_EXTENSIONS, Content
from extractors.mail import attachments, is_mail, payload
from schemas.base import Frozen
from schemas.errors import DocumentError, RunError, printable
from schemas.settings import FILE_NAME


class Item(Frozen):
    """A document of the inbox. `source_uri` is its path below the inbox, `problem` why it can't be read.

    `part` is the number of the attachment when the one path is an e-mail, as in `Content`.
    """

    source_uri: str
    file_name: str
    paths: tuple[Path, ...]
    part: int | None = None
    problem: tuple[str, str] | None = None

    @property
    def error(self) -> DocumentError | None:
        """The problem as the error that quarantine shows."""
        return DocumentError(self.problem[1], code=self.problem[0]) if self.problem else None


def scan(inbox: Path) -> list[Item]:
    """All documents below a folder, by path. Raises RunError when there is no such folder."""
    if not inbox.is_dir():
        raise RunError(
            f"There is no folder {inbox}.", help="Name the folder that holds the contracts.", code="no_inbox"
        )
    root = inbox.resolve()
    return [item for path in _inside(root) for item in _items(path, root)]


def item_at(inbox: Path, source_uri: str) -> Item | None:
    """The document of that `source_uri`, as `scan` lists it, without looking at all others; None when it isn't there.

    Each part of the path is a name in its folder, and links are not followed, so that none leads out of the inbox.
    """
    root = inbox.resolve()
    at = root
    for part in source_uri.split("/"):
        found = _named(at, part)
        if found is None:
            return None
        at = found
        if at.is_symlink() or not at.is_dir():
            break  # what is behind a mail's name are its attachments
    return next((item for item in _items(at, root) if item.source_uri == source_uri), None)


def _named(folder: Path, name: str) -> Path | None:
    """What has this name, as it is shown, in a folder."""
    if name not in ("", ".", "..") and (folder / name).exists() and not _is_litter(name):
        return folder / name
    return next((path for path in _inside(folder) if printable(path.name) == name), None)


# What Windows, macOS and Word put into folders by themselves, in small letters; the rest of it is hidden by a dot.
LITTER = frozenset(
    ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin", "system volume information", "__macosx")
)


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not _is_litter(path.name))


def _is_litter(name: str) -> bool:
    """Whether a name is hidden, or the operating system's, or that of a note that Word has a file open."""
    return name.startswith((".", "~$")) or name.lower() in LITTER


def _items(path: Path, inbox: Path) -> Iterator[Item]:
    if path.name == FILE_NAME:
        return
    try:
        if path.is_symlink():
            item = _linked(path, inbox)
            yield from _mail(path, inbox) if is_mail(path) and not item.problem else (item,)
        elif path.is_dir():
            yield from _folder(path, inbox)
        elif path.is_file():
            yield from _mail(path, inbox) if is_mail(path) else (_item(path, inbox, (path,)),)
        else:
            yield _problem(path, inbox, "not_a_file", f"{path.name} is neither a file nor a folder. Remove it.")
    except OSError as error:
        message = f"{path.name} can't be opened: {error.strerror}. Check its permissions."
        yield _problem(path, inbox, "no_access", message)


def _folder(folder: Path, inbox: Path) -> Iterator[Item]:
    inside = _inside(folder)
    if inside and all(_is_photo(path) for path in inside):
        yield _item(folder, inbox, tuple(sorted(inside, key=lambda path: (natural(path.name), path.name))))
        return
    for path in inside:
        yield from _items(path, inbox)


def _mail(path: Path, inbox: Path) -> Iterator[Item]:
    try:
        found = attachments(path)
    except DocumentError as error:
        yield _problem(path, inbox, error.code, str(error))
        return
    mail = _item(path, inbox, (path,))
    for number, name, problem in found:
        yield mail.model_copy(
            update={
                "source_uri": f"{mail.source_uri}/{name}",
                "file_name": name.rpartition("/")[2],
                "part": number,
                "problem": problem,
            }
        )


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_EXTENSIONS and path.is_file() and not path.is_symlink()


def _item(path: Path, inbox: Path, paths: tuple[Path, ...]) -> Item:
    uri = printable(path.relative_to(inbox).as_posix())
    return Item(source_uri=uri, file_name=printable(path.name), paths=paths)


def _problem(path: Path, inbox: Path, code: str, message: str) -> Item:
    return _item(path, inbox, ()).model_copy(update={"problem": (code, printable(message))})


def _linked(path: Path, inbox: Path) -> Item:
    target = Path(os.path.realpath(path))  # `Path.resolve` raises on a link to itself
    if not target.exists():
        return _problem(
            path,
            inbox,
            "broken_link",
            f"{path.name} is a link to nothing. Put the file itself into the inbox.",
        )
    if not target.is_relative_to(inbox):
        return _problem(
            path,
            inbox,
            "link_outside",
            f"{path.name} is a link that leaves the inbox and was not followed. Copy the file into it.",
        )
    if not target.is_file():
        return _problem(
            path,
            inbox,
            "link_to_folder",
            f"{path.name} is a link to a folder; it was not followed. Remove it.",
        )
    return _item(path, inbox, (path,))


def natural(name: str) -> list[tuple[int, int | str]]:
    """Sort key of a name that counts its numbers as numbers."""
    parts = re.split(r"(\d+)", name.lower())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]


def identify(item: Item) -> Content:
    """The content of an item and the ids that hang on it alone.

    Raises DocumentError when its bytes can't be read.
    """
    if item.problem:  # known by its name alone, since nothing of it was read
        digest = hashlib.sha256(f"{item.problem[0]}\0{item.source_uri}".encode()).hexdigest()
    else:
        digests = [_file_hash(path, item.part) for path in item.paths]
        digest = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    return Content(item.paths, f"c_{digest[:16]}", digest, item.part)


def document_id(item: Item, content: Content) -> str:
    """`d_` and 16 hex digits over the path below the inbox and the content."""
    return "d_" + hashlib.sha256(f"{item.source_uri}\0{content.sha256}".encode()).hexdigest()[:16]


def _file_hash(path: Path, part: int | None) -> str:
    try:
        if part is not None:
            return hashlib.sha256(payload(path, part)).hexdigest()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DocumentError(
            f"{path.name} can't be opened: {error.strerror}.", help="Check its permissions.", code="no_access"
        ) from error
