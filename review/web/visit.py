"""A visit: one request, who makes it, and how it is answered, as a page or as JSON.

Every page and every form goes through `Pages`, which asks for a role and, where something is changed, for the token
that only this visitor's own pages hold.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple, get_args

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from review.accounts import COOKIE, Session, check_csrf
from review.web.links import path_here
from review.web.plain import plain
from review.web.site import Site
from review.web.words import LANGUAGES, word
from schemas.phrases import Language
from schemas.review import NewEvent, Person, ReviewError, Role

FORM_COOKIE = "contract_agent_form"
"""Binds forms to a browser that has no session yet: signing in, and choosing a language."""
LANGUAGE_COOKIE = "contract_agent_language"
_YEAR = 31_536_000
_FORWARDED = frozenset(("forwarded", "via", "x-forwarded-for", "x-real-ip"))
"""Headers that a proxy adds."""
SHORTCUTS = (
    (("n", "j"), "next"),
    (("p", "k"), "previous"),
    *(((key,), name) for key, name in (("c", "confirm"), ("o", "override"), ("r", "reject"), ("x", "not_applicable"))),
    *(((key,), name) for key, name in (("i", "needs_info"), ("e", "escalate"), ("m", "note"), ("u", "undo"))),
    (("+", "−", "0"), "zoom"),
    (("[", "]"), "turn"),
    *(((key,), name) for key, name in (("b", "beside"), ("q", "queue"), ("/", "search"), ("Enter", "open"))),
    (("Space",), "choose"),
    (("?",), "help"),
)


class Visitor(NamedTuple):
    """Who is signed in. `session` is the cookie's token; `is_new` says that it has to be set."""

    person: Person
    session: str
    csrf: str
    is_new: bool


class Part(NamedTuple):
    """A place in the navigation, and how much waits there."""

    name: str
    href: str
    count: int = 0


