"""How well pen edits on scans and photos are found: strikes and handwriting drawn on pages of real PDFs.

    python -m benchmarks.pen PDF_FOLDER --pages 12 [--condition office,photo] [--held-out]

Every page is measured with edits and without. The edits of `--held-out` come from other hands, strokes and
colours than those that the finder was tuned on.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pymupdf
from PIL import Image, ImageDraw, ImageFont

from benchmarks.degrade import copied, noisy, photographed, specked
from benchmarks.pages import sample
from extractors.ocr import ink, route
from extractors.ocr.page import OcrWord
from extractors.ocr.pen import pen_marks
from extractors.ocr.straighten import Straight

Box = tuple[float, float, float, float]
Curve = np.ndarray  # n x 2, pixels
CONDITIONS = ("clean", "office", "fax", "photo")
DPI = {"clean": 300, "office": 200, "fax": 170, "photo": 220}


@dataclass(frozen=True)
class Pen:
    """A pen in a hand: `width` in pixels, `colour` RGB, `cover` 0-1 how much of the paper it hides.

    `slant`, `wobble` and `pressure` say how the writer leans, trembles and varies the width (all about 0 to .4).
    """

    width: float
    colour: tuple[int, int, int]
    cover: float
    slant: float
    wobble: float
    pressure: float


class Strike(NamedTuple):
    """A struck run of words: the style of the stroke and the boxes of the words."""

    style: str
    words: tuple[Box, ...]


class Note(NamedTuple):
    """Something written by hand."""

    style: str
    box: Box


@dataclass(frozen=True)
class Edited:
    """A page in colour with its edits; boxes in its pixels."""

    image: np.ndarray
    strikes: tuple[Strike, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Family:
    """Where the edits of a run come from: styles of strokes, hands, colours, widths in millimetres."""

    strikes: dict[str, Callable]
    hands: dict[str, Callable]
    signatures: dict[str, Callable]
    colours: tuple[tuple[int, int, int], ...]
    millimetres: tuple[float, float]


# Strokes over words: each style gives curves in a box


def _smooth_noise(count: int, amount: float, rng: np.random.Generator, coarse: int = 8) -> np.ndarray:
    """A slow wander of about `amount` pixels along `count` points."""
    knots = rng.normal(0, amount, max(4, count // coarse + 2))
    return np.interp(np.linspace(0, len(knots) - 1, count), np.arange(len(knots)), knots)


def _across(box: Box, level: float, rng: np.random.Generator, tilt: float = 0.0, wobble: float = 0.0) -> Curve:
    """A line across the box at a share of its height from the top; `tilt` and `wobble` in heights of the box."""
    x0, y0, x1, y1 = box
    high = y1 - y0
    count = max(12, int((x1 - x0) / 3))
    x = np.linspace(x0 - rng.uniform(0, 0.25) * high, x1 + rng.uniform(0, 0.25) * high, count)
    y = y0 + level * high + np.linspace(-tilt, tilt, count) * high / 2
    return np.stack([x, y + _smooth_noise(count, wobble * high, rng, 10)], axis=1)


def ruled(box: Box, rng: np.random.Generator) -> list[Curve]:
    """A straight line."""
    return [_across(box, rng.uniform(0.48, 0.64), rng, rng.uniform(-0.08, 0.08))]


def freehand(box: Box, rng: np.random.Generator) -> list[Curve]:
    """A line by hand."""
    return [_across(box, rng.uniform(0.45, 0.65), rng, rng.uniform(-0.2, 0.2), rng.uniform(0.02, 0.06))]


def double(box: Box, rng: np.random.Generator) -> list[Curve]:
    """Two lines."""
    middle = rng.uniform(0.5, 0.6)
    return [_across(box, middle + d, rng, rng.uniform(-0.1, 0.1), 0.02) for d in (-0.13, 0.13)]


def slanted(box: Box, rng: np.random.Generator) -> list[Curve]:
    """A line that rises or falls through the words."""
    tilt = rng.uniform(0.35, 0.8) * rng.choice([-1, 1])
    return [_across(box, rng.uniform(0.48, 0.6), rng, tilt, 0.02)]


def wavy(box: Box, rng: np.random.Generator) -> list[Curve]:
    """A wave of less than the letters' height."""
    curve = _across(box, rng.uniform(0.5, 0.6), rng)
    high = box[3] - box[1]
    period, height = rng.uniform(0.8, 1.8) * high, rng.uniform(0.12, 0.25) * high
    curve[:, 1] += height * np.sin(2 * np.pi * (curve[:, 0] - box[0]) / period)
    return [curve]


