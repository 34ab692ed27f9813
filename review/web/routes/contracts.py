"""The list of contracts, one contract with its pages beside its findings, and the pictures of pages and marks."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from starlette.responses import JSONResponse, Response

from review.actions import is_material
from review.loop.sampling import is_blind
from review.pictures import PictureKind
from review.shown import ContractView, Item, Picture, QuoteBox
from review.web.links import MOST_PAGE, contract_href, is_web, whole
from review.web.routes.queue import flag_href, within
from review.web.visit import Pages, Visit
from schemas.review import DECISIONS, REASON_CODES, SETTLED, ReviewError, TargetName
from schemas.terms import TERM_BY_NAME

pages = Pages()
KEYS = dict(zip(DECISIONS, ("c", "o", "r", "x", "i", "e"), strict=True))
_LIST_SIZE = 50
_SEEN_BLIND = ("term_id", "contract_id", "document_id", "term", "status")
_KINDS: dict[str, PictureKind] = {"page": "page", "straight": "straight", "original": "original"}


class PlacedBox(NamedTuple):
    """A line of quoted words on a page, and what was read from it."""

    id: str
    name: str
    kind: str
    x: float
    y: float
    width: float
    height: float


@pages.show("/contracts")
def contracts(visit: Visit) -> Response:
    """All contracts."""
    q, key, is_lost = visit.searched()
    return _list(visit, q, key, is_lost=is_lost)


@pages.do("/contracts", role="viewer")
def search(visit: Visit) -> Response:
    """Search: the words travel in the form, so that they stand in no address."""
    q = visit.field("q", 200)
    key = visit.site.searches.keep(q, "")
    return (
        _list(visit, q, key)
        if visit.wants_json
        else visit.done(f"/contracts?search={key}" if key else "/contracts", {})
    )


def _list(visit: Visit, q: str, key: str, *, is_lost: bool = False) -> Response:
    page = whole(visit.request.query_params, "page", MOST_PAGE) or 1
    found = visit.site.desk.contracts(q, page, _LIST_SIZE)
    return visit.page(
        "contracts.html",
        {"contracts": found, "q": q},
        contract_href=contract_href,
        page_href=lambda page: f"/contracts?page={page}{f'&search={key}' if key else ''}",
        **(visit.notice("lost_search") if is_lost else {}),
    )


@pages.show("/contracts/{contract_id}")
def contract(visit: Visit, contract_id: str) -> Response:
    """A contract: its pages beside its flags, terms, topics and all that belongs to it."""
    site, params = visit.site, visit.request.query_params
    read = site.desk.contract(contract_id)
    blind = blind_in(read, site.settings.review_blind_share) if visit.person.may("reviewer") else frozenset()
    view = _blinded(read, blind)
    chosen = _chosen(view, params.get("target"), params.get("id"))
    visit.tell("viewed", contract_id, **({"target": chosen.target, "target_id": chosen.id} if chosen else {}))
    documents = [row["document_id"] for row in view.documents]
    document_id = params.get("document") if params.get("document") in documents else (documents[:1] or [None])[0]
    boxes = site.pictures.boxes(view) if document_id == (documents[:1] or [None])[0] else {}
    queue = within(visit, params.get("in", ""))
    flag_id = chosen.id if chosen and chosen.target == "flag" else None
    signed = site.store.sign_offs(contract_id)
    shown = _Shown(visit, view, queue.query())
    return visit.page(
        "contract.html",
        {
            "view": view,
            "boxes": boxes,
            "neighbours": site.desk.around(flag_id, queue.filters, queue.sort) if flag_id else None,
            "sign_off": signed[0] if signed else None,
            "open_critical": len(site.reviewing.open_critical(contract_id)),
        },
        chosen=chosen,
        within=queue.query(),
        document_id=document_id,
        pages=[page for page in view.pages if page.document_id == document_id],
        boxes=_placed(view, boxes, shown),
        blind=blind,
        is_material=is_material(view.contract.get("total_value"), site.settings.review_materiality),
        is_picture=any(page.capture_class != "digital" for page in view.pages),
        sections=_sections(view),
        decisions=tuple(KEYS.items()),
        reason_codes=REASON_CODES,
        flag_href=flag_href(queue),
        contract_href=contract_href,
        is_web=is_web,
        is_open=is_open,
        label_of=shown.label,
        form_of=shown.form,
        choices_of=_choices,
        shown_value=lambda item: _shown_value(item),
        topic_title=shown.topic,
        name_of=shown.name_of,
        family_name=shown.family_name,
        item_href=shown.href,
        **visit.notice(),
    )


class _Shown:
    """How items of one contract are named and reached on its page."""

    def __init__(self, visit: Visit, view: ContractView, query: str):
        self._visit, self._view, self._query = visit, view, query
        self._titles = visit.site.rule_titles(visit.language)

    def label(self, item: Item) -> str:
        match item.target:
            case "term":
                return self._visit.t(f"term.{item.name}")
            case "flag":
                return f"{item.name} {self._titles.get(item.name, '')}".strip()
            case _:
                return self.topic(item.name)

    def topic(self, name: str) -> str:
        said = self._visit.t(f"topic.{name}")
        return said if said != name else name.capitalize()

    def form(self, item: Item) -> str:
        spec = TERM_BY_NAME.get(item.name) if item.target == "term" else None
        return self._visit.t(f"form.{spec.type if spec else 'text'}", choices=", ".join(_choices(item)))

    def name_of(self, target: TargetName, id: str) -> str:
        item = self._view.item(target, id)
        return self.label(item) if item else id

    def family_name(self, contract_id: str) -> str:
        found = (member for member in self._view.family if member.contract_id == contract_id)
        member = next(found, None)
        return (member.title or member.file_name if member else None) or contract_id

    def href(self, item: Item | None, document: str = "") -> str:
        target, id = (item.target, item.id) if item else (None, None)
        return contract_href(self._view.contract_id, target, id, within=self._query, document=document)


def is_open(item: Item) -> bool:
    """Whether somebody still has to decide on it."""
    waits = item.standing is not None and item.standing.state == "waiting"
    return item.status not in SETTLED and not waits


def blind_in(view: ContractView, share: float) -> frozenset[str]:
    """The terms that are shown without what was read, to measure how much that sways people: a few, drawn by their
    ids, until somebody has decided on them."""
    return frozenset(
        item.id
        for item in view.terms
        if item.standing is None and item.decided is None and not item.conflict and is_blind(item.id, share)
    )


def _blinded(view: ContractView, blind: frozenset[str]) -> ContractView:
    """The view without what was read of the blind terms, nor where."""

    def without(item: Item) -> Item:
        row = {name: value if name in _SEEN_BLIND else None for name, value in item.row.items()}
        return item.model_copy(update={"value": None, "page_number": None, "row": row})

    terms = tuple(without(item) if item.id in blind else item for item in view.terms)
    return view.model_copy(update={"terms": terms}) if blind else view


def _chosen(view: ContractView, target: str | None, id: str | None) -> Item | None:
    """The item that an address names, else the first flag to decide, else the first there is."""
    if target is not None or id is not None:
        known = {"term", "flag", "asc606"}
        item = view.item(target, id) if target in known and id else None
        if item is None:
            raise ReviewError(
                "There is no such term, flag or topic in this contract any more.",
                help="Open the contract without it; a newer reading may have replaced it.",
                code="not_found",
            )
        return item
    items = (*view.flags, *view.terms)
    return next((flag for flag in view.flags if is_open(flag)), items[0] if items else None)


def _choices(item: Item) -> tuple[str, ...]:
    spec = TERM_BY_NAME.get(item.name) if item.target == "term" else None
    return ("true", "false") if spec and spec.type == "flag" else spec.choices if spec else ()


def _shown_value(item: Item) -> str:
    """A value as people read it: amounts with thousands apart."""
    spec = TERM_BY_NAME.get(item.name)
    if spec and spec.type == "money" and item.value and item.value.replace(".", "", 1).isdigit():
        return f"{float(item.value):,.2f}".removesuffix(".00")
    return item.value or ""


def _sections(view: ContractView) -> list[tuple[str, int | None]]:
    money = (*view.fee_lines, *view.billing_schedule, *view.obligations, *view.document_references)
    counted = {"flags": view.flags, "terms": view.terms, "asc606": view.topics, "family": view.family}
    counted |= {"marks": view.marks, "money": money}
    there = [(name, len(rows)) for name, rows in counted.items() if rows or name in ("flags", "terms")]
    return [*there, ("sign-off", None), ("history", None)]


def _placed(view: ContractView, boxes: Mapping[str, tuple[QuoteBox, ...]], shown: _Shown) -> dict[int, list[PlacedBox]]:
    """Boxes by page, the large ones below the small, so that each can be reached."""
    on: dict[int, list[PlacedBox]] = defaultdict(list)
    for item in (*view.topics, *view.terms, *view.flags):
        for box in boxes.get(item.id, ()):
            kind = item.row["severity"] if item.target == "flag" else "plain"
            size = (round(box.x1 - box.x0 + 2, 1), round(box.y1 - box.y0 + 2, 1))
            on[box.page_number].append(
                PlacedBox(item.id, shown.label(item), kind, round(box.x0 - 1, 1), round(box.y0 - 1, 1), *size)
            )
    return {page: sorted(found, key=lambda box: -box.width * box.height) for page, found in on.items()}


@pages.show("/documents/{document_id}/pages/{page_number}.jpg")
def picture(visit: Visit, document_id: str, page_number: int) -> Response:
    """A page as a JPEG: upright, or as it came."""
    params = visit.request.query_params
    width = whole(params, "width", 10_000) or 1600
    kind = _KINDS.get("original" if params.get("original") else params.get("kind", "page"))
    if kind is None:
        raise ReviewError("There is no such kind of picture.", help=f"Choose of {', '.join(_KINDS)}.", code="address")
    pictures = visit.site.pictures
    tag = pictures.tag(document_id, page_number, kind=kind, width=width)
    return _picture(visit, tag, lambda: pictures.page(document_id, page_number, kind=kind, width=width))


@pages.show("/documents/{document_id}/pages/{page_number}/words")
def words_of_page(visit: Visit, document_id: str, page_number: int) -> Response:
    """The words of a page with their boxes, always as JSON."""
    return JSONResponse(visit.site.pictures.words(document_id, page_number).model_dump(mode="json"))


@pages.show("/marks/{document_id}/{number}.png")
def mark(visit: Visit, document_id: str, number: int) -> Response:
    """The picture of a mark on the paper."""
    picture = visit.site.pictures.mark(document_id, number)
    return _picture(visit, picture.tag, lambda: picture)


def _picture(visit: Visit, tag: str, draw: Callable[[], Picture]) -> Response:
    """The picture, or only that it is still the same. The browser keeps it but asks each time, so that who signed out
    or a contract that was forgotten leaves nothing to be shown."""
    headers = {"etag": f'"{tag}"', "cache-control": "private, no-cache"}
    if visit.request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    picture = draw()
    return Response(picture.data, media_type=picture.media_type, headers=headers)
