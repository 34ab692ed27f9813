"""Pages made worse, as office scanners, fax machines and phones make them; the same for the same seed.

Two families that share no step: `OWN`, on which reading may be tuned, and `HELD_OUT`, which only judges.
Every maker takes a page in grey (uint8, paper 255) at its own resolution and gives grey or RGB.
"""

from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple

import cv2
import numpy as np
import pymupdf
from PIL import Image, ImageEnhance, ImageFilter

Maker = Callable[[np.ndarray, np.random.Generator], np.ndarray]


class Condition(NamedTuple):
    """How a page reaches us: resolutions of the rendering in dpi (one is drawn) and what is done to it."""

    dpi: tuple[int, int]
    make: Maker
    turned: bool = False


def render(page: pymupdf.Page, dpi: int) -> np.ndarray:
    """The page in grey."""
    pixels = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
    return np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width).copy()


def degraded(page: pymupdf.Page, condition: Condition, seed: int) -> np.ndarray:
    """The page under a condition; where pages come turned, every second one is, by a multiple of 90 degrees."""
    rng = np.random.default_rng(seed)
    image = condition.make(render(page, int(rng.integers(condition.dpi[0], condition.dpi[1] + 1))), rng)
    turns = int(rng.integers(0, 4)) if condition.turned and seed % 2 else 0
    return np.ascontiguousarray(np.rot90(image, turns))


