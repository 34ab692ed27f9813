"""Reading the picture of a page: upright, straight, words with boxes, and whether to trust them."""

from extractors.ocr.page import OcrPage, OcrWord, PageArea, PageMark
from extractors.ocr.route import available, read_image

__all__ = ["OcrPage", "OcrWord", "PageArea", "PageMark", "available", "read_image"]
