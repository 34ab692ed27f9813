"""Sets the HTML of a contract as a PDF, so that every sample starts from text that we wrote ourselves."""

import io
import re
from pathlib import Path

import pymupdf

CSS = """
body{font-family:serif;font-size:10.5pt;line-height:1.35}
h1{font-size:15pt;text-align:center} h2{font-size:11.5pt;margin-top:10pt;margin-bottom:3pt}
h3{font-size:10.5pt}
p{margin-top:3pt;margin-bottom:5pt;text-align:justify}
.c{text-align:center} .r{text-align:right} .i{margin-left:20pt} .s{text-align:left} .ja p{text-align:left}
.sans{font-family:sans-serif}
td,th{padding:3pt;border:0.5pt solid #555;font-size:9.5pt;text-align:left;vertical-align:top}
"""
FOOTER = re.compile(r'<meta name="footer" content="([^"]*)"[^>]*>|<!--footer:(.*?)-->')
MARGINS = (68, 62, -68, -70)


def typeset(source: Path) -> pymupdf.Document:
    """The contract as a born-digital PDF with a footer on every page."""
    html = source.read_text(encoding="utf-8")
    japanese = 'class="ja"' in html
    pdf = _flowed(FOOTER.sub("", html), "a4" if japanese or "paper-a4" in html else "letter")
    _number_pages(pdf, _footer_of(html), japanese)
    if japanese:
        pdf.subset_fonts()
    pdf.set_metadata({})
    return pdf


def pdf_bytes(pdf: pymupdf.Document, **options: object) -> bytes:
    """The file without anything that changes from one build to the next."""
    return pdf.tobytes(garbage=4, deflate=True, no_new_id=True, **options)


def _flowed(html: str, paper: str) -> pymupdf.Document:
    sheet = pymupdf.paper_rect(paper)
    story, buffer = pymupdf.Story(html=html, user_css=CSS), io.BytesIO()
    writer, more = pymupdf.DocumentWriter(buffer), 1
    while more:
        device = writer.begin_page(sheet)
        more, _ = story.place(sheet + MARGINS)
        story.draw(device)
        writer.end_page()
    writer.close()
    return pymupdf.open("pdf", buffer.getvalue())


def _footer_of(html: str) -> str:
    found = FOOTER.search(html)
    return (found[1] or found[2] or "").strip(" -") if found else ""


def _number_pages(pdf: pymupdf.Document, footer: str, japanese: bool) -> None:
    font = "japan" if japanese else "tiro"
    for number, page in enumerate(pdf, 1):
        count = f"{number} / {len(pdf)}" if japanese else f"Page {number} of {len(pdf)}"
        text = f"{footer} - {count}" if footer else count
        width = pymupdf.get_text_length(text, fontname=font, fontsize=8.5)
        foot = ((page.rect.width - width) / 2, page.rect.height - 38)
        page.insert_text(foot, text, fontname=font, fontsize=8.5)
