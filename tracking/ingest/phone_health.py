"""When to write down what a phone says of itself: at news, else every ten minutes. (pure)

A fix comes every few seconds and a battery moves every few minutes; writing each time would
cost as much as the fixes. What was written last is remembered here only to spare that: a
process that forgets it writes once more.

A group of requests with something to write in it takes twice the time of one without. So of
what comes again and again only a few a second are written; the others wait for the phone's
next fix. What a phone may say only once, such as a lost permission, never waits.
"""

import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import msgspec

from tracking.ingest.foreign import NOTHING_KNOWN, Health

AGAIN_AFTER_S: Final = 600.0
BATTERY_STEP: Final = 0.05
# Enough for 6,000 phones that tell each process something every ten minutes.
ROUTINE_A_SECOND: Final = 10
MAX_PHONES: Final = 50_000
MAX_VERSION: Final = 60

_NEVER: Final = (NOTHING_KNOWN, -AGAIN_AFTER_S)
_APP: Final = re.compile(r"[A-Za-z][\w.+ -]{1,40}/[\w.+-]{1,20}", re.ASCII)
# What says which library or system a request was made with, not which app.
_LIBRARIES: Final = ("dalvik", "okhttp", "mozilla", "dart", "cfnetwork", "python", "curl", "java")


class HealthReports:
    """What was last written of each phone, by the hash of its token."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._written: dict[bytes, tuple[Health, float]] = {}
        self._second = 0
        self._routine = 0  # written in this second

    def news(self, token_hash: bytes, health: Health, user_agent: str) -> str | None:
        """The JSON to write, or None when it says nothing new."""
        if health.app_version is None:
            app = app_version_in(user_agent)
            if app is not None:
                health = health._replace(app_version=app)
        health = _bounded(health)
        if health == NOTHING_KNOWN:
            return None
        before, at = self._written.get(token_hash, _NEVER)
        now = self._clock()
        if now - at < AGAIN_AFTER_S and not is_news(before, health):
            return None
        if not is_said_once(before, health) and self._is_too_much(now):
            return None
        known = before.updated(health)
        if len(self._written) >= MAX_PHONES:
            self._written.clear()
        self._written[token_hash] = (known, now)
        known_fields = {k: v for k, v in health._asdict().items() if v is not None}
        return msgspec.json.encode(known_fields).decode()

    def forget(self, token_hash: bytes) -> None:
        """It was not written after all: the phone's next request is news again."""
        self._written.pop(token_hash, None)

    def _is_too_much(self, now: float) -> bool:
        if int(now) != self._second:
            self._second, self._routine = int(now), 0
        self._routine += 1
        return self._routine > ROUTINE_A_SECOND


def is_news(before: Health, health: Health) -> bool:
    """Whether anything but a step of the battery too small to tell has changed."""
    if health.battery is not None and (
        before.battery is None or abs(before.battery - health.battery) >= BATTERY_STEP
    ):
        return True
    return any(
        new is not None and new != old for old, new in zip(before[1:], health[1:], strict=True)
    )


def is_said_once(before: Health, health: Health) -> bool:
    """Whether the permission or the location service has changed: no later request says so."""
    return (health.permission not in (None, before.permission)) or (
        health.is_location_on not in (None, before.is_location_on)
    )


@lru_cache(maxsize=1024)
def app_version_in(user_agent: str) -> str | None:
    """`OwnTracks/18.4` of a User-Agent that begins with an app's name; None for a library's."""
    app = _APP.match(user_agent)
    if app is None or app[0].lower().startswith(_LIBRARIES):
        return None
    return app[0]


def _bounded(health: Health) -> Health:
    """What fits: a battery of 0 to 1, a short printable version."""
    battery, version = health.battery, health.app_version
    if battery is not None and not 0.0 <= battery <= 1.0:
        health = health._replace(battery=None)
    if version is not None and not (len(version) <= MAX_VERSION and version.isprintable()):
        version = "".join(filter(str.isprintable, version[:MAX_VERSION]))
        health = health._replace(app_version=version or None)
    return health
