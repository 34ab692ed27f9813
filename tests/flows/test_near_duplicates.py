"""Re-scans become duplicates of their originals, other documents that are much alike are linked, mails are opened."""

import io
import json
import shutil
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

import docx
import numpy as np
import pyarrow.parquet as pq
import pymupdf
import pytest
from frontdoor import AGREEMENT, Done, call_here, write_pdf
from PIL import Image, ImageFilter

import flows.order
from extractors.files import DOCX
from extractors.similar import SIGNATURE_LENGTH, signature
from flows.jobs import Job, Outcome, quarantined
from flows.line import process
from flows.night import Processor, Request, Summary, night
from flows.order import in_order
from schemas.errors import DocumentError
from schemas.settings import Settings
from warehouse.read import query
from warehouse.state import likenesses

LETTER = """ORDER LETTER

This letter is an order of 3 May 2026 by Harbor Light Software, Inc. from Quarry Lane Foods LLC.
Quarry Lane Foods shall deliver fresh bread, fruit and coffee to the offices in Boston every morning.
The price is $1,250.00 a month and is payable within thirty (30) days after receipt of the invoice.
The order runs for twelve (12) months and ends without notice. Either company may cancel it earlier
upon sixty (60) days' prior written notice. The laws of the State of New York govern this letter.
"""
OTHER_AMOUNT = LETTER.replace("$1,250.00", "$1,350.00")
OTHER_PARTY = LETTER.replace("Quarry Lane Foods", "Mill Pond Bakery")
COUNTS = "SELECT " + ", ".join(
    f"(SELECT count(*) FROM {table}_history)" for table in ("documents", "pages", "contracts", "runs")
)


def scan_of(text: str, path: Path) -> Path:
    """A page of this text after printer and scanner: a little crooked, soft, grey and grainy."""
    with pymupdf.open(write_pdf(path.with_suffix(".pdf"), text)) as pdf:
        print_out = pdf[0].get_pixmap(dpi=150, colorspace="gray", clip=(40, 40, 560, 200))
    path.with_suffix(".pdf").unlink()
    paper = Image.frombytes("L", (print_out.width, print_out.height), print_out.samples)
    paper = paper.rotate(0.3, Image.Resampling.BICUBIC, fillcolor=255).filter(ImageFilter.GaussianBlur(0.5))
    grain = np.random.default_rng(1).normal(15, 6, (paper.height, paper.width))
    grey = np.clip(np.asarray(paper) * 0.9 + grain, 0, 255).astype(np.uint8)
    Image.fromarray(grey).save(path, dpi=(150, 150))
    return path


def resaved(path: Path, text: str = LETTER, author: str = "Ada") -> Path:
    """The same print in other bytes."""
    write_pdf(path, text)
    with pymupdf.open(path) as pdf:
        pdf.set_metadata({"author": author})
        data = pdf.tobytes()
    path.write_bytes(data)
    return path


def word_file(text: str) -> bytes:
    written, file = docx.Document(), io.BytesIO()
    for line in text.split("\n"):
        written.add_paragraph(line)
    written.save(file)
    return file.getvalue()


