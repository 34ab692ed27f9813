"""The review page's server: uvicorn with what the page asks of it, by itself or beside other things."""

import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from review.app import create_app
from review.web.guard import access
from schemas.review import ReviewError
from schemas.settings import Settings

PORT = 8321
_PATIENCE_SECONDS = 30


def serve(settings: Settings, place: Path | str, *, host: str, port: int) -> None:
    """Serve the page until interrupted. Raises ReviewError when the port is taken or accounts are missing."""
    server, listening = _server(settings, place, host, port)
    print(f"Review: {address(host, port)}   warehouse: {place}", flush=True)
    server.run(sockets=[listening])


@contextmanager
def serving(settings: Settings, place: Path | str, *, host: str, port: int | None) -> Iterator[str]:
    """The page's address while it is served from a thread of this process; without a port on the usual one, or on any
    where that is taken."""
    server, listening = _server(settings, place, host, port)
    port = listening.getsockname()[1]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="review", daemon=True)
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield address(host, port)
    finally:
        server.should_exit = True
        thread.join(timeout=_PATIENCE_SECONDS)


def address(host: str, port: int) -> str:
    """What a browser opens."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _server(settings: Settings, place: Path | str, host: str, port: int | None) -> tuple[uvicorn.Server, socket.socket]:
    app = create_app(settings, place, host=host)
    try:
        listening = _listening(host, port)
    except OSError as error:
        app.state.site.close()
        raise ReviewError(
            f"The review page can't listen on {host}, port {port}: {error.strerror}.",
            help="Choose another port.",
            code="port",
        ) from error
    _log_to_standard_error()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # the page writes its own, without queries
        server_header=False,
        proxy_headers=False,  # a header is believed only from the proxies of the settings
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        limit_concurrency=1_000,
        h11_max_incomplete_event_size=64 * 1024,
    )
    return uvicorn.Server(config), listening


def _listening(host: str, port: int | None) -> socket.socket:
    if port is not None:
        return _bound(host, port)
    try:
        return _bound(host, PORT)
    except OSError:
        return _bound(host, 0)


def _bound(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(512)
    except OSError:
        listening.close()
        raise
    return listening


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise ReviewError("The review page did not start.", help="The log above says why.", code="port")
        time.sleep(0.02)


def _log_to_standard_error() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for log, level in ((access, logging.INFO), (logging.getLogger("uvicorn.error"), logging.WARNING)):
        if not log.handlers:
            log.addHandler(handler)
            log.setLevel(level)
            log.propagate = False
