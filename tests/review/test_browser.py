"""The review page in a real Chromium: a reviewer's morning, and whether everybody can use it.

The tests go on from one another's state as people do in a morning, each with findings of its own.
"""

import csv
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from frontdoor import AGENT, fresh_environment, run_agent
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from reviewers import MARKUP, NAMES, PASSWORD, copied, inbox_of, landed
from serving import free_port

from review.accounts import Accounts
from review.store import Store
from schemas.review import ROLES
from schemas.settings import Settings
from schemas.tables import TABLES
from warehouse.catalogue import publish
from warehouse.lake import land
from warehouse.read import query
from warehouse.stage import new_run_id

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)

WALKED = 50
PATIENCE_MS = 20_000


class Morning:
    """A served warehouse, and the browsers of those who review it."""

    def __init__(self, url: str, root: Path, home: Path, browser: Browser):
        self.url, self.root, self.home, self._browser = url, root, home, browser
        self._signed_in: dict[str, Any] = {}

    def nobody(self, **more: Any) -> Page:
        """A browser in which nobody is signed in."""
        return self._page(self._browser.new_context(base_url=self.url, viewport={"width": 1280, "height": 800}, **more))

    def page(self, role: str, **more: Any) -> Page:
        """A browser of the person who has this role."""
        if role not in self._signed_in:
            page = self.nobody()
            sign_in(page, role)
            self._signed_in[role] = page.context.storage_state()
            page.context.close()
        return self.nobody(storage_state=self._signed_in[role], **more)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return query(self.root, sql)[1]

    def store(self) -> Store:
        return Store(self.root / "review")

    @staticmethod
    def _page(context: BrowserContext) -> Page:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        return page


@pytest.fixture(scope="module")
def morning(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    """The samples and some agreements of small value, one account a role, one server, one browser."""
    folder = tmp_path_factory.mktemp("morning")
    home = {"CONTRACT_AGENT_HOME": str(folder / "home")}
    root = landed(inbox_of(folder / "inbox", copies=12), copied(warehouse, folder / "w"), "2026-11-03", **home)
    store = Store(root / "review")
    accounts = Accounts(root / "review", store, Settings(home=folder / "home"))
    for role in reversed(ROLES):
        accounts.add(NAMES[role], role, PASSWORD, by="test")
    port = free_port()
    command = [str(AGENT), "review", "--warehouse", str(root), "--port", str(port)]
    environment = fresh_environment(**home, CONTRACT_AGENT_REVIEW_BLIND_SHARE="0")  # which are drawn is chance
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
    try:
        assert server.stdout and f":{port}/" in server.stdout.readline()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            yield Morning(f"http://127.0.0.1:{port}", root, folder / "home", browser)
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=30)
        server.stdout.close()
        store.close()


def sign_in(page: Page, role: str, password: str = PASSWORD) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill(NAMES[role])
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def ready(page: Page) -> None:
    """The contract's page stands, with its keys."""
    page.wait_for_selector("html[data-ready=yes]")


def opened(page: Page, contract_id: str, target: str = "", id: str = "") -> Page:
    page.goto(f"/contracts/{contract_id}{f'?target={target}&id={id}' if id else ''}")
    ready(page)
    return page


def chosen(page: Page) -> str:
    return page.locator("[data-item][aria-current]").get_attribute("data-item") or ""


def key(page: Page, name: str) -> None:
    """A key that opens another page."""
    before = page.url
    page.keyboard.press(name)
    page.wait_for_url(lambda url: url != before)
    ready(page)


def contract_of(morning: Morning, file_name: str) -> str:
    ((contract_id,),) = morning.ask(f"SELECT contract_id FROM documents WHERE file_name = '{file_name}'")
    return contract_id


def test_signing_in(morning: Morning):
    page = morning.nobody()
    page.goto("/queue?severity=critical")
    expect(page).to_have_url(re.compile("/sign-in"))
    page.get_by_label("Name").fill(NAMES["reviewer"])
    page.get_by_label("Password").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not right")
    page.get_by_label("Name").fill(NAMES["reviewer"])
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("flags")
    assert page.url.endswith("/queue?severity=critical")


