"""Word files: what is printed, in which order and on which page, and what is changed, noted or hidden in it."""

import io
import re
import time
import zipfile
from pathlib import Path

import docx
import numpy as np
import papers
import pytest
from PIL import Image

from extractors.characters import clean
from extractors.files import DOCX, Limits, media_type_of
from extractors.word import Paper, printed
from extractors.word.numbering import written
from schemas.document import EditMark
from schemas.errors import DocumentError

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SPACES = (
    f'xmlns:w="{W}" xmlns:r="{RELATIONS}" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
)
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
PARTS = ("styles", "numbering", "comments", "footnotes", "endnotes", "settings")


def p(*runs: str, properties: str = "") -> str:
    """A paragraph; runs that are no XML are plain text."""
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(run if run.startswith('<') else r(run) for run in runs)}</w:p>"


def r(text: str, properties: str = "", tag: str = "t") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:{tag} xml:space="preserve">{text}</w:{tag}></w:r>'


def deleted(text: str, author: str = "Ann", tag: str = "del") -> str:
    return f'<w:{tag} w:id="1" w:author="{author}" w:date="2026-03-01T10:00:00Z">{r(text, tag="delText")}</w:{tag}>'


def inserted(text: str, author: str = "Ann", tag: str = "ins") -> str:
    return f'<w:{tag} w:id="2" w:author="{author}" w:date="2026-03-01T10:00:00Z">{r(text)}</w:{tag}>'


def relations(links: list[tuple[str, str, str]]) -> str:
    rows = (f'<Relationship Id="{id}" Type="{RELATIONS}/{kind}" Target="{target}"/>' for id, kind, target in links)
    return f'<Relationships xmlns="{PACKAGE}">{"".join(rows)}</Relationships>'


def word_bytes(body: str, namespace: str = W, links: list[tuple[str, str, str]] = (), **parts: str | bytes) -> bytes:
    """A Word file with this body; the parts by their base names."""
    file = io.BytesIO()
    own = [(f"p{i}", name, f"{name}.xml") for i, name in enumerate(PARTS) if name in parts]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", relations([("r1", "officeDocument", "word/document.xml")]))
        archive.writestr("word/_rels/document.xml.rels", relations([*own, *links]))
        document = f"<w:document {SPACES}><w:body>{body}</w:body></w:document>"
        archive.writestr("word/document.xml", document.replace(W, namespace))
        for name, content in parts.items():
            target = f"word/{name}" if "." in name else f"word/{name}.xml"
            root = content if isinstance(content, bytes) else f"<w:{name} {SPACES}>{content}</w:{name}>"
            archive.writestr(target, root)
    return file.getvalue()


def paper(tmp_path: Path, body: str, limits: Limits | None = None, **parts) -> Paper:
    return printed(papers.written(tmp_path / "a.docx", word_bytes(body, **parts)), limits or Limits())


def texts(paper: Paper) -> list[str]:
    """The words of each page in one line."""
    return [clean(" ".join(page.get_text().split())) for page in paper.pdf]


def text(tmp_path: Path, body: str, **parts) -> str:
    return " | ".join(texts(paper(tmp_path, body, **parts)))


def below(paper: Paper, mark: EditMark) -> str:
    """The words of the page that the mark lies on."""
    x0, y0, x1, y1 = mark.box
    words = paper.pdf[mark.page_number - 1].get_text("words")
    return clean(" ".join(w[4] for w in words if x0 <= (w[0] + w[2]) / 2 <= x1 and y0 <= (w[1] + w[3]) / 2 <= y1))


