"""Makes paper of a PDF: office scans, a fax and phone photos, each with the flaws that such captures have.

Every random number comes from the seed that is handed in, so that a rebuilt sample is the same sample.
"""

import io
from itertools import pairwise

import cv2
import numpy as np
import pymupdf
from PIL import Image

Picture = np.ndarray
PHOTO_SIZE = (2040, 2680)
SHEET_WIDTH = 1860
PEN_INK = (120, 45, 30)
# A hand that writes "net 60": each letter as strokes in a box one high, with its advance.
LETTERS = {
    "n": (0.62, [[(0, 0.45), (0.05, 1), (0.05, 0.62), (0.25, 0.45), (0.42, 0.55), (0.44, 1)]]),
    "e": (
        0.6,
        [[(0.02, 0.74), (0.4, 0.68), (0.36, 0.46), (0.14, 0.46), (0.03, 0.78), (0.2, 1), (0.46, 0.92)]],
    ),
    "t": (0.55, [[(0.2, 0.1), (0.18, 0.85), (0.28, 1), (0.42, 0.95)], [(0.02, 0.42), (0.42, 0.38)]]),
    " ": (0.4, []),
    "6": (
        0.65,
        [[(0.42, 0.05), (0.12, 0.42), (0.04, 0.8), (0.22, 1), (0.44, 0.82), (0.34, 0.58), (0.08, 0.7)]],
    ),
    "0": (
        0.65,
        [[(0.26, 0.05), (0.05, 0.4), (0.1, 0.9), (0.32, 0.98), (0.48, 0.6), (0.42, 0.15), (0.22, 0.06)]],
    ),
}


def grey_pages(pdf: pymupdf.Document, dpi: int) -> list[Picture]:
    """Each page as a grey picture, as a perfect scanner would see it."""
    return [_pixels(page, dpi, pymupdf.csGRAY)[:, :, 0] for page in pdf]


def colour_pages(pdf: pymupdf.Document, dpi: int) -> list[Picture]:
    """Each page as a BGR picture, for photos."""
    return [_pixels(page, dpi, pymupdf.csRGB)[:, :, ::-1].copy() for page in pdf]


def _pixels(page: pymupdf.Page, dpi: int, space: pymupdf.Colorspace) -> Picture:
    pixmap = page.get_pixmap(dpi=dpi, colorspace=space, alpha=False)
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, pixmap.n)


def scanned(page: Picture, chance: np.random.Generator, noise: float) -> Picture:
    """A sheet that went through an office scanner a little askew."""
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), chance.uniform(-0.8, 0.8), 1)
    turn[:, 2] += chance.uniform(-6, 6, 2)
    askew = cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=255)
    soft = cv2.GaussianBlur(askew, (0, 0), 0.7).astype(np.float32)
    tone = soft * (244 - 30) / 255 + 30
    return _clipped(tone + _grain(chance, tone.shape, noise))


def image_pdf(pages: list[Picture], dpi: int, quality: int) -> pymupdf.Document:
    """A PDF that holds pictures only, one a page, as scanners write it."""
    pdf = pymupdf.open()
    for picture in pages:
        height, width = picture.shape[:2]
        page = pdf.new_page(width=width * 72 / dpi, height=height * 72 / dpi)
        page.insert_image(page.rect, stream=jpeg(picture, quality))
    pdf.set_metadata({})
    return pdf


