"""Redline: versions of real contracts made by edits that are known, and whether the comparison finds them.

    python -m benchmarks.redline --inbox PDF_FOLDER --limit 20 [--seed 1] [--again 2]

Each contract is cut into paragraphs by its empty lines and numbers, which is not how `extractors.provisions` does it.
Both versions are printed anew, in different type, on lines and pages of different length, and read from the PDFs.
A paragraph is aligned if most of its letters stand in changes that pair it with what became of it. Paragraphs too
short to be told apart, and those that a contract has twice, are in the PDFs and in no figure. In the table, recall
and precision are shares of paragraphs: a change that spans two of them counts for both.
"""

import argparse
import json
import random
import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pymupdf

from benchmarks.pages import pdfs_in
from extractors.files import Content, Limits
from extractors.furniture import body_text
from extractors.read import read
from extractors.redline import Change, redline
from schemas.document import Document
from schemas.errors import DocumentError

BAR = 0.97
"""Share of paragraphs aligned with their true partner."""

FEWEST_LETTERS = 30
FEWEST_PARAGRAPHS = 25
MOST_PAGES = 80
ALIGNED = 0.8
"""Share of a paragraph's letters that must be paired with what became of it."""

TOUCHED = 0.5
"""Share of a paragraph's letters that must be moved, added or deleted for it to count as such."""

PIECE = 40
"""Letters that are looked for at once: a running header inside a longer text would hide it."""

KINDS = ("changed", "moved", "added", "deleted")

_NUMBER = re.compile(r"(\d{1,2})((?:\.\d{1,2})*[.)]?\s+(?=\S))")
_OPENS = re.compile(
    r"\s*(?:\d{1,2}(?:\.\d{1,2})*[.)]?\s+[\"A-Z]|\([a-z]{1,4}\)\s|(?:ARTICLE|SECTION|Section)\s+[\dIVX]+\b)"
)
_ENDED = re.compile(r"[.;:?!][\"')]?\s*$")
_LABEL = re.compile(
    r"(?:\d[\d.]*|\(\w{1,4}\)|[A-Za-z][.)]|(?:[A-Z]{4,}|Section|Article|Exhibit|Schedule)\s+[\w.]{1,6}?)[.:)]*(?:\s+|$)"
)
_PAGE_NUMBER = re.compile(r"-?\s*\d{1,4}\s*-?")
_CUT_WORD = re.compile(r"(?<=\w)- (?=\w)")
_FIGURE = re.compile(r"\b\d{1,3}\b")
_NOT_LETTERS = re.compile(r"[\W_]+")


class Style(NamedTuple):
    """How a version is printed: points to a line, lines to a page, size of the letters, its header."""

    width: int
    lines: int
    size: float
    header: str


