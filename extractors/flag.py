"""The sixth step: compares checked terms and clauses with the playbook, and says what departs from it.

Rules are data (`playbooks/*.yaml`); here they are only applied. Those about the paper itself (`M01` to `M06`) are
worked out in code; which documents are not held is known only beside all others (see `flows.families`).
"""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from textwrap import shorten

from extractors.check import cite
from extractors.machine_orders import orders_to_machines
from extractors.missing import missing_parts
from extractors.predicates import Facts, Hit, fill, holds, in_scope
from schemas.base import Frozen
from schemas.contract import Citation, Clause, Evidence, Extraction, Flag, Term
from schemas.document import PAGE_BREAK, Box, Document, EditMark, Page
from schemas.families import Spoken
from schemas.playbook import Case, Playbook, Rule, load_playbooks

__all__ = ["FlagContext", "flag", "load_playbooks", "touched_terms"]

_SIGNING_TERMS = frozenset({"fully_executed", "signed_date"})
_WRITTEN = frozenset({"handwriting", "insertion"})
_ON_WORDS = frozenset({"strikethrough", "highlight"})
LONGEST_FOUND = 300
_LINE_HEIGHT = 12.0
"""Points; for pages without words to measure."""
_MARK_WORDS = {
    "strikethrough": "struck out",
    "insertion": "written in",
    "handwriting": "written by hand",
    "annotation": "note",
    "highlight": "highlighted",
}


class FlagContext(Frozen):
    """What rules may know besides the contract: the names that count as ours (`our_entities`)."""

    our_entities: tuple[str, ...] = ()


def flag(
    extraction: Extraction,
    document: Document,
    playbook: Playbook,
    context: FlagContext | None = None,
    facts: Facts | None = None,
) -> tuple[Flag, ...]:
    """All flags of a contract, by rule id and then by place.

    Our side is the term `our_role`. Without it, and where both sides give and take (`mutual`), only rules
    with `side: any` apply. A flag quotes and cites the term or clause that made its rule fire; a flag about
    something missing quotes nothing. `facts` may be given where they are laid out already.
    """
    facts = facts or Facts(extraction, document, playbook.library)
    flags: list[Flag] = []
    for rule in playbook.rules:
        if rule.in_code:
            flags += _IN_CODE[rule.id](rule, extraction, document, context or FlagContext())
        elif in_scope(rule, facts):
            flags += _flags_of(rule, facts)
    return tuple(flags)


def touched_terms(extraction: Extraction, document: Document) -> set[str]:
    """Names of the terms whose quotation a mark on the paper touches.

    Their printed value stays, and can no longer count as verified.
    """
    touched = _touched(extraction, document)
    return {item.term for _, items in touched for item in items if isinstance(item, Term)}


def _flags_of(rule: Rule, facts: Facts) -> Iterator[Flag]:
    for case in rule.when:
        hit = holds(case.if_, facts)
        if hit:
            yield _flag_of(rule, case, hit, facts)
            if not rule.each:
                return


def _flag_of(rule: Rule, case: Case, hit: Hit, facts: Facts) -> Flag:
    slots = {"standard": rule.standard, "fallback": rule.fallback}
    found = fill(case.found, hit, facts, **slots)
    reason = fill(case.reason, hit, facts, **slots)
    return _made(rule, hit.trigger, found=found, reason=reason, severity=case.severity)


def _made(rule: Rule, trigger: Term | Clause | None, **values) -> Flag:
    clause_type = trigger.clause_type if isinstance(trigger, Clause) else rule.clause
    quote, citation = _on_one_page(trigger)
    return Flag(
        **{
            "rule_id": rule.id,
            "rule_version": rule.version,
            "severity": rule.severity,
            "clause_type": clause_type,
            "standard": rule.standard,
            "refs": rule.refs,
            "quote": quote,
            "citation": citation,
            "evidence": _evidence(trigger),
            "confidence": trigger.confidence if trigger else 0.0,
            **values,
        }
    )


