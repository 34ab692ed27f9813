"""The brief, the queue with its filters and saved views, and bulk confirmation."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

from starlette.datastructures import QueryParams
from starlette.responses import Response

from review.shown import SEVERITIES, Facet, QueueRow
from review.web.links import Asked, asked, contract_href
from review.web.visit import Pages, Visit
from schemas.review import ReviewError

pages = Pages()
COLUMNS = (
    *(("severity", "severity"), ("reason", "priority"), ("found", None), ("contract", "contract")),
    *(("value", "value"), ("confidence", "confidence"), ("age", "age"), ("status", None)),
)
"""Of the queue, each with what it is sorted by."""
PAGE_SIZE = 50
_FIRST_FLAGS = 8


@pages.show("/")
def brief(visit: Visit) -> Response:
    """The morning brief: what arrived, what waits, what to decide first."""
    site = visit.site
    told = site.brief()
    queue = site.desk.queue(size=_FIRST_FLAGS)
    open_flags = {facet.value: facet.count for facet in queue.facets.get("severity", ())}
    data = {"brief": told, "flags": queue.rows, "open_flags": open_flags}
    counts = site.waiting()
    first = queue.rows[0] if queue.rows else None
    return visit.page(
        "brief.html",
        data,
        severities=SEVERITIES,
        waiting=counts["approvals"],
        conflicts=counts["conflicts"],
        figure=lambda section, metric: f"{told.figures.get(section, {}).get(metric, 0):,.0f}",
        first=contract_href(first.contract_id, "flag", first.flag_id) if first else "",
        contract_href=contract_href,
    )


@pages.show("/queue")
def queue(visit: Visit) -> Response:
    """What is to be decided, by severity, amount and doubt."""
    wanted = asked_of(visit)
    return _queue_page(visit, wanted)


@pages.do("/queue", role="viewer")
def search(visit: Visit) -> Response:
    """Search: the words travel in the form, so that they stand in no address."""
    query = visit.field("query", 2_000)
    q, counterparty = visit.field("q", 200), visit.field("counterparty", 300)
    key = visit.site.searches.keep(q, counterparty)
    wanted = asked(QueryParams(query), (q, counterparty) if key else None, key)
    if visit.wants_json:
        return _queue_page(visit, wanted)
    return visit.done(wanted.href(), {})


def _queue_page(visit: Visit, wanted: Asked) -> Response:
    found = visit.site.desk.queue(wanted.filters, wanted.sort, wanted.page, PAGE_SIZE)
    notice = visit.notice("lost_search" if wanted.is_lost else None)
    return visit.page(
        "queue.html",
        {"queue": found, "filters": wanted.filters, "views": visit.site.views(visit.person.name)},
        query=wanted.query(),
        queue_sort=wanted.sort,
        is_filtered=wanted.is_filtered,
        columns=COLUMNS,
        with_=wanted.href,
        toggled=wanted.toggled,
        page_href=lambda page: wanted.href(page=page),
        flag_href=flag_href(wanted),
        in_order=_in_order,
        **notice,
    )


def _in_order(name: str, facets: Sequence[Facet]) -> Sequence[Facet]:
    """Severities from the worst on; anything else as it comes, the most frequent first."""
    return sorted(facets, key=lambda facet: SEVERITIES.index(facet.value)) if name == "severity" else facets


@pages.do("/views", role="viewer")
def save_view(visit: Visit) -> Response:
    """Keep the filters that are set under a name."""
    query, name = visit.field("query", 2_000), visit.field("name", 60)
    if not name:
        raise ReviewError("The view has no name.", help="Give it one.", code="not_said")
    wanted = _asked(visit, query)
    q, counterparty = wanted.filters.q, "".join(wanted.filters.counterparty[:1])
    visit.site.save_view(visit.person.name, name, wanted.query(search=""), q, counterparty)
    return visit.done(f"{wanted.href()}{'&' if wanted.query() else '?'}said=view_saved", {"name": name})


@pages.do("/bulk", role="reviewer")
def confirm_together(visit: Visit) -> Response:
    """Ask for the chosen low flags to be confirmed; a second person approves."""
    day = day_of(visit, "effective_from")
    targets = visit.fields("targets")
    standing = visit.site.reviewing.confirm_all(
        visit.person, targets, owner=visit.field("owner", 200), effective_from=day
    )
    return visit.done("/approvals?said=bulk", {"standing": standing})


def day_of(visit: Visit, name: str) -> date:
    """A day of the form. Raises ReviewError when it is none."""
    try:
        return date.fromisoformat(visit.field(name, 20))
    except ValueError as error:
        raise ReviewError(f"{name} is no day.", help="Write it as 2026-01-31.", code="dates") from error


def asked_of(visit: Visit) -> Asked:
    """What the address asks of the queue, or the saved view that it names."""
    params = visit.request.query_params
    number = params.get("view")
    if number is None:
        key = params.get("search", "")
        return asked(params, visit.site.searches.of(key) if key else None, key)
    view = next((view for view in visit.site.views(visit.person.name) if str(view.number) == number), None)
    if view is None:
        raise ReviewError("There is no such view.", help="Choose one of yours in the queue.", code="not_found")
    key = visit.site.searches.keep(view.q, view.counterparty)
    return asked(QueryParams(view.query), (view.q, view.counterparty) if key else None, key)


def within(visit: Visit, query: str) -> Asked:
    """The filters that a contract was found with, from what its address or its form carries; without those that were
    lost or never were."""
    try:
        return _asked(visit, query)
    except ReviewError:
        return Asked(asked({}, None).filters)


def flag_href(wanted: Asked) -> Callable[[QueueRow], str]:
    """Addresses of the queue's flags that keep its filters."""
    href = partial(contract_href, within=wanted.query())
    return lambda row: href(row.contract_id, "flag", row.flag_id)


def _asked(visit: Visit, query: str) -> Asked:
    params = QueryParams(query)
    key = params.get("search", "")
    return asked(params, visit.site.searches.of(key) if key else None, key)
