"""Pictures of pages, and where words stand on them.

The file of a page is found by what the warehouse says of its document, never by what a request says, and is shown only
while its SHA-256 is still the landed one.
"""

from pathlib import Path
from typing import Literal

from review.shown import ContractView, PageWords, Picture, QuoteBox
from schemas.document import Document
from schemas.settings import Settings

PictureKind = Literal["page", "straight", "original"]
"""`page` is the page upright: words and boxes are measured on it. `straight` is a photo flattened as it was read;
`original` is the picture as it came, neither turned nor flattened."""


class Pictures:
    """Pictures, words and boxes of the documents of one warehouse; any number of threads may ask."""

    def __init__(self, root: Path, settings: Settings):
        raise NotImplementedError

    def page(self, document_id: str, page_number: int, *, kind: PictureKind = "page", width: int = 1200) -> Picture:
        """A page as a JPEG, about `width` pixels wide. Raises ReviewError: `not_found` (no such document or page),
        `no_original` (its file is not there any more), `changed_original` (it is another one now)."""
        raise NotImplementedError

    def words(self, document_id: str, page_number: int) -> PageWords:
        """The words of a page. Raises ReviewError `not_found`, or `no_reading` when the reading is kept no longer."""
        raise NotImplementedError

    def mark(self, document_id: str, number: int) -> Picture:
        """The picture of a mark as a PNG; `number` as in `Mark`. Raises ReviewError `not_found`."""
        raise NotImplementedError

    def boxes(self, view: ContractView) -> dict[str, tuple[QuoteBox, ...]]:
        """Where the quotations of the contract's terms, flags and topics stand, a box a line, by the item's id.

        Without the kept reading it is the landed box alone. Items without a place are left out.
        """
        raise NotImplementedError


def quote_boxes(document: Document, char_start: int, char_end: int) -> tuple[QuoteBox, ...]:
    """The boxes of a half-open span of `Document.text`: one a line, on as many pages as it runs over."""
    raise NotImplementedError
