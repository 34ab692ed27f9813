"""The engines: one protocol, one file each. No later step asks which one ran."""

from collections.abc import Callable, Sequence
from typing import Protocol

from schemas.contract import Chunk, EngineInfo, Extraction
from schemas.document import Document, Page

Show = Callable[[Page], bytes]
"""Gives the picture of a page (JPEG), for an engine that can look at one."""


class Engine(Protocol):
    """Reads terms and clauses out of a document. Same document, same `info`: same extraction."""

    info: EngineInfo

    def extract(self, document: Document, chunks: Sequence[Chunk], show: Show | None = None) -> Extraction:
        """Every term of `schemas.terms.TERMS` that is not derived, found or absent, and all clauses.

        Quotations are verbatim from `document.text`; nothing is proven yet, `check` does that.
        """
        ...
