"""Takes docs/review-*.png: the review page over the sample contracts in a real headless Chromium.

    contract-agent benchmark review-screenshots [--warehouse DIR] [--chromium /usr/bin/chromium]

Needs Chromium (Debian's package `chromium`). Without `--warehouse` the samples are read first; with it, it is copied,
so that nothing is decided in it. Everything runs on loopback; requests to anywhere else are counted and make it fail.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

from playwright.sync_api import Browser, Page, sync_playwright

from schemas.settings import load_settings
from warehouse.read import query

ROOT = Path(__file__).resolve().parent.parent
AGENT = Path(sys.executable).parent / "contract-agent"
DOCS = ROOT / "docs"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--force-device-scale-factor=1"),
)
DESK, TABLET = {"width": 1280, "height": 800}, {"width": 1024, "height": 768}


def main(argv: Sequence[str] | None = None) -> None:
    """Serve, look at each page, and keep a picture of it."""
    parser = argparse.ArgumentParser(
        prog="contract-agent benchmark review-screenshots", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--warehouse", type=Path)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    asked = parser.parse_args(argv)
    outside: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        root = _copied(asked.warehouse, Path(folder)) if asked.warehouse else _read(Path(folder))
        with _serving(root, Path(folder)) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=asked.chromium, args=list(FLAGS))
            for name, path, prepare, more in _wanted(root):
                page = _opened(browser, url, path, outside, more)
                prepare(page)
                page.screenshot(path=DOCS / f"review-{name}.png")
                page.context.close()
                print(f"docs/review-{name}.png")
            browser.close()
    if outside:
        raise SystemExit(f"The page asked for something outside this machine: {outside[:3]}")
    print("No request left this machine.")


def _wanted(root: Path) -> Iterator[tuple[str, str, Callable[[Page], None], dict]]:
    """The name of each picture, what is opened, what is done there, and the browser's settings."""

    def of(file_name: str) -> str:
        ((contract_id,),) = query(
            root, "SELECT contract_id FROM documents WHERE file_name = $name", {"name": file_name}
        )[1]
        return f"/contracts/{contract_id}"

    order, photo, family = of("order-form-pelican.pdf"), of("addendum-with-pen.jpg"), of("amendment-1-halvorsen.pdf")
    yield "brief", "/", _as_it_is, {}
    yield "queue", "/queue", _chosen_row, {}
    yield "search", "/search", _searching, {}
    yield "contract", order, _as_it_is, {}
    yield "override", order, _overriding, {}
    yield "photo-dark", photo, _as_it_is, {"color_scheme": "dark"}
    yield "family", f"{family}#family", _family, {}
    yield "tablet", order, _as_it_is, {"viewport": TABLET, "has_touch": True}
    yield "japanese", order, _in_japanese, {}


def _as_it_is(page: Page) -> None:
    """Nothing is done."""


def _chosen_row(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("j")


def _searching(page: Page) -> None:
    page.get_by_label("Words").fill('"limitation of liability"')
    page.get_by_label("Words").press("Enter")
    page.locator("mark").first.wait_for()


def _overriding(page: Page) -> None:
    page.locator(".term .choose", has_text="Payment terms").click()
    page.keyboard.press("o")
    page.get_by_label("New value").fill("45")
    page.get_by_label("Reason").select_option("wrong_interpretation")


def _family(page: Page) -> None:
    page.locator("#family").scroll_into_view_if_needed()
    page.locator(".tabs a[href='#family']").click()


def _in_japanese(page: Page) -> None:
    page.locator(".top summary").click()
    page.get_by_role("button", name="日本語").click()
    page.wait_for_load_state("networkidle")


def _opened(browser: Browser, url: str, path: str, outside: list[str], more: dict) -> Page:
    page = browser.new_context(base_url=url, **{"viewport": DESK, "color_scheme": "light"} | more).new_page()
    page.on("request", lambda request: outside.append(request.url) if _is_outside(request.url) else None)
    page.goto(path, wait_until="networkidle")
    return page


def _is_outside(url: str) -> bool:
    parts = urlparse(url)
    return parts.scheme in ("http", "https") and parts.hostname != "127.0.0.1"


def _read(folder: Path) -> Path:
    command = [str(AGENT), "run", str(ROOT / "sample_contracts"), "--warehouse", str(folder / "warehouse")]
    subprocess.run(
        command, env=os.environ | {"CONTRACT_AGENT_HOME": str(folder)}, check=True, stdout=subprocess.DEVNULL
    )
    return folder / "warehouse"


def _copied(warehouse: Path, folder: Path) -> Path:
    copy = shutil.copytree(warehouse, folder / "warehouse", ignore=shutil.ignore_patterns("review"))
    return Path(copy)


@contextmanager
def _serving(root: Path, home: Path) -> Iterator[str]:
    """The page's address, on which nobody has to sign in: there are no accounts."""
    from review.server import serving

    os.environ["CONTRACT_AGENT_HOME"] = str(home)
    os.environ["USER"] = os.environ["LOGNAME"] = "maria"  # the reviewer in the pictures
    with serving(load_settings(), root, host="127.0.0.1", port=0) as url:
        yield url


if __name__ == "__main__":
    main()
