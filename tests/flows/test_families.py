"""A master and what hangs on it, through the front door: links, terms in force, what is referred to and not held."""

import json
from pathlib import Path
from textwrap import wrap

import pytest
from frontdoor import write_pdf

SIGNED = """

HARBOR LIGHT SOFTWARE, INC.
By: /s/ Ada Moreno
Date: {day}

{other}
By: /s/ Ben Okafor
Date: {day}
"""
PARTIES = """between Harbor Light Software, Inc., a Delaware corporation ("Provider"), and {other}, an Ohio limited
liability company ("Customer")"""
MASTER = """MASTER SUBSCRIPTION AGREEMENT

This Master Subscription Agreement is entered into as of March 1, 2025 {parties}.

1. Payment. Customer shall pay each invoice within thirty (30) days after the invoice date.

2. Term. The initial term is twenty-four (24) months from March 1, 2025. It renews for successive terms of twelve (12)
months unless either party gives sixty (60) days' written notice before the end of the term.

3. Termination for convenience. Customer may terminate this Agreement for convenience upon ninety (90) days' prior
written notice.

4. Governing Law. This Agreement is governed by the laws of the State of New York.
"""
AMENDMENT = """AMENDMENT NO. {number} TO MASTER SUBSCRIPTION AGREEMENT

This Amendment No. {number} (this "Amendment") is made as of {day} {parties}. It amends the Master Subscription
Agreement between the parties dated March 1, 2025 (the "Agreement").

1. {text}

2. Except as stated here the Agreement remains in full force and effect.
"""
QUARRY = "Quarry Lane Foods LLC"
LONGER_PAYMENT = (
    'Section 1 is deleted and replaced by the following: "Customer shall pay each invoice within sixty (60) days after '
    'the invoice date."'
)


def paper(form: str, other: str = QUARRY, day: str = "March 1, 2025", **more: object) -> str:
    text = (form + SIGNED).format(parties=PARTIES.format(other=other), other=other.upper(), day=day, **more)
    return "\n".join(piece for line in text.split("\n") for piece in wrap(line, 95) or [""])


@pytest.fixture
def deal(tmp_path: Path, agent_here):
    """Lands papers given by name in one run and gives back a way to ask."""
    inbox, warehouse = tmp_path / "inbox", tmp_path / "warehouse"
    ours = json.dumps(["Harbor Light Software, Inc."])

    def land(date: str = "2026-06-01", **papers: str):
        for name, text in papers.items():
            write_pdf(inbox / f"{name}.pdf", text)
        done = agent_here("run", inbox, "--warehouse", warehouse, "--date", date, CONTRACT_AGENT_OUR_ENTITIES=ours)
        assert done.code == 0, done.err

        def ask(statement: str) -> list[tuple]:
            return [
                tuple(row.values())
                for row in agent_here("sql", statement, "--format", "json", "--warehouse", warehouse).rows
            ]

        return ask

    return land


MEMBERS = """SELECT d.file_name, m.relation FROM family_members m JOIN documents d USING (document_id)
    ORDER BY d.file_name"""
NOT_HELD = "SELECT d.file_name, f.found FROM flags f JOIN documents d USING (document_id) WHERE rule_id = 'M04'"


def in_force(ask, *terms: str) -> dict[str, tuple[str, str]]:
    named = ", ".join(f"'{term}'" for term in terms)
    rows = ask(
        f"""SELECT f.term, f.value, d.file_name FROM contract_in_force f
        JOIN documents d ON d.document_id = f.set_by_document_id
        WHERE f.term IN ({named}) AND f.family_id IN (SELECT family_id FROM family_members)"""
    )
    return {term: (value, name) for term, value, name in rows}


def test_an_amendment_sets_what_it_changes_and_nothing_else(deal):
    ask = deal(master=paper(MASTER), first=paper(AMENDMENT, day="January 5, 2026", number=1, text=LONGER_PAYMENT))
    assert ask(MEMBERS) == [("first.pdf", "amends"), ("master.pdf", "root")]
    assert in_force(ask, "payment_terms_days", "governing_law", "agreement_date") == {
        "payment_terms_days": ("60", "first.pdf"),
        "governing_law": ("New York", "master.pdf"),
        "agreement_date": ("2025-03-01", "master.pdf"),
    }
    assert ask("SELECT count(DISTINCT family_id) FROM contracts") == [(1,)]
    assert ask("SELECT effect, section, terms FROM amendment_effects") == [("replaces", "1", ["payment_terms_days"])]


def test_what_takes_effect_later_does_not_hold_yet(deal):
    ask = deal(master=paper(MASTER), first=paper(AMENDMENT, day="August 5, 2026", number=1, text=LONGER_PAYMENT))
    assert in_force(ask, "payment_terms_days") == {"payment_terms_days": ("30", "master.pdf")}