def test_a_file_of_a_real_writer(tmp_path):
    file = docx.Document()
    file.add_heading("Master Agreement", 0)
    file.add_paragraph("Between Alpha & Beta <Ltd>.")
    file.add_paragraph("Fees", style="List Number")
    file.add_paragraph("Term", style="List Number")
    table = file.add_table(2, 2)
    for cell, words in zip(
        (c for row in table.rows for c in row.cells), ["Fee", "500 EUR", "Term", "3 years"], strict=True
    ):
        cell.text = words
    file.add_page_break()
    noted = file.add_paragraph("Second page ").add_run("noted words")
    file.add_comment(noted, text="Please check", author="Jo")
    file.sections[0].header.paragraphs[0].text = "Confidential"
    file.save(tmp_path / "a.docx")
    assert media_type_of(tmp_path / "a.docx") == DOCX
    found = printed(tmp_path / "a.docx", Limits())
    first = "Confidential Master Agreement Between Alpha & Beta <Ltd>. 1. Fees 2. Term Fee 500 EUR Term 3 years"
    assert texts(found) == [first, "Confidential Second page noted words"]
    (mark,) = found.marks
    assert (mark.page_number, mark.kind, mark.source) == (2, "annotation", "annotation")
    assert mark.text.startswith("noted words [Jo, 20") and mark.text.endswith(": Please check]")
    assert below(found, mark) == "noted words"


def test_deleted_words_are_printed_and_marked(tmp_path):
    body = p("The term is ", deleted("thirty"), inserted("sixty"), " days.")
    found = paper(tmp_path, body)
    assert texts(found) == ["The term is thirty sixty days."]
    assert [(m.kind, m.source, m.text) for m in found.marks] == [
        ("strikethrough", "tracked_change", "thirty [Ann, 2026-03-01]"),
        ("insertion", "tracked_change", "sixty [Ann, 2026-03-01]"),
    ]
    struck, added = found.marks
    assert [below(found, mark) for mark in found.marks] == ["thirty", "sixty"]
    assert 72 < struck.box[0] < struck.box[2] < added.box[0]


BESIDE = {
    "words": (("for ", deleted("30"), inserted("60"), "-day terms"), "for 30 60-day terms"),
    "inserted first": (("for ", inserted("60"), deleted("30"), " days"), "for 60 30 days"),
    "blanks of their own": (("for ", deleted("30 "), inserted("60 "), "days"), "for 30 60 days"),
    "letters of a word": (("agree", deleted("d"), inserted("s"), " to"), "agreeds to"),
    "a word made longer": (("all agree", inserted("ment"), "s"), "all agreements"),
}


@pytest.mark.parametrize(("runs", "expected"), BESIDE.values(), ids=BESIDE.keys())
def test_words_and_those_that_replace_them_stay_apart(tmp_path, runs, expected):
    assert texts(paper(tmp_path, p(*runs))) == [expected]


def test_moved_text_is_struck_where_it_was_and_inserted_where_it_is(tmp_path):
    found = paper(
        tmp_path, p("A ", deleted("clause one", tag="moveFrom")) + p("B ", inserted("clause one", tag="moveTo"))
    )
    assert texts(found) == ["A clause one B clause one"]
    assert [m.kind for m in found.marks] == ["strikethrough", "insertion"]
    assert found.marks[0].box[1] < found.marks[1].box[1]


def test_pieces_of_one_change_are_one_mark_and_two_authors_two(tmp_path):
    found = paper(tmp_path, p("x ", deleted("one "), deleted("two"), " y ", deleted("three"), deleted("four", "Bob")))
    notes = [m.text for m in found.marks]
    assert notes == ["one two [Ann, 2026-03-01]", "three [Ann, 2026-03-01]", "four [Bob, 2026-03-01]"]


def test_a_long_change_lies_on_its_own_words_alone(tmp_path):
    words = " ".join(f"word{i}" for i in range(60))
    found = paper(tmp_path, p("Before ", inserted(words), " behind."))
    assert [below(found, mark) for mark in found.marks] == [mark.text.partition(" [")[0] for mark in found.marks]
    assert " ".join(mark.text.partition(" [")[0] for mark in found.marks) == words


def test_text_without_changes_has_no_marks(tmp_path):
    found = paper(tmp_path, p("Plain ", r("bold", "<w:b/>"), r(" not struck", '<w:strike w:val="0"/>')))
    assert (found.marks, found.hidden) == ([], {})


