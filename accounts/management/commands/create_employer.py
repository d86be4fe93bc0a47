"""Make an employer."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from accounts.employers import create_employer
from accounts.management.making import MakingCommand, a_day
from accounts.models import TrackingWindow


class Command(MakingCommand):
    """`manage.py create_employer "Acme Transport" --timezone Europe/Brussels`"""

    help = "Make an employer: a haulier with drivers, phones and trucks of its own."
    made = "Made the employer"

    def add_own_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--timezone", default="Europe/Brussels", help="its days begin there")
        parser.add_argument(
            "--min-spacing-m",
            type=int,
            default=0,
            help="distance fixes nearer than this to the one before are thinned out; 0: none",
        )
        parser.add_argument(
            "--staff-informed-on",
            type=a_day,
            default=None,
            metavar="DATE",
            help="when the staff was told about the tracking (default: today)",
        )
        parser.add_argument(
            "--tracking-window", choices=TrackingWindow.values, default=TrackingWindow.DUTY
        )
        parser.add_argument("--justification", default="", help="needed for the window `always`")

    def make(self, **options: Any) -> dict[str, str]:
        employer = create_employer(
            options["name"],
            timezone=options["timezone"],
            min_spacing_m=options["min_spacing_m"],
            staff_informed_on=options["staff_informed_on"] or datetime.now(UTC).date(),
            tracking_window=options["tracking_window"],
            justification=options["justification"],
        )
        return {"id": str(employer.uuid)}
