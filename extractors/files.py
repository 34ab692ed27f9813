"""Files before they are read: limits, content and the type their first bytes tell."""

import mmap
import zipfile
from pathlib import Path
from typing import Literal, NamedTuple

from schemas.base import Frozen
from schemas.errors import DocumentError

READ_VERSION = "4"
"""Raised when the same bytes would be read differently; part of the key of cached readings."""


class Limits(Frozen):
    """The most that is read of one document, and whether pictures are read fast or accurately; settings all."""

    max_pages: int = 1_000
    max_megapixels: int = 100
    max_megabytes: int = 200
    reading: Literal["fast", "accurate"] = "fast"


class Content(NamedTuple):
    """The bytes of a document and what identifies them.

    They are one file, the page photos of a folder in order, or, where `part` is given, the attachment of that
    number (from 0) of the e-mail that is the one path; `extractors.mail.materialised` makes a file of it.
    """

    paths: tuple[Path, ...]
    contract_id: str
    sha256: str
    part: int | None = None


DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MAGIC = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/tiff": (b"II*\x00", b"MM\x00*"),
    "image/webp": (b"RIFF",),
    "image/heic": (b"ftyp",),
    DOCX: (b"PK\x03\x04",),
}
EXTENSIONS = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".heif": "image/heic",
    ".docx": DOCX,
    ".docm": DOCX,  # its macros are never looked at
}
IMAGE_EXTENSIONS = frozenset(ext for ext, kind in EXTENSIONS.items() if kind.startswith("image/"))
SUPPORTED = "PDF, DOCX, PNG, JPEG, TIFF, WebP and HEIC"

# ISO/IEC 23008-12, annexes B and C: the brands of pictures and sequences coded in HEVC. `mif1` and `msf1` say only
# that it is such a container (AVIF is one too); what is coded in it stands among the compatible brands.
HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"))
HEIF_BRANDS = frozenset((b"mif1", b"mif2", b"msf1"))
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] 2.3.4.4, a stream of the container


def media_type_of(path: Path) -> str:
    """The media type by the file's first bytes, which must be what its extension says.

    Raises DocumentError `empty`, `encrypted`, `damaged`, `type_mismatch` or `unsupported_type`.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    if not head:
        raise DocumentError(f"{path.name} is empty.", help="Ask the sender for the file again.", code="empty")
    extension = path.suffix.lower()
    found = _sniff(head, path)
    expected = EXTENSIONS.get(extension)
    if head.startswith(OLE):
        _refuse_ole(path, expected)
    if found is None and expected is None:
        raise _unsupported(path)
    if expected is not None and found != expected:
        really = f"it is {found}" if found else "its content is something else"
        raise DocumentError(
            f"{path.name} is not what its extension says: {really}.",
            help="Give it the right extension, or ask the sender for the real file.",
            code="type_mismatch",
        )
    return found


def _unsupported(path: Path) -> DocumentError:
    return DocumentError(
        f"{path.name} is of a type that can't be read.",
        help=f"Save it as one of {SUPPORTED}.",
        code="unsupported_type",
    )


def _refuse_ole(path: Path, expected: str | None) -> None:
    """Tell the two kinds of files that Office keeps in this container: locked ones, and those of before 2007."""
    if expected in (None, DOCX) and _contains(path, _ENCRYPTED_PACKAGE):
        raise DocumentError(
            f"{path.name} is protected by a password.",
            help="Save a copy without the password into the inbox.",
            code="encrypted",
        )
    if path.suffix.lower() in (".doc", ".dot"):
        raise DocumentError(
            f"{path.name} is a Word file of the old binary type, which can't be read.",
            help="Open it in Word and save it as DOCX or PDF.",
            code="unsupported_type",
        )
    if path.suffix.lower() == ".msg":
        raise DocumentError(
            f"{path.name} is a message of Outlook, which can't be read.",
            help="Save its attachments into the inbox, or the message as .eml.",
            code="unsupported_type",
        )


def _contains(path: Path, needle: bytes) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(needle) >= 0


def _sniff(head: bytes, path: Path) -> str | None:
    for media_type, starts in MAGIC.items():
        if media_type == "application/pdf":  # readers accept a PDF header within the first kilobyte
            if b"%PDF-" in head:
                return media_type
        elif media_type == "image/webp":
            if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
                return media_type
        elif media_type == "image/heic":
            if _is_heic(head):
                return media_type
        elif media_type == DOCX:
            if head.startswith(starts) and _is_word(path):
                return media_type
        elif head.startswith(starts):
            return media_type
    return None


def _is_heic(head: bytes) -> bool:
    """Whether the file begins with the type box of a HEIC picture: size, `ftyp`, brand, version, more brands."""
    if head[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brand, others = head[8:12], {head[at : at + 4] for at in range(16, end - 3, 4)}
    return brand in HEIC_BRANDS or (brand in HEIF_BRANDS and bool(others & HEIC_BRANDS))


def _is_word(path: Path) -> bool:
    """Whether a zip holds a Word document. Raises DocumentError `damaged` when its table of contents is broken."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        if EXTENSIONS.get(path.suffix.lower()) != DOCX:
            return False
        raise DocumentError(
            f"{path.name} is damaged or breaks off before its end.",
            help="Open it in Word; if that fails too, ask for the file again.",
            code="damaged",
        ) from error
    return any(name.startswith("word/document") and name.endswith(".xml") for name in names)
