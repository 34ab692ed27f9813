"""What stands inside a paragraph: runs, fields, changes, comments, symbols. Part of reading Word files."""

from collections.abc import Callable
from html import escape
from typing import Protocol

from lxml import etree

from extractors.word.package import child, local, number, value
from extractors.word.parts import (
    DEEPEST,
    PAGE_NUMBER,
    TAB,
    TINY_HALF_POINTS,
    Change,
    Hidden,
    Marks,
    Styles,
    is_near_white,
    is_on,
    is_shaded,
    printable_letters,
    symbol,
)

NONE: frozenset[int] = frozenset()
_WRAPPERS = ("hyperlink", "smartTag", "sdtContent", "customXml", "dir", "bdo", "oMathPara", "ruby", "rubyBase")
_CHANGES = {"ins": "insertion", "moveTo": "insertion", "del": "strikethrough", "moveFrom": "strikethrough"}
_PLAIN = {"tab": TAB, "ptab": TAB, "cr": "<br/>", "noBreakHyphen": "-"}


class Around(Protocol):
    """What a run may ask of the document around it."""

    def page_break(self, is_rendered: bool) -> None: ...

    def note(self, kind: str, id: str | None) -> None: ...

    def picture(self, element: etree._Element) -> None: ...


class Runs:
    """Writes the runs of paragraphs to `html`, each in the colour of the marks on it."""

    def __init__(self, styles: Styles, marks: Marks, comments: dict[str | None, etree._Element], around: Around):
        self.html: list[str] = []
        self._styles, self._marks, self._comments, self._around = styles, marks, comments, around
        self._open: dict[str | None, int] = {}
        self.pending: set[int] = set()
        """Marks that wait for a word to stand before."""
        self._fields: list[list[str]] = []
        self._recent: dict[Change | Hidden, tuple[int, int]] = {}
        self._comment_marks: dict[str | None, int] = {}
        self._written: set[int] = set()
        self._tags = ("", "")
        self._shown = 0
        self._before, self._kinds, self._is_whole = " ", frozenset[str](), True
        self._depth = 0
        self.style: str | None = None
        self.on_colour = False
        self.reference = ""
        self.is_edge = False
        self._pieces: dict[str, Callable[[etree._Element, frozenset[int]], None]] = {
            "fldChar": self._field_mark,
            "instrText": self._field_code,
            "sym": lambda piece, active: self.text(symbol(value(piece, "char")), active),
            "br": self._line_break,
            "commentReference": self._point_comment,
            "AlternateContent": self._alternative,
        }

    def walk(self, parent: etree._Element, active: frozenset[int] = NONE) -> None:
        """Everything inside an element that holds runs."""
        if self._depth >= DEEPEST:
            return
        self._depth += 1
        for element in parent:
            self.inline(element, active)
        self._depth -= 1

    def inline(self, element: etree._Element, active: frozenset[int]) -> None:
        """One element inside a paragraph, or a comment's edge between paragraphs."""
        name = local(element)
        if name == "r":
            self._run(element, active)
        elif name in _CHANGES:
            self.walk(element, active | {self.change(_CHANGES[name], element)})
        elif name in _WRAPPERS:
            self.walk(element, active)
        elif name == "sdt":
            content = child(element, "sdtContent")
            if content is not None:
                self.walk(content, active)
        elif name == "fldSimple":
            self._simple_field(element, active)
        elif name == "commentRangeStart":
            self._open_comment(value(element, "id"))
        elif name == "commentRangeEnd":
            self._open.pop(value(element, "id"), None)
        elif name == "oMath":
            self.text("".join(part.text or "" for part in element.iter() if local(part) == "t"), active)
        elif name == "AlternateContent":
            self._alternative(element, active)

    # Changes and comments

    def change(self, kind: str, element: etree._Element) -> int:
        """The number of a tracked change; pieces of one that follow each other are one mark."""
        return self._same_or_new(Change(kind, "tracked_change", _signed(element)))

    def _same_or_new(self, mark: Change | Hidden) -> int:
        """The number of an equal mark that ended right here, else a new one."""
        at, end = self._recent.get(mark, (-1, -1))
        if end != self._shown:
            at = self._marks.add(mark)
            self._recent[mark] = (at, self._shown)
        return at

    def _open_comment(self, id: str | None) -> None:
        comment = self._comments.get(id)
        if comment is not None:
            at = self._marks.add(Change("annotation", "annotation", _comment(comment)))
            self._open[id] = self._comment_marks[id] = at

    def _point_comment(self, piece: etree._Element, active: frozenset[int]) -> None:
        """A comment on no words stands before the next one."""
        id = value(piece, "id")
        if id not in self._comment_marks:
            self._open_comment(id)
            self._open.pop(id, None)
        at = self._comment_marks.get(id)
        if at is not None and at not in self._written:
            self._marks.points.add(at)
            self.pending.add(at)

    # Runs

    def _run(self, run: etree._Element, active: frozenset[int]) -> None:
        properties = child(run, "rPr")
        hidden = self._hidden_kind(properties)
        for kind, name in (("strikethrough", "strike"), ("strikethrough", "dstrike")):
            if is_on(self._property(properties, name)):
                active = active | {self._same_or_new(Change(kind, "drawing", ""))}
        if is_on(child(properties, "highlight")):
            active = active | {self._same_or_new(Change("highlight", "annotation", ""))}
        self._tags = self._emphasis(properties)
        for piece in run:
            self._piece(piece, active, hidden, is_on(self._property(properties, "caps")))
        self._tags = ("", "")

    def _piece(self, piece: etree._Element, active: frozenset[int], hidden: str | None, capitals: bool) -> None:
        name = local(piece)
        if name in ("t", "delText"):
            text = piece.text or ""
            if self._in_code():
                return
            if hidden:
                self._hide(Hidden(hidden, text))
            else:
                self.text(text.upper() if capitals else text, active)
        elif name in self._pieces:
            self._pieces[name](piece, active)
        elif hidden or self._in_code():
            return
        elif name in _PLAIN:
            self.html.append(_PLAIN[name])
        elif name == "lastRenderedPageBreak":
            self._around.page_break(is_rendered=True)
        elif name in ("footnoteReference", "endnoteReference"):
            self._around.note(name.removesuffix("Reference"), value(piece, "id"))
        elif name in ("footnoteRef", "endnoteRef"):
            self.text(self.reference, active)
        elif name in ("drawing", "pict", "object"):
            self._around.picture(piece)

    def text(self, text: str, active: frozenset[int]) -> None:
        """Visible text with the marks on it; what waits for a place gets its first word."""
        if not text or self._in_code():
            return
        numbers = active | frozenset(self._open.values())
        if self.pending and text.strip():
            first, text = _first_word(text)
            self._write(first, numbers | self.pending)
            self.pending = set()
        self._write(text, numbers)

    def _write(self, text: str, numbers: frozenset[int]) -> None:
        if not text:
            return
        ended_here = [mark for mark, (at, _) in self._recent.items() if at in numbers]
        self._shown += len(text)
        self._recent = {mark: (self._recent[mark][0], self._shown) for mark in ended_here}
        self._written |= numbers
        self._part_changes(text, numbers)
        safe = escape(printable_letters(text))
        colour = f'<span style="color:{self._marks.colour(numbers)}">{safe}</span>' if numbers else safe
        self.html.append(self._tags[0] + colour + self._tags[1])

    def _part_changes(self, text: str, numbers: frozenset[int]) -> None:
        """A blank between words struck and those that replace them, which Word keeps side by side.

        Where less than a word was changed there is none: the two are read together as they are printed.
        """
        marks = [self._marks.all[at] for at in numbers]
        kinds = frozenset(mark.kind for mark in marks if isinstance(mark, Change) and mark.source == "tracked_change")
        if kinds != self._kinds:
            is_replaced = bool(kinds and self._kinds)
            if is_replaced and self._is_whole and not (self._before.isspace() or text[0].isspace()):
                self.html.append(" ")
            self._is_whole = self._is_whole if is_replaced else self._before.isspace()
        self._before, self._kinds = text[-1], kinds

    def begin(self) -> None:
        """A new paragraph."""
        self._before, self._kinds, self._is_whole = " ", frozenset(), True

    def _hide(self, hidden: Hidden) -> None:
        at = self._same_or_new(hidden._replace(text=""))
        mark = self._marks.all[at]
        self._marks.all[at] = mark._replace(text=mark.text + hidden.text)
        self._marks.points.add(at)
        self.pending.add(at)

    def _property(self, properties: etree._Element | None, name: str) -> etree._Element | None:
        """A property of a run: its own, its character style's, or its paragraph style's."""
        own = child(properties, name)
        if own is not None:
            return own
        by_style = self._styles.find(value(child(properties, "rStyle")), "rPr", name)
        return self._styles.find(self.style, "rPr", name) if by_style is None else by_style

    def _hidden_kind(self, properties: etree._Element | None) -> str | None:
        if is_on(self._property(properties, "vanish")):
            return "invisible"
        if is_near_white(value(self._property(properties, "color"))) and not self.on_colour:
            return None if is_shaded(properties) or is_on(child(properties, "highlight")) else "faint"
        size = self._property(properties, "sz")
        return "tiny" if size is not None and number(size, default=24) < TINY_HALF_POINTS else None

    def _emphasis(self, properties: etree._Element | None) -> tuple[str, str]:
        tags = [tag for tag in ("b", "i") if is_on(self._property(properties, tag))]
        return "".join(f"<{tag}>" for tag in tags), "".join(f"</{tag}>" for tag in reversed(tags))

    def _line_break(self, piece: etree._Element, active: frozenset[int]) -> None:
        if self._in_code():
            return
        if value(piece, "type") == "page":
            self._around.page_break(is_rendered=False)
        else:
            self.html.append("<br/>")

    def _alternative(self, element: etree._Element, active: frozenset[int]) -> None:
        chosen = child(element, "Choice")
        chosen = child(element, "Fallback") if chosen is None else chosen
        for piece in chosen if chosen is not None else ():
            if local(piece) == "r":
                self._run(piece, active)
            else:
                self._piece(piece, active, None, False)

    # Fields: [code, phase] on a stack, since they lie in one another

    def _in_code(self) -> bool:
        return any(phase != "result" for _, phase in self._fields)

    def _field_mark(self, piece: etree._Element, active: frozenset[int]) -> None:
        kind = value(piece, "fldCharType")
        if kind == "begin":
            self.text(_form_value(child(piece, "ffData")), active)
            self._fields.append(["", "code"])
        elif kind == "separate" and self._fields:
            self._fields[-1][1] = "result"
            self._page_number()
        elif kind == "end" and self._fields:
            self._page_number()
            self._fields.pop()

    def _page_number(self) -> None:
        """In headers and footers, in place of the number that Word kept, the one of the page."""
        if self.is_edge and self._fields[-1][0].split()[:1] == ["PAGE"] and self._fields[-1][1] != "done":
            self._fields[-1][1] = "done"
            self.html.append(PAGE_NUMBER)

    def _field_code(self, piece: etree._Element, active: frozenset[int]) -> None:
        if self._fields:
            self._fields[-1][0] += piece.text or ""

    def _simple_field(self, element: etree._Element, active: frozenset[int]) -> None:
        if self.is_edge and (value(element, "instr") or "").split()[:1] == ["PAGE"]:
            self.html.append(PAGE_NUMBER)
        else:
            self.walk(element, active)