PRINTED = (Style(475, 50, 10, "Execution version"), Style(460, 42, 11.5, "Draft of 3 May"))


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of a version; `origin` is its number in the old version, None where it was added."""

    text: str
    origin: int | None
    kinds: frozenset[str] = field(default_factory=frozenset)


def letters(text: str) -> str:
    """What counts of a text when it is looked for: its letters and digits."""
    return _NOT_LETTERS.sub("", text).lower()


def paragraphs(document: Document) -> list[str]:
    """The paragraphs of a contract, each in one line; only letters that any PDF font has."""
    found: list[list[str]] = []
    is_apart = True
    for line in body_text(document).replace("\f", "\n").split("\n"):
        said = " ".join(line.encode("latin-1", "ignore").decode("latin-1").split())
        if not said or _PAGE_NUMBER.fullmatch(said):
            is_apart = True
            continue
        ended = not found or bool(_ENDED.search(found[-1][-1]))
        if not found or (is_apart and (ended or not said[0].islower())) or (ended and _OPENS.match(said)):
            found.append([])
        found[-1].append(said)
        is_apart = False
    return [_CUT_WORD.sub("-", " ".join(lines)) for lines in found]


def edited(old: Sequence[str], other: Sequence[str], rng: random.Random) -> tuple[list[Paragraph], set[int]]:
    """The new version, and the numbers of the paragraphs of the old one that were deleted.

    One in ten is changed, and about one in thirty deleted, added from another contract, and moved past at least
    three others; half of the moved ones are changed, too. Behind one place all numbers are higher by one.
    """
    kept = [Paragraph(text, at) for at, text in enumerate(old)]
    few = max(1, len(old) // 30)
    long = [at for at, text in enumerate(old) if len(text.split()) >= 8 and _is_whole(old, at)]
    rng.shuffle(long)
    deleted, moved, changed = set(long[:few]), set(long[few : 2 * few]), set(long[2 * few : 5 * few])
    changed |= set(sorted(moved)[::2])
    new = [_changed(one, rng) if one.origin in changed else one for one in kept if one.origin not in deleted]
    new = _moved(new, moved, rng)
    whole = [text for at, text in enumerate(other) if _is_whole(other, at)]
    for text in rng.sample(whole, min(few, len(whole))):
        new.insert(rng.choice(_ends(new)), Paragraph(text, None, frozenset({"added"})))
    return _renumbered(new, rng), deleted


def _is_whole(texts: Sequence[str], at: int) -> bool:
    """Whether a paragraph is one, and no part of a sentence that empty lines or a page break cut up."""
    return bool(_ENDED.search(texts[at])) and (at == 0 or bool(_ENDED.search(texts[at - 1])))


def _ends(new: Sequence[Paragraph]) -> list[int]:
    """Where a paragraph can be put without cutting a sentence or a heading from what follows it."""
    return [at for at in range(1, len(new) + 1) if _ENDED.search(new[at - 1].text)]


def _changed(one: Paragraph, rng: random.Random) -> Paragraph:
    """With another figure, or some words deleted, replaced or added."""
    figures = list(_FIGURE.finditer(one.text, 6))
    words = one.text.split()
    if figures and rng.random() < 0.5:
        figure = rng.choice(figures)
        text = f"{one.text[: figure.start()]}{int(figure[0]) + rng.randint(1, 60)}{one.text[figure.end() :]}"
    else:
        at = rng.randrange(2, len(words) - 2)
        size = min(rng.randint(1, 4), len(words) // 5 + 1)
        put = rng.choice(("", "promptly and in writing", "reasonable", "unless otherwise agreed"))
        gone = words[at : at + size] if rng.random() < 0.6 or not put else []
        text = " ".join([*words[:at], *put.split(), *words[at + len(gone) :]])
    return Paragraph(text, one.origin, one.kinds | {"changed"})


def _moved(new: Sequence[Paragraph], moved: set[int], rng: random.Random) -> list[Paragraph]:
    left = [one for one in new if one.origin not in moved]
    for one in new:
        if one.origin in moved:
            places = [at for at in _ends(left) if abs(_place(left, one.origin) - at) > 3]
            left.insert(rng.choice(places), Paragraph(one.text, one.origin, one.kinds | {"moved"}))
    return left


def _place(left: Sequence[Paragraph], origin: int) -> int:
    """Where the paragraph would stand if it had not moved."""
    return sum(one.origin is not None and one.origin < origin and "moved" not in one.kinds for one in left)


def _renumbered(new: Sequence[Paragraph], rng: random.Random) -> list[Paragraph]:
    start = rng.randrange(len(new))

    def higher(match: re.Match[str]) -> str:
        return f"{int(match[1]) + 1}{match[2]}"

    return [
        Paragraph(_NUMBER.sub(higher, one.text, count=1), one.origin, one.kinds)
        if at >= start and _NUMBER.match(one.text)
        else one
        for at, one in enumerate(new)
    ]


def printed(path: Path, texts: Sequence[str], style: Style) -> Path:
    """The paragraphs as a PDF with a running header and page numbers."""
    lines: list[str] = []
    for text in texts:
        lines += [*_wrapped(text, style), ""]
    pdf = pymupdf.open()
    for number, start in enumerate(range(0, len(lines) - 1, style.lines), start=1):
        page = pdf.new_page()
        page.insert_text((60, 35), style.header, fontsize=8)
        page.insert_text((60, 65), lines[start : start + style.lines], fontsize=style.size, lineheight=1.25)
        page.insert_text((290, 815), f"- {number} -", fontsize=8)
    pdf.save(path)
    pdf.close()
    return path


def _wrapped(text: str, style: Style) -> Iterator[str]:
    blank = pymupdf.get_text_length(" ", fontsize=style.size)
    line: list[str] = []
    used = 0.0
    for word in text.split():
        wide = pymupdf.get_text_length(word, fontsize=style.size)
        if line and used + blank + wide > style.width:
            yield " ".join(line)
            line, used = [], 0.0
        used += wide + (blank if line else 0.0)
        line.append(word)
    yield " ".join(line)


class Places:
    """Finds which paragraphs a text of a change stands in, and with how many letters."""

    def __init__(self, texts: Sequence[str]):
        self.letters = [letters(text) for text in texts]
        self._all = "".join(self.letters)
        self._owner = [at for at, said in enumerate(self.letters) for _ in said]
        self._from = 0

    def of(self, text: str) -> Counter[int]:
        """Letters of the text by paragraph, piece by piece, each looked for behind the one before it first."""
        said, found = letters(text), Counter()
        for start in range(0, len(said), PIECE):
            piece = said[start : start + PIECE]
            at = self._all.find(piece, self._from)
            at = self._all.find(piece) if at < 0 else at
            if at >= 0:
                self._from = at + len(piece)
                found.update(self._owner[at : at + len(piece)])
        return found


@dataclass
class Found:
    """What the comparison says of a paragraph: letters by kind of change, and by the other version's paragraph."""

    kinds: Counter[str] = field(default_factory=Counter)
    partners: Counter[int] = field(default_factory=Counter)


