"""Handwriting on a page: ink that is no print. Notes, insertions, initials, signatures.

Print is known by being read: ink in the boxes of words that were read with certainty. Of the rest, what is coloured
on a page of grey print was written with a pen, and so were strokes larger than specks that no rule, frame or edge
of the sheet explains.
"""

from collections.abc import Sequence

import cv2
import numpy as np

Box = tuple[float, float, float, float]
SURE = 0.7  # confidence from which a word is print
SURE_IN_COLOUR = 0.955  # the same for a word in colour: headings and links are read with that, few notes are
TALLEST, FEW = 2.5, 2  # letters; what is higher and read as so few characters is a tick or a scrawl
COLOURED = 24  # of 255: how far a pixel is from grey
INKED = 215  # of 255: how dark a coloured pixel is at least
MOSTLY = 0.5  # share of a piece of ink that is coloured, or lies outside of print
PRINT_COLOURED = 0.25  # share of the print's ink; then colour tells nothing
RULE = 3.0  # letters: length of a straight piece of ink that no pen drew within a word
CORNER = 0.12  # share of its box that the corner of a frame fills
LEVEL = 0.35  # letters; a rule is not thicker
LONGEST = 40.0  # letters; what is longer is a frame
REACH = 1.5  # letters between pieces of one note
SMALLEST = 1.6  # letters squared: the box of a note
STROKE = 2.2  # letters: the longer side of a piece of grey ink that no unread letter has
FRAMED = 0.6  # share of a piece that lies along the edges of its box: a frame, a stamp, a cell
THIN_GRID = 0.16  # share of its box that a grid of rules fills; writing fills more
STAMP = 12.0  # letters; a higher frame is no stamp
BARS = 8  # pieces of one height side by side: a bar code


def handwriting(
    flat: np.ndarray,
    colour: np.ndarray,
    ink: np.ndarray,
    words: np.ndarray,
    letters: Sequence[int],
    sure: Sequence[float],
    paper: np.ndarray,
    size: float,
) -> list[Box]:
    """Boxes of handwriting on a straightened page, in its pixels.

    `flat` is the page in grey, `colour` how far each pixel is from grey (0 to 255), `ink` 1 where there is ink,
    `words` n x 4 boxes with the number of `letters` in each and its confidence `sure`,
    `paper` 1 on the sheet, `size` a letter's height.
    """
    tall = (words[:, 3] - words[:, 1] > TALLEST * size) & (np.asarray(letters) <= FEW)
    confidence = np.where(tall, 0.0, np.asarray(sure, float))
    print_mask = _mask(words[confidence >= SURE], flat.shape)
    in_colour = _mask(words[confidence >= SURE_IN_COLOUR], flat.shape)
    is_coloured = ((colour >= COLOURED) & (flat <= INKED)).astype(np.uint8)
    printed = (print_mask > 0) & (ink > 0)
    if printed.any() and is_coloured[printed].mean() > PRINT_COLOURED:
        is_coloured[:] = 0
    pieces = _pieces(
        np.maximum(_without_rules(ink, size), is_coloured) & paper,
        is_coloured,
        print_mask,
        in_colour,
        size,
    )
    return [box for box in _clusters(pieces, flat.shape, size) if _is_note(box, size)]


def _is_note(box: Box, size: float) -> bool:
    """Whether a box is large enough for a note, and no edge of the paper."""
    wide, high = box[2] - box[0], box[3] - box[1]
    return wide * high >= SMALLEST * size**2 and not (high > 12 * size and wide < high / 4)


def _without_rules(ink: np.ndarray, size: float) -> np.ndarray:
    """The ink without long level and upright lines, as around the cells of a table; they may lean a little."""
    long = round(RULE * size)
    thick = cv2.dilate(ink, np.ones((3, 3), np.uint8))
    rules = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    rules |= cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((long, 1), np.uint8))
    return ink & (1 - rules)


