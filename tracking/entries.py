"""What a timeline consists of: entries, shifts, and what the system noticed by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from accounts.models import Driver, Truck
from missions.models import Attachment, Mission, Signature, StageEvent, Stop
from missions.punctuality import Compared, Split
from tracking.amiss import Amiss
from tracking.histories import StoredFix
from tracking.segmentation import Segment
from tracking.tracked import Period

Availability = Literal["available", "not_available", "erased"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a timeline: a segment, and whom and what it concerns.

    `event` is the stage event of a stage, or None when only its fix is known; of a photo or
    a signature (`proof`) the stage it belongs to. `received_at` is there when the two clocks
    of something in it differ by more than a minute, `came_late_at` when it came in more than
    15 minutes late. `continues_before` and `continues_after` say that it was cut off at the
    bounds of the day. `compared` is an arrival or departure beside its plan, `split` and
    `detention_s` how the time of a whole dwell was spent. `corrected_by` is the stage that
    takes the place of a superseded one.
    """

    segment: Segment
    driver: Driver | None = None
    truck: Truck | None = None
    mission: Mission | None = None
    stop: Stop | None = None
    event: StageEvent | None = None
    received_at: datetime | None = None
    came_late_at: datetime | None = None
    is_superseded: bool = False
    corrected_by: StageEvent | None = None
    continues_before: bool = False
    continues_after: bool = False
    compared: Compared | None = None
    split: Split | None = None
    detention_s: int | None = None
    proof: Attachment | Signature | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """Who drove from when to when. Of a driver who is not available only the times remain."""

    started_at: datetime
    ended_at: datetime
    driver: Driver | None
    availability: Availability


@dataclass(frozen=True, slots=True)
class Timeline:
    """`[started_at, ended_at)` is what it covers; `ended_at` None: the mission is open.

    `distance_m` is the sum of the entries; a lower bound when `distance_method` is `fixes`.
    `last_fix_at` is the newest fix in it: after that nothing is claimed. `exceptions` are
    those that nobody pressed; a driver's own are stages among the entries. `fixes` are what it
    was cut from, so that a map beside it need not read them again.

    Within its bounds: `tracked` is when somebody was tracked at all, `on_duty` when a duty or
    a mission was open (of a day only), `loadings` when something was loaded or unloaded.
    """

    timezone: str
    started_at: datetime | None
    ended_at: datetime | None
    distance_m: float = 0.0
    distance_method: str = "fixes"
    flagged_legs: int = 0
    last_fix_at: datetime | None = None
    shifts: list[Shift] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    exceptions: Sequence[Amiss] = ()
    tracked: Sequence[Period] = ()
    on_duty: Sequence[Period] = ()
    loadings: Sequence[Period] = ()
    fixes: Sequence[StoredFix] = field(default=(), repr=False)
