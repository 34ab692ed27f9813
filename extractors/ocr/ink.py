"""What can be seen on a page image before it is read: paper, ink, letter-like marks, kind of capture."""

from dataclasses import dataclass

import cv2
import numpy as np

cv2.setNumThreads(1)  # one process per core reads pages; threads inside would only fight over the cores

PAPER_SIDE = 400  # pixels of the longer side on which the brightness of the paper is estimated
INK_CEILING = 190  # of 255 after flattening: anything lighter is paper, also where Otsu finds only noise
MAX_SIDE = 7000  # pixels; a larger image holds no more letters, only a bigger bill
SPECK_REACH = 2  # pixels between the pieces of one broken letter
LONELY = 0.04  # of the square of a letter's height; a full stop has more ink
SOFTENING = 1.2  # pixels; the recogniser has learned letters with soft edges
PHOTO_SHADE = 0.80  # darkest to brightest tenth of the paper; 27 scans stood above .9, photos below .75


def to_grey(image) -> np.ndarray:
    """The image as 8-bit grey, height x width, paper bright; at most `MAX_SIDE` pixels a side.

    `image` is a PIL image or an array: grey, RGB or RGBA, of 8 or 16 bits, or of booleans (true is paper).
    """
    pixels = np.asarray(image)
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * 255
    elif pixels.dtype != np.uint8:
        top = 65535 if pixels.dtype == np.uint16 else max(float(pixels.max(initial=1)), 1.0)
        pixels = (pixels / top * 255).astype(np.uint8)
    if pixels.ndim == 3:
        pixels = _without_colour(pixels)
    return np.ascontiguousarray(pixels)


def _without_colour(pixels: np.ndarray) -> np.ndarray:
    channels = pixels.shape[2]
    if channels <= 2:
        return pixels[:, :, 0]
    grey = cv2.cvtColor(np.ascontiguousarray(pixels[:, :, :3]), cv2.COLOR_RGB2GRAY)
    if channels == 4:
        opaque = pixels[:, :, 3].astype(np.float32) / 255
        grey = (grey * opaque + 255 * (1 - opaque)).astype(np.uint8)
    return grey


def paper(grey: np.ndarray) -> np.ndarray:
    """Brightness of the paper below the print, as a small image (longer side `PAPER_SIDE`)."""
    scale = min(1.0, PAPER_SIDE / max(grey.shape))
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((13, 13), np.uint8))
    return cv2.medianBlur(closed, 15)


def flatten(grey: np.ndarray, below: np.ndarray | None = None) -> np.ndarray:
    """The image divided by the brightness of its paper: shadows go, paper becomes 255."""
    below = paper(grey) if below is None else below
    full = cv2.resize(below, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_LINEAR)
    return cv2.divide(grey, np.maximum(full, 1), scale=255)


def ink_of(flat: np.ndarray) -> np.ndarray:
    """1 where there is ink, 0 on paper (Otsu 1979, with a ceiling so that empty paper stays empty)."""
    level, _ = cv2.threshold(flat, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return (flat <= min(level, INK_CEILING)).astype(np.uint8)


@dataclass(frozen=True)
class Marks:
    """Letter-like marks: `boxes` is n x 4 (x, y, width, height in pixels), `size` their usual height.

    `specks` is the number of marks too small to be print, per letter-like mark.
    """

    boxes: np.ndarray
    size: float
    specks: float

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def centres(self) -> np.ndarray:
        return self.boxes[:, :2] + self.boxes[:, 2:] / 2


def marks_of(ink: np.ndarray) -> Marks:
    """The connected pieces of ink that have a letter's shape and the page's usual height."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    x, y, wide, high, area = stats[1:].T
    longest = max(ink.shape)
    shaped = (high >= 4) & (high < longest / 12) & (wide < 5 * high) & (high < 8 * wide) & (area >= 8)
    # an eighth of the box at least is ink: frames and grain are thinner
    shaped &= area * 8 > wide * high
    if not shaped.any():
        return Marks(np.zeros((0, 4), np.float32), 0.0, 0.0)
    size = _weighted_median(high[shaped], area[shaped])
    letters = shaped & (high > 0.5 * size) & (high < 2.6 * size)
    specks = np.count_nonzero((high < 0.2 * size) & (wide < 0.2 * size) & (area <= 6))
    boxes = np.stack([x, y, wide, high], axis=1)[letters].astype(np.float32)
    return Marks(boxes, float(size), specks / max(1, len(boxes)))


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    running = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(running, running[-1] / 2)])


def despeckled(flat: np.ndarray, size: float) -> np.ndarray:
    """The image without its lonely specks, softened for the reader.

    Worn letters consist of specks too; those stand close together. So ink within `SPECK_REACH` pixels of other
    ink counts as one mark, and only marks smaller than a dot of print go.
    """
    ink = ink_of(flat)
    reach = np.ones((2 * SPECK_REACH + 1, 2 * SPECK_REACH + 1), np.uint8)
    count, labels = cv2.connectedComponents(cv2.dilate(ink, reach), connectivity=8)
    area = np.bincount(labels[ink > 0], minlength=count)
    lonely = area <= LONELY * size * size
    lonely[0] = False
    clean = np.where(lonely[labels], np.uint8(255), flat)
    return cv2.GaussianBlur(clean, (0, 0), SOFTENING)


def shade(below: np.ndarray) -> float:
    """How dark the darkest tenth of the paper is to its brightest tenth, 0 to 1; a flat scan is near 1."""
    dark, bright = np.percentile(below, (10, 90))
    return float(dark / max(bright, 1.0))
