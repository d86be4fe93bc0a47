"""Webhooks as managers set them up: endpoints, their secrets, and the log of deliveries."""

from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.http import ActorView, secret, shown
from accounts.models import Role
from accounts.outbound import Gate
from accounts.permissions import Allows
from accounts.tenants import of_employer
from missions import webhooks
from missions.models import (
    ChangeType,
    DeliveryState,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from missions.webhook_delivery import message, post

ForManagers = Allows(Role.MANAGER)


class EndpointFields(serializers.Serializer[Any]):
    """What a manager says of an endpoint."""

    url = serializers.CharField(max_length=500, help_text="https; no redirect is followed")
    types = serializers.ListField(
        child=serializers.ChoiceField(ChangeType.choices),
        allow_empty=False,
        max_length=len(ChangeType),
        help_text="of which changes it is told",
    )
    description = serializers.CharField(max_length=200, allow_blank=True, default="")


class EndpointSerializer(EndpointFields):
    id = serializers.UUIDField(source="uuid")
    created_at = serializers.DateTimeField()
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="since when every attempt failed"
    )
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_reason = serializers.CharField(help_text="manager, gone (410) or failing (3 days)")


class NewEndpointSerializer(EndpointSerializer):
    secret = serializers.CharField(help_text="whsec_…, to check signatures; shown this once")


class NewSecretSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    secret = serializers.CharField(help_text="shown this once")
    older_secrets_end_at = serializers.DateTimeField()


class AttemptSerializer(serializers.Serializer[Any]):
    attempted_at = serializers.DateTimeField()
    status_code = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(
        help_text="blank when delivered; status, timeout, connection, tls, name, refused_address,"
        " refused_url, or secret when the server can no longer open it: ask for a new one"
    )
    duration_ms = serializers.IntegerField()


class DeliverySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="uuid")
    webhook_id = serializers.UUIDField(source="change.uuid", help_text="the change's id, too")
    type = serializers.CharField(source="change.type")
    state = serializers.ChoiceField(DeliveryState.choices)
    attempts = serializers.IntegerField()
    next_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    attempt_log = AttemptSerializer(many=True)


class DeliveriesQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(DeliveryState.choices, required=False)


class TestResultSerializer(serializers.Serializer[Any]):
    is_delivered = serializers.BooleanField()
    status_code = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()
    duration_ms = serializers.IntegerField()


def shown_deliveries() -> QuerySet[WebhookDelivery]:
    log = WebhookAttempt.objects.order_by("id")
    return WebhookDelivery.objects.select_related("change").prefetch_related(
        Prefetch("attempt_log", queryset=log)
    )


class WebhookView(ActorView):
    """What is about one endpoint, or all."""

    gate: ClassVar[Gate] = Gate()

    def endpoint(self, id: UUID) -> WebhookEndpoint:
        return of_employer(WebhookEndpoint, self.actor, id)


