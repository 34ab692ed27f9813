"""Families, terms in force and fee tables, on deals that are made up: what links, what holds, what adds up.

    contract-agent benchmark deals [--families 40] [--seed 1] [--wrong]

Each family is a master agreement with amendments and a statement of work, drawn from several ways of drafting, among
traps: two masters with one customer, the same date with another customer, agreements that are superseded, amendments
that take effect later, amendments whose master is not held. Everything is printed to PDF, run through the night flow
and read back in SQL. Fee tables are drawn in several layouts; their lines must add up to a total not printed.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

import pymupdf

from flows.night import Request, night
from schemas.settings import load_settings
from warehouse.read import query

TODAY = date(2026, 11, 2)
US = "Northwind Analytics, Inc."
_NAMES = (
    "Alder",
    "Birch",
    "Cobalt",
    "Dune",
    "Ember",
    "Fjord",
    "Garnet",
    "Heron",
    "Iris",
    "Juniper",
    "Kestrel",
    "Larch",
)
_TRADES = ("Foods", "Freight", "Clinics", "Textiles", "Energy", "Optics", "Mills", "Hotels", "Seeds", "Rail")
_FORMS = ("LLC", "Inc.", "Corp.", "Ltd.", "GmbH")
_MASTERS = (
    "Master Services Agreement",
    "Software Subscription Agreement",
    "Cloud Services Agreement",
    "Supply Agreement",
)


class Wanted(NamedTuple):
    """What is right of a family: its files with the parent of each, and the values in force."""

    files: dict[str, str | None]
    in_force: dict[str, str]
    master: str


def main(argv: Sequence[str] | None = None) -> int:
    """Prints what is wrong if asked, the figures, and the same as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark deals", description=__doc__.splitlines()[0])
    parser.add_argument("--families", type=int, default=40)
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", action="store_true")
    arguments = parser.parse_args(argv)
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        inbox, warehouse = Path(folder) / "inbox", Path(folder) / "warehouse"
        inbox.mkdir()
        families = [_family(inbox, number, chance) for number in range(arguments.families)]
        totals = dict(_order(inbox, n, chance) for n in range(arguments.tables))
        settings = load_settings().model_copy(update={"our_entities": (US,)})
        night(Request(inbox=inbox, warehouse=warehouse, business_date=TODAY), settings)
        result = _links(warehouse, families, arguments.wrong) | _terms(warehouse, families, arguments.wrong)
        result |= _totals(warehouse, totals, arguments.wrong)
    for name, value in result.items():
        print(f"{name:24} {value:.4f}")
    print(json.dumps(result))
    return 0


# --- Families


def _family(inbox: Path, number: int, chance: random.Random) -> Wanted:
    other = f"{chance.choice(_NAMES)} {chance.choice(_TRADES)} {number} {chance.choice(_FORMS)}"
    signed = date(2024, 1, 5) + timedelta(days=chance.randrange(500))
    title, days, months = chance.choice(_MASTERS), chance.choice((15, 30, 45)), chance.choice((24, 36))
    master = f"{number:03}-master.pdf"
    print_pdf(inbox / master, master_text(title, other, signed, days, months, chance))
    files: dict[str, str | None] = {master: None}
    held = {"payment_terms_days": str(days), "initial_term_months": str(months), "governing_law": "Delaware"}
    held["termination_for_convenience"] = "customer"
    when = signed
    for count in range(1, chance.randint(1, 3) + 1):
        when += timedelta(days=chance.randint(40, 150))
        name = f"{number:03}-amendment-{count}.pdf"
        change, text = chance.choice(_CHANGES)(chance, held)
        print_pdf(inbox / name, _amendment(count, title, other, signed, when, text, chance))
        files[name] = master
        held |= change
    if chance.random() < 0.5:
        name = f"{number:03}-sow.pdf"
        print_pdf(inbox / name, _sow(title, other, signed, when + timedelta(days=9), chance))
        files[name] = master
    if chance.random() < 0.3:
        _trap(inbox, number, other, signed, title, files, chance)
    return Wanted(files, held, master)


def _trap(
    inbox: Path, number: int, other: str, signed: date, title: str, files: dict[str, str | None], chance: random.Random
) -> None:
    """A second master with the same customer, a stranger of the same date, or an orphan."""
    kind = chance.choice(("second master", "stranger", "orphan"))
    name = f"{number:03}-{kind.replace(' ', '-')}.pdf"
    if kind == "second master":
        print_pdf(inbox / name, master_text("Consulting Agreement", other, signed + timedelta(days=90), 20, 12, chance))
    elif kind == "stranger":
        print_pdf(inbox / name, master_text(title, f"Quarry {number} Stone LLC", signed, 20, 12, chance))
    else:
        gone = f"Marble {number} Works Inc."
        print_pdf(
            inbox / name,
            _amendment(1, title, gone, signed, signed + timedelta(days=30), "The fees do not change.", chance),
        )
    files[name] = None


