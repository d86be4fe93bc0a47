"""The pages that import missions from a table: send it, see what it would do, confirm.

A checked table has an address of its own for a day, so that a reload or a closed window
loses nothing; confirmed twice, it is done once.
"""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actors import Actor
from accounts.page_access import dispatchers_only, for_dispatchers
from accounts.refusals import Invalid
from accounts.tenants import of_employer
from missions.api.imports import ImportFile
from missions.import_columns import COLUMNS
from missions.import_table import MOST_BYTES, MOST_ROWS, SHEET
from missions.importing import (
    KEPT_FOR,
    ImportRefused,
    can_be_confirmed,
    check_import,
    confirm_import,
    expected_of,
    outcome_of,
    young_imports,
)
from missions.models import MissionImport
from missions.pages.import_words import problem_sentence, shown_problem
from missions.proof_words import moment
from missions.table_answers import table_answer

PROBLEMS_PAGE: Final = 200
_HAS_ERRORS: Final = ExpressionWrapper(
    Q(problems__contains=[{"severity": "error"}]), output_field=BooleanField()
)


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def mission_imports(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The form, and the tables that were sent in the last day."""
    if request.method != "POST":
        return _start(request, actor)
    file = request.FILES.get("file")
    if refused := _refusal(file):
        return _start(request, actor, refused, status=400)
    assert isinstance(file, UploadedFile)  # noqa: S101 (none was refused)
    try:
        kept, _checked = check_import(actor, file.name or "", file.read())
    except Invalid as unreadable:
        (error,) = unreadable.errors
        return _start(request, actor, problem_sentence(error.code, error.detail), status=400)
    return redirect("mission_import", kept.uuid)


def _refusal(file: object) -> str:
    """Why a file is not even read; "" when it is."""
    if not isinstance(file, UploadedFile):
        return _("Choose a file first.")
    if (file.size or 0) > MOST_BYTES:
        return _("The file is larger than 5 MB.")
    asked = ImportFile(data={"file": file})
    return "" if asked.is_valid() else str(asked.errors["file"][0])


def _start(
    request: HttpRequest, actor: Actor, refused: str = "", status: int = 200
) -> HttpResponse:
    zone = actor.employer.timezone
    context = {
        "employer": actor.employer,
        "zone": zone,
        "refused": refused,
        "most_rows": MOST_ROWS,
        "imports": [_row(kept, zone) for kept in _recent(actor)],
        "columns": [(column.name, ", ".join(column.also)) for column in COLUMNS],
    }
    return render(request, "missions/imports.html", context, status=status)


def _recent(actor: Actor) -> QuerySet[MissionImport]:
    """Without the rows and problems themselves, which may be many thousand."""
    own = young_imports(timezone.now()).filter(employer=actor.employer)
    return (
        own.annotate(has_errors=_HAS_ERRORS).defer("rows", "problems", "versions").order_by("-id")
    )


def _row(kept: MissionImport, zone: str) -> dict[str, Any]:
    return {
        "kept": kept,
        "checked": moment(kept.checked_at, zone),
        "has_errors": kept.has_errors,  # type: ignore[attr-defined]  # annotated
        "outcome": outcome_of(kept),
    }


@for_dispatchers
def mission_import(request: HttpRequest, actor: Actor, import_id: UUID) -> HttpResponse:
    """One checked table: what it would do, or has done, and each problem with its row."""
    return _shown(request, actor, _young(actor, import_id))


def _young(actor: Actor, import_id: UUID) -> MissionImport:
    return of_employer(young_imports(timezone.now()), actor, import_id)


@require_POST
@dispatchers_only
def mission_import_confirm(request: HttpRequest, actor: Actor, import_id: UUID) -> HttpResponse:
    """Do all of it or nothing. What it did stands on the page of the import."""
    kept = _young(actor, import_id)
    try:
        confirm_import(actor, kept)
    except ImportRefused as refused:
        found = list(refused.extra["problems"])  # type: ignore[call-overload]  # a list, always
        return _shown(request, actor, kept, problems=found, status=409)
    return redirect("mission_import", import_id)


def _shown(
    request: HttpRequest,
    actor: Actor,
    kept: MissionImport,
    *,
    problems: list[dict[str, Any]] | None = None,
    status: int = 200,
) -> HttpResponse:
    zone = actor.employer.timezone
    found = kept.problems if problems is None else problems
    page = Paginator(found, PROBLEMS_PAGE).get_page(request.GET.get("page"))
    errors = sum(problem["severity"] == "error" for problem in found)
    context = {
        "employer": actor.employer,
        "zone": zone,
        "kept": kept,
        "rows": len(kept.rows),
        "expected": expected_of(kept),
        "outcome": outcome_of(kept),
        "confirmed": moment(kept.confirmed_at, zone) if kept.confirmed_at else "",
        "expires": moment(kept.checked_at + KEPT_FOR - timedelta(minutes=1), zone),
        "can_be_confirmed": can_be_confirmed(kept) and problems is None,
        "is_refused": problems is not None,
        "problems": [shown_problem(problem) for problem in page],
        "page": page,
        "errors": errors,
        "warnings": len(found) - errors,
    }
    return render(request, "missions/import.html", context, status=status)


# Two missions as people write them: one with a driver and two stops, one still to be planned.
_EXAMPLE: Final = (
    {
        "external_id": "M-1001",
        "reference": "Kegs for Leuven",
        "planned_start_at": "2026-11-30 07:30",
        "driver_number": "",
        "truck_plate": "",
        "site_name": "Depot",
        "site_address": "Kaai 1, 9000 Gent",
        "purpose": "load",
        "window_start_at": "2026-11-30 07:30",
        "window_end_at": "2026-11-30 08:30",
        "goods_description": "Kegs",
        "goods_quantity": "12",
        "goods_unit": "keg",
    },
    {
        "external_id": "M-1001",
        "site_name": "Brewery",
        "site_address": "Laan 2, 3000 Leuven",
        "purpose": "unload",
        "window_start_at": "2026-11-30 10:00",
        "window_end_at": "2026-11-30 12:00",
        "requires_signature": "yes",
        "requires_photo": "yes",
        "goods_description": "Kegs",
        "goods_quantity": "12",
        "goods_unit": "keg",
    },
    {
        "external_id": "M-1002",
        "reference": "Empties",
        "site_name": "Brewery",
        "site_address": "Laan 2, 3000 Leuven",
        "purpose": "load",
    },
)


@for_dispatchers
def mission_import_example(request: HttpRequest, actor: Actor, ending: str) -> HttpResponse:
    """A small table with every column, to be filled in."""
    names = [column.name for column in COLUMNS]
    rows = [[row.get(name, "") for name in names] for row in _EXAMPLE]
    return table_answer("missions-example", ending, SHEET, names, [rows])
