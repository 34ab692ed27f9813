"""Small documents and readings, and a process that does nothing but land them."""

import os
from collections.abc import Iterable
from datetime import UTC, date, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

from schemas.contract import (
    AscTopic,
    Chunk,
    Citation,
    Clause,
    ContractReading,
    EngineInfo,
    Extraction,
    FeeLine,
    Flag,
    Reference,
    Retrieval,
    Term,
)
from schemas.document import Document, EditMark, Page
from schemas.filed import Filed
from warehouse.catalogue import publish
from warehouse.lake import Linker, land
from warehouse.manifest import Manifest
from warehouse.rows import Rows, contract_rows, document_rows

CITATION = Citation(page_number=1, page_end=1, box=(10, 20, 30, 40), char_start=0, char_end=11)
REFERENCES = (
    Reference(key="PB-1.1", kind="playbook", title="Payment terms", summary="Net 30."),
    Reference(key="606-32-15", kind="asc", title="Financing", summary="Long terms.", url="https://example.org"),
)
CHUNK = Chunk(chunk_id="k1", start=0, end=11, heading_path=("1", "Fees"), page_first=1, page_last=1, text="Net")
DAY = date(2026, 11, 20)


def filed(number: int, run_id: str, **more) -> Filed:
    values = {
        "document_id": f"d_{number:016x}",
        "contract_id": f"c_{number:016x}",
        "source_uri": f"acme/{number}.pdf",
        "file_name": f"{number}.pdf",
        "sha256": f"{number:064x}",
        "media_type": "application/pdf",
        "status": "landed",
        "run_id": run_id,
        "ingested_at": datetime(2026, 11, 20, 2, tzinfo=UTC),
        "work_key": "key-1",
    }
    return Filed(**values | more)


def document(number: int, text: str = "Net 60 days") -> Document:
    mark = EditMark(page_number=1, kind="strikethrough", source="pen", text="60", box=(1, 2, 3, 4))
    page = Page(number=1, width=612, height=792, text=text, words=(), warnings=("needs_review",))
    ids = {"contract_id": f"c_{number:016x}", "sha256": f"{number:064x}"}
    return Document(**ids, media_type="application/pdf", pages=(page,), edit_marks=(mark,))


def terms(**values: str) -> tuple[Term, ...]:
    given = {"title": "Master Agreement", "counterparty": "Acme Inc.", "payment_terms_days": "60"}
    given |= {"total_value": "120000.005", "currency": "USD", "fully_executed": "true"} | values
    held = {"quote": "Net 60 days", "citation": CITATION, "evidence": "verified", "confidence": 0.9}
    parties = (
        Term(term="parties", value="Acme Inc.", role="customer", **held),
        Term(term="parties", value="Ours"),
    )
    return tuple(Term(term=name, value=value, **held) for name, value in given.items()) + parties


def reading(*, severity: str = "high", rule_version: str = "1", playbook: str = "p1", **values: str):
    flag = Flag(
        rule_id="R01",
        rule_version=rule_version,
        severity=severity,
        clause_type="payment_terms",
        found=values.get("payment_terms_days", "60"),
        standard="30",
        reason="Payment is due after 60 days; we ask for 30.",
        refs=("PB-1.1", "606-32-15"),
        quote="Net 60 days",
        citation=CITATION,
        evidence="verified",
        confidence=0.8,
    )
    extraction = Extraction(
        engine=EngineInfo(extractor="embedded", model="m1"),
        terms=terms(**values),
        clauses=(Clause(clause_type="payment_terms", text="Net 60 days", citation=CITATION),),
        fee_lines=(FeeLine(line=1, item="Seats", quantity="10", unit_price="0.0042", amount="99.5", quote="q"),),
        retrievals=(Retrieval(question="payment", chunk_ids=("k1",), scores=(0.5,), token_share=0.1),),
    )
    topic = AscTopic(topic="FINANCING", proposal="ask", reason="long", paragraphs=("606-10-32-15",))
    return ContractReading(extraction=extraction, flags=(flag,), asc606=(topic,), playbook_version=playbook)


def batch(number: int, run_id: str, version: int = 1, **more) -> Rows:
    """A document and its contract, as a run lands them."""
    here, read = filed(number, run_id), document(number)
    return document_rows(here, read) | contract_rows(here, read, [CHUNK], reading(**more), version)


def land_run(root: Path, run_id: str, batches: Iterable[Rows] = (), link: Linker | None = None, **row) -> Manifest:
    """Land and publish."""
    manifest = land(root, {"run_id": run_id, "business_date": DAY} | row, batches, REFERENCES, link=link)
    publish(root)
    return manifest


def land_numbers(root: Path, run_id: str, numbers: Iterable[int], version: int = 1, **more) -> Manifest:
    return land_run(root, run_id, (batch(number, run_id, version, **more) for number in numbers))


def keep_landing(root: Path, done: Path, name: str, ready: Event) -> None:
    """Land runs of three contracts without end, noting each in `done` after it was committed."""
    ready.set()
    handle = os.open(done, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for at in range(10_000):
        first = int(name) * 100_000 + at * 3
        run_id = f"{name}-{at}"
        land(root, {"run_id": run_id}, (batch(first + i, run_id) for i in range(3)), REFERENCES)
        os.write(handle, f"{run_id}\n".encode())
        publish(root)


def keep_reading(path: Path, stop: Path, report: Path) -> None:
    """Open the catalogue as any client would, over and over; report the reads, and what was wrong."""
    import duckdb

    reads, wrong = 0, []
    while not stop.exists():
        try:
            con = duckdb.connect(str(path), read_only=True)
            row = con.execute(
                "SELECT (SELECT count(*) FROM contracts), (SELECT count(*) FROM terms WHERE term = 'title'),"
                " (SELECT count(*) FROM documents), (SELECT coalesce(sum(contracts), 0) FROM runs)"
            ).fetchall()[0]
            con.close()
            if len(set(row)) > 1:
                wrong.append(f"half a run: {row}")
        except duckdb.Error as error:
            wrong.append(str(error))
        reads += 1
    report.write_text("\n".join([str(reads), *wrong]))
