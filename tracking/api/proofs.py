"""Proofs of delivery of a stop: ask for one, see what became of it, get a link to the PDF.

Here and not in missions, since what a proof says of times is read from here.
"""

from contextlib import suppress
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from kombu.exceptions import OperationalError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.http import SECRET_HEADERS
from accounts.pagination import KeyPagination
from accounts.refusals import Conflict
from accounts.tenants import of_employer
from missions.api.mission_view import MissionView
from missions.file_links import new_link
from missions.models import ProofOfDelivery, Stop
from missions.proof_serializers import ProofRequest, ProofSerializer
from missions.proofs import locale_for
from missions.signature_serializers import LinkSerializer
from tracking.proofs import ask_for_proof
from tracking.tasks import issue_proof


class NotIssued(Conflict):
    """There is no PDF yet, or it could not be made."""

    code = "proof_not_issued"


def shown_proofs() -> QuerySet[ProofOfDelivery]:
    """Proofs with all that is shown of them, in two queries."""
    proofs = ProofOfDelivery.objects.select_related("mission", "stop", "superseded_by")
    return proofs.prefetch_related("supersedes")


def wake_worker(proof: ProofOfDelivery) -> None:
    """The row is the queue: a message that cannot be sent is made up for by the sweep."""
    with suppress(OperationalError):
        issue_proof.delay(proof.pk)


class ProofView(MissionView):
    """About one stop of a mission."""

    pagination_class = KeyPagination

    def stop(self, mission_id: UUID, stop_id: UUID) -> Stop:
        stops = Stop.objects.select_related("site", "mission__employer")
        return of_employer(stops.filter(mission=self.mission(mission_id)), self.actor, stop_id)

    def proof(self, mission_id: UUID, stop_id: UUID, proof_id: UUID) -> ProofOfDelivery:
        own = shown_proofs().filter(stop=self.stop(mission_id, stop_id))
        return of_employer(own, self.actor, proof_id)


class ProofsView(ProofView):
    @extend_schema(operation_id="proofs", responses=ProofSerializer(many=True))
    def get(self, request: Request, mission_id: UUID, stop_id: UUID) -> Response:
        """All that were asked for, oldest first."""
        own = shown_proofs().filter(stop=self.stop(mission_id, stop_id))
        page = self.paginate_queryset(own)
        return self.get_paginated_response(ProofSerializer(page, many=True).data)

    @extend_schema(
        operation_id="request_proof",
        request=ProofRequest,
        responses={
            202: OpenApiResponse(ProofSerializer, "It is being made."),
            200: OpenApiResponse(ProofSerializer, "It was issued before, and nothing is new."),
        },
    )
    def post(self, request: Request, mission_id: UUID, stop_id: UUID) -> Response:
        """Ask for a proof of what is known now. What has changed since gets a new number."""
        stop = self.stop(mission_id, stop_id)
        asked = ProofRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        locale = asked.validated_data.get("locale") or locale_for(stop, stop.mission.employer)
        requested = ask_for_proof(stop, locale, actor=self.actor)
        if requested.is_new:
            wake_worker(requested.proof)
        shown = shown_proofs().get(pk=requested.proof.pk)
        status = 200 if shown.issued_at else 202
        return Response(ProofSerializer(shown).data, status=status)


class OneProofView(ProofView):
    @extend_schema(operation_id="proof", responses=ProofSerializer)
    def get(self, request: Request, mission_id: UUID, stop_id: UUID, proof_id: UUID) -> Response:
        """One, with what it says."""
        return Response(ProofSerializer(self.proof(mission_id, stop_id, proof_id)).data)


class ProofLinkView(ProofView):
    @extend_schema(operation_id="proof_link", request=None, responses=LinkSerializer)
    def post(self, request: Request, mission_id: UUID, stop_id: UUID, proof_id: UUID) -> Response:
        """A link to the PDF, good for five minutes."""
        proof = self.proof(mission_id, stop_id, proof_id)
        if proof.issued_at is None:
            raise NotIssued("This proof is not issued yet.")
        link = new_link("proof", proof.uuid)
        return Response(LinkSerializer(link).data, headers=SECRET_HEADERS)