class Visit:
    """One request. `visitor` is None where nobody is signed in, which only public pages are for."""

    def __init__(self, request: Request, visitor: Visitor | None, form: Mapping[str, Any]):
        self.request, self.visitor, self.form = request, visitor, form
        self.site: Site = request.app.state.site
        self.language = _language(request, self.site)
        self.form_token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(32)
        self.wants_json = _wants_json(request)

    @property
    def person(self) -> Person:
        """Who acts; only for pages that ask for a role."""
        if self.visitor is None:
            raise _sign_in_first()
        return self.visitor.person

    def t(self, name: str, **values: Any) -> str:
        """The page's words of that name in the visitor's language."""
        return word(self.language, name, **values)

    def page(self, template: str, data: Mapping[str, Any], *, status: int = 200, **only_page: Any) -> Response:
        """`data` as JSON, or in the template together with what only a page needs."""
        if self.wants_json:
            return self._with_cookies(JSONResponse(plain(data), status))
        text = self.site.templates.get_template(template).render(self._shared() | dict(data) | only_page)
        return self._with_cookies(HTMLResponse(text, status))

    def done(self, href: str, data: Mapping[str, Any]) -> Response:
        """After something was done: the data as JSON, or on to another page."""
        if self.wants_json:
            return self._with_cookies(JSONResponse(plain(data)))
        return self._with_cookies(RedirectResponse(href, 303))

    def back(self, data: Mapping[str, Any], said: str, otherwise: str) -> Response:
        """As `done`, to where the form came from, with the page's words `said.<said>`."""
        href = path_here(self.field("back")) or otherwise
        bare, mark, fragment = href.partition("#")
        return self.done(f"{bare}{'&' if '?' in bare else '?'}said={said}{mark}{fragment}", data)

    def notice(self, said: str | None = None) -> dict[str, str]:
        """What is to be told here, as the page before said if it is not given."""
        said = self.request.query_params.get("said", "") if said is None else said
        known = said.isidentifier() and self.t(f"said.{said}") != said.replace("_", " ")
        text = self.t(f"said.{said}") if known else ""
        return {"notice": text, "notice_kind": "warn" if said in ("waiting", "lost_search") else "good"}

    def field(self, name: str, most: int = 5_000) -> str:
        """A field of the form, empty when it is not there. Raises ReviewError when it is too long."""
        value = self.form.get(name, "")
        value = value[0] if isinstance(value, list) and value else value
        text = "" if value is None or isinstance(value, list | dict) else str(value).replace("\r\n", "\n").strip()
        if len(text) > most or "\x00" in text:
            raise ReviewError(f"The field {name} can't be used.", help=f"At most {most} characters.", code="form")
        return text

    def fields(self, name: str) -> list[str]:
        """All values of a field."""
        value = self.form.get(name, [])
        return [str(one) for one in value] if isinstance(value, list) else [str(value)]

    def tell(self, action: Any, contract_id: str | None = None, **more: Any) -> None:
        """Write into the audit log that something was looked at or taken along."""
        self.site.store.append(
            NewEvent(actor=self.person.name, action=action, contract_id=contract_id, **more)  # before it is shown
        )

    def tell_viewed(self, contract_ids: Iterable[str], **more: Any) -> None:
        """As `tell`, of all the contracts that one page shows: written once."""
        seen = [NewEvent(actor=self.person.name, action="viewed", contract_id=id, **more) for id in contract_ids]
        if seen:
            self.site.store.append(*seen)

    def searched(self) -> tuple[str, str, bool]:
        """The words that the address's key stands for, the key, and whether they are kept no longer."""
        key = self.request.query_params.get("search", "")
        kept = self.site.searches.of(key)
        return (kept[0], key, False) if kept else ("", "", bool(key))

    def cookie(self, answer: Response, name: str, value: str, most_seconds: int | None = None) -> None:
        """Set a cookie that scripts can't read and other sites can't send."""
        is_secure = self.request.url.scheme == "https"
        answer.set_cookie(name, value, max_age=most_seconds, httponly=True, samesite="strict", secure=is_secure)

    def choose_language(self, language: str, answer: Response) -> None:
        """Keep the language of this browser."""
        self.cookie(answer, LANGUAGE_COOKIE, language, _YEAR)

    def _with_cookies(self, answer: Response) -> Response:
        if self.visitor and self.visitor.is_new:
            self.cookie(answer, COOKIE, self.visitor.session)
        if self.visitor is None and FORM_COOKIE not in self.request.cookies:
            self.cookie(answer, FORM_COOKIE, self.form_token)
        return answer

    def _shared(self) -> dict[str, Any]:
        person = self.visitor.person if self.visitor else None
        return {
            "t": self.t,
            "language": self.language,
            "languages": LANGUAGES.items(),
            "visitor": self.visitor,
            "token": self.visitor.csrf if self.visitor else self.form_token,
            "build": self.site.build,
            "address": _address(self.request),
            "here": _part_of(self.request.url.path),
            "parts": self._parts() if person else (),
            "more": _MORE if person and person.may("admin") else _MORE[:-1],
            "shortcuts": SHORTCUTS,
            "may_decide": person is not None and person.may("reviewer"),
            "may_approve": person is not None and person.may("approver"),
            "today": datetime.now(UTC).date().isoformat(),
            "rule_title": lambda id: self.site.rule_titles(self.language).get(id, ""),
            "notice": "",
            "notice_kind": "",
        }

    def _parts(self) -> list[Part]:
        counts = self.site.waiting()
        return [Part(name, href, counts.get(name, 0)) for name, href in _PARTS]


_PARTS = (
    *(("brief", "/"), ("queue", "/queue"), ("contracts", "/contracts"), ("search", "/search")),
    *(("approvals", "/approvals"), ("conflicts", "/conflicts"), ("periods", "/periods")),
)
_MORE = (
    *(Part("rules", "/rule-overrides"), Part("agreement", "/agreement"), Part("compare", "/compare")),
    *(Part("redline", "/redline"), Part("audit", "/audit")),
)


def _part_of(path: str) -> str:
    return next(
        (name for name, href in _PARTS if href != "/" and path.startswith(href)), "brief" if path == "/" else ""
    )


