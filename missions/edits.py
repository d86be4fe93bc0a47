"""What was changed of a mission since a version, by whom and when, as its audit trail tells.

The trail holds names of fields and ids, never values: how it is now says the rest. Stages
that phones send, and ends by the clock, raise the version without an entry; they are only
counted.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.db.models.fields.json import KT

from accounts.actors import Actor
from accounts.audit import record
from accounts.models import ApiKey, AuditEntry, User
from missions.models import Mission, Stop

MOST_ENTRIES: Final = 100

# What is done about a mission and changes nothing of it, so that no version tells of it.
BESIDE: Final = frozenset(
    {
        "mission.created",
        "proof.requested",
        "proof.issued",
        "share_link.made",
        "share_link.revoked",
        "site.moved",
    }
)

# What ends a mission along with what its entry tells.
_ENDING: Final = ("/status", "/ended_at", "/ended_source")

# What each action may have changed, besides the fields that its entry names.
_CHANGES: Final[Mapping[str, tuple[str, ...]]] = {
    "mission.changed": (),
    "mission.planned": ("status",),
    "mission.assigned": ("driver", "truck", "status", "assignments"),
    "mission.unassigned": ("driver", "status", "assignments"),
    "mission.handed_over": ("driver", "truck", "assignments"),
    "mission.truck_changed": ("truck", "assignments"),
    "mission.ended": ("status", "ended_at", "ended_source"),
    "mission.cancelled": ("status", "ended_at", "ended_source"),
    "mission.stops_reordered": ("stops",),
    "mission_assignment.corrected": ("driver", "truck", "assignments"),
    "stage.entered": ("status", "opened_at", "ended_at", "ended_source"),
    "stage.corrected": ("status", "opened_at", "ended_at", "ended_source", "stops"),
    "stage.retracted": ("status", "opened_at", "ended_at", "ended_source", "stops"),
    "stop.added": ("",),
    "stop.changed": (),
    "stop.removed": (),
    "stop.result_set": ("result", "result_reason", "result_at", "result_source", "remark"),
}


@dataclass(frozen=True, slots=True)
class ChangedField:
    """One field, as a JSON pointer into the mission as it is shown now, and who changed it.

    `name` is a person's or an API key's, blank for others and for those who are gone.
    """

    pointer: str
    action: str
    at: datetime
    version: int
    actor_kind: str
    actor: UUID | None
    name: str


@dataclass(frozen=True, slots=True)
class Edits:
    """What the trail tells, oldest first, and of how many versions it tells nothing."""

    fields: tuple[ChangedField, ...]
    untold: int


def record_change(
    mission: Mission,
    action: str,
    actor: Actor | None,
    *,
    of: Any = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write down a change that is stored as the version which the mission has now.

    `of` is what belongs to the mission and was changed, default the mission itself.
    """
    where = {"mission": str(mission.uuid), "version": mission.version}
    record(actor, action, of or mission, {**(detail or {}), **where})


def record_beside(
    mission: Mission, action: str, actor: Actor | None, *, of: Any, stop: Stop | None = None
) -> None:
    """Write down what was done about a mission and changed nothing of it, so has no version."""
    where = {"mission": str(mission.uuid), **({"stop": str(stop.uuid)} if stop else {})}
    record(actor, action, of, where)


@dataclass(frozen=True, slots=True)
class ToldChange:
    """One entry of the trail: who did what, when, and the names of the fields it touched.

    `detail` is what the entry holds besides: ids, codes and times.

    `stop` is the place of the stop it was about, from 1; None: the mission, or a stop that
    is gone. `name` is blank for others than people and API keys, and for those who are gone.
    """

    at: datetime
    action: str
    actor_kind: str
    name: str
    stop: int | None
    fields: tuple[str, ...]
    detail: Mapping[str, Any]


def changes_told(mission: Mission, stops: Iterable[UUID]) -> list[ToldChange]:
    """The newest changes of a mission, oldest first. Three queries at most."""
    entries = _newest(mission, Q(detail__version__gt=0) | Q(action__in=BESIDE))
    names = _names(entries)
    places = {uuid: place for place, uuid in enumerate(stops, start=1)}
    return [
        ToldChange(
            at=entry.at,
            action=entry.action,
            actor_kind=entry.actor_kind,
            name=names.get(entry.actor, ""),
            stop=_place_of_stop(entry, places),
            fields=tuple(entry.detail.get("fields", ())),
            detail=entry.detail,
        )
        for entry in entries
    ]


def _place_of_stop(entry: AuditEntry, places: Mapping[UUID, int]) -> int | None:
    """An entry is about a stop, or about something of a stop that its detail names."""
    named = entry.detail.get("stop")
    stop = UUID(named) if isinstance(named, str) else entry.object_id
    return places.get(stop) if stop is not None else None


def _entries(mission: Mission, version: int) -> Sequence[AuditEntry]:
    """Those after a version, oldest first; of very many the newest."""
    return _newest(mission, Q(detail__version__gt=version))


def _newest(mission: Mission, wanted: Q) -> Sequence[AuditEntry]:
    return list(
        AuditEntry.objects.filter(employer_id=mission.employer_id, detail__has_key="mission")
        .alias(mission=KT("detail__mission"))
        .filter(wanted, mission=str(mission.uuid))
        .order_by("-id")[:MOST_ENTRIES]
    )[::-1]


def edits_since(mission: Mission, version: int) -> Edits:
    """The edits after a version: three queries, or four when an API key made some."""
    entries = _entries(mission, version)
    names = _names(entries)
    indexes = {
        uuid: index for index, uuid in enumerate(mission.stops.values_list("uuid", flat=True))
    }
    fields = (
        ChangedField(
            pointer,
            entry.action,
            entry.at,
            entry.detail["version"],
            entry.actor_kind,
            entry.actor,
            names.get(entry.actor, ""),
        )
        for entry in entries
        for pointer in _pointers(entry, indexes)
    )
    told = {entry.detail["version"] for entry in entries}
    return Edits(tuple(fields), max(0, mission.version - version - len(told)))


def _pointers(entry: AuditEntry, indexes: Mapping[UUID, int]) -> Iterator[str]:
    named = [*_CHANGES.get(entry.action, ()), *entry.detail.get("fields", ())]
    if entry.detail.get("ended"):
        yield from _ENDING
    if entry.object_kind != "stop":
        yield from (f"/{name}" for name in named)
    elif entry.object_id is not None and entry.object_id in indexes:
        stop = f"/stops/{indexes[entry.object_id]}"
        yield from (f"{stop}/{name}" if name else stop for name in named)
    else:
        yield "/stops"


def _names(entries: Iterable[AuditEntry]) -> dict[UUID | None, str]:
    """The names of the people and the API keys among those who changed something."""
    by_kind: dict[str, set[UUID]] = {}
    for entry in entries:
        if entry.actor is not None:
            by_kind.setdefault(entry.actor_kind, set()).add(entry.actor)
    people = User.objects.filter(uuid__in=by_kind.get("user", set()))
    keys = ApiKey.objects.filter(uuid__in=by_kind.get("api_key", set()))
    return {
        **{
            uuid: name or email for uuid, name, email in people.values_list("uuid", "name", "email")
        },
        **dict(keys.values_list("uuid", "name")),
    }
