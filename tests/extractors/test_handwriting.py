"""Handwriting on pictures of pages: found with its place, and print, rules and frames not taken for it."""

import cv2
import numpy as np
import pymupdf
import pytest

from extractors.ocr import read_image

SCALE = 200 / 72
LINES = ("This Agreement is made between Alpha and Beta.", "The fee is 500 EUR a month, due within thirty days.") * 8
INKS = {"blue": (30, 50, 170), "red": (185, 30, 40), "black": (20, 20, 24)}


def sheet() -> np.ndarray:
    page = pymupdf.open().new_page()
    for i, line in enumerate(LINES):
        page.insert_text((72, 90 + 22 * i), line, fontsize=11)
    pixels = page.get_pixmap(dpi=200, colorspace=pymupdf.csRGB)
    return np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width, 3).copy()


def scrawl(image: np.ndarray, x: float, y: float, ink: str, letters: int = 9) -> tuple[float, float, float, float]:
    """Joined-up loops and strokes as a hand makes them; its box in pixels."""
    rng = np.random.default_rng(3)
    at = np.linspace(0, letters, 40 * letters)
    tall = rng.uniform(0.5, 1.4, letters + 2)[at.astype(int)]
    across = x * SCALE + 20 * at + 9 * np.sin(2 * np.pi * at)
    down = y * SCALE - 14 * tall * np.sin(2 * np.pi * at + 0.8) - 5 * np.cos(np.pi * at)
    points = np.stack([across, down], axis=1).round().astype(np.int32)
    cv2.polylines(image, [points], False, INKS[ink], 4, cv2.LINE_AA)
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def written(image: np.ndarray):
    return [mark for mark in read_image(image).marks if mark.kind in ("handwriting", "insertion")]


@pytest.mark.parametrize("ink", INKS)
def test_a_note_is_found_where_it_stands(ink):
    image = sheet()
    x0, y0, x1, y1 = scrawl(image, 120, 560, ink)
    marks = written(image)
    assert len(marks) == 1
    a0, b0, a1, b1 = marks[0].box
    assert min(a1, x1) - max(a0, x0) > 0.7 * (x1 - x0)
    assert min(b1, y1) - max(b0, y0) > 0.5 * (y1 - y0)


def test_print_is_no_handwriting():
    assert written(sheet()) == []


def test_rules_and_frames_are_no_handwriting():
    image = sheet()
    for y in (1500, 1540, 1580, 1620):
        cv2.line(image, (200, y), (1200, y), (0, 0, 0), 2)
    for x in (200, 700, 1200):
        cv2.line(image, (x, 1500), (x, 1620), (0, 0, 0), 2)
    cv2.rectangle(image, (900, 1750), (1300, 1900), (180, 30, 30), 4)
    assert written(image) == []
