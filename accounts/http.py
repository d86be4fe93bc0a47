"""What every endpoint has in common: an actor, a permission per method, pages, validation."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from accounts.actors import Actor, actor_of
from accounts.pagination import KeyPagination

# For an answer with a secret: in no cache, and in no Referer of the page that shows it.
SECRET_HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class ActorView(APIView):
    """An endpoint that says in `allows` who may use which method.

    Answers are about people, so none is kept in a cache unless the view says otherwise.
    """

    allows: ClassVar[Mapping[str, type[BasePermission]]] = {}
    pagination_class = KeyPagination
    cursor_key: ClassVar[tuple[str, ...]] = ("id",)

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    def get_permissions(self) -> list[BasePermission]:
        method = self.request.method or ""
        allowed = self.allows.get("GET" if method in {"HEAD", "OPTIONS"} else method)
        if allowed is None:
            raise MethodNotAllowed(method)
        return [allowed()]

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    def sent(self, form: type[BaseSerializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """The body, validated. ValidationError names each field by a pointer."""
        return self._valid(form(data=self.request.data, partial=partial))

    def asked(self, form: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The query, validated in the same way."""
        return self._valid(form(data=self.request.query_params))

    def paged(self, rows: QuerySet[Any, Any], form: type[BaseSerializer[Any]]) -> Response:
        """One page of a list, in the order of `cursor_key`."""
        pages = self.pagination_class()
        page = pages.paginate_queryset(rows, self.request, self)
        return pages.get_paginated_response(form(page, many=True).data)

    @staticmethod
    def _valid(form: BaseSerializer[Any]) -> dict[str, Any]:
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)


class AnyAccept(BaseContentNegotiation):
    """For files: the ending of the address says what is wanted, whatever an Accept header says."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0] if parsers else None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


def shown(row: object, form: type[BaseSerializer[Any]], status: int = 200) -> Response:
    """One row as an answer."""
    return Response(form(row).data, status=status)


def secret(body: Mapping[str, Any], status: int = 201) -> Response:
    """An answer that holds a secret: shown once, kept nowhere."""
    return Response(body, status=status, headers=SECRET_HEADERS)
