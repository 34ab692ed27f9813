"""Whether the letters of a text layer are language: garbage encodings and lost blanks. Part of `read`.

A font may map its letters to wrong characters: the page looks well, and its text layer is a cipher. No word
list is asked, as names, part numbers and other languages would fail it: the measure is which letter follows
which, and that is much the same in English, German, French and Spanish.
"""

import re
import unicodedata
from collections.abc import Sequence

# The pairs that make up nine tenths of those in English contracts, and what German, French and Spanish add.
_PAIR_LIST = """
ab ac ad ag ai al am an ap ar as at ay be bl ca ce ch ci cl co cr ct cu da de di du ea ec ed ee ef ei el em
en ep er es et ev ex fe ff fi fo ge gr ha he hi ho ia ic id ie if ig il im in io ip ir is it iv la le li ll
lo lu ly ma me mi mp na nc nd ne ng ni no ns nt ny oc od of ol om on op or os ot ou ov ow pa pe pl po pp pr
pt pu qu ra rc rd re ri rm ro rs rt rv sa sc se sh si so sp ss st su ta te th ti to tr ts tu ty ua ub uc ui
ul un ur us ut ve vi wh wi
ah au ba bt ck eb eg eh eu fu ft gs gt gu ht hr ih ka ke kt lt nn oi rg rk ru rz sb tt tz ud ue uf ux va we
ze zu zw
"""
_PAIRS = frozenset(_PAIR_LIST.split())
_COMMON = frozenset(
    [
        *("the", "and", "shall", "any", "this", "for", "that", "with", "not", "such", "from", "will", "are", "has"),
        *("der", "die", "das", "und", "ist", "von", "den", "dem", "mit", "des", "oder", "ein", "eine", "zur", "bei"),
        *("les", "des", "est", "par", "pour", "que", "dans", "aux", "une", "sur", "los", "las", "del", "con", "por"),
        *("para", "una", "sus", "como", "nicht", "wird", "zum", "auf", "other", "all", "may", "its", "inc", "llc"),
    ]
)
_STARTS = re.compile(r" ([a-z]{2})(?=[a-z])")
_EDGES = "\"'()[]{}<>.,;:!?*-_/&"
FEWEST_PAIRS = 60  # fewer say nothing: a title, a signature page
MANY_PAIRS = 150
# Share of known pairs: real contracts have 0.8 and more, a page of domain names 0.58, other languages of Europe
# 0.6, ciphers 0.2 to 0.5.
PLAUSIBLE = 0.56
PLAUSIBLE_OF_FEW = 0.48
DOUBTFUL = 0.74  # a share at which it is asked for common words, which a cipher has none of
COMMON = 0.03
SENTENCES = 20  # words
WINDOW = 60  # words; garbage may be but a paragraph in a font of its own
LATIN_SHARE = 0.7
ODD_WINDOW = 40  # words
ODD = 0.7
LONGEST_MEAN = 8.0  # letters of a word, on a page
LONG_WORD = 22  # letters; longer ones are rare even in German
LONG_SHARE = 0.3
SCATTERED_SHARE = 0.6
ENOUGH_TOKENS = 20


def is_garbage(words: Sequence[str]) -> bool:
    """Whether the words of a page are no language: letters exchanged for others, all over or for a paragraph.

    Pages with few words, numbers, or a script other than Latin are never garbage by this test.
    """
    if not _looks_odd(words):
        return False
    text = " ".join(words)
    if not _is_latin(text):
        return False
    letters = _words(_folded(text))
    if _is_cipher(letters):
        return True
    windows = range(0, len(letters) - WINDOW + 1, WINDOW // 2)
    return any(_is_cipher(letters[start : start + WINDOW]) for start in windows)


def _is_cipher(words: Sequence[str]) -> bool:
    words = list(dict.fromkeys(words))  # a table says the same few names again and again
    pairs = _pairs(words)
    if len(pairs) < FEWEST_PAIRS:
        return False
    share = sum(pairs) / len(pairs)
    if share < (PLAUSIBLE if len(pairs) >= MANY_PAIRS else PLAUSIBLE_OF_FEW):
        return True
    # No sentence of any length goes without the short words of its language.
    return share < DOUBTFUL and len(words) >= SENTENCES and sum(word in _COMMON for word in words) < COMMON * len(words)


def _looks_odd(words: Sequence[str]) -> bool:
    """Whether a stretch of words begins with pairs that few words begin with; asked first, as it is cheap."""
    starts = list(map(_PAIRS.__contains__, _STARTS.findall(" ".join(words).lower())))
    if len(starts) < 2 * ODD_WINDOW:
        return sum(starts) < ODD * len(starts)
    whole = range(0, len(starts) - ODD_WINDOW + 1, ODD_WINDOW)
    return any(sum(starts[i : i + ODD_WINDOW]) < ODD * ODD_WINDOW for i in whole)


def has_lost_blanks(words: Sequence[str]) -> bool:
    """Whether words run together, or fall apart into single letters, over a large part of the page."""
    if sum(map(len, words)) <= LONGEST_MEAN * len(words) and not _is_scattered(words):
        return False  # cheap, and true of nearly every page
    tokens = [word.strip(_EDGES) for word in words]
    letters = [token for token in tokens if token.isalpha() and token.isascii()]
    if len(letters) >= ENOUGH_TOKENS and sum(len(token) == 1 for token in letters) > SCATTERED_SHARE * len(letters):
        return True
    joined = [len(part) for token in tokens for part in re.findall(r"[^\W\d_]+", token) if part.isascii()]
    return sum(joined) > 2 * LONG_WORD and sum(n for n in joined if n > LONG_WORD) > LONG_SHARE * sum(joined)


def _is_scattered(words: Sequence[str]) -> bool:
    return list(map(len, words)).count(1) > 0.5 * len(words)


def plausibility(words: Sequence[str]) -> float:
    """Share of the pairs of letters that are common in Western European languages, 0 to 1; 1 without pairs."""
    pairs = _pairs(_words(_folded(" ".join(words))))
    return sum(pairs) / len(pairs) if pairs else 1.0


def _is_latin(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return sum(c < "\u0250" for c in letters) >= LATIN_SHARE * max(1, len(letters))


def _pairs(words: Sequence[str]) -> list[bool]:
    """For each pair of neighbouring letters in the words: whether it is a common one."""
    return [word[i : i + 2] in _PAIRS for word in words for i in range(len(word) - 1)]


def _folded(text: str) -> str:
    """The text in lower case, without accents."""
    lower = text.lower()
    if lower.isascii():
        return lower
    return unicodedata.normalize("NFKD", lower).replace("\u00df", "ss").encode("ascii", "ignore").decode()


def _words(lower: str) -> list[str]:
    """The words of letters alone: part numbers, addresses and figures say nothing about a language."""
    stripped = (token.strip(_EDGES) for token in lower.split())
    return [token for token in stripped if len(token) >= 3 and token.isalpha()]
