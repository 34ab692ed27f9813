"""The one table of settings: name, default, sentence.

Values come from environment variables `CONTRACT_AGENT_<NAME>` (lists as JSON), then from
`contract-agent.toml` in the data folder. The environment is read where a program starts, then passed on.
"""

import hashlib
import ipaddress
import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, SettingsConfigDict

from schemas.errors import SettingsError
from schemas.llm import Effort, LlmSettings, Tier
from schemas.phrases import Language

PREFIX = "CONTRACT_AGENT_"
FILE_NAME = "contract-agent.toml"


class Settings(BaseSettings):
    """All settings, with what each does as its description."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    home: Path = Field(Path("data"), description="The data folder: warehouse, cache and Prefect's own files.")
    our_entities: tuple[str, ...] = Field((), description="Names of our own companies: who 'we' are.")
    extractor: Literal["embedded", "openai", "auto"] = Field("embedded", description="The engine that reads.")
    playbook: str | None = Field(
        None, description="One playbook pack by name, or the path of your own file; all packs when not set."
    )
    reviewer_language: Language = Field("en", description="The language of reasons and proposals: en or ja.")
    max_pages: int = Field(1_000, gt=0, description="Most pages a document may have.")
    max_megapixels: int = Field(100, gt=0, description="Most megapixels an image may have.")
    max_megabytes: int = Field(200, gt=0, description="Most megabytes a document may have.")
    document_timeout_seconds: int = Field(1_800, gt=0, description="Longest time for one document.")
    document_memory_mb: int = Field(
        4_096, gt=0, description="Most megabytes of memory that the process reading a document may take."
    )
    reading: Literal["fast", "accurate"] = Field(
        "fast", description="How pictures of pages are read: fast where they are clean, or accurate at twice the time."
    )
    openai_model: str = Field("gpt-6-luna", description="The model of the openai extractor.")
    openai_api: Literal["responses", "chat"] = Field(
        "responses", description="Which API is spoken: chat for servers that know no other."
    )
    openai_tier: Tier = Field("default", description="The service tier that is asked for; flex is half the price.")
    openai_effort: Effort | None = Field(None, description="How hard a reasoning model thinks; its own way if not set.")
    openai_passage_tokens: int = Field(25_000, gt=0, description="Most tokens of a contract sent in a request.")
    openai_answer_tokens: int = Field(8_000, gt=0, description="Most tokens of an answer.")
    openai_groups: int = Field(1, gt=0, description="Requests that the terms of a contract are divided among.")
    openai_concurrency: int = Field(4, gt=0, description="Contracts that are asked about at the same time.")
    openai_tokens_per_minute: int | None = Field(None, gt=0, description="Most tokens sent in a minute, over all.")
    openai_cost_per_run: float | None = Field(None, ge=0, description="Most US dollars that a run may spend.")
    openai_cost_per_contract: float | None = Field(None, ge=0, description="Most US dollars that a contract may cost.")
    openai_prices: tuple[float, float, float] = Field(
        (0.10, 0.01, 0.50), description="US dollars for a million tokens: fresh input, cached input, output."
    )
    openai_allowed_hosts: tuple[str, ...] = Field(
        ("api.openai.com",), description="Hosts that contracts may be sent to; this machine always is one."
    )
    openai_batch: bool = Field(False, description="Whether a night asks in batches first, at half the price.")
    openai_batch_hours: float = Field(6, gt=0, description="How long a night waits for its batches.")
    openai_redact: bool = Field(False, description="Whether personal numbers are taken out before anything is sent.")
    openai_page_images: int = Field(
        4,
        ge=0,
        description="Most pages of a contract, unread by OCR, that are sent as pictures; none if redacted.",
    )
    openai_timeout_seconds: float = Field(120, gt=0, description="Longest time for one answer.")
    openai_attempts: int = Field(6, gt=0, description="How often a request is sent at most.")
    ask_seconds: float = Field(10, gt=0, description="Longest time for SQL that a model wrote.")
    ask_rows: int = Field(200, gt=0, description="Most rows that `ask` shows.")
    workers: int | None = Field(None, gt=0, description="Processes that read; one a core when not set.")
    dask: str | None = Field(
        None, description="Read on Dask: the scheduler's address, or `local` for a cluster on this machine."
    )
    parts: int | None = Field(
        None, gt=0, description="Flow runs on a work pool that read a night's documents at the same time."
    )
    schedule: str = Field("0 2 * * *", description="When the night run starts, as cron.")
    compact_schedule: str = Field("0 5 * * 0", description="When the warehouse is compacted, as cron.")
    time_zone: str = Field("UTC", description="Time zone of the schedule and of the business date.")
    inbox: Path | str | None = Field(
        None, description="The folder that the schedule reads, or its URL; `inbox/` in the data folder when not set."
    )
    warehouse: Path | str | None = Field(
        None, description="The warehouse's folder, or its URL; `warehouse/` in the data folder when not set."
    )
    cache: Path | None = Field(
        None, description="Local copies of inboxes and warehouses elsewhere; `cache/` in the data folder when not set."
    )
    notify: tuple[SecretStr, ...] = Field(
        (), description="Where the brief goes after a night, as Apprise URLs (Slack, Teams, mail); nowhere if not set."
    )

    waived_gates: tuple[str, ...] = Field((), description="Quality gates that only warn and stop no run.")
    closed_periods: tuple[tuple[date, date], ...] = Field(
        (), description="Closed periods as first and last day; contracts of theirs can't be forgotten."
    )
    review_materiality: float = Field(
        100_000, ge=0, description="Total value, in whatever currency, from which a second person approves decisions."
    )
    review_landing_schedule: str = Field("*/10 * * * *", description="When decisions are landed, as cron.")
    review_session_idle_minutes: int = Field(
        30, gt=0, description="How long a session of the review page lasts without a request."
    )
    review_session_hours: int = Field(12, gt=0, description="How long a session of the review page lasts at most.")
    review_proxy_header: str | None = Field(
        None, description="The header in which a trusted proxy names who signed in; none is believed when not set."
    )
    review_trusted_proxies: tuple[str, ...] = Field(
        (), description="Addresses or networks of the proxies whose header is believed."
    )
    review_blind_share: float = Field(
        0.05, ge=0, le=1, description="Share of terms that reviewers decide on without seeing what was read."
    )
    review_hosts: tuple[str, ...] = Field(
        (), description="Names, besides this machine's own, that the review page is reached by."
    )

    @field_validator("review_trusted_proxies")
    @classmethod
    def _are_networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for network in given:
            ipaddress.ip_network(network, strict=False)
        return given

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("there is no such time zone; write it as in Europe/Berlin")
        return name

    def llm(self, ledger: Path, run_id: str) -> LlmSettings:
        """How the openai extractor is run: the settings `openai_...`, and OPENAI_BASE_URL as the SDK has it."""
        names = set(LlmSettings.model_fields) & {name.removeprefix("openai_") for name in type(self).model_fields}
        given = {name: getattr(self, f"openai_{name}") for name in names}
        base_url = os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
        return LlmSettings(**given, base_url=base_url, ledger=ledger, run_id=run_id)

    @property
    def warehouse_place(self) -> Path | str:
        """Where the warehouse is: a path, or the URL of one elsewhere."""
        return place(self.warehouse or self.home / "warehouse")

    @property
    def warehouse_folder(self) -> Path:
        """The warehouse's folder, or that of its local copy; `warehouse.remote.opened` brings the copy up to date."""
        return self.local_folder(self.warehouse_place)

    def local_folder(self, place: Path | str) -> Path:
        """The path itself, or the folder in the cache for what a URL names."""
        if not is_remote(place):
            return Path(place)
        return (self.cache or self.home / "cache").expanduser().resolve() / _folder_name(str(place))

    def review_folder(self, place: Path | str) -> Path:
        """Where the decisions on a warehouse are kept: in its folder, or in the data folder for one elsewhere, since
        a cache may be emptied."""
        if not is_remote(place):
            return Path(place) / "review"
        return self.home.expanduser().resolve() / "review" / _folder_name(str(place))


