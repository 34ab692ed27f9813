"""The readers that are compared: this project's, and what one would use without it; each on one thread."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pymupdf
from PIL import Image

from extractors.ocr import read_image

LANGUAGES = {"en": "eng", "ja": "jpn"}
DPI = 300  # what a reader is told of images that say nothing of it


class Read(NamedTuple):
    """What a reader made of an image: its text in its order, its words with boxes, and what it says of itself."""

    text: str
    words: list[tuple[float, float, float, float, str]]
    facts: dict


def cpu_seconds() -> float:
    """CPU time of this process and of those it waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _by_product(image: np.ndarray, language: str, reading: str) -> Read:
    page = read_image(image, reading=reading)
    facts = ("engine", "confidence", "coverage", "capture", "rotation", "needs_review")
    words = [(w.x0, w.y0, w.x1, w.y1, w.text) for w in page.words]
    return Read(" ".join(w.text for w in page.words), words, {name: getattr(page, name) for name in facts})


def by_fast(image: np.ndarray, language: str) -> Read:
    """The product, `reading = fast`."""
    return _by_product(image, language, "fast")


def by_accurate(image: np.ndarray, language: str) -> Read:
    """The product, `reading = accurate`."""
    return _by_product(image, language, "accurate")


def by_tesseract(image: np.ndarray, language: str) -> Read:
    """Tesseract on the image as it comes."""
    import pytesseract

    os.environ["OMP_THREAD_LIMIT"] = "1"
    picture = Image.fromarray(image)
    found = pytesseract.image_to_data(picture, LANGUAGES[language], f"--dpi {DPI}", output_type=pytesseract.Output.DICT)
    words = [
        (float(x), float(y), float(x + w), float(y + h), text)
        for x, y, w, h, text in zip(
            found["left"], found["top"], found["width"], found["height"], found["text"], strict=True
        )
        if text.strip()
    ]
    return Read(" ".join(word[4] for word in words), words, {})


def by_ocrmypdf(image: np.ndarray, language: str) -> Read:
    """OCRmyPDF with rotation and deskewing, its output's text layer."""
    with tempfile.TemporaryDirectory() as folder:
        picture, pdf = Path(folder, "page.png"), Path(folder, "page.pdf")
        cv2.imwrite(str(picture), image if image.ndim == 2 else image[:, :, ::-1])
        command = [sys.executable, "-m", "ocrmypdf", "--quiet", "--rotate-pages", "--deskew", "--jobs", "1"]
        command += ["--optimize", "0", "--output-type", "pdf", "--image-dpi", str(DPI), "-l", LANGUAGES[language]]
        environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        subprocess.run([*command, str(picture), str(pdf)], check=True, env=environment, capture_output=True)
        with pymupdf.open(pdf) as made:
            words = [tuple(word[:5]) for word in made[0].get_text("words")]
    return Read(" ".join(word[4] for word in words), words, {})


@cache
def _stock_engine():
    from rapidocr import RapidOCR

    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    return RapidOCR(params={**threads, "Global.log_level": "critical"})


def by_rapidocr(image: np.ndarray, language: str) -> Read:
    """RapidOCR as it comes."""
    colour = image if image.ndim == 3 else np.stack([image] * 3, axis=2)
    found = _stock_engine()(np.ascontiguousarray(colour[:, :, ::-1]))
    if found.txts is None:
        return Read("", [], {})
    words = [
        (float(box[:, 0].min()), float(box[:, 1].min()), float(box[:, 0].max()), float(box[:, 1].max()), text)
        for box, text in zip(np.asarray(found.boxes), found.txts, strict=True)
    ]
    return Read(" ".join(found.txts), words, {})


READERS: dict[str, Callable[[np.ndarray, str], Read]] = {
    "fast": by_fast,
    "accurate": by_accurate,
    "tesseract": by_tesseract,
    "ocrmypdf": by_ocrmypdf,
    "rapidocr": by_rapidocr,
}
