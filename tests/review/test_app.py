"""The review page over HTTP: who may do what, what is refused and how it is told, as pages and as JSON."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from reviewers import MARKUP, NAMES, PASSWORD, Reviewer, add_accounts, copied, inbox_of, landed
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient

from review.accounts import COOKIE
from review.app import create_app
from review.web.guard import MOST_BYTES, Guard, Rate, access
from review.web.links import path_here
from review.web.words import LANGUAGES, words
from schemas.review import ROLES, ReviewError
from schemas.settings import Settings

LEAST_ROLE = {
    ("GET", "/healthz"): None,
    ("GET", "/static/{name}"): None,
    ("GET", "/sign-in"): None,
    ("POST", "/sign-in"): None,
    ("POST", "/language"): None,
    ("POST", "/sign-out"): "viewer",
    ("GET", "/"): "viewer",
    ("GET", "/queue"): "viewer",
    ("POST", "/queue"): "viewer",
    ("POST", "/views"): "viewer",
    ("GET", "/contracts"): "viewer",
    ("POST", "/contracts"): "viewer",
    ("GET", "/contracts/{contract_id}"): "viewer",
    ("GET", "/search"): "viewer",
    ("POST", "/search"): "viewer",
    ("GET", "/documents/{document_id}/pages/{page_number}.jpg"): "viewer",
    ("GET", "/documents/{document_id}/pages/{page_number}/words"): "viewer",
    ("GET", "/marks/{document_id}/{number}.png"): "viewer",
    ("GET", "/compare"): "viewer",
    ("GET", "/redline"): "viewer",
    ("GET", "/approvals"): "viewer",
    ("GET", "/conflicts"): "viewer",
    ("GET", "/periods"): "viewer",
    ("GET", "/rule-overrides"): "viewer",
    ("GET", "/agreement"): "viewer",
    ("GET", "/export/close.csv"): "reviewer",
    ("POST", "/decisions"): "reviewer",
    ("POST", "/decisions/{number}/undo"): "reviewer",
    ("POST", "/bulk"): "reviewer",
    ("POST", "/rule-overrides"): "reviewer",
    ("POST", "/contracts/{contract_id}/prepare"): "reviewer",
    ("POST", "/decisions/{number}/approve"): "approver",
    ("POST", "/decisions/{number}/decline"): "approver",
    ("POST", "/contracts/{contract_id}/sign-off"): "approver",
    ("POST", "/contracts/{contract_id}/withdraw"): "approver",
    ("POST", "/periods/lock"): "approver",
    ("POST", "/periods/reopen"): "approver",
    ("GET", "/audit"): "admin",
    ("GET", "/audit.csv"): "admin",
}
"""Every route, and the least role that it lets through; None for those that anybody may see."""
AS_JSON = {"accept": "application/json"}
PLACEHOLDERS = {"contract_id": "c_0", "document_id": "d_0", "page_number": "1", "number": "1", "name": "style.css"}


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("read")
    home = {"CONTRACT_AGENT_HOME": str(folder / "home")}
    return landed(inbox_of(folder / "inbox", copies=1), folder / "w", "2026-11-03", **home)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def opened(read_once: Path, folder: Path) -> FastAPI:
    """The page over a copy of the warehouse, with an account a role."""
    app = create_app(Settings(home=folder / "home"), copied(read_once, folder / "w"))
    add_accounts(app)
    return app


@pytest.fixture(scope="module")
def app(read_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """For tests that decide nothing."""
    app = opened(read_once, tmp_path_factory.mktemp("shared"))
    yield app
    app.state.site.close()


@pytest.fixture
def ann(app: FastAPI) -> Reviewer:
    return Reviewer(app, "reviewer")


@pytest.fixture
def fresh(read_once: Path, tmp_path: Path) -> Iterator[FastAPI]:
    """For tests that decide."""
    app = opened(read_once, tmp_path)
    yield app
    app.state.site.close()


def first_flag(reviewer: Reviewer, severity: str = "medium") -> dict:
    row = next(r for r in reviewer.json("/queue")["queue"]["rows"] if r["severity"] == severity)
    return next(item for item in reviewer.items(row["contract_id"]) if item["id"] == row["flag_id"])


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    return [(method, route.path) for route in app.routes for method in route.methods if method != "HEAD"]


def test_every_route_names_its_role(app: FastAPI):
    assert sorted(routes_of(app)) == sorted(LEAST_ROLE)


@pytest.mark.parametrize("role", [None, *ROLES])
def test_roles_on_every_route(app: FastAPI, role: str | None):
    for (method, path), least in LEAST_ROLE.items():
        if path in ("/sign-out", "/sign-in"):
            continue
        reviewer = Reviewer(app, role)  # anew each time: some routes end the session
        asked = path.format(**PLACEHOLDERS)
        answer = (
            reviewer.post(asked) if method == "POST" else reviewer.get(asked, headers={"accept": "application/json"})
        )
        code = answer.json().get("code") if answer.headers["content-type"] == "application/json" else None
        if least is None:
            assert code not in ("role", "sign_in_first"), (method, path, code)
        elif role is None:
            assert (answer.status_code, code) == (401, "sign_in_first"), (method, path)
        elif ROLES.index(role) < ROLES.index(least):
            assert (answer.status_code, code) == (403, "role"), (method, path)
        else:
            assert answer.status_code != 500 and code not in ("role", "sign_in_first", "csrf"), (method, path, code)


@pytest.mark.parametrize(("method", "path"), [key for key in LEAST_ROLE if key[0] == "POST"])
def test_every_form_needs_its_token(app: FastAPI, method: str, path: str):
    admin = Reviewer(app, "admin")
    before = app.state.site.store.last()
    for token in ("", "0" * 64, Reviewer(app, "approver").csrf):
        answer = admin.post(path.format(**PLACEHOLDERS), token=token)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert app.state.site.store.last() == before


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
def test_a_form_from_another_site_is_refused(ann: Reviewer, headers: dict[str, str]):
    answer = ann.client.post("/queue", data={"csrf": ann.csrf, "q": "x"}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8321", "", "127.0.0.1.evil.example", "localhost.evil"])
def test_a_foreign_name_is_refused(ann: Reviewer, host: str):
    answer = ann.get("/queue", headers={"host": host, "accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (421, "host")


@pytest.mark.parametrize("host", ["localhost:8321", "127.0.0.1", "[::1]:8321", "LOCALHOST."])
def test_own_names_are_known(ann: Reviewer, host: str):
    assert ann.get("/queue", headers={"host": host}).status_code == 200


def test_a_name_can_be_added(read_once: Path, tmp_path: Path):
    settings = Settings(home=tmp_path, review_hosts=("review.example",))
    app = create_app(settings, copied(read_once, tmp_path / "w"))
    assert TestClient(app, base_url="http://review.example").get("/healthz").json() == {"status": "ok"}
    app.state.site.close()


def test_every_answer_has_the_headers(app: FastAPI, ann: Reviewer):
    for path in ("/queue", "/queue.json", "/nothing", "/static/style.css", "/healthz"):
        headers = ann.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert ann.get("/queue").headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in ann.get("/queue").headers


def test_pages_hold_no_inline_script_or_style(ann: Reviewer):
    contract = ann.json("/contracts")["contracts"]["rows"][0]["contract_id"]
    for path in ("/", "/queue", "/contracts", f"/contracts/{contract}", "/approvals", "/periods", "/rule-overrides"):
        text = ann.get(path).text
        assert " style=" not in text and "<style" not in text and " onclick" not in text and "javascript:" not in text
        assert text.count("<script") == text.count('<script type="module" src="/static/')


def test_what_was_read_stays_text(ann: Reviewer):
    rows = ann.json("/contracts")["contracts"]["rows"]
    marked = next(row for row in rows if MARKUP in row["file_name"])
    for path in ("/queue", "/contracts", f"/contracts/{marked['contract_id']}"):
        text = ann.get(path).text
        assert MARKUP not in text
    assert "&lt;img src=x onerror" in ann.get(f"/contracts/{marked['contract_id']}").text
    ann.post("/queue", as_json=False, q=MARKUP)
    assert MARKUP not in ann.get(ann.post("/queue", as_json=False, q=MARKUP).headers["location"]).text
    found = ann.get(ann.post("/search", as_json=False, q="agreement").headers["location"]).text
    assert marked["contract_id"] in found and MARKUP not in found
    assert MARKUP not in ann.get(ann.post("/search", as_json=False, q=MARKUP).headers["location"]).text
    assert MARKUP not in ann.get(f"/contracts/{MARKUP}").text and MARKUP not in ann.get(f"/queue?said={MARKUP}").text


def test_words_are_found_in_all_contracts(ann: Reviewer):
    before = ann.client.app.state.site.store.last()
    sent = ann.post("/search", as_json=False, q='"governing law" York')
    address = sent.headers["location"]
    assert sent.status_code == 303 and "law" not in address.lower() and "york" not in address.lower()
    text = ann.get(address).text
    assert "<mark>Governing Law</mark>" in text and "State of New York" in text
    found = ann.post("/search", q='laws "State of New York"', **{"in": "clauses"}).json()["found"]
    assert found["total"] == len(found["places"]) > 0
    assert {place["clause_type"] for place in found["places"]} == {"governing_law"}
    place = found["places"][0]
    assert f"/contracts/{place['contract_id']}?document={place['document_id']}#page-1" in text
    told = ann.client.app.state.site.store.events(after=before, actions=["viewed"])
    assert place["contract_id"] in {event.contract_id for event in told}
    assert all(event.body == {"what": "search"} for event in told)


def test_what_can_not_be_searched_for_is_told(ann: Reviewer):
    assert ann.post("/search", q="words nobody wrote").json()["found"]["total"] == 0
    assert ann.post("/search", q='"..."').json()["code"] == "no_words"
    assert ann.post("/search", q="fees", **{"in": "terms"}).status_code == 422
    assert "no longer kept" in ann.get("/search?search=0123456789abcdef0123").text
    assert "no longer kept" in ann.get("/contracts?search=0123456789abcdef0123").text


def test_what_people_write_stays_text(fresh: FastAPI):
    ann = Reviewer(fresh, "reviewer")
    flag = first_flag(ann)
    assert ann.decide(flag, "rejected", comment=MARKUP).status_code == 200
    contract = flag["row"]["contract_id"]
    assert MARKUP not in ann.get(f"/contracts/{contract}").text
    (decided,) = [item for item in ann.items(contract) if item["id"] == flag["id"]]
    assert decided["standing"]["comment"] == MARKUP


@pytest.mark.parametrize(
    "path",
    [
        *("/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static//etc/passwd"),
        *("/documents/..%2f..%2fetc%2fpasswd/pages/1.jpg", "/documents/d_0/pages/..%2f1.jpg"),
        *("/documents/d_0/pages/1.jpg?kind=../../etc/passwd", "/marks/..%2fx/0.png", "/marks/d_0/-1.png"),
        *("/contracts/..%2f..%2fetc%2fpasswd", "/contracts/c_%00", "/documents/d_0/pages/99999999999999999999.jpg"),
    ],
)
def test_no_path_leads_out(ann: Reviewer, path: str):
    answer = ann.get(path, headers={"accept": "application/json"})
    assert answer.status_code in (404, 422) and answer.json()["help"]
    assert "root:" not in answer.text and "create_app" not in answer.text


def test_errors_are_pages_and_json(ann: Reviewer):
    page, data = ann.get("/contracts/c_none"), ann.get("/contracts/c_none.json")
    assert page.status_code == data.status_code == 404
    assert set(data.json()) == {"code", "message", "help"} and data.json()["code"] == "not_found"
    assert data.json()["help"].split(":")[0] in page.text and "<nav" in page.text


def test_every_page_is_json_too(ann: Reviewer):
    for path in (
        "/index",
        "/queue",
        "/contracts",
        "/approvals",
        "/conflicts",
        "/periods",
        "/rule-overrides",
        "/agreement",
    ):
        answer = ann.get(f"{path}.json")
        assert answer.status_code == 200 and isinstance(answer.json(), dict), path


def test_a_body_that_is_too_large_is_refused(ann: Reviewer):
    answer = ann.post("/queue", q="x" * MOST_BYTES)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    chunks = (b"x" * 1024 for _ in range(MOST_BYTES // 1024 + 2))
    headers = {"accept": "application/json", "content-type": "application/json"}
    assert ann.client.post("/queue", content=chunks, headers=headers).json()["code"] == "too_large"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", "[1]"),
        ("application/json", "{"),
        ("application/json", "[" * 5_000),
        ("text/xml", "<a/>"),
    ],
)
def test_what_can_not_be_read_is_refused(ann: Reviewer, kind: str, body: str):
    headers = {"accept": "application/json", "content-type": kind, "x-csrf-token": ann.csrf}
    answer = ann.client.post("/queue", content=body, headers=headers)
    assert answer.status_code in (400, 422) and answer.json()["help"]


def test_too_many_at_once_are_slowed():
    now = [0.0]
    rate = Rate(per_second=2, burst=3, clock=lambda: now[0])
    assert [rate.allows("a") for _ in range(4)] == [True, True, True, False] and rate.allows("b")
    now[0] = 0.5
    assert [rate.allows("a"), rate.allows("a")] == [True, False]


def test_many_forms_at_once_are_slowed():
    def refuse(request: Request, error: ReviewError) -> Response:
        return JSONResponse({"code": error.code}, 429)

    guard = Guard(Response("kept"), names=(), cookie=COOKIE, refuse=refuse, clock=lambda: 0.0)
    one, other = (TestClient(guard, base_url="http://localhost", cookies={COOKIE: token}) for token in "ab")
    codes = [one.post("/").status_code for _ in range(61)]
    assert codes == [200] * 60 + [429] and other.post("/").status_code == 200 and one.get("/").status_code == 200


def test_signing_in_makes_a_new_session(app: FastAPI):
    app.state.site.accounts.set_password(NAMES["reviewer"], PASSWORD, by="test")
    nobody = Reviewer(app, None)
    assert nobody.get("/queue?severity=high").headers["location"] == "/sign-in?next=%2Fqueue%3Fseverity%3Dhigh"
    planted = "planted-by-somebody-else"
    nobody.client.cookies.set(COOKIE, planted, domain="localhost.local")
    token = nobody.json("/sign-in")["csrf"]
    wrong = nobody.post("/sign-in", as_json=False, token=token, name=NAMES["reviewer"], password="wrong" * 3)
    assert wrong.status_code == 401 and "not right" in wrong.text and COOKIE not in wrong.headers.get("set-cookie", "")
    fields = {"name": NAMES["reviewer"], "password": PASSWORD, "next": "/queue"}
    right = nobody.post("/sign-in", as_json=False, token=token, **fields)
    cookie = right.headers["set-cookie"]
    assert right.status_code == 303 and right.headers["location"] == "/queue"
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and planted not in cookie
    assert nobody.get("/queue").status_code == 200


def test_signing_out_ends_the_session(ann: Reviewer):
    assert ann.post("/sign-out", as_json=False).headers["location"] == "/sign-in"
    ann.client.cookies.clear()
    assert ann.get("/queue").status_code == 303


def test_many_wrong_passwords_have_to_wait(app: FastAPI):
    nobody = Reviewer(app, None)
    token = nobody.json("/sign-in")["csrf"]
    fields = {"name": NAMES["admin"], "password": "guessed wrongly"}
    answers = [nobody.post("/sign-in", token=token, **fields) for _ in range(6)]
    assert answers[0].status_code == 401 and answers[-1].status_code == 429
    assert answers[-1].json()["code"] == "wait"


@pytest.mark.parametrize(
    "following", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_elsewhere(app: FastAPI, ann: Reviewer, following: str):
    assert ann.get("/sign-in", params={"next": following}).headers["location"] == "/"
    sent = ann.post("/language", as_json=False, language="ja", back=following)
    assert sent.headers["location"] == "/" and path_here(following) == ""


def test_alone_on_loopback_nobody_signs_in(read_once: Path, tmp_path: Path, settings: Settings):
    app = create_app(settings, copied(read_once, tmp_path / "w"))
    here = Reviewer(app, None)
    assert here.get("/queue").status_code == 200 and here.client.cookies.get(COOKIE)
    assert here.post("/queue", token="", q="x").json()["code"] == "csrf"
    add_accounts(app)
    assert here.get("/queue").status_code == 303  # its session ended with the first account
    app.state.site.close()


def test_what_came_over_a_proxy_is_not_of_this_machine(read_once: Path, tmp_path: Path, settings: Settings):
    app = create_app(settings, copied(read_once, tmp_path / "w"))
    here = Reviewer(app, None)
    assert here.get("/queue", headers={"x-forwarded-for": "192.0.2.1"}).status_code == 303
    assert here.get("/healthz").headers.get("set-cookie", "").find(COOKIE) == -1
    app.state.site.close()


def test_the_address_behind_a_trusted_proxy_is_the_last_stranger(read_once: Path, tmp_path: Path):
    given = {"review_trusted_proxies": ("10.0.0.0/8",)}
    app = create_app(Settings(home=tmp_path, **given), copied(read_once, tmp_path / "w"))
    add_accounts(app)
    for address, seen in (("10.1.2.3", "192.0.2.7"), ("198.51.100.1", "198.51.100.1")):
        nobody = Reviewer(app, None, address=address)
        token = nobody.json("/sign-in")["csrf"]
        headers = {"x-forwarded-for": "203.0.113.9, 192.0.2.7, 10.0.0.9", "accept": "application/json"}
        nobody.client.post("/sign-in", data={"csrf": token, "name": "x", "password": "y"}, headers=headers)
        assert app.state.site.store.events(actions=["sign_in_failed"])[-1].body == {"address": seen}
    app.state.site.close()


def test_beyond_loopback_it_needs_accounts(read_once: Path, tmp_path: Path, settings: Settings):
    with pytest.raises(ReviewError, match="there is no account"):
        create_app(settings, copied(read_once, tmp_path / "w"), host="0.0.0.0")


def test_a_trusted_proxy_names_the_person(read_once: Path, tmp_path: Path):
    proxy = {"review_proxy_header": "X-Person", "review_trusted_proxies": ("10.0.0.0/8",)}
    app = create_app(Settings(home=tmp_path, **proxy), copied(read_once, tmp_path / "w"))
    add_accounts(app)
    headers = {"x-person": NAMES["reviewer"]}
    trusted, other = Reviewer(app, None, address="10.1.2.3"), Reviewer(app, None, address="192.0.2.1")
    assert f"<summary>{NAMES['reviewer']}" in trusted.get("/queue", headers=headers).text
    assert other.get("/queue", headers=headers).status_code == 303
    assert trusted.get("/queue", headers={"x-person": "nobody"}).status_code == 401
    secure = Reviewer(app, None, address="10.1.2.3").get("/queue", headers=headers | {"x-forwarded-proto": "https"})
    assert "Secure" in secure.headers["set-cookie"] and "strict-transport-security" in secure.headers
    plain = other.get("/sign-in", headers={"x-forwarded-proto": "https"})
    assert "Secure" not in plain.headers["set-cookie"]
    app.state.site.close()


def test_a_decision_and_what_opens_next(fresh: FastAPI):
    ann = Reviewer(fresh, "reviewer")
    flag = first_flag(ann)
    done = ann.decide(flag, "confirmed", seconds="2.5", keystrokes="2").json()
    assert done["standing"]["state"] == "effective" and done["standing"]["reviewer"] == NAMES["reviewer"]
    assert done["next"].startswith("/contracts/") and flag["id"] not in done["next"]
    event = fresh.state.site.store.events(actions=["decided"])[-1]
    assert (event.body["seconds"], event.body["keystrokes"]) == (2.5, 2)
    assert flag["id"] not in {row["flag_id"] for row in ann.json("/queue")["queue"]["rows"]}
    undone = ann.post(f"/decisions/{done['standing']['number']}/undo").json()
    assert undone["standing"] == [] and flag["id"] in undone["next"]
    assert flag["id"] in {row["flag_id"] for row in ann.json("/queue")["queue"]["rows"]}


def test_a_decision_on_old_evidence_is_refused(ann: Reviewer):
    flag = first_flag(ann)
    answer = ann.decide(flag | {"evidence_hash": "0" * 64}, "confirmed")
    assert (answer.status_code, answer.json()["code"]) == (409, "stale") and "again" in answer.json()["help"]


@pytest.mark.parametrize("fields", [{"decision": "overridden"}, {"decision": "nonsense"}, {"decision": ""}])
def test_a_decision_that_says_too_little_is_refused(ann: Reviewer, fields: dict[str, str]):
    answer = ann.decide(first_flag(ann), **fields)
    assert answer.status_code == 422 and answer.json()["help"]


def test_measures_that_can_not_be_are_left_out(fresh: FastAPI):
    ann = Reviewer(fresh, "reviewer")
    ann.decide(first_flag(ann), "needs_info", seconds="nan", keystrokes="-3")
    body = fresh.state.site.store.events(actions=["decided"])[-1].body
    assert body["seconds"] is None and body["keystrokes"] is None


def test_four_eyes(fresh: FastAPI):
    ann = Reviewer(fresh, "reviewer")
    standing = ann.decide(first_flag(ann, "critical"), "confirmed").json()["standing"]
    assert standing["state"] == "waiting"
    ben = Reviewer(fresh, "approver")
    assert len(ben.json("/approvals")["decisions"]) == 1
    approved = ben.post(f"/decisions/{standing['number']}/approve").json()["standing"][0]
    assert (approved["state"], approved["approver"]) == ("effective", NAMES["approver"])
    own = ben.decide(first_flag(ben, "critical"), "confirmed").json()["standing"]
    answer = ben.post(f"/decisions/{own['number']}/approve")
    assert (answer.status_code, answer.json()["code"]) == (403, "second_person")


@pytest.mark.parametrize(("written", "decision"), [("60", "confirmed"), ("45", "overridden")])
def test_a_blind_value_confirms_or_overrides(read_once: Path, tmp_path: Path, written: str, decision: str):
    app = create_app(Settings(home=tmp_path, review_blind_share=1), copied(read_once, tmp_path / "w"))
    add_accounts(app)
    ann = Reviewer(app, "reviewer")
    contract = first_flag(ann)["row"]["contract_id"]
    term = next(item for item in ann.items(contract) if item["name"] == "payment_terms_days")
    page = ann.get(f"/contracts/{contract}?target=term&id={term['id']}").text
    row = page[page.index(f'id="item-{term["id"]}"') :].partition('<div class="term"')[0]
    assert 'name="blind" value="yes"' in page and 'data-value=""' in row
    assert "Hidden" in row and ">60" not in row and "sixty" not in row
    of_the_page = ann.json(f"/contracts/{contract}")
    shown = next(item for item in of_the_page["view"]["terms"] if item["id"] == term["id"])
    assert shown["value"] is None and shown["row"]["value"] is None and shown["row"]["quote"] is None
    assert term["id"] not in of_the_page["boxes"] and f'data-for="{term["id"]}"' not in page
    kept = ann.decide(term, "overridden", new_value=written, blind="yes").json()["standing"]
    assert kept["decision"] == decision
    assert app.state.site.store.events(actions=["decided"])[-1].body["is_blind"] is True
    app.state.site.close()


def test_what_is_looked_at_is_kept(app: FastAPI, ann: Reviewer):
    contract = ann.json("/contracts")["contracts"]["rows"][0]["contract_id"]
    ann.get(f"/contracts/{contract}")
    event = app.state.site.store.events(actions=["viewed"])[-1]
    assert (event.actor, event.contract_id) == (NAMES["reviewer"], contract)
    admin = Reviewer(app, "admin")
    assert contract in admin.get("/audit").text and contract in admin.get("/audit.csv").text
    assert app.state.site.store.events()[-1].action == "exported"


def test_searched_words_stand_in_no_address_and_no_log(ann: Reviewer, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, access.name)
    access.addHandler(caplog.handler)
    href = ann.post("/queue", as_json=False, q="Quarry", counterparty="Quarry Lane A Foods LLC").headers["location"]
    assert "Quarry" not in href and "search=" in href
    page = ann.get(href)
    assert 'value="Quarry"' in page.text
    ann.get("/queue?q=Quarry")
    ann.get("/Quarry")
    access.removeHandler(caplog.handler)
    assert "Quarry" not in caplog.text and "/queue 200" in caplog.text
    assert "no longer kept" in ann.get("/queue?search=0123456789").text


def test_a_saved_view_is_ones_own(app: FastAPI, ann: Reviewer):
    ann.post("/views", query="severity=critical", name="The worst")
    (view,) = ann.json("/queue")["views"]
    assert {row["severity"] for row in ann.json(f"/queue?view={view['number']}")["queue"]["rows"]} == {"critical"}
    assert Reviewer(app, "viewer").get(f"/queue?view={view['number']}").status_code == 404


@pytest.mark.parametrize("query", ["severity=worst", "page=0", "page=-1", "page=9999999", "sort=x", "least_value=NaN"])
def test_a_filter_there_is_none_of_is_told(ann: Reviewer, query: str):
    answer = ann.get(f"/queue.json?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "address")


def test_pictures_are_asked_for_but_sent_once(ann: Reviewer):
    contract = ann.json("/contracts")["contracts"]["rows"][0]["contract_id"]
    page = ann.json(f"/contracts/{contract}")["view"]["pages"][0]
    path = f"/documents/{page['document_id']}/pages/1.jpg?width=400"
    picture = ann.get(path)
    assert picture.headers["content-type"] == "image/jpeg" and picture.content[:2] == b"\xff\xd8"
    assert ann.get(path, headers={"if-none-match": picture.headers["etag"]}).status_code == 304
    words_there = ann.get(f"/documents/{page['document_id']}/pages/1/words.json").json()["words"]
    assert "MASTER" in {word[0] for word in words_there}


def test_both_languages_have_the_same_words():
    assert set(words("en")) == set(words("ja"))
    assert all(value.strip() for language in LANGUAGES for value in words(language).values())


def test_pages_speak_japanese(ann: Reviewer):
    ann.post("/language", language="ja", back="/queue")
    page = ann.get("/queue").text
    assert '<html lang="ja">' in page and "確認待ち" in page


def test_without_a_warehouse_the_page_says_so(tmp_path: Path, settings: Settings):
    app = create_app(settings, tmp_path / "nothing")
    answer = Reviewer(app, None).get("/queue")
    assert answer.status_code == 503 and "contract-agent run" in answer.text
    app.state.site.close()