def _folder_name(url: str) -> str:
    url = url.rstrip("/")
    name = re.sub(r"[^A-Za-z0-9]+", "-", url)[:40].strip("-")
    return f"{name}-{hashlib.sha256(url.encode()).hexdigest()[:12]}"


def is_remote(place: Path | str) -> bool:
    """Whether a place is named by a URL."""
    return isinstance(place, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", place) is not None


def place(given: Path | str) -> Path | str:
    """A place as it is used: a URL as it is, anything else as an absolute path; `file://` is a path, too."""
    if is_remote(given) and not str(given).lower().startswith("file://"):
        return given
    if is_remote(given):
        given = url2pathname(urlsplit(str(given)).path)
    return Path(given).expanduser().resolve()


def home_folder(environment: dict[str, str] | None = None) -> Path:
    """The data folder: CONTRACT_AGENT_HOME, else `data/` in the project's root, else `./data`."""
    given = (os.environ if environment is None else environment).get(f"{PREFIX}HOME")
    if given:
        return Path(given).expanduser().resolve()
    root = Path(__file__).resolve().parent.parent
    return (root if (root / "pyproject.toml").is_file() else Path.cwd()) / "data"


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment, then the data folder's file; `overrides` win over both.

    Raises SettingsError, naming the setting and the place, when a value can't be used.
    """
    home = home_folder()
    file = home / FILE_NAME
    values = _read_toml(file) if file.is_file() else {}
    given = {name: value for name, value in overrides.items() if value is not None}

    class Here(Settings):
        @classmethod
        def settings_customise_sources(cls, settings_cls, init_settings, env_settings, **_):
            return init_settings, env_settings, InitSettingsSource(settings_cls, values)

    try:
        loaded = Here(**{**given, "home": home})
    except (ValidationError, ValueError) as error:
        raise SettingsError(
            f"A setting can't be used: {_first_problem(error)}.",
            help=f'Correct the variable {PREFIX}... (a list as JSON: ["Acme, Inc."]) or the file {file}.',
        ) from error
    return Settings.model_construct(**dict(loaded))


def our_entities_of(inbox: Path) -> tuple[str, ...]:
    """The names of our side that an inbox's own `contract-agent.toml` gives, empty without one.

    An inbox is filled by others, so its file may say whose contracts these are and nothing else.
    """
    file = inbox / FILE_NAME
    if not file.is_file():
        return ()
    values = _read_toml(file)
    names = values.get("our_entities", [])
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if set(values) - {"our_entities"} or not is_list:
        raise SettingsError(
            f"{file} may only hold `our_entities`, a list of names.",
            help="Other settings belong into the data folder's file.",
        )
    return tuple(names)


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid TOML: {error}.", help="Correct that line.") from error


def _first_problem(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error)
