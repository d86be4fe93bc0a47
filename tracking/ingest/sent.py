"""A fix as a phone sent it, in our units, and as it is handed to the recording statement. (pure)

The kinds are the stages (missions), the duty marks (accounts) and two of our own; the
number is what the database holds.
"""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from struct import Struct
from typing import Annotated, Final, NamedTuple

import msgspec

from accounts.duty_marks import DutyMarkKind
from missions.stages import Stage

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

DISTANCE: Final = 1
HEARTBEAT: Final = 2

KIND_BY_LABEL: Final[dict[str, int]] = {
    "distance": DISTANCE,
    "heartbeat": HEARTBEAT,
    **{stage.label: stage.value for stage in Stage},
    **{mark.label: mark.value for mark in DutyMarkKind},
}
LABEL_BY_KIND: Final = {number: label for label, number in KIND_BY_LABEL.items()}
FIRST_STAGE_KIND: Final = min(Stage).value  # every kind from here on is a stage or duty mark
FIRST_DUTY_MARK_KIND: Final = min(DutyMarkKind).value

# Doubts about a fix, a bit each in the column `flags`; what they mean is decided when reading.
FLAG_MOCK: Final = 1  # the phone says that its position is simulated
FLAG_TRUCK_DISAGREES: Final = 2  # the mission's truck is not the one assigned to the driver
FLAG_MISSION_UNKNOWN: Final = 4  # the phone named a mission that is not this driver's

# Odd 64-bit constants; the mixing only has to tell apart the few places of one driver at
# one microsecond, and costs a third of a cryptographic hash.
_MIX_A: Final = 0x9E3779B97F4A7C15
_MIX_B: Final = 0xBF58476D1CE4E5B9
_MIX_C: Final = 0x94D049BB133111EB
_MASK: Final = (1 << 64) - 1
_SIGN: Final = 1 << 63
_FIX_ID: Final = Struct("<q")


class SentFix(msgspec.Struct, frozen=True, gc=False):
    """One fix or mark in our units, before anybody judged it: the shape of our own API.

    `recorded_at` is aware; places are WGS 84 degrees; `battery` is 0 to 1; `mission` is the
    mission's external id, else its id. Unknown values are None, never 0 or -1. What comes
    after `mission` is read of stages only.
    """

    recorded_at: Annotated[datetime, msgspec.Meta(tz=True)]
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    altitude_m: float | None = None
    odometer_m: float | None = None
    battery: float | None = None
    is_mock: bool | None = None
    kind: str = "distance"
    mission: str | None = None
    stop: str | None = None
    reason: str | None = None
    ends_mission: bool | None = None
    result: str | None = None
    note: str | None = None
    id: str | None = None
    position_source: str | None = None
    position_recorded_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class LastKnown(NamedTuple):
    """A place that was measured at an earlier moment than the stage it is told for."""

    recorded_at_us: int
    latitude_e7: int
    longitude_e7: int
    accuracy_dm: int | None


class StageWords(NamedTuple):
    """What a stage says beyond its time, kind and place."""

    stop: str | None
    reason: str | None
    ends_mission: bool
    client_id: str | None
    note: str | None
    result: str | None
    last_known: LastKnown | None


class JudgedFix(NamedTuple):
    """One fix that may be recorded. Time in microseconds since 1970 UTC, place in 1e-7 degrees.

    A stage whose place was measured earlier has none of its own, so it makes no fix.
    """

    recorded_at_us: int
    fix_id: int
    kind: int
    latitude_e7: int | None
    longitude_e7: int | None
    accuracy_dm: int | None
    speed_cmps: int | None
    heading_ddeg: int | None
    battery_e4: int | None
    altitude_m: float | None
    odometer_m: int | None
    flags: int | None
    mission: str | None
    stage: StageWords | None  # None unless it is a stage
    # Optional values that were out of range and are left out: codes for the answer.
    warnings: tuple[str, ...]


class Refusal(NamedTuple):
    """Why one sent fix is not taken: a fixed code, and a sentence for the app's developer."""

    reason: str
    detail: str


def fix_id_at(kind: int, latitude_e7: int, longitude_e7: int) -> int:
    """A signed 64-bit hash of kind and place: with driver and time, the key of a fix."""
    mixed = (latitude_e7 * _MIX_A + longitude_e7 * _MIX_B + kind * _MIX_C) & _MASK
    mixed ^= mixed >> 29
    mixed = (mixed * _MIX_B) & _MASK
    return (mixed ^ (mixed >> 32)) - _SIGN


def fix_id_without_place(kind: int, client_id: str) -> int:
    """The same for a mark without a position: of its kind and its client id."""
    digest = blake2b(f"{kind}:{client_id}".encode(), digest_size=8).digest()
    fix_id: int = _FIX_ID.unpack(digest)[0]
    return fix_id
