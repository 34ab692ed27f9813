"""One attempt at one request over HTTP, and every way it can end as a named outcome.

`responses.parse` of the SDK is not used: it loses status and usage of a truncated answer, and raises on text that is
no JSON. So the raw response is looked at first: its type, its status, a refusal, then the text.
"""

import json
import re
import weakref
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import openai

from extractors.engines.llm.outcomes import Outcome, Reply, Usage
from schemas.llm import LlmSettings

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Client:
    """Sends requests to one host. Retries are not its business: an attempt is an attempt."""

    def __init__(self, settings: LlmSettings, key: str) -> None:
        self._settings = settings
        self.host = urlsplit(settings.base_url).hostname or ""
        self.sdk = openai.OpenAI(
            api_key=key,
            base_url=settings.base_url,
            max_retries=0,
            timeout=settings.timeout_seconds,
            http_client=openai.DefaultHttpxClient(follow_redirects=False),
        )
        weakref.finalize(self, self.sdk.close)  # an engine is dropped by a cache, nobody closes it

    def close(self) -> None:
        """Gives the connections back."""
        self.sdk.close()

    @property
    def is_allowed(self) -> bool:
        """Whether contract text may go to the host."""
        return self.host in LOOPBACK or self.host in self._settings.allowed_hosts

    def send(self, body: Mapping[str, Any]) -> Reply:
        """One attempt; never raises for what the network or the provider does."""
        if not self.is_allowed:
            return Reply("host_not_allowed", detail=self.host)
        try:
            if self._settings.api == "chat":
                raw = self.sdk.chat.completions.with_raw_response.create(**body)
            else:
                raw = self.sdk.responses.with_raw_response.create(**body)
        except openai.APIStatusError as error:
            return _of_status(error)
        except openai.APITimeoutError:
            return Reply("timeout")
        except openai.APIConnectionError as error:
            return Reply("connection_lost", detail=str(error.__cause__ or error))
        return read_response(raw.content, raw.headers.get("content-type", ""))


def _of_status(error: openai.APIStatusError) -> Reply:
    status, code = error.status_code, str(error.code or "")
    if 300 <= status < 400:
        return Reply("host_not_allowed", detail=f"redirected to {error.response.headers.get('location', '')}")
    return Reply(
        _outcome_of(status, code), wait_seconds=_wait(error.response.headers), detail=f"{status} {code}".strip()
    )


def _outcome_of(status: int, code: str) -> Outcome:
    if code == "insufficient_quota":
        return "quota_used_up"
    if code in ("context_length_exceeded", "string_above_max_length") or status == 413:
        return "too_long"
    by_status: dict[int, Outcome] = {429: "rate_limited", 401: "no_access", 403: "no_access", 404: "no_such_model"}
    if status in by_status:
        return by_status[status]
    return "server_error" if status >= 500 or status in (408, 409) else "bad_request"


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that the provider asks to wait."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        if re.fullmatch(r"\d+(?:\.\d+)?", headers.get(name, "")):
            return float(headers[name]) / unit
    return None


def read_response(content: bytes, content_type: str = "application/json") -> Reply:
    """The reply in a body of HTTP status 200, of either API; also that of a row of a batch."""
    if "json" not in content_type:
        return Reply("not_the_api", detail=content_type)
    try:
        body = json.loads(content)
    except ValueError:
        return Reply("not_the_api", detail="the body is cut or is no JSON")
    if not isinstance(body, dict):
        return Reply("not_the_api", detail="the body is no object")
    return of_body(body)


def of_body(body: Mapping[str, Any]) -> Reply:
    """The reply in a parsed body of either API."""
    found = _of_chat(body) if "choices" in body else _of_responses(body)
    return found._replace(
        usage=_usage(body.get("usage") or {}),
        response_id=body.get("id"),
        tier=body.get("service_tier"),
        model=body.get("model"),
    )


def _of_responses(body: Mapping[str, Any]) -> Reply:
    status = body.get("status")
    if status == "failed":
        return Reply("failed", detail=str((body.get("error") or {}).get("code")))
    parts = [part for item in body.get("output") or () if item.get("type") == "message" for part in item["content"]]
    if status == "incomplete":
        why = (body.get("incomplete_details") or {}).get("reason")
        if why == "content_filter":
            return Reply("filtered")
        return Reply("truncated" if parts else "only_reasoning", detail=str(why))
    if any(part.get("type") == "refusal" for part in parts):
        return Reply("refused")
    if status != "completed":
        return Reply("not_the_api", detail=f"status {status}")
    return _of_text("".join(part.get("text", "") for part in parts))


def _of_chat(body: Mapping[str, Any]) -> Reply:
    choices: Sequence[Mapping[str, Any]] = body.get("choices") or ()
    if not choices:
        return Reply("not_the_api", detail="no choices")
    message, why = choices[0].get("message") or {}, choices[0].get("finish_reason")
    if message.get("refusal"):
        return Reply("refused")
    if why in ("length", "content_filter"):
        return Reply("truncated" if why == "length" else "filtered")
    return _of_text(message.get("content") or "")


def _of_text(text: str) -> Reply:
    return Reply("answered", text) if text.strip() else Reply("empty")


def _usage(usage: Mapping[str, Any]) -> Usage:
    """Some servers leave the details out, and chat calls them by other names."""
    details = usage.get("input_tokens_details") or usage.get("prompt_tokens_details") or {}
    return Usage(
        usage.get("input_tokens") or usage.get("prompt_tokens") or 0,
        details.get("cached_tokens") or 0,
        usage.get("output_tokens") or usage.get("completion_tokens") or 0,
    )
