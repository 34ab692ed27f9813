"""Redline: two versions of a contract compared clause by clause.

`extractors.provisions` cuts both into clauses and `extractors.pairing` says which became which. Which clauses moved is
decided by the longest run of pairs that keep their order: what stands off it has moved, what was merely numbered anew
has not.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Literal

from rapidfuzz.distance import Indel

from extractors.pairing import Clause, Pairs, in_order, paired
from extractors.provisions import provisions
from schemas.base import Frozen
from schemas.document import Document

ChangeKind = Literal["unchanged", "changed", "moved", "moved_changed", "added", "deleted"]
Operation = Literal["equal", "insert", "delete"]


class Change(Frozen):
    """One clause in both versions, or in one of them.

    `similarity` is the share of words in common, in order, 0 to 1. `words` is the clause cut into what stayed, was
    deleted and was inserted; joined without the deleted parts it is `new_text`, without the inserted `old_text`, but
    for white space. It is empty where nothing changed and where there is nothing to compare with. `heading` is that
    of the new version, of the old one for what was deleted.
    """

    kind: ChangeKind
    old_number: str | None = None
    new_number: str | None = None
    heading: str = ""
    old_text: str | None = None
    new_text: str | None = None
    old_page: int | None = None
    new_page: int | None = None
    similarity: float = 0.0
    words: tuple[tuple[Operation, str], ...] = ()


def redline(old: Document, new: Document) -> tuple[Change, ...]:
    """The changes from one version to the next, in the order of the new one; unchanged clauses among them.

    A deleted clause stands behind the one that it stood behind.
    """
    return tuple(_changes(*paired(provisions(old), provisions(new))))


def _changes(pairs: Pairs, before: Sequence[Clause], after: Sequence[Clause]) -> Iterator[Change]:
    kept = in_order(pairs)
    partner = {j: i for i, j in pairs.items()}
    deleted: dict[int, list[int]] = defaultdict(list)
    behind = -1
    for i in range(len(before)):
        if i in kept:
            behind = pairs[i]
        elif i not in pairs:
            deleted[behind].append(i)
    for j in range(-1, len(after)):
        if j >= 0:
            i = partner.get(j)
            yield _added(after[j]) if i is None else _change(before[i], after[j], i not in kept)
        yield from (_deleted(before[i]) for i in deleted[j])


def _added(clause: Clause) -> Change:
    one = clause.provision
    return Change(kind="added", new_number=one.number, heading=one.heading, new_text=one.text, new_page=one.page)


def _deleted(clause: Clause) -> Change:
    one = clause.provision
    return Change(kind="deleted", old_number=one.number, heading=one.heading, old_text=one.text, old_page=one.page)


def _change(old: Clause, new: Clause, has_moved: bool) -> Change:
    is_same = old.code == new.code
    kind: ChangeKind = "unchanged" if is_same else "changed"
    if has_moved:
        kind = "moved" if is_same else "moved_changed"
    return Change(
        kind=kind,
        old_number=old.provision.number,
        new_number=new.provision.number,
        heading=new.provision.heading,
        old_text=old.provision.text,
        new_text=new.provision.text,
        old_page=old.provision.page,
        new_page=new.provision.page,
        similarity=1.0 if is_same else round(Indel.normalized_similarity(old.code, new.code), 4),
        words=() if is_same else tuple(_words(old, new)),
    )


def _words(old: Clause, new: Clause) -> Iterator[tuple[Operation, str]]:
    """What stayed, was deleted and was inserted; where words were replaced, what was deleted comes first."""
    for i0, i1, j0, j1, is_equal in _blocks(old, new):
        if is_equal:
            yield "equal", _said(new, j0, j1)
            continue
        if i0 < i1:
            yield "delete", _said(old, i0, i1)
        if j0 < j1:
            yield "insert", _said(new, j0, j1)


def _blocks(old: Clause, new: Clause) -> list[tuple[int, int, int, int, bool]]:
    """Ranges of words of both clauses, in turn equal and not; equal punctuation alone between edits is part of them."""
    blocks: list[tuple[int, int, int, int, bool]] = []
    steps = list(Indel.opcodes(old.code, new.code))
    for at, step in enumerate(steps):
        is_inside = 0 < at < len(steps) - 1
        is_equal = step.tag == "equal" and not (is_inside and _is_punctuation(new, step.dest_start, step.dest_end))
        if blocks and blocks[-1][4] == is_equal:
            first = blocks.pop()
            blocks.append((first[0], step.src_end, first[2], step.dest_end, is_equal))
        else:
            blocks.append((step.src_start, step.src_end, step.dest_start, step.dest_end, is_equal))
    return blocks


def _is_punctuation(clause: Clause, start: int, end: int) -> bool:
    return not any(c.isalnum() for c in clause.provision.text[clause.tokens[start][0] : clause.tokens[end - 1][1]])


def _said(clause: Clause, start: int, end: int) -> str:
    """The text from one word up to another, with the white space before the first, so that parts can be joined."""
    begins = clause.tokens[start - 1][1] if start else 0
    ends = clause.tokens[end - 1][1] if end < len(clause.tokens) else len(clause.provision.text)
    return clause.provision.text[begins:ends]


_STYLE = """
body { font: 1rem/1.5 Georgia, "Times New Roman", serif; color: #1a1a1a; background: #fff; max-width: 50rem;
  margin: 2rem auto; padding: 0 1rem }
