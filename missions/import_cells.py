"""What a cell of a table means: numbers, yes and no, and times on somebody's clock. (pure)

A cell becomes text in one spelling, whatever program wrote the table: `2.5`, `true`, an RFC
3339 time, or `2026-11-24T08:00:00` where no zone is given. Refused with a WrongCell.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from accounts.moments import moment
from missions.import_columns import Kind

# As it comes from a file: CSV has text only, a spreadsheet the others too.
Raw = str | int | float | bool | date | datetime

MOST_CHARACTERS: Final = 5_000
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# An export writes one apostrophe before text that a spreadsheet would take for a formula.
FORMULA_LIKE: Final = re.compile(r"'*[=+\-@\t\r]")
YES: Final = frozenset({"true", "yes", "y", "1", "ja", "j", "waar", "oui", "o", "vrai", "x"})
NO: Final = frozenset({"false", "no", "n", "0", "nee", "onwaar", "non", "faux"})
# 24/11/2026 8:00, 24-11-2026 08:00:30 and 2026-11-24 08:00: the day first, as in the Benelux.
_DAY_FIRST: Final = re.compile(
    r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})[ T]+(\d{1,2})[:h](\d\d)(?::(\d\d))?", re.ASCII
)
_YEAR_FIRST: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[ Tt]+(\d{1,2}):(\d\d)(?::(\d\d)(?:\.0+)?)?", re.ASCII
)
_DATE_ONLY: Final = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[/.-]\d{1,2}[/.-]\d{4}", re.ASCII)
_UNSPACED: Final = re.compile("[\u00a0\u202f ](?=\\d)")
_PLAIN_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


class WrongCell(ValueError):
    """A cell that does not mean what its column holds."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def cell_text(raw: Raw, kind: Kind, *, has_decimal_comma: bool = False) -> str:
    """The cell in our spelling; "" for an empty one. WrongCell when it is not of its kind."""
    if isinstance(raw, str):
        raw = _unescaped(raw.strip())
        if not raw:
            return ""
        _refuse_unprintable(raw)
    if kind in {"number", "degrees", "integer"}:
        return _number(raw, kind, has_decimal_comma=has_decimal_comma)
    return _READERS[kind](raw)


def _unescaped(text: str) -> str:
    return text[1:] if text.startswith("'") and FORMULA_LIKE.match(text) else text


def _refuse_unprintable(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        detail = f"This cell holds {len(text)} characters; {MOST_CHARACTERS} is the most."
        raise WrongCell("too_long", detail)
    if _CONTROL.search(text):
        raise WrongCell("control_character", "This cell holds a character that nobody can see.")


def _text(raw: Raw) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, float):
        return _plain(Decimal(repr(raw)))
    return raw.isoformat() if isinstance(raw, date) else str(raw)


def _boolean(raw: Raw) -> str:
    word = _text(raw).casefold()
    if word in YES:
        return "true"
    if word in NO:
        return "false"
    raise WrongCell("not_yes_or_no", f"{word[:40]!r} is neither yes nor no: write true or false.")


def _number(raw: Raw, kind: Kind, *, has_decimal_comma: bool) -> str:
    if isinstance(raw, bool | date):
        raise WrongCell("not_a_number", f"{_text(raw)!r} is not a number.")
    text = raw if isinstance(raw, str) else _plain(Decimal(repr(raw)))
    if isinstance(raw, str):
        text = _with_point(_UNSPACED.sub("", text), kind, has_decimal_comma=has_decimal_comma)
    if _PLAIN_NUMBER.fullmatch(text) is None:
        raise WrongCell("not_a_number", f"{text[:40]!r} is not a number.")
    number = Decimal(text)
    if kind == "integer" and number != number.to_integral_value():
        raise WrongCell("not_a_whole_number", f"{text[:40]!r} is not a whole number.")
    return _plain(number)


def _with_point(text: str, kind: Kind, *, has_decimal_comma: bool) -> str:
    """`1.250,5` and `2,5` with a decimal point. WrongCell for `1.250`, which may be either."""
    if "," not in text:
        is_doubtful = re.fullmatch(r"-?\d{1,3}(\.\d{3})+", text) and kind != "degrees"
        if has_decimal_comma and is_doubtful:
            detail = f"{text!r} may mean thousands or decimals here: write it without the point."
            raise WrongCell("doubtful_number", detail)
        return text
    if text.count(",") == 1 and re.fullmatch(r"-?(\d+|\d{1,3}(\.\d{3})+),\d+", text):
        if not has_decimal_comma and re.fullmatch(r"-?\d{1,3},\d{3}", text) and kind != "degrees":
            detail = f"{text!r} may mean thousands or decimals here: write a decimal point."
            raise WrongCell("doubtful_number", detail)
        return text.replace(".", "").replace(",", ".")
    return text


def _plain(number: Decimal) -> str:
    """Without an exponent and without zeros that say nothing: 1E+3 -> 1000, 2.50 -> 2.5."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _time(raw: Raw) -> str:
    if isinstance(raw, date) and not 1970 <= raw.year < 2200:
        raise WrongCell("not_a_time", f"{raw.isoformat()} is too far away to be meant.")
    if isinstance(raw, datetime):
        # A spreadsheet counts days as a fraction: 07:59:59.999997 is eight o'clock.
        return (raw + timedelta(milliseconds=500)).replace(microsecond=0).isoformat()
    if isinstance(raw, date):
        return f"{raw.isoformat()}T00:00:00"
    if not isinstance(raw, str):
        raise WrongCell("not_a_time", f"{_text(raw)!r} is not a time.")
    if _DATE_ONLY.fullmatch(raw):
        raise WrongCell("time_missing", f"{raw!r} is a day without a time.")
    naive = _naive(raw)
    if naive is not None:
        return naive
    try:
        return moment(raw).isoformat()
    except ValueError as error:
        raise WrongCell("not_a_time", f"{error}.") from None


def _naive(text: str) -> str | None:
    """A local time in the one spelling; None when it is not written as one."""
    if matched := _YEAR_FIRST.fullmatch(text):
        year, month, day, hour, minute, second = matched.groups()
    elif matched := _DAY_FIRST.fullmatch(text):
        day, month, year, hour, minute, second = matched.groups()
    else:
        return None
    parts = [int(part or 0) for part in (year, month, day, hour, minute, second)]
    try:
        at = datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 (somebody's clock)
    except ValueError:
        raise WrongCell("not_a_time", f"{text!r} is not a time that exists.") from None
    return _time(at)


_READERS: Final[Mapping[Kind, Callable[[Raw], str]]] = {
    "text": _text,
    "boolean": _boolean,
    "time": _time,
}


def moment_there(text: str, zone: ZoneInfo) -> datetime:
    """A time of `cell_text` as a moment: as it says itself, else on the clocks of the zone.

    WrongCell for a local time that the clocks there skipped, or showed twice.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = _on_the_clocks(at, zone)
    return at.astimezone(UTC)


def _on_the_clocks(at: datetime, zone: ZoneInfo) -> datetime:
    first, second = (at.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    said = f"{at:%Y-%m-%d %H:%M}"
    back = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    if back != at:
        detail = f"{said} does not exist in {zone.key}: the clocks were put forward."
        raise WrongCell("local_time_skipped", detail)
    offsets = " or ".join(one.isoformat()[-6:] for one in (first, second))
    detail = f"{said} came twice in {zone.key}: add the offset, {offsets}."
    raise WrongCell("local_time_twice", detail)
