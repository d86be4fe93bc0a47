"""A fix as a phone sent it, in our units. (pure)

The kinds are the stages (missions), the duty marks (accounts) and two of our own; the
number is what the database holds.
"""

from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct
from typing import Final, NamedTuple

from accounts.duty_marks import DutyMarkKind
from missions.stages import Stage

DISTANCE: Final = 1
HEARTBEAT: Final = 2

KIND_BY_LABEL: Final[dict[str, int]] = {
    "distance": DISTANCE,
    "heartbeat": HEARTBEAT,
    **{stage.label: stage.value for stage in Stage},
    **{mark.label: mark.value for mark in DutyMarkKind},
}
LABEL_BY_KIND: Final = {number: label for label, number in KIND_BY_LABEL.items()}
STAGE_KINDS: Final = frozenset(stage.value for stage in Stage)
DUTY_MARK_KINDS: Final = frozenset(mark.value for mark in DutyMarkKind)

# Doubts that a phone itself declares; a bit each in the column `flags`.
FLAG_MOCK: Final = 1
# Set by the recording statement: the mission's truck is not the one assigned to the driver.
FLAG_TRUCK_DISAGREES: Final = 2
# Set by the recording statement: the phone named a mission that is not this driver's.
FLAG_MISSION_UNKNOWN: Final = 4

_PLACE: Final = Struct("<hii")
_FIX_ID: Final = Struct("<q")


class SentFix(NamedTuple):
    """One readable fix. Times are microseconds since 1970 UTC, places 1e-7 degrees.

    Tuples, not objects with behaviour: a thousand of these cross one statement. The order
    of the fields is the order of the arrays in record.sql.
    """

    recorded_at_us: int
    fix_id: int
    kind: int
    latitude_e7: int | None = None
    longitude_e7: int | None = None
    accuracy_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    battery: float | None = None
    altitude_m: float | None = None
    odometer_m: int | None = None
    flags: int = 0
    mission: str | None = None
    stop: str | None = None
    reason: str | None = None
    ends_mission: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one sent fix is not taken: a fixed code, and a sentence for the app's developer."""

    reason: str
    detail: str


def fix_id_at(kind: int, latitude_e7: int, longitude_e7: int) -> int:
    """A signed 64-bit hash of kind and place: with driver and time, the key of a fix."""
    digest = blake2b(_PLACE.pack(kind, latitude_e7, longitude_e7), digest_size=8).digest()
    return int(_FIX_ID.unpack(digest)[0])


def fix_id_without_place(kind: int, client_id: str) -> int:
    """The same for a mark without a position: of its kind and its client id."""
    digest = blake2b(f"{kind}:{client_id}".encode(), digest_size=8).digest()
    return int(_FIX_ID.unpack(digest)[0])
