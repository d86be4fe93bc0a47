"""The native dialect: our own API, the only one that names an outcome for each fix. (pure)

Request: JSON `{"fixes": [SentFix, …]}`, 1 to 1,000 of them. A body of another shape is
refused whole; a fix of another shape is refused alone.
Answer: counters that sum to `received`, and one result for each fix in the order sent.
"""

import json
import re
from typing import Final

import msgspec

from tracking.ingest.judge import AcceptedSpan, judged
from tracking.ingest.outcomes import (
    DRIVER_FROZEN,
    NO_DRIVER,
    ROUTE_PERIOD,
    STORED,
    WARN_MISSION_UNKNOWN,
    WARN_STOP_UNKNOWN,
    WORDS,
)
from tracking.ingest.sent import JudgedFix, Refusal, SentFix

MAX_FIXES: Final = 1_000
MAX_VALUES: Final = 200_000  # 200 a fix: far more than any app sends

_REFUSAL: Final = {
    letter: Refusal(WORDS[letter], detail)
    for letter, detail in {
        NO_DRIVER: "nobody carried this phone at recorded_at",
        DRIVER_FROZEN: "the driver of that time is not available",
        ROUTE_PERIOD: "older than the employer keeps routes",
    }.items()
}
_STATUS: Final = {letter: word for letter, word in WORDS.items() if letter not in _REFUSAL}
_STORED_RESULT: Final = tuple(f'{{"index":{i},"status":"stored"}}' for i in range(MAX_FIXES))
_FIELD: Final = re.compile(r"`\$\.(\w+)")
_MISSING: Final = re.compile(r"missing required field `(\w+)`")


class Batch(msgspec.Struct):
    """The body of a request whose fixes all have the right shape."""

    fixes: list[SentFix]


class RawBatch(msgspec.Struct):
    """The body of a request some of whose fixes have another shape."""

    fixes: list[msgspec.Raw]


class NotThisShape(Exception):
    """The body as a whole cannot be read; the text says what was wrong."""


_batch = msgspec.json.Decoder(Batch)
_raw_batch = msgspec.json.Decoder(RawBatch)
_fix = msgspec.json.Decoder(SentFix)


def sent_fixes(body: bytes) -> list[SentFix | Refusal]:
    """The fixes of a request, or why one of them cannot be read; raises NotThisShape."""
    try:
        fixes: list[SentFix | Refusal] = list(_batch.decode(body).fixes)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # One fix of another shape, or one text that is no Unicode: the others go on.
        fixes = _one_by_one(body)
    except RecursionError as error:
        raise NotThisShape(_why(error)) from None
    if not 1 <= len(fixes) <= MAX_FIXES:
        raise NotThisShape(f"fixes must hold 1 to {MAX_FIXES} fixes, not {len(fixes)}")
    return fixes


