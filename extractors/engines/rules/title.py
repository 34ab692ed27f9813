"""What the document is called, and what kind of contract that makes it."""

import re
from collections.abc import Iterable

from extractors.engines.view import Sentence, View
from schemas.contract import Term
from schemas.document import Page, Word

KINDS: tuple[tuple[str, str], ...] = (
    ("nda", r"non-?\s?disclosure|(?:confidentiality|secrecy) (?:\w+ )?(?:agreement|undertaking|deed|contract|letter)|(?:deed|letter|undertaking) of "
            r"(?:confidentiality|secrecy)|geheimhaltung|\bNDA\b|秘密保持"),
    ("amendment", r"\bamendment\b|\baddendum\b|change order|変更契約|覚書"),
    ("dpa", r"data (?:processing|protection) (?:agreement|addendum)"),
    ("order_form", r"order form|\bquote\b|purchase order|service order|subscription order|注文|申込"),
    ("sow", r"statement of work|\bSOW\b|work order|作業指示"),
    ("reseller", r"resell|distribut|channel partner|販売店|代理店"),
    ("lease", r"\blease\b|rental|賃貸"),
    ("license", r"licen[cs]e|使用許諾|ライセンス"),
    ("msa", r"master|framework|基本契約"),
    ("purchase", r"purchase|supply|sale of goods|sales agreement|売買"),
    ("services", r"services?\b|subscription|\bSaaS\b|cloud|hosting|consult|maintenance|support|engagement|業務委託|"
                 r"保守|利用契約|利用規約"),
)  # fmt: skip
_DOCUMENT_WORD = re.compile(
    r"\b(?:agreements?|contract|order form|amendment|addendum|statement of work|letter|lease|licen[cs]e|memorandum|deed|undertaking|"
    r"purchase order|work order|quote)\b|契約書|契約|覚書|注文書|申込書|規約|約款|協定書|合意書",
    re.IGNORECASE,
)
_NO_TITLE = re.compile(r"^(?:exhibit|schedule|execution|confidential\b|page|table of contents|source:|dated|draft\b)|"
                       r"\b(?:shall|hereby|whereas|herein|this agreement|pursuant)\b|@|https?:", re.IGNORECASE)  # fmt: skip
TITLE_AREA = 0.6


def terms(view: View) -> Iterable[Term]:
    """`title` and `contract_type`; neither when no line of the first pages names a kind of document."""
    line = find_title(view)
    if line is None:
        return
    title = re.sub(r"^(?:Re|RE|Subject)\s*:\s*", "", re.sub(r"\s+", " ", line.text)).strip(" .:*_")
    yield view.found("title", title, line, confidence=0.85)
    kind = next((kind for kind, words in KINDS if re.search(words, title, re.IGNORECASE)), None)
    yield view.found("contract_type", kind or "other", line, confidence=0.85 if kind else 0.4)


def find_title(view: View) -> Sentence | None:
    """The line (or lines in the same size that follow each other) with the largest print that names a
    document, on the first page that has one."""
    for page, at in list(zip(view.document.pages, view.document.page_starts, strict=True))[:3]:
        lines = _lines(page)
        titles = [(height, start, end) for height, y, start, end in lines if _is_title(page, y, start, end)]
        if titles:
            highest = max(height for height, _, _ in titles)
            height, start, end = next(t for t in titles if t[0] >= 0.9 * highest)
            start, end = _grown(page, lines, height, start, end)
            return Sentence(at + start, page.text[start:end], "")
    return None


def _is_title(page: Page, y: float, start: int, end: int) -> bool:
    text = page.text[start:end]
    return (
        y < TITLE_AREA * page.height
        and 3 <= len(text) <= 110
        and bool(_DOCUMENT_WORD.search(text))
        and not _NO_TITLE.search(text)
        and not text.rstrip().endswith((";", ","))
    )


def _lines(page: Page) -> list[tuple[float, float, int, int]]:
    """Height of the print, top, start and end of each line of the page's text."""
    lines: list[list[Word]] = []
    for word in page.words:
        if lines and "\n" not in page.text[lines[-1][-1].end : word.start]:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [(_height(line), min(w.y0 for w in line), line[0].start, line[-1].end) for line in lines]


def _height(line: list[Word]) -> float:
    heights = sorted(word.y1 - word.y0 for word in line)
    return heights[len(heights) // 2]


def _grown(page: Page, lines: list, height: float, start: int, end: int) -> tuple[int, int]:
    """A title of several lines of one size, as `MASTER SUBSCRIPTION / AGREEMENT`."""
    at = next(i for i, line in enumerate(lines) if line[2] == start)
    body = sorted(line[0] for line in lines)[len(lines) // 2]
    for step in (-1, 1):
        i = at + step
        while 0 <= i < len(lines) and abs(lines[i][0] - height) < 0.06 * height and height > 1.15 * body:
            text = page.text[lines[i][2] : lines[i][3]]
            if _NO_TITLE.search(text) or len(text) > 80 or abs(i - at) > 2:
                break
            start, end = min(start, lines[i][2]), max(end, lines[i][3])
            i += step
    return start, end
