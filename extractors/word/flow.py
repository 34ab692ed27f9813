"""The walk through a Word file in the order it is printed, block by block. Part of reading Word files."""

import io
import re
from collections.abc import Callable, Iterator, Sequence

from lxml import etree
from PIL import Image, UnidentifiedImageError

from extractors.files import Limits
from extractors.images import DECODING_ERRORS, on_paper
from extractors.word.numbering import Numbering, written
from extractors.word.package import Package, child, local, number, value
from extractors.word.parts import (
    DEEPEST,
    EMUS,
    ROW,
    TWIPS,
    Marks,
    Section,
    Sheet,
    Sheets,
    Styles,
    has_content,
    is_on,
    is_shaded,
    section_of,
)
from extractors.word.runs import Runs
from schemas.errors import DocumentError

NONE: frozenset[int] = frozenset()
_ALIGNMENTS = {"center": "center", "right": "right", "end": "right"}
_CHANGES = {"ins": "insertion", "moveTo": "insertion", "del": "strikethrough", "moveFrom": "strikethrough"}
_PICTURES = ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP")
TABLE, TABLE_END = '<table style="width:100%">', "</table>"
LARGE_PICTURE = 0.3
"""Share of the page from which a picture may be a scan of the contract."""

SMALLEST_PICTURE = 20.0
"""Points; smaller ones are bullets and rules."""