def test_extensions_add_up_and_the_end_moves(deal):
    text = "The initial term of the Agreement is hereby extended by twelve (12) months."
    ask = deal(
        master=paper(MASTER),
        first=paper(AMENDMENT, day="January 5, 2026", number=1, text=text),
        second=paper(AMENDMENT, day="February 5, 2026", number=2, text=text),
    )
    held = in_force(ask, "initial_term_months", "expiration_date", "notice_deadline")
    assert held["initial_term_months"] == ("48", "second.pdf")
    assert held["expiration_date"] == ("2029-02-28", "second.pdf")
    assert held["notice_deadline"][0] == "2028-12-30"


def test_a_deleted_right_is_gone(deal):
    text = "Section 3 of the Agreement is hereby deleted in its entirety."
    ask = deal(master=paper(MASTER), first=paper(AMENDMENT, day="January 5, 2026", number=1, text=text))
    held = in_force(ask, "termination_for_convenience", "termination_notice_days", "payment_terms_days")
    assert held == {
        "termination_for_convenience": ("none", "first.pdf"),
        "payment_terms_days": ("30", "master.pdf"),
    }


def test_the_master_may_come_later(deal):
    first = paper(AMENDMENT, day="January 5, 2026", number=1, text=LONGER_PAYMENT)
    ask = deal(first=first)
    assert ask(MEMBERS) == []
    assert ask(NOT_HELD) == [("first.pdf", "Master Subscription Agreement dated 2025-03-01 is not held")]
    ask = deal(master=paper(MASTER))
    assert ask(MEMBERS) == [("first.pdf", "amends"), ("master.pdf", "root")]
    assert ask(NOT_HELD) == []


@pytest.mark.parametrize(
    "stranger",
    [
        paper(MASTER, other="Stone Ridge Mills LLC"),
        paper(MASTER.replace("March 1, 2025", "April 1, 2025"), day="April 1, 2025"),
        paper(
            MASTER.replace("MASTER SUBSCRIPTION", "EQUIPMENT LEASE").replace("March 1, 2025", "May 1, 2025"),
            day="May 1, 2025",
        ),
    ],
    ids=["another customer", "another date", "another agreement"],
)
def test_what_only_looks_like_the_master_is_not_linked(stranger, deal):
    ask = deal(stranger=stranger, first=paper(AMENDMENT, day="January 5, 2026", number=1, text=LONGER_PAYMENT))
    assert ask(MEMBERS) == []
    assert len(ask(NOT_HELD)) == 1


def test_what_is_superseded_is_no_parent(deal):
    text = MASTER + "\n5. Entire agreement. This Agreement supersedes the Evaluation Agreement dated January 9, 2025.\n"
    assert deal(master=paper(text))(NOT_HELD) == []


def test_a_missing_exhibit_is_told(deal):
    text = MASTER + "\n5. Services. The services are described in Exhibit B attached hereto.\n"
    assert deal(master=paper(text))(NOT_HELD) == [("master.pdf", "Exhibit B is referred to and is not in the document")]
    held = text + "\nEXHIBIT B\n\nProvider hosts the software.\n"
    assert ("held.pdf", "Exhibit B is referred to and is not in the document") not in deal(held=paper(held))(NOT_HELD)


def test_a_second_run_changes_nothing(deal):
    papers = {"master": paper(MASTER), "first": paper(AMENDMENT, day="January 5, 2026", number=1, text=LONGER_PAYMENT)}
    deal(**papers)
    ask = deal()
    assert ask(MEMBERS) == [("first.pdf", "amends"), ("master.pdf", "root")]
    assert ask("SELECT documents FROM runs ORDER BY started_at") == [(2,), (0,)]


SOW = """STATEMENT OF WORK NO. 1

This Statement of Work No. 1 (this "SOW") is dated April 5, 2025 and is made {parties}. It is issued under the Master
Subscription Agreement dated March 1, 2025.

1. Price. The fixed price is $12,000. Customer shall pay each invoice within ten (10) days after the invoice date.

2. Order of precedence. If this SOW and the Agreement conflict, this SOW controls.
"""


def test_an_order_that_says_otherwise_is_a_conflict_and_changes_nothing(deal):
    ask = deal(master=paper(MASTER), sow=paper(SOW, day="April 5, 2025"))
    assert ("sow.pdf", "under") in ask(MEMBERS)
    assert in_force(ask, "payment_terms_days") == {"payment_terms_days": ("30", "master.pdf")}
    assert ask("SELECT term, value, held_value, prevails FROM family_conflicts") == [
        ("payment_terms_days", "10", "30", "order")
    ]