def zigzag(box: Box, rng: np.random.Generator) -> list[Curve]:
    """Up and down in corners over the whole height of the letters."""
    x0, y0, x1, y1 = box
    high = y1 - y0
    step = rng.uniform(0.28, 0.6) * high
    x = np.arange(x0 - 0.1 * high, x1 + 0.2 * high + step, step)
    x = x + rng.normal(0, 0.05 * high, len(x))
    y = np.where(np.arange(len(x)) % 2, y0 + 0.2 * high, y0 + 0.9 * high) + rng.normal(0, 0.06 * high, len(x))
    return [np.stack([x, y], axis=1)]


def scribble(box: Box, rng: np.random.Generator) -> list[Curve]:
    """Several lines to and fro."""
    levels = rng.uniform(0.3, 0.85, rng.integers(3, 6))
    lines = [_across(box, level, rng, rng.uniform(-0.3, 0.3), 0.04) for level in levels]
    return [np.concatenate([line[:: 1 - 2 * (i % 2)] for i, line in enumerate(lines)])]


def arched(box: Box, rng: np.random.Generator) -> list[Curve]:
    """A line that bends like a bow (held out)."""
    curve = _across(box, rng.uniform(0.5, 0.62), rng)
    along = np.linspace(-1, 1, len(curve))
    curve[:, 1] += rng.choice([-1, 1]) * 0.22 * (box[3] - box[1]) * (along**2 - 0.4)
    return [curve]


def coiled(box: Box, rng: np.random.Generator) -> list[Curve]:
    """Loops like a telephone cord (held out)."""
    x0, y0, x1, y1 = box
    high = y1 - y0
    turns = max(2.0, (x1 - x0) / (rng.uniform(0.4, 0.7) * high))
    t = np.linspace(0, 2 * np.pi * turns, int(24 * turns))
    x = x0 + (x1 - x0) * t / t[-1] + 0.3 * high * np.cos(t)
    return [np.stack([x, y0 + 0.55 * high + rng.uniform(0.2, 0.32) * high * np.sin(t)], axis=1)]


def hatched(box: Box, rng: np.random.Generator) -> list[Curve]:
    """A line with a retrace that does not meet it (held out)."""
    first = freehand(box, rng)[0]
    back = first[::-1] + np.array([0, rng.uniform(0.06, 0.18) * (box[3] - box[1])])
    return [np.concatenate([first, back + _smooth_noise(len(back), 0.04 * (box[3] - box[1]), rng)[:, None] * [0, 1]])]


# Hands: each gives the curves of a text about `high` pixels high, from (0, 0)


def _spline(points: np.ndarray, each: int = 7) -> Curve:
    """A smooth curve through the points (Catmull-Rom)."""
    p = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, each, endpoint=False)[:, None]
    parts = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return np.concatenate([*parts, points[-1:]])


def _letter(rng: np.random.Generator) -> np.ndarray:
    """Control points of something like a letter: 0 to 1 wide, y from -1 (top of an l) to 0 (base line)."""
    kind = rng.integers(0, 6)
    tall = rng.uniform(-1.05, -0.85)
    low = rng.uniform(-0.55, -0.42)
    shapes = {
        0: [(0.9, low), (0.3, low * 1.05), (0, low / 2), (0.3, 0), (0.85, low / 3), (0.9, low), (0.95, 0)],
        1: [(0.1, 0), (0.5, tall), (0.25, tall * 0.9), (0.2, -0.1), (0.7, 0)],
        2: [(0, low), (0.05, 0), (0.3, low), (0.55, low), (0.6, 0), (0.9, -0.1)],
        3: [(0, low / 2), (0.6, low), (0.2, low), (0.2, 0), (0.9, -0.1)],
        4: [(0.8, low), (0.2, low), (0.2, -0.05), (0.8, low / 2), (0.7, 0.4), (0.2, 0.35)],
        5: [(0, low), (0.2, 0), (0.5, low), (0.6, 0), (1.0, low)],
    }
    return np.array(shapes[int(kind)]) + rng.normal(0, 0.07, (len(shapes[int(kind)]), 2))