def mail(**files: tuple[str, str, bytes]) -> bytes:
    """A mail with attachments: type, name and bytes."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "Signed"
    message.set_content("Please find attached.")
    for kind, name, data in files.values():
        main, _, sub = kind.partition("/")
        message.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return message.as_bytes()


def fates(warehouse: Path) -> list[tuple[str, str, str | None, list[str]]]:
    """Path, status, original and links of every document, all by their paths."""
    rows = query(warehouse, "SELECT document_id, source_uri, status, duplicate_of, similar_to FROM documents")[1]
    path_of = {row[0]: row[1] for row in rows} | {None: None}
    return sorted((uri, status, path_of[of], [path_of[s] for s in links or ()]) for _, uri, status, of, links in rows)


class Night(NamedTuple):
    """A run of the front door over an inbox."""

    inbox: Path
    home: Path
    done: Done

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        return query(self.home / "warehouse", statement)[1]


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """One night over letters, scans of them, and e-mails."""
    home, inbox = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("inbox")
    write_pdf(inbox / "1 letter.pdf", LETTER)
    scan_of(LETTER, inbox / "2 scan.png")
    resaved(inbox / "3 saved again.pdf")
    write_pdf(inbox / "4 other party.pdf", OTHER_PARTY)
    scan_of(OTHER_AMOUNT, inbox / "5 scan of other amount.png")
    agreement = write_pdf(inbox / "mail" / "agreement.pdf", AGREEMENT)
    pdf = ("application/pdf", "agreement signed.pdf", agreement.read_bytes())
    agreement.unlink()
    notice = "Notice of termination. The lease of the warehouse in Leeds ends on 30 June 2026."
    word = (DOCX, "notice.docx", word_file(notice))
    (inbox / "mail" / "signed.eml").write_bytes(mail(pdf=pdf, word=word))
    (inbox / "mail" / "thanks.eml").write_bytes(mail())
    done = call_here("run", inbox, "--warehouse", home / "warehouse", CONTRACT_AGENT_HOME=str(home))
    assert done.code == 0, done.err
    return Night(inbox, home, done)


def test_a_re_scan_is_a_duplicate_and_others_are_linked(landed):
    assert fates(landed.home / "warehouse")[:5] == [
        ("1 letter.pdf", "landed", None, []),
        ("2 scan.png", "duplicate", "1 letter.pdf", []),
        ("3 saved again.pdf", "duplicate", "1 letter.pdf", []),
        ("4 other party.pdf", "landed", None, ["1 letter.pdf"]),
        ("5 scan of other amount.png", "landed", None, ["1 letter.pdf", "4 other party.pdf"]),
    ]
    summary = landed.done.summary
    assert (summary["documents"], summary["contracts"], summary["duplicates"]) == (8, 5, 2)


def test_a_re_scan_keeps_its_pages_and_is_no_contract(landed):
    of_scan = "FROM {} WHERE document_id = (SELECT document_id FROM documents WHERE file_name = '2 scan.png')"
    assert landed.ask("SELECT source, text LIKE '%fresh bread%' " + of_scan.format("pages")) == [("ocr", True)]
    assert landed.ask("SELECT page_count, len(likeness) " + of_scan.format("documents")) == [(1, 64)]
    for table in ("contracts", "terms", "clauses", "flags", "asc606"):
        assert landed.ask("SELECT count(*) " + of_scan.format(table)) == [(0,)]
    runs = landed.ask("SELECT documents, contracts, duplicates, quarantined, flags FROM runs")
    assert runs == [(8, 5, 2, 1, landed.ask("SELECT count(*) FROM flags")[0][0])]


def test_attachments_of_mails_are_documents(landed):
    statement = """SELECT source_uri, file_name, media_type, status, error_code FROM documents
        WHERE source_uri LIKE 'mail/%' ORDER BY 1"""
    assert landed.ask(statement) == [
        ("mail/signed.eml/agreement signed.pdf", "agreement signed.pdf", "application/pdf", "landed", None),
        ("mail/signed.eml/notice.docx", "notice.docx", DOCX, "landed", None),
        ("mail/thanks.eml", "thanks.eml", "application/octet-stream", "quarantined", "no_attachment"),
    ]
    agreement = landed.ask("SELECT governing_law FROM contracts WHERE title = 'MASTER SUBSCRIPTION AGREEMENT'")
    assert agreement == [("New York",)]
    assert landed.ask("SELECT count(*) FROM pages WHERE text LIKE '%warehouse in Leeds%'") == [(1,)]


def test_a_second_run_has_nothing_to_do(landed):
    before = landed.ask(COUNTS)[0]
    again = call_here(
        "run", landed.inbox, "--warehouse", landed.home / "warehouse", CONTRACT_AGENT_HOME=str(landed.home)
    )
    assert again.summary["documents"] == 0
    assert landed.ask(COUNTS)[0] == (*before[:3], before[3] + 1)


class Place:
    """An inbox and its warehouse, without worker processes."""

    def __init__(self, folder: Path):
        self.folder, self.inbox, self.warehouse = folder, folder / "inbox", folder / "warehouse"

    def run(self, processor: Processor = lambda jobs: map(process, jobs), playbook: str = "revenue", **more) -> Summary:
        request = Request(inbox=self.inbox, warehouse=self.warehouse, **more)
        return night(request, Settings(home=self.folder, playbook=playbook), processor)

    def fates(self) -> list[tuple[str, str, str | None, list[str]]]:
        return fates(self.warehouse)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        return query(self.warehouse, statement)[1]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def shuffled(jobs: Sequence[Job]) -> Iterator[Outcome]:
    """Outcomes as workers may finish: the first one last."""
    outcomes = [process(job) for job in jobs]
    yield from (outcomes[at] for at in (3, 1, 4, 2, 0))


def test_the_order_in_which_workers_finish_does_not_matter(tmp_path, monkeypatch):
    monkeypatch.setattr(flows.order, "IN_MEMORY", 1000)  # those that wait go to disk
    one, other = Place(tmp_path / "one"), Place(tmp_path / "other")
    for number, text in enumerate((LETTER, OTHER_PARTY, LETTER, OTHER_AMOUNT, OTHER_PARTY)):
        resaved(one.inbox / f"{number}.pdf", text, author=f"writer {number}")
    shutil.copytree(one.inbox, other.inbox)
    one.run()
    other.run(shuffled)
    assert one.fates() == [
        ("0.pdf", "landed", None, []),
        ("1.pdf", "landed", None, ["0.pdf"]),
        ("2.pdf", "duplicate", "0.pdf", []),
        ("3.pdf", "landed", None, ["0.pdf", "1.pdf"]),
        ("4.pdf", "duplicate", "1.pdf", []),
    ]
    differing = dict.fromkeys(("pages", "contracts", "terms", "flags"), "run_id")
    for table, columns in ({"documents": "run_id, ingested_at, seconds"} | differing).items():
        statement = f"SELECT * EXCLUDE ({columns}) FROM {table} ORDER BY ALL"
        assert one.ask(statement) == other.ask(statement) != []


def test_a_document_of_an_earlier_run_is_the_original_for_good(place):
    write_pdf(place.inbox / "z.pdf", LETTER)
    place.run()
    resaved(place.inbox / "a.pdf")
    assert place.run().duplicates == 1
    expected = [("a.pdf", "duplicate", "z.pdf", []), ("z.pdf", "landed", None, [])]
    assert place.fates() == expected
    assert place.run().documents == 0
    for more in ({"playbook": "nda"}, {"playbook": "nda", "mode": "all"}):
        assert place.run(**more).documents == 2
        assert place.fates() == expected
    near = place.ask("SELECT contract_id FROM documents WHERE status = 'duplicate'")[0]
    assert place.run(playbook="nda", mode="all", contract_ids=near).duplicates == 1
    assert place.fates() == expected
    assert place.ask("SELECT count(*), max(version) FROM contracts") == [(1, 3)]


def test_without_the_work_folder_documents_are_only_linked(place):
    write_pdf(place.inbox / "a.pdf", LETTER)
    place.run()
    shutil.rmtree(place.warehouse / "work")
    resaved(place.inbox / "b.pdf")
    place.run()
    assert place.fates() == [("a.pdf", "landed", None, []), ("b.pdf", "landed", None, ["a.pdf"])]
    place.run(mode="all")  # both were landed as contracts, and stay so
    assert place.fates() == [("a.pdf", "landed", None, []), ("b.pdf", "landed", None, ["a.pdf"])]


def test_a_copy_of_a_near_duplicate_has_the_same_original(place):
    write_pdf(place.inbox / "a.pdf", LETTER)
    near = resaved(place.inbox / "b.pdf")
    shutil.copy(near, place.inbox / "c.pdf")
    place.run()
    for later in ("d.pdf", "Z before all.pdf"):
        shutil.copy(near, place.inbox / later)
        assert place.run().duplicates == 1
    assert {(status, original) for _, status, original, _ in place.fates() if original} == {("duplicate", "a.pdf")}
    assert len(place.fates()) == 5
    assert place.run().documents == 0


def test_a_near_duplicate_takes_the_place_of_an_original_that_is_lost(place):
    write_pdf(place.inbox / "a.pdf", LETTER)
    shutil.copy(resaved(place.inbox / "b.pdf"), place.inbox / "c.pdf")
    place.run()

    def losing_the_first(jobs: Sequence[Job]) -> Iterator[Outcome]:
        for job in jobs:
            lost = job.filed.file_name == "a.pdf"
            yield quarantined(job.filed, DocumentError("Lost.", code="damaged")) if lost else process(job)

    place.run(losing_the_first, mode="all", contract_ids=place.ask("SELECT contract_id FROM contracts")[0])
    assert [status for _, status, *_ in place.fates()] == ["quarantined", "duplicate", "duplicate"]
    assert place.run(losing_the_first).documents == 2
    assert place.fates()[1:] == [("b.pdf", "landed", None, []), ("c.pdf", "duplicate", "b.pdf", [])]
    assert place.run(losing_the_first).documents == 0


def test_landed_files_of_older_versions_have_no_likeness(place):
    write_pdf(place.inbox / "a.pdf", LETTER)
    place.run()
    now = likenesses(place.warehouse, SIGNATURE_LENGTH)
    assert [uri for *_, uri in now.documents] == ["a.pdf"]
    assert tuple(now.signatures[0]) == signature(LETTER)
    (file,) = (place.warehouse / "lake" / "documents").iterdir()
    with pq.ParquetFile(file) as landed:
        older = landed.read().drop_columns(["likeness"])
    pq.write_table(older, file)
    (manifest,) = (place.warehouse / "manifests").iterdir()
    listed = json.loads(manifest.read_text())
    listed["columns"]["documents"].remove("likeness")
    manifest.write_text(json.dumps(listed))
    then = likenesses(place.warehouse, SIGNATURE_LENGTH)
    assert (then.documents, then.signatures.shape) == ([], (0, SIGNATURE_LENGTH))
    assert then.first_landed == now.first_landed
    assert likenesses(place.folder / "nowhere", SIGNATURE_LENGTH).first_landed == {}


def test_an_outcome_that_never_comes_holds_up_no_other(place):
    for name in ("a", "b", "c"):
        write_pdf(place.inbox / f"{name}.pdf", LETTER + name)
    seen: list[Job] = []
    place.run(lambda jobs: (seen.extend(jobs), map(process, jobs))[1])
    outcomes = [process(job) for job in seen]
    assert [job.filed.file_name for job in seen] == ["a.pdf", "b.pdf", "c.pdf"]
    ordered = in_order(seen, [outcomes[2], outcomes[1]], place.folder)
    assert list(ordered) == outcomes[1:]
