"""Photos and scans as pixels. Part of `read`; limits are checked before anything is decoded."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from schemas.errors import DocumentError

DEFAULT_DPI = 200


def image_pages(path: Path, max_megapixels: int, max_pages: int):
    """Yield (pixels, dpi) for each page of an image file; pixels are RGB, upright by their EXIF tag.

    Raises DocumentError: `image_too_large`, `too_many_pages`, `truncated`, `unreadable`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is checked below
        try:
            with Image.open(path) as image:
                frames = getattr(image, "n_frames", 1)
                if frames > max_pages:
                    raise DocumentError(
                        f"{path.name} has {frames} pages, more than the limit of {max_pages}.",
                        help="Split it, or raise the setting max_pages.",
                        code="too_many_pages",
                    )
                for frame in ImageSequence.Iterator(image):
                    yield _pixels(frame, path, max_megapixels), _dpi(image)
        except UnidentifiedImageError as error:
            raise DocumentError(
                f"{path.name} can't be decoded as an image.",
                help="Open it in a viewer; if that fails too, ask for it again.",
            ) from error
        except (OSError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
            raise DocumentError(
                f"{path.name} breaks off or is damaged: {error}.",
                help="Ask for the file again: it was probably cut short while copying.",
                code="truncated",
            ) from error


def _pixels(frame: Image.Image, path: Path, max_megapixels: int) -> np.ndarray:
    megapixels = frame.width * frame.height / 1e6
    if megapixels > max_megapixels:
        raise DocumentError(
            f"{path.name} has {megapixels:.0f} megapixels, more than the limit of {max_megapixels}.",
            help="Save it smaller, or raise the setting max_megapixels.",
            code="image_too_large",
        )
    return np.asarray(ImageOps.exif_transpose(frame).convert("RGB"))


def _dpi(image: Image.Image) -> float:
    given = image.info.get("dpi", (0, 0))
    value = float(given[0]) if isinstance(given, tuple) and given and given[0] else 0.0
    return value if 72 < value <= 1200 else DEFAULT_DPI