class Flow:
    """Walks the text once and fills sheets with HTML. Raises DocumentError `damaged` or `image_too_large`."""

    def __init__(self, package: Package, limits: Limits):
        self._package, self._limits = package, limits
        self._links = package.links(package.main)
        self._styles = Styles(self._part("styles"))
        self._numbering = Numbering(self._part("numbering"))
        self._notes = {kind: _by_id(self._part(f"{kind}s")) for kind in ("footnote", "endnote")}
        self._counts = {"footnote": 0, "endnote": 0}
        self._has_even = is_on(child(self._part("settings"), "evenAndOddHeaders"))
        self._marks = Marks()
        self._runs = Runs(self._styles, self._marks, _by_id(self._part("comments")), self)
        self._images: dict[str, bytes] = {}
        self._sheets: list[Sheet] = []
        self._note_html: dict[str, list[str]] = {"footnote": [], "endnote": []}
        self._aside: list[etree._Element] = []
        self._open_tags: list[tuple[str, str]] = []
        self._can_break, self._depth, self._begins = True, 0, True
        self._section = Section()
        self._sections: Iterator[etree._Element] = iter(())

    def _part(self, kind: str) -> etree._Element | None:
        return self._package.xml(next((part for found, part in self._links.values() if found == kind), None))

    def sheets(self) -> Sheets:
        """The whole document, sheet by sheet."""
        body = child(self._package.xml(self._package.main), "body")
        if body is not None:
            self._sections = iter([part for part in body.iter() if local(part) == "sectPr" and _ends_section(part)])
            self._next_section()
            self._blocks(body)
        self._runs.html += self._note_html["endnote"]
        self._flush(is_page=False)
        if any(sheet.is_page for sheet in self._sheets):  # Word has printed it: its last page is one too
            self._sheets = [sheet._replace(is_page=True) for sheet in self._sheets]
        return Sheets(self._sheets, self._marks, self._images, frozenset(self._runs.pending))

    # Sections and sheets

    def _next_section(self) -> None:
        properties = next(self._sections, None)
        section = section_of(properties)
        headers, footers = dict(self._section.headers), dict(self._section.footers)
        for part in properties if properties is not None else ():
            if local(part) in ("headerReference", "footerReference"):
                html = self._edge(value(part, "id"))
                (headers if local(part) == "headerReference" else footers)[value(part, "type") or "default"] = html
        self._section = section._replace(headers=headers, footers=footers, has_even=self._has_even)
        self._begins = True

    def _edge(self, id: str | None) -> str:
        """A header or footer as HTML."""
        root = self._package.xml(self._links.get(id or "", ("", None))[1])
        if root is None:
            return ""
        self._runs.is_edge = True
        html = self._captured(lambda: self._blocks(root))
        self._runs.is_edge = False
        return html

    def _captured(self, write: Callable[[], None]) -> str:
        """What is written meanwhile, on no sheet."""
        outside, self._runs.html = self._runs.html, []
        can_break, self._can_break = self._can_break, False
        write()
        html, self._runs.html, self._can_break = "".join(self._runs.html), outside, can_break
        return html

    def page_break(self, is_rendered: bool) -> None:
        """A new sheet, with the tags open that are open now."""
        if self._can_break:
            self._runs.html += [closing for _, closing in reversed(self._open_tags)]
            self._flush(is_page=is_rendered)
            self._runs.html += [opening for opening, _ in self._open_tags]

    def _flush(self, is_page: bool) -> None:
        html = "".join(self._runs.html)
        notes = "".join(self._note_html["footnote"])
        self._runs.html, self._note_html["footnote"] = [], []
        if has_content(html) or notes:  # Word marks some breaks twice
            ruled = f"<hr/>{notes}" if notes else ""
            self._sheets.append(Sheet(self._section, html + ruled, is_page, self._begins))
            self._begins = False

    # Blocks

    def _blocks(self, parent: etree._Element, active: frozenset[int] = NONE) -> None:
        if self._depth >= DEEPEST:
            return
        self._depth += 1
        for block in parent:
            self._block(block, active)
        self._depth -= 1

    def _block(self, block: etree._Element, active: frozenset[int]) -> None:
        name = local(block)
        if name == "p":
            self._paragraph(block, active)
        elif name == "tbl":
            self._table(block, active)
        elif name in ("sdt", "customXml", "sdtContent", "smartTag"):
            self._blocks(block, active)
        elif name in _CHANGES:
            self._blocks(block, active | {self._runs.change(_CHANGES[name], block)})
        elif name in ("commentRangeStart", "commentRangeEnd"):
            self._runs.inline(block, active)

    def _paragraph(self, paragraph: etree._Element, active: frozenset[int]) -> None:
        properties = child(paragraph, "pPr")
        style = value(child(properties, "pStyle")) or self._styles.default("paragraph")
        if is_on(self._property(properties, style, "pageBreakBefore")):
            self.page_break(is_rendered=False)
        outer, self._runs.style = self._runs.style, style
        is_hidden = is_on(child(properties, "rPr", "vanish"))  # Word neither prints nor counts its number
        label, indent = ("", 0.0) if is_hidden else self._label(properties, style)
        align = _ALIGNMENTS.get(value(self._property(properties, style, "jc")) or "", "left")
        self._open(f'<p style="text-align:{align};margin-left:{indent:.0f}pt">', "</p>")
        self._runs.begin()
        self._runs.text(label, active)
        self._runs.walk(paragraph, active)
        self._close()
        self._runs.style = outer
        self._put_aside()
        if child(properties, "sectPr") is not None:
            self._end_section()

    def _end_section(self) -> None:
        """A section ends with the paragraph that has its properties; the next one says whether on a new page."""
        ended, begins = self._section, self._begins
        self._next_section()
        following = self._section
        if following.is_continuous and (following.width, following.height) == (ended.width, ended.height):
            self._begins = begins
            return
        self._section, self._begins = ended, begins
        self._flush(is_page=False)
        self._section, self._begins = following, True

    def _open(self, opening: str, closing: str) -> None:
        self._open_tags.append((opening, closing))
        self._runs.html.append(opening)

    def _close(self) -> None:
        self._runs.html.append(self._open_tags.pop()[1])

    def _property(self, properties: etree._Element | None, style: str | None, name: str) -> etree._Element | None:
        own = child(properties, name)
        return self._styles.find(style, "pPr", name) if own is None else own

    def _label(self, properties: etree._Element | None, style: str | None) -> tuple[str, float]:
        """The number before a paragraph with the blank behind it, and the paragraph's indent in points."""
        own, by_style = child(properties, "numPr"), self._styles.find(style, "pPr", "numPr")
        num = value(child(own, "numId")) or value(child(by_style, "numId"))
        level = child(own, "ilvl") if own is not None else child(by_style, "ilvl")
        at = number(level) if level is not None else self._numbering.level_of_style(num, style or "")
        label = self._numbering.next(num, at) if num and num != "0" else ""
        indents = (child(properties, "ind"), self._styles.find(style, "pPr", "ind"))
        given = next((i for i in indents if value(i, "left") or value(i, "start")), None)
        indent = number(given, "left", number(given, "start")) / TWIPS if given is not None else 0.0
        if given is None and label:
            indent = self._numbering.indent(num, at)
        return f"{label} " if label else "", max(0.0, min(indent, self._section.width / 3))

    # Tables

    def _table(self, table: etree._Element, active: frozenset[int]) -> None:
        properties = child(table, "tblPr")
        style = value(child(properties, "tblStyle"))
        line = "1px solid #000" if self._is_ruled(properties, style) else "none"
        was_on_colour, is_inner = self._runs.on_colour, not self._can_break
        self._runs.html.append(TABLE if is_inner else "")
        for row in _inside(table, "tr"):
            if _begins_page(row):
                self.page_break(is_rendered=True)
            self._runs.html.append("" if is_inner else ROW + TABLE)
            self._row(row, line, bool(style), active)
            self._runs.html.append("" if is_inner else TABLE_END + ROW)
            self._runs.on_colour = was_on_colour
        self._runs.html.append(TABLE_END if is_inner else "")

    def _is_ruled(self, properties: etree._Element | None, style: str | None) -> bool:
        borders = child(properties, "tblBorders")
        borders = self._styles.find(style, "tblPr", "tblBorders") if borders is None else borders
        return any(is_on(child(borders, side)) and value(child(borders, side)) != "nil" for side in ("insideH", "top"))

    def _row(self, row: etree._Element, line: str, is_styled: bool, active: frozenset[int]) -> None:
        can_break, self._can_break = self._can_break, False
        change = next((part for part in child(row, "trPr") or () if local(part) in ("ins", "del")), None)
        if change is not None:
            active = active | {self._runs.change(_CHANGES[local(change)], change)}
        self._runs.html.append("<tr>")
        cells = list(_inside(row, "tc"))
        for cell, share in zip(cells, _shares(cells), strict=True):
            properties = child(cell, "tcPr")
            self._runs.on_colour = is_styled or is_shaded(properties)
            span = f' colspan="{max(1, number(child(properties, "gridSpan"), default=1))}"'
            self._runs.html.append(f'<td{span} style="border:{line};width:{100 * share:.0f}%">')
            self._blocks(cell, active)
            self._runs.html.append("</td>")
        self._runs.html.append("</tr>")
        self._can_break = can_break

    # What stands beside the text

    def note(self, kind: str, id: str | None) -> None:
        """The number of a footnote or endnote in the text, and its words for the foot of the page or the end."""
        content = self._notes[kind].get(id)
        if content is None:
            return
        self._counts[kind] += 1
        mark = f"[{written(self._counts[kind], 'decimal' if kind == 'footnote' else 'lowerRoman')}]"
        self._runs.text(f" {mark}", NONE)
        before, self._runs.reference = self._runs.reference, mark
        self._note_html[kind].append(self._captured(lambda: self._blocks(content)))
        self._runs.reference = before

    def picture(self, element: etree._Element) -> None:
        """A drawing: its text comes behind the paragraph, its picture where it stands."""
        boxes = [part for part in element.iter() if local(part) == "txbxContent"]
        self._aside += [box for box in boxes if not any(local(outer) == "txbxContent" for outer in box.iterancestors())]
        for part in element.iter():
            if local(part) in ("blip", "imagedata"):
                self._image(value(part, "embed") or value(part, "id"), _size_of(element))

    def _put_aside(self) -> None:
        boxes, self._aside = self._aside, []
        for box in boxes:
            self._blocks(box)

    def _image(self, id: str | None, size: tuple[float, float]) -> None:
        """Raises DocumentError `image_too_large`, and `damaged` for a large picture that can't be decoded."""
        data = self._package.data(self._links.get(id or "", ("", ""))[1])
        if min(size) < SMALLEST_PICTURE or not data:
            return
        picture = self._picture(data)
        if picture is None:
            return
        if not picture and size[0] * size[1] >= LARGE_PICTURE * self._room[0] * self._room[1]:
            raise DocumentError(
                f"A picture in {self._package.name} is damaged.",
                help="Ask for the file again, or print it to PDF.",
                code="damaged",
            )
        scale = min(1.0, self._room[0] / size[0], 0.9 * self._room[1] / size[1])
        width, height = (round(side * scale) for side in size)
        if picture:
            self._runs.html.append(f'<img src="{len(self._images)}" width="{width}" height="{height}"/>')
            self._images[str(len(self._images))] = picture

    @property
    def _room(self) -> tuple[float, float]:
        section = self._section
        return section.width - section.left - section.right, section.height - section.top - section.bottom

    def _picture(self, data: bytes) -> bytes | None:
        """The picture coded anew, so that the layout meets sound ones alone.

        None when this is none that can be shown (a vector graphic), nothing when it can't be decoded.
        """
        try:
            with Image.open(io.BytesIO(data), formats=_PICTURES) as image:
                self._check_size(image)
                file = io.BytesIO()
                if image.mode in ("1", "L", "P"):
                    image.save(file, "PNG", compress_level=1)
                else:
                    on_paper(image).save(file, "JPEG", quality=95)
                return file.getvalue()
        except UnidentifiedImageError:
            return None
        except DECODING_ERRORS:
            return b""

    def _check_size(self, image: Image.Image) -> None:
        megapixels = image.width * image.height / 1e6
        if megapixels > self._limits.max_megapixels:
            raise DocumentError(
                f"A picture in {self._package.name} has {megapixels:.0f} megapixels, more than the limit of "
                f"{self._limits.max_megapixels}.",
                help="Save it smaller, or raise the setting max_megapixels.",
                code="image_too_large",
            )


