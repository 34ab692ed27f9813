"""Which engine reads a page image, with which geometry, and whether the result can be trusted.

Confidence alone cannot tell: a page of which almost nothing was read had .92, and a page cut by a wrong
outline .99. So every reading is also held against the letter-like marks seen on the page (coverage).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from extractors.characters import language_of
from extractors.ocr import ink, rapid, straighten, tesseract
from extractors.ocr.lines import TextLines, is_cjk
from extractors.ocr.mend import mended, with_rules
from extractors.ocr.page import Capture, Engine, Language, OcrPage, OcrWord, PageArea, PageMark, mean_confidence
from extractors.ocr.pen import PenMarks, pen_marks
from extractors.ocr.signing import is_label, signature_areas
from extractors.ocr.straighten import Straight

SURE = 0.945  # Tesseract's mean confidence; of 30 clean pages and 30 office scans all with lost lines lay below
COVERED = 0.70  # share of the marks read; normal pages had .95 and more, badly read ones .12 to .29
DOUBTFUL = 0.88  # mean confidence below which other ways are tried, and a person should look in the end
FEW = 3  # letter-like marks; with fewer the page is blank
SMALL = 9  # pixels of a letter's height; smaller print is RapidOCR's
SPECKLED = 0.3  # specks per letter
JAPANESE = 0.2  # share of Chinese and Japanese characters that makes a page Japanese
POINTS = 6.0  # height of a usual letter in contracts, from which the resolution is guessed


@dataclass(frozen=True)
class Look:
    """A page image with its lines level, before it is read; it may still stand on its head.

    `rotation` is the turn so far, `angle` the skew that is left, in degrees clockwise.
    """

    grey: np.ndarray
    below: np.ndarray
    marks: ink.Marks
    angle: float
    rotation: int

    @classmethod
    def at(cls, grey: np.ndarray, rotation: int = 0) -> "Look":
        below = ink.paper(grey)
        marks = ink.marks_of(ink.ink_of(ink.flatten(grey, below)))
        if rotation == 0 and len(marks) >= FEW and straighten.runs_down(marks):
            return cls.at(straighten.turned(grey, 270), 270)
        angle = straighten.skew(marks) if len(marks) >= FEW else 0.0
        return cls(grey, below, marks, angle, rotation)

    def on_its_head(self) -> "Look":
        """The same page turned by 180 degrees, with the text lines that were found on it."""
        high, wide = self.grey.shape
        boxes = self.marks.boxes.copy()
        boxes[:, :2] = (wide, high) - boxes[:, :2] - boxes[:, 2:]
        marks = replace(self.marks, boxes=boxes)
        flipped = Look(self.grey[::-1, ::-1].copy(), self.below[::-1, ::-1], marks, self.angle, self.rotation + 180)
        down, across = self.straight.image.shape
        flipped.__dict__["lines"] = self.lines.on_its_head(across, down)  # where cached_property keeps it
        return flipped

    @cached_property
    def straight(self) -> Straight:
        """The page without its skew and its shadows."""
        flat = ink.flatten(self.grey, self.below)
        return straighten.deskewed(flat, self.angle)

    @cached_property
    def lines(self) -> TextLines:
        """The text lines on `straight`."""
        return rapid.find_lines(self.straight.image, self.marks.size)

    @property
    def capture(self) -> Capture:
        return "photo" if ink.shade(self.below) < ink.PHOTO_SHADE else "scan"

    @property
    def speckled(self) -> bool:
        return self.capture == "scan" and self.marks.specks > SPECKLED  # of a photo, the table has grain

    @property
    def clean(self) -> bool:
        """Whether Tesseract is likely to read it well."""
        return self.capture == "scan" and self.marks.size >= SMALL and not self.speckled


@dataclass(frozen=True)
class Reading:
    """The words of one attempt, boxes on the upright image, and how much of the page they cover."""

    look: Look
    words: tuple[OcrWord, ...]
    engine: Engine
    coverage: float

    @property
    def confidence(self) -> float:
        return mean_confidence(self.words) or 0.0

    @property
    def good(self) -> bool:
        return self.coverage >= COVERED and self.confidence >= (SURE if self.engine == "tesseract" else DOUBTFUL)

    @property
    def worth(self) -> float:
        return self.coverage * self.confidence


def read_image(
    image, *, language: Literal["auto", "en", "ja"] = "auto", reading: Literal["fast", "accurate"] = "fast"
) -> OcrPage:
    """The words on the picture of a page, with boxes on the upright picture.

    `image` is a PIL image or an array (height x width, or RGB), of any resolution, turned by any multiple
    of 90 degrees. Clean scans go to Tesseract, all others and what it reads badly to RapidOCR; with
    `reading="accurate"` all go to RapidOCR. A page that stays unread in part has `needs_review`. A blank page has
    no words and confidence None. With
    neither engine installed every page with ink on it needs review.
    """
    look = Look.at(ink.to_grey(image))
    pixels = np.asarray(image)
    best = Reading(look, (), "tesseract" if look.clean else "rapidocr", 0.0 if len(look.marks) >= FEW else 1.0)
    for attempt in _attempts(look, language, reading) if len(look.marks) >= FEW else ():
        best = max(best, attempt, key=lambda r: r.worth)
        if attempt.good:
            best = attempt
            break
    if look.rotation and not best.words and rapid.version() is not None:
        # A grained table below a nearly empty sheet looks like lines that run down: try it unturned.
        unturned = Look.at(ink.to_grey(image), 360)
        best = max([best, *_by_rapid(unturned)], key=lambda r: r.worth)
    return _page(best, language, pixels)


def _attempts(look: Look, language: str, reading: str) -> Iterator[Reading]:
    """Readings from the cheapest on; the caller stops at the first good one."""
    has_rapid = rapid.version() is not None
    if look.rotation and has_rapid:
        look = _on_its_feet(look)
    wanted = (look.clean and reading == "fast") or not has_rapid
    if wanted and tesseract.can_read("en") and language != "ja":
        yield from _in_its_language(look, _by_tesseract(look, "en"))
    if has_rapid:
        yield from _by_rapid(look if look.rotation else _on_its_feet(look))
    elif tesseract.can_read("ja") and language != "en":
        yield _by_tesseract(look, "ja")


def _in_its_language(look: Look, english: Reading) -> Iterator[Reading]:
    """The reading with the data of the language that it shows; none of it where that isn't installed but another
    engine is, since English data takes letters with accents for others."""
    spoken = language_of(" ".join(word.text for word in english.words))
    if spoken in ("en", "ja"):
        yield english
    elif tesseract.can_read(spoken):
        yield _by_tesseract(look, spoken)
    elif rapid.version() is None:
        yield english


def _on_its_feet(look: Look) -> Look:
    return look.on_its_head() if rapid.upside_down(look.straight.image, look.lines) else look


def _by_tesseract(look: Look, language: Language) -> Reading:
    dpi = int(np.clip(look.marks.size * 72 / POINTS, 70, 600))
    words = tesseract.read(look.straight.image, language, dpi)
    if (mean_confidence(words) or 0.0) >= SURE and rapid.version() is not None:
        words = mended(look.straight.image, words, ink.marks_of(ink.ink_of(look.straight.image)))
    return _reading(look, look.straight, words, "tesseract")


def _by_rapid(look: Look) -> Iterator[Reading]:
    """RapidOCR on the straight page first: a wrong page outline does more harm than a bent page."""
    clean = ink.despeckled(look.straight.image, look.marks.size)
    straight = look.straight
    despeckled = Straight(clean, straight.homography)
    for attempt in (despeckled, straight) if look.speckled else (straight, despeckled):
        yield _rapid_reading(look, attempt)
    corners = straighten.page_outline(look.grey, look.marks) if look.capture == "photo" else None
    if corners is not None:
        yield _rapid_reading(look, _flat_sheet(look, corners))


def _flat_sheet(look: Look, corners: np.ndarray) -> Straight:
    sheet = straighten.dewarped(look.grey, corners)
    return straighten.after(sheet, Look.at(sheet.image, look.rotation or 360).straight)


def _rapid_reading(look: Look, straight: Straight) -> Reading:
    found = look.lines if straight is look.straight else rapid.find_lines(straight.image, look.marks.size)
    return _reading(look, straight, rapid.read(straight.image, found), "rapidocr")


def _reading(look: Look, straight: Straight, words: tuple[OcrWord, ...], engine: Engine) -> Reading:
    words = with_rules(words, ink.ink_of(straight.image), look.marks.size)
    placed = tuple(_placed(word, straight, look.grey.shape) for word in words)
    return Reading(look, placed, engine, _coverage(placed, look.marks))


def _placed(word: OcrWord, straight: Straight, shape: tuple[int, ...]) -> OcrWord:
    """The word with its box on the upright image, inside its edges."""
    x0, y0, x1, y1 = straight.back((word.x0, word.y0, word.x1, word.y1))
    x0, x1 = np.clip((x0, x1), 0, shape[1])
    y0, y1 = np.clip((y0, y1), 0, shape[0])
    return word._replace(x0=float(x0), y0=float(y0), x1=float(x1), y1=float(y1))


def _coverage(words: tuple[OcrWord, ...], marks: ink.Marks) -> float:
    """Characters read per letter-like mark, at most 1; for Japanese, whose characters are made of several
    marks, the share of the marks that lie in a word's box."""
    if not words or not len(marks):
        return 0.0
    if _japanese(words):
        return _share_inside(words, marks)
    read = sum(character.isalnum() for word in words for character in word.text)
    return min(1.0, read / len(marks))


