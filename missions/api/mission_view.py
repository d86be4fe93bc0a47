"""What all views of missions share: one lock, one precondition, one answer with its ETag."""

from typing import Any
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
from missions.lifecycle import locked
from missions.models import Mission
from missions.reading import shown_missions
from missions.serializers import MissionSerializer


class PreconditionRequired(Problem):
    """The change does not say which version it changes."""

    status = 428
    code = "precondition_required"


class Stale(Problem):
    """Somebody else changed it since it was read; `current` in the answer is how it is now."""

    status = 412
    code = "stale"


def etag_of(mission: Mission) -> str:
    """A strong tag: everything shown of a mission changes its version.

    But for one thing: a driver who is frozen is no longer shown, and is again afterwards.
    """
    hidden = mission.assignments.filter(driver__frozen_at__isnull=False).count()
    return f'"{mission.version}.{hidden}"' if hidden else f'"{mission.version}"'


def refuse_stale(request: Request, mission: Mission, *, is_required: bool = False) -> None:
    """Compare If-Match with a locked mission. Stale, or PreconditionRequired without any."""
    header = request.headers.get("If-Match")
    if header is None:
        if is_required:
            raise PreconditionRequired("Send If-Match with the ETag of what you read.")
        return
    tags = parse_etags(header)
    if tags != ["*"] and etag_of(mission) not in tags:
        shown = shown_missions().get(pk=mission.pk)
        raise Stale(
            "The mission was changed since you read it.",
            headers={"ETag": etag_of(shown)},
            extra={"current": MissionSerializer(shown).data},
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