def said_of(changes: Sequence[Change], old: Places, new: Places) -> tuple[Mapping[int, Found], Mapping[int, Found]]:
    """What the changes say of each paragraph of the old version and of the new one."""
    in_old: dict[int, Found] = defaultdict(Found)
    in_new: dict[int, Found] = defaultdict(Found)
    for change in changes:
        olds, news = old.of(change.old_text or ""), new.of(change.new_text or "")
        for found, own, others in ((in_old, olds, news), (in_new, news, olds)):
            for at, count in own.items():
                found[at].kinds.update(dict.fromkeys(change.kind.split("_"), count))
                found[at].partners.update(dict.fromkeys(others, count))
    return in_old, in_new


def counted(texts: Sequence[str]) -> list[bool]:
    """Which paragraphs can be told apart from all others."""
    said = [letters(_without_label(text)) for text in texts]
    often = Counter(said)
    return [len(one) >= FEWEST_LETTERS and often[one] == 1 for one in said]


def _without_label(text: str) -> str:
    label = _LABEL.match(text)
    return text[label.end() :] if label else text


def measured(
    old: Sequence[str], new: Sequence[Paragraph], deleted: set[int], changes: Sequence[Change]
) -> Counter[str]:
    """Counts for one pair: paragraphs aligned of those that both versions have, and right, said and true by kind."""
    old_places, new_places = Places(old), Places([one.text for one in new])
    in_old, in_new = said_of(changes, old_places, new_places)
    counts: Counter[str] = Counter()
    for at, (one, counts_here) in enumerate(zip(new, counted([one.text for one in new]), strict=True)):
        if not counts_here:
            continue
        size, found = len(letters(_without_label(one.text))), in_new[at]
        if one.origin is not None:
            counts["pairs"] += 1
            counts["aligned"] += found.partners[one.origin] >= ALIGNED * size
        said = {"changed"} if found.kinds["changed"] else set()
        said |= {kind for kind in ("moved", "added") if found.kinds[kind] >= TOUCHED * size}
        _count(counts, said, one.kinds)
    for at, counts_here in enumerate(counted(old)):
        if counts_here:
            is_gone = in_old[at].kinds["deleted"] >= TOUCHED * len(letters(_without_label(old[at])))
            _count(counts, {"deleted"} if is_gone else set(), {"deleted"} if at in deleted else set())
    return counts


