"""Whether every word changes the picture of its page: drawn with its text and without. Part of `extractors.hidden`."""

from collections.abc import Sequence

import numpy as np
import pymupdf
from pymupdf import mupdf

from extractors.hidden.program import has_covering_annotation
from extractors.hidden.words import EVERYWHERE, LETTERS, W

SCREEN_SCALE = 0.5  # pixels per point
OVERLAP_SCALE = 0.25
MOST_PIXELS = 16e6  # a larger page is drawn smaller
FARTHEST = 1e5  # points from the page; where a word of a damaged file stands may be no number at all
INK = 24  # grey levels by which the text of a word must change the picture
# What a device calls to draw letters. Set to nothing, it draws the page without its text.
TEXT_CALLS = ("fill_text", "stroke_text")
if not all(isinstance(getattr(mupdf.fz_device, name, None), property) for name in TEXT_CALLS):
    raise ImportError(
        f"PyMuPDF {pymupdf.__version__} does not let a page be drawn without its text: mupdf.fz_device lacks one of "
        f"{', '.join(TEXT_CALLS)}. Install the version that uv.lock names."
    )


def page_program(page: pymupdf.Page) -> mupdf.FzDisplayList:
    """What the contents of the page draw, to be drawn more than once."""
    return mupdf.fz_new_display_list_from_page_contents(page.this)


def scale_for(rect: pymupdf.Rect, wanted: float) -> float:
    """Pixels per point to draw a page of this size with."""
    return min(wanted, (MOST_PIXELS / max(1.0, rect.get_area())) ** 0.5)


def picture(
    page: pymupdf.Page, shown: mupdf.FzDisplayList, scale: float, colours: mupdf.FzColorspace, text: bool
) -> np.ndarray:
    """The page on white, height x width x channels, with the text of its contents or without it.

    Annotations are drawn on both: one that covers words takes the difference away.
    """
    matrix = mupdf.FzMatrix(scale, 0, 0, scale, 0, 0)
    area = mupdf.fz_round_rect(mupdf.fz_transform_rect(mupdf.FzRect(*page.rect), matrix))
    pixmap = mupdf.fz_new_pixmap_with_bbox(colours, area, mupdf.FzSeparations(), 0)
    mupdf.fz_clear_pixmap_with_value(pixmap, 255)
    device = mupdf.fz_new_draw_device(matrix, pixmap)
    _draw(shown, device, text)
    if has_covering_annotation(page):
        mupdf.fz_run_page_annots(page.this, device, mupdf.FzMatrix(), mupdf.FzCookie())
    mupdf.fz_close_device(device)
    drawn = pymupdf.Pixmap("raw", pixmap)
    return np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.width, drawn.n)


def _draw(shown: mupdf.FzDisplayList, device: mupdf.FzDevice, text: bool) -> None:
    calls = {name: getattr(device.m_internal, name) for name in TEXT_CALLS}
    for name in () if text else TEXT_CALLS:
        setattr(device.m_internal, name, None)
    try:
        mupdf.fz_run_display_list(shown, device, mupdf.FzMatrix(), mupdf.FzRect(*EVERYWHERE), mupdf.FzCookie())
    finally:
        for name, call in calls.items():
            setattr(device.m_internal, name, call)


def doubtful_words(
    page: pymupdf.Page, shown: mupdf.FzDisplayList, words: Sequence[W], boxes: np.ndarray, is_plain: bool
) -> list[int]:
    """The words that leave no ink on the page, wholly or in part, and those on their lines.

    Of a plain page, with nothing but text and rules on white, one picture is enough.
    """
    gray = mupdf.fz_device_gray()
    scale = scale_for(page.rect, SCREEN_SCALE)
    boxes = np.nan_to_num(boxes).clip(-FARTHEST, FARTHEST)
    change = 255 - picture(page, shown, scale, gray, text=True)
    if not is_plain:
        without = 255 - picture(page, shown, scale, gray, text=False)
        change = np.maximum(change, without) - np.minimum(change, without)
    doubtful = _without_ink(change[:, :, 0] >= INK, words, boxes * scale)
    if not is_plain:
        doubtful |= _overlapping(boxes.clip(0, (*page.rect.br, *page.rect.br)) * (OVERLAP_SCALE * scale / SCREEN_SCALE))
    for i in np.flatnonzero(doubtful).tolist():
        doubtful[i] = bool(LETTERS.search(words[i].text))
    return np.flatnonzero(_on_lines_of(doubtful, boxes)).tolist() if doubtful.any() else []


