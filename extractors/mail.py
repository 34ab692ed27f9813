"""E-mails of the inbox: each attachment that can be read is a document of its own. Part of the inbox and of `read`.

An attachment is known by its number among the leaves of the message, so that a job needs the mail's path and that
number alone. Names come from strangers: what is used of them is one harmless file name.
"""

import binascii
import io
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from email import errors, message_from_bytes, policy
from email.message import EmailMessage
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from extractors.files import EXTENSIONS, Content, Limits
from schemas.errors import DocumentError, printable

MAIL_EXTENSIONS = frozenset((".eml",))
DEEPEST = 8
"""How many mails may be attached to one another before the inner ones are left alone."""

LONGEST_NAME = 120
MAX_BYTES = Limits().max_megabytes * 1_000_000
TINY_SIDE = 300
PAGE_SIDE = 1000
"""Pixels of the shorter side: of less than the first no page can be read, of the second also one shown in the text."""

# What mail programs add by themselves: RFC 5545, 6350, 8551, 3156, 3464, 3462.
_ADDED_TYPES = frozenset(
    (
        "text/calendar",
        "text/vcard",
        "text/x-vcard",
        "application/ics",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/pgp-keys",
        "message/delivery-status",
        "message/disposition-notification",
        "text/rfc822-headers",
    )
)
_LOCKED_TYPES = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"))
_CUT_SHORT = (errors.InvalidBase64PaddingDefect, errors.InvalidBase64LengthDefect)
_OUTLOOK_TYPES = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
_EXTENSION_OF = {kind: extension for extension, kind in reversed(EXTENSIONS.items())} | {"image/heif": ".heif"}


class Attachment(NamedTuple):
    """An attachment: its number, its name (behind those of the mails around it) and why it can't be read."""

    number: int
    name: str
    problem: tuple[str, str] | None = None


class _Leaf(NamedTuple):
    """A part of a mail that holds no others, and the names of the attached mails that it lies in."""

    part: EmailMessage
    folders: tuple[str, ...]
    referenced: frozenset[str]


def is_mail(path: Path) -> bool:
    """Whether a file is an e-mail, by its name."""
    return path.suffix.lower() in MAIL_EXTENSIONS


def attachments(path: Path) -> list[Attachment]:
    """The attachments of a mail that are documents, in its order, under names that differ.

    Raises DocumentError `damaged`, `too_large` or `no_attachment`, and OSError when the file can't be opened.
    """
    taken: set[str] = set()
    found = []
    for number, leaf in enumerate(_leaves_of(path)):
        if not _is_document(leaf):
            continue
        name = "/".join((*leaf.folders, _unique(_name(leaf.part, number), leaf.folders, taken)))
        found.append(Attachment(number, name, _problem(leaf.part, name)))
    if not found:
        raise DocumentError(
            f"{path.name} is an e-mail without an attachment that could be a contract.",
            help="If its text is the contract, print it to PDF; else remove it from the inbox.",
            code="no_attachment",
        )
    return found


def payload(path: Path, number: int) -> bytes:
    """The bytes of an attachment by its number. Raises DocumentError as `attachments` does."""
    leaves = _leaves_of(path)
    if number >= len(leaves):
        raise DocumentError(
            f"{path.name} has changed since the inbox was read.", help="Run it again.", code="no_access"
        )
    return _decoded(leaves[number].part)


@contextmanager
def materialised(content: Content) -> Iterator[Content]:
    """The content as files: an attachment is written to a temporary one for as long as the context lasts.

    Raises DocumentError when the mail can't be read any more.
    """
    if content.part is None:
        yield content
        return
    mail = content.paths[0]
    try:
        data = payload(mail, content.part)
        name = _name(_leaves_of(mail)[content.part].part, content.part)
    except OSError as error:
        raise DocumentError(
            f"{mail.name} can't be opened: {error.strerror}.", help="Check its permissions.", code="no_access"
        ) from error
    with tempfile.TemporaryDirectory(prefix="attachment-") as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        yield content._replace(paths=(path,), part=None)


def _leaves_of(path: Path) -> tuple[_Leaf, ...]:
    stat = path.stat()
    return _parsed(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=2)
def _parsed(path: Path, changed: int, size: int) -> tuple[_Leaf, ...]:
    """All leaves of a mail; kept, since each of its attachments asks for them."""
    if size > MAX_BYTES:
        raise DocumentError(
            f"{path.name} has {size / 1e6:.0f} MB, more than the limit of {MAX_BYTES / 1e6:.0f}.",
            help="Put its attachments into the inbox as files.",
            code="too_large",
        )
    message = _message(path.read_bytes())
    if not message.keys() or not (message["from"] or message["date"] or message["content-type"]):
        raise DocumentError(
            f"{path.name} is not an e-mail: it has no headers.",
            help="Save the message again in your mail program, with its headers.",
            code="damaged",
        )
    return tuple(_leaves(message, ()))


def _message(data: bytes) -> EmailMessage:
    return message_from_bytes(data, policy=policy.default)


