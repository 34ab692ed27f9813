"""Signing in and out, and the language of the pages."""

from typing import get_args
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from review.accounts import COOKIE
from review.web.links import path_here
from review.web.visit import Pages, Visit
from schemas.phrases import Language
from schemas.review import ReviewError

pages = Pages()


@pages.show("/healthz", role=None)
def health(visit: Visit) -> Response:
    """Whether pages can be served: the decisions can be read. Says nothing else, as anybody may ask."""
    visit.site.store.last()
    return JSONResponse({"status": "ok"})


@pages.show("/sign-in", role=None)
def sign_in_form(visit: Visit) -> Response:
    """The form, or on to the pages for who is signed in."""
    following = path_here(visit.request.query_params.get("next", "")) or "/"
    if visit.visitor is not None:
        return visit.done(following, {"person": visit.visitor.person})
    data = {"csrf": visit.form_token}
    return visit.page("sign_in.html", data, next=following, problem="")


@pages.do("/sign-in", role=None)
def sign_in(visit: Visit) -> Response:
    """A session under a new token; what the browser had before is worth nothing any more."""
    following = path_here(visit.field("next")) or "/"
    address = visit.request.client.host if visit.request.client else "-"
    try:
        session = visit.site.accounts.sign_in(visit.field("name", 200), visit.field("password", 1_000), address)
    except ReviewError as error:
        if visit.wants_json or error.code not in ("sign_in", "wait"):
            raise
        status = 429 if error.code == "wait" else 401
        return visit.page("sign_in.html", {}, status=status, next=following, problem=str(error))
    if visit.visitor is not None:
        visit.site.accounts.sign_out(visit.visitor.session)
    answer = visit.done(following, {"person": session.person, "csrf": session.csrf})
    visit.cookie(answer, COOKIE, session.token)
    return answer


@pages.do("/sign-out", role="viewer")
def sign_out(visit: Visit) -> Response:
    """End the session."""
    if visit.visitor is not None:
        visit.site.accounts.sign_out(visit.visitor.session)
    answer = visit.done("/sign-in", {"signed_out": True})
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    answer.headers["clear-site-data"] = '"cache"'
    return answer


@pages.do("/language", role=None)
def choose_language(visit: Visit) -> Response:
    """Another language for this browser."""
    language = visit.field("language", 10)
    if language not in get_args(Language):
        known = ", ".join(get_args(Language))
        raise ReviewError("There is no such language.", help=f"Choose one of {known}.", code="form")
    answer = visit.done(path_here(visit.field("back")) or "/", {"language": language})
    visit.choose_language(language, answer)
    return answer


def sign_in_href(path: str, query: str) -> str:
    """The form, which leads on to the page that was asked for."""
    following = path_here(f"{path}?{query}" if query else path)
    return f"/sign-in?{urlencode({'next': following})}" if following not in ("", "/") else "/sign-in"
