"""Post a recorded track to the running server, as a driver's phone would."""

import argparse
import contextlib
import json
import math
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError
from tqdm import tqdm

from accounts.actors import Actor
from accounts.management.making import an_id, row_with_id
from accounts.models import Driver
from accounts.phones import enrol_device, revoke_device
from accounts.refusals import Problem
from tracking.outages import not_ready
from tracking.posting import BATCH, COUNTERS, NoAnswer, Outcome, PhoneLine, TurnedAway
from tracking.replaying import (
    NoTrack,
    TrackPoint,
    batches,
    paced,
    read_track,
    shifted_to,
    thinned,
)
from tracking.server_url import server_url

PATIENCE_S: Final = 120.0
TOO_OLD: Final = "recorded_at_too_old"


class Command(BaseCommand):
    help = "Post any GPX or CSV track over HTTP as a driver's phone, with a count at the end."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            help=".gpx or .csv, also gzip-compressed; CSV columns: recorded_at (or time), latitude"
            " (lat), longitude (lon, lng); optional speed_mps, accuracy_m, heading_deg, device",
        )
        parser.add_argument("--driver", type=an_id, metavar="ID", help="whose track it is to be")
        parser.add_argument("--mission", metavar="ID", help="external id or id of a mission")
        parser.add_argument("--token", help="of a phone; without it one is enrolled for the replay")
        parser.add_argument("--device", help="only the rows of this device of the file")
        parser.add_argument(
            "--thin-m", type=float, default=0.0, metavar="M", help="keep a point every M metres"
        )
        pace = parser.add_mutually_exclusive_group()
        pace.add_argument("--speed", type=float, metavar="N", help="N seconds of track a second")
        pace.add_argument("--at-once", action="store_true", help="as fast as it goes (default)")
        parser.add_argument(
            "--shift-to",
            choices=["now"],
            help="move the track by whole days so that it ends within the last day",
        )
        parser.add_argument("--url", default=server_url(), help="the server (%(default)s)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        _check_numbers(options)
        points = _points(options)
        try:
            with _token(options) as token, PhoneLine(options["url"], token) as line:
                outcome = _post_all(line, points, options)
        except NoAnswer as unanswered:
            raise CommandError(
                f"{options['url']} does not answer ({unanswered}). Is the server running?"
                " What was answered is stored; the same command sends the rest."
            ) from None
        except TurnedAway as refusal:
            raise CommandError(f"The server turned the phone away: {refusal}") from None
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(not_ready(error)) from None
        self._report(outcome, as_json=options["json"], is_shifted=bool(options["shift_to"]))

    def _report(self, outcome: Outcome, *, as_json: bool, is_shifted: bool) -> None:
        reasons = dict(sorted(outcome.refused_for.items()))
        counts = {name: outcome.counts[name] for name in COUNTERS}
        if as_json:
            answer = {"received": outcome.received, **counts, "refused_for": reasons}
            self.stdout.write(json.dumps(answer))
            return
        self.stdout.write(f"{outcome.received} fixes sent")
        for name, count in counts.items():
            self.stdout.write(f"{count:>9} {name.replace('_', ' ')}")
        for reason, count in reasons.items():
            self.stdout.write(f"{count:>9}   refused: {reason}")
        if outcome.refused_for[TOO_OLD]:
            self.stderr.write(_too_old(is_shifted=is_shifted))
        if counts["outside_window"]:
            self.stderr.write(
                "Outside the window: the employer tracks only while a duty or a mission is open."
            )


def _check_numbers(options: dict[str, Any]) -> None:
    """NaN and infinity are numbers for argparse, and would never end or keep nothing."""
    speed, thin_m = options["speed"], options["thin_m"]
    if speed is not None and not (math.isfinite(speed) and speed > 0):
        raise CommandError("--speed is a number above 0.")
    if not (math.isfinite(thin_m) and thin_m >= 0):
        raise CommandError("--thin-m is a number of metres, 0 or more.")


def _points(options: dict[str, Any]) -> list[TrackPoint]:
    try:
        points = read_track(options["file"])
    except NoTrack as problem:
        raise CommandError(str(problem)) from None
    if options["device"]:
        points = [point for point in points if point.device == options["device"]]
        if not points:
            raise CommandError(f"No row of the file is of device {options['device']}.")
    if options["thin_m"] > 0:
        points = list(thinned(points, options["thin_m"]))
    if options["shift_to"]:
        points = shifted_to(points, datetime.now(UTC))
    return points


@contextlib.contextmanager
def _token(options: dict[str, Any]) -> Iterator[str]:
    """The given token, or one of a phone that lives as long as the replay."""
    if options["token"]:
        yield options["token"]
        return
    if not options["driver"]:
        raise CommandError("Say whose track it is: --driver ID, or --token of a phone.")
    drivers = Driver.objects.select_related("employer")
    driver = row_with_id(drivers, "driver", options["driver"])
    actor = Actor("command", driver.employer)
    try:
        device, token = enrol_device(actor, driver, name="replay")
    except Problem as problem:
        raise CommandError(problem.detail) from None
    try:
        yield token
    finally:
        revoke_device(actor, device)


def _post_all(line: PhoneLine, points: list[TrackPoint], options: dict[str, Any]) -> Outcome:
    total = Outcome()
    # The bar goes to stderr, and with --json or without a terminal there is none.
    # Ctrl-C ends a long replay with the count so far.
    with (
        contextlib.suppress(KeyboardInterrupt),
        tqdm(total=len(points), unit="fix", disable=options["json"] or None) as bar,
    ):
        for batch in _batches(points, options["speed"]):
            bodies = [point.body(options["mission"]) for point in batch]
            answer = line.post_until_answered(bodies, wait=time.sleep, patience_s=PATIENCE_S)
            total.add(answer)
            bar.update(len(batch))
            if total.refused_for[TOO_OLD] == total.received and _is_all_old(points):
                raise CommandError(_too_old(is_shifted=False))
    return total


def _batches(points: list[TrackPoint], speed: float | None) -> Iterator[Sequence[TrackPoint]]:
    if speed is None:
        return batches(points, BATCH)
    return paced(points, speed=speed, size=BATCH, clock_s=time.monotonic, wait=time.sleep)


def _is_all_old(points: list[TrackPoint]) -> bool:
    """Whether sending the rest is of no use either."""
    oldest_taken = datetime.now(UTC) - timedelta(days=settings.MAX_FIX_AGE_DAYS)
    return all(point.recorded_at < oldest_taken for point in points)


def _too_old(*, is_shifted: bool) -> str:
    days = settings.MAX_FIX_AGE_DAYS
    advice = "start the server in replay mode, for example with MAX_FIX_AGE_DAYS=5000."
    if is_shifted:
        return f"The track spans more than the {days} days that the server takes: {advice}"
    return (
        f"The track is older than the {days} days that the server takes:"
        f" add --shift-to now, or {advice}"
    )