def _day(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def _parties(other: str, chance: random.Random) -> str:
    return chance.choice(
        (
            f'between {US}, a Delaware corporation ("Provider"), and {other} ("Customer")',
            f'by and between {US} (the "Provider") and {other} (the "Customer")',
        )
    )


def _signatures(other: str, day: date) -> str:
    signed = _day(day)
    return f"{US}\nBy: /s/ Ada Moreno\nDate: {signed}\n\n{other}\nBy: /s/ Ben Okafor\nDate: {signed}"


def master_text(title: str, other: str, signed: date, days: int, months: int, chance: random.Random) -> str:
    return f"""{title.upper()}

This {title} is entered into as of {_day(signed)} {_parties(other, chance)}.

1. Services. Provider provides the services described in orders.

2. Payment. Customer shall pay each invoice within {days} days after the invoice date.

3. Term. The initial term of this Agreement is {months} months from {_day(signed)}. It then renews for successive terms
of twelve (12) months unless either party gives sixty (60) days' notice before the end of the term.

4. Termination for convenience. Customer may terminate this Agreement for convenience upon ninety (90) days' prior
written notice.

5. Governing law. This Agreement is governed by the laws of the State of Delaware.

{_signatures(other, signed)}
"""


def _amendment(count: int, title: str, other: str, signed: date, day: date, text: str, chance: random.Random) -> str:
    number = ("First", "Second", "Third")[count - 1]
    opening = chance.choice(
        (
            f'Provider and Customer are parties to that certain {title} dated as of {_day(signed)} (the "Agreement").',
            f'This amendment changes the {title} between the parties dated {_day(signed)} (the "Agreement").',
            f'The parties entered into a {title} on {_day(signed)} (as amended, the "Agreement") and wish to amend it.',
        )
    )
    name = chance.choice((f"Amendment No. {count} to {title}", f"{number} Amendment to {title}"))
    return f"""{name}

This {name.split(" to ")[0]} (this "Amendment") is made as of {_day(day)} {_parties(other, chance)}.

{opening} The parties agree as follows.

1. {text}

2. Effect. Except as changed by this Amendment, the Agreement remains in full force and effect.

{_signatures(other, day)}
"""


def _payment(chance: random.Random, held: dict[str, str]) -> tuple[dict[str, str], str]:
    days = chance.choice((40, 50, 60, 75))
    text = chance.choice(
        (
            f'Section 2 is deleted and replaced by the following: "Customer shall pay each invoice within {days} days '
            'after the invoice date."',
            'Section 2 of the Agreement is hereby amended to read in its entirety as follows: "2. Payment. Invoices '
            f'are due and payable within {days} days after the invoice date."',
            f'In Section 2 the words "within {held["payment_terms_days"]} days" are replaced by "within {days} days '
            'after the invoice date".',
        )
    )
    return {"payment_terms_days": str(days)}, f"Payment. {text}"


def _longer(chance: random.Random, held: dict[str, str]) -> tuple[dict[str, str], str]:
    further = chance.choice((6, 12, 24))
    text = chance.choice(
        (
            f"The initial term of the Agreement is hereby extended by {further} months.",
            f"The parties agree that the initial term is extended for an additional {further} months.",
        )
    )
    return {"initial_term_months": str(int(held["initial_term_months"]) + further)}, f"Term. {text}"


def _no_way_out(chance: random.Random, _: dict[str, str]) -> tuple[dict[str, str], str]:
    text = chance.choice(
        (
            "Section 4 of the Agreement is hereby deleted in its entirety.",
            "Section 4 (Termination for convenience) is deleted.",
        )
    )
    return {"termination_for_convenience": "none"}, f"Termination. {text}"


def _other_law(chance: random.Random, _: dict[str, str]) -> tuple[dict[str, str], str]:
    law = chance.choice(("New York", "California", "Texas"))
    text = f'Section 5 is deleted and replaced with: "This Agreement is governed by the laws of the State of {law}."'
    return {"governing_law": law}, f"Governing law. {text}"


_CHANGES: tuple[Callable[[random.Random, dict[str, str]], tuple[dict[str, str], str]], ...] = (
    _payment,
    _longer,
    _no_way_out,
    _other_law,
)


def _sow(title: str, other: str, signed: date, day: date, chance: random.Random) -> str:
    under = chance.choice(("is issued under", "is made pursuant to", "is governed by"))
    return f"""STATEMENT OF WORK NO. 1

This Statement of Work No. 1 (this "SOW") is dated {_day(day)} and is made {_parties(other, chance)}. It {under} the
{title} dated {_day(signed)} between them.

1. Work. Provider builds a report by {_day(day + timedelta(days=60))}.

2. Price. The fixed price is $12,000, invoiced on acceptance and payable within 20 days.

{_signatures(other, day)}
"""


# --- Fee tables


def _order(inbox: Path, number: int, chance: random.Random) -> tuple[str, str]:
    """An order form whose total is not printed; returns its name and the total."""
    months, start = chance.choice((12, 24, 36)), date(2026, 1, 1) + timedelta(days=chance.randrange(200))
    lines = [
        (f"Module {letter}, hosted", chance.randint(1, 90), chance.randint(10, 900))
        for letter in "ABC"[: chance.randint(1, 3)]
    ]
    setup = chance.choice((0, 4_000, 12_500))
    yearly = sum(quantity * price for _, quantity, price in lines)
    per_month = chance.random() < 0.3
    period = "month" if per_month else "year"
    heads = chance.choice(
        (
            ("Item", "Quantity", "Unit price", f"Fee per {period}"),
            ("Product", "Qty", "Price each", f"Total per {period}"),
        )
    )
    rows = [heads, *((item, str(q), f"{p:,.2f}", f"{q * p:,.2f}") for item, q, p in lines)]
    if setup:
        rows.append(("One-time set-up fee", "1", f"{setup:,.2f}", f"{setup:,.2f}"))
    other = f"{chance.choice(_NAMES)} {chance.choice(_TRADES)} Orders {number} {chance.choice(_FORMS)}"
    above = f"""ORDER FORM

This Order Form is made as of {_day(start)} between {US}, a Delaware corporation ("Provider"), and {other} ("Customer").

1. Term. The initial term is {months} months from {_day(start)}.

2. Fees (USD). Invoices are due within 30 days after the invoice date.
"""
    name = f"order-{number:03}.pdf"
    print_pdf(inbox / name, above, rows, _signatures(other, start))
    return name, f"{yearly * months / (1 if per_month else 12) + setup:.2f}"


def print_pdf(path: Path, text: str, table: Sequence[Sequence[str]] = (), below: str = "") -> None:
    """Text, perhaps a table in columns, and text below it, as a born-digital PDF."""
    with pymupdf.open() as pdf:
        page, y = pdf.new_page(), 60.0
        for part, rows in ((text, table), (below, ())):
            for line in (piece for raw in part.split("\n") for piece in wrap(raw, 95) or [""]):
                if y > 760:
                    page, y = pdf.new_page(), 60.0
                page.insert_text((60, y), line, fontsize=9.5)
                y += 13
            for row in rows:
                for at, cell in zip((60, 260, 340, 430), row, strict=True):
                    page.insert_text((at, y), cell, fontsize=9.5)
                y += 15
        pdf.save(path)


# --- Figures


def _links(warehouse: Path, families: Sequence[Wanted], wrong: bool) -> dict[str, float]:
    _, rows = query(
        warehouse,
        """SELECT d.file_name, p.file_name FROM family_members m JOIN documents d USING (document_id)
        JOIN contracts c ON c.contract_id = m.parent_contract_id JOIN documents p ON p.document_id = c.document_id""",
    )
    found = dict(rows)
    wanted = {name: parent for family in families for name, parent in family.files.items() if parent}
    right = sum(found.get(name) == parent for name, parent in wanted.items())
    if wrong:
        for name in sorted(wanted.keys() | found.keys()):
            if wanted.get(name) != found.get(name):
                print(f"link   {name}: is {wanted.get(name)}, found {found.get(name)}")
    return {
        "links": float(len(wanted)),
        "link_precision": right / max(1, len(found)),
        "link_recall": right / len(wanted),
    }


def _terms(warehouse: Path, families: Sequence[Wanted], wrong: bool) -> dict[str, float]:
    _, rows = query(
        warehouse,
        """SELECT d.file_name, f.term, f.value FROM contract_in_force f
        JOIN contracts c ON c.contract_id = f.contract_id JOIN documents d ON d.document_id = c.document_id""",
    )
    held = {(name, term): value for name, term, value in rows}
    judged = list(_judged(held, families, wrong))
    return {"terms": float(len(judged)), "in_force_right": sum(judged) / len(judged)}


def _judged(held: dict[tuple[str, str], str], families: Sequence[Wanted], wrong: bool) -> Iterator[bool]:
    for family in families:
        expected = dict(family.in_force)
        master = next(iter(family.files))
        for term, value in expected.items():
            found = held.get((master, term))
            if wrong and found != value:
                print(f"term   {master}: {term} is {value}, found {found}")
            yield found == value


def _totals(warehouse: Path, totals: dict[str, str], wrong: bool) -> dict[str, float]:
    _, rows = query(
        warehouse, "SELECT d.file_name, c.total_value::VARCHAR FROM contracts c JOIN documents d USING (document_id)"
    )
    found = dict(rows)
    right = 0
    for name, total in totals.items():
        same = found.get(name) is not None and abs(float(found[name]) - float(total)) < 0.02
        right += same
        if wrong and not same:
            print(f"total  {name}: is {total}, found {found.get(name)}")
    return {"fee_tables": float(len(totals)), "fee_totals_right": right / max(1, len(totals))}
