"""People of every role at the review page, as tests use them: over HTTP, with their cookie and their forms' token."""

import os
import shutil
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from frontdoor import AGREEMENT, call_here, write_pdf
from starlette.testclient import TestClient

from review.accounts import COOKIE
from schemas.review import ROLES, Person

PASSWORD = "correct horse battery staple"
MARKUP = "<img src=x onerror=document.title=1>"
NAMES = {"viewer": "Vera", "reviewer": "Ann", "approver": "Ben", "admin": "Ida"}
OURS = 'our_entities = ["Harbor Light Software, Inc."]\n'


def inbox_of(folder: Path, *, copies: int) -> Path:
    """Agreements of small value, and one whose text and name hold markup."""
    for number in range(copies):
        name = f"Quarry Lane {chr(65 + number)}"
        text = AGREEMENT.replace("Quarry Lane", name).replace("QUARRY LANE", name.upper())
        write_pdf(folder / f"agreement {number}.pdf", text.replace("120,000", f"{20 + number},000"))
    text = AGREEMENT.replace("Quarry Lane Foods LLC", f"{MARKUP} Foods LLC").replace("120,000", "9,000")
    write_pdf(folder / f'"> {MARKUP}.pdf', text.replace("Overdue amounts", f"Overdue {MARKUP} amounts"))
    (folder / "contract-agent.toml").write_text(OURS, encoding="utf-8")
    return folder


def landed(inbox: Path, warehouse: Path, date: str, **environment: str) -> Path:
    """A warehouse after a run over an inbox."""
    done = call_here("run", inbox, "--warehouse", warehouse, "--date", date, **environment)
    assert done.code == 0, done.err
    return warehouse


def copied(warehouse: Path, to: Path) -> Path:
    """A copy of a warehouse, with nobody's decisions."""
    shutil.copytree(warehouse, to, copy_function=os.link)
    shutil.rmtree(to / "review", ignore_errors=True)
    return to


def add_accounts(app: FastAPI, password: str | None = None) -> None:
    """One account a role, the admin first."""
    for role in reversed(ROLES):
        app.state.site.accounts.add(NAMES[role], role, password, by="test")


class Reviewer:
    """A person's browser without the window; `role` None is nobody."""

    def __init__(self, app: FastAPI, role: str | None, *, address: str = "127.0.0.1"):
        self.client = TestClient(
            app,
            base_url="http://localhost",
            client=(address, 5000),
            follow_redirects=False,
            raise_server_exceptions=False,
        )
        self.csrf = ""
        if role:
            session = app.state.site.accounts.begin(Person(name=NAMES[role], role=role))
            self.client.cookies.set(COOKIE, session.token)
            self.csrf = session.csrf

    def get(self, path: str, **more: Any):
        return self.client.get(path, **more)

    def json(self, path: str) -> Any:
        answer = self.client.get(path, headers={"accept": "application/json"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, *, as_json: bool = True, token: str | None = None, **fields: Any):
        """A form with the session's token, or another one."""
        headers = {"accept": "application/json"} if as_json else {}
        return self.client.post(path, data={"csrf": self.csrf if token is None else token, **fields}, headers=headers)

    def items(self, contract_id: str) -> list[dict[str, Any]]:
        view = self.json(f"/contracts/{contract_id}")["view"]
        return [*view["flags"], *view["terms"], *view["topics"]]

    def decide(self, item: dict[str, Any], decision: str, **more: Any):
        given = {"target": item["target"], "target_id": item["id"], "evidence_hash": item["evidence_hash"]}
        return self.post("/decisions", decision=decision, **given, **more)
