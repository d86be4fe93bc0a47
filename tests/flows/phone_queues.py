"""The queue of each off-the-shelf client: what it does on which answer, in virtual time. (pure)

The rules are the clients' own (CLIENTS.md, sections 3 to 9 and 10.3). A phone sends what is due
over whatever it is given and says when it wants to be woken next; nothing is slept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

from tests.flows.phone_requests import (
    BATCHES,
    ENCODERS,
    PHONETRACK_SINGLE,
    PhoneFix,
    Wire,
    overland,
    position_of,
    ulogger_action,
)

DAY_S: Final = 86_400.0
# After so many sign-ins at once that did not help the phone would be in a loop.
MOST_SIGN_INS: Final = 3
ULOGGER_BASE: Final = "/ingest/ulogger"


class Looped(Exception):
    """A phone would send for ever without a pause."""


class HttpAnswer(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    content_type: str = ""
    cookie: str | None = None


Send = Callable[[Wire], HttpAnswer | None]  # None: no answer


class Heard(Enum):
    """What an answer is to a client."""

    DONE = "done"
    WRONG_BODY = "2xx, wrong body"
    REDIRECT = "3xx"
    UNAUTHORIZED = "401, 403"
    REFUSED = "other 4xx"
    TOO_LARGE = "413"
    AWAY = "5xx"
    SILENCE = "no answer"


class Then(Enum):
    """What the client does with what it sent."""

    DELIVERED = "delete"
    LOSE = "delete though it was not taken"
    WAIT = "keep, in front, and send again after a pause"
    STOP = "keep until the next fix"
    SIGN_IN = "sign in and repeat at once"


@dataclass(frozen=True, slots=True)
class Pause:
    """How long after a failure: doubling up to the longest.

    After `tries` failures in a row `then` is what happens; without it there is no end.
    """

    first_s: float
    longest_s: float
    tries: int | None = None
    then: Then = Then.STOP

    def after(self, failures: int) -> float:
        return float(min(self.longest_s, self.first_s * 2 ** min(failures - 1, 30)))


@dataclass(frozen=True, slots=True)
class Rules:
    """One client. A lane for each fix is how a client without an order of its own works."""

    on: Mapping[Heard, Then]
    pause: Pause = Pause(0, 0)
    is_done: Callable[[HttpAnswer], bool] = lambda answer: True
    interval_s: float = 0.0  # it sends only so often, unless a full batch is left
    most_age_s: float | None = None  # of a record, then it is dropped unsent
    is_lane_for_each: bool = False
    is_by_time: bool = False


def _on(  # the columns of section 10.3, in their order
    wrong_body: Then, redirect: Then, unauthorized: Then, refused: Then, too_large: Then,
    away: Then, silence: Then,
) -> dict[Heard, Then]:  # fmt: skip
    actions = (wrong_body, redirect, unauthorized, refused, too_large, away, silence)
    return {Heard.DONE: Then.DELIVERED, **dict(zip(list(Heard)[1:], actions, strict=True))}


def _says_result_ok(answer: HttpAnswer) -> bool:
    return "json" in answer.content_type and b'"result":"ok"' in answer.body.replace(b" ", b"")


def _says_done_1(answer: HttpAnswer) -> bool:
    return answer.status == 200 and b'"done":1' in answer.body.replace(b" ", b"")


def _says_no_error(answer: HttpAnswer) -> bool:
    return answer.status == 200 and b'"error":false' in answer.body.replace(b" ", b"")


_GONE, _LOSE, _WAIT, _STOP, _SIGN = Then.DELIVERED, Then.LOSE, Then.WAIT, Then.STOP, Then.SIGN_IN
_LIBRARY: Final = _on(_GONE, _STOP, _STOP, _STOP, _STOP, _STOP, _STOP)

RULES: Final[dict[str, Rules]] = {
    # Any status below 400 is success.
    "traccar_android_8": Rules(_on(_GONE, _GONE, _WAIT, _WAIT, _WAIT, _WAIT, _WAIT), Pause(30, 30)),
    # Any HTTP answer at all is success.
    "traccar_ios_8": Rules(_on(_GONE, _GONE, _LOSE, _LOSE, _LOSE, _LOSE, _WAIT), Pause(30, 30)),
    "traccar_9": Rules(_LIBRARY, most_age_s=14 * DAY_S),
    "traccar_10": Rules(_on(_GONE, _WAIT, _WAIT, _WAIT, _WAIT, _WAIT, _WAIT), Pause(5, 300)),
    "owntracks_android": Rules(_on(_GONE, _GONE, _WAIT, _WAIT, _WAIT, _WAIT, _WAIT), Pause(1, 120)),
    "owntracks_ios": Rules(
        _on(_GONE, _WAIT, _LOSE, _LOSE, _LOSE, _WAIT, _WAIT), Pause(1, 64), is_by_time=True
    ),
    "overland": Rules(
        _on(_WAIT, _WAIT, _WAIT, _WAIT, _WAIT, _WAIT, _WAIT), Pause(60, 60),
        is_done=_says_result_ok, interval_s=60,
    ),
    # As we publish it, and as it is when an app changes nothing.
    "transistorsoft": Rules(_LIBRARY, most_age_s=14 * DAY_S),
    "transistorsoft_single": Rules(_LIBRARY, most_age_s=DAY_S),
    # A first try and three more.
    "gpslogger": Rules(
        _on(_GONE, _GONE, _WAIT, _WAIT, _WAIT, _WAIT, _WAIT), Pause(30, 300, 3, _LOSE),
        is_lane_for_each=True,
    ),
    "phonetrack": Rules(
        _on(_WAIT, _WAIT, _WAIT, _WAIT, _WAIT, _WAIT, _WAIT), Pause(30, 18_000, 10, _STOP),
        is_done=_says_done_1,
    ),
    "ulogger": Rules(
        _on(_WAIT, _WAIT, _SIGN, _WAIT, _WAIT, _WAIT, _WAIT), Pause(300, 300),
        is_done=_says_no_error,
    ),
}  # fmt: skip


def heard(answer: HttpAnswer | None, rules: Rules) -> Heard:
    """The column of the table that an answer belongs to."""
    if answer is None:
        return Heard.SILENCE
    if answer.status < 300:
        return Heard.DONE if rules.is_done(answer) else Heard.WRONG_BODY
    if answer.status < 400:
        return Heard.REDIRECT
    if answer.status in (401, 403):
        return Heard.UNAUTHORIZED
    if answer.status == 413:
        return Heard.TOO_LARGE
    return Heard.REFUSED if answer.status < 500 else Heard.AWAY


@dataclass(slots=True)
class Item:
    """One fix in a queue, and all that came of it. Times are virtual seconds."""

    fix: PhoneFix
    recorded_s: float
    is_readable: bool = True
    heard: list[Heard] = field(default_factory=list)
    done_s: float | None = None  # when it left the queue
    lost_by: str | None = None  # the rule by which the client dropped it

    @property
    def is_waiting(self) -> bool:
        return self.done_s is None


@dataclass(slots=True)
class Account:
    """How the phone is set up."""

    client: str
    token: str
    cookie: str | None = None


@dataclass(slots=True)
class Lane:
    """Items that are sent one behind the other. `due_s` is when to wake it; None: at a fix."""

    account: Account
    rules: Rules
    items: list[Item] = field(default_factory=list)
    due_s: float | None = None
    failures: int = 0
    sign_ins: int = 0

    def put(self, item: Item, now_s: float) -> None:
        self.items.append(item)
        if self.rules.is_by_time:
            self.items.sort(key=lambda waiting: waiting.recorded_s)
        if self.due_s is None:
            self.failures = 0
            self.due_s = now_s + self.rules.interval_s

    def wake(self, now_s: float, send: Send) -> None:
        """Send until the queue is empty or something fails."""
        self.due_s, self.sign_ins = None, 0
        self._drop_too_old(now_s)
        while self.items and self.due_s is None:
            batch = self.items[: self._batch_size()]
            answer = heard(self._send(batch, send), self.rules)
            for item in batch:
                item.heard.append(answer)
            then = self.rules.on[answer]
            if then is Then.SIGN_IN and not self._has_signed_in(send):
                then = Then.WAIT
            if not self._act(then, answer, batch, now_s):
                return

    def _act(self, then: Then, answer: Heard, batch: list[Item], now_s: float) -> bool:
        """Whether it may go on with what is left."""
        if then is Then.WAIT:
            then = self._after_failure(now_s)
        if then is Then.DELIVERED or then is Then.LOSE:
            self.failures = 0
            for item in batch:
                item.done_s = now_s
                item.lost_by = answer.value if then is Then.LOSE else None
            del self.items[: len(batch)]
            if self.items and len(self.items) < self._full_batch() and self.rules.interval_s:
                self.due_s = now_s + self.rules.interval_s
        return then not in (Then.WAIT, Then.STOP)

    def _after_failure(self, now_s: float) -> Then:
        self.failures += 1
        pause = self.rules.pause
        if pause.tries is not None and self.failures > pause.tries:
            return pause.then
        self.due_s = now_s + pause.after(self.failures)
        return Then.WAIT

    def _drop_too_old(self, now_s: float) -> None:
        most_s = self.rules.most_age_s
        if most_s is None:
            return
        for item in [item for item in self.items if now_s - item.recorded_s > most_s]:
            item.done_s, item.lost_by = now_s, f"older than {most_s / DAY_S:g} days"
            self.items.remove(item)

    def _full_batch(self) -> int:
        return BATCHES.get(self.account.client, 1)

    def _batch_size(self) -> int:
        if self.account.client == "phonetrack" and len(self.items) <= PHONETRACK_SINGLE:
            return 1
        return self._full_batch()

    def _send(self, batch: list[Item], send: Send) -> HttpAnswer | None:
        fixes, account = [item.fix for item in batch], self.account
        if account.client == "ulogger":
            return send(ulogger_action(ULOGGER_BASE, position_of(fixes[0]), account.cookie))
        if account.client == "overland" and len(self.items) > len(batch):
            return send(overland(fixes, account.token, current=self.items[-1].fix))
        return send(ENCODERS[account.client](fixes, account.token))

    def _has_signed_in(self, send: Send) -> bool:
        """ulogger: a cookie for the token, then a track; no cookie, no repeat."""
        self.sign_ins += 1
        if self.sign_ins > MOST_SIGN_INS:
            raise Looped("401 for a fix, 200 for the sign-in, again and again")
        account = self.account
        sign_in = {"action": "auth", "user": "ada", "pass": account.token}
        answer = send(ulogger_action(ULOGGER_BASE, sign_in))
        if answer is None or not _says_no_error(answer) or answer.cookie is None:
            return False
        account.cookie = answer.cookie
        track = {"action": "addtrack", "track": "monday"}
        answer = send(ulogger_action(ULOGGER_BASE, track, account.cookie))
        return answer is not None and _says_no_error(answer) and b'"trackid":' in answer.body


@dataclass(slots=True)
class QueuedPhone:
    """A phone with one client and its lanes."""

    account: Account
    rules: Rules
    items: list[Item] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)

    def record(self, item: Item, now_s: float) -> None:
        """The phone has measured a fix."""
        self.items.append(item)
        if self.rules.is_lane_for_each or not self.lanes:
            self.lanes.append(Lane(self.account, self.rules))
        self.lanes[-1].put(item, now_s)

    def due_s(self) -> float | None:
        """When the first of its lanes wants to be woken."""
        return min((lane.due_s for lane in self.lanes if lane.due_s is not None), default=None)

    def wake(self, now_s: float, send: Send) -> None:
        for lane in self.lanes:
            if lane.due_s is not None and lane.due_s <= now_s:
                lane.wake(now_s, send)
        if self.rules.is_lane_for_each:
            self.lanes = [lane for lane in self.lanes if lane.items]

    @property
    def waiting(self) -> int:
        return sum(len(lane.items) for lane in self.lanes)


def phone_of(client: str, token: str) -> QueuedPhone:
    return QueuedPhone(Account(client, token), RULES[client])


def may_have_dropped(client: str, item: Item) -> bool:
    """Whether the client's own rules let it drop this item, by all that was heard of it.

    Written without the queue above, so that one holds the other.
    """
    refusals = {Heard.UNAUTHORIZED, Heard.REFUSED, Heard.TOO_LARGE}
    match client:
        case "traccar_ios_8":
            return bool(item.heard) and item.heard[-1] in refusals | {Heard.AWAY}
        case "owntracks_ios":
            return bool(item.heard) and item.heard[-1] in refusals
        case "gpslogger":
            return len(item.heard) == 4 and Heard.DONE not in item.heard
        case "transistorsoft_single":
            return item.done_s is not None and item.done_s - item.recorded_s > DAY_S
        case _:
            return False
