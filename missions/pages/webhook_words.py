"""The words of the webhooks' pages: what is told of, how a delivery is, and why one failed."""

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from missions.models import ChangeType, DeliveryState

TYPES: Final = {
    ChangeType.MISSION_CREATED: _("mission made"),
    ChangeType.MISSION_CHANGED: _("mission changed"),
    ChangeType.MISSION_ASSIGNED: _("mission assigned"),
    ChangeType.MISSION_STARTED: _("mission started"),
    ChangeType.MISSION_COMPLETED: _("mission completed"),
    ChangeType.MISSION_CANCELLED: _("mission called off"),
    ChangeType.MISSION_DELAYED: _("mission delayed"),
    ChangeType.STAGE_RECORDED: _("stage recorded"),
    ChangeType.STAGE_CORRECTED: _("stage corrected"),
    ChangeType.EXCEPTION_RAISED: _("exception raised"),
    ChangeType.ATTACHMENT_ADDED: _("photo added"),
    ChangeType.SIGNATURE_ADDED: _("signature added"),
    ChangeType.POD_READY: _("proof of delivery ready"),
}
STATES: Final = {
    DeliveryState.WAITING: pgettext_lazy("a delivery of a webhook", "waiting"),
    DeliveryState.DELIVERED: pgettext_lazy("a delivery of a webhook", "delivered"),
    DeliveryState.GIVEN_UP: pgettext_lazy("a delivery of a webhook", "given up"),
}
ERRORS: Final = {
    "timeout": _("no answer in time"),
    "connection": _("no connection"),
    "tls": _("its certificate is not trusted"),
    "name": _("its name leads to no address"),
    "refused_address": _("its address is not on the public internet"),
    "refused_url": _("its address is not https"),
    "secret": _("the secret cannot be opened any more: make a new one"),
}
DISABLED: Final = {
    "manager": _("switched off by a manager"),
    "gone": _("switched off: the receiver answered 410, gone"),
    "failing": _("switched off: nothing could be delivered for three days"),
}


def attempt_text(status_code: int | None, error: str) -> str:
    """What came of one attempt."""
    if status_code is not None:
        return str(_("answer %(code)d") % {"code": status_code})
    return str(ERRORS.get(error, error))
