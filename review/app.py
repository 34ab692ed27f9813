"""The review page as an application: its services, its pages, and how errors are told."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from review.accounts import COOKIE, is_loopback, refuse_without_accounts
from review.web.guard import Guard
from review.web.routes import approvals, compared, contracts, decisions, queue, records, search, signing_in
from review.web.site import Site
from review.web.visit import Visit
from schemas.errors import ContractAgentError, QueryError, WarehouseError
from schemas.review import ReviewError
from schemas.settings import Settings

STATUS = {
    **dict.fromkeys(("sign_in_first", "sign_in"), 401),
    **dict.fromkeys(("role", "csrf", "not_yours", "second_person"), 403),
    **dict.fromkeys(("not_found", "no_target", "no_original", "changed_original", "no_reading", "no_page"), 404),
    **dict.fromkeys(("host",), 421),
    **dict.fromkeys(("too_large",), 413),
    **dict.fromkeys(("too_slow",), 408),
    **dict.fromkeys(("too_many", "wait"), 429),
    **dict.fromkeys(("form", "address", "dates", "not_said", "decision", "bulk", "no_words"), 422),
    "review_store": 503,
}
"""Codes of errors -> status of the answer; what is not here is a conflict with what stands (409)."""


def create_app(settings: Settings, place: Path | str, *, host: str = "127.0.0.1") -> FastAPI:
    """The application over a warehouse, listening on `host`.

    Raises ReviewError (`no_accounts`) where others could reach it and nobody has to sign in, WarehouseError when there
    is no warehouse.
    """
    site = Site(settings, settings.local_folder(place), settings.review_folder(place), is_local=is_loopback(host))
    try:
        refuse_without_accounts(host, site.accounts)
    except ReviewError:
        site.close()
        raise

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        site.close()

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.site = site
    for part in (signing_in, queue, contracts, search, decisions, approvals, compared, records):
        app.router.routes.extend(part.pages.routes)
    app.add_api_route("/static/{name}", _static, methods=["GET", "HEAD"], response_model=None)
    app.add_exception_handler(ContractAgentError, _told)
    app.add_exception_handler(RequestValidationError, _not_there)
    app.add_exception_handler(HTTPException, _not_there)
    app.add_exception_handler(Exception, _failed)
    names = (socket.gethostname(), host, *settings.review_hosts)
    app.add_middleware(
        Guard,
        names=names,
        cookie=COOKIE,
        refuse=lambda request, error: _refused(app, request, error),
        proxies=settings.review_trusted_proxies,
    )
    return app


def _static(request: Request, name: str) -> Response:
    """A style, a script or a picture of our own, by its name."""
    file = request.app.state.site.static.get(name)
    if file is None:
        raise ReviewError("There is no such page.", help="Go on from the queue.", code="no_page")
    headers = {"cache-control": "public, max-age=31536000, immutable"} if request.url.query else None
    return Response(file.data, media_type=file.media_type, headers=headers)


def _refused(app: FastAPI, request: Request, error: ReviewError) -> Response:
    request.scope["app"] = app
    return _page(request, error)


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, ContractAgentError)
    if error.code == "sign_in_first":
        visit = Visit(request, None, {})
        if not visit.wants_json and request.method in ("GET", "HEAD"):
            return RedirectResponse(signing_in.sign_in_href(request.url.path, request.url.query), 303)
    return _page(request, error)


def _not_there(request: Request, error: Exception) -> Response:
    """An address that matches no page, or an id that can't be one."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    if status == 404:
        told = ReviewError("There is no such page.", help="Go on from the queue.", code="no_page")
    else:
        told = ReviewError(f"{HTTPStatus(status).phrase}.", help="Go on from the queue.", code="request")
    return _page(request, told, status)


def _failed(request: Request, error: Exception) -> Response:
    """Something that was not foreseen: the log has it, the page does not."""
    told = ReviewError(
        "Something went wrong here; nothing was changed.", help="The server's log says what.", code="error"
    )
    return _page(request, told, 500)


def _page(request: Request, error: ContractAgentError, status: int | None = None) -> Response:
    if status is None:
        is_warehouse = isinstance(error, WarehouseError) and not isinstance(error, QueryError)
        status = 503 if is_warehouse else STATUS.get(error.code, 409 if isinstance(error, ReviewError) else 500)
    data = {"code": error.code, "message": error.message, "help": error.help}
    visit = Visit(request, getattr(request.state, "visitor", None), {})
    answer = visit.page("error.html", data, status=status)
    if status == 429:
        answer.headers["retry-after"] = "1"
    return answer
