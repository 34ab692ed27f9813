"""What all pages share: the services behind them, the templates, and what is made of both once a program starts."""

import hashlib
import hmac
import json
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from threading import Lock, Thread
from typing import Generic, NamedTuple, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from review.accounts import Accounts
from review.actions import Reviewing, is_material
from review.desk import Desk
from review.pictures import Pictures
from review.shown import QueueRow
from review.store import Store
from review.web.agreement import Agreements, agreements
from schemas.errors import WarehouseError
from schemas.phrases import Language, phrases
from schemas.playbook import load_playbooks
from schemas.review import SETTLED, NewEvent
from schemas.settings import Settings
from warehouse.brief import Brief, brief

Made = TypeVar("Made")
FOLDER = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class StaticFile(NamedTuple):
    """A file of `static/`, whole in memory: what is asked for is looked up by name and never as a path."""

    data: bytes
    media_type: str


class SavedView(NamedTuple):
    """A person's filters under a name; `number` is that of the event that saved it."""

    number: int
    actor: str
    name: str
    query: str
    q: str
    counterparty: str


class Site:
    """The services and what is kept beside them, for any number of threads."""

    def __init__(self, settings: Settings, root: Path, folder: Path, *, is_local: bool):
        self.settings, self.root, self._is_loopback = settings, root, is_local
        self.store = Store(folder)
        self.accounts = Accounts(folder, self.store, settings)
        self.desk = Desk(root, self.store)
        self.reviewing = Reviewing(self.store, self.desk, settings)
        self.pictures = Pictures(root, settings, self.desk)
        self.templates = _templates()
        self.templates.tests["confirmable"] = self._is_confirmable
        self.static = {
            file.name: StaticFile(file.read_bytes(), _TYPES[file.suffix])
            for file in sorted((FOLDER / "static").iterdir())
            if file.suffix in _TYPES
        }
        self.build = hashlib.sha256(b"".join(file.data for file in self.static.values())).hexdigest()[:10]
        self.searches = Searches()
        self._views = _Views(self.store)
        self._titles = _rule_titles(settings)
        self._brief = PerPublication(self.desk, lambda: brief(root))
        self._agreement = PerPublication(self.desk, lambda: agreements(root))
        self._ready = Thread(target=self._get_ready, name="review-ready")
        self._ready.start()
        self._waiting: tuple[float, dict[str, int]] = (-math.inf, {})

    def brief(self) -> Brief:
        """The morning brief."""
        return self._brief.get()

    def agreement(self) -> Agreements:
        """How often people agreed with what was proposed, and what of the random sample is to be looked at."""
        return self._agreement.get()

    def _get_ready(self) -> None:
        """So that the first who comes in the morning need not wait."""
        try:
            self._brief.get()
        except WarehouseError:  # none yet; the pages say so
            return

    def _is_confirmable(self, row: QueueRow) -> bool:
        """Whether a flag may be confirmed together with others."""
        is_small = not is_material(row.total_value, self.settings.review_materiality)
        return row.severity == "low" and row.status not in SETTLED and row.state is None and is_small

    @property
    def is_local(self) -> bool:
        """Whether the person of this machine needs no account: on loopback, while there are none."""
        return self._is_loopback and not self.accounts.all()

    def waiting(self) -> dict[str, int]:
        """How much waits in the queue, for a second person, and in conflict; at most a second old."""
        at, counts = self._waiting
        if time.monotonic() - at > 1:
            counts = self._count_waiting()
            self._waiting = (time.monotonic(), counts)
        return counts

    def _count_waiting(self) -> dict[str, int]:
        waiting = len(self.store.standing(state="waiting")) + len(self.store.requests(state="waiting"))
        try:
            queue, conflicts = self.desk.queue(size=1).total, len(self.desk.conflicts())
        except WarehouseError:  # none yet: the page itself says so
            queue = conflicts = 0
        return {"queue": queue, "approvals": waiting, "conflicts": conflicts}

    def rule_titles(self, language: Language) -> Mapping[str, str]:
        """Titles of the playbook's rules by id."""
        return self._titles[language]

    def views(self, actor: str) -> list[SavedView]:
        """A person's saved views, the last first, one a name."""
        return self._views.of(actor)

    def save_view(self, actor: str, name: str, query: str, q: str, counterparty: str) -> None:
        """Keep filters under a name; the same name again replaces them."""
        body = {"name": name, "query": query, "q": q, "counterparty": counterparty}
        self.store.append(NewEvent(actor=actor, action="view_saved", body=body))

    def close(self) -> None:
        """Give connections back, once nothing is being made any more."""
        self._ready.join()
        self._brief.settle()
        self._agreement.settle()
        self.desk.close()
        self.store.close()


