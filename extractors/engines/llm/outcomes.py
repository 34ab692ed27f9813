"""What can become of a request: one name each, so that no fault looks like a missing clause."""

from typing import Literal, NamedTuple

Outcome = Literal[
    "answered",
    "truncated",
    "only_reasoning",
    "refused",
    "failed",
    "filtered",
    "no_json",
    "not_the_schema",
    "empty",
    "not_the_api",
    "too_long",
    "rate_limited",
    "quota_used_up",
    "server_error",
    "timeout",
    "connection_lost",
    "bad_request",
    "no_access",
    "no_such_model",
    "host_not_allowed",
    "over_budget",
    "row_missing",
    "row_expired",
]

AGAIN: frozenset[Outcome] = frozenset(
    {"rate_limited", "server_error", "timeout", "connection_lost", "not_the_api", "failed", "no_json", "empty"}
)
"""Worth another attempt with the same bytes."""

MORE_ROOM: frozenset[Outcome] = frozenset({"truncated", "only_reasoning"})
"""Worth another attempt with room for a longer answer, then in parts."""

STOPS_THE_RUN: frozenset[Outcome] = frozenset({"quota_used_up", "no_access", "no_such_model", "host_not_allowed"})
"""Every further request would end the same way."""

HELP: dict[Outcome, str] = {
    "quota_used_up": "The account has no credit left: add some, or run with --extractor embedded.",
    "no_access": "The key is not accepted: check OPENAI_API_KEY and the project it belongs to.",
    "no_such_model": "The provider does not know the model: check the setting openai_model.",
    "host_not_allowed": "Add the host to the setting openai_allowed_hosts if contracts may go there.",
}


class Usage(NamedTuple):
    """Tokens of one attempt, as the provider counts them; zeros where it does not say."""

    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(*(a + b for a, b in zip(self, other, strict=True)))

    def cost(self, prices: tuple[float, float, float]) -> float:
        """US dollars, at prices for a million tokens: fresh input, cached input, output."""
        fresh = self.tokens_in - self.tokens_cached
        return (fresh * prices[0] + self.tokens_cached * prices[1] + self.tokens_out * prices[2]) / 1e6


class Reply(NamedTuple):
    """What came back of one attempt. `text` is given when `outcome` is `answered`."""

    outcome: Outcome
    text: str = ""
    usage: Usage = Usage()
    response_id: str | None = None
    tier: str | None = None
    model: str | None = None
    wait_seconds: float | None = None
    detail: str = ""