def _by_id(root: etree._Element | None) -> dict[str | None, etree._Element]:
    return {value(part, "id"): part for part in root} if root is not None else {}


def _ends_section(properties: etree._Element) -> bool:
    """Whether these are a section's properties, not those it had before a change."""
    return local(properties.getparent()) in ("body", "pPr")


def _inside(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    """The rows of a table or the cells of a row, those in content controls included."""
    for part in parent:
        if local(part) == name:
            yield part
        elif local(part) in ("sdt", "sdtContent", "customXml", "ins", "del"):
            yield from _inside(part, name)


def _shares(cells: Sequence[etree._Element]) -> list[float]:
    """How much of the row's width each cell takes; equal ones where the file doesn't say."""
    widths = [number(child(cell, "tcPr", "tcW"), "w") for cell in cells]
    total = sum(widths)
    return [width / total if min(widths) > 0 else 1 / len(cells) for width in widths]


def _begins_page(row: etree._Element) -> bool:
    return any(local(part) == "lastRenderedPageBreak" for part in row.iter())


def _size_of(drawing: etree._Element) -> tuple[float, float]:
    """Width and height of a drawing in points; those of old drawings stand in a style."""
    for part in drawing.iter():
        if local(part) == "extent":
            return number(part, "cx") / EMUS, number(part, "cy") / EMUS
        sizes = dict(re.findall(r"(width|height):([\d.]+)pt", value(part, "style") or ""))
        if len(sizes) == 2:
            return float(sizes["width"]), float(sizes["height"])
    return 0.0, 0.0
