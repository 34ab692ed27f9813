"""Photos and scans as pixels. Part of `read`; limits are checked before anything is decoded."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from schemas.errors import DocumentError

DEFAULT_DPI = 200
TAIL = 2048

# Ours is the limit, and it is a setting; Pillow's own would stop at 179 megapixels.
Image.MAX_IMAGE_PIXELS = None

# What Pillow raises on a damaged file, depending on where the damage is.
_DECODING_ERRORS = (
    OSError,
    SyntaxError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    struct.error,
)
_END_MARKS = {b"\x89PNG": b"IEND", b"\xff\xd8\xff": b"\xff\xd9"}


def page_count(path: Path) -> int:
    """How many pages an image file has. Raises DocumentError `truncated` or `damaged`."""
    with _opened(path) as image:
        return getattr(image, "n_frames", 1)


def image_pages(path: Path, max_megapixels: int) -> Iterator[tuple[np.ndarray, float]]:
    """Yield (pixels, dpi) for each page of an image file; pixels are RGB, upright by their EXIF tag.

    Raises DocumentError: `image_too_large`, `truncated`, `damaged`.
    """
    with _opened(path) as image:
        for frame in ImageSequence.Iterator(image):
            yield _pixels(frame, path, max_megapixels), _dpi(image)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The image file, its errors told as ours."""
    try:
        with Image.open(path) as image:
            yield image
    except UnidentifiedImageError as error:
        raise _broken(path, "its header can't be read") from error
    except _DECODING_ERRORS as error:
        raise _broken(path, str(error)) from error


def _broken(path: Path, reason: str) -> DocumentError:
    if "truncated" in reason or _breaks_off(path):
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
        file.seek(max(0, size - TAIL))
        mark = next((end for magic, end in _END_MARKS.items() if start.startswith(magic)), b"")
        return mark not in file.read()


def _pixels(frame: Image.Image, path: Path, max_megapixels: int) -> np.ndarray:
    megapixels = frame.width * frame.height / 1e6
    if megapixels > max_megapixels:
        raise DocumentError(
            f"{path.name} has {megapixels:.0f} megapixels, more than the limit of {max_megapixels}.",
            help="Save it smaller, or raise the setting max_megapixels.",
            code="image_too_large",
        )
    return np.asarray(_rgb(ImageOps.exif_transpose(frame)))


def _rgb(image: Image.Image) -> Image.Image:
    """The image as paper shows it: what is transparent is white, and 16 bits of grey become 8."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _dpi(image: Image.Image) -> float:
    given = image.info.get("dpi", (0, 0))
    value = float(given[0]) if isinstance(given, tuple) and given and given[0] else 0.0
    return value if 72 < value <= 1200 else DEFAULT_DPI