def test_properties_of_the_past_are_not_those_of_now(tmp_path):
    was = "<w:rPrChange w:id='1' w:author='A'><w:rPr><w:vanish/><w:strike/></w:rPr></w:rPrChange>"
    found = paper(tmp_path, p(r("seen", was)))
    assert (texts(found), found.marks, found.hidden) == (["seen"], [], {})


def test_struck_by_hand_and_highlighted(tmp_path):
    found = paper(tmp_path, p("a ", r("struck", "<w:strike/>"), " b ", r("lit", '<w:highlight w:val="yellow"/>')))
    assert [(m.kind, m.source, m.text) for m in found.marks] == [
        ("strikethrough", "drawing", "struck"),
        ("highlight", "annotation", "lit"),
    ]


SIGNED = 'w:id="7" w:author="Jo" w:date="2026-03-02T00:00:00Z"'
COMMENTS = f"<w:comment {SIGNED}><w:p><w:r><w:t>Too long?</w:t></w:r></w:p></w:comment>"


def _comment(edge: str) -> str:
    return f'<w:{edge} w:id="7"/>' if edge != "reference" else '<w:r><w:commentReference w:id="7"/></w:r>'


def test_a_comment_on_changed_words_over_two_paragraphs(tmp_path):
    body = p("A ", _comment("commentRangeStart"), "old", deleted(" gone")) + p(
        "next", _comment("commentRangeEnd"), _comment("reference"), " end"
    )
    found = paper(tmp_path, body, comments=COMMENTS)
    notes = [(m.kind, m.text) for m in found.marks]
    assert notes == [
        ("annotation", "old gone [Jo, 2026-03-02: Too long?]"),
        ("annotation", "next [Jo, 2026-03-02: Too long?]"),
        ("strikethrough", "gone [Ann, 2026-03-01]"),
    ]


@pytest.mark.parametrize("edges", [("commentRangeStart", "commentRangeEnd"), ()])
def test_a_comment_on_no_words_stands_before_the_next(tmp_path, edges):
    found = paper(tmp_path, p("A ", *map(_comment, edges), _comment("reference"), "following words"), comments=COMMENTS)
    (mark,) = found.marks
    assert mark.text == "[Jo, 2026-03-02: Too long?]"
    assert below(found, mark) == "following"


HIDDEN = {
    "hidden": ("<w:vanish/>", "invisible"),
    "white": ('<w:color w:val="FFFFFF"/>', "faint"),
    "nearly white": ('<w:color w:val="FDFDFD"/>', "faint"),
    "one point": ('<w:sz w:val="2"/>', "tiny"),
}


@pytest.mark.parametrize(("properties", "kind"), HIDDEN.values(), ids=HIDDEN.keys())
def test_hidden_text_is_not_printed_and_told(tmp_path, properties, kind):
    body = (
        p("One.")
        + p("<w:r><w:br w:type='page'/></w:r>")
        + p("Two ", r("secret ", properties), r("words", properties), "seen")
    )
    found = paper(tmp_path, body)
    assert texts(found) == ["One.", "Two seen"]
    (hidden,) = found.hidden[2]
    assert (hidden.kind, hidden.text) == (kind, "secret words")
    (seen,) = found.pdf[1].search_for("seen")
    assert (hidden.box[0], hidden.box[2]) == pytest.approx((seen.x0, seen.x0), abs=0.5)


def test_hidden_text_at_the_end_stands_on_the_last_page(tmp_path):
    found = paper(tmp_path, p("Seen.") + p(r("secret", "<w:vanish/>")))
    assert [hidden.text for hidden in found.hidden[1]] == ["secret"]


NOT_HIDDEN = {
    "white on black": r("seen", '<w:color w:val="FFFFFF"/><w:shd w:val="clear" w:fill="000000"/>'),
    "vanish off": r("seen", '<w:vanish w:val="0"/>'),
    "automatic colour": r("seen", '<w:color w:val="auto"/>'),
    "small print": r("seen", '<w:sz w:val="12"/>'),
}


@pytest.mark.parametrize("run", NOT_HIDDEN.values(), ids=NOT_HIDDEN.keys())
def test_what_can_be_seen_is_not_hidden(tmp_path, run):
    found = paper(tmp_path, p(run))
    assert (texts(found), found.hidden) == (["seen"], {})