def _leaves(message: EmailMessage, folders: tuple[str, ...]) -> Iterator[_Leaf]:
    referenced = _referenced(message)
    for part in _parts(message):
        inner = _inner_mail(part) if len(folders) < DEEPEST else None
        if inner is None:
            yield _Leaf(part, folders, referenced)
        else:
            name = _harmless(part.get_filename() or f"{inner['subject'] or 'message'}.eml") or "message.eml"
            yield from _leaves(inner, (*folders, name))


def _parts(message: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that hold no others; attached mails are such parts too."""
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        for part in message.iter_parts():
            yield from _parts(part)
    else:
        yield message


def _inner_mail(part: EmailMessage) -> EmailMessage | None:
    if part.get_content_type() == "message/rfc822" and part.is_multipart():
        return part.get_payload(0)
    if Path(part.get_filename() or "").suffix.lower() in MAIL_EXTENSIONS and not part.is_multipart():
        inner = _message(_decoded(part))
        return inner if inner.keys() else None
    return None


def _referenced(message: EmailMessage) -> frozenset[str]:
    """The Content-IDs that the mail's HTML shows in its text (RFC 2392)."""
    pages = [part for part in _parts(message) if part.get_content_type() == "text/html"]
    text = b" ".join(_decoded(part) for part in pages).decode("latin-1")
    return frozenset(re.findall(r"cid:([^\"'\s>)]+)", text, re.IGNORECASE))


def _is_document(leaf: _Leaf) -> bool:
    kind, name = leaf.part.get_content_type(), leaf.part.get_filename()
    if kind in _ADDED_TYPES:
        return False
    if leaf.part.get_content_maintype() in ("text", "multipart", "message") and not name:
        return False
    return not _is_decoration(leaf)


def _is_decoration(leaf: _Leaf) -> bool:
    """Whether a part is a picture too small to be a page, such as the logo below a signature."""
    name = Path(leaf.part.get_filename() or "")
    if leaf.part.get_content_maintype() != "image" and not EXTENSIONS.get(name.suffix.lower(), "").startswith("image/"):
        return False
    content_id = (leaf.part["content-id"] or "").strip().strip("<>")
    side = _shorter_side(_decoded(leaf.part))
    if side is None:  # SVG and the like can only be decoration; a photo that can't be opened is told by `read`
        return leaf.part.get_content_type() in ("image/svg+xml", "image/x-icon", "image/vnd.microsoft.icon")
    return side < (PAGE_SIDE if content_id in leaf.referenced else TINY_SIDE)


def _shorter_side(data: bytes) -> int | None:
    """Pixels of the shorter side of a picture, by its header; None when Pillow doesn't know it."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            return min(image.size)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return None


def _problem(part: EmailMessage, name: str) -> tuple[str, str] | None:
    kind = part.get_content_type()
    if kind in _OUTLOOK_TYPES or name.lower().endswith("winmail.dat"):
        text = "is a wrapping of Outlook. Ask the sender to send the files themselves, or for a message as plain text."
        return "unsupported_type", f"{name} {text}"
    if kind in _LOCKED_TYPES and part.get_param("smime-type") != "signed-data":
        return "encrypted", f"{name} is encrypted. Open the message and save its attachments into the inbox."
    _decoded(part)  # only decoding finds what is missing
    if any(isinstance(defect, _CUT_SHORT) for defect in part.defects):
        return "truncated", f"{name} breaks off before its end. Ask for the message again."
    return None


def _decoded(part: EmailMessage) -> bytes:
    """The bytes of a part; what can't be decoded comes as it stands."""
    if part.is_multipart():
        return b""
    try:
        data = part.get_payload(decode=True)
    except (binascii.Error, ValueError, LookupError):
        data = part.get_payload().encode("utf-8", "surrogateescape")
    return data or b""


def _name(part: EmailMessage, number: int) -> str:
    """A harmless name with the extension of the part's type, if it has none that is known."""
    name = _harmless(part.get_filename() or "")
    extension = _EXTENSION_OF.get(part.get_content_type(), "")
    if not name:
        return f"attachment-{number + 1}{extension}"
    return name if Path(name).suffix.lower() in EXTENSIONS else name + extension


# Control characters, surrogates, and marks that turn the order of letters around (a `fdp.exe` shown as `exe.pdf`).
_HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def _harmless(name: str) -> str:
    """The last part of a name without control characters and leading dots, of at most `LONGEST_NAME` bytes."""
    name = _HARMFUL.sub("", printable(name)).replace("\\", "/").rpartition("/")[2]
    name = re.sub(r"[:*?\"<>|]", "_", name).strip().lstrip(".").rstrip(". ")
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 10:
        stem, extension = name, ""
    room = LONGEST_NAME - len(extension.encode()) - 1
    stem = stem.encode()[:room].decode("utf-8", "ignore")
    return f"{stem}.{extension}" if extension else stem


def _unique(name: str, folders: tuple[str, ...], taken: set[str]) -> str:
    """The name, or the first of `name (2)`, `name (3)` that is free."""
    path, tried, count = Path(name), name, 1
    while "/".join((*folders, tried)).lower() in taken:
        count += 1
        tried = f"{path.stem} ({count}){path.suffix}"
    taken.add("/".join((*folders, tried)).lower())
    return tried
