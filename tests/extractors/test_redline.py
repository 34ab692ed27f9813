"""Redline: two versions of a contract, read from PDFs, compared clause by clause."""

import re
from html.parser import HTMLParser
from pathlib import Path

import papers
import pytest
from frontdoor import AGREEMENT, write_pdf

from extractors.provisions import provisions
from extractors.redline import Change, as_html, redline
from schemas.document import Document

LIABILITY = AGREEMENT[AGREEMENT.index("4. Liability") : AGREEMENT.index("5. Governing")]
CONFIDENTIALITY = (
    "3. Confidentiality. Each party keeps the other's secrets with the care that it takes of its own and discloses\n"
    "them to nobody but its advisers.\n\n"
)
LEASE = """LEASE

1. Premises. The landlord lets the ground floor of the warehouse at 12 Dock Road to the tenant for storing furniture.

2. Rent. Rent of EUR 4,200 falls due on the first day of every month, heating and water included.

3. Repairs. Small repairs are the tenant's business; the roof, walls and windows remain the landlord's.
"""


@pytest.fixture
def doc(tmp_path: Path):
    """Reads a text as a PDF of it."""
    made = iter(range(100))
    return lambda text: papers.read_file(write_pdf(tmp_path / f"{next(made)}.pdf", text))


def changed(changes: tuple[Change, ...]) -> list[tuple[str, str | None, str | None]]:
    """Kind and numbers of all that is not unchanged."""
    return [(one.kind, one.old_number, one.new_number) for one in changes if one.kind != "unchanged"]


def squeezed(text: str) -> str:
    return "".join(text.split())


def renumbered(text: str, start: int, step: int) -> str:
    """With the numbers of the sections from `start` on changed by `step`."""
    return re.sub(
        r"^(\d)\. ", lambda m: f"{int(m[1]) + (step if int(m[1]) >= start else 0)}. ", text, flags=re.MULTILINE
    )


def wrapped(text: str, width: int) -> str:
    """With each paragraph on lines of another length."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        lines = [""]
        for word in paragraph.split():
            lines += [""] if len(lines[-1]) + len(word) > width else []
            lines[-1] = f"{lines[-1]} {word}".strip()
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)


def test_nothing_changed(doc):
    changes = redline(doc(AGREEMENT), doc(AGREEMENT))
    assert changed(changes) == []
    assert all(one.similarity == 1 and one.words == () for one in changes)
    assert [one.new_number for one in changes if one.new_number] == ["1", "2", "3", "4", "5"]
    assert [one.heading for one in changes if one.new_number] == [
        "Term",
        "Fees",
        "Termination",
        "Liability",
        "Governing Law",
    ]


def test_a_number_changed(doc):
    changes = redline(doc(AGREEMENT), doc(AGREEMENT.replace("within sixty (60) days", "within thirty (30) days")))
    assert changed(changes) == [("changed", "2", "2")]
    fees = next(one for one in changes if one.kind == "changed")
    assert [part for part in fees.words if part[0] != "equal"] == [("delete", " sixty (60"), ("insert", " thirty (30")]
    assert 0.9 < fees.similarity < 1
    assert squeezed("".join(text for kind, text in fees.words if kind != "delete")) == squeezed(fees.new_text)
    assert squeezed("".join(text for kind, text in fees.words if kind != "insert")) == squeezed(fees.old_text)


def test_a_clause_moved(doc):
    without = renumbered(AGREEMENT.replace(LIABILITY, ""), 5, -1)
    new = renumbered(without, 1, 1).replace("2. Term.", LIABILITY.replace("4.", "1.") + "2. Term.")
    changes = redline(doc(AGREEMENT), doc(new))
    assert changed(changes) == [("moved", "4", "1")]


def test_a_clause_moved_and_changed(doc):
    moved = LIABILITY.replace("4.", "1.").replace("twelve (12)", "six (6)")
    new = renumbered(renumbered(AGREEMENT.replace(LIABILITY, ""), 5, -1), 1, 1).replace("2. Term.", moved + "2. Term.")
    changes = redline(doc(AGREEMENT), doc(new))
    assert changed(changes) == [("moved_changed", "4", "1")]
    assert ("insert", " six (6") in next(one for one in changes if one.kind == "moved_changed").words


def test_a_clause_inserted_moves_no_other(doc):
    new = renumbered(AGREEMENT, 3, 1).replace("4. Termination", CONFIDENTIALITY + "4. Termination")
    changes = redline(doc(AGREEMENT), doc(new))
    assert changed(changes) == [("added", None, "3")]
    added = next(one for one in changes if one.kind == "added")
    assert (added.heading, added.old_text, added.new_page, added.words) == ("Confidentiality", None, 1, ())
    assert [(one.old_number, one.new_number) for one in changes if one.old_number] == [
        ("1", "1"),
        ("2", "2"),
        ("3", "4"),
        ("4", "5"),
        ("5", "6"),
    ]


def test_a_clause_deleted_stands_where_it_stood(doc):
    new = renumbered(AGREEMENT.replace(LIABILITY, ""), 5, -1)
    changes = redline(doc(AGREEMENT), doc(new))
    assert changed(changes) == [("deleted", "4", None)]
    at = next(at for at, one in enumerate(changes) if one.kind == "deleted")
    assert (changes[at - 1].heading, changes[at].heading) == ("Termination", "Liability")
    assert changes[at + 1].heading == "Governing Law"
    assert changes[at].new_text is None and changes[at].old_page == 1


def test_renumbered_only(doc):
    changes = redline(doc(AGREEMENT), doc(renumbered(AGREEMENT, 2, 3)))
    assert changed(changes) == []
    assert [one.new_number for one in changes if one.new_number] == ["1", "5", "6", "7", "8"]


def test_lines_pages_hyphens_and_blanks_are_no_change(doc):
    new = wrapped(AGREEMENT, 48).replace(" ", "  ", 20).replace("subscription", "subscrip-\ntion", 1)
    new = new.replace("3. Termination", "\n" * 30 + "3. Termination")
    changes = redline(doc(AGREEMENT), doc(new))
    assert changed(changes) == []
    assert next(one for one in changes if one.heading == "Termination").new_page == 2


def test_a_clause_split_in_two_is_one_change(doc):
    new = AGREEMENT.replace("A party in material breach", "\n4. Cure. A party in material breach")
    new = new.replace("4. Liability", "5. Liability").replace("5. Governing", "6. Governing")
    changes = redline(doc(AGREEMENT), doc(new))
    assert changed(changes) == [("changed", "3", "3")]
    split = next(one for one in changes if one.kind == "changed")
    assert [part for part in split.words if part[0] != "equal"] == [("insert", " 4. Cure.")]


def test_items_have_their_full_numbers(doc):
    text = """1. Duties. The supplier shall:

(a) deliver the machines in time;

(b) train the staff, that is:

(i) the operators; and

(ii) the fitters; and

(c) keep spare parts.

1.2 Notices. Notices go by post.

ARTICLE II
LAW

Section 2.1 Courts. The courts of London decide.
"""
    found = provisions(doc(text))
    assert [one.number for one in found] == [
        "1",
        "1(a)",
        "1(b)",
        "1(b)(i)",
        "1(b)(ii)",
        "1(c)",
        "1.2",
        "ARTICLE II",
        "2.1",
    ]
    assert found[4].text == "the fitters; and"
    assert found[4].heading == "Duties"


def test_different_documents_have_nothing_in_common(doc):
    changes = redline(doc(AGREEMENT), doc(LEASE))
    assert {one.kind for one in changes} == {"added", "deleted"}
    lease = [one.heading for one in changes if one.kind == "added"]
    assert lease == ["LEASE", "Premises", "Rent", "Repairs"]


def test_documents_without_text(doc):
    empty, full = doc(" "), doc(AGREEMENT)
    assert redline(empty, empty) == ()
    assert {one.kind for one in redline(empty, full)} == {"added"}
    assert {one.kind for one in redline(full, empty)} == {"deleted"}
    assert "Neither version has any text" in as_html((), "a.pdf", "b.pdf")


class Page(HTMLParser):
    """Tags of a page with their attributes, in order; complains of those left open."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open += [] if tag == "meta" else [tag]

    def handle_endtag(self, tag):
        assert self._open.pop() == tag


def compared(doc) -> tuple[Document, Document]:
    moved = LIABILITY.replace("4.", "1.")
    new = renumbered(renumbered(AGREEMENT.replace(LIABILITY, ""), 5, -1), 1, 1).replace("2. Term.", moved + "2. Term.")
    new = new.replace("New York", "<script>alert('x')</script> & Ohio")
    return doc(AGREEMENT), doc(new)


def test_the_page_shows_changes_and_runs_nothing(doc):
    page = as_html(redline(*compared(doc)), "old <b>.pdf", "new.pdf", "en")
    assert "<script" not in page and "<b>" not in page
    assert re.search(
        r"<del> New York</del><ins> &lt;script&gt;alert\(&#x27;x&#x27;\)&lt;/script&gt; &amp; Ohio</ins>", page
    )
    assert "Moved from 4, page 1 to 1, page 1" in page
    assert "1 changed, 1 moved, 0 moved and changed, 0 added, 0 deleted" in page
    tags = Page(page).tags
    assert tags[0] == ("html", {"lang": "en"})
    assert {"script", "img", "link", "iframe"}.isdisjoint(tag for tag, _ in tags)
    assert not any(name.startswith("on") or name in ("src", "href") for _, found in tags for name in found)


def test_each_section_of_the_page_is_named_by_its_heading(doc):
    tags = Page(as_html(redline(*compared(doc)), "a", "b")).tags
    named = [found["aria-labelledby"] for tag, found in tags if tag == "section"]
    assert named and named == [found["id"] for tag, found in tags if tag == "h2"]


def test_two_long_versions_take_seconds(doc):
    text = "\n\n".join(
        f"{at}. Clause {at}. The party of number {at * 7919 % 1000} pays {at * 31} euros for item {at * 104729 % 997}"
        f"\nthat was ordered before day {at} of the year, and delivers the papers on order {at * 17 % 89} to the other."
        for at in range(1, 700)
    )
    new = re.sub(r"pays (\d+)5 euros", r"pays \g<1>6 euros", text)
    old, new = doc(text), doc(new)
    changes = redline(old, new)
    assert {one.kind for one in changes} == {"unchanged", "changed"}
    assert all(one.old_number == one.new_number for one in changes)