def splines(high: float, letters: int, pen: Pen, rng: np.random.Generator) -> list[Curve]:
    """Letter-like shapes, joined within a word or not."""
    joined = rng.random() < 0.5
    curves, at, word = [], 0.0, []
    for _ in range(letters):
        shape = _letter(rng) * [rng.uniform(0.45, 0.65), 1] + [at, rng.normal(0, 0.04)]
        word.append(shape)
        at = shape[:, 0].max() + rng.uniform(0.04, 0.16)
        if rng.random() < 0.18:
            curves += [np.concatenate(word)] if joined else word
            at, word = at + rng.uniform(0.3, 0.5), []
    curves += [np.concatenate(word)] if joined and word else word
    return [_leaning(_spline(c) * high, pen) for c in curves]


def _leaning(curve: Curve, pen: Pen) -> Curve:
    return np.stack([curve[:, 0] - pen.slant * curve[:, 1], curve[:, 1]], axis=1)


def loops(high: float, letters: int, pen: Pen, rng: np.random.Generator) -> list[Curve]:
    """A running pen: trochoids whose height and pitch wander (held out)."""
    t = np.linspace(0, 2 * np.pi * letters, 26 * letters)
    tall = 0.28 + np.abs(_smooth_noise(len(t), 0.16, rng, 20))
    x = 0.45 * t / (2 * np.pi) + 0.22 * np.sin(t + _smooth_noise(len(t), 0.5, rng, 20))
    y = -tall - tall * np.cos(t)
    cuts = np.sort(rng.choice(np.arange(20, len(t) - 20), max(0, letters // 6), replace=False))
    curve = np.stack([x, y + _smooth_noise(len(t), 0.03, rng)], axis=1) * high
    return [_leaning(part, pen) for part in np.split(curve, cuts) if len(part) > 8]


def drawn(curves: Sequence[Curve], size: tuple[int, int], pen: Pen, rng: np.random.Generator) -> np.ndarray:
    """The curves as a mask (0-1, height x width) drawn with the pen; `size` is width, height."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    for curve in curves:
        shaken = curve + _smooth_noise(len(curve), pen.wobble * pen.width, rng)[:, None]
        widths = pen.width * (1 + _smooth_noise(len(curve), pen.pressure, rng, 12))
        for start, end, width in zip(shaken[:-1], shaken[1:], widths[1:], strict=True):
            a, b = (tuple(int(v) for v in np.round(point * 16)) for point in (start, end))
            cv2.line(mask, a, b, 255, max(1, round(width)), cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def _cut_to_ink(mask: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else mask


def _by_curves(make: Callable) -> Callable:
    """A hand whose writing is made of curves."""

    def write(high: float, letters: int, pen: Pen, rng: np.random.Generator) -> np.ndarray:
        curves = make(high, letters, pen, rng)
        points = np.concatenate(curves)
        margin = 2 * pen.width + 2
        low = points.min(axis=0) - margin
        size = np.ceil(points.max(axis=0) - low + margin).astype(int)
        return _cut_to_ink(drawn([c - low for c in curves], (int(size[0]), int(size[1])), pen, rng))

    return write


def _words(letters: int, rng: np.random.Generator) -> str:
    """Nonsense of about so many letters, sometimes a number or a date."""
    if rng.random() < 0.3:
        return str(rng.choice(["$12,500", "30 days", "4/17/03", "5 %", "1.25", "(b)", "2,000"]))
    text = "".join(rng.choice(list("etaoinshrdlucmfwygpbvk"), letters))
    for at in range(5, letters, 6):
        text = text[:at] + " " + text[at + 1 :]
    return text.strip() or "ok"


def _bent(mask: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """The mask moved about smoothly by some pixels, so that no letter looks like the next."""
    high, wide = mask.shape
    cells = (max(3, wide // 20), max(3, high // 20))
    field = [cv2.resize(rng.normal(0, amount, cells[::-1]).astype(np.float32), (wide, high)) for _ in "xy"]
    x, y = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(high, dtype=np.float32))
    return cv2.remap(mask, x + field[0], y + field[1], cv2.INTER_LINEAR)


def _slanted_mask(mask: np.ndarray, slant: float) -> np.ndarray:
    high, wide = mask.shape
    lean = np.array([[1, -slant, slant * high if slant > 0 else 0], [0, 1, 0]], np.float32)
    return cv2.warpAffine(mask, lean, (wide + int(abs(slant) * high) + 1, high))


def _by_hershey(font: int) -> Callable:
    """A plotter's script font of OpenCV, bent and slanted."""

    def write(high: float, letters: int, pen: Pen, rng: np.random.Generator) -> np.ndarray:
        text, thick = _words(letters, rng), max(1, round(pen.width))
        scale = high / 22
        (wide, tall), below = cv2.getTextSize(text, font, scale, thick)
        margin = int(high)
        mask = np.zeros((tall + below + 2 * margin, wide + 2 * margin), np.uint8)
        cv2.putText(mask, text, (margin, margin + tall), font, scale, 255, thick, cv2.LINE_AA)
        bent = _bent(mask.astype(np.float32) / 255, high / 14, rng)
        return _cut_to_ink(_slanted_mask(bent, pen.slant) * (_slanted_mask(bent, pen.slant) > 0.1))

    return write


def _by_font(name: str) -> Callable:
    """A font drawn after somebody's hand, bent; letter-like curves where it isn't installed."""

    def write(high: float, letters: int, pen: Pen, rng: np.random.Generator) -> np.ndarray:
        try:
            font = ImageFont.truetype(name, max(8, int(1.3 * high)))
        except OSError:
            return _by_curves(splines)(high, letters, pen, rng)
        text = _words(letters, rng)
        x0, y0, x1, y1 = font.getbbox(text)
        picture = Image.new("L", (int(x1 - x0) + 8, int(y1 - y0) + 8))
        ImageDraw.Draw(picture).text((4 - x0, 4 - y0), text, fill=255, font=font)
        mask = _bent(np.asarray(picture, np.float32) / 255, high / 25, rng)
        return _cut_to_ink(_slanted_mask(mask, pen.slant / 2))

    return write


def signed(high: float, letters: int, pen: Pen, rng: np.random.Generator) -> list[Curve]:
    """A signature: a big first letter, a running rest, now and then a stroke below it."""
    first = _spline(_letter(rng) * [1.2, 1.7] + rng.normal(0, 0.08, 2))
    count = 5 * letters
    x = np.cumsum(rng.uniform(0.05, 0.22, count)) + 0.6
    y = np.where(np.arange(count) % 2, -rng.uniform(0.2, 0.7, count), rng.uniform(-0.1, 0.08, count))
    rest = _spline(np.stack([x, y], axis=1))
    curves = [first, rest]
    if rng.random() < 0.4:
        curves.append(np.array([[0.0, 0.25], [x[-1] / 2, 0.18], [x[-1] * 1.1, 0.12]]))
    return [_leaning(c * high, pen) for c in curves]


def flourished(high: float, letters: int, pen: Pen, rng: np.random.Generator) -> list[Curve]:
    """A signature of ovals and a long tail (held out)."""
    t = np.linspace(0, 2 * np.pi * rng.uniform(1.5, 3), 80)
    oval = np.stack([0.9 * np.cos(t) + t / 9, -0.7 + 0.75 * np.sin(t)], axis=1) * rng.uniform(0.7, 1.0)
    rest = loops(1.0, letters, replace(pen, slant=0.0), rng)[0] * [1, 0.6] + [1.0, 0]
    tail = _spline(np.array([rest[-1], rest[-1] + [1.0, -0.5], rest[-1] + [2.4, 0.1]]))
    return [_leaning(c * high, pen) for c in (oval, rest, tail)]


def ticked(high: float, letters: int, pen: Pen, rng: np.random.Generator) -> list[Curve]:
    """A tick."""
    return [_spline(np.array([[0, -0.4], [0.3, 0.0], [1.0, -1.2]]) * high)]


TUNING = Family(
    strikes={f.__name__: f for f in (ruled, freehand, double, slanted, wavy, zigzag, scribble)},
    hands={
        "splines": _by_curves(splines),
        "hershey": _by_hershey(cv2.FONT_HERSHEY_SCRIPT_SIMPLEX),
        "font": _by_font("Breip.ttf"),
    },
    signatures={"signature": _by_curves(signed)},
    colours=((25, 25, 30), (25, 45, 150), (185, 30, 35), (45, 60, 120)),
    millimetres=(0.3, 0.8),
)
HELD_OUT = Family(
    strikes={f.__name__: f for f in (ruled, freehand, slanted, zigzag, arched, coiled, hatched)},
    hands={
        "loops": _by_curves(loops),
        "hershey2": _by_hershey(cv2.FONT_HERSHEY_SCRIPT_COMPLEX),
        "font2": _by_font("Rufscript010.ttf"),
        "font3": _by_font("femkeklaver.ttf"),
    },
    signatures={"flourish": _by_curves(flourished)},
    colours=((60, 60, 62), (10, 10, 10), (15, 90, 170), (20, 110, 60), (150, 20, 90)),
    millimetres=(0.25, 1.1),
)


# Putting edits on a page


def a_pen(family: Family, dpi: int, rng: np.random.Generator) -> Pen:
    """A pen of the family, in a new hand."""
    return Pen(
        width=float(rng.uniform(*family.millimetres) / 25.4 * dpi),
        colour=family.colours[int(rng.integers(len(family.colours)))],
        cover=float(rng.uniform(0.75, 1.0)),
        slant=float(rng.uniform(-0.1, 0.5)),
        wobble=float(rng.uniform(0, 0.3)),
        pressure=float(rng.uniform(0, 0.3)),
    )


def inked(image: np.ndarray, mask: np.ndarray, at: tuple[int, int], pen: Pen) -> None:
    """Puts the mask on the image in place, top left at `at` (x, y); ink over ink gets darker."""
    x, y = max(0, at[0]), max(0, at[1])
    part = image[y : y + mask.shape[0], x : x + mask.shape[1]]
    alpha = mask[: part.shape[0], : part.shape[1], None] * pen.cover
    tint = np.array(pen.colour, np.float32) / 255
    part[:] = (part * (1 - alpha) + part * tint * alpha).astype(np.uint8)


def _runs(words: list[tuple], rng: np.random.Generator) -> list[list[tuple]]:
    """Runs of one to six neighbouring words of a line, apart from each other, in random order."""
    lines: dict[tuple, list[tuple]] = {}
    for word in words:
        lines.setdefault(word[5:7], []).append(word)
    runs = []
    for line in lines.values():
        start = int(rng.integers(0, max(1, len(line))))
        run = line[start : start + int(rng.integers(1, 7))]
        if sum(len(w[4]) for w in run) >= 3:
            runs.append(run)
    rng.shuffle(runs)
    return runs


def _around(boxes: Sequence[Box]) -> Box:
    array = np.array(boxes)
    return tuple(float(v) for v in (*array[:, :2].min(axis=0), *array[:, 2:].max(axis=0)))


def _print_box(image: np.ndarray, box: Box) -> Box | None:
    """The box shrunk to the ink inside, None without ink."""
    x0, y0, x1, y1 = (round(v) for v in box)
    dark = image[max(0, y0) : y1, max(0, x0) : x1].min(axis=2) < 128
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    if not len(rows):
        return None
    return (x0 + columns[0], y0 + rows[0], x0 + columns[-1] + 1.0, y0 + rows[-1] + 1.0)


def strike_out(image: np.ndarray, run: list[Box], style: str, family: Family, pen: Pen, rng) -> Strike:
    """Strikes the words through, in place."""
    x0, y0, x1, y1 = _around(run)
    high = int(y1 - y0)
    frame = (max(0, int(x0) - 2 * high), max(0, int(y0) - high), int(x1) + 2 * high, int(y1) + high)
    size = (frame[2] - frame[0], frame[3] - frame[1])
    curves = family.strikes[style]((x0 - frame[0], y0 - frame[1], x1 - frame[0], y1 - frame[1]), rng)
    inked(image, drawn(curves, size, pen, rng), frame[:2], pen)
    return Strike(style, tuple(run))


def free_place(image: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> tuple[int, int] | None:
    """Top left corner of an empty place of that size (width, height) on the page, None when none was found."""
    dark = (image.min(axis=2) < 160).astype(np.uint8)
    total = cv2.integral(dark)
    wide, high = size
    for _ in range(400):
        sides = zip(dark.shape[::-1], size, strict=True)
        x, y = (int(rng.integers(8, max(9, side - length - 8))) for side, length in sides)
        if x + wide >= dark.shape[1] or y + high >= dark.shape[0]:
            continue
        if total[y + high, x + wide] - total[y, x + wide] - total[y + high, x] + total[y, x] == 0:
            return x, y
    return None


def annotate(image: np.ndarray, style: str, write: Callable, high: float, letters: int, pen: Pen, rng) -> Note | None:
    """Writes a note into an empty place; None when there is none."""
    mask = write(high, letters, pen, rng)
    place = free_place(image, (mask.shape[1] + 6, mask.shape[0] + 6), rng)
    if place is None:
        return None
    inked(image, mask, (place[0] + 3, place[1] + 3), pen)
    return _note(style, mask, (place[0] + 3, place[1] + 3))


def _note(style: str, mask: np.ndarray, at: tuple[int, int]) -> Note:
    return Note(style, (at[0], at[1], at[0] + mask.shape[1], at[1] + mask.shape[0]))


def insert(image: np.ndarray, run: list[Box], family: Family, pen: Pen, rng) -> Note:
    """Writes something above struck words, into the space between the lines."""
    x0, y0, x1, y1 = _around(run)
    style = str(rng.choice(list(family.hands)))
    high = rng.uniform(0.7, 1.0) * (y1 - y0)
    mask = family.hands[style](high, int(rng.integers(2, 9)), replace(pen, width=min(pen.width, high / 7)), rng)
    at = (int(rng.uniform(x0, (x0 + x1) / 2)), max(0, int(y0 - mask.shape[0] * rng.uniform(0.75, 1.0))))
    inked(image, mask, at, pen)
    return _note(f"insert {style}", mask, at)


def unedited(page: pymupdf.Page, dpi: int, rng: np.random.Generator) -> Edited:
    """The page with print that must not be taken for pen."""
    words = [tuple(v * dpi / 72 for v in word[:4]) for word in page.get_text("words")]
    return Edited(trapped(render(page, dpi), words, dpi, rng))


def edited(page: pymupdf.Page, dpi: int, family: Family, rng: np.random.Generator) -> Edited:
    """The page with three to seven strikes, some of them with writing above, and two to five notes."""
    plain = unedited(page, dpi, rng).image
    image, scale = plain.copy(), dpi / 72
    strikes, notes, pen = [], [], a_pen(family, dpi, rng)
    for run in _runs(page.get_text("words"), rng)[: int(rng.integers(3, 8))]:
        boxes = [_print_box(plain, tuple(v * scale for v in word[:4])) for word in run]
        boxes = [box for box in boxes if box is not None]
        if not boxes:
            continue
        pen = a_pen(family, dpi, rng) if rng.random() < 0.5 else pen
        strikes.append(strike_out(image, boxes, str(rng.choice(list(family.strikes))), family, pen, rng))
        if rng.random() < 0.35:
            notes.append(insert(image, boxes, family, pen, rng))
    notes += _notes(image, dpi, family, pen, rng)
    return Edited(image, tuple(strikes), tuple(notes))


def _notes(image: np.ndarray, dpi: int, family: Family, pen: Pen, rng: np.random.Generator) -> list[Note]:
    found = []
    for _ in range(int(rng.integers(2, 6))):
        kind = rng.choice(["note", "note", "note", "initials", "signature", "tick"])
        high, letters = rng.uniform(0.1, 0.2) * dpi, int(rng.integers(4, 18))
        style, write = str(kind), _by_curves(ticked)
        if kind in ("note", "initials"):
            style = str(rng.choice(list(family.hands)))
            write, letters = family.hands[style], 2 if kind == "initials" else letters
        elif kind == "signature":
            style, write = next(iter(family.signatures.items()))
            high, letters = rng.uniform(0.2, 0.35) * dpi, int(rng.integers(3, 7))
        found.append(annotate(image, style, write, high, letters, pen, rng))
    return [note for note in found if note is not None]


def render(page: pymupdf.Page, dpi: int) -> np.ndarray:
    """The page in colour."""
    pixels = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csRGB, annots=False)
    return np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width, 3).copy()


# Print that must not be taken for pen


def _printed(text: str, font: str, high: float) -> np.ndarray:
    """The text set in one of the PDF's own fonts as a mask, 0-1."""
    with pymupdf.open() as pdf:
        page = pdf.new_page(width=40 * high, height=3 * high)
        page.insert_text((high, 2 * high), text, fontname=font, fontsize=high)
        return _cut_to_ink(1 - render(page, 72)[:, :, 0].astype(np.float32) / 255)


def _heading(high: float, rng: np.random.Generator) -> np.ndarray:
    text = str(rng.choice(["Schedule of Fees", "CONFIDENTIAL", "Exhibit A", "Notices and Consents", "Draft of June 5"]))
    return _printed(text, str(rng.choice(["tiit", "hebo", "tibo", "heit", "cour"])), high * rng.uniform(1.2, 2.4))


def _bars(high: float, rng: np.random.Generator) -> np.ndarray:
    widths = rng.integers(1, 4, 60) * max(1, round(high / 9))
    return np.tile(np.repeat(np.arange(60) % 2, widths).astype(np.float32), (round(3 * high), 1))


def _logo(high: float, rng: np.random.Generator) -> np.ndarray:
    side = round(high * rng.uniform(3, 6))
    mask = np.zeros((side, side), np.uint8)
    corners = (rng.uniform(0.05, 0.95, (int(rng.integers(3, 6)), 2)) * side).astype(np.int32)
    cv2.fillConvexPoly(mask, cv2.convexHull(corners), 255, cv2.LINE_AA)
    cv2.circle(mask, (side // 2, side // 2), side // 2 - 4, 255, max(2, side // 20), cv2.LINE_AA)
    return _cut_to_ink(mask.astype(np.float32) / 255)


def _stamp(high: float, rng: np.random.Generator) -> np.ndarray:
    word = _printed(str(rng.choice(["RECEIVED", "COPY", "FILED", "APPROVED"])), "hebo", 1.6 * high)
    edge = round(0.7 * high)
    mask = np.pad(word, edge)
    cv2.rectangle(mask, (2, 2), (mask.shape[1] - 3, mask.shape[0] - 3), 1.0, max(2, round(high / 6)), cv2.LINE_AA)
    return mask


def _grid(high: float, rng: np.random.Generator) -> np.ndarray:
    rows, columns = (int(n) for n in rng.integers(1, 5, 2))
    mask = np.zeros((round(2 * high) * rows + 4, round(5 * high) * columns + 4), np.float32)
    for row in range(rows + 1):
        cv2.line(mask, (0, 1 + row * round(2 * high)), (mask.shape[1], 1 + row * round(2 * high)), 1.0, 2)
    for column in range(columns + 1):
        cv2.line(mask, (1 + column * round(5 * high), 0), (1 + column * round(5 * high), mask.shape[0]), 1.0, 2)
    return mask


def trapped(image: np.ndarray, words: list[Box], dpi: int, rng: np.random.Generator) -> np.ndarray:
    """The page with underlines, and with headings, stamps, bar codes, logos, grids and form lines in free places."""
    image = image.copy()
    for at in rng.integers(0, len(words), int(rng.integers(0, 6))):
        x0, _, x1, y1 = _print_box(image, words[at]) or words[at]
        gap, thick = rng.uniform(0.005, 0.02) * dpi, max(1, round(rng.uniform(0.004, 0.012) * dpi))
        cv2.line(image, (int(x0), int(y1 + gap)), (int(x1), int(y1 + gap)), (20, 20, 20), thick)
    for make in rng.choice([_heading, _heading, _bars, _logo, _stamp, _grid], int(rng.integers(1, 5))):
        mask = make(0.12 * dpi, rng)
        place = free_place(image, (mask.shape[1] + 20, mask.shape[0] + 20), rng)
        if place is not None:
            colour = ((20, 20, 20), (20, 20, 20), (30, 50, 150), (180, 40, 40))[int(rng.integers(4))]
            inked(image, mask, (place[0] + 10, place[1] + 10), Pen(1, colour, float(rng.uniform(0.7, 1)), 0, 0, 0))
    return image


# Captures in colour, with the way the points go


def _turned(image: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    high, wide = image.shape[:2]
    turn = np.vstack([cv2.getRotationMatrix2D((wide / 2, high / 2), -degrees, 1), [0, 0, 1]])
    return cv2.warpPerspective(image, turn, (wide, high), flags=cv2.INTER_CUBIC, borderValue=(255,) * 3), turn


def office(image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A colour scan: crooked, pale, blurred, noisy, compressed."""
    page, turn = _turned(image, rng.uniform(-1.5, 1.5))
    return copied(page, rng), turn


def fax(image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Black and white with worn strokes and specks."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    page, turn = _turned(np.repeat(grey[:, :, None], 3, axis=2), rng.uniform(-1, 1))
    page = noisy(cv2.GaussianBlur(page[:, :, 0], (0, 0), 0.7), 25, rng)
    return specked(np.where(page < rng.integers(130, 175), 0, 255).astype(np.uint8), rng), turn


CAPTURES: dict[str, Callable] = {
    "clean": lambda image, rng: (image, np.eye(3)),
    "office": office,
    "fax": fax,
    "photo": photographed,
}


def captured(page: Edited, condition: str, rng: np.random.Generator) -> Edited:
    """The page under one of `CONDITIONS`, its boxes moved along."""
    image, way = CAPTURES[condition](page.image, rng)
    to = Straight(image, np.linalg.inv(way))
    strikes = tuple(Strike(s.style, tuple(to.back(box) for box in s.words)) for s in page.strikes)
    return Edited(image, strikes, tuple(Note(n.style, to.back(n.box)) for n in page.notes))


# Reading and counting


def marked_photo(page: pymupdf.Page, family: str, seed: int) -> np.ndarray:
    """A phone's picture of the page after somebody struck words and wrote on it; `family` is own or held-out."""
    rng = np.random.default_rng(seed)
    drawn_on = edited(page, DPI["photo"], HELD_OUT if family == "held-out" else TUNING, rng)
    return captured(drawn_on, "photo", rng).image


class Seen(NamedTuple):
    """What the finder is given: the upright picture, its straightened grey, the words, the letter-like marks."""

    pixels: np.ndarray
    straight: Straight
    words: tuple[OcrWord, ...]
    marks: ink.Marks


def seen(image: np.ndarray) -> Seen:
    """The image as the product reads it; the benchmark turns no page, so that boxes can be compared."""
    look = route.Look.at(ink.to_grey(image), 360)
    readings = []
    for reading in route._attempts(look, "en", "fast"):
        readings.append(reading)
        if reading.good:
            break
    best = max(readings, key=lambda r: (r.good, r.worth))
    return Seen(image, best.look.straight, best.words, best.look.marks)


def _overlap(a: Box, b: Box) -> float:
    """Share of the smaller box that lies in the other."""
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if across <= 0 or down <= 0:
        return 0.0
    return across * down / min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


def measure(page: pymupdf.Page, condition: str, family: Family, seed: int) -> dict[str, float]:
    """Counts for one page, with edits and without: what was drawn, what was found of it, what else was found."""
    rng = np.random.default_rng(seed)
    page_drawn = captured(edited(page, DPI[condition], family, rng), condition, rng)
    picture = seen(page_drawn.image)
    before = time.process_time()
    found = pen_marks(picture.pixels, picture.straight, picture.words, picture.marks)
    spent = time.process_time() - before
    struck = [box for strike in page_drawn.strikes for box in strike.words]
    notes = [note.box for note in page_drawn.notes]
    strikes, hands = [mark.box for mark in found.strikes], [mark.box for mark in found.handwriting]
    plain = captured(unedited(page, DPI[condition], rng), condition, rng)
    untouched = seen(plain.image)
    false = pen_marks(untouched.pixels, untouched.straight, untouched.words, untouched.marks)
    return {
        "struck": len(struck),
        "struck_found": sum(any(_overlap(box, mark) >= 0.3 for mark in strikes) for box in struck),
        "strikes": len(strikes),
        "strikes_right": sum(any(_overlap(box, mark) >= 0.3 for box in struck) for mark in strikes),
        "notes": len(notes),
        "notes_found": sum(any(_overlap(box, mark) >= 0.3 for mark in hands) for box in notes),
        "hands": len(hands),
        "hands_right": sum(any(_overlap(box, mark) >= 0.2 for box in notes) for mark in hands),
        "false_pages": int(bool(false.strikes or false.handwriting)),
        "seconds": spent,
    }


def main(argv: list[str] | None = None) -> int:
    """Prints precision and recall of strikes (by struck word) and of handwriting, and false marks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--condition", default="office,photo")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args(argv)
    for condition in CONDITIONS if asked.condition == "all" else asked.condition.split(","):
        counts: dict[str, float] = {}
        chosen = sample(asked.folder, asked.pages, asked.seed)
        for index, (file, number) in enumerate(chosen):
            with pymupdf.open(file) as pdf:
                family = HELD_OUT if asked.held_out else TUNING
                for name, value in measure(pdf[number], condition, family, 1000 * asked.seed + index).items():
                    counts[name] = counts.get(name, 0) + value
        shares = {
            "strikes_precision": counts["strikes_right"] / max(1, counts["strikes"]),
            "strikes_recall": counts["struck_found"] / max(1, counts["struck"]),
            "handwriting_precision": counts["hands_right"] / max(1, counts["hands"]),
            "handwriting_recall": counts["notes_found"] / max(1, counts["notes"]),
            "unedited_pages_with_marks": counts["false_pages"] / len(chosen),
            "seconds_a_page": counts["seconds"] / len(chosen),
        }
        print(condition, json.dumps({name: round(value, 3) for name, value in shares.items()}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
