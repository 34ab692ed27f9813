"""Builds `sample_contracts/` from the HTML beside this file: `python -m benchmarks.samples.build`.

The samples are part of the repository; this shows how each came about and makes them again. A rebuild gives
the same files. It also writes the page counts into the gold, since only the typesetting decides them.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymupdf

from benchmarks.samples import marks, paper
from benchmarks.samples.typeset import pdf_bytes, typeset

ROOT = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).resolve().parent / "html"
TARGET = ROOT / "sample_contracts"
GOLD = ROOT / "tests" / "gold"
OUR_ENTITIES = ("Northwind Analytics, Inc.", "Northwind Analytics Japan K.K.")
PASSWORD = "quarterly"
FAX_HEADER = "JAN-21-2026 14:0{}  FROM: COPPERLINE FABRICATION   574 555 0136     P.0{}/0{}"

Treatment = Callable[[pymupdf.Document, Path], int]


def plain(pdf: pymupdf.Document, target: Path) -> int:
    """Born digital, as a word processor writes it."""
    return _write(target, pdf_bytes(pdf), len(pdf))


def scan_300(pdf: pymupdf.Document, target: Path) -> int:
    """A 300-dpi grey office scan without a text layer."""
    chance = np.random.default_rng(300)
    pages = [paper.scanned(page, chance, noise=5) for page in paper.grey_pages(pdf, 300)]
    return _write(target, pdf_bytes(paper.image_pdf(pages, 300, quality=55)), len(pages))


def scan_200_turned(pdf: pymupdf.Document, target: Path) -> int:
    """A 200-dpi grey scan whose second sheet was fed sideways."""
    chance = np.random.default_rng(200)
    pages = [paper.scanned(page, chance, noise=7) for page in paper.grey_pages(pdf, 200)]
    pages[1] = np.ascontiguousarray(np.rot90(pages[1]))
    return _write(target, pdf_bytes(paper.image_pdf(pages, 200, quality=60)), len(pages))


def fax(pdf: pymupdf.Document, target: Path) -> int:
    """A fax: black and white, 200 dpi, with the sender's line at the head and speckle."""
    for number, page in enumerate(pdf, 1):
        header = FAX_HEADER.format(1 + number, number, len(pdf))
        page.insert_text((40, 24), header, fontname="cour", fontsize=9)
    chance = np.random.default_rng(100)
    pages = [paper.faxed(page, chance) for page in paper.grey_pages(pdf, 200)]
    return _write(target, paper.fax_tiff(pages, 200), len(pages))


def photo_folder(pdf: pymupdf.Document, target: Path) -> int:
    """One phone photo a page; the names sort rightly by number only (10 after 2)."""
    chance = np.random.default_rng(10)
    names = ("page1.jpg", "page2.jpg", "page10.jpg")
    for name, page in zip(names, paper.colour_pages(pdf, 240), strict=True):
        _write(target / name, paper.jpeg(paper.photographed(page, chance), 75), 1)
    return len(pdf)


def photo_with_pen(pdf: pymupdf.Document, target: Path) -> int:
    """A phone photo of a sheet on which a pen changed the payment days."""
    chance = np.random.default_rng(60)
    scale = 240 / 72
    box = tuple(value * scale for value in pdf[0].search_for("net 30")[0])
    (page,) = paper.colour_pages(pdf, 240)
    paper.pen_edit(page, box, "net 60", chance)
    return _write(target, paper.jpeg(paper.photographed(page, chance), 75), 1)


def filled_form(pdf: pymupdf.Document, target: Path) -> int:
    """A form whose values stand in fields, not in the text of the page."""
    marks.fill_form(pdf)
    return _write(target, pdf_bytes(pdf), len(pdf))


def marked_up(pdf: pymupdf.Document, target: Path) -> int:
    """A digital contract with a strike-out, an insertion and a drawn line."""
    marks.mark_up(pdf)
    return _write(target, pdf_bytes(pdf), len(pdf))


def cut_off(pdf: pymupdf.Document, target: Path) -> int:
    """The first 40 % of a file, as a broken upload leaves it."""
    content = pdf_bytes(pdf)
    return _write(target, content[: len(content) * 2 // 5], 0)


def locked(pdf: pymupdf.Document, target: Path) -> int:
    """A file that asks for a password; one that is there is kept, since the key is random at every build."""
    if target.exists() and pymupdf.open(target).needs_pass:
        return 0
    options = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "user_pw": PASSWORD, "owner_pw": PASSWORD}
    return _write(target, pdf_bytes(pdf, **options), 0)


def empty(_: pymupdf.Document, target: Path) -> int:
    """A file of no bytes."""
    return _write(target, b"", 0)


# target in sample_contracts/, source in html/ (no suffix), treatment. Sources that are not named here become
# a plain PDF of the same name.
TABLE: tuple[tuple[str, str, Treatment], ...] = (
    ("drafts/msa-draft-ostrander.pdf", "msa-draft-ostrander", plain),
    ("sent again/saas-agreement-halvorsen (copy).pdf", "saas-agreement-halvorsen", plain),
    ("scans/maintenance-oakhurst.pdf", "maintenance-oakhurst", scan_300),
    ("scans/hosting-larkfield.pdf", "hosting-larkfield", scan_200_turned),
    ("scans/nda-copperline-fax.tif", "nda-copperline-fax", fax),
    ("photos/consulting-vantage", "consulting-vantage", photo_folder),
    ("photos/addendum-with-pen.jpg", "addendum-with-pen", photo_with_pen),
    ("order-form-fillable.pdf", "order-form-fillable", filled_form),
    ("services-marked-up.pdf", "services-marked-up", marked_up),
    ("saas-agreement-halvorsen.pdf", "saas-agreement-halvorsen", plain),
    ("broken/empty.pdf", "order-form-pelican", empty),
    ("broken/truncated.pdf", "reseller-tidewater", cut_off),
    ("broken/password.pdf", "one-way-nda-ferncliff", locked),
    ("order-form-pelican.pdf", "order-form-pelican", plain),
    ("reseller-tidewater.pdf", "reseller-tidewater", plain),
    ("one-way-nda-ferncliff.pdf", "one-way-nda-ferncliff", plain),
)


def build() -> dict[str, int]:
    """Makes every sample anew; the page count of each by its path."""
    counts = {}
    for path, stem, make in _all_rows():
        counts[path] = make(typeset(SOURCES / f"{stem}.html"), TARGET / path)
    names = ", ".join(json.dumps(name) for name in OUR_ENTITIES)
    (TARGET / "contract-agent.toml").write_text(f"our_entities = [{names}]\n", encoding="utf-8")
    _count_in_gold(counts)
    return counts


def _all_rows() -> list[tuple[str, str, Treatment]]:
    named = {stem for _, stem, _ in TABLE}
    others = [path.stem for path in sorted(SOURCES.glob("*.html")) if path.stem not in named]
    return [*TABLE, *((f"{stem}.pdf", stem, plain) for stem in others)]


def _write(target: Path, content: bytes, pages: int) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return pages


def _count_in_gold(counts: dict[str, int]) -> None:
    for file in sorted(GOLD.glob("*.json")):
        gold = json.loads(file.read_text(encoding="utf-8"))
        pages = counts.get(gold["path"]) or None
        if gold["path"] in counts and gold["page_count"] != pages:
            gold["page_count"] = pages
            file.write_text(json.dumps(gold, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for path, pages in build().items():
        print(f"{pages:3}  {path}")