def _mask(words: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    for x0, y0, x1, y1 in np.asarray(words).reshape(-1, 4).round().astype(int):
        mask[max(0, y0 - 2) : y1 + 3, max(0, x0 - 2) : x1 + 3] = 1
    return mask


def _pieces(
    ink: np.ndarray, coloured: np.ndarray, print_mask: np.ndarray, in_colour: np.ndarray, size: float
) -> np.ndarray:
    """Boxes (n x 4: x0, y0, x1, y1) of the connected pieces of ink that are writing."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    x, y, wide, high, area = stats.T
    flat_labels = labels.ravel()
    outside = np.bincount(flat_labels, weights=(print_mask.ravel() == 0), minlength=count) / area
    colour = np.bincount(flat_labels, weights=coloured.ravel(), minlength=count) / area
    thin = (np.minimum(wide, high) <= LEVEL * size) & (np.maximum(wide, high) >= 2 * size)
    frame = (np.maximum(wide, high) > LONGEST * size) | (area < 0.02 * wide * high)
    blob = (area > 0.75 * wide * high) & (np.maximum(wide, high) > 1.5 * size)
    frame |= (area < CORNER * wide * high) & (wide > 2 * size) & (high > size)
    frame |= _along_edges(labels, stats, size) >= FRAMED
    no_print = np.bincount(flat_labels, weights=(in_colour.ravel() == 0), minlength=count) / area
    is_pen = (colour >= MOSTLY) & (no_print >= MOSTLY) & (np.maximum(wide, high) >= 0.35 * size)
    is_stroke = (outside >= MOSTLY) & (np.maximum(wide, high) >= STROKE * size) & ~thin & ~blob
    chosen = (is_pen | is_stroke) & ~frame
    chosen[0] = False
    boxes = np.stack([x, y, x + wide, y + high], axis=1)
    stamps = boxes[1:][frame[1:] & (wide[1:] < LONGEST * size) & (high[1:] < STAMP * size)]
    return np.array([box for box in boxes[chosen] if not any(_lies_in(box, stamp) for stamp in stamps)]).reshape(-1, 4)


def _lies_in(box: np.ndarray, frame: np.ndarray) -> bool:
    return bool((box[:2] >= frame[:2]).all() and (box[2:] <= frame[2:]).all())


def _along_edges(labels: np.ndarray, stats: np.ndarray, size: float) -> np.ndarray:
    """For each piece the share of its ink near the edges of its box; 0 for pieces too small to be a frame."""
    shares = np.zeros(len(stats))
    large = (stats[:, cv2.CC_STAT_WIDTH] > 3 * size) & (stats[:, cv2.CC_STAT_HEIGHT] > 1.5 * size)
    large[0] = False
    for at in np.flatnonzero(large):
        x, y, wide, high, area = stats[at]
        piece = labels[y : y + high, x : x + wide] == at
        rim = max(3, round(0.25 * size))
        inner = piece[rim : high - rim, rim : wide - rim].sum()
        is_grid = area < THIN_GRID * wide * high and high > 4 * size
        shares[at] = 1.0 if is_grid else 1 - inner / area
    return shares


def _is_bar_code(pieces: np.ndarray) -> bool:
    tops, feet = pieces[:, 1], pieces[:, 3]
    high = np.median(feet - tops)
    return len(pieces) >= BARS and tops.std() < 0.08 * high and feet.std() < 0.08 * high


def _clusters(pieces: np.ndarray, shape: tuple[int, ...], size: float) -> list[Box]:
    """Boxes around pieces that stand close together."""
    if not len(pieces):
        return []
    step = max(1.0, size / 4)
    field = np.zeros((int(shape[0] / step) + 2, int(shape[1] / step) + 2), np.uint8)
    reach = REACH * size / 2
    for x0, y0, x1, y1 in pieces:
        top, left = int(max(0, y0 - reach / 2) / step), int(max(0, x0 - reach) / step)
        field[top : int((y1 + reach / 2) / step) + 1, left : int((x1 + reach) / step) + 1] = 1
    _, labels = cv2.connectedComponents(field)
    group = labels[(pieces[:, 1] / step).astype(int), (pieces[:, 0] / step).astype(int)]
    hulls = [pieces[group == number] for number in np.unique(group)]
    hulls = [hull for hull in hulls if not _is_bar_code(hull)]
    return [(float(h[:, 0].min()), float(h[:, 1].min()), float(h[:, 2].max()), float(h[:, 3].max())) for h in hulls]
