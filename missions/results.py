"""How a stop ended: the latest word holds, whoever said it and in whatever order it came.

A driver says it with a stage, by the phone's clock; a dispatcher says it by ours, of
whatever moment. So a late upload never overrules what a dispatcher said afterwards, and
what a driver does after that is a newer word. tracking/ingest/record.sql says the same in
SQL for phones; one table of cases in tests/missions/opening_cases.py runs against both.
"""

from datetime import datetime

from django.utils import timezone

from accounts.models import MarkSource
from missions.models import StageEvent, Stop, StopResult

FIELDS = ("result", "result_reason", "result_at", "result_said_at", "result_source")


def say_result(stop: Stop, result: StopResult, *, reason: str, at: datetime) -> None:
    """A dispatcher's word, given now: the newest there is, also beside a phone's fast clock."""
    stop.result, stop.result_reason, stop.result_at = result, reason, at
    stop.result_source = MarkSource.DISPATCHER
    said = [timezone.now(), *([stop.result_said_at] if stop.result_said_at else [])]
    stop.result_said_at = max(said)


def settle_result(stop: Stop) -> bool:
    """Let a stop's result follow from its stages that stand; whether that changed it.

    What a dispatcher said holds until a stage that was recorded later says otherwise. What
    only a stage said that was taken back is nobody's word any more.
    """
    before = [getattr(stop, name) for name in FIELDS]
    newest = _newest_word(stop)
    is_dispatchers = bool(stop.result) and stop.result_source != MarkSource.DRIVER
    if is_dispatchers and not _is_later(newest, stop.result_said_at):
        return False
    stop.result = newest.result if newest else ""
    stop.result_reason = _reason(newest) if newest else ""
    stop.result_at = stop.result_said_at = newest.recorded_at if newest else None
    stop.result_source = MarkSource.DRIVER if newest else ""
    stop.save(update_fields=FIELDS)
    return before != [getattr(stop, name) for name in FIELDS]


def _newest_word(stop: Stop) -> StageEvent | None:
    """The latest; of two at one moment one by the alphabet, so that their order is nothing."""
    said = stop.stage_events.filter(corrections=None, is_retraction=False).exclude(result="")
    return max(
        said, key=lambda event: (event.recorded_at, event.result, _reason(event)), default=None
    )


def _reason(event: StageEvent) -> str:
    return "" if event.result == StopResult.SUCCEEDED else event.reason


def _is_later(newest: StageEvent | None, said_at: datetime | None) -> bool:
    return newest is not None and (said_at is None or newest.recorded_at > said_at)
