"""Photos and scans as pixels. Part of `read`; limits are checked before anything is decoded."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from extractors.files import media_type_of
from schemas.errors import DocumentError

DEFAULT_DPI = 200
TAIL = 2048
MULTIPAGE = ("TIFF",)
"""Of the types with several frames only these have pages; those of the others are an animation's."""

# TIFF 6.0, NewSubfileType: bit 0 is a smaller copy of another image of the file, bit 2 a transparency mask.
_SUBFILE_TYPE = 254
_NO_PAGE = 0b101
_SQUARE = 0.05

# Ours is the limit, and it is a setting; Pillow's own would stop at 179 megapixels.
Image.MAX_IMAGE_PIXELS = None

# What Pillow raises on a damaged file, depending on where the damage is.
DECODING_ERRORS = (
    OSError,
    SyntaxError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    struct.error,
)
_END_MARKS = {b"\x89PNG": b"IEND", b"\xff\xd8\xff": b"\xff\xd9"}


def page_count(path: Path) -> int:
    """How many pages an image file has. Raises DocumentError `truncated` or `damaged`."""
    with _opened(path) as image:
        return sum(1 for _ in _frames(image))


def image_pages(path: Path, max_megapixels: int) -> Iterator[tuple[np.ndarray, float]]:
    """Yield (pixels, dpi) for each page of an image file; pixels are RGB, upright by their EXIF tag.

    Raises DocumentError: `image_too_large`, `truncated`, `damaged`.
    """
    with _opened(path) as image:
        for frame in _frames(image):
            across, down = _resolution(frame)
            yield _pixels(frame, path, max_megapixels, across / down), max(across, down)


def _frames(image: Image.Image) -> Iterator[Image.Image]:
    """The pages of a file: those of a TIFF without its thumbnails and masks, of others the picture itself."""
    if image.format not in MULTIPAGE:
        yield image
        return
    for frame in ImageSequence.Iterator(image):
        if not frame.tag_v2.get(_SUBFILE_TYPE, 0) & _NO_PAGE:
            yield frame


@lru_cache(maxsize=1)
def _learn_heic() -> None:
    """Teach Pillow HEIC. pillow-heif turns the picture upright by itself and clears the EXIF tag that says how."""
    import pillow_heif  # loads libheif, which most documents never need

    pillow_heif.register_heif_opener()


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The image file, its errors told as ours."""
    if media_type_of(path) == "image/heic":
        _learn_heic()
    try:
        with Image.open(path) as image:
            yield image
    except UnidentifiedImageError as error:
        raise _broken(path, "its header can't be read") from error
    except DECODING_ERRORS as error:
        raise _broken(path, str(error)) from error


def _broken(path: Path, reason: str) -> DocumentError:
    reason = " ".join(reason.split()).rstrip(".")
    if "truncated" in reason or "end of file" in reason.lower() or _breaks_off(path):
        return DocumentError(
            f"{path.name} breaks off before its end.",
            help="Ask for the file again: it was probably cut short while copying.",
            code="truncated",
        )
    return DocumentError(
        f"{path.name} is damaged: {reason}.",
        help="Open it in a viewer; if that fails too, ask for it again.",
        code="damaged",
    )


def _breaks_off(path: Path) -> bool:
    """Whether the file is shorter than it says, or the mark that ends its type is missing."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if start.startswith(b"RIFF"):
            return size < 8 + int.from_bytes(start[4:], "little")
        if start[4:] == b"ftyp":
            return _boxes_break_off(file, size)
        file.seek(max(0, size - TAIL))
        mark = next((end for magic, end in _END_MARKS.items() if start.startswith(magic)), b"")
        return mark not in file.read()


def _boxes_break_off(file: BinaryIO, size: int) -> bool:
    """Whether a box of the file is longer than the file, or there is none with pixels (ISO/IEC 14496-12, 4.2)."""
    at, kind = 0, b""
    while at + 8 <= size and kind != b"mdat":
        file.seek(at)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 0:  # it goes on to the end, wherever that is
            return False
        at += max(8, int.from_bytes(head[8:16], "big") if length == 1 else length)
    return at > size or kind != b"mdat"


def _pixels(frame: Image.Image, path: Path, max_megapixels: int, aspect: float = 1.0) -> np.ndarray:
    """The pixels of a page, squares of them where a fax has fewer rows than columns to the inch."""
    megapixels = frame.width * frame.height * max(aspect, 1 / aspect) / 1e6
    if megapixels > max_megapixels:
        raise DocumentError(
            f"{path.name} has {megapixels:.0f} megapixels, more than the limit of {max_megapixels}.",
            help="Save it smaller, or raise the setting max_megapixels.",
            code="image_too_large",
        )
    upright = ImageOps.exif_transpose(frame)
    if upright.size != frame.size:  # it lay on its side
        aspect = 1 / aspect
    image = on_paper(upright)
    if aspect != 1:
        size = round(image.width * max(1, 1 / aspect)), round(image.height * max(1, aspect))
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image)


def on_paper(image: Image.Image) -> Image.Image:
    """The image as paper shows it: what is transparent is white, and more than 8 bits of grey become 8."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        grey = np.asarray(image, np.float64)
        return Image.fromarray((grey * (255 / max(grey.max(), 1e-9))).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _resolution(image: Image.Image) -> tuple[float, float]:
    """Pixels to the inch across and down; they differ for faxes alone, which come as TIFF (ITU-T T.4: 204 x 98)."""
    given = image.info.get("dpi", (0, 0))
    pair = given if isinstance(given, tuple) and len(given) == 2 else (0, 0)
    across, down = (float(value) for value in pair)
    if not 72 < across <= 1200:
        return DEFAULT_DPI, DEFAULT_DPI
    is_fax = image.format in MULTIPAGE and 72 < down <= 1200 and 0.4 < across / down < 2.5
    return (across, down) if is_fax and abs(across / down - 1) > _SQUARE else (across, across)
