"""RapidOCR's models (PP-OCRv6 small: detection, recognition), run from its installed wheel by ONNX Runtime.

The models are called directly and not through `rapidocr.RapidOCR`, for three reasons: its recogniser
drops letters in lines longer than about 18 times their height; the place of each character on the
line, from which word boxes come, is not in its answer; and it can neither log nor download here.
"""

from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from extractors.characters import language_of
from extractors.ocr import lexicon, lines
from extractors.ocr.page import OcrWord

DETECTOR, RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
LETTER = 10  # pixels of a letter's height at which lines are looked for; more costs and finds no more
DETECTOR_SIDE = 2000  # pixels, RapidOCR's own limit
TEXT, BOX, UNCLIP = 0.3, 0.5, 1.6  # RapidOCR's thresholds of the DB detector (Liao 2020) and its margin
NARROWEST = 320  # pixels; shorter pieces are filled up, as in training
LONG = 6  # heights; a shorter line shows no bend
BENT = 0.25  # of its thickness; lines that hang less than that are read as straight
PLACES = 16  # along a line where its course is measured
TRUSTED = 0.5  # RapidOCR's text_score: a piece read with less is taken for a picture
FOREIGN = 0.85  # probability from which a character beyond ASCII is believed on a page of plain letters
ACCENT = 0.97  # the same for a letter with an accent: a speck on a fax makes one
ACCENTED = 0.015  # share of such letters from which a page is written with them
FAR = 1.7  # usual steps between characters, from which a blank lies between them
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