class PerPublication(Generic[Made]):
    """Something made of the warehouse once a publication. After a new one the former is given until that is made."""

    def __init__(self, desk: Desk, make: Callable[[], Made]):
        self._desk, self._make, self._lock = desk, make, Lock()
        self._made: tuple[str, Made] | None = None
        self._making: Thread | None = None

    def get(self) -> Made:
        """What was made; the first time it is waited for. Raises WarehouseError when there is no warehouse."""
        publication = self._desk.publication()
        if self._made is None:
            with self._lock:
                if self._made is None:
                    self._made = (publication, self._make())
        elif self._made[0] != publication:
            self._begin(publication)
        return self._made[1]

    def settle(self) -> None:
        """Wait for what is being made."""
        if self._making:
            self._making.join()

    def _begin(self, publication: str) -> None:
        with self._lock:
            if self._making is None or not self._making.is_alive():
                self._making = Thread(target=self._make_anew, args=(publication,), name="review-anew")
                self._making.start()

    def _make_anew(self, publication: str) -> None:
        self._made = (publication, self._make())


class Searches:
    """Words that people search for, by a key that says nothing: they may be a contract's, so they stand in no address.

    The last 2,000 are kept, until the program ends.
    """

    def __init__(self) -> None:
        self._secret, self._kept, self._lock = secrets.token_bytes(32), OrderedDict(), Lock()

    def keep(self, q: str, counterparty: str) -> str:
        """The key of these words, empty for none."""
        if not q and not counterparty:
            return ""
        said = json.dumps([q, counterparty]).encode()
        key = hmac.new(self._secret, said, hashlib.sha256).hexdigest()[:20]
        with self._lock:
            self._kept[key] = (q, counterparty)
            self._kept.move_to_end(key)
            if len(self._kept) > 2_000:
                self._kept.popitem(last=False)
        return key

    def of(self, key: str) -> tuple[str, str] | None:
        """The words of a key, None when they are kept no longer."""
        with self._lock:
            return self._kept.get(key)


class _Views:
    """Saved views, read from the events as they come."""

    def __init__(self, store: Store):
        self._store, self._seen, self._views, self._lock = store, 0, {}, Lock()

    def of(self, actor: str) -> list[SavedView]:
        with self._lock:
            last = self._store.last()
            for event in self._store.events(after=self._seen, actions=["view_saved"]) if last > self._seen else ():
                if event.body:
                    self._views[event.actor, event.body["name"]] = SavedView(event.number, event.actor, **event.body)
            self._seen = last
            mine = [view for view in self._views.values() if view.actor == actor]
        return sorted(mine, key=lambda view: -view.number)


def _rule_titles(settings: Settings) -> dict[Language, dict[str, str]]:
    known = {rule.id: rule.title for rule in load_playbooks(settings.playbook).rules}
    translated = {id: phrase.title for id, phrase in phrases("ja").rules.items()}
    return {"en": known, "ja": known | translated}


def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(thousands=_thousands, money=_money, moment=_moment)
    return environment


def _thousands(number: float) -> str:
    return f"{number:,.0f}"


def _money(amount: Decimal | float) -> str:
    """With thousands apart, and cents where there are any."""
    return f"{amount:,.2f}".removesuffix(".00")


def _moment(at: datetime | date | str | None) -> str:
    if not isinstance(at, datetime):
        return str(at or "–")
    return (at.astimezone(UTC) if at.tzinfo else at).strftime("%Y-%m-%d %H:%M")
