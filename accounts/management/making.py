"""A command that makes one thing and says which: what all `create_…` commands share."""

import json
from argparse import ArgumentTypeError
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DataError, OperationalError, ProgrammingError
from django.db.models import Model, QuerySet

from accounts.actors import Actor
from accounts.models import Employer
from accounts.moments import moment
from accounts.refusals import Problem

Row = TypeVar("Row", bound=Model)


class MakingCommand(BaseCommand):
    """Subclasses say what they need (`add_arguments`) and what they make (`make`).

    Prints `{"id": …}` with --json, and the token with it where there is one; else a line a
    person reads. A refusal ends with exit code 1 and one sentence.
    """

    # The checks would load every view of the project to make one row.
    requires_system_checks: list[str] = []
    made = "Made"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        self.add_own_arguments(parser)

    def add_own_arguments(self, parser: CommandParser) -> None:
        raise NotImplementedError

    def make(self, **options: Any) -> dict[str, str]:
        """Make it; returns what is printed: `id`, and `token` for a secret."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = self.make(**options)
        except Problem as problem:
            raise CommandError(problem.detail) from None
        except UnicodeError:  # a byte of the command line or of standard input
            raise CommandError("This is not text in UTF-8.") from None
        except DataError as error:
            raise CommandError(f"The database cannot hold this: {error}") from None
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(f"The database is not ready: {error}") from None
        if options["json"]:
            self.stdout.write(json.dumps(result))
            return
        self.stdout.write(f"{self.made} {result['id']}.")
        if "token" in result:
            self.stdout.write(f"Its token, shown this once: {result['token']}")


def row_with_id(rows: QuerySet[Row], what: str, uuid: UUID) -> Row:
    """The row with this id. CommandError names what is missing."""
    found = rows.filter(uuid=uuid).first()
    if found is None:
        raise CommandError(f"There is no {what} with the id {uuid}.")
    return found


def employer_actor(uuid: UUID) -> Actor:
    """Whoever runs the installation, acting for this employer."""
    return Actor("command", row_with_id(Employer.objects.all(), "employer", uuid))


def an_id(text: str) -> UUID:
    """For argparse: an id as the API and the commands print it."""
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not an id (a UUID)") from None


def a_moment(text: str) -> datetime:
    """For argparse: an RFC 3339 time with its zone."""
    try:
        return moment(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def a_day(text: str) -> date:
    """For argparse: a day, for example 2026-01-12."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day like 2026-01-12") from None