def test_white_words_in_a_dark_cell_are_seen(tmp_path):
    cell = '<w:tc><w:tcPr><w:shd w:val="clear" w:fill="1F3864"/></w:tcPr>' + p(r("Price", '<w:color w:val="FFFFFF"/>'))
    bare = "<w:tc>" + p(r("Trap", '<w:color w:val="FFFFFF"/>'), "x")
    found = paper(tmp_path, f"<w:tbl><w:tr>{cell}</w:tc>{bare}</w:tc></w:tr></w:tbl>")
    assert texts(found) == ["Price x"]
    assert [hidden.text for hidden in found.hidden[1]] == ["Trap"]


def _numbering(*levels: tuple[str, str], more: str = "") -> str:
    rows = "".join(
        f'<w:lvl w:ilvl="{i}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{words}"/></w:lvl>'
        for i, (form, words) in enumerate(levels)
    )
    num = '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    return f'<w:abstractNum w:abstractNumId="0">{rows}</w:abstractNum>{num}{more}'


def item(level: int, words: str, num: int = 1) -> str:
    return p(words, properties=f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{num}"/></w:numPr>')


def test_numbers_of_clauses(tmp_path):
    numbering = _numbering(
        ("upperRoman", "Article %1"), ("decimal", "%1.%2"), ("lowerLetter", "(%3)"), ("lowerRoman", "(%4)")
    )
    levels = (0, 1, 2, 2, 3, 1, 2, 0, 1)
    body = "".join(item(level, f"x{i}") for i, level in enumerate(levels))
    expected = "Article I x0 I.1 x1 (a) x2 (b) x3 (i) x4 I.2 x5 (a) x6 Article II x7 II.1 x8"
    assert text(tmp_path, body, numbering=numbering) == expected


def test_legal_numbering_and_levels_that_never_start_anew(tmp_path):
    numbering = _numbering(("upperRoman", "%1."), ("decimal", "%1.%2"))
    legal = numbering.replace(
        '<w:lvlText w:val="%1.%2"/>', '<w:lvlRestart w:val="0"/><w:isLgl/><w:lvlText w:val="%1.%2"/>'
    )
    body = "".join(item(level, "x") for level in (0, 1, 0, 1))
    assert text(tmp_path, body, numbering=legal) == "I. x 1.1 x II. x 2.2 x"


def test_lists_that_share_their_count_and_one_that_starts_anew(tmp_path):
    more = (
        '<w:num w:numId="2"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="3"><w:abstractNumId w:val="0"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride></w:num>'
    )
    body = "".join(item(0, "x", num) for num in (1, 2, 3, 3))
    assert text(tmp_path, body, numbering=_numbering(("decimal", "%1."), more=more)) == "1. x 2. x 5. x 6. x"


def test_numbers_by_style_and_none_where_it_is_switched_off(tmp_path):
    styles = (
        '<w:style w:type="paragraph" w:styleId="H1"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="H1b"><w:basedOn w:val="H1"/></w:style>'
    )
    style, child = '<w:pStyle w:val="H1"/>', '<w:pStyle w:val="H1b"/>'
    off = style + '<w:numPr><w:numId w:val="0"/></w:numPr>'
    body = p("x", properties=style) + p("y", properties=off) + p("z", properties=child)
    assert (
        text(tmp_path, body, styles=styles, numbering=_numbering(("decimal", "Section %1.")))
        == "Section 1. x y Section 2. z"
    )


def test_hidden_paragraphs_are_not_counted(tmp_path):
    number = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr><w:rPr><w:vanish/></w:rPr>'
    body = item(0, "a") + p(r("secret", "<w:vanish/>"), properties=number) + item(0, "b")
    assert text(tmp_path, body, numbering=_numbering(("decimal", "%1."))) == "1. a 2. b"


NUMBERS = [
    ("decimal", 12, "12"),
    ("decimalZero", 3, "03"),
    ("lowerLetter", 27, "aa"),
    ("upperLetter", 26, "Z"),
    ("lowerRoman", 1994, "mcmxciv"),
    ("upperRoman", 4, "IV"),
    ("ordinal", 22, "22nd"),
    ("ordinal", 112, "112th"),
    ("cardinalText", 21, "Twenty-one"),
    ("ordinalText", 30, "Thirtieth"),
    ("chicago", 5, "5"),
    ("none", 5, ""),
]


@pytest.mark.parametrize(("form", "count", "expected"), NUMBERS)
def test_formats_of_numbers(form, count, expected):
    assert written(count, form) == expected


def _field(code: str, result: str) -> str:
    marks = [f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")]
    return f"{marks[0]}{r(code, tag='instrText')}{marks[1]}{r(result)}{marks[2]}"


def test_fields_by_their_results(tmp_path):
    simple = f'<w:fldSimple w:instr="DOCPROPERTY Client">{r("Alpha")}</w:fldSimple>'
    assert (
        text(tmp_path, p("See Section ", _field(" REF _Ref1 \\r ", "4.2"), " of ", simple, "."))
        == "See Section 4.2 of Alpha."
    )


def test_fields_inside_the_code_of_fields_are_not_printed(tmp_path):
    begin, separate, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end"))
    body = p("a ", begin, r("IF ", tag="instrText"), _field("X", "inner"), separate, "shown", end, " b")
    assert text(tmp_path, body) == "a shown b"


def test_letters_of_symbol_fonts_and_the_number_of_a_page_in_the_text(tmp_path):
    body = p("\uf0a8 a \uf0fe b \ue000\ue001c, see page ", _field(" PAGE ", "7"), ".")
    assert text(tmp_path, body) == "☐ a ☒ b c, see page 7."


def test_controls_and_boxes_of_forms(tmp_path):
    control = f'<w:sdt><w:sdtPr><w:alias w:val="Fee"/></w:sdtPr><w:sdtContent>{r("☒")}</w:sdtContent></w:sdt>'
    old = '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox>{}</w:checkBox></w:ffData></w:fldChar></w:r>'
    end = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    ticked, empty = old.format("<w:checked/>"), old.format('<w:default w:val="0"/>')
    symbol = '<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>'
    body = p(control, " a ", ticked, end, " b ", empty, end, " c ", symbol, " d")
    assert text(tmp_path, f"<w:sdt><w:sdtContent>{body}</w:sdtContent></w:sdt>") == "☒ a ☒ b ☐ c ☒ d"


def test_capitals_tabs_and_hyphens_as_printed(tmp_path):
    tabs = "<w:r><w:t>By:</w:t><w:tab/><w:t>Name:</w:t><w:noBreakHyphen/><w:t>x</w:t><w:softHyphen/></w:r>"
    assert text(tmp_path, p(r("Agreement", "<w:caps/>")) + p(tabs)) == "AGREEMENT By: Name:-x"


def test_text_boxes_come_once_behind_their_paragraph(tmp_path):
    inner = f"<w:txbxContent>{p('Boxed')}</w:txbxContent>"
    both = (
        f"<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing>{inner}</w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict><v:textbox>{inner}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    assert text(tmp_path, p("Before", both, " behind.") + p("Next.")) == "Before behind. Boxed Next."


def test_notes_stand_at_the_foot_of_their_page_and_at_the_end(tmp_path):
    def notes(kind: str, words: str) -> str:
        return f'<w:{kind} w:id="2">{p(f"<w:r><w:{kind}Ref/></w:r>", f" {words}")}</w:{kind}>'

    body = p(
        "Fee of 500", '<w:r><w:footnoteReference w:id="2"/></w:r>', " EUR", '<w:r><w:endnoteReference w:id="2"/></w:r>'
    )
    body += p("<w:r><w:br w:type='page'/></w:r>", "Last.")
    parts = {"footnotes": notes("footnote", "net of tax"), "endnotes": notes("endnote", "as agreed")}
    assert text(tmp_path, body, **parts) == "Fee of 500 [1] EUR [i] [1] net of tax | Last. [i] as agreed"


def test_headers_footers_and_the_number_of_the_page(tmp_path):
    edges = (
        '<w:headerReference w:type="default" r:id="h"/><w:headerReference w:type="first" r:id="f"/>'
        '<w:footerReference w:type="default" r:id="g"/><w:titlePg/><w:pgNumType w:start="5"/>'
    )
    body = p("One") + p("<w:r><w:br w:type='page'/></w:r>", "Two") + f"<w:sectPr>{edges}</w:sectPr>"
    links = [("h", "header", "header1.xml"), ("f", "header", "header2.xml"), ("g", "footer", "footer1.xml")]
    parts = {
        "header1.xml": f"<w:hdr {SPACES}>{p('Running')}</w:hdr>".encode(),
        "header2.xml": f"<w:hdr {SPACES}>{p('Cover')}</w:hdr>".encode(),
        "footer1.xml": f"<w:ftr {SPACES}>{p('Page ', _field(' PAGE ', '9'), ' of 2')}</w:ftr>".encode(),
    }
    assert text(tmp_path, body, links=links, **parts) == "Cover One | Running Two Page 6 of 2"


def test_pages_break_where_word_broke_them(tmp_path):
    long = "".join(p(f"Line {i}.") for i in range(45))
    rendered = p("Start", "<w:r><w:lastRenderedPageBreak/></w:r>", "next")
    found = paper(tmp_path, long + rendered)
    assert len(found.pdf) == 2
    assert texts(found)[0].endswith("Line 44. Start") and texts(found)[1] == "next"


def test_a_break_that_is_said_twice_is_one(tmp_path):
    body = p("One", "<w:r><w:br w:type='page'/></w:r>") + p("<w:r><w:lastRenderedPageBreak/></w:r>", "Two")
    assert text(tmp_path, body) == "One | Two"


def test_long_text_flows_on(tmp_path):
    found = paper(tmp_path, "".join(p(f"Line {i}.") for i in range(200)))
    assert len(found.pdf) > 3
    assert " ".join(texts(found)) == " ".join(f"Line {i}." for i in range(200))


def test_a_wide_section_begins_a_page_of_its_own_size(tmp_path):
    size = "<w:sectPr><w:pgSz w:w='{}' w:h='{}'/>{}</w:sectPr>"
    body = p("Tall", properties=size.format(11906, 16838, "")) + p("Wide", properties=size.format(16838, 11906, ""))
    body += p("Same") + size.format(16838, 11906, "<w:type w:val='continuous'/>")
    found = paper(tmp_path, body)
    assert texts(found) == ["Tall", "Wide Same"]
    assert [tuple(round(side) for side in page.rect[2:]) for page in found.pdf] == [(595, 842), (842, 595)]


def test_a_table_breaks_between_its_rows_where_word_broke_it(tmp_path):
    def row(*cells: str) -> str:
        return f"<w:tr>{''.join(f'<w:tc>{p(cell)}</w:tc>' for cell in cells)}</w:tr>"

    rendered = "<w:r><w:lastRenderedPageBreak/><w:t>c</w:t></w:r>"
    body = f"<w:tbl>{row('a', 'b')}{row(rendered, rendered)}</w:tbl>" + p("end")
    assert text(tmp_path, body) == "a b | c c end"


def test_a_cell_longer_than_a_page_ends(tmp_path):
    cell = "".join(p(f"Line {i}.") for i in range(150))
    found = paper(tmp_path, f"<w:tbl><w:tr><w:tc>{cell}</w:tc></w:tr></w:tbl>" + p("Behind."))
    words = " ".join(texts(found))
    assert "Line 0." in words and "Line 149." in words and "Behind." in words
    assert len(found.pdf) < 10


def _mixture(random: np.random.Generator, count: list[int]) -> str:
    """A paragraph or a table of words that are counted on."""

    def words(most: int) -> str:
        first = count[0]
        count[0] += int(random.integers(1, most))
        return " ".join(f"w{number}q" for number in range(first, count[0]))

    if random.random() < 0.9:
        return p(words(int(random.choice([8, 60, 200]))))
    rows = range(int(random.integers(1, 12)))
    cells = ["".join(f"<w:tc>{p(words(int(random.choice([5, 200]))))}</w:tc>" for _ in range(3)) for _ in rows]
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


@pytest.mark.parametrize("seed", range(8))
def test_no_word_is_lost_or_moved_at_the_ends_of_pages(tmp_path, seed):
    random, count = np.random.default_rng(seed), [0]
    found = paper(tmp_path, "".join(_mixture(random, count) for _ in range(40)))
    words = re.findall(r"w\d+q", " ".join(texts(found)))
    assert words == [f"w{number}q" for number in range(count[0])]
    assert len(found.pdf) > 3


def test_a_scan_pasted_into_word_is_a_picture_on_the_page(tmp_path):
    inline = '<wp:inline><wp:extent cx="5486400" cy="7315200"/><a:blip r:embed="i"/></wp:inline>'
    drawing = f"<w:r><w:drawing>{inline}</w:drawing></w:r>"
    links = [("i", "image", "media/a.png"), ("x", "image", "http://example.com/a.png")]
    found = paper(tmp_path, p(drawing), links=links, **{"media/a.png": papers.picture("PNG", (600, 800))})
    (image,) = found.pdf[0].get_image_info()
    assert (image["width"], image["height"]) == (600, 800)
    assert image["bbox"][2] - image["bbox"][0] == pytest.approx(432, abs=3)
    with pytest.raises(DocumentError) as caught:
        paper(tmp_path, p(drawing), Limits(max_megapixels=0), links=links, **{"media/a.png": papers.picture("PNG")})
    assert caught.value.code == "image_too_large"


def _pictured(tmp_path: Path, data: bytes, inches: float) -> Paper:
    size = f'cx="{int(inches * 914_400)}" cy="{int(inches * 914_400)}"'
    drawing = f'<w:r><w:drawing><wp:inline><wp:extent {size}/><a:blip r:embed="i"/></wp:inline></w:drawing></w:r>'
    links = [("i", "image", "media/a.png")]
    return paper(tmp_path, p("Before.") + p(drawing) + p("Behind."), links=links, **{"media/a.png": data})


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP"])
def test_pictures_of_every_kind(tmp_path, kind):
    found = _pictured(tmp_path, papers.picture(kind), 3)
    assert texts(found) == ["Before. Behind."]
    assert len(found.pdf[0].get_image_info()) == 1


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_damaged_picture_is_left_out_unless_it_may_be_a_scan(tmp_path, kind):
    whole = papers.picture(kind)
    broken = whole[: len(whole) // 2]
    found = _pictured(tmp_path, broken, 1)
    assert (texts(found), found.pdf[0].get_image_info()) == (["Before. Behind."], [])
    with pytest.raises(DocumentError) as caught:
        _pictured(tmp_path, broken, 6)
    assert caught.value.code == "damaged"


def test_a_vector_graphic_is_left_out(tmp_path):
    assert texts(_pictured(tmp_path, b"\x01\0\0\0EMF", 6)) == ["Before. Behind."]


def test_no_more_pages_are_laid_out_than_tell_that_there_are_too_many(tmp_path):
    body = "".join(p(f"Line {i}.") for i in range(2000))
    assert len(paper(tmp_path, body, Limits(max_pages=3)).pdf) == 4


def test_the_strict_namespace_and_macros_are_read(tmp_path):
    path = papers.written(
        tmp_path / "a.docm", word_bytes(p("Strict ", deleted("gone")), namespace=STRICT, vbaProject=b"\0")
    )
    assert media_type_of(path) == DOCX
    found = printed(path, Limits())
    assert (texts(found), len(found.marks)) == (["Strict gone"], 1)


def test_an_empty_document_is_an_empty_page(tmp_path):
    assert text(tmp_path, "") == ""


WORD = word_bytes(p("x" * 5000))


def _zip(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "x")
    return file.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
LOCKED = OLE + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600
REFUSED = {
    "old Word file": ("a.doc", OLE, "unsupported_type"),
    "old Word file renamed": ("a.docx", OLE, "type_mismatch"),
    "password": ("a.docx", LOCKED, "encrypted"),
    "message of Outlook": ("a.msg", OLE, "unsupported_type"),
    "other zip": ("a.docx", _zip("xl/workbook.xml"), "type_mismatch"),
    "workbook": ("a.xlsx", _zip("xl/workbook.xml"), "unsupported_type"),
    "PDF named DOCX": ("a.docx", papers.paper(), "type_mismatch"),
    "DOCX named PDF": ("a.pdf", WORD, "type_mismatch"),
    "cut": ("a.docx", WORD[: len(WORD) // 2], "damaged"),
    "start of a zip": ("a.docx", b"PK\x03\x04" + b"\0" * 100, "damaged"),
}


@pytest.mark.parametrize(("name", "data", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_by_the_first_look(tmp_path, name, data, code):
    with pytest.raises(DocumentError) as caught:
        media_type_of(papers.written(tmp_path / name, data))
    assert caught.value.code == code and caught.value.help.endswith(".")


def _with(name: str, data: bytes) -> bytes:
    """The Word file with a part replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORD)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, data if part == name else old.read(part))
    return file.getvalue()


LAUGHS = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
ENTITIES = f'<!DOCTYPE d [<!ENTITY e0 "ha">{LAUGHS}]><w:document {SPACES}><w:body>{p("&e11;")}</w:body></w:document>'
DECLARED = '<!DOCTYPE d [<!ENTITY file SYSTEM "file:///etc/passwd">]>'
OUTSIDE = f"{DECLARED}<w:document {SPACES}><w:body>{p('a&file;b')}</w:body></w:document>"


def test_parts_that_are_no_xml_are_damage(tmp_path):
    with pytest.raises(DocumentError) as caught:
        printed(papers.written(tmp_path / "a.docx", _with("word/document.xml", b"<w:document")), Limits())
    assert caught.value.code == "damaged"


def test_a_part_with_wrong_bytes_is_damage(tmp_path):
    at = WORD.index(b"word/document.xml") + 40
    with pytest.raises(DocumentError) as caught:
        printed(papers.written(tmp_path / "a.docx", WORD[:at] + b"\xff" * 20 + WORD[at + 20 :]), Limits())
    assert caught.value.code == "damaged"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    begun = time.perf_counter()
    bomb = word_bytes(p("x"), bomb=b"0" * 3_000_000)
    with pytest.raises(DocumentError) as caught:
        printed(papers.written(tmp_path / "a.docx", bomb), Limits(max_megabytes=2))
    assert caught.value.code == "too_large"
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize("document", [ENTITIES, OUTSIDE], ids=["laughs", "file"])
def test_entities_are_not_followed(tmp_path, document):
    begun = time.perf_counter()
    try:
        found = texts(
            printed(papers.written(tmp_path / "a.docx", _with("word/document.xml", document.encode())), Limits())
        )
    except DocumentError as error:
        assert error.code == "damaged"
    else:
        assert "root:" not in found[0] and "haha" not in found[0]
    assert time.perf_counter() - begun < 2


def test_damage_anywhere_is_a_document_error_or_read(tmp_path):
    random = np.random.default_rng(11)
    picture = io.BytesIO()
    Image.new("RGB", (40, 40)).save(picture, "PNG")
    data = word_bytes(p("a ", deleted("b")) * 50, comments=COMMENTS, **{"media/a.png": picture.getvalue()})
    outcomes = []
    for _ in range(150):
        broken = bytearray(data)
        at = int(random.integers(0, len(broken)))
        broken[at : at + int(random.integers(0, 20))] = random.bytes(int(random.integers(0, 4)))
        try:
            outcomes.append(len(printed(papers.written(tmp_path / "a.docx", bytes(broken)), Limits()).pdf) > 0)
        except DocumentError as error:
            outcomes.append(error.code in ("damaged", "too_large"))
    assert all(outcomes) and len(outcomes) == 150