def jpeg(picture: Picture, quality: int) -> bytes:
    """The picture as JPEG."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def faxed(page: Picture, chance: np.random.Generator) -> Picture:
    """Black and white only, with broken edges and speckle, as a fax machine delivers it."""
    soft = cv2.GaussianBlur(page, (0, 0), 0.8).astype(np.float32)
    black = soft + _grain(chance, page.shape, 14) < 150
    specks = cv2.dilate((chance.random(page.shape) < 0.00012).astype(np.uint8), np.ones((2, 2), np.uint8))
    return np.where(black | (specks > 0), 0, 255).astype(np.uint8)


def fax_tiff(pages: list[Picture], dpi: int) -> bytes:
    """One TIFF of all pages, coded as faxes are (CCITT group 4)."""
    first, *rest = [Image.fromarray(page).convert("1", dither=Image.Dither.NONE) for page in pages]
    out = io.BytesIO()
    first.save(out, "TIFF", compression="group4", dpi=(dpi, dpi), save_all=True, append_images=rest)
    return out.getvalue()


def photographed(page: Picture, chance: np.random.Generator) -> Picture:
    """The sheet on a table, seen by a phone held not quite straight, half in the shadow of the arm."""
    table = _table(chance)
    height, width = page.shape[:2]
    corners = np.float32([(0, 0), (width, 0), (width, height), (0, height)])
    seen = cv2.getPerspectiveTransform(corners, _corners_seen(height / width, chance))
    lit = cv2.warpPerspective(page, seen, PHOTO_SIZE, flags=cv2.INTER_AREA)
    inside = cv2.warpPerspective(np.full((height, width), 255, np.uint8), seen, PHOTO_SIZE)
    inside = cv2.GaussianBlur(inside, (0, 0), 1)[:, :, None] / 255
    paper = lit * np.float32([0.9, 0.94, 0.96])
    scene = (table * (1 - inside) + paper * inside) * _light(chance)[:, :, None]
    blurred = cv2.GaussianBlur(scene.astype(np.float32), (0, 0), 0.9)
    return _clipped(blurred + _grain(chance, blurred.shape, 3.5))


def _corners_seen(ratio: float, chance: np.random.Generator) -> Picture:
    width, height = SHEET_WIDTH, SHEET_WIDTH * ratio
    left, top = (PHOTO_SIZE[0] - width) / 2, (PHOTO_SIZE[1] - height) / 2
    square = np.float32([(0, 0), (width, 0), (width, height), (0, height)]) + np.float32([left, top])
    return (square + chance.uniform(-0.03, 0.03, (4, 2)) * [width, height]).astype(np.float32)


def _table(chance: np.random.Generator) -> Picture:
    width, height = PHOTO_SIZE
    grain = cv2.resize(_grain(chance, (height // 6, 8), 14), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.float32([52, 78, 112]) + grain[:, :, None]


def _light(chance: np.random.Generator) -> Picture:
    width, height = PHOTO_SIZE
    down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    angle = chance.uniform(0, 2 * np.pi)
    slope = (across - 0.5) * np.cos(angle) + (down - 0.5) * np.sin(angle)
    edge = chance.uniform(0.1, 0.25)
    return (0.95 + 0.12 * slope - 0.22 / (1 + np.exp(-(slope - edge) * 14))).astype(np.float32)


def pen_edit(page: Picture, struck: tuple[float, ...], words: str, chance: np.random.Generator) -> None:
    """Strikes a box on the picture with a pen and writes words above it."""
    x0, y0, x1, y1 = struck
    high = (y1 - y0) * 0.95
    middle = (y0 + y1) / 2
    _stroke(page, [(x0 - 8, middle + 5), ((x0 + x1) / 2, middle - 3), (x1 + 8, middle - 5)], chance)
    x, y = x0 - 4, y0 - high * 0.95
    for letter in words:
        advance, strokes = LETTERS[letter]
        for stroke in strokes:
            _stroke(page, [(x + across * high, y + down * high) for across, down in stroke], chance)
        x += advance * high


def _stroke(page: Picture, points: list[tuple[float, float]], chance: np.random.Generator) -> None:
    shaken = np.array(points) + chance.normal(0, 0.8, (len(points), 2))
    curve = _smooth(shaken)
    for start, end in pairwise(np.round(curve * 8).astype(int)):
        cv2.line(page, tuple(map(int, start)), tuple(map(int, end)), PEN_INK, 4, cv2.LINE_AA, 3)


def _smooth(points: Picture) -> Picture:
    """A curve through the points (Catmull-Rom), since a hand makes no corners."""
    padded = np.vstack([points[:1], points, points[-1:]])
    step = np.linspace(0, 1, 12)[:, None]
    pieces = []
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        bend = 2 * before - 5 * start + 4 * end - after
        twist = 3 * start - before - 3 * end + after
        pieces.append(0.5 * (2 * start + (end - before) * step + bend * step**2 + twist * step**3))
    return np.vstack(pieces)


def _grain(chance: np.random.Generator, shape: tuple[int, ...], strength: float) -> Picture:
    return chance.normal(0, strength, shape).astype(np.float32)


def _clipped(picture: Picture) -> Picture:
    return np.clip(picture, 0, 255).astype(np.uint8)
