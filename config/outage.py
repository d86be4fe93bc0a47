"""Say 503, and when to come back, while the database is away."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts.problems import problem_response
from config.errors import API

RETRY_AFTER_S = 5


class DatabaseAwayMiddleware:
    """Turns a lost or refused connection, in any page or endpoint, into a 503."""

    sync_capable = True
    async_capable = True

    def __init__(
        self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]
    ) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        text = f"Milepost cannot reach its database. Try again in {RETRY_AFTER_S} seconds."
        if request.path.startswith(API):
            return problem_response(request, 503, "database_away", text, headers=headers)
        return HttpResponse(
            f"{text}\n", status=503, headers=headers, content_type="text/plain; charset=utf-8"
        )
