"""What all views of missions share: one lock, one precondition, one answer with its ETag."""

import re
from typing import Any, Final
from uuid import UUID

from django.utils.http import parse_etags
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor, actor_of
from accounts.models import Role
from accounts.permissions import Allows
from accounts.refusals import Problem
from accounts.tenants import of_employer
from missions.edits import edits_since
from missions.lifecycle import locked
from missions.models import Mission
from missions.reading import shown_missions
from missions.serializers import ChangedFieldSerializer, MissionSerializer
from missions.stop_warnings import warned_stops

_TAG: Final = re.compile(r'"(?P<version>[1-9]\d{0,8})(\.[hew][0-9_]+)*"', re.ASCII)


class PreconditionRequired(Problem):
    """The change does not say which version it changes."""

    status = 428
    code = "precondition_required"


class Stale(Problem):
    """Somebody else changed it since it was read.

    `current` in the answer is how it is now, `changed` names the fields that people and
    their systems changed since then, `changed_otherwise` counts the versions that came from
    a phone or by the clock. `changed` is null when no version of ours was named.
    """

    status = 412
    code = "stale"


def etag_of(mission: Mission) -> str:
    """A strong tag: everything shown of a mission changes its version, but for three things.

    A driver who is frozen is no longer shown, and is again afterwards; of one who was erased
    a number is shown; and a site's hours change the warnings of its stops. Each is named by
    the places of the assignments, or of the stops, in their order.
    """
    drivers = mission.assignments.order_by("id").values_list("driver_id", "driver__frozen_at")
    places = list(enumerate(drivers, start=1))
    around = {
        "h": [place for place, (_, frozen_at) in places if frozen_at is not None],
        "e": [place for place, (driver_id, _) in places if not driver_id],
        "w": warned_stops(mission),
    }
    named = [f"{letter}{'_'.join(map(str, of))}" for letter, of in around.items() if of]
    return f'"{".".join([str(mission.version), *named])}"'


def _version_in(tags: list[str], mission: Mission) -> int | None:
    """The newest version that these tags name, of those there have been."""
    known = (_TAG.fullmatch(tag) for tag in tags)
    versions = (int(found["version"]) for found in known if found)
    return max((one for one in versions if one <= mission.version), default=None)


def refuse_stale(request: Request, mission: Mission, *, is_required: bool = False) -> None:
    """Compare If-Match with a locked mission. Stale, or PreconditionRequired without any."""
    header = request.headers.get("If-Match")
    if header is None:
        if is_required:
            raise PreconditionRequired("Send If-Match with the ETag of what you read.")
        return
    tags = parse_etags(header)
    if tags != ["*"] and etag_of(mission) not in tags:
        raise _stale(mission, _version_in(tags, mission))


def _stale(mission: Mission, version: int | None) -> Stale:
    shown = shown_missions().get(pk=mission.pk)
    edits = None if version is None else edits_since(shown, version)
    return Stale(
        "The mission was changed since you read it.",
        headers={"ETag": etag_of(shown)},
        extra={
            "current": MissionSerializer(shown).data,
            "changed": ChangedFieldSerializer(edits.fields, many=True).data if edits else None,
            "changed_otherwise": edits.untold if edits else None,
        },
    )


class MissionView(GenericAPIView[Any]):
    """For dispatchers and managers, about missions of their employer."""

    permission_classes = [Allows(Role.DISPATCHER)]
    queryset = Mission.objects.none()
    filter_backends = []

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    def get_serializer_context(self) -> dict[str, object]:
        """The schema is drawn without anybody asking."""
        auth = getattr(self.request, "auth", None)
        employer = auth.employer if isinstance(auth, Actor) else None
        return {**super().get_serializer_context(), "employer": employer}

    def mission(self, mission_id: UUID) -> Mission:
        return of_employer(Mission, self.actor, mission_id)

    def mission_to_change(self, mission_id: UUID, *, is_required: bool = False) -> Mission:
        """Locked, and at the version that the request means. Call inside a transaction."""
        mission = locked(self.mission(mission_id))
        refuse_stale(self.request, mission, is_required=is_required)
        return mission

    def answer(self, mission: Mission, status: int = 200) -> Response:
        shown = shown_missions().get(pk=mission.pk)
        return Response(
            MissionSerializer(shown).data, status=status, headers={"ETag": etag_of(shown)}
        )