def _one_by_one(body: bytes) -> list[SentFix | Refusal]:
    # Bounded before the slow path: a million tiny wrong items must not cost a second.
    if body.count(b",") > MAX_VALUES:
        raise NotThisShape(f"the body holds more than {MAX_VALUES} values")
    try:
        items = [bytes(item) for item in _raw_batch.decode(body).fixes]
    except msgspec.ValidationError as error:
        raise NotThisShape(_why(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        items = _leniently_cut(body)
    except RecursionError as error:
        raise NotThisShape(_why(error)) from None
    return [_read(item) for item in items] if len(items) <= MAX_FIXES else [_TOO_MANY] * len(items)


def _leniently_cut(body: bytes) -> list[bytes]:
    """The fixes of a body with a text that is no Unicode, as JavaScript can write: each alone.

    The standard library reads such a text, and writes it again as it was, so that only the
    fix which holds it is refused.
    """
    try:
        whole = json.loads(body, parse_constant=_no_number)
        fixes = whole["fixes"]
        if not isinstance(fixes, list):
            raise NotThisShape(_why(msgspec.ValidationError()))
        return [json.dumps(item).encode() for item in fixes]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise NotThisShape(_why(error)) from None


def _no_number(name: str) -> float:
    raise ValueError(name)


_TOO_MANY: Final = Refusal("too_many", "")


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the body is nested too deeply"
    if isinstance(error, msgspec.ValidationError | TypeError | KeyError):
        return 'the body must be {"fixes": [...]}'
    return "the body is not valid JSON in UTF-8"


def _read(item: bytes) -> SentFix | Refusal:
    try:
        return _fix.decode(item)
    except msgspec.ValidationError as error:
        return _unreadable(str(error))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return Refusal("fix_invalid", _why(error))


def _unreadable(message: str) -> Refusal:
    """A fix of another shape: the reason names its field, the detail what was expected."""
    missing = _MISSING.search(message)
    if missing:
        return Refusal(f"{missing[1]}_missing", f"a fix needs {missing[1]}")
    field = _FIELD.search(message)
    if field is None:
        return Refusal("fix_invalid", "a fix must be a JSON object")
    if "timezone" in message:
        return Refusal("recorded_at_without_zone", "recorded_at needs a zone: end it with Z")
    expected = message.split(" - at ")[0]
    return Refusal(f"{field[1]}_invalid", expected)


def judged_fixes(fixes: list[SentFix | Refusal], span: AcceptedSpan) -> list[JudgedFix | Refusal]:
    """Each fix as it may be recorded, or why not."""
    return [fix if isinstance(fix, Refusal) else judged(fix, span) for fix in fixes]


def answer(fixes: list[JudgedFix | Refusal], letters: str, warnings: str) -> bytes:
    """The body of a 200: `letters` and `warnings` hold one character for each judged fix."""
    if _is_all_stored(fixes, letters, warnings):
        return _all_stored(len(fixes))
    counts = dict.fromkeys((*_STATUS.values(), "refused"), 0)
    results = []
    outcomes = iter(zip(letters, warnings, strict=True))
    for index, fix in enumerate(fixes):
        result = (
            _refused(index, fix)
            if isinstance(fix, Refusal)
            else _result(index, fix, *next(outcomes))
        )
        counts[str(result["status"])] += 1
        results.append(result)
    return msgspec.json.encode({
        "received": len(fixes),
        "stored": counts["stored"],
        "duplicates": counts["duplicate"],
        "thinned": counts["thinned"],
        "outside_window": counts["outside_window"],
        "refused": counts["refused"],
        "results": results,
    })  # fmt: skip


def _is_all_stored(fixes: list[JudgedFix | Refusal], letters: str, warnings: str) -> bool:
    return (
        len(letters) == len(fixes) == letters.count(STORED)
        and not warnings.strip("0")
        and not any(fix.warnings for fix in fixes if isinstance(fix, JudgedFix))
    )


def _all_stored(count: int) -> bytes:
    results = ",".join(_STORED_RESULT[:count])
    return (
        f'{{"received":{count},"stored":{count},"duplicates":0,"thinned":0,'
        f'"outside_window":0,"refused":0,"results":[{results}]}}'
    ).encode()


def _refused(index: int, refusal: Refusal) -> dict[str, object]:
    return {
        "index": index, "status": "refused", "reason": refusal.reason, "detail": refusal.detail,
    }  # fmt: skip


def _result(index: int, fix: JudgedFix, letter: str, warned: str) -> dict[str, object]:
    if letter in _REFUSAL:
        return _refused(index, _REFUSAL[letter])
    result: dict[str, object] = {"index": index, "status": _STATUS[letter]}
    warnings = list(fix.warnings)
    bits = int(warned)
    if bits & WARN_MISSION_UNKNOWN:
        warnings.append("mission_unknown")
    if bits & WARN_STOP_UNKNOWN:
        warnings.append("stop_unknown")
    if warnings:
        result["warnings"] = warnings
    return result
