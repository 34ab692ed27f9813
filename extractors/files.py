"""Files before they are read: limits, content and the type their first bytes tell."""

from pathlib import Path
from typing import NamedTuple

from schemas.base import Frozen
from schemas.errors import DocumentError

READ_VERSION = "2"
"""Raised when the same bytes would be read differently; part of the key of cached readings."""


class Limits(Frozen):
    """The most that is read of one document; each is a setting of the same name."""

    max_pages: int = 1_000
    max_megapixels: int = 100
    max_megabytes: int = 200


class Content(NamedTuple):
    """The bytes of a document: one file, or the page photos of a folder in order, and what identifies them."""

    paths: tuple[Path, ...]
    contract_id: str
    sha256: str


MAGIC = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/tiff": (b"II*\x00", b"MM\x00*"),
    "image/webp": (b"RIFF",),
}
EXTENSIONS = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
}
IMAGE_EXTENSIONS = frozenset(ext for ext, kind in EXTENSIONS.items() if kind.startswith("image/"))
SUPPORTED = "PDF, PNG, JPEG, TIFF and WebP"


def media_type_of(path: Path) -> str:
    """The media type by the file's first bytes, which must be what its extension says.

    Raises DocumentError `empty`, `type_mismatch` or `unsupported_type`.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    if not head:
        raise DocumentError(f"{path.name} is empty.", help="Ask the sender for the file again.", code="empty")
    found = _sniff(head)
    expected = EXTENSIONS.get(path.suffix.lower())
    if found is None and expected is None:
        raise DocumentError(
            f"{path.name} is of a type that can't be read.",
            help=f"Save it as one of {SUPPORTED}.",
            code="unsupported_type",
        )
    if expected is not None and found != expected:
        really = f"it is {found}" if found else "its content is something else"
        raise DocumentError(
            f"{path.name} is not what its extension says: {really}.",
            help="Give it the right extension, or ask the sender for the real file.",
            code="type_mismatch",
        )
    return found


def _sniff(head: bytes) -> str | None:
    for media_type, starts in MAGIC.items():
        if media_type == "application/pdf":  # readers accept a PDF header within the first kilobyte
            if b"%PDF-" in head:
                return media_type
        elif media_type == "image/webp":
            if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
                return media_type
        elif head.startswith(starts):
            return media_type
    return None
