"""The rows of the audit trail: who, by the name of now, changed what.

The trail itself holds ids alone. A name is looked up when it is read, so one that was
erased is gone from here too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.actors import Actor
from accounts.drivers import visible_drivers
from accounts.models import ApiKey, AuditEntry, Device, Truck, User
from accounts.pages.audit_words import ACTIONS


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry as the page shows it; `url` leads to the page of what was changed."""

    entry: AuditEntry
    who: str
    what: str
    url: str = ""

    @property
    def action(self) -> Promise | str:
        return ACTIONS.get(self.entry.action, self.entry.action)

    @property
    def details(self) -> list[tuple[str, str]]:
        is_change = self.entry.action == "employer.changed"
        return [
            (name, _as_change(value) if is_change and name != "fields" else _as_text(value))
            for name, value in self.entry.detail.items()
        ]


def audit_rows(actor: Actor, entries: Sequence[AuditEntry]) -> list[AuditRow]:
    """Five queries for names, however many entries."""
    uuids = {entry.actor for entry in entries if entry.actor}
    uuids |= {entry.object_id for entry in entries if entry.object_id}
    names = {
        "user": _names(User.objects.filter(uuid__in=uuids), "name", "email"),
        "api_key": _names(ApiKey.objects.filter(employer=actor.employer, uuid__in=uuids), "name"),
        "device": _names(Device.objects.filter(employer=actor.employer, uuid__in=uuids), "name"),
        "truck": _names(Truck.objects.filter(employer=actor.employer, uuid__in=uuids), "plate"),
        "driver": _names(visible_drivers(actor).filter(uuid__in=uuids), "name", "number"),
    }
    return [AuditRow(entry, _who(entry, names), *_what(entry, names)) for entry in entries]


def _names(rows: Iterable[Any], *fields: str) -> dict[UUID, str]:
    return {
        row.uuid: next((value for field in fields if (value := getattr(row, field))), "")
        for row in rows
    }


def _who(entry: AuditEntry, names: dict[str, dict[UUID, str]]) -> str:
    fixed = {"command": _("the command line"), "system": _("the system")}
    if entry.actor_kind in fixed:
        return fixed[entry.actor_kind]
    kind = {"api_key": _("API key"), "device": _("Phone")}.get(entry.actor_kind, "")
    found = names.get(entry.actor_kind, {}).get(entry.actor) if entry.actor else None
    return f"{kind} {found or _('not known any more')}".strip()


def _what(entry: AuditEntry, names: dict[str, dict[UUID, str]]) -> tuple[str, str]:
    pages = {"driver": "driver_page", "truck": "truck_page", "device": "phone"}
    found = names.get(entry.object_kind, {}).get(entry.object_id) if entry.object_id else None
    page = pages.get(entry.object_kind)
    if page is None or found is None:
        return found or "", ""
    return found, reverse(page, args=[entry.object_id])


def _as_change(value: Any) -> str:
    """A setting before and after."""
    return " \N{RIGHTWARDS ARROW} ".join(_as_text(one) for one in value)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_as_text(one) for one in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_as_text(one)}" for name, one in value.items())
    return "" if value is None else str(value)
