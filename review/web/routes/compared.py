"""Contracts side by side, and two versions clause by clause."""

from starlette.responses import Response

from review.compared import redlined, side_by_side
from review.web.links import contract_href
from review.web.visit import Pages, Visit
from schemas.review import ReviewError

pages = Pages()
_MOST = 6


@pages.show("/compare")
def compare(visit: Visit) -> Response:
    """The terms of some contracts next to each other."""
    ids = _ids(visit)
    visit.tell_viewed(ids)
    table = side_by_side(visit.site.desk, ids) if len(ids) > 1 else None
    return visit.page("compare.html", {"table": table}, contract_href=contract_href)


@pages.show("/redline")
def redline(visit: Visit) -> Response:
    """What changed from one version to the other."""
    params = visit.request.query_params
    pair = [id for id in (params.get("old"), params.get("new")) if id] or _ids(visit)[:2]
    visit.tell_viewed(pair if len(pair) == 2 else ())
    found = redlined(visit.site.desk, *pair) if len(pair) == 2 else None
    return visit.page("redline.html", {"redline": found}, contract_href=contract_href)


def _ids(visit: Visit) -> list[str]:
    ids = list(dict.fromkeys(visit.request.query_params.getlist("contract")))
    if len(ids) > _MOST:
        raise ReviewError(
            f"{len(ids)} contracts don't fit next to each other.", help=f"At most {_MOST}.", code="address"
        )
    return ids
