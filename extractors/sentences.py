"""Cuts a contract's text into sentences: the unit the clause model scores and quotes.

Contracts need their own rules: lists run over pages, headings end in a full stop, company names do too.
A boundary stands after `.;:?!` before a capital or a list marker, at a blank line, at a page break, before
a list marker that opens a line, around a heading in capitals, and after a Japanese full stop. A blank line
or a page break inside a sentence (the text goes on in lower case) is none.
"""

import re

SHORTEST = 8
"""Fewer characters than this (`1.`, `(a)`) join the sentence that follows."""

LONGEST = 1500
"""Longer sentences are cut at the last semicolon, comma or blank before this many characters."""

_NUMBERED = r"\d{1,3}(?:\.\d{1,3})*[.)]\s{1,40}[\"“(\[]?[A-Z]|\d{1,2}(?:\.\d{1,2})+\s{1,40}[\"“]?[A-Z]"
_MARKER = rf"(?:{_NUMBERED}|\([a-zA-Z0-9]{{1,4}}\)\s|[A-Z][.)]\s{{1,40}}[A-Z]|[•●▪■◦]\s)"
_ARTICLE = r"(?:ARTICLE|SECTION|Article|Section|EXHIBIT|SCHEDULE|Exhibit|Schedule)\s[\dIVXA-Z.]{1,8}[.:\n]"
_JAPANESE = r"第[0-9〇一二三四五六七八九十百]{1,4}条[\s(]"
_BOUNDARY = re.compile(
    rf"""
      (?P<stop>[.;:?!][\"'”’)\]]{{0,3}})\s++(?=[\"'“‘(\[]{{0,2}}[A-Z]|{_MARKER})
    | (?P<and>;\s{{1,4}}(?:and|or|und))\s++(?={_MARKER})
    | (?P<cjk>[。！？][」』）)]?)\s*+(?=\S)
    | (?P<blank>(?:\n[ \t]*+\n|\f)\s*+)
    | (?P<line>\n[ \t]*+|(?<![ ])[ ]{{3,}}+)(?={_MARKER}|{_ARTICLE}|{_JAPANESE}|Source:\s)
    | (?P<caps>\n[ \t]*+)(?=[^a-z\n\u3040-\u30ff\u3400-\u9fff]{{4,90}}\n)
    | (?P<under>(?<=[A-Z]{{3}})\n[ \t]*+)(?=[\"“(]?[A-Z][a-z])
    """,
    re.VERBOSE,
)
"""Possessive, and read up to the last character that is not white space: so a boundary is tried once."""

_ABBREVIATIONS = frozenset(
    re.split(
        r"\s+",
        "inc corp co ltd llc lp llp plc no nos sec secs art arts para cl mr mrs ms dr prof st vs v e.g "
        "i.e eg ie u.s u.k u.s.a l.l.c l.p n.a s.a p.o a.m p.m ph.d b.v n.v s.p.a g.m.b.h ex exh approx "
        "jr sr dept div assoc assn attn tel fax ext ave blvd rd ste bldg fl jan feb mar apr jun jul aug "
        "sept sep oct nov dec cir del cal stat reg cf al viz op rev pp pg vol fig mfg intl int'l natl "
        "bros",
    )
)
# "on fifteen / (15) days" is a number written twice that a line break divides, and no list.
_SPELLED = re.compile(
    r"(?:one|two|three|five|six|seven|eight|nine|ten|eleven|twelve|teen|t?y|four|hundred|thousand)$",
    re.IGNORECASE,
)
_WORD_BEFORE = re.compile(r"[A-Za-z][A-Za-z.']*$")
_STARTERS = frozenset(
    re.split(
        r"\s+",
        "The This These In If Each Any All No Such Neither Either For Upon Except Notwithstanding Unless "
        "Subject Company Licensee Licensor Customer Supplier During To It We You Nothing Should Where "
        "When As At",
    )
)
_NEXT_WORD = re.compile(r"[\"'“‘(\[]{0,3}([A-Za-z]{1,20})")
_SENTENCE_END = frozenset(".;:?!。！？")
_UNENDED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff、]")
_OVER_PAGE = re.compile(r"(?!第|別紙|別表|以上)[\u3040-\u30ff\u3400-\u9fff]")
"""A Japanese sentence that a page break divides goes on with a Japanese character that opens no article."""