def test_the_queue_is_filtered_and_opened_by_keys(morning: Morning):
    page = morning.page("reviewer")
    page.goto("/queue")
    page.get_by_role("link", name="Critical").click()
    expect(page).to_have_url(re.compile("severity=critical"))
    assert set(page.locator("tbody .severity").all_inner_texts()) == {"Critical"}
    page.keyboard.press("/")
    page.keyboard.type("Pelican")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("search="))
    assert "Pelican" not in page.url and page.locator("tbody tr").count() == 1
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    ready(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Order Form")
    key_back = page.locator("body").get_attribute("data-queue") or ""
    page.keyboard.press("q")
    page.wait_for_url(lambda url: url.endswith(key_back) and "search=" in url)


def test_the_evidence_is_found_from_both_sides(morning: Morning):
    page = opened(morning.page("reviewer"), contract_of(morning, "saas-agreement-halvorsen.pdf"))
    term = page.locator(".term", has_text="Governing law")
    term.get_by_role("link").click()
    box = page.locator(".box.chosen").first
    expect(box).to_be_in_viewport()
    id = term.get_attribute("data-item")
    assert box.get_attribute("data-for") == id and id in page.url
    other = page.locator(f".box:not([data-for='{id}'])[data-for^='t_']").last
    other.scroll_into_view_if_needed()
    other.click(force=True)
    wanted = other.get_attribute("data-for")
    item = page.locator(f"[data-item='{chosen(page)}']")
    expect(item).to_be_in_viewport()
    assert chosen(page) != id and wanted


def test_pages_are_zoomed_and_turned(morning: Morning):
    page = opened(morning.page("reviewer"), contract_of(morning, "addendum-with-pen.jpg"))
    sheet = page.locator(".sheet").first
    before = sheet.bounding_box()
    page.keyboard.press("+")
    assert sheet.bounding_box()["width"] == pytest.approx(before["width"] * 1.25, rel=0.01)
    page.keyboard.press("0")
    page.keyboard.press("]")
    turned = sheet.bounding_box()
    assert turned["width"] / turned["height"] == pytest.approx(before["height"] / before["width"], rel=0.02)
    page.get_by_role("button", name="Turn left").click()
    assert sheet.bounding_box()["height"] == pytest.approx(before["height"], rel=0.02)
    page.get_by_role("button", name="Original beside").click()
    expect(page.get_by_alt_text("Page 1 as it came")).to_be_visible()
    for image in page.locator(".sheet img").all():
        image.evaluate("image => image.decode()")


def test_a_value_is_overridden_and_undone(morning: Morning):
    page = opened(morning.page("reviewer"), contract_of(morning, "agreement 1.pdf"))
    term = page.locator(".term", has_text="Payment terms")
    term.get_by_role("link").click()
    id = chosen(page)
    page.keyboard.press("o")
    page.keyboard.type("45 days")
    page.get_by_label("Reason").select_option("ocr_error")
    page.get_by_label("New value").press("Enter")
    expect(page.locator("#problem")).to_contain_text("whole number of days")
    page.get_by_label("New value").fill("45")
    before = page.url
    page.get_by_label("New value").press("Enter")
    page.wait_for_url(lambda url: url != before)
    ready(page)
    expect(term.locator(".value")).to_contain_text("45")
    expect(term.locator("del")).to_have_text("60")
    key(page, "u")
    assert chosen(page) == id
    expect(page.locator(".notice[role=status]")).to_have_text("Taken back.")
    expect(term.locator("del")).to_have_count(0)


def test_four_eyes(morning: Morning):
    page = opened(morning.page("reviewer"), contract_of(morning, "agreement 2.pdf"))
    assert page.locator(".finding[aria-current] .severity").inner_text() == "Critical"
    id = chosen(page)
    key(page, "c")
    expect(page.locator(".notice[role=status]")).to_contain_text("waits for a second person")
    page.goto("/approvals")
    assert page.get_by_role("button", name="Approve").count() == 0
    second = morning.page("approver")
    second.goto("/approvals")
    second.get_by_role("button", name="Approve").first.click()
    expect(second.locator(".notice[role=status]")).to_have_text("Approved.")
    opened(page, contract_of(morning, "agreement 2.pdf"), "flag", id)
    expect(page.locator(f"[data-item='{id}']")).to_contain_text(f"approved by {NAMES['approver']}")
    expect(page.locator(f"[data-item='{id}'] .state.confirmed")).to_be_visible()


def test_words_lead_to_their_page(morning: Morning):
    page = morning.page("viewer")
    page.goto("/queue")
    page.get_by_role("link", name="Search").click()
    page.get_by_label("Words").fill('"limitation of liability"')
    page.get_by_label("Words").press("Enter")
    row = page.locator("tr", has_text="saas-agreement-halvorsen.pdf")
    expect(row.locator("mark")).to_have_text("Limitation of Liability")
    row.get_by_role("link").click()
    expect(page.locator("#page-3")).to_be_in_viewport()


def test_low_flags_are_confirmed_together(morning: Morning):
    page, second = morning.page("reviewer"), morning.page("approver")
    page.goto("/queue?severity=low")
    boxes = page.locator("tbody input[type=checkbox]")
    count = boxes.count()
    assert count > 0
    for _ in range(page.locator("tbody tr").count()):
        page.keyboard.press("j")
        page.keyboard.press("Space")
    page.get_by_role("button", name=f"Confirm the chosen ({count})").click()
    expect(page.locator(".notice[role=status]")).to_contain_text("waits for a second person")
    second.goto("/approvals")
    second.locator("li", has_text=f"Confirm {count} low flags").get_by_role("button", name="Approve").click()
    expect(second.locator(".notice[role=status]")).to_have_text("Approved.")
    page.goto("/queue?severity=low")
    expect(page.locator("tbody input[type=checkbox]")).to_have_count(0)  # what is left is material


def test_a_later_run_that_reads_something_else_is_a_conflict(morning: Morning):
    page, contract_id = morning.page("reviewer"), contract_of(morning, "agreement 3.pdf")
    ((term_id,),) = morning.ask(
        f"SELECT term_id FROM terms WHERE contract_id = '{contract_id}' AND term = 'payment_terms_days'"
    )
    opened(page, contract_id, "term", term_id)
    page.keyboard.press("o")
    page.get_by_label("New value").fill("45")
    page.get_by_label("Reason").select_option("ocr_error")
    page.get_by_label("Reason").press("Enter")
    page.wait_for_url(lambda url: term_id not in url)
    done = run_agent("land-decisions", "--warehouse", morning.root, CONTRACT_AGENT_HOME=str(morning.home))
    assert done.code == 0, done.err
    read_again(morning.root, contract_id, lambda row: row | {"value": "30"} if row["term_id"] == term_id else row)
    page.goto("/conflicts")
    row = page.locator("li", has_text="another value is read now")
    retry(page, lambda: row.count() == 1)
    expect(row).to_contain_text("45")
    expect(row).to_contain_text("30")
    row.get_by_role("link").first.click()
    ready(page)
    assert chosen(page) == term_id
    expect(page.locator(f"[data-item='{term_id}'] .value")).to_contain_text("45")


def read_again(root: Path, contract_id: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """A later run reads one contract anew; `change` gives its terms."""
    run_id, now = new_run_id(datetime.now(UTC)), datetime.now(UTC)
    rows: dict[str, list[dict[str, Any]]] = {}
    for table in TABLES:
        if table.level == "contract":
            columns, found = query(root, f"SELECT * FROM {table.name} WHERE contract_id = $id", {"id": contract_id})
            held = [dict(zip(columns, row, strict=True)) for row in found]
            new = [change(row) for row in held] if table.name == "terms" else held
            rows[table.name] = [row | {"run_id": run_id, "version": row["version"] + 1} for row in new]
    land(root, {"run_id": run_id, "started_at": now, "business_date": now.date()}, [rows])
    publish(root)


def retry(page: Page, is_so: Callable[[], bool]) -> None:
    """Load the page again until it is so: a new publication is shown once it was read in the background."""
    for _ in range(60):
        if is_so():
            return
        page.wait_for_timeout(250)
        page.reload()
    raise AssertionError("it never was so")


def test_signing_off_takes_two(morning: Morning):
    contract_id = contract_of(morning, "mutual-nda-tallgrass.pdf")
    page, second = morning.page("reviewer"), morning.page("approver")
    opened(page, contract_id)
    page.get_by_role("button", name="Prepare the sign-off").click()
    expect(page.locator("#sign-off")).to_contain_text("Another person")
    opened(second, contract_id)
    second.get_by_role("button", name="Sign off").click()
    expect(second.locator("#sign-off")).to_contain_text(f"signed by {NAMES['approver']}")
    ready(page)
    page.locator(".term .choose").first.click()
    page.keyboard.press("c")
    expect(page.locator("#problem")).to_contain_text("is signed off")


def test_an_open_critical_flag_blocks_the_sign_off(morning: Morning):
    page = opened(morning.page("reviewer"), contract_of(morning, "agreement 4.pdf"))
    expect(page.get_by_role("button", name="Prepare the sign-off")).to_be_disabled()
    expect(page.locator("#sign-off")).to_contain_text("1 critical flags are open")


def test_the_close_export_holds_what_people_settled(morning: Morning, tmp_path: Path):
    page, contract_id = morning.page("reviewer"), contract_of(morning, "agreement 5.pdf")
    opened(page, contract_id)
    page.locator(".term", has_text="Governing law").get_by_role("link").click()
    id = chosen(page)
    page.keyboard.press("c")
    page.wait_for_url(lambda url: id not in url)
    run_agent("land-decisions", "--warehouse", morning.root, CONTRACT_AGENT_HOME=str(morning.home))
    page.goto("/periods")
    with page.expect_download() as download:
        page.get_by_role("link", name="Close export").click()
    download.value.save_as(tmp_path / "close.csv")
    rows = list(csv.DictReader((tmp_path / "close.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert {row["status"] for row in rows} <= {"confirmed", "overridden"}
    ours = [(row["term"], row["value"]) for row in rows if row["contract_id"] == contract_id]
    assert ours == [("governing_law", "New York")]


def test_markup_in_contracts_and_names_stays_text(morning: Morning):
    page = morning.page("admin")
    ((contract_id, file_name),) = morning.ask(
        "SELECT contract_id, file_name FROM documents WHERE file_name LIKE '%<img%'"
    )
    for path in ("/", "/queue", "/contracts", f"/contracts/{contract_id}", "/approvals", "/audit"):
        page.goto(path)
        assert page.title() != "1" and page.locator("img[src=x]").count() == 0, path
    opened(page, contract_id)
    expect(page.locator(".facts")).to_contain_text(file_name)
    expect(page.locator(".sections")).to_contain_text(MARKUP)


PAGES = (
    "/sign-in",
    "/",
    "/queue",
    "/contracts",
    "/search",
    "/approvals",
    "/conflicts",
    "/periods",
    "/rule-overrides",
    "/agreement",
)
MORE_PAGES = ("/audit", "/nothing-here", "{contract}", "{photo}", "{compare}", "{redline}")


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ja", "dark")])
def test_everybody_can_use_it(morning: Morning, language: str, scheme: str):
    page = morning.page("admin", color_scheme=scheme)
    page.goto("/")
    if language == "ja":
        page.locator(".top summary").click()
        page.get_by_role("button", name="日本語").click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    old, new = (contract_of(morning, name) for name in ("saas-agreement-halvorsen.pdf", "amendment-1-halvorsen.pdf"))
    there = {
        "contract": f"/contracts/{old}",
        "photo": f"/contracts/{contract_of(morning, 'addendum-with-pen.jpg')}",
        "compare": f"/compare?contract={old}&contract={new}",
        "redline": f"/redline?old={old}&new={new}",
    }
    axe, found = Axe(), []
    anybodys = morning.nobody(color_scheme=scheme)
    for visitor, path in [(anybodys, "/sign-in"), *((page, path) for path in PAGES)]:
        page = visitor
        page.goto(path.format(**there))
        for problem in axe.run(page).response["violations"]:
            if problem["impact"] in ("serious", "critical"):
                found.append((path, problem["id"], [node["html"][:120] for node in problem["nodes"]][:3]))
    assert found == []


def test_a_tablet_shows_both_panes(morning: Morning):
    page = morning.page("reviewer", has_touch=True)
    page.set_viewport_size({"width": 1024, "height": 768})
    opened(page, contract_of(morning, "saas-agreement-halvorsen.pdf"))
    for name in ("evidence", "findings"):
        box = page.locator(f".{name}").bounding_box()
        assert box["width"] > 380 and box["x"] + box["width"] <= 1024
    for button in page.locator(".decide button:visible").all():
        assert min(button.bounding_box()[side] for side in ("width", "height")) >= 44
    page.locator(".term").nth(3).get_by_role("link").tap()
    expect(page.locator(".box.chosen").first).to_be_in_viewport()


def test_a_reviewer_walks_fifty_flags(morning: Morning, capsys: pytest.CaptureFixture[str]):
    """Mostly one key; now and then a flag is passed over or corrected. Measured by the page itself."""
    page, store = morning.page("reviewer"), morning.store()
    before = store.last()
    page.goto("/queue?state=open")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    for number in range(WALKED):
        ready(page)
        old = page.url
        if number % 10 == 4:
            page.keyboard.press("o")
            page.keyboard.type("none")
            page.get_by_label("Reason").select_option("wrong_interpretation")
            page.get_by_label("Reason").press("Enter")
        elif number % 10 == 7:
            page.keyboard.press("r")
        else:
            page.keyboard.press("c")
        page.wait_for_url(lambda url, old=old: url != old)
    bodies = [event.body or {} for event in store.events(after=before, actions=["decided"])]
    keys, seconds = [b["keystrokes"] for b in bodies], [b["seconds"] for b in bodies]
    store.close()
    assert len(bodies) == WALKED and all(one is not None for one in (*keys, *seconds))
    assert median(keys) <= 3
    with capsys.disabled():
        print(f"\n{WALKED} flags: median {median(keys):g} keys, {median(seconds):g} seconds a decision")
