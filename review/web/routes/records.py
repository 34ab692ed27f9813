"""What was kept: conflicts, the audit log, how often people agreed, and the export for the close."""

import csv
import io
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from starlette.responses import Response, StreamingResponse

from review.audit import lines
from review.shown import Conflict
from review.web.links import contract_href, whole
from review.web.visit import Pages, Visit
from schemas.review import ReviewError
from warehouse.read import query

pages = Pages()
_EVENTS = 100
_MOST_NUMBER = 999_999_999


@pages.show("/conflicts")
def conflicts(visit: Visit) -> Response:
    """Decisions that what was read later contradicts."""
    titles = visit.site.rule_titles(visit.language)

    def field_name(target: str, name: str | None) -> str:
        if name is None:
            return ""
        return visit.t(f"term.{name}") if target == "term" else f"{name} {titles.get(name, '')}".strip()

    found: list[Conflict] = visit.site.desk.conflicts()
    return visit.page("conflicts.html", {"conflicts": found}, contract_href=contract_href, field_name=field_name)


@pages.show("/audit", role="admin")
def audit(visit: Visit) -> Response:
    """The last events, and whether the chain holds."""
    before = whole(visit.request.query_params, "before", _MOST_NUMBER)
    store = visit.site.store
    last = store.last()
    first = max(0, (before - 1 if before else last) - _EVENTS)
    events = [e for e in store.events(after=first, limit=_EVENTS) if before is None or e.number < before][::-1]
    bare = [event.model_dump(exclude={"body"}) for event in events]
    return visit.page(
        "audit.html", {"events": bare, "last": last, "broken": _broken(visit)}, contract_href=contract_href
    )


def _broken(visit: Visit) -> str:
    try:
        visit.site.store.verify()
    except ReviewError as error:
        return str(error)
    return ""


@pages.show("/audit.csv", role="admin")
def audit_csv(visit: Visit) -> Response:
    """The whole audit log."""
    visit.tell("exported", body={"what": "audit"})
    headers = {"content-disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(lines(visit.site.store), media_type="text/csv; charset=utf-8", headers=headers)


@pages.show("/export/close.csv", role="reviewer")
def close_csv(visit: Visit) -> Response:
    """The values for the close: only what a person confirmed or overrode and what was landed."""
    visit.tell("exported", body={"what": "close"})
    columns, rows = query(visit.site.root, _CLOSE)
    return _csv("close.csv", columns, rows)


_CLOSE = """
SELECT contract_id, title, counterparty, term, reviewed_value AS value, unit, status, reason_code, reviewer, approver,
    decided_at, quote, file_name, page_number
FROM reviewed_terms WHERE for_close ORDER BY contract_id, term
"""


def _csv(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: Any) -> Any:
    """The value; a text that a spreadsheet would take for a formula has an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


@pages.show("/agreement")
def agreement(visit: Visit) -> Response:
    """How often people agreed with what was proposed, and what a decision takes them."""
    found = visit.site.agreement()
    decided = [event.body or {} for event in visit.site.store.events(actions=["decided"])]
    seconds = [body["seconds"] for body in decided if body.get("seconds") is not None]
    keystrokes = [body["keystrokes"] for body in decided if body.get("keystrokes") is not None]
    counted = [row for by in ("field", "rule", "topic") for row in found.by[by]]
    total, agreed = sum(row.decisions for row in counted), sum(row.agreed for row in counted)
    figures = {
        "decisions": len(decided),
        "overall": f"{agreed / total:.0%}" if total else "–",
        "seconds": f"{median(seconds):.1f}" if seconds else "–",
        "keystrokes": f"{median(keystrokes):g}" if keystrokes else "–",
        "anchoring": _between(found.anchoring.difference, found.anchoring.low, found.anchoring.high),
        "error": _between(found.error.share, found.error.low, found.error.high),
    }
    return visit.page(
        "agreement.html",
        {"figures": figures, **found._asdict()},
        figures=figures.items(),
        tables=found.by.items(),
        sample=found.to_look_at,
        contract_href=contract_href,
    )


def _between(share: float | None, low: float | None, high: float | None) -> str:
    """A share with its interval, as people read it."""
    return "–" if share is None or low is None or high is None else f"{share:.1%} ({low:.0%} – {high:.0%})"
