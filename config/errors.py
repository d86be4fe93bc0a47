"""What answers when no page or endpoint does: problem+json below /api/, a page elsewhere."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from accounts import problems

API = "/api/"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problems.not_found(request, exception)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(API):
        return problems.server_error(request)
    return defaults.server_error(request)
