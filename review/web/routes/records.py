"""What was kept: conflicts, the audit log, how often people agreed, and the export for the close."""

import csv
import io
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, NamedTuple

from starlette.responses import Response

from review.shown import Conflict
from review.web.links import contract_href, whole
from review.web.visit import Pages, Visit
from schemas.review import Event, ReviewError
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
    return visit.page("audit.html", {"events": bare, "last": last, "broken": _broken(visit)}, contract_href=contract_href)


def _broken(visit: Visit) -> str:
    try:
        visit.site.store.verify()
    except ReviewError as error:
        return str(error)
    return ""


@pages.show("/audit.csv", role="admin")
def audit_csv(visit: Visit) -> Response:
    """The whole audit log without the contracts' words."""
    visit.tell("exported", target_id="audit")
    names = [name for name in Event.model_fields if name != "body"]
    events = visit.site.store.events()
    rows = ([getattr(event, name) for name in names] for event in events)
    return _csv("audit.csv", names, ([" ".join(map(str, v)) if isinstance(v, tuple) else v for v in row] for row in rows))


@pages.show("/export/close.csv", role="reviewer")
def close_csv(visit: Visit) -> Response:
    """The values for the close: only what a person confirmed or overrode and what was landed."""
    visit.tell("exported", target_id="close")
    columns, rows = query(visit.site.root, _CLOSE)
    return _csv("close.csv", columns, rows)


_CLOSE = """
SELECT contract_id, term, value, unit, status, reviewer, approver, decided_at, quote, document_id, page_number
FROM reviewed_terms WHERE status IN ('confirmed', 'overridden') ORDER BY contract_id, term
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


class Agreed(NamedTuple):
    """How many decisions there are on something, and how many left what was proposed as it was."""

    name: str
    decided: int
    agreed: int


@pages.show("/agreement")
def agreement(visit: Visit) -> Response:
    """How often people agreed with what was proposed, and what a decision takes them."""
    tables = {by: _agreed(visit, sql) for by, sql in _AGREED.items()}
    decided = [event.body or {} for event in visit.site.store.events(actions=["decided"])]
    seconds = [body["seconds"] for body in decided if body.get("seconds") is not None]
    keystrokes = [body["keystrokes"] for body in decided if body.get("keystrokes") is not None]
    total = [sum(row.decided for row in tables[by]) for by in ("field", "rule")]
    agreed = [sum(row.agreed for row in tables[by]) for by in ("field", "rule")]
    figures = {
        "decisions": len(decided),
        "overall": f"{sum(agreed) / sum(total):.0%}" if sum(total) else "–",
        "seconds": f"{median(seconds):.1f}" if seconds else "–",
        "keystrokes": f"{median(keystrokes):g}" if keystrokes else "–",
    }
    return visit.page("agreement.html", {"figures": figures, "by": tables}, figures=figures.items(), tables=tables.items())


def _agreed(visit: Visit, sql: str) -> list[Agreed]:
    return [Agreed(str(name), decided, agreed) for name, decided, agreed in query(visit.site.root, sql)[1]]


_LAST = """
WITH v AS (
    SELECT target, target_id, arg_max(decision, decided_at) AS decision FROM reviews GROUP BY ALL
    HAVING arg_max(decision, decided_at) IN ('confirmed', 'overridden', 'rejected', 'not_applicable')
)
"""
_COUNTED = "count(*), count(*) FILTER (v.decision = 'confirmed')"
_AGREED = {
    "field": f"{_LAST} SELECT t.term, {_COUNTED} FROM v JOIN terms t ON t.term_id = v.target_id GROUP BY 1 ORDER BY 2 DESC, 1",
    "rule": f"{_LAST} SELECT f.rule_id, {_COUNTED} FROM v JOIN flags f ON f.flag_id = v.target_id GROUP BY 1 ORDER BY 2 DESC, 1",
    "engine": f"{_LAST} SELECT coalesce(t.extractor, '-'), {_COUNTED} FROM v JOIN terms t ON t.term_id = v.target_id GROUP BY 1 ORDER BY 1",
    "capture_class": f"""{_LAST} SELECT coalesce(c.capture_class, '-'), {_COUNTED}
        FROM v JOIN (SELECT term_id AS id, contract_id FROM terms UNION ALL SELECT flag_id, contract_id FROM flags) t
        ON t.id = v.target_id JOIN contracts c USING (contract_id) GROUP BY 1 ORDER BY 1""",
}
