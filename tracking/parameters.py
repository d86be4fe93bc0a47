"""What a reader asks for in the URL: a range, a day, a page. Wrong ones are 400 by name."""

import re
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from rest_framework.request import Request

from accounts.moments import moment
from accounts.pagination import decode_cursor, encode_cursor
from accounts.refusals import Invalid
from tracking.histories import Key, Subject, range_of

# A plus sign that nobody escaped arrives as a space.
_LOST_PLUS: Final = re.compile(r"(?<=\d) (?=\d\d:\d\d$)")
# What the database can hold in the columns of the key.
_INT4: Final = 1 << 31
_INT8: Final = 1 << 63


class AskedRange(NamedTuple):
    """Half-open, in UTC."""

    begin_at: datetime
    end_at: datetime


def asked_range(request: Request, subject: Subject, now: datetime) -> AskedRange:
    """`from` and `to` of a request, completed for its subject."""
    begin_at, end_at = _asked_moment(request, "from"), _asked_moment(request, "to")
    if begin_at is not None and end_at is not None and begin_at > end_at:
        raise Invalid("to is before from.", field="to")
    begin_at, end_at = range_of(subject, begin_at, end_at, now)
    return AskedRange(begin_at, max(begin_at, end_at))


def _asked_moment(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if "T" in text.upper():
        text = _LOST_PLUS.sub("+", text)
    try:
        return moment(text)
    except ValueError as error:
        raise Invalid(f"{name}: {error}.", field=name) from None


def asked_day(request: Request, zone: ZoneInfo, now: datetime) -> date:
    """`date` of a request; without it, today where the employer is."""
    text = request.query_params.get("date")
    if text is None:
        return now.astimezone(zone).date()
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else None
    except ValueError:
        day = None
    # A day and its neighbours have to exist as moments, too.
    if day is None or not 1 < day.year < 9999:
        raise Invalid("date is a day like 2026-11-22.", field="date")
    return day


def asked_key(request: Request) -> Key | None:
    """`cursor` of a request: where the page before ended."""
    cursor = request.query_params.get("cursor")
    if cursor is None:
        return None
    recorded_at, driver_id, fix_id = decode_cursor(cursor, 3)
    try:
        key = Key(moment(recorded_at), int(driver_id), int(fix_id))
    except (ValueError, TypeError, AttributeError):
        raise _not_ours() from None
    if abs(key.driver_id) >= _INT4 or abs(key.fix_id) >= _INT8:
        raise _not_ours()
    return key


def _not_ours() -> Invalid:
    return Invalid("This is not a cursor of this list.", field="cursor")


def cursor_for(key: Key) -> str:
    """The opaque word that `asked_key` reads."""
    return encode_cursor(key)
