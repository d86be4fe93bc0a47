"""Import missions from a CSV or XLSX file."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError
from tqdm import tqdm

from accounts.actors import Actor
from accounts.management.making import an_id, employer_actor
from accounts.refusals import Problem
from missions.import_checking import Checked
from missions.import_columns import RowProblem
from missions.importing import (
    ImportRefused,
    check_import,
    checked_table,
    confirm_import,
    outcome_of,
    table_of,
)


class Command(BaseCommand):
    """`manage.py import_missions FILE --employer ID [--dry-run] [--json]`"""

    help = "Import missions from a CSV or XLSX file: all of it, or nothing."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--employer", type=an_id, required=True, metavar="ID")
        parser.add_argument("--dry-run", action="store_true", help="only say what it would do")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            data = options["file"].read_bytes()
            actor = employer_actor(options["employer"])
            self._import(actor, options["file"].name, data, options)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from None
        except Problem as problem:
            raise CommandError(problem.detail) from None
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(f"The database is not ready: {error}") from None

    def _import(self, actor: Actor, name: str, data: bytes, options: dict[str, Any]) -> None:
        as_json = options["json"]
        if options["dry_run"]:
            table = table_of(data)
            self._report(len(table.rows), checked_table(table, actor), None, as_json=as_json)
            return
        kept, checked = check_import(actor, name, data)
        if not checked.can_be_confirmed:
            self._report(len(kept.rows), checked, None, as_json=as_json)
            raise CommandError("Nothing was imported.")
        # The bar goes to stderr, and with --json or without a terminal there is none.
        with tqdm(total=len(checked.missions), unit="mission", disable=as_json or None) as bar:
            try:
                kept = confirm_import(actor, kept, progress=bar.update)
            except ImportRefused as refused:
                raise CommandError(f"{refused.detail} Nothing was imported.") from None
        self._report(len(kept.rows), checked, outcome_of(kept), as_json=as_json)

    def _report(
        self,
        rows: int,
        checked: Checked,
        outcome: dict[str, int] | None,
        *,
        as_json: bool,
    ) -> None:
        if as_json:
            answer = {
                "rows": rows,
                "missions": checked.counts(),
                "new_sites": len(checked.new_sites),
                "problems": [problem.as_json() for problem in checked.problems],
                "outcome": outcome,
            }
            self.stdout.write(json.dumps(answer))
            return
        for problem in checked.problems:
            self.stdout.write(_line(problem))
        done = "Imported" if outcome else "Would import"
        counts = ", ".join(f"{count} {kind}" for kind, count in checked.counts().items())
        self.stdout.write(f"{done} {rows} rows: missions {counts}.")


def _line(problem: RowProblem) -> str:
    word = "warning" if problem.is_warning else "error"
    row = f"row {problem.row}" if problem.row else ""
    return ": ".join(filter(None, (word, row, problem.column, problem.detail)))