def sentences(text: str) -> list[tuple[int, int]]:
    """Half-open offsets of the sentences of `text`, in order, without the white space around them.

    Together they hold every character that is not white space. Takes time linear in the text's length.
    """
    joined = _join_short(text, _pieces(text))
    return [part for start, end in joined for part in _cut(text, start, end)]


def _pieces(text: str) -> list[tuple[int, int]]:
    pieces, start, length = [], 0, len(text.rstrip())
    for match in _BOUNDARY.finditer(text, 0, length):
        if _ends_here(text, match):
            pieces.append((start, _end(match)))
            start = match.end()
    pieces.append((start, length))
    return [piece for piece in (_trim(text, *piece) for piece in pieces) if piece[0] < piece[1]]


def _end(match: re.Match[str]) -> int:
    """Where the sentence before a boundary ends: after its punctuation, before its white space."""
    kind = match.lastgroup
    return match.end(kind) if kind in {"stop", "and", "cjk"} else match.start()


def _ends_here(text: str, match: re.Match[str]) -> bool:
    """Whether a possible boundary is one: no abbreviation before it, no sentence that goes on after it."""
    if match.lastgroup == "stop":
        return match["stop"][0] != "." or "\n\n" in match[0] or not _is_abbreviation(text, match)
    if match.lastgroup == "cjk":
        return not _is_inside(text, match.start())
    if match.lastgroup == "blank":
        return not _goes_on(text, match)
    if match.lastgroup == "line":
        return not (
            text.startswith("(", match.end()) and _SPELLED.search(text, max(0, match.start() - 12), match.start())
        )
    if match.lastgroup == "caps":
        return not _is_capitals(_line_before(text, match.start()))
    if match.lastgroup == "under":
        return _is_capitals(_line_before(text, match.start()))
    return True


def _is_abbreviation(text: str, match: re.Match[str]) -> bool:
    word = _WORD_BEFORE.search(text, max(0, match.start() - 12), match.start())
    if word is None or not (word[0].lower() in _ABBREVIATIONS or len(word[0]) == 1):
        return False
    following = _NEXT_WORD.match(text, match.end())
    return following is None or following[1] not in _STARTERS


def _goes_on(text: str, match: re.Match[str]) -> bool:
    before = text[match.start() - 1 : match.start()]
    if text[match.end()].islower():
        return before not in _SENTENCE_END
    return "\f" in match.group() and bool(_OVER_PAGE.match(text, match.end())) and bool(_UNENDED.match(before))


LONGEST_ASIDE = 120
"""Characters of what stands in brackets; a bracket that is open for longer was never closed."""


def _is_inside(text: str, at: int) -> bool:
    """Whether a Japanese full stop stands in brackets, as in `(以下「甲」という。)`: the sentence goes on."""
    since = max(0, at - LONGEST_ASIDE)
    before = text[max(since, text.rfind("\n\n", since, at)) : at]
    opened = max(before.rfind("("), before.rfind("（"))
    return opened > max(before.rfind(")"), before.rfind("）"))


def _line_before(text: str, at: int) -> str:
    return text[max(text.rfind("\n", max(0, at - 200), at), at - 200, 0) : at]


def _is_capitals(line: str) -> bool:
    return any(c.isupper() for c in line) and not any(c.islower() for c in line)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _join_short(text: str, pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Pieces with the short ones joined to what follows, the last one to what precedes."""
    joined, open_at = [], None
    for start, end in pieces:
        start = start if open_at is None else open_at
        open_at = start if end - start < _shortest(text, start, end) else None
        if open_at is None:
            joined.append((start, end))
    if open_at is not None:
        first = joined.pop()[0] if joined else open_at
        joined.append((first, pieces[-1][1]))
    return joined


def _shortest(text: str, start: int, end: int) -> int:
    """How long a sentence must be: a Japanese one says more in fewer characters."""
    return 3 if text[end - 1] in "。！？" else SHORTEST


def _cut(text: str, start: int, end: int) -> list[tuple[int, int]]:
    parts = []
    while end - start > LONGEST:
        at = _cut_at(text, start)
        parts.append(_trim(text, start, at))
        start = _trim(text, at, end)[0]
    return [*parts, (start, end)] if start < end else parts


def _cut_at(text: str, start: int) -> int:
    for mark in ("; ", ", ", " ", "、"):
        at = text.rfind(mark, start + LONGEST // 2, start + LONGEST)
        if at > 0:
            return at + 1
    return start + LONGEST
