"""The record of the background-geolocation library, which two dialects carry. (pure)

Speed in m/s, distances in metres, battery 0 to 1; -1 and null are unknown; the time is ISO
8601 or milliseconds since 1970 (CLIENTS.md, sections 3.2 and 6).
"""

from typing import Any, Final

from tracking.ingest.foreign import ALWAYS, DENIED, NOTHING_KNOWN, WHILE_IN_USE, Health
from tracking.ingest.sent import SentFix
from tracking.ingest.values import Unreadable, boolean, inner, known, moment, place, text

# The library's own numbers for what its user allowed.
PERMISSIONS: Final = {1: DENIED, 2: DENIED, 3: ALWAYS, 4: WHILE_IN_USE}


def fix_of_record(record: Any) -> SentFix | None:
    """The fix of a record; None for a heartbeat without a place; raises Unreadable."""
    if not isinstance(record, dict):
        raise Unreadable("fix_invalid", "a record is a JSON object")
    # A template may leave the group `coords` out.
    coords = inner(record, "coords") or record
    at_place = place(coords.get("latitude"), coords.get("longitude"))
    is_heartbeat = record.get("event") == "heartbeat" or bool(
        boolean(inner(record, "extras").get("heartbeat"))
    )
    if at_place is None:
        if is_heartbeat:
            return None
        raise Unreadable("place_missing", "the record has no latitude and longitude")
    return SentFix(
        recorded_at=moment(record.get("timestamp")),
        latitude=at_place[0],
        longitude=at_place[1],
        accuracy_m=known(coords.get("accuracy"), 0.0),
        speed_mps=known(coords.get("speed"), 0.0),
        heading_deg=known(coords.get("heading"), 0.0),
        altitude_m=known(coords.get("altitude")),
        odometer_m=known(record.get("odometer"), 0.0),
        battery=known(inner(record, "battery").get("level"), 0.0),
        is_mock=True if boolean(record.get("mock")) else None,
        kind="heartbeat" if is_heartbeat else "distance",
        id=text(record.get("uuid")),
    )


def health_of_record(record: Any) -> Health:
    """Battery of every record; permission and location service of a `providerchange`."""
    battery, provider = inner(record, "battery"), inner(record, "provider")
    if not battery and not provider:
        return NOTHING_KNOWN
    level = known(battery.get("level"), 0.0)
    status = provider.get("status")
    return Health(
        battery=level,
        # An unknown battery says "not charging" as well.
        is_charging=None if level is None else boolean(battery.get("is_charging")),
        permission=PERMISSIONS.get(status) if isinstance(status, int) else None,
        is_location_on=boolean(provider.get("enabled")),
    )
