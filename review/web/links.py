"""Addresses of the pages, and the filters in them. Ids stand in addresses, contracts' words never do."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, get_args
from urllib.parse import quote, urlencode, urlsplit

from starlette.datastructures import QueryParams

from review.shown import SEVERITIES, QueueFilters, QueueSort, QueueState
from schemas.review import ReviewError

MOST_PAGE = 100_000
_MANY = ("severity", "rule_id", "clause_type", "status")


def path_here(given: str) -> str:
    """The address if it is one of this server's pages, empty otherwise: nobody is sent elsewhere."""
    if not given.startswith("/") or given.startswith("//") or "\\" in given or any(ord(c) < 33 for c in given):
        return ""
    parts = urlsplit(given)
    return "" if parts.scheme or parts.netloc else given


def is_web(url: str) -> bool:
    """Whether a reference's address is one that a page may link to."""
    return urlsplit(url).scheme in ("http", "https")


def contract_href(
    contract_id: str, target: str | None = None, id: str | None = None, *, within: str = "", document: str = ""
) -> str:
    """A contract's page, with a term, flag or topic chosen; `within` are the queue's filters that it was found with."""
    given = {"target": target if id else None, "id": id, "document": document, "in": within}
    query = urlencode({name: value for name, value in given.items() if value})
    return f"/contracts/{quote(contract_id, safe='')}{'?' if query else ''}{query}"


class Asked(NamedTuple):
    """What of the queue is asked for. `search` is the key of the words searched for, `is_lost` that they are gone."""

    filters: QueueFilters
    sort: QueueSort = "priority"
    page: int = 1
    search: str = ""
    is_lost: bool = False

    def query(self, **changes: Any) -> str:
        """As it stands in an address, with some of it changed."""
        said = {name: getattr(self.filters, name) for name in ("state", "older_than_days", "least_value")}
        said |= {name: list(getattr(self.filters, name)) for name in _MANY}
        said |= {"contract_id": self.filters.contract_id, "sort": self.sort, "search": self.search, **changes}
        usual = {"state": "open", "sort": "priority", "page": 1}
        pairs = [(name, value) for name, value in said.items() if value not in (None, "", usual.get(name))]
        return urlencode(pairs, doseq=True)

    def href(self, **changes: Any) -> str:
        """The queue's address, with some of it changed."""
        query = self.query(**changes)
        return f"/queue?{query}" if query else "/queue"

    def toggled(self, name: str, value: str) -> str:
        """The queue's address with a value of a filter chosen, or no longer."""
        held = getattr(self.filters, name)
        return self.href(**{name: [one for one in held if one != value] if value in held else [*held, value]})

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return self.filters != QueueFilters(state=self.filters.state)


def asked(given: QueryParams | Mapping[str, str], words: tuple[str, str] | None, search: str = "") -> Asked:
    """What an address asks of the queue, with the words that were searched for. Raises ReviewError for a value that
    there is none of."""
    params = given if isinstance(given, QueryParams) else QueryParams(given)
    q, counterparty = words or ("", "")
    filters = QueueFilters(
        severity=_chosen("severity", tuple(params.getlist("severity")), SEVERITIES),
        rule_id=tuple(params.getlist("rule_id"))[:50],
        clause_type=tuple(params.getlist("clause_type"))[:50],
        status=tuple(params.getlist("status"))[:20],
        counterparty=(counterparty,) if counterparty else (),
        contract_id=params.get("contract_id") or None,
        older_than_days=whole(params, "older_than_days", 36_500),
        least_value=_amount(params.get("least_value")),
        q=q,
        state=_chosen("state", (params.get("state") or "open",), get_args(QueueState))[0],
    )
    sort = _chosen("sort", (params.get("sort") or "priority",), get_args(QueueSort))[0]
    page = whole(params, "page", MOST_PAGE) or 1
    return Asked(filters, sort, page, search if words else "", bool(search) and words is None)


def whole(params: Mapping[str, str], name: str, most: int) -> int | None:
    """A whole number of an address, None when it is not there. Raises ReviewError when it is none."""
    text = params.get(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 0 < int(text) <= most:
        raise ReviewError(f"{name} is no number from 1 to {most}.", help="Correct the address.", code="address")
    return int(text)


def _chosen(name: str, given: tuple[str, ...], known: tuple[Any, ...]) -> tuple[Any, ...]:
    for one in given:
        if one not in known:
            raise ReviewError(f"There is no such {name}.", help=f"Choose of {', '.join(known)}.", code="address")
    return given


def _amount(text: str | None) -> Decimal | None:
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise ReviewError("least_value is no amount.", help="Write it as 1200.50.", code="address")
    return amount
