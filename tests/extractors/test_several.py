"""More than one contract in a file: where another one seems to begin, and what is no other one."""

import papers
import pytest

from extractors.several import suspected_starts

CLAUSES = (
    "The receiving party keeps the information of the disclosing party secret in every way.",
    "It uses the information for the talks on the purchase and for nothing besides these.",
    "Its employees and advisers are told of this duty before they see any of the papers.",
    "Whatever was public before, or becomes so without a breach, may be used by everybody.",
    "All papers are given back within ten days after the talks have come to their end.",
    "A court may forbid what would be a breach, since damages alone would come too late.",
)
BODY = "\n".join(f"{number}. {clause}" for number, clause in enumerate(CLAUSES, 1))
MORE = "\n".join(f"{number}. {clause}" for number, clause in enumerate(reversed(CLAUSES), 7))
SIGNED = "IN WITNESS WHEREOF the parties have executed this agreement.\nBy: ____________________\nName: A. Smith"
ALPHA = "This Non-Disclosure Agreement is made on 1 March 2026\nby and between Alpha and Beta.\n"
GAMMA = 'This Master Services Agreement (the "Agreement") is entered into\nby and between Alpha and Gamma.\n'
FIRST = f"NON-DISCLOSURE AGREEMENT\n{ALPHA}{BODY}"
SECOND = f"MASTER SERVICES AGREEMENT\n{GAMMA}{BODY}"
LETTER = (
    "Gamma Holdings Inc.\n12 High Street\nLeeds\n3 March 2026\nDear Mr Brown:\nIn connection with your interest in a\n"
    f"possible purchase you will keep this agreement and all our information confidential.\n{BODY}"
)
FLOWING = f"MASTER SERVICES AGREEMENT THIS AGREEMENT is made by and between\nAlpha and Gamma.\n{BODY}"


def starts(*pages: str) -> tuple[int, ...]:
    return suspected_starts(papers.document(*pages).pages)


FOUND = {
    "behind the signatures": ((FIRST, f"{MORE}\n{SIGNED}", SECOND), (3,)),
    "a page after the signatures": ((FIRST, SIGNED, "Receipt of the fee is confirmed.", SECOND), (4,)),
    "three of one page": ((f"{FIRST}\n{SIGNED}", f"{SECOND}\n{SIGNED}", FIRST), (2, 3)),
    "a letter": ((FIRST, SIGNED, LETTER), (3,)),
    "numbers start anew": ((f"{FIRST}\n1", f"{MORE}\n2", f"{BODY}\n3", f"{SECOND}\n{MORE}\n1", f"{BODY}\n2"), (4,)),
    "numbers start anew on page two": ((FIRST, f"{MORE}\nPage 2", SECOND, f"{MORE}\nPage 2"), (3,)),
    "the number of a filing above": ((FIRST, SIGNED, f"Exhibit 10.4\n{SECOND}"), (3,)),
    "a title within the first line": ((FIRST, SIGNED, FLOWING), (3,)),
}


@pytest.mark.parametrize(("pages", "expected"), FOUND.values(), ids=FOUND.keys())
def test_another_contract_is_suspected(pages, expected):
    assert starts(*pages) == expected


def headed(head: str) -> tuple[str, ...]:
    """A signed contract, then another under this head."""
    return FIRST, SIGNED, f"{head}\n{SECOND}"


NOT_FOUND = {
    "one contract": (FIRST, MORE, SIGNED),
    "one page": (SECOND,),
    "no page": (),
    "blank pages": (FIRST, SIGNED, "", ""),
    "exhibit": headed("Exhibit B"),
    "exhibit with a name": headed("EXHIBIT A-1 - FORM OF SERVICES AGREEMENT"),
    "schedule": headed("Schedule 2"),
    "annex": headed("ANNEX IV"),
    "appendix to the contract": headed("This is Appendix A to the Non-Disclosure Agreement"),
    "form of agreement": headed("[Form of Services Agreement]"),
    "side letter": headed("Side Letter"),
    "page number of an exhibit": (FIRST, SIGNED, f"{SECOND}\nA-1"),
    "cover sheet of an exhibit": (FIRST, SIGNED, "EXHIBIT C\nForm of Services Agreement", SECOND),
    "page numbers go on": (f"{FIRST}\n7", f"{SIGNED}\n8", f"{SECOND}\n9"),
    "running header": tuple(f"Alpha / Beta deal papers no. 5\n{page}" for page in (FIRST, SIGNED, SECOND)),
    "not signed before": (FIRST, MORE, SECOND),
    "signed long before": (FIRST, SIGNED, BODY, MORE, BODY, f"{SECOND}\n{MORE}"),
    "title of a clause": (FIRST, SIGNED, f"Entire Agreement\nThis Agreement is made between the parties.\n{BODY}"),
    "a sentence before": (
        FIRST,
        SIGNED,
        f"the parties to this contract agree with each other that each is to\n{SECOND}",
    ),
    "title alone": (FIRST, SIGNED, "SERVICES AGREEMENT\nSee the price list for the rates of each month."),
    "joinder": (FIRST, SIGNED, f"JOINDER AGREEMENT\nThis Joinder Agreement is delivered by the undersigned.\n{BODY}"),
    "cover and contents": ("SERVICES AGREEMENT\n2 March 2026", "Table of Contents\n1. Fees 3\n2", f"{SECOND}\n1"),
    "lines in a table of contents": ("COVER", "Table of Contents\nSignatures ______________ 9", SECOND),
}


@pytest.mark.parametrize("pages", NOT_FOUND.values(), ids=NOT_FOUND.keys())
def test_what_belongs_to_a_contract_is_no_other(pages):
    assert starts(*pages) == ()


def test_the_traps_hold_a_start_but_for_the_trap():
    """Without its head each of these pages is a start, so that the head is what the trap is made of."""
    assert starts(FIRST, SIGNED, SECOND) == (3,)
    assert starts(FIRST, SIGNED, f"Our reference 5\n{SECOND}") == (3,)


def test_numbers_are_those_of_the_pages():
    pages = papers.document(FIRST, SIGNED, SECOND).pages
    moved = [page.model_copy(update={"number": page.number + 10}) for page in pages]
    assert suspected_starts(moved) == (13,)
