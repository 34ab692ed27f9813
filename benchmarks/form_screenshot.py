"""Takes docs/backfill-form.png: the backfill form of the Prefect UI in a real headless Chromium.

    python -m benchmarks.form_screenshot [--chromium /usr/bin/chromium]

Needs Chromium (Debian's package `chromium`). Everything runs on loopback; requests to anywhere else are counted
and make it fail.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
AGENT = Path(sys.executable).parent / "contract-agent"
PICTURE = ROOT / "docs" / "backfill-form.png"
PATIENCE_SECONDS = 120
# Chromium as root in a container, and without calls of its own to outside.
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


def main(argv: Sequence[str] | None = None) -> None:
    """Serve, open the form, and keep a picture of it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    chromium = parser.parse_args(argv).chromium
    with _serving() as url:
        deployment = _deployment(url)
        with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
            context = playwright.chromium.launch_persistent_context(
                profile, executable_path=chromium, args=list(FLAGS), viewport={"width": 1280, "height": 1150}
            )
            page = context.new_page()
            outside = _watch(page)
            _picture(page, f"{url}/deployments/deployment/{deployment}/run")
            context.close()
    if outside:
        raise SystemExit(f"The page asked for something outside this machine: {outside[:3]}")
    print(f"Wrote {PICTURE.relative_to(ROOT)}; no request left this machine.")


def _watch(page: Page) -> list[str]:
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if _is_outside(request.url) else None)
    return outside


def _is_outside(url: str) -> bool:
    parts = urlparse(url)
    return parts.scheme in ("http", "https") and parts.hostname not in ("127.0.0.1", "localhost")


def _picture(page: Page, url: str) -> None:
    page.goto(url, wait_until="networkidle")
    page.get_by_text("Mode", exact=False).first.wait_for()
    page.wait_for_timeout(1_500)  # the form fades in
    page.screenshot(path=PICTURE, full_page=True)


@contextmanager
def _serving() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as home:
        port = _free_port()
        command = [str(AGENT), "serve", "--inbox", str(ROOT / "sample_contracts"), "--port", str(port)]
        environment = os.environ | {"CONTRACT_AGENT_HOME": home}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _deployment(url: str) -> str:
    """The id of the backfill deployment, once it is there."""
    request = urllib.request.Request(f"{url}/api/deployments/filter", b"{}", {"content-type": "application/json"})
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                found = {deployment["name"]: deployment["id"] for deployment in json.load(answer)}
        except OSError:  # the server is still coming up
            found = {}
        if "backfill" in found:
            return found["backfill"]
        time.sleep(1)
    raise SystemExit("The backfill deployment did not appear.")


if __name__ == "__main__":
    main()
