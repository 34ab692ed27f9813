"""The way of a contract: read, chunk, retrieve, extract, check, flag."""

import sys

# PyMuPDF loads its models of page layout with itself: a third of its start, in each worker. Nothing here asks them, and
# without them it goes on as it would where they are not installed.
sys.modules.setdefault("pymupdf.layout", None)  # type: ignore[arg-type]