def find_lines(grey: np.ndarray, size: float) -> lines.TextLines:
    """The text lines of a page; `size` is the usual height of a letter in pixels."""
    scale = min(LETTER / max(size, 1.0), DETECTOR_SIDE / max(grey.shape), 2.0)
    wide, high = (max(32, round(side * scale / 32) * 32) for side in grey.shape[::-1])
    small = cv2.resize(grey, (wide, high), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    likely = _answer(DETECTOR, small)[0]
    mask = cv2.dilate((likely > TEXT).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    found = [box for box in (_line_box(likely, contour) for contour in contours) if box is not None]
    if not found:
        return lines.TextLines.straight(np.zeros((0, 4, 2), np.float32))
    outlines = np.stack([outline for outline, _ in found])
    outlines *= np.array([grey.shape[1] / wide, grey.shape[0] / high], np.float32)
    return lines.TextLines(outlines, np.array([bend for _, bend in found], np.float32))


def _line_box(likely: np.ndarray, contour: np.ndarray) -> tuple[np.ndarray, float] | None:
    """The corners of a detected line with its margin back (DB shrinks lines), and its bend; None for no line."""
    centre, (wide, high), angle = cv2.minAreaRect(contour)
    if min(wide, high) < 3 or _mean_inside(likely, contour) < BOX:
        return None
    if high > wide:
        wide, high, angle = high, wide, angle - 90
    middle, thick, sag = _course(contour, centre, wide, angle) if wide > LONG * high else (0.0, high, 0.0)
    if abs(sag) <= BENT * thick:
        middle, thick, sag = 0.0, high, 0.0
    turn = np.radians(angle)
    centre = (centre[0] - middle * np.sin(turn), centre[1] + middle * np.cos(turn))
    margin = 2 * wide * thick * UNCLIP / (2 * (wide + thick))
    corners = cv2.boxPoints((centre, (wide + margin, thick + margin), angle))
    is_turned = np.cos(turn) < 0  # then what hangs down on the turned box stands up on the page
    return _from_top_left(corners), (-sag if is_turned else sag) / (thick + margin)


def _course(contour: np.ndarray, centre: tuple[float, float], wide: float, angle: float) -> tuple[float, float, float]:
    """How a line runs across its box: where its middle lies, its thickness, how far its middle hangs below its ends."""
    turn = np.radians(angle)
    points = contour.reshape(-1, 2) - np.array(centre)
    along = points @ np.array([np.cos(turn), np.sin(turn)])
    across = points @ np.array([-np.sin(turn), np.cos(turn)])
    place = np.clip(((along / wide + 0.5) * PLACES).astype(int), 0, PLACES - 1)
    known = [at for at in range(1, PLACES - 1) if np.count_nonzero(place == at) >= 2]
    if len(known) < PLACES // 2:
        return 0.0, 0.0, 0.0
    low = np.array([across[place == at].min() for at in known])
    high = np.array([across[place == at].max() for at in known])
    x = (np.array(known) + 0.5) / PLACES * 2 - 1
    square, _, constant = np.polyfit(x, (low + high) / 2, 2)
    return float(constant + square / 3), float(np.median(high - low)), float(-square)


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


class StripText(NamedTuple):
    """What stands on a strip: read from all 18,709 characters, and from ASCII where others are unlikely.

    The one model knows fifty languages, and takes a worn letter of one for a letter of another.
    """

    free: list[Character]
    plain: list[Character]
    frames: list["Frames"]


class Frames(NamedTuple):
    """What the recogniser saw along a piece: n places in strip pixels, and n x ASCII classes probabilities."""

    x: np.ndarray
    answer: np.ndarray


def read_strip(strip: np.ndarray) -> StripText:
    """The characters on a strip of `lines.HEIGHT` pixels' height, read in pieces; spaces included."""
    text = StripText([], [], [])
    for start, end in lines.pieces(strip):
        piece = _read_piece(strip[:, start:end], start)
        text.free.extend(piece.free)
        text.plain.extend(piece.plain)
        text.frames.extend(piece.frames)
    return text


def _read_piece(piece: np.ndarray, start: int) -> StripText:
    wide = piece.shape[1]
    full = max(NARROWEST, -(-wide // 8) * 8)
    padded = np.full((piece.shape[0], full), 127.5, np.float32)
    padded[:, :wide] = piece
    answer = _answer(RECOGNISER, padded)
    step = full / len(answer)
    best = answer.argmax(axis=1)
    is_ascii, ascii_classes = _ascii()
    among = answer[:, ascii_classes]
    unlikely = (answer.max(axis=1) < _least_probability()[best]) & ~is_ascii[best]
    plain = np.where(unlikely, ascii_classes[among.argmax(axis=1)], best)
    frames = Frames(start + (np.arange(len(answer)) + 0.5) * step, among)
    return StripText(_decoded(answer, best, start, step), _decoded(answer, plain, start, step), [frames])


@cache
def _ascii() -> tuple[np.ndarray, np.ndarray]:
    """For each class whether it is an ASCII character, the space or the blank of CTC; and those classes."""
    is_ascii = np.array([character.isascii() for character in _alphabet()])
    return is_ascii, np.flatnonzero(is_ascii)


@cache
def _least_probability() -> np.ndarray:
    """For each class from which probability on it is believed on a page of plain letters."""
    return np.array([ACCENT if character.isalpha() and character < "\u0250" else FOREIGN for character in _alphabet()])


@cache
def _ascii_columns() -> dict[str, int]:
    """The column of `Frames.answer` for each character; the blank of CTC is ""."""
    alphabet = _alphabet()
    return {alphabet[index]: column for column, index in enumerate(_ascii()[1])}


def _with_blanks_at_cuts(strip: lines.Strip, text: list[Character], blank: lines.BlankWidth) -> list[Character]:
    """The text with the blanks in which the strip was cut: half a blank at its end a piece does not tell."""
    printed = np.array([character.x for character in text if not character.text.isspace()])
    spaces = [
        Character(" ", 1.0, float(x))
        for x, gap in lines.cuts(strip.picture)
        if gap >= blank.usual * lines.BLANK_AT_CUT or (gap >= blank.usual / 3 and _is_far(printed, x))
    ]
    return sorted([*text, *spaces], key=lambda character: character.x) if spaces else text


def _is_far(printed: np.ndarray, x: float) -> bool:
    """Whether the characters beside a cut stand far apart; a speck in the blank makes its gap small."""
    at = int(np.searchsorted(printed, x))
    if not 0 < at < len(printed):
        return False
    return bool(printed[at] - printed[at - 1] >= FAR * np.median(np.diff(printed)))


def _texts(strips: list[lines.Strip], readings: list[StripText]) -> list[list[Character]]:
    """The characters of each strip, in the page's letters, with blanks at cuts and unsure words corrected."""
    foreign = _is_foreign([c for reading in readings for c in reading.free])
    texts = [r.free if foreign and _is_foreign(r.free) else r.plain for r in readings]
    blank = lines.blank_width(strips, texts)
    texts = [_with_blanks_at_cuts(strip, text, blank) for strip, text in zip(strips, texts, strict=True)]
    if language_of(" ".join("".join(c.text for c in text) for text in texts)) != "en":
        return texts
    return [_corrected(text, reading.frames) for text, reading in zip(texts, readings, strict=True)]


def _decoded(answer: np.ndarray, best: np.ndarray, start: int, step: float) -> list[Character]:
    new = np.flatnonzero((best != 0) & (best != np.concatenate([[0], best[:-1]])))
    probable = answer[new, best[new]]
    if not len(new) or probable.mean() < TRUSTED:
        return []
    alphabet = _alphabet()
    return [
        Character(alphabet[best[at]], float(p), start + (at + 0.5) * step) for at, p in zip(new, probable, strict=True)
    ]


def _is_foreign(read: list[Character]) -> bool:
    """Whether a text is written with other letters than ASCII."""
    letters = [c for c in read if c.text.isalpha()]
    foreign = sum(not c.text.isascii() and c.probability >= (ACCENT if c.text < "\u0250" else FOREIGN) for c in letters)
    return foreign > ACCENTED * len(letters)


def _corrected(text: list[Character], frames: list[Frames]) -> list[Character]:
    """The text with the words that were read unsurely replaced by words of contracts, where the ink allows."""
    words = [list(group) for is_space, group in groupby(text, lambda c: c.text.isspace()) if not is_space]
    better: list[list[Character]] = []
    for word in words:
        whole = _joined(better[-1], word, frames) if better and _is_unsure(better[-1] + word) else None
        if whole:
            better[-1] = whole
        else:
            better.append(_better_word(word, frames) if _is_unsure(word) else word)
    return [c for word in better for c in (*word, Character(" ", 1.0, word[-1].x))][:-1]


def _is_unsure(word: list[Character]) -> bool:
    return min(character.probability for character in word) < lexicon.UNSURE


def _joined(first: list[Character], second: list[Character], frames: list[Frames]) -> list[Character] | None:
    seen = _seen(first + second, frames)
    found = lexicon.joined(_text(first), _text(second), seen) if seen else None
    return _respelled(first + second, found) if found else None


def _better_word(word: list[Character], frames: list[Frames]) -> list[Character]:
    seen = _seen(word, frames)
    found = lexicon.better_word(_text(word), seen) if seen else None
    return _respelled(word, found) if found else word


def _text(word: list[Character]) -> str:
    return "".join(character.text for character in word)


def _seen(word: list[Character], frames: list[Frames]) -> lexicon.Seen | None:
    """What the recogniser saw where a word stands; None when that is in two pieces, or other letters."""
    first, last = word[0].x, word[-1].x
    piece = next((piece for piece in frames if piece.x[0] <= first and last <= piece.x[-1]), None)
    if piece is None or not _text(word).isascii():
        return None
    step = piece.x[1] - piece.x[0] if len(piece.x) > 1 else 0.0
    inside = (piece.x >= first - step) & (piece.x <= last + step)
    return lexicon.Seen(piece.answer[inside], _ascii_columns())


def _respelled(word: list[Character], text: str) -> list[Character]:
    """The characters of another text in the same place; no surer than what was read."""
    sure = min(character.probability for character in word)
    places = np.linspace(word[0].x, word[-1].x, len(text))
    return [Character(c, sure, float(x)) for c, x in zip(text, places, strict=True)]


def upside_down(grey: np.ndarray, found: lines.TextLines) -> bool:
    """Whether the page stands on its head: its longest lines are read with more certainty turned round."""
    wide = np.linalg.norm(found.outlines[:, 1] - found.outlines[:, 0], axis=1)
    both = [_both_ways(grey, found.outlines[at], found.bends[at]) for at in np.argsort(-wide)[:PROBES]]
    up, down = np.array(both).reshape(-1, 2).mean(axis=0) if both else (1.0, 0.0)
    return bool(down > up + 0.03)


def _both_ways(grey: np.ndarray, outline: np.ndarray, bend: float) -> tuple[float, float]:
    """Mean probability of a line's first piece as it stands and turned round."""
    strip = lines.Strip.of(grey, outline, bend).picture
    start, end = lines.pieces(strip)[0]
    piece = strip[:, start:end]
    return _certainty(piece), _certainty(piece[::-1, ::-1])


def _certainty(piece: np.ndarray) -> float:
    read = _read_piece(piece, 0).free
    return float(np.mean([c.probability for c in read])) if read else 0.0


def read(grey: np.ndarray, found: lines.TextLines) -> tuple[OcrWord, ...]:
    """The words on the lines that `find_lines` found, in reading order, boxes in pixels of `grey`.

    Blanks that were lost are put back where the ink has a gap as wide as the page's other blanks.
    """
    strips = [lines.Strip.of(grey, outline, bend) for outline, bend in zip(found.outlines, found.bends, strict=True)]
    readings = [read_strip(strip.picture) for strip in strips]
    texts = _texts(strips, readings)
    blank = lines.blank_width(strips, texts)
    words = []
    for index, line, block in lines.reading_order(found.outlines):
        words += lines.words_of(strips[index], texts[index], blank, line, block)
    return tuple(words)