def _on_one_page(item: Term | Clause | None) -> tuple[str | None, Citation | None]:
    """The quotation up to the end of the page that is cited: who opens that page must find all of it."""
    quote = item.text if isinstance(item, Clause) else item.quote if item else None
    citation = item.citation if item else None
    if quote is None or citation is None or citation.page_end == citation.page_number:
        return quote, citation
    quote = quote.split(PAGE_BREAK)[0].rstrip()
    end = citation.char_start + len(quote)
    return quote, citation.model_copy(update={"page_end": citation.page_number, "char_end": end})


def _evidence(item: Term | Clause | None) -> Evidence:
    if isinstance(item, Term):
        return item.evidence
    return "verified" if item is not None and item.citation is not None else "unverified"


# --- M01: marks on the paper


def _marked(rule: Rule, extraction: Extraction, document: Document, _: FlagContext) -> list[Flag]:
    """One flag for all marks that touch the same terms and clauses of a page: an edit is often two marks."""
    edits: dict[tuple, list[EditMark]] = {}
    touched: dict[tuple, list[Term | Clause]] = {}
    for mark, items in _touched(extraction, document):
        terms = frozenset(_name(item) for item in items if isinstance(item, Term))
        key = (mark.page_number, terms or frozenset(_name(item) for item in items))
        edits.setdefault(key, []).append(mark)
        touched.setdefault(key, items)
    return [_mark_flag(rule, marks, touched[key]) for key, marks in edits.items()]


def _mark_flag(rule: Rule, marks: list[EditMark], items: list[Term | Clause]) -> Flag:
    terms = sorted({item.term for item in items if isinstance(item, Term)})
    clauses = sorted({item.clause_type for item in items if isinstance(item, Clause)})
    what = f"the terms {', '.join(terms)}" if len(terms) > 1 else f"the term {terms[0]}" if terms else ""
    what = what or f"the clause {', '.join(clauses)}"
    first = next((item for item in items if isinstance(item, Term)), items[0])
    clause = next((item.clause_type for item in items if isinstance(item, Clause)), None)
    return _made(
        rule,
        first,
        found="; ".join(_mark_words(mark) for mark in marks),
        reason=f"A mark on page {marks[0].page_number} touches {what}. The terms hold the print; look at "
        "the page, find out whether both sides agreed to the change, and correct the value if they did.",
        severity=rule.severity if terms else "medium",
        clause_type=clause,
        confidence=min(mark.confidence for mark in marks),
    )


def _mark_words(mark: EditMark) -> str:
    text = " ".join(mark.text.split())
    return f'{_MARK_WORDS[mark.kind]}: "{text}"' if text else f"{_MARK_WORDS[mark.kind]}, text not readable"


def _name(item: Term | Clause) -> str:
    return item.term if isinstance(item, Term) else item.clause_type


def _touched(extraction: Extraction, document: Document) -> list[tuple[EditMark, list[Term | Clause]]]:
    """Each mark that is an edit, by page and place, with the terms and clauses it touches."""
    marks = sorted(
        (mark for mark in document.edit_marks if mark.source != "form_field" and not _is_doubtful(mark)),
        key=lambda mark: (mark.page_number, mark.box[1], mark.box[0]),
    )
    if not marks:
        return []
    places = {mark.page_number: _places(extraction, document, mark.page_number) for mark in marks}
    under = [(mark, _items_under(mark, *places[mark.page_number])) for mark in marks]
    struck = [(mark, items) for mark, items in under if mark.kind == "strikethrough" and items]
    found = ((mark, _struck_beside(mark, struck, places[mark.page_number][1]) or items) for mark, items in under)
    return [(mark, items) for mark, items in found if items]


def _struck_beside(
    mark: EditMark, struck: list[tuple[EditMark, list[Term | Clause]]], line: float
) -> list[Term | Clause] | None:
    """What the strike next to something written lies on: that is what the writing takes the place of."""
    if mark.kind not in _WRITTEN:
        return None
    beside = (
        items for other, items in struck if other.page_number == mark.page_number and _near(mark.box, other.box, line)
    )
    return next(beside, None)