def _count(counts: Counter[str], said: set[str], true: set[str] | frozenset[str]) -> None:
    for kind in KINDS:
        counts[f"{kind} said"] += kind in said
        counts[f"{kind} true"] += kind in true
        counts[f"{kind} right"] += kind in said and kind in true


def read_pdf(path: Path) -> Document | None:
    """The document, unless it can't be read, is long, or needs OCR, which would take too long here."""
    with pymupdf.open(path) as pdf:
        if pdf.page_count > MOST_PAGES or any(len(page.get_text()) < 30 for page in pdf):
            return None
    try:
        return read(Content((path,), path.stem, path.stem), Limits())
    except DocumentError:
        return None


def contracts(folder: Path, limit: int) -> list[tuple[str, list[str]]]:
    """Names and paragraphs of the first contracts of a folder that are long enough."""
    found: list[tuple[str, list[str]]] = []
    for path in pdfs_in(folder):
        document = read_pdf(path)
        texts = paragraphs(document) if document else []
        if len(texts) >= FEWEST_PARAGRAPHS:
            found.append((path.name, texts))
        if len(found) == limit:
            break
    return found


def compared(old: Sequence[str], other: Sequence[str], rng: random.Random) -> Counter[str]:
    """The counts for one contract and a version made of it, and how long the comparison took."""
    new, deleted = edited(old, other, rng)
    with tempfile.TemporaryDirectory() as folder:
        paths = [
            printed(Path(folder) / f"{name}.pdf", texts, style)
            for name, texts, style in zip(("old", "new"), (old, [one.text for one in new]), PRINTED, strict=True)
        ]
        before, after = (read(Content((path,), path.stem, path.stem), Limits()) for path in paths)
    start = time.perf_counter()
    changes = redline(before, after)
    seconds = time.perf_counter() - start
    counts = measured(old, new, deleted, changes)
    counts.update({"milliseconds": round(1000 * seconds), "pages": len(before.pages) + len(after.pages)})
    counts.update({"changes": len(changes)})
    return counts


def summary(counts: Counter[str]) -> dict[str, float]:
    """The shares that the counts make."""
    rows = {"aligned": _share(counts["aligned"], counts["pairs"])}
    for kind in KINDS:
        rows[f"{kind}_precision"] = _share(counts[f"{kind} right"], counts[f"{kind} said"])
        rows[f"{kind}_recall"] = _share(counts[f"{kind} right"], counts[f"{kind} true"])
    return rows | {"paragraphs": counts["pairs"], "pages": counts["pages"], "seconds": counts["milliseconds"] / 1000}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a row for each pair, a table of all, and one JSON line; 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inbox", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=int, default=1, help="versions made of each contract")
    given = parser.parse_args(argv)
    chosen = contracts(given.inbox, given.limit)
    total: Counter[str] = Counter()
    slowest = 0.0
    for at, (name, old) in enumerate(chosen):
        for time_again in range(given.again):
            rng = random.Random(f"{given.seed} {time_again} {name}")
            counts = compared(old, chosen[at - 1][1], rng)
            total += counts
            rows = summary(counts)
            slowest = max(slowest, rows["seconds"])
            print(f"{rows['aligned']:7.4f} {rows['seconds']:6.2f} s {rows['pages']:4} pages  {name[:70]}")
    rows = summary(total)
    print(f"\n{'kind':10} precision  recall     true")
    for kind in KINDS:
        print(f"{kind:10} {rows[f'{kind}_precision']:9.4f} {rows[f'{kind}_recall']:7.4f} {total[f'{kind} true']:8}")
    print(f"{'aligned':10} {rows['aligned']:17.4f} {total['pairs']:8}   (bar {BAR})")
    print(json.dumps({"contracts": len(chosen), **rows, "slowest": slowest, "bar": BAR}))
    return 0 if rows["aligned"] >= BAR else 1


if __name__ == "__main__":
    raise SystemExit(main())