def _address(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return path_here(request.url.path + query) or "/"


def _language(request: Request, site: Site) -> Language:
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in get_args(Language) else site.settings.reviewer_language


def _wants_json(request: Request) -> bool:
    if request.scope.get("state", {}).get("as_json"):
        return True
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def _sign_in_first() -> ReviewError:
    return ReviewError("Nobody is signed in.", help="Sign in first.", code="sign_in_first")


def visitor_of(request: Request, *, may_begin: bool) -> Visitor | None:
    """Who makes the request: whom a trusted proxy names, else whose session the cookie is of; on loopback without
    accounts the person of this machine, if a session may begin. What came over a proxy is not of this machine."""
    site: Site = request.app.state.site
    token = request.cookies.get(COOKIE)
    session = site.accounts.session(token)
    if may_begin and (told := site.accounts.behind_proxy(request.state.peer, request.headers)):
        is_same = session is not None and session.person.name == told.name
        return _visitor(session if is_same else site.accounts.begin(told), is_new=not is_same)
    if session is not None:
        return _visitor(session, is_new=False)
    is_here = may_begin and request.method in ("GET", "HEAD") and not _FORWARDED.intersection(request.headers)
    if is_here and site.is_local:
        return _visitor(site.accounts.sign_in_here(), is_new=True)
    return None


def _visitor(session: Session, *, is_new: bool) -> Visitor:
    return Visitor(session.person, session.token, session.csrf, is_new)


async def _form(request: Request) -> dict[str, Any]:
    """What was sent, as a form or as JSON; lists where a name came twice."""
    if request.method in ("GET", "HEAD"):
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return await _json(request)
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data", ""):
        raise ReviewError(f"{kind} can't be read.", help="Send a form, or JSON.", code="form")
    form = await request.form(max_files=0, max_fields=1_000)
    found: dict[str, Any] = {}
    for name in form:
        values = form.getlist(name)
        found[name] = values[0] if len(values) == 1 else values
    return found


async def _json(request: Request) -> dict[str, Any]:
    try:
        sent = await request.json()
    except (ValueError, RecursionError) as error:
        raise ReviewError("What was sent is no JSON.", help="Send an object.", code="form") from error
    if not isinstance(sent, dict):
        raise ReviewError("What was sent is no JSON object.", help="Send an object.", code="form")
    return sent


def _check_token(visit: Visit) -> None:
    given = visit.request.headers.get("x-csrf-token") or visit.field("csrf")
    if visit.visitor is not None:
        session = Session(token=visit.visitor.session, person=visit.visitor.person, csrf=visit.visitor.csrf)
        check_csrf(session, given)
        return
    held = visit.request.cookies.get(FORM_COOKIE)
    if not held or not given or not secrets.compare_digest(held.encode(), given.encode()):
        raise ReviewError("The form is not from this browser.", help="Load the page again.", code="csrf")


def _visits(role: Role | None) -> Callable[[Request], Any]:
    async def visit(request: Request) -> Visit:
        visitor = await run_in_threadpool(visitor_of, request, may_begin=role is not None)
        request.state.visitor = visitor
        if role is not None and visitor is None:
            raise _sign_in_first()
        made = Visit(request, visitor, await _form(request))
        if request.method not in ("GET", "HEAD"):
            _check_token(made)
        if role is not None and not made.person.may(role):
            raise ReviewError(
                f"{made.person.name} is {made.person.role}; this takes the role {role}.",
                help=f"An admin gives it: `contract-agent account role {made.person.name} {role}`.",
                code="role",
            )
        return made

    return visit


class Pages(APIRouter):
    """Routes that each name the role they ask for; None is for pages that anybody may see."""

    def show(self, path: str, role: Role | None = "viewer") -> Callable[[Callable], Callable]:
        """A page."""
        return self._route(path, "GET", role)

    def do(self, path: str, role: Role | None) -> Callable[[Callable], Callable]:
        """A form, with the token of its visitor."""
        return self._route(path, "POST", role)

    def _route(self, path: str, method: str, role: Role | None) -> Callable[[Callable], Callable]:
        methods = ["GET", "HEAD"] if method == "GET" else [method]

        def keep(function: Callable) -> Callable:
            function.__annotations__["visit"] = Annotated[Visit, Depends(_visits(role))]
            self.add_api_route(path, function, methods=methods, response_model=None)
            return function

        return keep