def _on_lines_of(doubtful: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The doubtful words and those beside them: what hides one of a line hides others, of which more is seen."""
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    low, high = boxes[doubtful, 1], boxes[doubtful, 3]
    return doubtful | ((middle[:, None] > low) & (middle[:, None] < high)).any(axis=1)


def _counts(mask: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """How many pixels of `mask` are set within each of the n x 4 boxes, in pixels."""
    high, wide = mask.shape
    total = np.zeros(mask.size + 1, np.int32)
    np.cumsum(mask.ravel(), dtype=np.int32, out=total[1:])
    x0, y0 = np.floor(spans[:, :2]).astype(np.int32).T
    x1, y1 = np.ceil(spans[:, 2:]).astype(np.int32).T
    x0, x1, y0, y1 = x0.clip(0, wide), x1.clip(0, wide), y0.clip(0, high), y1.clip(0, high)
    rows = np.maximum(y1 - y0, 0)
    owner = np.repeat(np.arange(len(spans)), rows)
    line = (np.arange(len(owner)) - np.repeat(np.cumsum(rows) - rows, rows) + y0[owner]) * wide
    inside = total[line + x1[owner]] - total[line + x0[owner]]
    return np.bincount(owner, weights=inside, minlength=len(spans)).astype(np.int32)


def _without_ink(inked: np.ndarray, words: Sequence[W], boxes: np.ndarray) -> np.ndarray:
    """Which words have a stretch, about as wide as it is high, where the text changes nothing."""
    size = boxes[:, 2:] - boxes[:, :2]
    letters = np.array([len(word.text) for word in words])
    upright = (size[:, 0] >= size[:, 1]) | (letters <= 2)
    along, across = np.where(upright, 0, 1), np.where(upright, 1, 0)
    rows = np.arange(len(boxes))
    parts = np.round(size[rows, along] / np.maximum(1, 0.7 * size[rows, across])).astype(int).clip(1, letters.clip(1))
    owner = np.repeat(rows, parts)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
    spans = boxes[owner].astype(np.float64)
    step = size[owner, along[owner]] / parts[owner]
    start = boxes[owner, along[owner]]
    at = np.arange(len(owner))
    spans[at, along[owner]] = start + place * step
    spans[at, along[owner] + 2] = start + (place + 1) * step
    margin = 0.18 * size[owner, across[owner]]  # the lines above and below reach into the box
    spans[at, across[owner]] += margin
    spans[at, across[owner] + 2] -= margin
    found = np.zeros(len(boxes), bool)
    for i in np.flatnonzero(_counts(inked, spans) == 0).tolist():
        word, count = owner[i], parts[owner[i]]
        # Where there is a dot, a bracket or a line to write on, nothing much is expected.
        text, length = words[word].text, len(words[word].text)
        stretch = text[length * place[i] // count : -(-length * (place[i] + 1) // count)]
        found[word] |= all(letter.isalnum() for letter in stretch)
    return found


def _overlapping(boxes: np.ndarray) -> np.ndarray:
    """Which words share half of their middle with another word; boxes in pixels."""
    middle = boxes
    margin = 0.3 * (middle[:, 3] - middle[:, 1])
    spans = np.round(middle + np.stack([0 * margin, margin, 0 * margin, -margin], axis=1)).astype(np.int32)
    spans[:, :2] = np.maximum(spans[:, :2], 0)
    spans[:, 2:] = np.maximum(spans[:, 2:], spans[:, :2] + 1)
    x0, y0, x1, y1 = spans.T
    covers = np.zeros((int(y1.max()) + 1, int(x1.max()) + 1), np.int32)
    for y, x, sign in ((y0, x0, 1), (y0, x1, -1), (y1, x0, -1), (y1, x1, 1)):
        np.add.at(covers, (y, x), sign)
    shared = covers.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32) > 1
    return _counts(shared, spans) >= 0.5 * (x1 - x0) * (y1 - y0)
