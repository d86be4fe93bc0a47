"""Import missions from a table: send the file, read what it would do, confirm."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor, actor_of
from accounts.models import Role
from accounts.parsers import SturdyMultiPartParser
from accounts.permissions import Allows
from accounts.problems import BodyTooLarge
from accounts.serializers import Form
from accounts.tenants import of_employer
from missions.import_checking import Checked
from missions.import_table import MOST_BYTES
from missions.importing import (
    KEPT_FOR,
    can_be_confirmed,
    check_import,
    confirm_import,
    expected_of,
    outcome_of,
    young_imports,
)
from missions.models import MissionImport

# What a form adds around its file: boundaries and headers.
FORM_BYTES = 64 * 1024


class ImportFile(serializers.Serializer[Any]):
    """A CSV or XLSX file with one row per stop."""

    file = serializers.FileField(allow_empty_file=False, max_length=200)


class ImportProblem(Form):
    """What is wrong, and where; a warning stops nothing."""

    row = serializers.IntegerField(allow_null=True, help_text="as a spreadsheet counts")
    column = serializers.CharField(allow_null=True)
    code = serializers.CharField()
    detail = serializers.CharField()
    severity = serializers.ChoiceField(["error", "warning"])


class MissionCounts(Form):
    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class CheckedImport(Form):
    """What the table would do. It can be confirmed until `expires_at`."""

    id = serializers.UUIDField()
    rows = serializers.IntegerField()
    missions = MissionCounts()
    new_sites = serializers.IntegerField()
    problems = ImportProblem(many=True)
    can_be_confirmed = serializers.BooleanField()
    expires_at = serializers.DateTimeField()


class ConfirmedImport(Form):
    """What the confirmation did, the first time."""

    id = serializers.UUIDField(source="uuid")
    confirmed_at = serializers.DateTimeField()
    created = serializers.IntegerField(source="outcome.created")
    changed = serializers.IntegerField(source="outcome.changed")
    unchanged = serializers.IntegerField(source="outcome.unchanged")
    sites_created = serializers.IntegerField(source="outcome.sites_created")


class ImportOutcome(Form):
    """What the confirmation did."""

    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    sites_created = serializers.IntegerField()


class KeptImport(CheckedImport):
    """A checked table as it is kept for a day; `outcome` is null until it is confirmed."""

    filename = serializers.CharField()
    checked_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    outcome = ImportOutcome(allow_null=True)


class ImportView(GenericAPIView[MissionImport]):
    permission_classes = [Allows(Role.DISPATCHER)]
    queryset = MissionImport.objects.none()
    filter_backends = []

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)


class ImportsView(ImportView):
    parser_classes = [SturdyMultiPartParser]

    @extend_schema(
        request={"multipart/form-data": ImportFile},
        responses={
            201: CheckedImport,
            400: OpenApiResponse(description="The file is no table that is read."),
            413: OpenApiResponse(description="The file is larger than 5 MB."),
        },
    )
    def post(self, request: Request) -> Response:
        """Check a table of missions, and keep it for a day. No mission is changed yet."""
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES + FORM_BYTES:
            raise BodyTooLarge
        sent = ImportFile(data=request.data)
        sent.is_valid(raise_exception=True)
        file: UploadedFile[Any] = sent.validated_data["file"]
        if (file.size or 0) > MOST_BYTES:
            raise BodyTooLarge
        kept, checked = check_import(self.actor, file.name or "", file.read())
        return Response(checked_data(kept, checked, timezone.now()), status=201)


def checked_data(kept: MissionImport, checked: Checked, now: datetime) -> dict[str, Any]:
    """What is answered of a check; `now` is when it was made."""
    return {
        "id": str(kept.uuid),
        "rows": len(kept.rows),
        "missions": checked.counts(),
        "new_sites": len(checked.new_sites),
        "problems": kept.problems,
        "can_be_confirmed": checked.can_be_confirmed,
        "expires_at": now + KEPT_FOR,
    }


def kept_data(kept: MissionImport) -> dict[str, Any]:
    """A stored check, for whoever comes back to it."""
    expected = expected_of(kept)
    new_sites = expected.pop("new_sites")
    return {
        "id": str(kept.uuid),
        "filename": kept.filename,
        "rows": len(kept.rows),
        "missions": expected,
        "new_sites": new_sites,
        "problems": kept.problems,
        "can_be_confirmed": can_be_confirmed(kept),
        "checked_at": kept.checked_at,
        "expires_at": kept.checked_at + KEPT_FOR,
        "confirmed_at": kept.confirmed_at,
        "outcome": outcome_of(kept),
    }


class OneImportView(ImportView):
    @extend_schema(responses=KeptImport)
    def get(self, request: Request, import_id: UUID) -> Response:
        """A table that was checked: what it would do, and what it did once confirmed."""
        kept = of_employer(young_imports(timezone.now()), self.actor, import_id)
        return Response(KeptImport(kept_data(kept)).data)


class ConfirmImportView(ImportView):
    @extend_schema(
        request=None,
        responses={
            200: ConfirmedImport,
            409: OpenApiResponse(description="Not as things are now; `problems` says why."),
        },
    )
    def post(self, request: Request, import_id: UUID) -> Response:
        """Do what the check said: all of it or nothing. Confirmed again, the same is answered."""
        young = young_imports(timezone.now())
        kept = confirm_import(self.actor, of_employer(young, self.actor, import_id))
        return Response(ConfirmedImport(kept).data)
