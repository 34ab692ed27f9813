"""Fills a form and marks up a digital contract, as people do it in a PDF viewer."""

import re

import pymupdf

INK = (0.75, 0.05, 0.05)
STAMP = "D:20260424093000Z"
STRUCK_SENTENCE = "During that time Provider shall go on with the Services at no less than the usual staffing."
FIELDS = {
    "Customer legal name *": "Marchbank Optical Group, Inc.",
    "Customer address": "640 Lens Grinders Court, Rochester, New York 14604",
    "Order form date *": "June 8, 2026",
    "Start date *": "July 1, 2026",
    "Initial term in months *": "24",
    "Product": "Northwind Insight, Standard edition, 40 named users",
    "Annual subscription fee *": "54,000.00",
    "One-time set-up fee": "3,500.00",
    "Total fees for the initial term *": "111,500.00",
    "Payment terms *": "Net 30 days from the invoice date",
    "Signed for Provider": "/s/ Marguerite Oyelaran",
    "Provider name and title": "Marguerite Oyelaran, Chief Revenue Officer",
    "Provider date": "June 9, 2026",
    "Signed for Customer": "/s/ Tobias Renneker",
    "Customer name and title": "Tobias Renneker, Chief Financial Officer",
    "Customer date": "June 10, 2026",
}
BOXES = {
    "Annually in advance": True,
    "Quarterly in advance": False,
    "Monthly in arrears": False,
    "Renews automatically for 12 months": False,
    "Does not renew": True,
}


def fill_form(pdf: pymupdf.Document) -> None:
    """Puts a field beside every label, with the value that the customer typed or ticked."""
    page = pdf[0]
    for label, value in FIELDS.items():
        field = _widget(label, pymupdf.PDF_WIDGET_TYPE_TEXT, value)
        spot = _first(page, label)
        field.rect = pymupdf.Rect(250, spot.y0 - 1, page.rect.width - 68, spot.y1 + 1)
        page.add_widget(field)
    for label, ticked in BOXES.items():
        box = _widget(label, pymupdf.PDF_WIDGET_TYPE_CHECKBOX, ticked)
        spot = _first(page, label)
        box.rect = pymupdf.Rect(spot.x0 - 17, spot.y0 + 1, spot.x0 - 5, spot.y0 + 13)
        page.add_widget(box)


def mark_up(pdf: pymupdf.Document) -> None:
    """Strikes the payment days and one sentence, and types other days above the first."""
    page = pdf[0]
    days = _in_line(page, "within thirty (30) days after the invoice date", "thirty (30)")
    above = pymupdf.Rect(days.x0, days.y0 - 13, days.x0 + 60, days.y0)
    strike = page.add_strikeout_annot(days)
    strike.set_colors(stroke=INK)
    typed = page.add_freetext_annot(above, "sixty (60)", fontsize=10, fontname="helv", text_color=INK)
    for annot in (strike, typed):
        annot.set_info(title="D. Fairweather", creationDate=STAMP, modDate=STAMP)
        annot.update()
        pdf.xref_set_key(annot.xref, "M", f"({STAMP})")
    letters_apart = pymupdf.TEXTFLAGS_SEARCH & ~pymupdf.TEXT_PRESERVE_LIGATURES  # it is set with a ligature
    lines = page.search_for(STRUCK_SENTENCE, flags=letters_apart)
    if not lines:
        raise ValueError(f"{STRUCK_SENTENCE!r} is not on the page; its source and this sentence must agree")
    for line in lines:
        middle = (line.y0 + line.y1) / 2 + 1
        page.draw_line((line.x0, middle), (line.x1, middle), color=(0, 0, 0), width=0.9)


def _widget(label: str, kind: int, value: object) -> pymupdf.Widget:
    widget = pymupdf.Widget()
    widget.field_name = re.sub(r"\W+", "_", label.rstrip(" *").lower())
    widget.field_label = label.rstrip(" *")
    widget.field_type = kind
    widget.field_value = value
    widget.text_fontsize = 9.5
    widget.border_color, widget.border_width = (0.6, 0.6, 0.6), 0.5
    return widget


def _first(page: pymupdf.Page, words: str) -> pymupdf.Rect:
    return page.search_for(words)[0]


def _in_line(page: pymupdf.Page, passage: str, words: str) -> pymupdf.Rect:
    """The words inside the passage, since the same words stand elsewhere on the page too."""
    lines = [line + pymupdf.Rect(-1, -1, 1, 1) for line in page.search_for(passage)]
    return next(spot for spot in page.search_for(words) if any(spot in line for line in lines))
