"""What stands before every page: whose name was asked for, how much is sent and how often; and the headers after it."""

import asyncio
import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from review.accounts import is_among
from schemas.review import ReviewError

MOST_BYTES = 256 * 1024
"""Of a form: a bulk confirmation of 500 flags with room to spare."""
SECONDS_TO_SEND = 20
SECURITY_POLICY = "; ".join(
    (
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"),
        *("form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"),
    )
)
HEADERS = {
    "content-security-policy": SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
access = logging.getLogger("contract_agent.review.access")

Refuse = Callable[[Request, ReviewError], Response]


class Rate:
    """Buckets of tokens, one a key: `burst` at once, then `per_second`. It remembers the last 10,000 keys."""

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float]):
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, key: str) -> bool:
        """Take a token of the key's bucket; False when it is empty."""
        now = self._clock()
        left, at = self._buckets.pop(key, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        self._buckets[key] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > 10_000:
            self._buckets.popitem(last=False)
        return left >= 1


class Guard:
    """ASGI middleware around all pages. What it refuses is answered by `refuse`, as a page or as JSON.

    A name that this server is not known by is refused, so that a foreign site can't have its own name point here and
    read the answers (DNS rebinding); addresses in digits can't be made to.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        names: Iterable[str],
        cookie: str,
        refuse: Refuse,
        proxies: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ):
        self._app, self._cookie, self._refuse, self._proxies = app, cookie, refuse, proxies
        self._names = frozenset(name.lower().rstrip(".") for name in ("localhost", *names))
        self._visits = Rate(40, 400, clock)
        self._changes = Rate(10, 60, clock)
        self._addresses = Rate(2_000, 8_000, clock)  # many people may stand behind one proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        _take_suffix(scope)
        _look_through(scope, self._proxies)
        begun = time.perf_counter()
        answer = _Answer(scope, send, begun)
        try:
            self._check(Request(scope))
            body = await _body(receive, scope)
        except ReviewError as error:
            await self._refuse(Request(scope), error)(scope, receive, answer.send)
        else:
            await self._app(scope, _replayed(body, receive), answer.send)
        finally:
            # Neither addresses that match no page nor queries are logged: a person may have put anything into them.
            route = getattr(scope.get("route"), "path", "-")
            path = scope["path"] if route != "-" else route
            spent = (time.perf_counter() - begun) * 1000
            access.info("%s %s %s %.1f ms", scope["method"], path, answer.status, spent)

    def _check(self, request: Request) -> None:
        if not self._is_known(request.headers.get("host", "")):
            raise ReviewError(
                "This server is not known by the name that was asked for.",
                help="Add the name to the setting review_hosts.",
                code="host",
            )
        address = request.client.host if request.client else "-"
        token = request.cookies.get(self._cookie)
        key = f"session {sha256(token.encode()).hexdigest()}" if token else f"address {address}"
        rates = [(self._addresses, address), (self._visits, key)]
        if request.method in _UNSAFE:
            rates.append((self._changes, key))
        if not all(rate.allows(key) for rate, key in rates):
            raise ReviewError("Too many requests at once.", help="Wait a second, then go on.", code="too_many")
        if request.method in _UNSAFE:
            _check_origin(request)

    def _is_known(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return name.lower().rstrip(".") in self._names
        return True


def _check_origin(request: Request) -> None:
    """Browsers say where a form comes from; one from elsewhere is refused before its token is looked at."""
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    is_foreign = origin is not None and origin.partition("://")[2].lower() != host.lower()
    if is_foreign or request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise ReviewError("The form comes from another site.", help="Use the form of this page.", code="csrf")


def _take_suffix(scope: Scope) -> None:
    """`/queue.json` is `/queue` as JSON."""
    path: str = scope["path"]
    if path.endswith(".json") and not path.startswith("/static/"):
        scope["path"] = path.removesuffix(".json").removesuffix("/index") or "/"
        scope["state"]["as_json"] = True


def _look_through(scope: Scope, proxies: tuple[str, ...]) -> None:
    """Who is behind a trusted proxy, and whether they came by HTTPS; `peer` stays who the connection is from."""
    peer = scope["client"][0] if scope.get("client") else ""
    scope["state"]["peer"] = peer
    if not is_among(peer, proxies):
        return
    headers = Headers(scope=scope)
    told = [one.strip() for one in ",".join(headers.getlist("x-forwarded-for")).split(",")]
    # Each proxy adds whom it got it from at the end; what stands before the last stranger may be made up.
    stranger = next((one for one in reversed(told) if one and not is_among(one, proxies)), peer)
    scope["client"] = (stranger[:45], 0)
    if headers.get("x-forwarded-proto", "").strip().lower() == "https":
        scope["scheme"] = "https"


async def _body(receive: Receive, scope: Scope) -> bytes:
    """All that was sent; nothing is begun before it is there and known to be small enough."""
    too_large = ReviewError(
        f"More than {MOST_BYTES // 1024} KB were sent.", help="Choose fewer at once.", code="too_large"
    )
    told = dict(scope["headers"]).get(b"content-length", b"0")
    if not told.isdigit() or int(told) > MOST_BYTES:
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(SECONDS_TO_SEND):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return b"".join(parts)
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > MOST_BYTES:
                    raise too_large
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError as error:
        raise ReviewError("The request took too long to come.", help="Send it again.", code="too_slow") from error


def _replayed(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    is_given = False

    async def give() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


class _Answer:
    """Sends an answer on with the headers that every one has."""

    def __init__(self, scope: Scope, send: Send, begun: float):
        self._is_secure, self._send, self._begun = scope["scheme"] == "https", send, begun
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")
            headers["server-timing"] = f"page;dur={(time.perf_counter() - self._begun) * 1000:.1f}"
            if self._is_secure:
                headers["strict-transport-security"] = "max-age=31536000"
        await self._send(message)
