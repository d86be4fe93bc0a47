"""Post fixes to a running server as a phone does: over HTTP, in batches, again on no answer.

The demo's phones and the replay speak through this; it knows only the ingest contract.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import httpx

BATCH: Final = 100
COUNTERS: Final = ("stored", "duplicates", "thinned", "outside_window", "refused")
TIMEOUT_S: Final = 15.0
FIRST_DELAY_S: Final = 0.5
LONGEST_DELAY_S: Final = 30.0
SAYS_LATER: Final = frozenset({429, 500, 502, 503, 504})


class NoAnswer(Exception):
    """Nothing is known to be stored: keep the fixes and send the same batch again."""

    def __init__(self, why: str, retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class TurnedAway(Exception):
    """The server will not take this, however often it is sent."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}" if detail else str(status))
        self.status = status


@dataclass(slots=True)
class Outcome:
    """How many fixes met which end, and of the refused ones: for which reason."""

    received: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    refused_for: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Outcome") -> None:
        """Take another batch's outcome into this one."""
        self.received += other.received
        self.counts.update(other.counts)
        self.refused_for.update(other.refused_for)


class PhoneLine:
    """One phone's connection to the server."""

    def __init__(
        self, url: str, token: str, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_S,
            transport=transport,
            trust_env=False,  # positions go to our own server, never through a proxy
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()

    def post(self, fixes: Sequence[dict[str, Any]]) -> Outcome:
        """Post one batch. Raises NoAnswer when it must be sent again, TurnedAway when not."""
        try:
            response = self._client.post("/ingest/v1/fixes", json={"fixes": list(fixes)})
        except httpx.HTTPError as error:
            raise NoAnswer(type(error).__name__) from error
        if response.status_code in SAYS_LATER:
            raise NoAnswer(str(response.status_code), _retry_after_s(response))
        if response.status_code != httpx.codes.OK:
            raise TurnedAway(response.status_code, _detail(response))
        return _outcome(response.json())

    def post_until_answered(
        self,
        fixes: Sequence[dict[str, Any]],
        *,
        wait: Callable[[float], object],
        patience_s: float,
    ) -> Outcome:
        """Post one batch again and again; NoAnswer once `patience_s` have been waited."""
        delay_s = FIRST_DELAY_S
        waited_s = 0.0
        while True:
            try:
                return self.post(fixes)
            except NoAnswer as unanswered:
                pause_s = max(delay_s, unanswered.retry_after_s or 0.0)
                if waited_s + pause_s > patience_s:
                    raise
            wait(pause_s)
            waited_s += pause_s
            delay_s = next_delay_s(delay_s)


def next_delay_s(delay_s: float) -> float:
    """Twice as long as before, up to half a minute."""
    return min(LONGEST_DELAY_S, delay_s * 2)


def _outcome(answer: dict[str, Any]) -> Outcome:
    refusals = (result for result in answer["results"] if result["status"] == "refused")
    return Outcome(
        received=answer["received"],
        counts=Counter({name: answer[name] for name in COUNTERS}),
        refused_for=Counter(result.get("reason", "unknown") for result in refusals),
    )


def _retry_after_s(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None


def _detail(response: httpx.Response) -> str:
    try:
        problem = response.json()
    except ValueError:
        return ""
    return str(problem.get("detail") or problem.get("title") or "")
