"""The employer's settings, its API keys and its audit trail."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_keys import create_api_key, revoke_api_key
from accounts.employer_serializers import (
    ApiKeySerializer,
    AuditEntrySerializer,
    AuditQuery,
    EmployerSerializer,
    NewApiKeySerializer,
)
from accounts.employers import change_employer
from accounts.http import ActorView, secret, shown
from accounts.models import ApiKey, AuditEntry, Role
from accounts.permissions import Allows
from accounts.tenants import of_employer

ForManagers = Allows(Role.MANAGER)


class EmployerView(ActorView):
    """The employer that the caller belongs to."""

    allows = {"GET": Allows(Role.DISPATCHER, Role.DPO), "PATCH": ForManagers}

    @extend_schema(responses=EmployerSerializer)
    def get(self, request: Request) -> Response:
        """Its settings."""
        return shown(self.actor.employer, EmployerSerializer)

    @extend_schema(request=EmployerSerializer, responses=EmployerSerializer)
    def patch(self, request: Request) -> Response:
        """Change settings; they hold from the next fix on.

        `always` needs a justification and the day on which the staff was informed.
        """
        changes = self.sent(EmployerSerializer, partial=True)
        return shown(change_employer(self.actor, changes), EmployerSerializer)


class ApiKeysView(ActorView):
    """Secrets of the employer's own systems."""

    allows = {"GET": ForManagers, "POST": ForManagers}

    @extend_schema(responses=ApiKeySerializer(many=True))
    def get(self, request: Request) -> Response:
        """All keys, revoked ones too, each with how it begins."""
        return self.paged(ApiKey.objects.filter(employer=self.actor.employer), ApiKeySerializer)

    @extend_schema(request=ApiKeySerializer, responses={201: NewApiKeySerializer})
    def post(self, request: Request) -> Response:
        """Make a key. Its `token` is in this answer and nowhere else."""
        sent = self.sent(ApiKeySerializer)
        key, token = create_api_key(self.actor, sent["role"], name=sent["name"])
        return secret({**ApiKeySerializer(key).data, "token": token})


class ApiKeyRevocationView(ActorView):
    """The end of a key."""

    allows = {"POST": ForManagers}

    @extend_schema(request=None, responses=ApiKeySerializer)
    def post(self, request: Request, id: UUID) -> Response:
        """Refuse this key from the next request on."""
        key = of_employer(ApiKey, self.actor, id)
        return shown(revoke_api_key(self.actor, key), ApiKeySerializer)


class AuditView(ActorView):
    """Who changed what."""

    allows = {"GET": Allows(Role.MANAGER, Role.DPO)}
    cursor_key = ("-id",)

    @extend_schema(parameters=[AuditQuery], responses=AuditEntrySerializer(many=True))
    def get(self, request: Request) -> Response:
        """The changes, newest first."""
        asked = self.asked(AuditQuery)
        columns = {"action": "action", "object": "object_id", "actor": "actor"}
        wanted = {columns[name]: value for name, value in asked.items()}
        entries = AuditEntry.objects.filter(employer=self.actor.employer, **wanted)
        return self.paged(entries, AuditEntrySerializer)
