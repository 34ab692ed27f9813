"""Words in all contracts: on which pages, or in which clauses, they stand."""

from starlette.responses import Response

from review.web.links import contract_href
from review.web.visit import Pages, Visit
from schemas.review import ReviewError
from warehouse.search import MOST_PLACES, phrases_of
from warehouse.search import search as search_in
from warehouse.words import TEXTS

pages = Pages()
_SHOWN = 50


@pages.show("/search")
def search(visit: Visit) -> Response:
    """What was found; before anything was searched for, the field."""
    q, _, is_lost = visit.searched()
    return _found(visit, q, _where(visit.request.query_params.get("in")), is_lost=is_lost)


@pages.do("/search", role="viewer")
def search_for(visit: Visit) -> Response:
    """Search: the words travel in the form, so that they stand in no address."""
    q, where = visit.field("q", 200), _where(visit.field("in", 20))
    if visit.wants_json:
        return _found(visit, q, where)
    key = visit.site.searches.keep(q, "")
    return visit.done(f"/search?search={key}&in={where}" if key else "/search", {})


def _where(given: str | None) -> str:
    if (given or TEXTS[0]) not in TEXTS:
        raise ReviewError("There is nothing to search by that name.", help="Go on from the search.", code="address")
    return given or TEXTS[0]


def _found(visit: Visit, q: str, where: str, *, is_lost: bool = False) -> Response:
    found = search_in(visit.site.root, phrases_of(q) or [q], where, _SHOWN) if q else None
    shown = dict.fromkeys(place.contract_id for place in found.places) if found else ()
    visit.tell_viewed(shown, body={"what": "search"})
    return visit.page(
        "search.html",
        {"found": found, "q": q, "where": where},
        texts=TEXTS,
        most=MOST_PLACES,
        place_href=lambda place: (
            f"{contract_href(place.contract_id, document=place.document_id)}#page-{place.page_number}"
        ),
        **(visit.notice("lost_search") if is_lost else {}),
    )
