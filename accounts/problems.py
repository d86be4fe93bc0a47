"""Errors of the API as RFC 9457 problem documents.

    {"type", "title", "status", "detail", "instance", "code",
     "errors": [{"pointer", "code", "detail"}], "request_id"}

`type` and `code` hold the same fixed word; a relative reference is a valid type.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import set_rollback

from accounts.constraints import is_deadlock
from accounts.refusals import FieldError, Problem

__all__ = ["Problem", "not_found", "problem_exception_handler", "problem_response", "server_error"]


CONTENT_TYPE = "application/problem+json"


class BodyTooLarge(exceptions.APIException):
    """More bytes than a request of this API can mean."""

    status_code = 413
    default_code = "body_too_large"
    default_detail = "The body is too large."


def problem_response(
    request: HttpRequest | Request,
    status: int,
    code: str,
    detail: str,
    *,
    errors: tuple[FieldError, ...] = (),
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, object] | None = None,
) -> HttpResponse:
    """One problem document. Never rendered by negotiation: a GPX reader gets it too."""
    body = {
        "type": code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "errors": [asdict(error) for error in errors],
        "request_id": str(getattr(request, "request_id", None) or uuid.uuid4()),
        **(extra or {}),
    }
    return HttpResponse(
        # `extra` may hold a row as it is now, with the ids and times of what belongs to it.
        json.dumps(body, cls=DjangoJSONEncoder),
        status=status,
        content_type=CONTENT_TYPE,
        headers=dict(headers or {}),
    )


class InTheWay(exceptions.APIException):
    """Somebody else's change and this one waited for each other; nothing of this one is stored."""

    status_code = 503
    default_code = "in_the_way"
    default_detail = "Another change was in the way. Nothing was stored; send it again."
    wait = 1


def problem_exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's hook. None for what is a defect of ours: Django logs it and answers 500."""
    request: Request = context["request"]
    if isinstance(exc, Problem):
        set_rollback()
        return problem_response(
            request,
            exc.status,
            exc.code,
            exc.detail,
            errors=exc.errors,
            headers=exc.headers,
            extra=exc.extra,
        )
    known = _as_api_exception(exc)
    if known is None:
        return None
    set_rollback()
    return _answer_to(request, known)


def _as_api_exception(exc: Exception) -> exceptions.APIException | None:
    """What Django raises, in DRF's words."""
    if isinstance(exc, Http404):
        return exceptions.NotFound()
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied(*exc.args)
    if isinstance(exc, RequestDataTooBig):
        return BodyTooLarge()
    if isinstance(exc, UnreadablePostError):
        return exceptions.ParseError("The body ended early.")
    if isinstance(exc, OperationalError) and is_deadlock(exc):
        return InTheWay()
    return exc if isinstance(exc, exceptions.APIException) else None


def _answer_to(request: Request, exc: exceptions.APIException) -> HttpResponse:
    errors = tuple(_field_errors(exc.get_full_details(), ""))
    is_about_fields = isinstance(exc, exceptions.ValidationError)
    if is_about_fields:
        code, detail = "invalid", "; ".join(_sentence(error) for error in errors)
    else:
        code, detail = str(exc.get_codes()), str(exc.detail)
    return problem_response(
        request,
        exc.status_code,
        code,
        detail,
        errors=errors if is_about_fields else (),
        headers=_headers(exc),
    )


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers: dict[str, str] = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = str(exc.auth_header)  # type: ignore[attr-defined]
    if getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(exc.wait))  # type: ignore[attr-defined]
    return headers


def _field_errors(details: Any, pointer: str) -> Iterator[FieldError]:
    """Flatten DRF's nested details; the errors of a whole object point at the object."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield FieldError(pointer, str(details["code"]), str(details["message"]))
    elif isinstance(details, dict):
        for name, inner in details.items():
            here = pointer if name == "non_field_errors" else f"{pointer}/{name}"
            yield from _field_errors(inner, here)
    elif isinstance(details, list):
        is_per_item = any(isinstance(item, dict) and "message" not in item for item in details)
        for index, item in enumerate(details):
            yield from _field_errors(item, f"{pointer}/{index}" if is_per_item else pointer)


def _sentence(error: FieldError) -> str:
    return f"{error.pointer.lstrip('/')}: {error.detail}" if error.pointer else error.detail


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404 for paths below /api/."""
    return problem_response(request, 404, "not_found", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500 for paths below /api/."""
    return problem_response(request, 500, "error", "Something went wrong here; try again later.")
