"""Opening hours as a table of weekdays: two spans a day, or as many as a site has already.

The form asks per day, opening_hours.py keeps spans with their days. Midnight at the end of
a day is typed as 00:00 and kept as 24:00.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise

SPANS: Final = 2
_MIDNIGHT: Final = {"24:00": "00:00"}


@dataclass(frozen=True, slots=True)
class Span:
    """Two inputs: their names, what stands in them, and what is wrong with them."""

    opens_name: str
    closes_name: str
    opens: str
    closes: str


@dataclass(frozen=True, slots=True)
class Day:
    """One weekday as ISO counts it, with its name."""

    number: int
    name: str | Promise
    spans: tuple[Span, ...]


def days_of(hours: Sequence[Mapping[str, Any]]) -> tuple[Day, ...]:
    """The table that shows these hours."""
    return _days([[_shown(entry) for entry in _on(hours, day)] for day in range(1, 8)])


def days_sent(data: Mapping[str, str]) -> tuple[Day, ...]:
    """The table as it was sent, whatever was typed in it."""
    table = []
    for day in range(1, 8):
        spans: list[tuple[str, ...]] = []
        while _name(day, len(spans), "opens") in data:
            names = (_name(day, len(spans), word) for word in ("opens", "closes"))
            spans.append(tuple(data.get(name, "").strip() for name in names))
        table.append(spans)
    return _days(table)


def hours_of(days: Sequence[Day]) -> list[dict[str, Any]]:
    """What the table says, as the API takes it: alike spans of several days in one entry.

    A span of which only one end was typed keeps the empty other one, for the API to refuse.
    """
    found: dict[tuple[str, str], list[int]] = {}
    for day in days:
        for span in day.spans:
            if span.opens or span.closes:
                closes = "24:00" if span.closes == "00:00" else span.closes
                found.setdefault((span.opens, closes), []).append(day.number)
    return [
        {"days": numbers, "opens": opens, "closes": closes}
        for (opens, closes), numbers in found.items()
    ]


def _on(hours: Sequence[Mapping[str, Any]], day: int) -> list[Mapping[str, Any]]:
    return sorted((one for one in hours if day in one["days"]), key=lambda one: str(one["opens"]))


def _shown(entry: Mapping[str, Any]) -> tuple[str, ...]:
    closes = str(entry["closes"])
    return str(entry["opens"]), _MIDNIGHT.get(closes, closes)


def _days(table: Sequence[Sequence[tuple[str, ...]]]) -> tuple[Day, ...]:
    most = max(SPANS, *(len(spans) for spans in table))
    return tuple(
        Day(
            day,
            WEEKDAYS[day - 1],
            tuple(_span(day, place, spans) for place in range(most)),
        )
        for day, spans in enumerate(table, start=1)
    )


def _span(day: int, place: int, spans: Sequence[tuple[str, ...]]) -> Span:
    opens, closes = spans[place] if place < len(spans) else ("", "")
    return Span(_name(day, place, "opens"), _name(day, place, "closes"), opens, closes)


def _name(day: int, place: int, word: str) -> str:
    return f"hours-{day}-{place}-{word}"
