"""What the project reads on the pages of an inbox, a row a page: for a judge who has the truth."""

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from extractors.files import Limits
from extractors.inbox import Item, identify, scan
from extractors.mail import materialised
from extractors.read import read
from schemas.errors import DocumentError

COLUMNS = ["file_name", "page_number", "text", "source", "ocr_confidence", "seconds"]


def predictions(inbox: Path, workers: int) -> pd.DataFrame:
    """The text of every page of every document; `seconds` is the document's time shared among its pages.

    A document that can't be read has no rows; the error is printed.
    """
    items = scan(inbox)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        rows = [row for of_item in pool.map(_pages, items) for row in of_item]
    return pd.DataFrame(rows, columns=COLUMNS)


def _pages(item: Item) -> list[dict]:
    begun = time.perf_counter()
    try:
        with materialised(identify(item)) as content:
            document = read(content, Limits())
    except DocumentError as error:
        print(f"{item.source_uri}: {error}")
        return []
    seconds = (time.perf_counter() - begun) / len(document.pages)
    return [
        {"file_name": item.file_name, "page_number": page.number, "text": page.text, "source": page.source}
        | {"ocr_confidence": page.ocr_confidence, "seconds": seconds}
        for page in document.pages
    ]
