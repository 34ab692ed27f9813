"""Text of layers that are switched off. Part of `extractors.hidden`."""

import pymupdf
from pymupdf import mupdf

from extractors.hidden.program import DAMAGE, Known
from extractors.hidden.words import EVERYWHERE, TEXT_FLAGS, Verdict, Word, parted, place
from schemas.document import HiddenText


def whole_textpage(page: pymupdf.Page, annotations: bool = True) -> pymupdf.TextPage:
    """The text page with what lies outside of the page and of clipping paths, in points of the page as shown."""
    if annotations and not page.rotation:
        return page.get_textpage(clip=EVERYWHERE, flags=TEXT_FLAGS)
    text = mupdf.FzStextPage(mupdf.FzRect(*EVERYWHERE))
    device = mupdf.fz_new_stext_device(text, mupdf.FzStextOptions(TEXT_FLAGS))
    mupdf.fz_run_page_contents(page.this, device, mupdf.FzMatrix(), mupdf.FzCookie())
    mupdf.fz_close_device(device)
    return pymupdf.TextPage(text)


def in_hidden_layers(page: pymupdf.Page, known: Known) -> list[HiddenText]:
    """The text of layers that are switched off; MuPDF leaves them out, so a copy without layers is read."""
    if known.without_layers is None:
        known.without_layers = _without_layers(page.parent)
    if not known.without_layers:
        return []
    shown = {place(word[4], word[:4]) for word in whole_textpage(page, False).extractWORDS()}
    everything = whole_textpage(known.without_layers[0][page.number], False).extractWORDS()
    words = [Word(word[4], word[:4]) for word in everything]
    verdicts = {i: Verdict("hidden_layer", word.text) for i, word in enumerate(words) if place(*word) not in shown}
    return parted(words, verdicts)[1]


def _without_layers(document: pymupdf.Document) -> list[pymupdf.Document]:
    """A copy of a document that has layers which are off, as the only item of a list; else an empty list."""
    try:
        catalog = document.pdf_catalog()
        if document.xref_get_key(catalog, "OCProperties")[0] == "null" or not _has_one_off(document, catalog):
            return []
        copy = pymupdf.open("pdf", document.tobytes())
        copy.xref_set_key(catalog, "OCProperties", "null")
        return [pymupdf.open("pdf", copy.tobytes())]
    except DAMAGE:
        return []  # what the layers hold is not among the words in any case


def _has_one_off(document: pymupdf.Document, catalog: int) -> bool:
    described = [document.xref_get_key(catalog, "OCProperties")[1], document.xref_get_key(catalog, "OCProperties/D")[1]]
    described += [document.xref_object(xref, compressed=True) for xref in document.get_ocgs()]
    return not all(layer["on"] for layer in document.get_ocgs().values()) or any("/OFF" in text for text in described)
