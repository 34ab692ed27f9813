"""Word files as the paper they print: laid out to pages, with the changes and comments in them as edit marks.

Part of `read`: the pages go the way of a PDF's. Deleted text is printed like the rest and carries a mark, as struck
words on paper do; hidden text is not printed. Nothing in the file is run, and nothing outside it is opened.
Source of the rules: ECMA-376, part 1 (WordprocessingML).
"""

from pathlib import Path

from extractors.files import Limits
from extractors.word.flow import Flow
from extractors.word.package import Package
from extractors.word.paper import Paper, laid_out

__all__ = ["Paper", "printed"]


def printed(path: Path, limits: Limits) -> Paper:
    """The pages of a DOCX as a PDF in memory, and what a reader of the pages would not see.

    Pages break where Word broke them, if the file says so. At most one page more than `max_pages` is laid out.
    Raises DocumentError `damaged`, `too_large` or `image_too_large`.
    """
    with Package(path, limits) as package:
        return laid_out(Flow(package, limits).sheets(), limits)
