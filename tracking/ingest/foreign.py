"""What an off-the-shelf client asks and what its dialect read of it: one shape for all. (pure)

A dialect is a module with three names:

    METHODS                the HTTP methods that its client uses
    read(request)          -> Readings: fixes, what could not be read, the phone's own state
    success(request)       -> Answer: the client's own form of "done, go on"

`success` is the answer to everything that was stored, quarantined or counted, since none of
these clients can read a refusal; 401, 405, 413 and 503 are the same for all.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol, TypeVar

from tracking.ingest.http import Answer
from tracking.ingest.sent import Refusal, SentFix
from tracking.ingest.values import Unreadable

Source = TypeVar("Source")

# Of so many unreadable items of a request the source is held: as many as quarantine keeps.
MAX_SOURCES: Final = 1_000

ALWAYS: Final = "always"
WHILE_IN_USE: Final = "while_in_use"
DENIED: Final = "denied"

_PLACE: Final = re.compile(rb"(?:^|&)(?:lat|latitude|location)=")

# Turns the `data` of an encrypted message into its bytes; None when no key of the phone fits.
Opener = Callable[[str], bytes | None]


@dataclass(slots=True)
class ForeignRequest:
    """A request without its credentials.

    `rest` is the path behind the dialect's name, without the token. `open_sealed` is there
    only once the phone's key is known. `is_basic_unencoded` says that Basic credentials
    came in the clear: Overland does that in its OwnTracks mode, and nobody else.
    """

    method: str = "POST"
    rest: str = ""
    query: bytes = b""
    content_type: str = ""
    body: bytes = b""
    user_agent: str = ""
    open_sealed: Opener | None = None
    is_basic_unencoded: bool = False


class Health(NamedTuple):
    """What a phone says of itself; None is unknown.

    `battery` is 0 to 1, `permission` one of always, while_in_use and denied,
    `is_location_on` whether the phone's location service is on at all.
    """

    battery: float | None = None
    is_charging: bool | None = None
    permission: str | None = None
    is_location_on: bool | None = None
    app_version: str | None = None

    def updated(self, newer: "Health") -> "Health":
        """What is known now: the newer value where there is one."""
        if self == NOTHING_KNOWN:
            return newer
        if newer == NOTHING_KNOWN:
            return self
        return Health._make(
            old if new is None else new for old, new in zip(self, newer, strict=True)
        )


NOTHING_KNOWN: Final = Health()


class Reading(NamedTuple):
    """One fix, or why it is none, and what it was read from.

    `source` is a request of its own in the same dialect: the bytes of a form, or the value of
    a JSON body. It is what the quarantine keeps and a retry reads again.
    """

    fix: SentFix | Refusal
    source: object


@dataclass(slots=True)
class Readings:
    """All of a request, in the order sent."""

    readings: list[Reading] = field(default_factory=list)
    health: Health = NOTHING_KNOWN
    is_sealed: bool = False  # it needs the phone's key, which was not given
    refused: int = 0
    _counted: dict[Refusal, Reading] = field(default_factory=dict)

    def add(
        self,
        read: Callable[[Source], SentFix | None],
        value: Source,
        source: object,
    ) -> None:
        """Read a fix from a value; None is no fix and no failure."""
        try:
            fix = read(value)
        except Unreadable as unreadable:
            self._refuse(unreadable.refusal, source)
            return
        if fix is not None:
            self.readings.append(Reading(fix, source))

    def add_all(self, read: Callable[[Source], None], value: Source, source: object) -> None:
        """Let `read` add what it finds in a value; what it raises refuses the whole of it."""
        try:
            read(value)
        except Unreadable as unreadable:
            self._refuse(unreadable.refusal, source)

    def _refuse(self, refusal: Refusal, source: object) -> None:
        # A million unreadable items may not take a million times their memory.
        if self.refused < MAX_SOURCES:
            self.readings.append(Reading(refusal, source))
        else:
            self.readings.append(self._counted.setdefault(refusal, Reading(refusal, None)))
        self.refused += 1

    def learn(self, health: Health) -> None:
        """What a later part of the request says of the phone."""
        self.health = self.health.updated(health)


class Dialect(Protocol):
    """A module under `dialects`."""

    METHODS: frozenset[str]

    def read(self, request: ForeignRequest) -> Readings: ...

    def success(self, request: ForeignRequest) -> Answer: ...


def posted_form(request: ForeignRequest) -> bytes:
    """The query, or the body when there is one and the query holds no place.

    An address pasted with its query (the link that sets an app up has one) is posted to with
    the fix in the body: read by its query alone, the fix would be lost with a success.
    """
    if request.query and (_PLACE.search(request.query) or not request.body.strip()):
        return request.query
    return request.body


def first_of(fields: Mapping[str, object], *names: str) -> object:
    """The value of the first of these names that was sent and is not empty."""
    for name in names:
        value = fields.get(name)
        if value not in (None, ""):
            return value
    return None
