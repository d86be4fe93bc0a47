"""Numbers, times, forms and JSON as off-the-shelf clients write them. (pure)

Unknown is None; what is there and cannot be read raises Unreadable with the reason that the
quarantine shows. Nothing is guessed and nothing repaired: a comma is no decimal point, and a
number without a unit of its own never comes here.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from math import inf, isfinite
from typing import Any, Final, NoReturn
from urllib.parse import unquote

import msgspec

from tracking.ingest.sent import EPOCH, Refusal

# Seconds since 1970 reach this in the year 5138, milliseconds did so in 1973.
FIRST_MILLISECOND_NUMBER: Final = 1e11
MAX_FIELDS: Final = 500  # of a form
MAX_VALUES: Final = 1_000_000  # of a JSON body; the largest that a client sends has half of it
MAX_NUMBER_LENGTH: Final = 40
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)


class Unreadable(Exception):
    """Something was sent that cannot be read as what it should be; carries the refusal."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason, detail)


def number(value: object) -> float | None:
    """A finite number, sent as such or as text; None for null and for empty text.

    Raises ValueError for anything else: NaN, infinity, a comma, true.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        text = value.strip()
        if len(text) > MAX_NUMBER_LENGTH or not _NUMBER.fullmatch(text):
            raise ValueError
        result = float(text)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            result = float(value)
        except OverflowError:
            raise ValueError from None
    else:
        raise ValueError  # noqa: TRY004 (one kind of refusal for the caller)
    if not isfinite(result):
        raise ValueError
    return result


def known(value: object, least: float = -inf) -> float | None:
    """An optional number of at least `least`; None where it is unknown or no number."""
    try:
        result = number(value)
    except ValueError:
        return None
    return None if result is None or result < least else result


def above_zero(value: object) -> float | None:
    """An optional number of a client whose 0 means unknown."""
    result = known(value)
    return None if result is None or result <= 0.0 else result


def scaled(value: float | None, factor: float) -> float | None:
    """The number in another unit."""
    return None if value is None else value * factor


def percent(value: object) -> float | None:
    """A battery of 0 to 100 as 0 to 1."""
    return scaled(known(value, 0.0), 0.01)


def boolean(value: object) -> bool | None:
    """true or false, as JSON or as text (1 and 0 too); None for anything else."""
    if isinstance(value, bool):
        return value
    return _BOOLEANS.get(value.lower()) if isinstance(value, str) else None


def text(value: object) -> str | None:
    """A text that is not empty."""
    return value if isinstance(value, str) and value else None


def place(latitude: object, longitude: object) -> tuple[float, float] | None:
    """Both degrees, or None when neither was sent; raises Unreadable."""
    degrees: list[float | None] = []
    for name, value in (("latitude", latitude), ("longitude", longitude)):
        try:
            degrees.append(number(value))
        except ValueError:
            raise Unreadable(f"{name}_invalid", f"the {name} is no finite number") from None
    if degrees[0] is None and degrees[1] is None:
        return None
    if degrees[0] is None or degrees[1] is None:
        raise Unreadable("place_incomplete", "latitude and longitude go together")
    return degrees[0], degrees[1]


def moment(value: object, *, is_zoneless_utc: bool = False) -> datetime:
    """When: seconds or milliseconds since 1970, or ISO 8601; raises Unreadable.

    `is_zoneless_utc` takes a time without a zone as UTC, where the protocol says so.
    """
    if value is None or value == "":
        raise Unreadable("recorded_at_missing", "there is no time: it is never made up")
    if isinstance(value, str):
        written = _MOMENT.fullmatch(value.strip())
        if written:
            return _written_moment(value.strip(), written[1] is not None or is_zoneless_utc)
    try:
        counted = number(value)
    except ValueError:
        counted = None
    if counted is None:
        _refuse_moment()
    return counted_moment(counted)


def counted_moment(counted: float) -> datetime:
    """A count since 1970 in seconds or milliseconds, which no real time can confuse."""
    if abs(counted) >= FIRST_MILLISECOND_NUMBER:
        counted /= 1000.0
    try:
        return EPOCH + timedelta(microseconds=round(counted * 1_000_000))
    except OverflowError:
        _refuse_moment()


def _written_moment(written: str, is_zone_known: bool) -> datetime:
    if not is_zone_known:
        raise Unreadable("recorded_at_without_zone", "the time has no zone")
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        _refuse_moment()
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _refuse_moment() -> NoReturn:
    raise Unreadable("recorded_at_invalid", "the time is no time that can be read")


def form(raw: bytes) -> dict[str, str]:
    """The fields of a query or a form body, of a repeated one the last; raises Unreadable."""
    if raw.count(b"&") >= MAX_FIELDS:
        raise Unreadable("body_invalid", f"the form has more than {MAX_FIELDS} fields")
    # Half the time of the standard library's, which decodes each part on its own.
    text = raw.decode("utf-8", "replace").replace("+", " ")
    pairs = [pair.partition("=") for pair in text.split("&") if pair]
    if "%" in text:
        return {unquote(name): unquote(value) for name, _, value in pairs}
    return {name: value for name, _, value in pairs}


def is_json(content_type: str, body: bytes) -> bool:
    """Whether a body is JSON: by its type, else by its first character."""
    return "json" in content_type.lower() or body[:64].lstrip(BYTE_ORDER_MARK + b" \t\r\n")[:1] in (
        b"{",
        b"[",
    )


def json_value(body: bytes) -> Any:
    """The value of a JSON body; raises Unreadable.

    NaN and infinity come as such, so that they cost only the fix that holds them; so do
    bytes that are no UTF-8, which can only stand in a text.
    """
    body = body.removeprefix(BYTE_ORDER_MARK)
    if body.count(b",") > MAX_VALUES:
        raise Unreadable("body_invalid", f"the body holds more than {MAX_VALUES} values")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    except RecursionError:
        raise Unreadable("body_invalid", "the body is nested too deeply") from None
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise Unreadable("body_invalid", "the body is not valid JSON") from None


def json_object(body: bytes) -> dict[str, Any]:
    """The same for a body that must be an object."""
    value = json_value(body)
    if not isinstance(value, dict):
        raise Unreadable("body_invalid", "the body is no JSON object")
    return value


def inner(value: object, key: str) -> dict[str, Any]:
    """The object under a key; an empty one when there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
