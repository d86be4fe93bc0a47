"""Let the demo's simulated phones post to the running server until told to stop."""

import argparse
import signal
import threading
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, close_old_connections

from accounts.models import Employer
from accounts.refusals import Problem
from tracking.demo_evidence import add_evidence
from tracking.demo_fleet import fleet_of, plan_missions
from tracking.demo_phones import DemoPhone, drive
from tracking.demo_rounds import DRIVERS
from tracking.demo_state import DemoState, read_sent, read_state, write_sent
from tracking.posting import PhoneLine
from tracking.server_url import server_url


class Command(BaseCommand):
    help = "Simulated phones of the demo fleet: post over HTTP like real ones (after seed_demo)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--url", default=server_url(), help="the server (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        state = read_state()
        if state is None:
            raise CommandError("There is no demo yet: run seed_demo first.")
        stop = threading.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: stop.set())
        sent = read_sent(state)
        with ExitStack() as lines:
            phones = [
                DemoPhone(
                    driver,
                    lines.enter_context(PhoneLine(options["url"], state.tokens[driver.number])),
                    state.began_at,
                    sent.get(driver.number),
                )
                for driver in DRIVERS
            ]
            drive(
                phones,
                wait=stop.wait,
                keep=lambda reached: write_sent(state, reached),
                hourly=lambda now: self._plan(state, now),
                afterwards=lambda now: self._add_evidence(state, now),
            )

    def _plan(self, state: DemoState, now: datetime) -> None:
        """The dispatcher's part: missions for the next rounds. Phones go on without it."""
        try:
            fleet = fleet_of(Employer.objects.get(uuid=state.employer))
            plan_missions(fleet, state.began_at, now)
        except (OperationalError, Employer.DoesNotExist) as error:
            self.stderr.write(f"No missions planned: {type(error).__name__}")
        finally:
            close_old_connections()

    def _add_evidence(self, state: DemoState, now: datetime) -> None:
        """What is left behind at stops where a round has ended. Phones go on without it."""
        try:
            fleet = fleet_of(Employer.objects.get(uuid=state.employer))
            add_evidence(fleet, state.began_at, now)
        except (OperationalError, Employer.DoesNotExist, Problem) as error:
            self.stderr.write(f"No evidence added: {type(error).__name__}")
        finally:
            close_old_connections()
