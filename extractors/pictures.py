"""Pages and parts of pages that are pictures: read by OCR, put into points, and never read twice. Part of `read`."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
from pydantic import TypeAdapter

from extractors.characters import clean
from extractors.files import READ_VERSION
from extractors.pdf import RawWord
from schemas.base import Frozen
from schemas.document import Box, EditMark, SignatureArea, Table
from schemas.stopwatch import stage

STEP = "picture"
"""What the kept readings of pictures are called."""


class PictureKeep(Protocol):
    """Where the readings of pictures are kept by content, so that a run that was killed goes on where it was."""

    def load(self, step: str, key: str, kind: type["KeptPicture"]) -> "KeptPicture | None":
        """What was kept under the key."""

    def save(self, step: str, key: str, value: "KeptPicture") -> None:
        """Keep it."""


class KeptPicture(Frozen):
    """A reading as it is kept: the JSON of an `OcrPage`."""

    page: str


class Picture(NamedTuple):
    """What a picture says, in points of the picture as it is upright."""

    words: list[RawWord]
    width: float
    height: float
    confidence: float | None
    rotation: int
    capture: Literal["scan", "photo"]
    needs_review: bool
    language: str
    marks: list[EditMark]
    areas: list[SignatureArea]
    tables: tuple[Table, ...] = ()


class PictureReader:
    """Reads pictures in one way, `fast` or `accurate`, and each only once."""

    def __init__(self, reading: Literal["fast", "accurate"], keep: PictureKeep | None = None):
        self._reading = reading
        self._keep = keep
        self._seen: dict[str, object] = {}

    def read(self, pixels: np.ndarray, page_number: int, pixels_per_point: float) -> Picture:
        """The picture's words and marks. `pixels` is height x width x 3 (RGB)."""
        return _in_points(self._page_of(pixels), page_number, pixels_per_point, pixels)

    def _page_of(self, pixels: np.ndarray):
        key = hashlib.sha256(pixels.tobytes() + repr((pixels.shape, self._reading)).encode()).hexdigest()[:16]
        if key not in self._seen:
            self._seen[key] = self._kept(key, pixels)
        return self._seen[key]

    def _kept(self, key: str, pixels: np.ndarray):
        from extractors.ocr import OcrPage, read_image  # heavy, and most documents never need it

        adapter = TypeAdapter(OcrPage)
        step = f"{STEP}-{key}"
        held = self._keep.load(step, READ_VERSION, KeptPicture) if self._keep else None
        if held is not None:
            return adapter.validate_json(held.page)
        with stage("ocr"):
            page = read_image(pixels, reading=self._reading)
        if self._keep:
            self._keep.save(step, READ_VERSION, KeptPicture(page=adapter.dump_json(page).decode()))
        return page


def _in_points(page, number: int, pixels_per_point: float, pixels: np.ndarray) -> Picture:
    def scaled(box: Sequence[float]) -> Box:
        return tuple(float(edge) / pixels_per_point for edge in box)

    words = [
        RawWord(clean(w.text).strip(), scaled((w.x0, w.y0, w.x1, w.y1)), w.block, w.line, w.confidence)
        for w in page.words
    ]
    upright = np.rot90(pixels, -page.rotation // 90)
    return Picture(
        words=[word for word in words if word.text],
        width=page.width / pixels_per_point,
        height=page.height / pixels_per_point,
        confidence=page.confidence,
        rotation=page.rotation,
        capture=page.capture,
        needs_review=page.needs_review,
        language=page.language,
        marks=[_mark(mark, number, scaled, upright) for mark in page.marks],
        areas=[
            SignatureArea(page_number=number, kind=a.kind, label=clean(a.label), state=a.state, box=scaled(a.box))
            for a in page.areas
        ],
    )


def _mark(mark, number: int, scaled: Callable[[Sequence[float]], Box], upright: np.ndarray) -> EditMark:
    return EditMark(
        page_number=number,
        kind=mark.kind,
        source="pen",
        text=clean(mark.text),
        box=scaled(mark.box),
        confidence=mark.confidence,
        crop=_crop(upright, mark.box),
    )


MARGIN = 8  # pixels around a mark, so that a person sees where it stands
LARGEST_CROP = 600  # pixels of the longer side


def _crop(upright: np.ndarray, box: Box) -> bytes:
    """The mark's picture as a PNG."""
    import cv2

    high, wide = upright.shape[:2]
    x0, y0 = max(0, int(box[0]) - MARGIN), max(0, int(box[1]) - MARGIN)
    x1, y1 = min(wide, int(box[2]) + MARGIN + 1), min(high, int(box[3]) + MARGIN + 1)
    cut = upright[y0:y1, x0:x1]
    scale = min(1.0, LARGEST_CROP / max(cut.shape[:2]))
    if scale < 1:
        size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
        cut = cv2.resize(np.ascontiguousarray(cut), size, interpolation=cv2.INTER_AREA)
    _, coded = cv2.imencode(".png", cut[:, :, ::-1] if cut.ndim == 3 else cut)
    return coded.tobytes()
