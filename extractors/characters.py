"""Character clean-up: what looks the same on the page becomes the same character.

Contracts printed from HTML write blanks as U+00A0 and semicolons as U+037E, and use curly quotes, dashes and
ligatures at will; without folding them a quarter of all quotations are not found in their own document.
The clean-up works word by word, so a word's span in the clean text and its box on the page stay together:
that table of words is the offset map back to the page.
"""

import re

_FOLD = {
    0x037E: ";",
    0x00A0: " ",
    0x00AD: None,  # soft hyphen
    0xFEFF: None,
    **dict.fromkeys(range(0x200B, 0x2010), None),  # zero width and direction marks
    **dict.fromkeys(range(0x202A, 0x202F), None),
    **dict.fromkeys(range(0x2060, 0x2065), None),
    **dict.fromkeys((0x2018, 0x2019, 0x201A, 0x201B, 0x2032, 0x00B4), "'"),
    **dict.fromkeys((0x201C, 0x201D, 0x201E, 0x201F, 0x2033, 0x00AB, 0x00BB), '"'),
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212), "-"),
    **dict.fromkeys((0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009), " "),
    **dict.fromkeys((0x200A, 0x202F, 0x205F, 0x3000), " "),
    0xFB00: "ff",
    0xFB01: "fi",
    0xFB02: "fl",
    0xFB03: "ffi",
    0xFB04: "ffl",
    0xFB05: "st",
    0xFB06: "st",
    0xFFE1: "£",  # full-width
    0xFFE5: "¥",
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},  # full-width ASCII
}
_NEEDS_FOLDING = re.compile("[^\x20-\x7e]")
_GARBAGE = re.compile("[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f]|\\(cid:\\d+\\)")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


def clean(text: str) -> str:
    """`text` with look-alike characters folded; its line breaks stay."""
    return text.translate(_FOLD) if _NEEDS_FOLDING.search(text) else text


def garbage_share(text: str) -> float:
    """Share of characters that no reader of the page sees as such: replacement, private use, `(cid:n)`."""
    return sum(len(m.group()) for m in _GARBAGE.finditer(text)) / max(1, len(text))


def is_cjk(text: str) -> bool:
    """Whether the text has Chinese or Japanese characters, which are written without blanks."""
    return bool(_CJK.search(text))


def count_cjk(text: str) -> int:
    """How many Chinese or Japanese characters the text has."""
    return len(_CJK.findall(text))


_COMMON_WORDS = {
    "en": frozenset(
        [
            "the",
            "of",
            "and",
            "to",
            "in",
            "shall",
            "or",
            "any",
            "by",
            "this",
            "be",
            "for",
            "that",
            "with",
            "as",
            "agreement",
        ]
    ),
    "de": frozenset(
        ["der", "die", "das", "und", "ist", "von", "den", "dem", "mit", "für", "nicht", "des", "oder", "im", "zu"]
    ),
    "fr": frozenset(
        ["le", "la", "les", "des", "et", "du", "une", "est", "par", "pour", "que", "dans", "au", "aux", "sur"]
    ),
    "es": frozenset(["el", "los", "las", "del", "y", "en", "que", "una", "por", "con", "se", "para", "al", "es"]),
}


def language_of(text: str) -> str:
    """ISO 639-1 code of the text's language: ja, en, de, fr or es; en when nothing speaks against it."""
    sample = text[:20_000]
    if not sample.isascii() and count_cjk(sample) > 0.1 * max(1, len(sample.split())):
        return "ja"
    words = re.findall(r"\w+", sample.lower())
    counts = {code: sum(map(common.__contains__, words)) for code, common in _COMMON_WORDS.items()}
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] > counts["en"] else "en"