DOUBTFUL_NOTE = 0.15
"""Probability below which handwriting away from any strike may well be print."""


def _is_doubtful(mark: EditMark) -> bool:
    """Whether a note that stands alone may well be print; it is shown among the marks and raises no flag."""
    return mark.kind == "handwriting" and mark.confidence < DOUBTFUL_NOTE


Place = tuple[Term | Clause, list[Box]]


def _places(extraction: Extraction, document: Document, page_number: int) -> tuple[list[Place], float]:
    """What is quoted on a page, with the boxes of its words there, and the height of a line of the page."""
    page = next((page for page in document.pages if page.number == page_number), None)
    if page is None:
        return [], _LINE_HEIGHT
    heights = [word.y1 - word.y0 for word in page.words]
    cited = [item for item in (*extraction.terms, *extraction.clauses) if _cites(item, page_number)]
    at = document.page_starts[document.pages.index(page)]
    places = [(item, _boxes(item.citation, page, at)) for item in cited]
    return places, median(heights) if heights else _LINE_HEIGHT


def _cites(item: Term | Clause, page_number: int) -> bool:
    cited = item.citation
    return cited is not None and cited.page_number <= page_number <= cited.page_end


def _boxes(citation: Citation, page: Page, at: int) -> list[Box]:
    start, end = citation.char_start - at, citation.char_end - at
    boxes = [word.box for word in page.words if word.start < end and word.end > start]
    return boxes or ([citation.box] if citation.page_number == page.number else [])


def _items_under(mark: EditMark, places: list[Place], line: float) -> list[Term | Clause]:
    """What is written also touches what stands within a line of it, as changes go above or beside the print;
    other marks touch what they lie on.

    A signature or its date in ink is no edit of the terms that tell of the signing.
    """
    written = mark.kind in _WRITTEN
    across = mark.kind in _ON_WORDS
    touches = _lies_on if across else partial(_near, margin=line if written else 0.0)
    return [
        item
        for item, boxes in places
        if not (written and isinstance(item, Term) and item.term in _SIGNING_TERMS)
        and any(touches(mark.box, box) for box in boxes)
    ]


def _near(a: Box, b: Box, margin: float) -> bool:
    across = a[0] < b[2] + margin and b[0] < a[2] + margin
    return across and a[1] < b[3] + margin and b[1] < a[3] + margin


ON_A_LINE = 0.3
"""Share of a line's height that a mark on it covers; one on the next line reaches into it by less."""


def _lies_on(mark: Box, box: Box) -> bool:
    down = min(mark[3], box[3]) - max(mark[1], box[1])
    lower = min(mark[3] - mark[1], box[3] - box[1])
    return mark[0] < box[2] and box[0] < mark[2] and down > ON_A_LINE * lower


# --- M02 to M06


_HIDDEN_WORDS = {
    "faint": "in the colour of its ground",
    "tiny": "too small to read",
    "transparent": "transparent",
    "invisible": "invisible",
    "covered": "below something else",
    "off_page": "outside of the page",
    "hidden_layer": "in a hidden layer",
    "zero_width": "in characters without width",
    "wrong_letters": "with other letters than those printed",
    "layer_differs": "in the text layer below a scan, which shows something else",
}


def _unseen(rule: Rule, _: Extraction, document: Document, __: FlagContext) -> list[Flag]:
    """One flag for each page and way of hiding."""
    flags = []
    for page, at in zip(document.pages, document.page_starts, strict=True):
        by_kind: dict[str, list[str]] = {}
        for hidden in page.hidden:
            by_kind.setdefault(hidden.kind, []).append(hidden.text)
        for kind, texts in by_kind.items():
            box = next(hidden.box for hidden in page.hidden if hidden.kind == kind)
            flags.append(
                _made(
                    rule,
                    None,
                    found=f'{_HIDDEN_WORDS[kind]}: "{shorten(" / ".join(texts), LONGEST_FOUND, placeholder=" ...")}"',
                    reason=f"The file says more, or something else, than page {page.number} shows. It was read as a "
                    "person sees it; find out who put the text there before relying on the file.",
                    citation=_at(page, at, box),
                )
            )
    return flags