class WebhooksView(WebhookView):
    allows = {"GET": ForManagers, "POST": ForManagers}

    @extend_schema(responses=EndpointSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The employer's endpoints."""
        own = WebhookEndpoint.objects.filter(employer=self.actor.employer)
        return self.paged(own, EndpointSerializer)

    @extend_schema(request=EndpointFields, responses={201: NewEndpointSerializer})
    def post(self, request: Request) -> Response:
        """Make an endpoint. The answer holds its secret, which is never shown again."""
        sent = self.sent(EndpointFields)
        endpoint, signing_secret = webhooks.create_endpoint(
            self.actor,
            sent["url"],
            sent["types"],
            description=sent["description"],
            gate=self.gate,
        )
        return secret({**EndpointSerializer(endpoint).data, "secret": signing_secret})


class OneWebhookView(WebhookView):
    allows = {"GET": ForManagers, "PATCH": ForManagers, "DELETE": ForManagers}

    @extend_schema(responses=EndpointSerializer)
    def get(self, request: Request, id: UUID) -> Response:
        """One endpoint."""
        return shown(self.endpoint(id), EndpointSerializer)

    @extend_schema(request=EndpointFields, responses=EndpointSerializer)
    def patch(self, request: Request, id: UUID) -> Response:
        """Change its url, types or description."""
        endpoint = self.endpoint(id)
        changes = self.sent(EndpointFields, partial=True)
        changed = webhooks.change_endpoint(self.actor, endpoint, changes, gate=self.gate)
        return shown(changed, EndpointSerializer)

    @extend_schema(responses={204: OpenApiResponse(description="It is gone.")})
    def delete(self, request: Request, id: UUID) -> Response:
        """Remove it, with its secrets and its log; what waits is not sent."""
        webhooks.remove_endpoint(self.actor, self.endpoint(id))
        return Response(status=204)


class WebhookSecretView(WebhookView):
    allows = {"POST": ForManagers}

    @extend_schema(request=None, responses={201: NewSecretSerializer})
    def post(self, request: Request, id: UUID) -> Response:
        """A new secret, shown this once; the old one signs beside it for 24 h more."""
        endpoint = self.endpoint(id)
        signing_secret, ends_at = webhooks.rotate_secret(self.actor, endpoint)
        return secret(
            {"id": endpoint.uuid, "secret": signing_secret, "older_secrets_end_at": ends_at}
        )


class WebhookEnableView(WebhookView):
    allows = {"POST": ForManagers}

    @extend_schema(request=None, responses=EndpointSerializer)
    def post(self, request: Request, id: UUID) -> Response:
        """Send again, what waited first. What changed while it was disabled is in the feed."""
        return shown(webhooks.enable_endpoint(self.actor, self.endpoint(id)), EndpointSerializer)


class WebhookDisableView(WebhookView):
    allows = {"POST": ForManagers}

    @extend_schema(request=None, responses=EndpointSerializer)
    def post(self, request: Request, id: UUID) -> Response:
        """Send nothing more until it is enabled."""
        endpoint = self.endpoint(id)
        webhooks.disable_endpoint(self.actor, endpoint)
        return shown(self.endpoint(id), EndpointSerializer)


class WebhookTestView(WebhookView):
    allows = {"POST": ForManagers}

    @extend_schema(request=None, responses=TestResultSerializer)
    def post(self, request: Request, id: UUID) -> Response:
        """Send a signed message of the type `endpoint.test` now, once, and say what came back.

        Also to an endpoint that is disabled. It takes at most 10 s.
        """
        endpoint = self.endpoint(id)
        now = timezone.now()
        body = message("endpoint.test", now, str(endpoint.uuid), None)
        outcome = post(endpoint, str(uuid4()), body, now=now, gate=self.gate)
        return shown(outcome, TestResultSerializer)


class DeliveriesView(WebhookView):
    allows = {"GET": ForManagers}
    # As their changes were numbered; the key of the index that finds an endpoint's own.
    cursor_key = ("-change_id",)

    @extend_schema(parameters=[DeliveriesQuery], responses=DeliverySerializer(many=True))
    def get(self, request: Request, id: UUID) -> Response:
        """What was sent, or waits, or was given up on, the newest change first."""
        deliveries = shown_deliveries().filter(endpoint=self.endpoint(id))
        asked = self.asked(DeliveriesQuery)
        if "state" in asked:
            deliveries = deliveries.filter(state=asked["state"])
        return self.paged(deliveries, DeliverySerializer)


class RedeliverView(WebhookView):
    allows = {"POST": ForManagers}

    @extend_schema(request=None, responses={202: DeliverySerializer})
    def post(self, request: Request, id: UUID, delivery_id: UUID) -> Response:
        """Send it again, whatever came of it before, under the same webhook-id."""
        own = self.endpoint(id).deliveries.all()
        webhooks.redeliver(self.actor, get_object_or_404(own, uuid=delivery_id))
        return shown(shown_deliveries().get(uuid=delivery_id), DeliverySerializer, 202)