def _share_inside(words: tuple[OcrWord, ...], marks: ink.Marks) -> float:
    x, y = marks.centres.T
    inside = np.zeros(len(marks), bool)
    for word in words:
        inside |= (x >= word.x0) & (x <= word.x1) & (y >= word.y0) & (y <= word.y1)
    return float(inside.mean())


def _japanese(words: tuple[OcrWord, ...]) -> bool:
    characters = "".join(word.text for word in words)
    return sum(map(is_cjk, characters)) > JAPANESE * max(1, len(characters))


def _page(best: Reading, language: str, pixels: np.ndarray) -> OcrPage:
    high, wide = best.look.grey.shape
    written = _written(best, pixels)
    printed = tuple(word for at, word in enumerate(best.words) if at not in written.written)
    blank = len(best.look.marks) < FEW
    trusted = best.coverage >= COVERED and best.confidence >= DOUBTFUL
    return OcrPage(
        words=printed,
        width=wide,
        height=high,
        rotation=best.look.rotation % 360,
        confidence=mean_confidence(best.words),
        coverage=best.coverage,
        engine=best.engine,
        capture=best.look.capture,
        needs_review=not (blank or trusted),
        language=language if language != "auto" else _language(printed),
        marks=_marks(written, best.words),
        areas=_areas(best.look, printed, written),
    )


