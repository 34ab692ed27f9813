"""What comes back from reading the picture of a page: words with boxes, and how far to trust them."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Engine = Literal["tesseract", "rapidocr"]
Language = Literal["en", "de", "fr", "es", "ja"]
Capture = Literal["scan", "photo"]


class OcrWord(NamedTuple):
    """A word as the engine read it.

    The box is in pixels of the upright page image, origin at the top left, not straightened: it lies on
    the picture that a reviewer sees. `confidence` is the engine's own, 0 to 1. `line` and `block` count
    from 0 in reading order; a block is a paragraph or a column's part of one. Japanese has no blanks:
    there a word is a run of characters that ends at punctuation.
    """

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    confidence: float
    line: int
    block: int


class PageMark(NamedTuple):
    """A mark by pen: the words it strikes out or what was read of it, its box, how sure it is one (0 to 1)."""

    kind: Literal["strikethrough", "insertion", "handwriting"]
    text: str
    box: tuple[float, float, float, float]
    confidence: float


class PageArea(NamedTuple):
    """A place for a signature or initials, the print beside it, and whether something stands in it."""

    kind: Literal["signature", "initials"]
    label: str
    state: Literal["present", "absent", "uncertain"]
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class OcrPage:
    """One page image as it was read; `words` are in reading order.

    `rotation` is how far the image was turned clockwise (0, 90, 180, 270 degrees) to be read upright;
    `width` and `height` are the pixels of the image after that turn. `confidence` is the mean over the
    characters, 0 to 1, None when no word was read. `coverage` is the share of the letter-like marks on
    the page that were read, 0 to 1, and 1 on a blank page. `needs_review` says that the page could not
    be read well enough to be trusted. `marks` and `areas` have boxes like the words'.
    """

    words: tuple[OcrWord, ...]
    width: int
    height: int
    rotation: int
    confidence: float | None
    coverage: float
    engine: Engine
    capture: Capture
    needs_review: bool
    language: Language
    marks: tuple[PageMark, ...] = ()
    areas: tuple[PageArea, ...] = ()

    @property
    def text(self) -> str:
        """Words joined by blanks (Japanese: by nothing), lines by line breaks, blocks by an empty line."""
        glue = "" if self.language == "ja" else " "
        parts: list[str] = []
        before: OcrWord | None = None
        for word in self.words:
            if before is not None:
                parts.append(_separator(before, word, glue))
            parts.append(word.text)
            before = word
        return "".join(parts)


def _separator(before: OcrWord, word: OcrWord, glue: str) -> str:
    if word.block != before.block:
        return "\n\n"
    return glue if word.line == before.line else "\n"


def mean_confidence(words: tuple[OcrWord, ...]) -> float | None:
    """The words' confidence weighted by their length; None without words."""
    letters = sum(len(word.text) for word in words)
    return sum(word.confidence * len(word.text) for word in words) / letters if letters else None