def _at(page: Page, start: int, box: Box) -> Citation:
    return Citation(
        page_number=page.number, page_end=page.number, box=box, char_start=start, char_end=start + len(page.text)
    )


def _unread(rule: Rule, _: Extraction, document: Document, __: FlagContext) -> list[Flag]:
    pages = zip(document.pages, document.page_starts, strict=True)
    return [_page_flag(rule, page, at) for page, at in pages if page.is_unread]


def _page_flag(rule: Rule, page: Page, at: int) -> Flag:
    seen = page.ocr_confidence
    sure = f" (confidence {seen:.2f})" if seen is not None else ""
    return _made(
        rule,
        None,
        found=f"page {page.number} could not be read well enough{sure}",
        reason=f"Read page {page.number} yourself: terms on it may be missing or wrong. A better scan helps.",
        citation=_at(page, at, (0.0, 0.0, page.width, page.height)),
    )


def _side_unknown(rule: Rule, extraction: Extraction, _: Document, context: FlagContext) -> list[Flag]:
    if extraction.term("our_role") is not None:
        return []
    ours = extraction.term("our_entity")
    if ours is not None:
        found = f"{ours.value} is ours, but whether it sells or buys is not clear"
        help_ = "Set our role in the review."
    elif context.our_entities:
        found = "no party is one of our entities"
        help_ = "Add the name that stands in the contract to `our_entities`, or say that it is not ours."
    else:
        found = "no party is known to be ours"
        help_ = "Set `our_entities` to the names of our own companies."
    return [_made(rule, ours, found=found, reason=f"Only rules for either side were applied. {help_}")]


def _to_a_machine(rule: Rule, extraction: Extraction, document: Document, _: FlagContext) -> list[Flag]:
    """One flag for each place at which the visible text gives orders to whatever reads it."""
    places = orders_to_machines(document.text, extraction.suspicious)
    return [
        _made(
            rule,
            None,
            found=shorten(document.text[start:end], LONGEST_FOUND, placeholder=" ..."),
            reason="The text speaks to a machine that reads it. Nothing of it was obeyed: values count by their "
            "quotations. Ask who put it there, and check the terms near it.",
            citation=cite(document, start, end),
            quote=document.text[start:end],
            evidence="verified",
        )
        for start, end in places
    ]


def _incomplete(rule: Rule, _: Extraction, document: Document, __: FlagContext) -> list[Flag]:
    """One flag for each exhibit or run of pages that the document says it has and has not."""
    return [
        _made(
            rule,
            None,
            found=f"{part.what} is referred to and is not in the document",
            reason=f"The document speaks of {part.what} as a part of it, and it was not found in the file. Ask for it: "
            "terms may stand there.",
            citation=cite(document, part.start, part.end),
            quote=document.text[part.start : part.end],
            evidence="verified",
        )
        for part in missing_parts(document)
    ]


def not_held(rule: Rule, said: Spoken) -> Flag:
    """The flag about a document that a contract hangs on and that is not in the warehouse."""
    dated = f" dated {said.dated.isoformat()}" if said.dated else ""
    number = f" no. {said.number}" if said.number and said.number not in said.title else ""
    return _made(
        rule,
        None,
        found=f"{said.title}{number}{dated} is not held",
        reason=f"This document hangs on the {said.title}{number}{dated}, which is not in the warehouse. Ask for it: "
        "until then nobody knows what else holds.",
        quote=said.quote,
        evidence="verified",
    )


_IN_CODE: dict[str, Callable[[Rule, Extraction, Document, FlagContext], list[Flag]]] = {
    "M01": _marked,
    "M02": _unseen,
    "M03": _unread,
    "M04": _incomplete,
    "M05": _side_unknown,
    "M06": _to_a_machine,
}
