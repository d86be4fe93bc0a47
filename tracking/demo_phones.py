"""The demo's phones: they keep what they have to say until the server has answered for it.

1. A phone plans from its driver's rounds what it says, in order of time.
2. What is due goes out in batches of up to 100; a batch without an answer stays first and
   is sent again, later and later, as our app does it.
3. How far each phone got is kept (demo_state.py), so that a restart goes on there.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from tracking.demo_rounds import (
    ROUND_EVERY,
    DemoDriver,
    PlannedFix,
    planned_round,
    round_start,
    rounds_from,
)
from tracking.posting import BATCH, FIRST_DELAY_S, NoAnswer, PhoneLine, TurnedAway, next_delay_s

logger = logging.getLogger(__name__)

# A demo that was off for longer says nothing about the rounds it missed.
TELLS_BACK: Final = timedelta(hours=12)
LONGEST_NAP_S: Final = 5.0
AFTERWARDS_EVERY: Final = timedelta(minutes=1)
GIVES_UP_ON: Final = frozenset({401, 403, 410})


class DemoPhone:
    """One simulated phone: a queue, a line to the server, and how long to wait."""

    def __init__(
        self, driver: DemoDriver, line: PhoneLine, began_at: datetime, sent_until: datetime | None
    ) -> None:
        self.driver = driver
        self.sent_until = sent_until
        self.is_off = False
        self._line = line
        self._began_at = began_at
        self._queue: deque[PlannedFix] = deque()
        self._planned_until: datetime | None = None
        self._retry_at = datetime.min.replace(tzinfo=UTC)
        self._delay_s = FIRST_DELAY_S

    def plan(self, now: datetime) -> None:
        """Take the rounds that have begun into the queue."""
        if self._planned_until is None:
            since = self._began_at - timedelta(days=3)
            if self.sent_until is not None:
                since = max(self.sent_until - ROUND_EVERY, now - TELLS_BACK)
        else:
            since = self._planned_until
        until = now + timedelta(seconds=1)
        indexes = rounds_from(self.driver, self._began_at, since=since, until=until)
        for index in sorted(indexes, key=lambda n: round_start(self.driver, self._began_at, n)):
            for fix in planned_round(self.driver, self._began_at, index):
                if self.sent_until is None or fix.recorded_at > self.sent_until:
                    self._queue.append(fix)
        self._planned_until = until

    def send_due(self, now: datetime) -> bool:
        """Send one batch of what is due; whether there may be more to send at once."""
        batch = self._due(now)
        if not batch:
            return False
        bodies = [fix.body for fix in batch]
        try:
            self._line.post(bodies)
            if self.driver.repeats_batches and len(batch) > 1:
                self._line.post(bodies)  # as if the first answer had been lost on its way
        except NoAnswer as unanswered:
            pause_s = max(self._delay_s, unanswered.retry_after_s or 0.0)
            self._retry_at = now + timedelta(seconds=pause_s)
            self._delay_s = next_delay_s(self._delay_s)
            return False
        except TurnedAway as refusal:
            logger.warning("demo phone %s was turned away: %s", self.driver.number, refusal)
            self.is_off = refusal.status in GIVES_UP_ON
            if self.is_off:
                return False  # keeps its fixes, as a phone does until it is paired again
        self._delay_s = FIRST_DELAY_S
        for _ in batch:
            self._queue.popleft()
        self.sent_until = batch[-1].recorded_at
        return len(batch) == BATCH

    def next_at(self) -> datetime | None:
        """When there is something to do for this phone; None: nothing planned."""
        if self.is_off or not self._queue:
            return None
        return max(self._queue[0].sendable_at, self._retry_at)

    def _due(self, now: datetime) -> list[PlannedFix]:
        if self.is_off or now < self._retry_at:
            return []
        due: list[PlannedFix] = []
        for fix in self._queue:
            if fix.sendable_at > now or len(due) == BATCH:
                break
            due.append(fix)
        return due


def drive(
    phones: list[DemoPhone],
    *,
    wait: Callable[[float], bool],
    keep: Callable[[Mapping[str, datetime]], None],
    hourly: Callable[[datetime], None],
    afterwards: Callable[[datetime], None] = lambda now: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Drive until `wait` returns True (told to stop).

    `keep` is given how far each phone got, whenever something was answered for. `hourly` is
    called at the start and then every hour, before the phones plan; `afterwards` once a
    minute, after they have sent what was due.
    """
    hour_at: datetime | None = None
    minute_at: datetime | None = None
    while True:
        now = clock()
        if hour_at is None or now >= hour_at + timedelta(hours=1):
            hourly(now)
            hour_at = now
        if _send_all(phones, clock, wait):
            return
        keep({phone.driver.number: phone.sent_until for phone in phones if phone.sent_until})
        if minute_at is None or now >= minute_at + AFTERWARDS_EVERY:
            afterwards(now)
            minute_at = now
        if wait(_nap_s(phones, clock())):
            return


def _send_all(
    phones: list[DemoPhone], clock: Callable[[], datetime], wait: Callable[[float], bool]
) -> bool:
    """Send for each phone what is due, one batch in turn; whether told to stop."""
    for phone in phones:
        phone.plan(clock())
    busy = list(phones)
    while busy:
        busy = [phone for phone in busy if phone.send_due(clock())]
        if wait(0):
            return True
    return False


def _nap_s(phones: list[DemoPhone], now: datetime) -> float:
    moments = [moment for phone in phones if (moment := phone.next_at()) is not None]
    if not moments:
        return LONGEST_NAP_S
    return min(LONGEST_NAP_S, max(0.2, (min(moments) - now).total_seconds()))