def _written(best: Reading, pixels: np.ndarray) -> PenMarks:
    """What was written on the page by pen; nothing on one that could hardly be read, where all ink looks odd."""
    if best.coverage < COVERED or best.confidence < DOUBTFUL:
        return PenMarks()
    upright = straighten.turned(pixels if pixels.dtype == np.uint8 else ink.to_grey(pixels), best.look.rotation % 360)
    return pen_marks(upright, best.look.straight, best.words, best.look.marks)


def _marks(written: PenMarks, words: tuple[OcrWord, ...]) -> tuple[PageMark, ...]:
    return tuple(
        PageMark(mark.kind, " ".join(words[at].text for at in mark.words), mark.box, mark.confidence)
        for mark in (*written.strikes, *written.handwriting)
    )


def _areas(look: Look, words: tuple[OcrWord, ...], written: PenMarks) -> tuple[PageArea, ...]:
    if not any(is_label(word.text) for word in words):
        return ()
    inked = ink.ink_of(ink.flatten(look.grey, look.below))
    return signature_areas(words, inked, look.marks.size, [mark.box for mark in written.handwriting])


def _language(words: tuple[OcrWord, ...]) -> Language:
    return "ja" if _japanese(words) else language_of(" ".join(word.text for word in words))


def available() -> dict[str, str | tuple[str, ...] | None]:
    """What can read pages here: `tesseract` (version or None), its `languages`, `rapidocr` (version or None)."""
    return {
        "tesseract": tesseract.version(),
        "languages": tesseract.languages(),
        "rapidocr": rapid.version(),
    }