def clean(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As it was printed."""
    return grey


def skewed(grey: np.ndarray, degrees: float) -> np.ndarray:
    """The page turned clockwise by a few degrees, white behind it."""
    high, wide = grey.shape
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), -degrees, 1)
    return cv2.warpAffine(grey, turn, (wide, high), flags=cv2.INTER_CUBIC, borderValue=255)


def noisy(image: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """The image with Gaussian noise of `amount` grey levels."""
    return np.clip(image + rng.normal(0, amount, image.shape), 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """The image after JPEG compression."""
    _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(coded, cv2.IMREAD_UNCHANGED)


def office(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A copy of a copy: crooked, pale, blurred, noisy, compressed."""
    page = skewed(grey, rng.uniform(-1.5, 1.5))
    return copied(page, rng)


def copied(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a scanner makes of a page: pale, blurred, noisy, compressed."""
    page = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.5, 0.9))
    page = page * rng.uniform(0.6, 0.85) + rng.uniform(25, 40)
    return jpeg(noisy(np.clip(page, 0, 255), rng.uniform(4, 9), rng), int(rng.integers(45, 70)))


def fax(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Black and white, crooked, with worn or thickened strokes and specks.

    Like the machine's exposure control, the threshold follows the print: as much ink comes out as 0.8 to 1.2
    times of what went in, so thin type wears out but does not vanish as a whole.
    """
    page = cv2.GaussianBlur(skewed(grey, rng.uniform(-1, 1)), (0, 0), rng.uniform(0.5, 0.8))
    page = noisy(page, rng.uniform(15, 25), rng)
    share = np.mean(grey < 128) * rng.uniform(0.8, 1.2)
    return specked(np.where(page < np.quantile(page, share), 0, 255).astype(np.uint8), rng)


def specked(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The page with black and white specks, put on it in place."""
    specks = rng.random(page.shape)
    page[specks < 0.0015] = 0
    page[specks > 0.9985] = 255
    return page


def photo(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A phone's picture of a sheet on a table, in colour: perspective, light from one side, a hard shadow."""
    return photographed(np.stack([grey] * 3, axis=2), rng)[0]


def photographed(page: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The same for a page in colour (RGB), and the way (3 x 3) from the page to the picture."""
    high, wide = page.shape[:2]
    size = (round(wide * 1.12), round(high * 1.1))
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    shift = rng.uniform(-0.035, 0.035, (4, 2)) * [wide, high]
    placed = (corners + np.array([wide * 0.06, high * 0.05]) + shift).astype(np.float32)
    lens = cv2.getPerspectiveTransform(corners, placed)
    table = cv2.GaussianBlur(rng.normal(80, 60, (size[1], size[0])).astype(np.float32), (0, 0), 6)
    sheet = cv2.warpPerspective(page, lens, size, flags=cv2.INTER_AREA)
    inside = cv2.warpPerspective(np.full((high, wide), 255, np.uint8), lens, size)[:, :, None] / 255.0
    scene = (sheet * inside + table[:, :, None] * (1 - inside)) * _light(size, rng)[:, :, None]
    scene = cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.5, 1.0))
    return jpeg(noisy(scene * np.array([1.0, 0.96, 0.86]), 5, rng), 80), lens


def _light(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Light that falls off to one side, and a straight shadow over a part."""
    x, y = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    angle = rng.uniform(0, 2 * np.pi)
    light = 0.82 + 0.3 * ((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle))
    edge = (x - rng.uniform(0.3, 0.7)) * np.cos(angle + 1) + (y - 0.5) * np.sin(angle + 1)
    return light * (1 - 0.4 * cv2.GaussianBlur((edge > 0.15).astype(np.float32), (0, 0), 15))


# --- Held out: other tools, other tricks


def _second_scanner(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sheet-fed scanner: sheared, with the back of the page shining through, streaks and a grey ground."""
    image = Image.fromarray(grey)
    shear = float(rng.uniform(-0.02, 0.02))
    image = image.transform(image.size, Image.Transform.AFFINE, (1, shear, 0, shear / 2, 1, 0), fillcolor=255)
    image = image.rotate(float(rng.uniform(-1.2, 1.2)), Image.Resampling.BILINEAR, fillcolor=255)
    back = np.asarray(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).filter(ImageFilter.BoxBlur(2)), float)
    page = np.asarray(image.filter(ImageFilter.BoxBlur(0.6)), float) - 0.06 * (255 - back)
    page[:, rng.integers(0, grey.shape[1], 3)] -= 25
    page += rng.uniform(-6, 6, page.shape)
    page = 255 * (np.clip(page, 0, 255) / 255) ** rng.uniform(0.7, 1.2) - rng.uniform(5, 25)
    return _pil_jpeg(Image.fromarray(np.clip(page, 0, 255).astype(np.uint8)), int(rng.integers(35, 60)))


def _second_fax(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Coarse lines, ragged edges, broken scan rows; thinned or fattened by a pixel at twice the resolution."""
    large = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    element = np.ones((2, 1), np.uint8)  # of one direction: thin type must stay readable for a person
    large = cv2.erode(large, element) if rng.random() < 0.5 else cv2.dilate(large, element)
    coarse = cv2.resize(large, (grey.shape[1], round(grey.shape[0] * 0.85)), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(coarse, grey.shape[::-1], interpolation=cv2.INTER_NEAREST).astype(float)
    ragged = coarse + cv2.GaussianBlur(rng.normal(0, 60, grey.shape), (0, 0), 0.8)
    page = np.where(ragged < 160, 0, 255).astype(np.uint8)
    for row in rng.integers(0, grey.shape[0] - 1, 6):
        page[row] = page[row + 1]
    flips = rng.random(page.shape) < 0.001
    page[flips] = 255 - page[flips]
    return np.asarray(Image.fromarray(page).rotate(float(rng.uniform(-0.8, 0.8)), fillcolor=255))


def _second_phone(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A curled sheet on a dark, patterned desk, shaken a little, with a lamp's bright spot and a vignette."""
    high, wide = grey.shape
    framed = cv2.copyMakeBorder(grey, high // 14, high // 14, wide // 12, wide // 12, cv2.BORDER_CONSTANT, value=0)
    on_sheet = cv2.copyMakeBorder(
        np.full_like(grey, 255), high // 14, high // 14, wide // 12, wide // 12, cv2.BORDER_CONSTANT, value=0
    )
    y, x = np.mgrid[0 : framed.shape[0], 0 : framed.shape[1]].astype(np.float32)
    bend = rng.uniform(-0.008, 0.008) * framed.shape[0]
    lean = rng.uniform(-0.03, 0.03)
    down = y + bend * np.sin(np.pi * x / framed.shape[1]) + lean * (x - x.mean())
    across = x + rng.uniform(-0.04, 0.04) * (y - y.mean()) - lean * (y - y.mean())
    sheet = cv2.remap(framed, across, down, cv2.INTER_CUBIC, borderValue=0).astype(float)
    inside = cv2.remap(on_sheet, across, down, cv2.INTER_LINEAR, borderValue=0) / 255.0
    desk = 55 + 18 * np.sin(x / rng.uniform(9, 30)) + rng.normal(0, 6, x.shape)
    centre = rng.uniform(0.2, 0.8, 2) * framed.shape
    lamp = np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (0.5 * framed.shape[0]) ** 2)
    scene = (sheet * inside + desk * (1 - inside)) * (0.55 + 0.45 * lamp)
    shake = np.zeros((5, 5), np.float32)
    shake[2, :3] = 1 / 3
    scene = cv2.filter2D(scene, -1, shake if rng.random() < 0.5 else shake.T)
    image = Image.fromarray(np.clip(scene + rng.normal(0, 4, x.shape), 0, 255).astype(np.uint8)).convert("RGB")
    return _pil_jpeg(ImageEnhance.Color(image).enhance(1.2), int(rng.integers(60, 85)))


def _pil_jpeg(image: Image.Image, quality: int) -> np.ndarray:
    held = BytesIO()
    image.save(held, "JPEG", quality=quality)
    return np.asarray(Image.open(held))


OWN = {
    "clean": Condition((300, 300), clean),
    "office": Condition((200, 200), office),
    "fax": Condition((150, 200), fax),
    "photo": Condition((200, 240), photo, turned=True),
}
HELD_OUT = {
    "clean": Condition((300, 300), clean),
    "office": Condition((200, 200), _second_scanner),
    "fax": Condition((160, 200), _second_fax),
    "photo": Condition((200, 260), _second_phone, turned=True),
}
