"""Files that hold more than one contract: the pages on which another one seems to begin.

A suspicion for a person to look at, never a cut. What belongs to a contract is none of these: its exhibits, schedules
and annexes, and the agreements attached to it as such. A page is suspected when it begins as contracts do (a title,
then who agrees), the contract before it was signed or its page numbers start anew, and nothing of it goes on.
"""

import re
from collections.abc import Iterator, Sequence

from schemas.document import Page

TOP_LINES = 14
"""Lines in which a contract's title stands on its first page, below letterhead and filing marks."""

OPENING = 1_200
"""Characters behind the title within which a contract says what it is and between whom."""

EDGE_LINES = 3
PROSE = 60
"""Characters from which a line is a sentence's, not a heading's or an address's."""

BACK = 2
"""Pages before a start on which the signatures of the contract before may stand."""

_KINDS = (
    r"agreements?|contract|lease|deed|undertaking|memorandum of understanding|letter of intent|statement of work|"
    r"purchase order|order form|amendment(?: no\.? ?\d+)?|guaranty|guarantee|licen[cs]e|terms and conditions"
)
_TITLE = re.compile(rf"^[^.;:]{{0,110}}\b(?:{_KINDS})\b[^.;:]{{0,60}}", re.IGNORECASE)
_NO_TITLE = re.compile(r"^\W*\d|\b(?:entire|this|the|said|such|joinder|binding|joint venture of)\b", re.IGNORECASE)
_CAPITALS = re.compile(
    r"(?:[A-Z][A-Z,&'/-]*\s+){1,14}?(?:AGREEMENT|CONTRACT|LEASE|DEED|UNDERTAKING|AMENDMENT|GUARANTY|LICEN[CS]E)\b"
)
_SMALL_WORDS = "a an and as at between by for in of on or to with not"
_SMALL = frozenset(_SMALL_WORDS.split())
_OPENING = re.compile(
    rf"\bthis\b[^;]{{0,200}}?\b(?:{_KINDS})\b|\bwitnesseth\b|\bwhereas\b|\bby and (?:between|among)\b"
    r"|\bthe undersigned\b|\bin (?:consideration|connection)\b"
    r"|\bas (?:a condition|an? (?:employee|associate|officer))\b"
    r"|\((?:the|each|collectively|hereinafter|together)?,?\s*(?:the |as |called |referred to as )*\"",
    re.IGNORECASE,
)
_SALUTATION = re.compile(r"^(?:dear\b.{0,60}|ladies and gentlemen|gentlemen)\s*[:,]", re.IGNORECASE)
_SIGNED = re.compile(
    r"\bin witness whereof\b|^\W*by\s*:|/s/|\b(?:very truly|sincerely) yours\b|\byours (?:very )?(?:truly|sincerely)\b"
    r"|\bsincerely\b|\b(?:agreed|accepted|acknowledged),? (?:and|&) (?:agreed|accepted|acknowledged)\b|_{12,}"
    r"|\bsignature\s*:?\s*_|\bthe parties have (?:executed|signed)\b",
    re.IGNORECASE | re.MULTILINE,
)
_LEADERS = re.compile(r"table of contents|\.{8,}\s*\d+\s*$|(?:\. ){8,}", re.IGNORECASE | re.MULTILINE)
# "Exhibit 10.4" or "EX-99.(d)(3)" is the number of a filing, given to contracts as a whole: no sign of an attachment.
_PARTS = r"(?:exhibit|schedule|annex|annexure|appendix|attachment|enclosure|addendum|rider)"
_FILING = r"(?!\s*(?:no\.?\s*)?\(?\d+\s*\.\s*\(?\w)(?!\s*\(\w\)\s*\(\d)"
_ATTACHED = re.compile(
    rf"^\W*{_PARTS}s?\b{_FILING}(?:\W|$)|^\W*\[?form of\b|^\W*(?:sample|specimen|side letter)\b"
    rf"|\b{_PARTS}\s+\W?[A-Z\d]{{1,2}}\W?(?:\s+to\b|$)",
    re.IGNORECASE,
)
_ATTACHED_PAGE = re.compile(rf"^\W*(?:[A-Z]{{1,2}}|{_PARTS} \w+)\s*[-–]\s*\d{{1,3}}\W*$", re.IGNORECASE)
_NUMBERED = re.compile(r"^\W*(?:page\s*)?(\d{1,3})(?:\s*(?:of|/)\s*\d{1,3})?\W*$", re.IGNORECASE)
_SIGNATURE_LINE = re.compile(r"^\W*(?:by|name|title|date|its|signed|signature|in witness)\b|_{3,}|/s/", re.IGNORECASE)
_ON_MANY_PAPERS = re.compile(
    r"^\W*(?:(?:strictly |private and )?confidential|privileged|execution (?:copy|version)|copy|draft)\W*$"
)


