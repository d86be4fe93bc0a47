"""What our app on a driver's phone asks: pair, who am I, my settings, a new token."""

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.app_settings import app_settings
from accounts.http import ActorView, secret, shown
from accounts.models import Device, Driver
from accounts.pairing import spend_pairing_code
from accounts.permissions import DRIVER, Allows
from accounts.phones import rotate_token
from accounts.serializers import (
    AppSettingsSerializer,
    MeSerializer,
    PairedSerializer,
    PairingSerializer,
    RotatedSerializer,
)


class PairingView(ActorView):
    """A phone's first request."""

    authentication_classes = ()
    allows = {"POST": AllowAny}

    @extend_schema(request=PairingSerializer, responses={201: PairedSerializer})
    def post(self, request: Request) -> Response:
        """Trade a code for this phone's token and settings, once.

        10 wrong tries an hour of one address, then 429 with Retry-After.
        """
        sent = self.sent(PairingSerializer)
        address = request.META.get("REMOTE_ADDR", "")
        paired = spend_pairing_code(sent["code"], address, platform=sent["platform"])
        settings = app_settings(paired.device, paired.driver)
        return secret({"token": paired.token, "settings": settings})


class MyView(ActorView):
    """What a phone sees of itself."""

    def phone(self) -> tuple[Device, Driver]:
        """The phone and who carries it; the permission has seen to both."""
        actor = self.actor
        if actor.device is None or actor.driver is None:
            raise Http404
        return actor.device, actor.driver


class MeView(MyView):
    """The driver who carries this phone."""

    allows = {"GET": Allows(DRIVER)}

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Employer, driver and device of the token."""
        device, driver = self.phone()
        employer = self.actor.employer
        me = {
            "employer": {"id": employer.uuid, "name": employer.name},
            "driver": driver,
            "device": {"id": device.uuid, "name": device.name},
        }
        return shown(me, MeSerializer)


class MySettingsView(MyView):
    """What the app needs to know."""

    allows = {"GET": Allows(DRIVER)}

    @extend_schema(responses=AppSettingsSerializer)
    def get(self, request: Request) -> Response:
        """The settings as they are now; ask at each start and once a day."""
        return Response(app_settings(*self.phone()))


class MyTokenView(MyView):
    """This phone's new token."""

    allows = {"POST": Allows(DRIVER)}

    @extend_schema(request=None, responses={201: RotatedSerializer})
    def post(self, request: Request) -> Response:
        """A new token. The older ones are good for 14 days more, should this answer be lost."""
        device, _ = self.phone()
        token, ends_at = rotate_token(self.actor, device)
        return secret({"token": token, "older_tokens_end_at": ends_at})
