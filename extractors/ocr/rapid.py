"""RapidOCR's models (PP-OCRv6 small: detection, recognition), run from its installed wheel by ONNX Runtime.

The models are called directly and not through `rapidocr.RapidOCR`, for three reasons: its recogniser
drops letters in lines longer than about 18 times their height; the place of each character on the
line, from which word boxes come, is not in its answer; and it can neither log nor download here.
"""

from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path

import cv2
import numpy as np

from extractors.ocr import lines
from extractors.ocr.page import OcrWord

DETECTOR, RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
LETTER = 10  # pixels of a letter's height at which lines are looked for; more costs and finds no more
DETECTOR_SIDE = 2000  # pixels, RapidOCR's own limit
TEXT, BOX, UNCLIP = 0.3, 0.5, 1.6  # RapidOCR's thresholds of the DB detector (Liao 2020) and its margin
NARROWEST = 320  # pixels; shorter pieces are filled up, as in training
TRUSTED = 0.5  # RapidOCR's text_score: a piece read with less is taken for a picture
PROBES = 6  # lines read both ways to tell up from down


def version() -> str | None:
    """The installed version, such as "3.10.0"; None when RapidOCR or its models are missing."""
    if util.find_spec("rapidocr") is None or not _model(RECOGNISER).is_file():
        return None
    return metadata.version("rapidocr")


def _model(name: str) -> Path:
    spec = util.find_spec("rapidocr")
    return Path(spec.submodule_search_locations[0]) / "models" / name


@cache
def _session(name: str):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # pages differ in size; the arena would keep the largest
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(_model(name)), options, providers=["CPUExecutionProvider"])


@cache
def _alphabet() -> list[str]:
    """What the recogniser's classes mean; 0 is the blank of CTC, the last one the space."""
    characters = _session(RECOGNISER).get_modelmeta().custom_metadata_map["character"].splitlines()
    return ["", *characters, " "]


def _answer(name: str, picture: np.ndarray) -> np.ndarray:
    """The model's answer to a grey picture, which is given to it in three equal channels, -1 to 1."""
    values = picture.astype(np.float32) / 127.5 - 1
    session = _session(name)
    return session.run(None, {session.get_inputs()[0].name: np.stack([values] * 3)[None]})[0][0]


def find_lines(grey: np.ndarray, size: float) -> np.ndarray:
    """Outlines of the text lines, n x 4 x 2 (top left, top right, bottom right, bottom left), in pixels.

    `size` is the usual height of a letter in pixels.
    """
    scale = min(LETTER / max(size, 1.0), DETECTOR_SIDE / max(grey.shape), 2.0)
    wide, high = (max(32, round(side * scale / 32) * 32) for side in grey.shape[::-1])
    small = cv2.resize(grey, (wide, high), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    likely = _answer(DETECTOR, small)[0]
    mask = cv2.dilate((likely > TEXT).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = [box for box in (_line_box(likely, contour) for contour in contours) if box is not None]
    if not found:
        return np.zeros((0, 4, 2), np.float32)
    return np.stack(found) * np.array([grey.shape[1] / wide, grey.shape[0] / high], np.float32)


def _line_box(likely: np.ndarray, contour: np.ndarray) -> np.ndarray | None:
    """The corners of a detected line with its margin back (DB shrinks lines), None for what is no line."""
    centre, (wide, high), angle = cv2.minAreaRect(contour)
    if min(wide, high) < 3 or _mean_inside(likely, contour) < BOX:
        return None
    margin = 2 * wide * high * UNCLIP / (2 * (wide + high))
    corners = cv2.boxPoints((centre, (wide + margin, high + margin), angle))
    return _from_top_left(corners)


def _mean_inside(likely: np.ndarray, contour: np.ndarray) -> float:
    x, y, wide, high = cv2.boundingRect(contour)
    mask = np.zeros((high, wide), np.uint8)
    cv2.fillPoly(mask, [contour - (x, y)], 1)
    return cv2.mean(likely[y : y + high, x : x + wide], mask)[0]


def _from_top_left(corners: np.ndarray) -> np.ndarray:
    by_x = corners[np.argsort(corners[:, 0])]
    left, right = by_x[:2], by_x[2:]
    top_left, bottom_left = left[np.argsort(left[:, 1])]
    top_right, bottom_right = right[np.argsort(right[:, 1])]
    return np.array([top_left, top_right, bottom_right, bottom_left], np.float32)


@dataclass(frozen=True)
class Character:
    """A character that was read: its probability, and the middle of its place on the strip in pixels."""

    text: str
    probability: float
    x: float


def read_strip(strip: np.ndarray) -> list[Character]:
    """The characters on a strip of `lines.HEIGHT` pixels' height, read in pieces; spaces included."""
    return [character for start, end in lines.pieces(strip) for character in _read_piece(strip[:, start:end], start)]


def _read_piece(piece: np.ndarray, start: int) -> list[Character]:
    wide = piece.shape[1]
    full = max(NARROWEST, -(-wide // 8) * 8)
    padded = np.full((piece.shape[0], full), 127.5, np.float32)
    padded[:, :wide] = piece
    answer = _answer(RECOGNISER, padded)
    best = answer.argmax(axis=1)
    new = np.flatnonzero((best != 0) & (best != np.concatenate([[0], best[:-1]])))
    probable = answer[new, best[new]]
    if not len(new) or probable.mean() < TRUSTED:
        return []
    step, alphabet = full / len(best), _alphabet()
    return [
        Character(alphabet[best[at]], float(p), start + (at + 0.5) * step) for at, p in zip(new, probable, strict=True)
    ]


def upside_down(grey: np.ndarray, found: np.ndarray) -> bool:
    """Whether the page stands on its head: its longest lines are read with more certainty turned round."""
    wide = np.linalg.norm(found[:, 1] - found[:, 0], axis=1)
    both = [_both_ways(grey, outline) for outline in found[np.argsort(-wide)[:PROBES]]]
    up, down = np.array(both).reshape(-1, 2).mean(axis=0) if both else (1.0, 0.0)
    return bool(down > up + 0.03)


def _both_ways(grey: np.ndarray, outline: np.ndarray) -> tuple[float, float]:
    """Mean probability of a line's first piece as it stands and turned round."""
    strip = lines.Strip.of(grey, outline).picture
    start, end = lines.pieces(strip)[0]
    piece = strip[:, start:end]
    return _certainty(piece), _certainty(piece[::-1, ::-1])


def _certainty(piece: np.ndarray) -> float:
    read = _read_piece(piece, 0)
    return float(np.mean([c.probability for c in read])) if read else 0.0


def read(grey: np.ndarray, found: np.ndarray, repair: bool = True) -> tuple[OcrWord, ...]:
    """The words on the lines that `find_lines` found, in reading order, boxes in pixels of `grey`.

    `repair` puts back blanks that were lost where the ink has a gap as wide as its other blanks.
    """
    strips = [lines.Strip.of(grey, outline) for outline in found]
    texts = [read_strip(strip.picture) for strip in strips]
    blank = lines.blank_width(strips, texts) if repair else None
    words = []
    for index, line, block in lines.reading_order(found):
        words += lines.words_of(strips[index], texts[index], blank, line, block)
    return tuple(words)
