"""The places where missions stop."""

from uuid import UUID

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor, actor_of
from accounts.idempotency import IDEMPOTENCY_KEY, idempotent
from accounts.models import Role
from accounts.pagination import KeyPagination
from accounts.permissions import Allows
from accounts.tenants import of_employer
from missions.models import Site
from missions.serializers import SiteSerializer
from missions.sites import change_site, create_site, remove_site

Q_PARAMETER = OpenApiParameter("q", OpenApiTypes.STR, description="Part of a name or an address.")


class SiteView(GenericAPIView[Site]):
    permission_classes = [Allows(Role.DISPATCHER)]
    queryset = Site.objects.none()
    serializer_class = SiteSerializer
    pagination_class = KeyPagination
    filter_backends = []

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)


class SitesView(SiteView):
    @extend_schema(
        parameters=[Q_PARAMETER],
        responses=SiteSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """The employer's sites."""
        sites = Site.objects.filter(employer=self.actor.employer)
        part = request.query_params.get("q", "").replace("\0", "")
        if part:
            sites = sites.filter(Q(name__icontains=part) | Q(address__icontains=part))
        page = self.paginate_queryset(sites)
        return self.get_paginated_response(SiteSerializer(page, many=True).data)

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: SiteSerializer,
            200: OpenApiResponse(SiteSerializer, "It was asked for before, just so."),
        },
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Make a site. Its external_id makes it safe to repeat."""
        asked = SiteSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = create_site(self.actor, asked.validated_data)
        return Response(SiteSerializer(made.site).data, status=201 if made.is_new else 200)


class OneSiteView(SiteView):
    @extend_schema(responses=SiteSerializer)
    def get(self, request: Request, site_id: UUID) -> Response:
        """One site."""
        return Response(SiteSerializer(of_employer(Site, self.actor, site_id)).data)

    @extend_schema(responses=SiteSerializer)
    def patch(self, request: Request, site_id: UUID) -> Response:
        """Change a site; distances measured before stay as they were measured."""
        site = of_employer(Site, self.actor, site_id)
        asked = SiteSerializer(site, data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        return Response(SiteSerializer(change_site(self.actor, site, asked.validated_data)).data)

    @extend_schema(responses={204: OpenApiResponse(description="It is gone.")})
    def delete(self, request: Request, site_id: UUID) -> Response:
        """Remove a site where no mission ever stopped."""
        remove_site(self.actor, of_employer(Site, self.actor, site_id))
        return Response(status=204)
