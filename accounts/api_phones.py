"""Phones as the office sees them: who carries one, a code to pair one, the end of one."""

from uuid import UUID

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor
from accounts.assignments import hand_over_device
from accounts.drivers import visible_drivers
from accounts.http import ActorView, secret, shown
from accounts.models import Device, DeviceHolding, DeviceToken, Role
from accounts.pairing import make_pairing_code
from accounts.permissions import Allows
from accounts.phones import enrol_device, revoke_device, rotate_token, set_payload_key
from accounts.qr_codes import qr_svg
from accounts.serializers import (
    DeviceDetailSerializer,
    DeviceQuery,
    DeviceSerializer,
    HandOver,
    NewDevice,
    NewDeviceToken,
    NewPairingCode,
    PairingCodeSerializer,
    PayloadKey,
)
from accounts.tenants import of_employer

ForDispatchers = Allows(Role.DISPATCHER)


def devices_of(actor: Actor) -> QuerySet[Device]:
    """The employer's phones, each with its scope and who carries it now, in one query."""
    here = {"device": OuterRef("pk"), "driver__frozen_at__isnull": True}
    holder = DeviceHolding.objects.filter(period__contains=Now(), **here)
    tokens = DeviceToken.objects.filter(device=OuterRef("pk")).order_by("-id")
    return Device.objects.filter(employer=actor.employer).annotate(
        scope=Subquery(tokens.values("scope")[:1]),
        holder=Subquery(holder.values("driver__uuid")[:1]),
    )


class DevicesView(ActorView):
    """The phones."""

    allows = {"GET": ForDispatchers, "POST": ForDispatchers}

    @extend_schema(parameters=[DeviceQuery], responses=DeviceSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All phones, revoked ones too, or those that one driver carries now."""
        asked = self.asked(DeviceQuery)
        devices = devices_of(self.actor)
        if "driver" in asked:
            driver = of_employer(visible_drivers(self.actor), self.actor, asked["driver"])
            carried = DeviceHolding.objects.filter(driver=driver, period__contains=Now())
            devices = devices.filter(pk__in=carried.values("device"))
        return self.paged(devices, DeviceSerializer)

    @extend_schema(request=NewDevice, responses={201: NewDeviceToken})
    def post(self, request: Request) -> Response:
        """Enrol a phone without pairing, as an off-the-shelf client needs it."""
        sent = self.sent(NewDevice)
        driver = of_employer(visible_drivers(self.actor), self.actor, sent.pop("driver"))
        device, token = enrol_device(self.actor, driver, **sent)
        return secret({"id": str(device.uuid), "token": token})


class DeviceView(ActorView):
    """One phone."""

    allows = {"GET": ForDispatchers}

    @extend_schema(responses=DeviceDetailSerializer)
    def get(self, request: Request, id: UUID) -> Response:
        """A phone of this employer, and who carried it when."""
        return detailed(self.actor, id)


class DeviceRevocationView(ActorView):
    """The end of a phone."""

    allows = {"POST": ForDispatchers}

    @extend_schema(request=None, responses=DeviceDetailSerializer)
    def post(self, request: Request, id: UUID) -> Response:
        """Refuse every token of this phone from the next request on."""
        revoke_device(self.actor, of_employer(Device, self.actor, id))
        return detailed(self.actor, id)


class DeviceHandOverView(ActorView):
    """A phone changes hands."""

    allows = {"POST": ForDispatchers}

    @extend_schema(request=HandOver, responses=DeviceDetailSerializer)
    def post(self, request: Request, id: UUID) -> Response:
        """From this moment on another driver carries the phone."""
        device = of_employer(Device, self.actor, id)
        sent = self.sent(HandOver)
        driver = of_employer(visible_drivers(self.actor), self.actor, sent["driver"])
        hand_over_device(self.actor, device, driver, sent.get("at") or timezone.now())
        return detailed(self.actor, id)


class DeviceTokenView(ActorView):
    """A phone's new token."""

    allows = {"POST": ForDispatchers}

    @extend_schema(request=None, responses={201: NewDeviceToken})
    def post(self, request: Request, id: UUID) -> Response:
        """A new token, shown this once; the older ones are good for 14 days more."""
        device = of_employer(Device, self.actor, id)
        token, ends_at = rotate_token(self.actor, device)
        return secret({"id": str(device.uuid), "token": token, "older_tokens_end_at": ends_at})


class DevicePayloadKeyView(ActorView):
    """The passphrase of a phone that encrypts what it sends."""

    allows = {"PUT": ForDispatchers, "DELETE": ForDispatchers}

    @extend_schema(request=PayloadKey, responses=DeviceDetailSerializer)
    def put(self, request: Request, id: UUID) -> Response:
        """Keep it, sealed, in place of any other."""
        device = of_employer(Device, self.actor, id)
        set_payload_key(self.actor, device, self.sent(PayloadKey)["passphrase"])
        return detailed(self.actor, id)

    @extend_schema(request=None, responses=DeviceDetailSerializer)
    def delete(self, request: Request, id: UUID) -> Response:
        """Forget it: what the phone encrypts goes to quarantine."""
        set_payload_key(self.actor, of_employer(Device, self.actor, id), None)
        return detailed(self.actor, id)


class PairingCodesView(ActorView):
    """Codes that a phone trades for its token."""

    allows = {"POST": ForDispatchers}

    @extend_schema(request=NewPairingCode, responses={201: PairingCodeSerializer})
    def post(self, request: Request) -> Response:
        """A code for one driver's phone: shown this once, good once, for 15 minutes."""
        sent = self.sent(NewPairingCode)
        driver = of_employer(visible_drivers(self.actor), self.actor, sent["driver"])
        row, code = make_pairing_code(self.actor, driver, device_name=sent["device_name"])
        # After the #, so that the code is in no server's log when a camera app opens it.
        qr_text = request.build_absolute_uri(reverse("api-pairing")) + "#" + code
        return secret(
            {
                "id": str(row.uuid),
                "code": code,
                "expires_at": row.expires_at,
                "qr_text": qr_text,
                "qr_svg": qr_svg(qr_text),
            }
        )


def detailed(actor: Actor, id: UUID) -> Response:
    """A phone with its holdings, as it is now."""
    holdings = DeviceHolding.objects.select_related("driver").order_by("period")
    devices = devices_of(actor).prefetch_related(
        Prefetch("holdings", holdings, to_attr="holdings_in_order")
    )
    return shown(of_employer(devices, actor, id), DeviceDetailSerializer)
