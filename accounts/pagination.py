"""Lists page by page: `{"results": […], "next": "<url or null>"}`, by a cursor on the key.

A cursor is the key of the last row seen, so that a page costs the same however deep it is
and a row added meanwhile neither repeats nor hides another.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from accounts.refusals import Invalid

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000


def encode_cursor(key: Sequence[object]) -> str:
    """An opaque word for a key; datetimes keep their microseconds."""
    plain = json.dumps([_exact(part) for part in key], cls=DjangoJSONEncoder)
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _exact(part: object) -> object:
    return part.isoformat() if hasattr(part, "isoformat") else part


def decode_cursor(cursor: str, length: int) -> list[Any]:
    """The key inside a cursor. Invalid when it is none of ours."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded.encode(), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        key = None
    if not isinstance(key, list) or len(key) != length or not all(map(_is_storable, key)):
        raise Invalid("This is not a cursor of this list.", field="cursor")
    return key


def _is_storable(part: object) -> bool:
    """Whether PostgreSQL can hold it: an altered cursor must not become a database error."""
    if isinstance(part, str):
        return "\0" not in part and not any("\ud800" <= letter <= "\udfff" for letter in part)
    return isinstance(part, int) and not isinstance(part, bool)


def limit_of(request: Request) -> int:
    """How many rows a page has. Invalid when it is not a number from 1 to 1,000."""
    asked = request.query_params.get("limit")
    if asked is None:
        return DEFAULT_LIMIT
    # The length first: what is compared must be what is returned, and int() costs.
    is_short = len(asked) <= len(str(MAX_LIMIT))
    if not (is_short and asked.isascii() and asked.isdigit() and 1 <= int(asked) <= MAX_LIMIT):
        raise Invalid(f"limit is a number from 1 to {MAX_LIMIT}.", field="limit")
    return int(asked)


class KeyPagination(BasePagination):
    """Pages of a queryset in the order of `view.cursor_key`, default `("id",)`.

    All parts of the key go the same way: each begins with `-` or none does. The last part
    is unique.
    """

    next_url: str | None = None

    def paginate_queryset(
        self,
        queryset: QuerySet[Any] | Sequence[Any],
        request: Request,
        view: APIView | None = None,
    ) -> list[Any]:
        if not isinstance(queryset, QuerySet):
            raise TypeError("only a queryset has a key")
        key: Sequence[str] = getattr(view, "cursor_key", ("id",))
        limit = limit_of(request)
        cursor = request.query_params.get("cursor")
        if cursor is not None:
            queryset = queryset.filter(_beyond(queryset.model, key, cursor))
        rows = list(queryset.order_by(*key)[: limit + 1])
        if len(rows) > limit:
            del rows[limit:]
            last = [getattr(rows[-1], name.lstrip("-")) for name in key]
            here = request.build_absolute_uri()
            self.next_url = replace_query_param(here, "cursor", encode_cursor(last))
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        headers = {"Link": f'<{self.next_url}>; rel="next"'} if self.next_url else {}
        return Response({"results": data, "next": self.next_url}, headers=headers)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {
                "results": schema,
                "next": {"type": ["string", "null"], "format": "uri"},
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where the page before ended; taken from its `next`.",
                "schema": {"type": "string"},
            },
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "description": "Rows in a page.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_LIMIT,
                    "default": DEFAULT_LIMIT,
                },
            },
        ]


def _beyond(model: type[Model], key: Sequence[str], cursor: str) -> Q:
    """The rows after a cursor: (a > x) or (a = x and b > y) or …"""
    names = [name.lstrip("-") for name in key]
    operator = "lt" if key[0].startswith("-") else "gt"
    values = [
        _value(model, name, part)
        for name, part in zip(names, decode_cursor(cursor, len(key)), strict=True)
    ]
    beyond = Q()
    for index, name in enumerate(names):
        same = dict(zip(names[:index], values[:index], strict=True))
        beyond |= Q(**same, **{f"{name}__{operator}": values[index]})
    # Implied by the rest; said so that the index can be entered at the first column.
    return Q(**{f"{names[0]}__{operator}e": values[0]}) & beyond


def _value(model: type[Model], name: str, part: str | int) -> Any:
    try:
        field = model._meta.get_field(name)  # noqa: SLF001
        return field.to_python(part)  # type: ignore[union-attr]
    except (ValidationError, TypeError, ValueError):  # a number where a time was
        raise Invalid("This is not a cursor of this list.", field="cursor") from None