def _first_word(text: str) -> tuple[str, str]:
    start = len(text) - len(text.lstrip())
    end = next((at for at in range(start, len(text)) if text[at].isspace()), len(text))
    return text[:end], text[end:]


def _form_value(data: etree._Element | None) -> str:
    """What a field of an old form shows besides text: a box ticked or not, or the chosen entry of a list."""
    box, chosen = child(data, "checkBox"), child(data, "ddList")
    if box is not None:
        state = child(box, "checked")
        return "☒" if is_on(child(box, "default") if state is None else state) else "☐"
    if chosen is not None:
        entries = [value(entry) or "" for entry in chosen if local(entry) == "listEntry"]
        at = number(child(chosen, "result"))
        return entries[at] if 0 <= at < len(entries) else ""
    return ""


def _signed(element: etree._Element) -> str:
    """Who changed it and when, as far as the file says."""
    return ", ".join(part for part in (value(element, "author"), (value(element, "date") or "")[:10]) if part)


def _comment(comment: etree._Element) -> str:
    paragraphs = ("".join(t.text or "" for t in p.iter() if local(t) == "t") for p in comment.iter() if local(p) == "p")
    text = " ".join(paragraph.strip() for paragraph in paragraphs if paragraph.strip())
    signed = _signed(comment)
    return f"{signed}: {text}" if signed else text