def suspected_starts(pages: Sequence[Page]) -> tuple[int, ...]:
    """Numbers of the pages, never the first, on which another contract seems to begin; in order."""
    lines = [_lines(page) for page in pages]
    starts: list[int] = []
    last = 0
    for at in range(1, len(pages)):
        if _begins(pages, lines, at, last):
            starts.append(pages[at].number)
            last = at
    return tuple(starts)


def _lines(page: Page) -> list[str]:
    return [" ".join(line.split()) for line in page.text.splitlines() if line.strip()]


def _begins(pages: Sequence[Page], lines: Sequence[list[str]], at: int, last: int) -> bool:
    if not _opens(lines[at]) or _is_attached(lines, at) or _goes_on(lines, at):
        return False
    signed = any(
        _SIGNED.search(page.text) and not _LEADERS.search(page.text) for page in pages[max(last, at - BACK) : at]
    )
    # A cover sheet and a table of contents have page numbers of their own too, and nothing that opens a contract.
    return signed or (_counts_anew(lines, at) and any(map(_opens, lines[last:at])))


def _opens(lines: Sequence[str]) -> bool:
    """Whether a page begins as contracts do: with a title and then who agrees, or as a letter about one does."""
    for at, line in enumerate(lines[:TOP_LINES]):
        behind = " ".join(lines[at:])[: len(line) + OPENING]
        if _SALUTATION.match(line):
            return bool(re.search(rf"\b(?:{_KINDS}|confidential)\b", behind, re.IGNORECASE))
        if _has_title(line, lines[at + 1] if at + 1 < len(lines) else ""):
            return bool(_OPENING.search(behind))
        if _is_prose(line):
            return False
    return False


def _has_title(line: str, following: str) -> bool:
    """Whether a line is a contract's title, or it and the next have one in capitals before any sentence."""
    if _is_title(line):
        return True
    capitals = _CAPITALS.search(f"{line} {following}")
    if capitals is None or capitals.start() > len(line):
        return False
    is_inside = re.search(r"(?:^|\s)[a-z]+(?:\s|$)", line[: capitals.start()])
    return not is_inside and _is_title(capitals.group())


def _is_prose(line: str) -> bool:
    """Whether a line is a sentence's: long, many of its words in small letters."""
    words = line.split()
    return len(line) > PROSE and sum(word[0].islower() for word in words) > 0.4 * len(words)


def _is_title(line: str) -> bool:
    """Whether this is a contract's kind in capitals or title case, and no sentence."""
    if not _TITLE.fullmatch(line) or _NO_TITLE.search(line) or len(line.split()) > 16:
        return False
    words = [word for word in re.findall(r"[^\W\d_]+", line) if word.lower() not in _SMALL]
    return bool(words) and all(word[0].isupper() for word in words)


def _is_attached(lines: Sequence[list[str]], at: int) -> bool:
    """Whether a page belongs to an attachment, by its head, its page number or the cover sheet before it."""
    head = [line for line in lines[at][:TOP_LINES] if len(line) <= PROSE]
    if any(_ATTACHED.search(line) for line in head) or any(map(_ATTACHED_PAGE.match, _edges(lines[at]))):
        return True
    before = lines[at - 1]
    return len(before) <= TOP_LINES and any(_ATTACHED.search(line) for line in before)


def _edges(lines: Sequence[str]) -> Iterator[str]:
    """The lines at the foot of a page, from below, then those at its head."""
    yield from lines[-EDGE_LINES:][::-1]
    yield from lines[:EDGE_LINES]


def _goes_on(lines: Sequence[list[str]], at: int) -> bool:
    """Whether the page numbers go on from the page before, or its running header or footer does."""
    before, here = _printed_number(lines[at - 1]), _printed_number(lines[at])
    if before is not None and here == before + 1:
        return True
    edges = (slice(EDGE_LINES), slice(-EDGE_LINES, None))
    sides = [
        [{_key(line) for line in lines[page][edge] if _is_running(line)} for page in (at - 1, at)] for edge in edges
    ]
    return any(before & here for before, here in sides)


def _is_running(line: str) -> bool:
    """Whether a line ties the pages that have it at their edge: no page number, stamp or line of a signature."""
    return len(_key(line)) > 8 and not _ON_MANY_PAPERS.match(line.lower()) and not _SIGNATURE_LINE.search(line)


def _key(line: str) -> str:
    return re.sub(r"[\W\d]+", " ", line.lower()).strip() if len(line) <= 130 else ""


def _counts_anew(lines: Sequence[list[str]], at: int) -> bool:
    """Whether the printed page numbers start at 1 again."""
    before, here = _printed_number(lines[at - 1]), _printed_number(lines[at])
    after = _printed_number(lines[at + 1]) if at + 1 < len(lines) else None
    return (before or 0) >= 2 and (here == 1 or (here is None and after == 2))


def _printed_number(lines: Sequence[str]) -> int | None:
    return next((int(found.group(1)) for line in _edges(lines) if (found := _NUMBERED.match(line))), None)