h1, h2, .where, .legend, .summary { font-family: system-ui, sans-serif }
h1 { font-size: 1.4rem } h2 { font-size: 1rem; margin: 0 }
.where { font-size: .85rem; color: #444; margin: 0 0 .3rem } .said { margin: 0; overflow-wrap: anywhere }
section { border-left: .3rem solid #bbb; padding: .4rem .8rem; margin: .8rem 0 }
.changed { border-color: #8a5a00 } .moved, .moved_changed { border-color: #1f4fa3; border-left-style: double }
.added { border-color: #136b32 } .deleted { border-color: #a11616 } .unchanged .said { color: #444 }
ins { background: #dcf5e3; color: #0b4a20; text-decoration: underline }
del { background: #fbe3e3; color: #7d1010; text-decoration: line-through }
li { margin: .2rem 0 }
@media print { body { max-width: none; margin: 0; font-size: 10pt } h2 { break-after: avoid }
  ins, del { print-color-adjust: exact; -webkit-print-color-adjust: exact } }
"""

_NAMES: Mapping[ChangeKind, str] = {
    "changed": "changed",
    "moved": "moved",
    "moved_changed": "moved and changed",
    "added": "added",
    "deleted": "deleted",
    "unchanged": "unchanged",
}
_MARKUP = {"equal": "{}", "insert": "<ins>{}</ins>", "delete": "<del>{}</del>"}


def as_html(changes: Sequence[Change], old_name: str, new_name: str, language: str = "en") -> str:
    """A page that shows the changes, whole in itself: it loads and runs nothing.

    `language` is that of the contracts (ISO 639-1); what is said about them is English.
    """
    count = Counter(change.kind for change in changes)
    title = f"{escape(old_name)} compared with {escape(new_name)}"
    summary = ", ".join(f"{count[kind]} {name}" for kind, name in _NAMES.items())
    sections = "\n".join(_section(at, change, escape(language)) for at, change in enumerate(changes, start=1))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p class="summary">Clauses: {summary}.</p>
{_legend(old_name)}
{sections or "<p>Neither version has any text.</p>"}
</main>
</body>
</html>
"""


def _legend(old_name: str) -> str:
    return f"""<ul class="legend" aria-label="Legend">
<li><ins>inserted words</ins></li>
<li><del>deleted words</del></li>
<li>A moved clause says below its title where it stood in {escape(old_name)}; a double line is drawn beside it.</li>
<li>Line and page breaks, hyphens in words, quotes and a clause's own number are not compared.</li>
</ul>"""


def _section(at: int, change: Change, language: str) -> str:
    number = change.new_number if change.new_text is not None else change.old_number
    name = " ".join(part for part in (number, change.heading) if part) or "Without a title"
    return f"""<section class="{change.kind}" aria-labelledby="c{at}">
<h2 id="c{at}"><span lang="{language}">{escape(name)}</span> ({_NAMES[change.kind]})</h2>
<p class="where">{escape(_where(change))}</p>
<p class="said" lang="{language}">{_marked(change)}</p>
</section>"""


def _where(change: Change) -> str:
    old, new = _place(change.old_number, change.old_page), _place(change.new_number, change.new_page)
    if change.kind == "added":
        return f"Added: {new}"
    if change.kind == "deleted":
        return f"Deleted: stood at {old}"
    if change.kind in ("moved", "moved_changed"):
        return f"Moved from {old} to {new}"
    return f"Old version: {old}; new version: {new}"


def _place(number: str | None, page: int | None) -> str:
    return f"{number}, page {page}" if number else f"page {page}"


def _marked(change: Change) -> str:
    """The clause with its inserted and deleted words marked, as HTML."""
    words = change.words
    if not words:
        operation: Operation = {"added": "insert", "deleted": "delete"}.get(change.kind, "equal")
        words = ((operation, change.new_text if change.new_text is not None else change.old_text or ""),)
    return "".join(_MARKUP[operation].format(escape(text)) for operation, text in words)
